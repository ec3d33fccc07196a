/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "sts.pipeline"

#include "work.h"

#include "asr/word_times.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>

gint64
dub_work_now_ns (void)
{
  return g_get_monotonic_time () * 1000;
}

guint
dub_work_ms_since (gint64 start_ns)
{
  return (guint) ((dub_work_now_ns () - start_ns) / DUB_NS_PER_MS);
}

DubWork *
dub_work_new (
    DubPipeline *self, DubJob *job, DubDoneFunc done, gpointer user_data)
{
  DubWork *work = g_new0 (DubWork, 1);

  g_atomic_ref_count_init (&work->ref_count);
  work->pipeline = self;
  work->job = job;
  work->done = done;
  work->user_data = user_data;
  work->result = dub_result_new ();
  work->start_ns = work->stage_start_ns = dub_work_now_ns ();
  work->rate = 1;
  self->works = g_list_prepend (self->works, work);
  return work;
}

DubWork *
dub_work_ref (DubWork *work)
{
  g_atomic_ref_count_inc (&work->ref_count);
  return work;
}

void
dub_work_unref (gpointer data)
{
  DubWork *work = data;

  if (!g_atomic_ref_count_dec (&work->ref_count))
    return;
  dub_prepared_text_clear (&work->prepared);
  dub_job_free (work->job);
  dub_result_free (work->result);
  dub_source_clear (&work->source);
  dub_dub_clear (&work->dub);
  g_free (work->text);
  g_free (work->spoken);
  g_free (work->language);
  g_clear_error (&work->read_error);
  g_clear_error (&work->make_error);
  g_clear_pointer (&work->speech, g_bytes_unref);
  g_free (work);
}

static void
cancel_calls (DubWork *work)
{
  DubPipeline *self = work->pipeline;

  if (work->asr_call != 0)
    self->asr->provider->cancel (self->asr, work->asr_call);
  if (work->transcript_call != 0)
    self->asr->provider->cancel (self->asr, work->transcript_call);
  if (work->translation_call != 0)
    self->translator->provider->cancel (
        self->translator, work->translation_call);
  if (work->tts_call != 0)
    self->tts->provider->cancel (self->tts, work->tts_call);
  work->asr_call = work->transcript_call = 0;
  work->translation_call = work->tts_call = 0;
}

static void
log_result (DubWork *work)
{
  DubResult *result = work->result;
  g_autofree char *outcome =
      result->status == DUB_RESULT_FAILED
          ? g_strdup_printf (
                "failed %s: %s", result->error_code, result->error_message)
          : g_strdup ("dubbed");

  dub_log_fields (DUB_LOG_DEBUG, DUB_LOG_TOPIC,
      (const char *const[]){"stream_id", work->job->stream_id, "fragment_id",
          work->job->fragment_id, NULL},
      "fragment %" G_GUINT64_FORMAT " of %s: %s, %u ms (asr %u, "
      "translation %u, tts %u), speech %u -> %u ms at %.2f",
      work->job->sequence_number, work->job->stream_id, outcome,
      result->total_ms, result->asr_ms, result->translation_ms, result->tts_ms,
      result->original_duration_ms, result->dubbed_duration_ms,
      result->speed_ratio);
}

void
dub_work_finish (DubWork *work)
{
  g_return_if_fail (!work->is_finished);

  work->is_finished = TRUE;
  if (work->hold != NULL)
    g_source_destroy (work->hold);
  g_clear_pointer (&work->hold, g_source_unref);
  cancel_calls (work);
  work->pipeline->works = g_list_remove (work->pipeline->works, work);
  work->result->total_ms = dub_work_ms_since (work->start_ns);
  log_result (work);
  work->done (g_steal_pointer (&work->result), work->user_data);
  dub_work_unref (work);
}

void
dub_work_fail (DubWork *work, const char *stage, const char *code,
    gboolean is_retryable, const char *message)
{
  DubResult *result = work->result;

  result->status = DUB_RESULT_FAILED;
  result->error_stage = g_strdup (stage);
  result->error_code = g_strdup (code);
  result->error_message = g_strdup (message);
  result->is_retryable = is_retryable;
  dub_work_finish (work);
}

/* protocol 3.8 */
void
dub_work_fail_stage (DubWork *work, const char *stage,
    const char *permanent_code, const GError *error)
{
  const char *code = permanent_code;
  gboolean is_retryable = dub_error_is_retryable (error);

  if (g_error_matches (error, DUB_ERROR, DUB_ERROR_TIMEOUT))
    code = "TIMEOUT";
  else if (g_error_matches (error, DUB_ERROR, DUB_ERROR_OVERLOADED))
    code = "QUEUE_FULL";
  else if (is_retryable)
    code = "MODEL_ERROR";
  dub_work_fail (work, stage, code, is_retryable, error->message);
}

gboolean
dub_work_is_too_late (DubWork *work, const char *stage)
{
  if (dub_work_now_ns () < work->job->deadline_ns)
    return FALSE;
  dub_work_fail (work, stage, "TIMEOUT", TRUE,
      "the programme has passed the fragment's place");
  return TRUE;
}

gint64
dub_work_stage_deadline_ns (DubWork *work, gint64 timeout_ms, gint64 reserve_ms)
{
  gint64 own = dub_work_now_ns () + timeout_ms * DUB_NS_PER_MS;
  gint64 job = work->job->deadline_ns - reserve_ms * DUB_NS_PER_MS;

  return MIN (own, job);
}

void
dub_work_observe (DubMetric *metric, guint ms)
{
  if (metric != NULL)
    dub_metric_observe (metric, NULL, ms / 1000.0);
}

const char *
dub_work_language (const DubWork *work)
{
  const char *asked = work->job->source_language;

  if (asked != NULL && !g_str_equal (asked, "auto"))
    return asked;
  return work->language != NULL ? work->language : "auto";
}

void
dub_work_note_engine (char **to, const char *engine, const char *provider_name)
{
  g_free (*to);
  *to = g_strdup (engine != NULL ? engine : provider_name);
}

void
dub_work_take_transcript (DubWork *work, char *text)
{
  DubResult *result = work->result;
  gsize length = 0;
  const float *samples = NULL;

  g_free (result->transcript);
  result->transcript = text;
  if (!work->pipeline->wants_words || work->source.samples == NULL)
    return;
  samples = g_bytes_get_data (work->source.samples, &length);
  g_clear_pointer (&result->words, json_array_unref);
  result->words = dub_word_times_estimate (
      text, samples, length / sizeof (float), DUB_ASR_RATE_HZ);
}

DubFitSlot
dub_work_slot (const DubWork *work)
{
  return (DubFitSlot){.slot_ms = work->source.duration_ms,
      .onset_ms = work->source.onset_ms,
      .room_ms = work->job->room_ms};
}

double
dub_work_speech_ms (const DubWork *work)
{
  return work->params.count * 1000.0 / work->params.rate_hz;
}
