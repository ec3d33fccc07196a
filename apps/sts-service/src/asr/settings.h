/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/config.h>

/*
 * The settings of recognition: a part of the chain's (pipeline/settings.h).
 * S is the program's struct, m the member of this type in it.
 */
G_BEGIN_DECLS

typedef struct {
  char *provider; /* a name, or several in the order they are tried */
  char *model;
  gint64 timeout_ms;
  double max_no_speech;
  double min_mean_logprob;
  gboolean word_times;
} DubAsrOptions;

/* S is a type and m a member: neither can stand in brackets. */
/* NOLINTBEGIN(bugprone-macro-parentheses) */
/* clang-format off */
#define DUB_ASR_OPTIONS(S, m)                                                  \
  { DUB_OPTION_ROW (S, m, "asr-provider", "ASR_PROVIDER", STRING,              \
        provider, "auto"),                                                     \
    .help = "Recognisers in the order they are tried, with commas: "           \
            "whisper, moonshine (English); auto: what is installed" },                              \
  { DUB_OPTION_ROW (S, m, "asr-model", "ASR_MODEL", STRING, model,             \
        "ggml-base.bin"),                                                      \
    .help = "Model of the recogniser: a file in models-dir, or a path" },      \
  { DUB_OPTION_ROW (S, m, "asr-timeout-ms", "ASR_TIMEOUT_MS", INT,             \
        timeout_ms, "5000"), .min = 500, .max = 600000, .unit = "ms",          \
    .help = "How long recognition of one fragment may take" },                 \
  { DUB_OPTION_ROW (S, m, "max-no-speech", "ASR_MAX_NO_SPEECH", DOUBLE,        \
        max_no_speech, "0.6"), .min = 0.01, .max = 1,                          \
    .help = "No-speech probability beyond which only confident text is "       \
            "spoken" },                                                        \
  { DUB_OPTION_ROW (S, m, "min-mean-logprob", "ASR_MIN_MEAN_LOGPROB", DOUBLE,  \
        min_mean_logprob, "-1.7"), .min = -5, .max = -0.01,                    \
    .help = "Mean log probability below which no text is spoken" },            \
  { DUB_OPTION_ROW (S, m, "asr-word-times", "ASR_WORD_TIMES", BOOL,            \
        word_times, "true"),                                                   \
    .help = "Estimate when each word of the original was said, for artifacts" }
/* clang-format on */
/* NOLINTEND(bugprone-macro-parentheses) */

G_END_DECLS
