/* SPDX-License-Identifier: Apache-2.0 */
#include "work.h"

#include <dubbing_common/clock.h>

/* A finished dub waits this long for the transcript of the original. Who gives
 * as long as nobody does live has a file, or asks once by HTTP: that one waits
 * for all the time that the transcript has (stage_asr.c). */
#define TRANSCRIPT_HOLD_MS 400
#define PATIENT_NS (12 * DUB_NS_PER_S)

static void
do_make (gpointer data)
{
  DubWork *work = data;

  dub_dub_make (&work->params, &work->dub, &work->make_error);
}

static gboolean
plan (DubWork *work)
{
  DubFitSlot slot = dub_work_slot (work);
  DubDubParams *params = &work->params;
  DubResult *result = work->result;
  g_autofree char *message = NULL;

  params->plan = dub_fit_plan (
      &slot, &work->pipeline->fit_limits, dub_work_speech_ms (work));
  result->duration_variance_percent = params->plan.over_percent;
  result->speed_ratio = work->natural_ms / params->plan.stretched_ms;
  if (params->plan.tier != DUB_FIT_TOO_LONG)
    return TRUE;
  message = g_strdup_printf (
      "speech of %.0f ms is %.0f %% too long for a slot of %.0f ms and a "
      "pause of %.0f",
      params->plan.stretched_ms, params->plan.over_percent, slot.slot_ms,
      slot.room_ms);
  dub_work_fail (work, "tts", "DURATION_MISMATCH_EXCEEDED", FALSE, message);
  return FALSE;
}

void
dub_stage_make (DubWork *work)
{
  DubDubParams *params = &work->params;

  params->slot = dub_work_slot (work);
  params->target_lufs = work->source.lufs;
  params->format = work->job->reply_format;
  params->reply_rate_hz = work->job->reply_rate_hz;
  params->reply_channels = work->job->reply_channels;
  params->fill_slot = !g_str_equal (work->job->reply_format, "pcm_s16le");
  if (params->speech != NULL && !plan (work))
    return;
  dub_lane_push (
      work->pipeline->make_lane, dub_work_ref (work), work->job->deadline_ns);
}

static gboolean
on_held_enough (gpointer user_data)
{
  dub_work_finish (user_data);
  return G_SOURCE_REMOVE;
}

static void
hold (DubWork *work)
{
  if (work->job->deadline_ns - work->start_ns >= PATIENT_NS)
    return;
  work->hold = g_timeout_source_new (TRANSCRIPT_HOLD_MS);
  g_source_set_callback (work->hold, on_held_enough, work, NULL);
  g_source_attach (work->hold, g_main_context_get_thread_default ());
}

static void
on_made (gpointer data, gboolean ran)
{
  DubWork *work = data;
  DubResult *result = work->result;

  if (work->is_finished || dub_work_is_too_late (work, "tts"))
    return;
  if (work->make_error != NULL) {
    dub_work_fail (
        work, "pipeline", "PROCESSING_ERROR", TRUE, work->make_error->message);
    return;
  }
  if (work->params.speech != NULL) {
    result->tts_ms = dub_work_ms_since (work->stage_start_ns);
    dub_work_observe (work->pipeline->tts_seconds, result->tts_ms);
  }
  result->status = work->params.plan.tier == DUB_FIT_PARTIAL
                       ? DUB_RESULT_PARTIAL
                       : DUB_RESULT_SUCCESS;
  result->sound = work->dub.sound;
  work->dub.sound = (DubSound){NULL};
  result->dubbed_duration_ms = work->dub.speech_ms;
  work->is_made = TRUE;
  if (work->transcript_call == 0)
    dub_work_finish (work);
  else
    hold (work);
}

const DubLaneFuncs dub_stage_make_lane = {do_make, on_made, dub_work_unref};
