/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "calls.h"
#include "shield.h"

#include "http/http_engine.h"

/*
 * What translators behind HTTP have in common: a request goes out as JSON, a
 * text comes back in JSON, is put together (shield.h) and looked at
 * (answer_check.h). A dialect says how the JSON looks; it is pure but for its
 * own settings. Main thread only.
 */
G_BEGIN_DECLS

typedef struct _DubHttpTranslator DubHttpTranslator;

/* One request on its way. What request points at stays until done. */
typedef struct {
  DubTranslationRequest request;
  DubShield *shield; /* (nullable) */
  char *prompt;      /* what the answer must not repeat (nullable) */
} DubHttpTranslation;

typedef struct {
  const DubTranslatorProvider *provider;
  const char *path; /* of a translation, below the URL */
  gboolean (*supports) (const char *source, const char *target);
  /* Fills call->shield and prompt, as it has use for them. (transfer full) */
  JsonNode *(*make) (
      const DubTranslationOptions *options, DubHttpTranslation *call);
  /* The text in the answer. (transfer full) (nullable): it has none. */
  char *(*read) (JsonNode *answer, const DubHttpTranslation *call);
  DubHttpSortFunc sort; /* (nullable) */
} DubHttpDialect;

typedef struct {
  char *url;    /* (transfer full) */
  char *secret; /* (transfer full) (nullable) */
  /* "Authorization: <scheme> <secret>"; NULL: no such header. */
  const char *auth_scheme;
  const char *missing; /* what the user must set (nullable): nothing */
} DubHttpTranslatorPlace;

DubTranslator *dub_http_translator_new (const DubHttpDialect *dialect,
    const DubTranslatorSettings *settings, DubHttpTranslatorPlace place);

/* For the provider's table. */
void dub_http_translator_free (DubTranslator *base);
gboolean dub_http_translator_is_ready (DubTranslator *base, GError **error);
gboolean dub_http_translator_supports (
    DubTranslator *base, const char *source, const char *target);
guint64 dub_http_translator_translate (DubTranslator *base,
    const DubTranslationRequest *request, DubTranslatedFunc done,
    gpointer user_data);
void dub_http_translator_cancel (DubTranslator *base, guint64 id);

#define DUB_HTTP_TRANSLATOR_FUNCS                                              \
  .free = dub_http_translator_free, .is_ready = dub_http_translator_is_ready,  \
  .supports = dub_http_translator_supports,                                    \
  .translate = dub_http_translator_translate,                                  \
  .cancel = dub_http_translator_cancel

/* What an answer of the dialect comes to: for on_answer, and for fuzzing.
 * (transfer full) (nullable) */
char *dub_http_translator_read (const DubHttpDialect *dialect, GBytes *body,
    const DubHttpTranslation *call, GError **error);

extern const DubHttpDialect dub_deepl_dialect;
extern const DubHttpDialect dub_libretranslate_dialect;
extern const DubHttpDialect dub_chat_dialect;

/* A member of an object under construction. */
void dub_http_put_string (
    JsonObject *object, const char *name, const char *value);

G_END_DECLS
