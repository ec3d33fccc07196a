/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/config.h>

/*
 * The settings of translation: a part of the chain's (pipeline/settings.h).
 * S is the program's struct, m the member of this type in it.
 */
G_BEGIN_DECLS

typedef enum {
  DUB_FORMALITY_DEFAULT = 0,
  DUB_FORMALITY_FORMAL,
  DUB_FORMALITY_INFORMAL
} DubFormality;

typedef struct {
  char *provider; /* a name, or several in the order they are tried */
  gint64 timeout_ms;
  gint64 context_sentences;
  char *glossary_file;
  int formality; /* DubFormality */
  gboolean normalises, removes_speakers;
  char *apertium_modes_dir;
  char *deepl_key;
  char *deepl_url;
  int deepl_model;      /* dub_deepl_models */
  int deepl_english;    /* dub_deepl_english */
  int deepl_portuguese; /* dub_deepl_portuguese */
  char *deepl_glossary_id;
  char *libretranslate_url;
  char *libretranslate_key;
  char *chat_url;
  char *chat_key;
  char *chat_model;
} DubTranslationOptions;

/* Each ends with NULL. */
extern const char *const dub_formalities[];
extern const char *const dub_http_schemes[];
extern const char *const dub_deepl_models[];
extern const char *const dub_deepl_english[];
extern const char *const dub_deepl_portuguese[];

/* S is a type and m a member: neither can stand in brackets. */
/* NOLINTBEGIN(bugprone-macro-parentheses) */
/* clang-format off */
#define DUB_TRANSLATION_OPTIONS(S, m)                                          \
  { DUB_OPTION_ROW (S, m, "translation-provider", "TRANSLATION_PROVIDER",      \
        STRING, provider, "auto"),                                             \
    .help = "Translators in the order they are tried, with commas: whisper "   \
            "(what the recogniser translates itself), deepl, libretranslate, " \
            "openai (any chat server), apertium, identity; auto: whisper, "    \
            "then what is set up" },                                           \
  { DUB_OPTION_ROW (S, m, "translation-timeout-ms", "TRANSLATION_TIMEOUT_MS",  \
        INT, timeout_ms, "5000"), .min = 500, .max = 60000, .unit = "ms",      \
    .help = "How long translation of one fragment may take" },                 \
  { DUB_OPTION_ROW (S, m, "translation-context", "TRANSLATION_CONTEXT", INT,   \
        context_sentences, "3"), .min = 0, .max = 10,                          \
    .help = "Sentences before that a translator is told" },                    \
  { DUB_OPTION_ROW (S, m, "glossary-file", "GLOSSARY_FILE", STRING,            \
        glossary_file, NULL),                                                  \
    .help = "File of terms: \"Real Madrid\" stays, \"keeper = portero\" below "  \
            "[en-es] is always so" },                                          \
  { DUB_OPTION_ROW (S, m, "translation-formality", "TRANSLATION_FORMALITY",    \
        CHOICE, formality, "default"), .choices = dub_formalities,             \
    .help = "How people are addressed, for a translator that can choose" },    \
  { DUB_OPTION_ROW (S, m, "translation-normalise", "TRANSLATION_NORMALISE",    \
        BOOL, normalises, "true"),                                             \
    .help = "Write signs and clock times out before translation" },            \
  { DUB_OPTION_ROW (S, m, "translation-remove-speakers",                       \
        "TRANSLATION_REMOVE_SPEAKERS", BOOL, removes_speakers, "true"),        \
    .help = "Leave out a label like \"Alice:\" at the beginning" },            \
  { DUB_OPTION_ROW (S, m, "apertium-modes-dir", "APERTIUM_MODES_DIR", STRING,  \
        apertium_modes_dir, "/usr/share/apertium/modes"),                      \
    .help = "Where Apertium keeps the modes of its language pairs" },          \
  { DUB_OPTION_ROW (S, m, "deepl-auth-key", "DEEPL_AUTH_KEY", SECRET,          \
        deepl_key, NULL),                                                      \
    .help = "Key of deepl" },                                                  \
  { DUB_OPTION_ROW (S, m, "deepl-url", "DEEPL_URL", URL, deepl_url, NULL),     \
    .choices = dub_http_schemes,                                               \
    .help = "Place of deepl; unset: by the kind of key" },                     \
  { DUB_OPTION_ROW (S, m, "deepl-model-type", "DEEPL_MODEL_TYPE", CHOICE,      \
        deepl_model, "prefer_quality_optimized"),                              \
    .choices = dub_deepl_models, .help = "Model of deepl" },                   \
  { DUB_OPTION_ROW (S, m, "deepl-english", "DEEPL_ENGLISH", CHOICE,            \
        deepl_english, "EN-US"),                                               \
    .choices = dub_deepl_english,                                              \
    .help = "What en means as a target of deepl" },                            \
  { DUB_OPTION_ROW (S, m, "deepl-portuguese", "DEEPL_PORTUGUESE", CHOICE,      \
        deepl_portuguese, "PT-PT"),                                            \
    .choices = dub_deepl_portuguese,                                           \
    .help = "What pt means as a target of deepl" },                            \
  { DUB_OPTION_ROW (S, m, "deepl-glossary-id", "DEEPL_GLOSSARY_ID", STRING,    \
        deepl_glossary_id, NULL),                                              \
    .help = "A glossary that is kept at deepl" },                              \
  { DUB_OPTION_ROW (S, m, "libretranslate-url", "LIBRETRANSLATE_URL", URL,     \
        libretranslate_url, NULL),                                             \
    .choices = dub_http_schemes,                                               \
    .help = "Server of libretranslate; unset: http://127.0.0.1:5000" },        \
  { DUB_OPTION_ROW (S, m, "libretranslate-api-key",                            \
        "LIBRETRANSLATE_API_KEY", SECRET, libretranslate_key, NULL),           \
    .help = "Its key, if it wants one" },                                      \
  { DUB_OPTION_ROW (S, m, "openai-translation-url",                            \
        "OPENAI_TRANSLATION_URL", URL, chat_url, NULL),                        \
    .choices = dub_http_schemes,                                               \
    .help = "Server of openai, up to /v1; unset: http://127.0.0.1:8080/v1" },  \
  { DUB_OPTION_ROW (S, m, "openai-translation-api-key",                        \
        "OPENAI_TRANSLATION_API_KEY", SECRET, chat_key, NULL),                 \
    .help = "Its key, if it wants one" },                                      \
  { DUB_OPTION_ROW (S, m, "openai-translation-model",                          \
        "OPENAI_TRANSLATION_MODEL", STRING, chat_model, NULL),                 \
    .help = "Its model, where it has several" }
/* clang-format on */
/* NOLINTEND(bugprone-macro-parentheses) */

G_END_DECLS
