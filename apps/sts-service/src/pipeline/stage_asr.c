/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "sts.pipeline"

#include "work.h"

#include <dubbing_common/log.h>

/* Kept back of a job's time for the stages that come after. */
#define RESERVE_MS 600
/* The transcript of the original is made beside the synthesis, when there is
 * this much time beyond what it will take. */
#define TRANSCRIPT_SLACK_MS 900
#define TRANSCRIPT_GRACE_MS 300

void
dub_stage_finish_without_speech (DubWork *work, DubGuardVerdict verdict)
{
  const char *reason = dub_guard_verdict_to_string (verdict);
  g_autofree char *message = g_strdup_printf ("no speech to dub: %s", reason);

  if (work->pipeline->guarded_total != NULL)
    dub_metric_add (
        work->pipeline->guarded_total, (const char *const[]){reason, NULL}, 1);
  if (g_str_equal (work->job->reply_format, "pcm_s16le")) {
    dub_work_fail (work, "asr", "NO_SPEECH", FALSE, message);
    return;
  }
  work->result->transcript = g_strdup ("");
  work->result->translated_text = g_strdup ("");
  dub_stage_make (work);
}

gboolean
dub_stage_translates_itself (const DubWork *work)
{
  DubAsr *asr = work->pipeline->asr;
  const char *target = work->job->target_language;

  return !dub_language_equal (dub_work_language (work), target) &&
         asr->provider->translates_to (asr, target);
}

static void
on_recognised (const DubHeard *heard, const GError *error, gpointer user_data)
{
  DubWork *work = user_data;
  DubPipeline *self = work->pipeline;
  g_autofree char *text = NULL;
  DubGuardInput input = {NULL};
  DubGuardVerdict verdict;

  work->asr_call = 0;
  work->result->asr_ms = dub_work_ms_since (work->stage_start_ns);
  dub_work_observe (self->asr_seconds, work->result->asr_ms);
  if (heard == NULL) {
    dub_work_fail_stage (work, "asr", "ASR_FAILED", error);
    return;
  }
  text = dub_guard_clean (heard->text);
  input = (DubGuardInput){
      text, heard->no_speech, heard->mean_logprob, work->source.duration_ms};
  verdict = dub_guard_check (&input, &self->guard_limits);
  dub_log_fragment (DUB_LOG_DEBUG, work->job->fragment_id,
      "heard (%s, no speech %.2f, log p %.2f, %s): %s", heard->language,
      heard->no_speech, heard->mean_logprob,
      dub_guard_verdict_to_string (verdict), text);
  if (verdict != DUB_GUARD_PASS)
    dub_stage_finish_without_speech (work, verdict);
  else if (!dub_work_is_too_late (work, "asr"))
    dub_stage_translate (work, text);
}

void
dub_stage_recognise (DubWork *work)
{
  DubPipeline *self = work->pipeline;
  DubAsrRequest request;

  work->stage_start_ns = dub_work_now_ns ();
  request = (DubAsrRequest){work->source.samples, dub_work_language (work),
      dub_stage_translates_itself (work),
      dub_work_stage_deadline_ns (work, self->asr_timeout_ms, RESERVE_MS)};
  work->asr_call =
      self->asr->provider->recognise (self->asr, &request, on_recognised, work);
}

static void
on_transcript (const DubHeard *heard, const GError *error, gpointer user_data)
{
  DubWork *work = user_data;

  work->transcript_call = 0;
  if (heard != NULL)
    work->result->transcript = dub_guard_clean (heard->text);
  if (work->is_made)
    dub_work_finish (work);
}

void
dub_stage_transcribe_too (DubWork *work)
{
  DubPipeline *self = work->pipeline;
  gint64 left_ms =
      (work->job->deadline_ns - dub_work_now_ns ()) / DUB_NS_PER_MS;
  gint64 needed_ms = work->result->asr_ms;
  DubAsrRequest request;

  if (self->transcript == DUB_TRANSCRIPT_OFF ||
      !self->asr->provider->is_idle (self->asr) ||
      left_ms < needed_ms * 3 / 2 + TRANSCRIPT_SLACK_MS)
    return;
  request =
      (DubAsrRequest){work->source.samples, dub_work_language (work), FALSE,
          dub_work_now_ns () +
              (needed_ms * 3 / 2 + TRANSCRIPT_GRACE_MS) * DUB_NS_PER_MS};
  work->transcript_call =
      self->asr->provider->recognise (self->asr, &request, on_transcript, work);
}
