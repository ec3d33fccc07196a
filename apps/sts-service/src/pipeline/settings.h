/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "asr/settings.h"
#include "engine/mock_pool.h"
#include "translation/settings.h"
#include "tts/settings.h"

#include <dubbing_common/config.h>

/*
 * The settings of the speech chain. A program puts the struct into its own
 * settings and the rows into its own table:
 *
 *   typedef struct { ...; DubPipelineSettings pipeline; } Settings;
 *   static const DubOption options[] = {
 *     DUB_PIPELINE_OPTIONS (Settings, pipeline),
 *     { NULL }
 *   };
 *
 * Each stage brings its own rows: asr/, translation/, tts/settings.h.
 */
G_BEGIN_DECLS

typedef enum { DUB_TRANSCRIPT_AUTO = 0, DUB_TRANSCRIPT_OFF } DubTranscriptMode;

typedef struct {
  char *models_dir;      /* unset: dub_pipeline_models_dir () */
  gint64 engine_threads; /* 0: as the machine has cores */
  int device;            /* of dub_devices: what engines that can run on */
  int transcript;        /* DubTranscriptMode */
  DubAsrOptions asr;
  DubTranslationOptions translation;
  DubTtsOptions tts;
  DubMockOptions mock;
  /* Not a row: of streams that name none, for the trial (nullable). */
  const char *source_language, *target_language;
  /* Not a row: what to start engine children with; NULL is this program,
   * "/proc/self/exe", "engine". */
  const char *const *engine_argv;
} DubPipelineSettings;

extern const char *const dub_transcript_modes[]; /* "auto", "off", NULL */
extern const char *const dub_devices[];          /* "auto", "cpu", "cuda" */

/* dub_models_dir () (transfer full) */
char *dub_pipeline_models_dir (void);
/* Of an engine on a machine with so many cores, at least 1. A recogniser on
 * two cores has both: it is most of a fragment's time, and at its niceness it
 * gives way to the programme. */
guint dub_pipeline_threads (
    const DubPipelineSettings *settings, gboolean is_recogniser, guint n_cores);

/* S is a type and m a member: neither can stand in brackets. */
/* NOLINTBEGIN(bugprone-macro-parentheses) */
/* clang-format off */
#define DUB_PIPELINE_OPTIONS(S, m)                                             \
  { DUB_OPTION_ROW (S, m, "models-dir", "MODELS_DIR", STRING, models_dir,      \
        NULL),                                                                 \
    .help = "Folder of the models; unset: the cache folder of scripts/fetch" },\
  { DUB_OPTION_ROW (S, m, "engine-threads", "ENGINE_THREADS", INT,             \
        engine_threads, "0"), .min = 0, .max = 64,                             \
    .help = "Threads of each engine; 0: cores - 1, the recogniser's at least " \
            "2 of 2 cores" },                                                  \
  { DUB_OPTION_ROW (S, m, "device", "DEVICE", CHOICE, device, "auto"),         \
    .choices = dub_devices,                                                    \
    .help = "Where Whisper runs: auto (a GPU that is there and was built "     \
            "for), cpu or cuda; without the GPU it is the CPU" },              \
  { DUB_OPTION_ROW (S, m, "transcript", "STS_TRANSCRIPT", CHOICE, transcript,  \
        "auto"), .choices = dub_transcript_modes,                              \
    .help = "Text of the original beside the translation: auto (when there "   \
            "is time) or off" },                                               \
  DUB_ASR_OPTIONS (S, m.asr),                                                  \
  DUB_TRANSLATION_OPTIONS (S, m.translation),                                  \
  DUB_TTS_OPTIONS (S, m.tts),                                                  \
  DUB_MOCK_OPTIONS (S, m.mock)
/* clang-format on */
/* NOLINTEND(bugprone-macro-parentheses) */

G_END_DECLS
