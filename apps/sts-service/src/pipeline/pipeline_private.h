/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "fit.h"
#include "lane.h"
#include "pace.h"
#include "pipeline.h"

#include "asr/guards.h"
#include "asr/language_memory.h"
#include "translation/preparer.h"

/*
 * What the stages of the chain share.
 */
G_BEGIN_DECLS

typedef struct _DubWork DubWork;
typedef struct _DubTrial DubTrial;

typedef struct {
  DubProcessor base;

  /* immutable */
  char **engine_argv;
  gint64 asr_timeout_ms, translation_timeout_ms, tts_timeout_ms;
  DubTranscriptMode transcript;
  gboolean prefers_asr_translation; /* where it can */
  gboolean wants_words;             /* when each was said */
  DubGuardLimits guard_limits;
  DubFitLimits fit_limits;

  /* main thread only */
  DubAsr *asr;
  DubTranslator *translator;
  DubPreparer *preparer;
  DubTts *tts;
  DubTrial *trial; /* (nullable): engines of tests need none */
  DubLane *read_lane;
  DubLane *make_lane;
  DubLanguageMemory *languages; /* of streams that did not say theirs */
  GList *works;                 /* every one that is not answered */
  DubPace *pace;

  DubMetric *asr_seconds;
  DubMetric *translation_seconds;
  DubMetric *tts_seconds;
  DubMetric *guarded_total;
} DubPipeline;

/* Loaded and answering, each stage; else why not. */
gboolean dub_pipeline_engines_are_up (DubPipeline *self, GError **error);

G_END_DECLS
