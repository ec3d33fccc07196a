/* SPDX-License-Identifier: Apache-2.0 */
#include "asr.h"

#include "engine/fallback.h"
#include "engine/provider_list.h"

/* Several recognisers as one, in the order of a list. */

typedef struct {
  DubAsr base;
  DubAsrProvider provider; /* chain, with the list for its name */
  DubFallback *list;
} Chain;

/* ---- what the list asks of a member -------------------------------------- */

static const char *
member_name (gpointer engine)
{
  return ((DubAsr *) engine)->provider->name;
}

static gboolean
member_is_ready (gpointer engine, GError **error)
{
  return ((DubAsr *) engine)->provider->is_ready (engine, error);
}

static gboolean
member_is_able (gpointer engine, gconstpointer data)
{
  const DubAsrProvider *provider = ((DubAsr *) engine)->provider;
  const DubAsrRequest *request = data;

  return provider->knows (engine, request->language) &&
         (!request->translate ||
             provider->translates_to (engine, request->target));
}

static void
on_heard (const DubHeard *heard, const GError *error, gpointer user_data)
{
  DubFallbackCall *call = user_data;
  DubFallbackEnd end;

  if (heard == NULL && dub_fallback_call_retry (call, error))
    return;
  end = dub_fallback_call_end (call, heard != NULL);
  ((Chain *) end.owner)->base.engine = end.engine;
  ((DubAsrDoneFunc) end.done) (heard, error, end.user_data);
}

static void
member_fail (DubFallbackCall *call, const GError *error)
{
  on_heard (NULL, error, call);
}

static guint64
member_begin (gpointer engine, gconstpointer request, DubFallbackCall *call)
{
  return ((DubAsr *) engine)
      ->provider->recognise (engine, request, on_heard, call);
}

static void
member_cancel (gpointer engine, guint64 id)
{
  ((DubAsr *) engine)->provider->cancel (engine, id);
}

static void
member_free (gpointer engine)
{
  ((DubAsr *) engine)->provider->free (engine);
}

static const DubFallbackFuncs funcs = {"asr", member_name, member_is_ready,
    member_is_able, member_begin, member_cancel, member_free, member_fail};

/* ---- as one recogniser ---------------------------------------------- */

static void
chain_free (DubAsr *base)
{
  Chain *self = (Chain *) base;

  dub_fallback_free (self->list);
  g_free ((char *) self->provider.name);
  g_free (self);
}

static gboolean
chain_is_ready (DubAsr *base, GError **error)
{
  return dub_fallback_is_ready (((Chain *) base)->list, error);
}

static gboolean
chain_knows (DubAsr *base, const char *language)
{
  const DubAsrRequest request = {.language = language};

  return dub_fallback_choose (((Chain *) base)->list, &request) != NULL;
}

static gboolean
chain_translates_to (DubAsr *base, const char *language)
{
  const DubAsrRequest request = {
      .language = "auto", .translate = TRUE, .target = language};

  return dub_fallback_choose (((Chain *) base)->list, &request) != NULL;
}

/* Of the one that would be asked. */
static gboolean
chain_is_idle (DubAsr *base)
{
  const DubAsrRequest request = {.language = "auto"};
  DubAsr *member = dub_fallback_choose (((Chain *) base)->list, &request);

  return member != NULL && member->provider->is_idle (member);
}

static guint64
chain_recognise (DubAsr *base, const DubAsrRequest *request,
    DubAsrDoneFunc done, gpointer user_data)
{
  return dub_fallback_ask (((Chain *) base)->list, request, sizeof *request,
      request->deadline_ns, G_CALLBACK (done), user_data);
}

static void
chain_cancel (DubAsr *base, guint64 id)
{
  dub_fallback_cancel (((Chain *) base)->list, id);
}

static const DubAsrProvider chain = {
    .free = chain_free,
    .is_ready = chain_is_ready,
    .knows = chain_knows,
    .translates_to = chain_translates_to,
    .is_idle = chain_is_idle,
    .recognise = chain_recognise,
    .cancel = chain_cancel,
};

/* ---- out of names --------------------------------------------------- */

static gboolean
is_installed (gconstpointer provider, gconstpointer settings)
{
  const DubAsrProvider *self = provider;

  return self->is_installed == NULL || self->is_installed (settings);
}

DubAsr *
dub_asr_chain_new (
    const char *names, const DubAsrSettings *settings, GError **error)
{
  const DubProviderList all = {.option = "ASR_PROVIDER",
      .all = (gconstpointer const *) dub_asr_providers,
      .is_installed = is_installed,
      .settings = settings};
  g_autoptr (GPtrArray) chosen = dub_provider_list_parse (&all, names, error);
  Chain *self = NULL;

  if (chosen == NULL)
    return NULL;
  self = g_new0 (Chain, 1);
  self->base.provider = &self->provider;
  self->list = dub_fallback_new (&funcs, self, settings->metrics);
  for (guint i = 0; i < chosen->len; i++) {
    const DubAsrProvider *provider = g_ptr_array_index (chosen, i);
    dub_fallback_add (self->list, provider->create (settings));
  }
  self->provider = chain;
  self->provider.name = dub_fallback_dup_names (self->list);
  return &self->base;
}
