/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/config.h>

/*
 * The settings of translation: a part of the chain's (pipeline/settings.h).
 * S is the program's struct, m the member of this type in it.
 */
G_BEGIN_DECLS

typedef struct {
  char *provider; /* a name, or several in the order they are tried */
  gint64 timeout_ms;
  char *apertium_modes_dir;
} DubTranslationOptions;

/* S is a type and m a member: neither can stand in brackets. */
/* NOLINTBEGIN(bugprone-macro-parentheses) */
/* clang-format off */
#define DUB_TRANSLATION_OPTIONS(S, m)                                          \
  { DUB_OPTION_ROW (S, m, "translation-provider", "TRANSLATION_PROVIDER",      \
        STRING, provider, "auto"),                                             \
    .help = "Translators in the order they are tried, with commas: whisper "   \
            "(what the recogniser translates itself), identity; auto: "        \
            "whisper, then what is installed" },                                                      \
  { DUB_OPTION_ROW (S, m, "translation-timeout-ms", "TRANSLATION_TIMEOUT_MS",  \
        INT, timeout_ms, "5000"), .min = 500, .max = 60000, .unit = "ms",      \
    .help = "How long translation of one fragment may take" },                 \
  { DUB_OPTION_ROW (S, m, "apertium-modes-dir", "APERTIUM_MODES_DIR", STRING,  \
        apertium_modes_dir, "/usr/share/apertium/modes"),                      \
    .help = "Where Apertium keeps the modes of its language pairs" }
/* clang-format on */
/* NOLINTEND(bugprone-macro-parentheses) */

G_END_DECLS
