/* SPDX-License-Identifier: Apache-2.0 */
#include "work.h"

#include "translation/text_rules.h"

/* Kept back of a job's time for the stages that come after. */
#define RESERVE_MS 600

/* The recogniser has translated: what it heard needs the end only. */
static void
take_translated (DubWork *work)
{
  g_autofree char *text = dub_preparer_take_speaker (
      work->pipeline->preparer, work->text, &work->prepared.speaker);

  work->result->translated_text = dub_text_tidy (text);
}

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
  work->result->translated_text = dub_text_tidy (text);
  dub_work_note_engine (&work->result->translation_engine, translator->engine,
      translator->provider->name);
  if (!dub_work_is_too_late (work, "translation"))
    dub_stage_synthesise (work);
}

static void
prepare (DubWork *work)
{
  const DubJob *job = work->job;
  DubHeardText heard = {.stream_id = job->stream_id,
      .sequence_number = job->sequence_number,
      .text = work->text,
      .source = dub_work_language (work),
      .target = job->target_language,
      .stream_hints = (const char *const *) job->hints,
      .slot_ms = work->source.speech_ms + job->room_ms};

  dub_preparer_prepare (
      work->pipeline->preparer, &heard, dub_work_now_ns (), &work->prepared);
}

static void
ask (DubWork *work)
{
  DubPipeline *self = work->pipeline;
  DubTranslationRequest request = {.text = work->prepared.text,
      .source = dub_work_language (work),
      .target = work->job->target_language,
      .hints = work->prepared.hints,
      .deadline_ns = dub_work_stage_deadline_ns (
          work, self->translation_timeout_ms, RESERVE_MS)};

  work->translation_call = self->translator->provider->translate (
      self->translator, &request, on_translated, work);
}

void
dub_stage_translate (DubWork *work)
{
  if (work->is_translating) {
    take_translated (work);
    dub_work_note_engine (
        &work->result->translation_engine, work->result->asr_engine, NULL);
    dub_stage_synthesise (work);
    if (!work->is_finished)
      dub_stage_transcribe_too (work);
    return;
  }
  dub_work_take_transcript (work, g_strdup (work->text));
  work->stage_start_ns = dub_work_now_ns ();
  prepare (work);
  ask (work);
}
