/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "languages.h"
#include "settings.h"

#include "engine/mock_pool.h"

#include <dubbing_common/metrics.h>
#include <gio/gio.h>
#include <glib.h>

/*
 * A translator: text in, text out. Only asked when the recogniser did not
 * translate already. identity is for a source that is in the target language.
 *
 * Main thread only; nothing blocks; done is called exactly once, later, and
 * not at all after cancel.
 */
G_BEGIN_DECLS

/* text: NULL with error. */
typedef void (*DubTranslatedFunc) (
    const char *text, const GError *error, gpointer user_data);

typedef struct {
  const char *from, *to;
} DubGlossaryEntry;

/* What may help an engine that understands it; every member may be absent. */
typedef struct {
  const char *domain; /* "sports", "news", ... */
  /* What was said just before, oldest first; NULL-terminated. */
  const char *const *context;
  const DubGlossaryEntry *glossary; /* ends with { NULL } */
  const char *const *keep;          /* not to be translated; NULL-terminated */
  const char *formality;            /* "formal", "informal" */
  guint max_chars;                  /* 0: as long as it needs */
} DubTranslationHints;

typedef struct {
  const char *text;
  const char *source, *target; /* languages */
  DubTranslationHints hints;
  gint64 deadline_ns;
} DubTranslationRequest;

typedef struct {
  const char *const *engine_argv; /* program and its first arguments */
  DubMetrics *metrics;            /* (nullable) */
  /* What the user set; outlives the translator. (nullable) */
  const DubTranslationOptions *options;
  const DubMockOptions *mock; /* (nullable) */
} DubTranslatorSettings;

typedef struct _DubTranslator DubTranslator;

typedef struct {
  const char *name;
  DubTranslator *(*create) (const DubTranslatorSettings *settings);
  void (*free) (DubTranslator *self);
  gboolean (*is_ready) (DubTranslator *self, GError **error);
  gboolean (*supports) (
      DubTranslator *self, const char *source, const char *target);
  guint64 (*translate) (DubTranslator *self,
      const DubTranslationRequest *request, DubTranslatedFunc done,
      gpointer user_data);
  void (*cancel) (DubTranslator *self, guint64 id);
  /* Built in, and what it needs is there: for "auto". (nullable): always. */
  gboolean (*is_installed) (const DubTranslatorSettings *settings);
} DubTranslatorProvider;

struct _DubTranslator {
  const DubTranslatorProvider *provider;
  /* Of a chain, while done runs: who answered. (nullable) */
  const char *engine;
};

extern const DubTranslatorProvider dub_translator_identity;
extern const DubTranslatorProvider dub_translator_mock_identity,
    dub_translator_mock_latency, dub_translator_mock_failing,
    dub_translator_mock_dictionary;
extern const DubTranslatorProvider dub_translator_apertium;
extern const DubTranslatorProvider dub_translator_deepl;
extern const DubTranslatorProvider dub_translator_libretranslate;
extern const DubTranslatorProvider dub_translator_openai;
/* NULL-terminated. */
extern const DubTranslatorProvider *const dub_translator_providers[];

const DubTranslatorProvider *dub_translator_provider_find (const char *name);

/* Stands in a list for what the recogniser translates itself. First, or
 * "auto": wherever it can; else only where no translator can. */
#define DUB_TRANSLATOR_ASR "whisper"
gboolean dub_translator_prefers_asr (const char *names);

/* Several as one: names is what TRANSLATION_PROVIDER says, see
 * engine/provider_list.h and engine/fallback.h. What a request points at must
 * stay until done or cancel. DUB_ERROR_NOT_FOUND.
 * (transfer full) (nullable) */
DubTranslator *dub_translator_chain_new (
    const char *names, const DubTranslatorSettings *settings, GError **error);

G_END_DECLS
