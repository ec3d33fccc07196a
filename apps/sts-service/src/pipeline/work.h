/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "pipeline_private.h"
#include "sound.h"

/*
 * One job on its way through the stages. What a stage finds out stays here
 * for the next one; the job ends exactly once, by dub_work_finish () or one
 * of the two that fail it, and no stage may touch it after that but through a
 * reference of its own.
 *
 *   stage_read → stage_asr → stage_translation → stage_tts → stage_make
 *
 * A lane holds a reference while a thread may look at source or params. All
 * else is the main thread's.
 */
G_BEGIN_DECLS

struct _DubWork {
  gatomicrefcount ref_count;
  DubPipeline *pipeline;
  DubJob *job;
  DubDoneFunc done;
  gpointer user_data;
  DubResult *result;
  gint64 start_ns;
  gint64 stage_start_ns;
  gboolean is_finished;

  /* what a stage is waited for; 0: none */
  guint64 asr_call, translation_call, tts_call, transcript_call;

  /* read */
  DubSource source; /* a thread's while in read_lane */
  GError *read_error;

  /* recognise */
  gboolean is_translating; /* into the target language, in the same pass */
  char *text;     /* what was heard, in the source or the target language */
  char *language; /* heard, or as asked for (nullable) */

  /* translate */
  DubPreparedText prepared;

  /* synthesise */
  char *spoken;      /* the translation as a voice should read it */
  double natural_ms; /* speech at rate 1 */
  double rate;       /* asked of the synthesiser */
  guint tries;       /* how often it was asked */
  GBytes *speech;

  /* make */
  DubDubParams params; /* a thread's while in make_lane */
  DubDub dub;
  GError *make_error;
  gboolean is_made;
  GSource *hold; /* made, and waiting for the transcript */
};

/* job (transfer full). The reference is the pipeline's. */
DubWork *dub_work_new (
    DubPipeline *self, DubJob *job, DubDoneFunc done, gpointer user_data);
DubWork *dub_work_ref (DubWork *work);
void dub_work_unref (gpointer data);

/* The one way out: what is waited for is let go, and done is called. */
void dub_work_finish (DubWork *work);
void dub_work_fail (DubWork *work, const char *stage, const char *code,
    gboolean is_retryable, const char *message);
/* What went wrong in a stage, in the words of the protocol. permanent_code:
 * for what will fail again. */
void dub_work_fail_stage (DubWork *work, const char *stage,
    const char *permanent_code, const GError *error);
/* A job whose programme time has passed is dropped where it stands: TRUE, and
 * it has failed. */
gboolean dub_work_is_too_late (DubWork *work, const char *stage);
/* The stage's own limit, or the job's deadline less what the stages after it
 * need. */
gint64 dub_work_stage_deadline_ns (
    DubWork *work, gint64 timeout_ms, gint64 reserve_ms);

gint64 dub_work_now_ns (void);
guint dub_work_ms_since (gint64 start_ns);
/* What a stage may be told of the spoken language: as heard, as asked for, or
 * "auto". */
const char *dub_work_language (const DubWork *work);
/* For the result's names: engine, or the provider's when it is NULL. */
void dub_work_note_engine (
    char **to, const char *engine, const char *provider_name);
/* What was said, in the language it was said in, and when.
 * text (transfer full) */
void dub_work_take_transcript (DubWork *work, char *text);
DubFitSlot dub_work_slot (const DubWork *work);
/* Of what was synthesised, as it came. */
double dub_work_speech_ms (const DubWork *work);
/* metric: (nullable) */
void dub_work_observe (DubMetric *metric, guint ms);

/* The stages, in order. Each begins on a work and ends by beginning the next
 * or by ending the work. */
void dub_stage_read (DubWork *work);
void dub_stage_recognise (DubWork *work);
void dub_stage_translate (DubWork *work);
void dub_stage_synthesise (DubWork *work);
void dub_stage_make (DubWork *work);

/* Nothing was said that could be dubbed: NO_SPEECH for our own peers, silence
 * for those of the older design. */
void dub_stage_finish_without_speech (DubWork *work, DubGuardVerdict verdict);
/* Recognises once more for the text of the original, when there is time. */
void dub_stage_transcribe_too (DubWork *work);

/* What the two lanes are made with. */
extern const DubLaneFuncs dub_stage_read_lane, dub_stage_make_lane;

G_END_DECLS
