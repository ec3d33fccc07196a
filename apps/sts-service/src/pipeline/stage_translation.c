/* SPDX-License-Identifier: Apache-2.0 */
#include "work.h"

/* Kept back of a job's time for the stages that come after. */
#define RESERVE_MS 600

static void
on_translated (const char *text, const GError *error, gpointer user_data)
{
  DubWork *work = user_data;
  DubTranslator *translator = work->pipeline->translator;

  work->translation_call = 0;
  work->result->translation_ms = dub_work_ms_since (work->stage_start_ns);
  dub_work_observe (
      work->pipeline->translation_seconds, work->result->translation_ms);
  if (text == NULL) {
    dub_work_fail_stage (work, "translation", "TRANSLATION_FAILED", error);
    return;
  }
  work->result->translated_text = g_strdup (text);
  dub_work_note_engine (&work->result->translation_engine, translator->engine,
      translator->provider->name);
  if (!dub_work_is_too_late (work, "translation"))
    dub_stage_synthesise (work);
}

void
dub_stage_translate (DubWork *work)
{
  DubPipeline *self = work->pipeline;
  DubJob *job = work->job;
  DubTranslationRequest request;

  if (work->is_translating) {
    work->result->translated_text = g_strdup (work->text);
    dub_work_note_engine (
        &work->result->translation_engine, work->result->asr_engine, NULL);
    dub_stage_synthesise (work);
    if (!work->is_finished)
      dub_stage_transcribe_too (work);
    return;
  }
  work->result->transcript = g_strdup (work->text);
  work->stage_start_ns = dub_work_now_ns ();
  request = (DubTranslationRequest){.text = work->text,
      .source = dub_work_language (work),
      .target = job->target_language,
      .hints = {.domain = job->domain},
      .deadline_ns = dub_work_stage_deadline_ns (
          work, self->translation_timeout_ms, RESERVE_MS)};
  work->translation_call = self->translator->provider->translate (
      self->translator, &request, on_translated, work);
}
