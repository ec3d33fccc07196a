/* SPDX-License-Identifier: Apache-2.0 */
#include "translation.h"

#include "engine/fallback.h"
#include "engine/provider_list.h"

#include <string.h>

/* Several translators as one, in the order of a list. */

typedef struct {
  DubTranslator base;
  DubTranslatorProvider provider; /* chain, with the list for its name */
  DubFallback *list;
} Chain;

/* ---- what the list asks of a member -------------------------------------- */

static const char *
member_name (gpointer engine)
{
  return ((DubTranslator *) engine)->provider->name;
}

static gboolean
member_is_ready (gpointer engine, GError **error)
{
  return ((DubTranslator *) engine)->provider->is_ready (engine, error);
}

static gboolean
member_is_able (gpointer engine, gconstpointer data)
{
  const DubTranslationRequest *request = data;

  return ((DubTranslator *) engine)
      ->provider->supports (engine, request->source, request->target);
}

static void
on_translated (const char *text, const GError *error, gpointer user_data)
{
  DubFallbackCall *call = user_data;
  DubFallbackEnd end;

  if (text == NULL && dub_fallback_call_retry (call, error))
    return;
  end = dub_fallback_call_end (call, text != NULL);
  ((Chain *) end.owner)->base.engine = end.engine;
  ((DubTranslatedFunc) end.done) (text, error, end.user_data);
}

static void
member_fail (DubFallbackCall *call, const GError *error)
{
  on_translated (NULL, error, call);
}

static guint64
member_begin (gpointer engine, gconstpointer request, DubFallbackCall *call)
{
  return ((DubTranslator *) engine)
      ->provider->translate (engine, request, on_translated, call);
}

static void
member_cancel (gpointer engine, guint64 id)
{
  ((DubTranslator *) engine)->provider->cancel (engine, id);
}

static void
member_free (gpointer engine)
{
  ((DubTranslator *) engine)->provider->free (engine);
}

static const DubFallbackFuncs funcs = {"translation", member_name,
    member_is_ready, member_is_able, member_begin, member_cancel, member_free,
    member_fail};

/* ---- as one translator ---------------------------------------------- */

static void
chain_free (DubTranslator *base)
{
  Chain *self = (Chain *) base;

  dub_fallback_free (self->list);
  g_free ((char *) self->provider.name);
  g_free (self);
}

static gboolean
chain_is_ready (DubTranslator *base, GError **error)
{
  return dub_fallback_is_ready (((Chain *) base)->list, error);
}

static gboolean
chain_supports (DubTranslator *base, const char *source, const char *target)
{
  const DubTranslationRequest request = {.source = source, .target = target};

  return dub_fallback_choose (((Chain *) base)->list, &request) != NULL;
}

static guint64
chain_translate (DubTranslator *base, const DubTranslationRequest *request,
    DubTranslatedFunc done, gpointer user_data)
{
  return dub_fallback_ask (((Chain *) base)->list, request, sizeof *request,
      request->deadline_ns, G_CALLBACK (done), user_data);
}

static void
chain_cancel (DubTranslator *base, guint64 id)
{
  dub_fallback_cancel (((Chain *) base)->list, id);
}

static const DubTranslatorProvider chain = {
    .free = chain_free,
    .is_ready = chain_is_ready,
    .supports = chain_supports,
    .translate = chain_translate,
    .cancel = chain_cancel,
};

/* ---- out of names --------------------------------------------------- */

static gboolean
is_installed (gconstpointer provider, gconstpointer settings)
{
  const DubTranslatorProvider *self = provider;

  return self->is_installed == NULL || self->is_installed (settings);
}

DubTranslator *
dub_translator_chain_new (
    const char *names, const DubTranslatorSettings *settings, GError **error)
{
  const DubProviderList all = {.option = "TRANSLATION_PROVIDER",
      .all = (gconstpointer const *) dub_translator_providers,
      .is_installed = is_installed,
      .settings = settings,
      .other = DUB_TRANSLATOR_ASR};
  g_autoptr (GPtrArray) chosen = dub_provider_list_parse (&all, names, error);
  Chain *self = NULL;

  if (chosen == NULL)
    return NULL;
  self = g_new0 (Chain, 1);
  self->base.provider = &self->provider;
  self->list = dub_fallback_new (&funcs, self, settings->metrics);
  for (guint i = 0; i < chosen->len; i++) {
    const DubTranslatorProvider *provider = g_ptr_array_index (chosen, i);
    dub_fallback_add (self->list, provider->create (settings));
  }
  self->provider = chain;
  self->provider.name = dub_fallback_dup_names (self->list);
  return &self->base;
}

gboolean
dub_translator_prefers_asr (const char *names)
{
  gsize length = 0;

  if (dub_provider_list_is_auto (names))
    return TRUE;
  length = strcspn (names, ",");
  return length == strlen (DUB_TRANSLATOR_ASR) &&
         strncmp (names, DUB_TRANSLATOR_ASR, length) == 0;
}
