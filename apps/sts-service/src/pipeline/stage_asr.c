/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "sts.pipeline"

#include "work.h"

#include "asr/domain.h"

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
  g_free (work->result->transcript);
  work->result->transcript = g_strdup ("");
  g_free (work->result->translated_text);
  work->result->translated_text = g_strdup ("");
  dub_stage_make (work);
}

static gboolean
translates_itself (const DubWork *work)
{
  DubPipeline *self = work->pipeline;
  DubTranslator *translator = self->translator;
  const char *source = dub_work_language (work);
  const char *target = work->job->target_language;

  if (dub_language_equal (source, target) ||
      !self->asr->provider->translates_to (self->asr, target))
    return FALSE;
  return self->prefers_asr_translation ||
         !translator->provider->supports (translator, source, target);
}

static void
take_heard (DubWork *work, const DubHeard *heard)
{
  DubAsr *asr = work->pipeline->asr;

  work->text = dub_guard_once (
      dub_guard_clean (heard->text), heard->no_speech, heard->mean_logprob);
  if (work->language == NULL && heard->language != NULL &&
      *heard->language != '\0')
    work->language = g_strdup (heard->language);
  dub_work_note_engine (
      &work->result->asr_engine, asr->engine, asr->provider->name);
}

static gboolean
is_auto (const DubWork *work)
{
  return g_strcmp0 (work->job->source_language, "auto") == 0 ||
         work->job->source_language == NULL;
}

static DubGuardVerdict
judge (DubWork *work, const DubHeard *heard)
{
  DubPipeline *self = work->pipeline;
  DubGuardInput input = {
      .text = work->text,
      .no_speech = heard->no_speech,
      .mean_logprob = heard->mean_logprob,
      .duration_ms = work->source.duration_ms,
      .prompt = dub_domain_prompt (work->job->domain, dub_work_language (work)),
  };
  DubGuardVerdict verdict;

  /* Of a stream that may speak any language none can be wrong. */
  if (!is_auto (work)) {
    input.language_probability = heard->language_probability;
    input.asked_probability = heard->asked_probability;
  }
  verdict = dub_guard_check (&input, &self->guard_limits);
  if (is_auto (work) && verdict == DUB_GUARD_PASS && heard->language != NULL)
    dub_language_memory_add (self->languages, work->job->stream_id,
        heard->language, heard->language_probability);
  return verdict;
}

static void
on_recognised (const DubHeard *heard, const GError *error, gpointer user_data)
{
  DubWork *work = user_data;
  DubPipeline *self = work->pipeline;
  DubGuardVerdict verdict;

  work->asr_call = 0;
  work->result->asr_ms = dub_work_ms_since (work->stage_start_ns);
  dub_work_observe (self->asr_seconds, work->result->asr_ms);
  if (heard == NULL) {
    dub_work_fail_stage (work, "asr", "ASR_FAILED", error);
    return;
  }
  take_heard (work, heard);
  verdict = judge (work, heard);
  dub_log_fields (DUB_LOG_DEBUG, DUB_LOG_TOPIC,
      (const char *const[]){"stream_id", work->job->stream_id, "fragment_id",
          work->job->fragment_id, NULL},
      "heard (%s %.2f, asked %.2f, no speech %.2f, log p %.2f, %s): %s",
      heard->language, heard->language_probability, heard->asked_probability,
      heard->no_speech, heard->mean_logprob,
      dub_guard_verdict_to_string (verdict), work->text);
  if (verdict != DUB_GUARD_PASS)
    dub_stage_finish_without_speech (work, verdict);
  else if (!dub_work_is_too_late (work, "asr"))
    dub_stage_translate (work);
}

/* What the stream was found to speak before. */
static void
remember_language (DubWork *work)
{
  const char *language =
      dub_language_memory_get (work->pipeline->languages, work->job->stream_id);

  if (is_auto (work) && !g_str_equal (language, "auto"))
    work->language = g_strdup (language);
}

void
dub_stage_recognise (DubWork *work)
{
  DubPipeline *self = work->pipeline;
  DubAsrRequest request;

  remember_language (work);
  work->stage_start_ns = dub_work_now_ns ();
  work->is_translating = translates_itself (work);
  request = (DubAsrRequest){.samples = work->source.samples,
      .language = dub_work_language (work),
      .translate = work->is_translating,
      .target = work->job->target_language,
      .domain = work->job->domain,
      .deadline_ns =
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
    dub_work_take_transcript (
        work, dub_guard_once (dub_guard_clean (heard->text), heard->no_speech,
                  heard->mean_logprob));
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
  request = (DubAsrRequest){.samples = work->source.samples,
      .language = dub_work_language (work),
      .domain = work->job->domain,
      .gives_way = TRUE,
      .deadline_ns = dub_work_now_ns () +
                     (needed_ms * 3 / 2 + TRANSCRIPT_GRACE_MS) * DUB_NS_PER_MS};
  work->transcript_call =
      self->asr->provider->recognise (self->asr, &request, on_transcript, work);
}
