/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/config.h>

/*
 * The settings of synthesis: a part of the chain's (pipeline/settings.h).
 * S is the program's struct, m the member of this type in it.
 */
G_BEGIN_DECLS

typedef struct {
  char *provider;    /* a name, or several in the order they are tried */
  char *voice;       /* (nullable): of piper */
  char *voices_file; /* (nullable): the built-in one */
  gint64 timeout_ms;
} DubTtsOptions;

/* S is a type and m a member: neither can stand in brackets. */
/* NOLINTBEGIN(bugprone-macro-parentheses) */
/* clang-format off */
#define DUB_TTS_OPTIONS(S, m)                                                  \
  { DUB_OPTION_ROW (S, m, "tts-provider", "TTS_PROVIDER", STRING, provider,    \
        "auto"),                                                               \
    .help = "Synthesisers in the order they are tried, with commas: piper, "   \
            "kokoro, espeak; auto: what is installed and fast enough" },       \
  { DUB_OPTION_ROW (S, m, "tts-voice", "TTS_VOICE", STRING, voice, NULL),      \
    .help = "A Piper voice (a folder in models-dir, or a path) that goes "     \
            "before those of the voices file" },                               \
  { DUB_OPTION_ROW (S, m, "voices-file", "VOICES_FILE", STRING, voices_file,   \
        NULL),                                                                 \
    .help = "YAML file: which voice speaks which language; unset: the "        \
            "built-in one" },                                                  \
  { DUB_OPTION_ROW (S, m, "tts-timeout-ms", "TTS_TIMEOUT_MS", INT, timeout_ms, \
        "5000"), .min = 500, .max = 60000, .unit = "ms",                       \
    .help = "How long synthesis of one fragment may take" }
/* clang-format on */
/* NOLINTEND(bugprone-macro-parentheses) */

G_END_DECLS
