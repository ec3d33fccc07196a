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
  char *elevenlabs_key;
  char *elevenlabs_url;
  char *elevenlabs_model;
  char *speech_url; /* openai */
  char *speech_key;
  char *speech_model;
  char *coqui_url;
} DubTtsOptions;

extern const char *const dub_voice_schemes[]; /* ends with NULL */

/* S is a type and m a member: neither can stand in brackets. */
/* NOLINTBEGIN(bugprone-macro-parentheses) */
/* clang-format off */
#define DUB_TTS_OPTIONS(S, m)                                                  \
  { DUB_OPTION_ROW (S, m, "tts-provider", "TTS_PROVIDER", STRING, provider,    \
        "auto"),                                                               \
    .help = "Synthesisers in the order they are tried, with commas: "          \
            "elevenlabs, openai (any speech server), coqui, piper, kokoro, "   \
            "espeak; auto: what is set up and fast enough" },       \
  { DUB_OPTION_ROW (S, m, "tts-voice", "TTS_VOICE", STRING, voice, NULL),      \
    .help = "A Piper voice (a folder in models-dir, or a path) that goes "     \
            "before those of the voices file" },                               \
  { DUB_OPTION_ROW (S, m, "voices-file", "VOICES_FILE", STRING, voices_file,   \
        NULL),                                                                 \
    .help = "YAML file: which voice speaks which language; unset: the "        \
            "built-in one" },                                                  \
  { DUB_OPTION_ROW (S, m, "tts-timeout-ms", "TTS_TIMEOUT_MS", INT, timeout_ms, \
        "5000"), .min = 500, .max = 60000, .unit = "ms",                       \
    .help = "How long synthesis of one fragment may take" },                   \
  { DUB_OPTION_ROW (S, m, "elevenlabs-api-key", "ELEVENLABS_API_KEY", SECRET,  \
        elevenlabs_key, NULL),                                                 \
    .help = "Key of elevenlabs" },                                             \
  { DUB_OPTION_ROW (S, m, "elevenlabs-url", "ELEVENLABS_URL", URL,             \
        elevenlabs_url, NULL), .choices = dub_voice_schemes,                   \
    .help = "Place of elevenlabs; unset: https://api.elevenlabs.io" },         \
  { DUB_OPTION_ROW (S, m, "elevenlabs-model", "ELEVENLABS_MODEL", STRING,      \
        elevenlabs_model, "eleven_flash_v2_5"),                                \
    .help = "Model of elevenlabs, where the voice names none" },               \
  { DUB_OPTION_ROW (S, m, "openai-speech-url", "OPENAI_SPEECH_URL", URL,       \
        speech_url, NULL), .choices = dub_voice_schemes,                       \
    .help = "Speech server of openai, up to /v1" },                            \
  { DUB_OPTION_ROW (S, m, "openai-speech-api-key", "OPENAI_SPEECH_API_KEY",    \
        SECRET, speech_key, NULL),                                             \
    .help = "Its key, if it wants one" },                                      \
  { DUB_OPTION_ROW (S, m, "openai-speech-model", "OPENAI_SPEECH_MODEL",        \
        STRING, speech_model, "tts-1"),                                        \
    .help = "Its model, where the voice names none" },                         \
  { DUB_OPTION_ROW (S, m, "coqui-url", "COQUI_URL", URL, coqui_url, NULL),     \
    .choices = dub_voice_schemes,                                              \
    .help = "Server of coqui (tts-server)" }
/* clang-format on */
/* NOLINTEND(bugprone-macro-parentheses) */

G_END_DECLS
