/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

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
 */
G_BEGIN_DECLS

typedef enum { DUB_TRANSCRIPT_AUTO = 0, DUB_TRANSCRIPT_OFF } DubTranscriptMode;

typedef struct {
  char *models_dir; /* unset: dub_pipeline_models_dir () */
  char *asr_provider;
  char *asr_model;
  char *translation_provider;
  char *tts_provider;
  char *tts_voice;
  gint64 engine_threads; /* 0: cores - 1 */
  gint64 asr_timeout_ms;
  gint64 translation_timeout_ms;
  gint64 tts_timeout_ms;
  int transcript; /* DubTranscriptMode */
  double max_no_speech;
  double min_mean_logprob;
  /* Not a row: what to start engine children with; NULL is this program,
   * "/proc/self/exe", "engine". */
  const char *const *engine_argv;
} DubPipelineSettings;

extern const char *const dub_transcript_modes[]; /* "auto", "off", NULL */

/* ${DUBBING_CACHE_DIR:-${XDG_CACHE_HOME:-~/.cache}/live-broadcast-dubbing}
 * /models (transfer full) */
char *dub_pipeline_models_dir (void);

/* S is a type and m a member: neither can stand in brackets. */
/* NOLINTBEGIN(bugprone-macro-parentheses) */
#define DUB_PIPELINE_ROW(S, m, option, variable, kind, field, text)            \
  .name = option, .env = variable, .type = DUB_OPTION_##kind,                  \
  .offset = G_STRUCT_OFFSET (S, m.field), .fallback = text

#define DUB_PIPELINE_OPTIONS(S, m)                                             \
  {DUB_PIPELINE_ROW (                                                          \
       S, m, "models-dir", "MODELS_DIR", STRING, models_dir, NULL),            \
      .help =                                                                  \
          "Folder of the models; unset: the cache folder of scripts/fetch"},   \
      {DUB_PIPELINE_ROW (S, m, "asr-provider", "ASR_PROVIDER", STRING,         \
           asr_provider, "whisper"),                                           \
          .help = "Recogniser: whisper"},                                      \
      {DUB_PIPELINE_ROW (S, m, "asr-model", "ASR_MODEL", STRING, asr_model,    \
           "ggml-base.bin"),                                                   \
          .help = "Model of the recogniser: a file in models-dir, or a path"}, \
      {DUB_PIPELINE_ROW (S, m, "translation-provider", "TRANSLATION_PROVIDER", \
           STRING, translation_provider, "identity"),                          \
          .help =                                                              \
              "Translator for what the recogniser does not translate itself: " \
              "identity"},                                                     \
      {DUB_PIPELINE_ROW (S, m, "tts-provider", "TTS_PROVIDER", STRING,         \
           tts_provider, "piper"),                                             \
          .help = "Synthesiser: piper"},                                       \
      {DUB_PIPELINE_ROW (S, m, "tts-voice", "TTS_VOICE", STRING, tts_voice,    \
           "piper-en_US-joe-medium"),                                          \
          .help = "Voice: a folder in models-dir, or a path"},                 \
      {DUB_PIPELINE_ROW (S, m, "engine-threads", "ENGINE_THREADS", INT,        \
           engine_threads, "0"),                                               \
          .min = 0, .max = 64,                                                 \
          .help = "Threads of each engine; 0: cores - 1"},                     \
      {DUB_PIPELINE_ROW (S, m, "asr-timeout-ms", "ASR_TIMEOUT_MS", INT,        \
           asr_timeout_ms, "5000"),                                            \
          .min = 500, .max = 60000, .unit = "ms",                              \
          .help = "How long recognition of one fragment may take"},            \
      {DUB_PIPELINE_ROW (S, m, "translation-timeout-ms",                       \
           "TRANSLATION_TIMEOUT_MS", INT, translation_timeout_ms, "5000"),     \
          .min = 500, .max = 60000, .unit = "ms",                              \
          .help = "How long translation of one fragment may take"},            \
      {DUB_PIPELINE_ROW (S, m, "tts-timeout-ms", "TTS_TIMEOUT_MS", INT,        \
           tts_timeout_ms, "5000"),                                            \
          .min = 500, .max = 60000, .unit = "ms",                              \
          .help = "How long synthesis of one fragment may take"},              \
      {DUB_PIPELINE_ROW (                                                      \
           S, m, "transcript", "STS_TRANSCRIPT", CHOICE, transcript, "auto"),  \
          .choices = dub_transcript_modes,                                     \
          .help =                                                              \
              "Text of the original beside the translation: auto (when there " \
              "is time) or off"},                                              \
      {DUB_PIPELINE_ROW (S, m, "max-no-speech", "ASR_MAX_NO_SPEECH", DOUBLE,   \
           max_no_speech, "0.6"),                                              \
          .min = 0.01, .max = 1,                                               \
          .help = "No-speech probability beyond which only confident text is " \
                  "spoken"},                                                   \
  {                                                                            \
    DUB_PIPELINE_ROW (S, m, "min-mean-logprob", "ASR_MIN_MEAN_LOGPROB",        \
        DOUBLE, min_mean_logprob, "-1.7"),                                     \
        .min = -5, .max = -0.01,                                               \
        .help = "Mean log probability below which no text is spoken"           \
  }
/* NOLINTEND(bugprone-macro-parentheses) */

G_END_DECLS
