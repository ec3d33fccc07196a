/* SPDX-License-Identifier: Apache-2.0 */
#include "translation.h"

#include <string.h>

typedef struct {
  DubTranslator base;
  GHashTable *calls; /* id → GSource */
  guint64 last_id;
} Identity;

typedef struct {
  Identity *self;
  guint64 id;
  char *text;
  DubTranslatedFunc done;
  gpointer user_data;
} Call;

gboolean
dub_language_equal (const char *a, const char *b)
{
  gsize length = strcspn (a, "-_");

  return length == strcspn (b, "-_") && g_ascii_strncasecmp (a, b, length) == 0;
}

static void
source_drop (GSource *source)
{
  g_source_destroy (source);
  g_source_unref (source);
}

static DubTranslator *
identity_create (const DubTranslatorSettings *settings)
{
  Identity *self = g_new0 (Identity, 1);

  self->base.provider = &dub_translator_identity;
  self->calls = g_hash_table_new_full (
      g_int64_hash, g_int64_equal, NULL, (GDestroyNotify) source_drop);
  return &self->base;
}

static void
identity_destroy (DubTranslator *base)
{
  Identity *self = (Identity *) base;

  g_hash_table_unref (self->calls);
  g_free (self);
}

static gboolean
identity_is_ready (DubTranslator *base, GError **error)
{
  return TRUE;
}

static gboolean
identity_supports (DubTranslator *base, const char *source, const char *target)
{
  return dub_language_equal (source, target);
}

static void
call_free (gpointer data)
{
  Call *call = data;

  g_free (call->text);
  g_free (call);
}

static gboolean
on_idle (gpointer user_data)
{
  Call *call = user_data;
  Identity *self = call->self;

  g_hash_table_steal (self->calls, &call->id);
  call->done (call->text, NULL, call->user_data);
  g_source_unref (g_main_current_source ());
  return G_SOURCE_REMOVE;
}

static guint64
identity_translate (DubTranslator *base, const DubTranslationRequest *request,
    DubTranslatedFunc done, gpointer user_data)
{
  Identity *self = (Identity *) base;
  Call *call = g_new (Call, 1);
  GSource *idle = g_idle_source_new ();

  *call =
      (Call){self, ++self->last_id, g_strdup (request->text), done, user_data};
  g_source_set_priority (idle, G_PRIORITY_DEFAULT);
  g_source_set_callback (idle, on_idle, call, call_free);
  g_source_attach (idle, g_main_context_get_thread_default ());
  g_hash_table_insert (self->calls, &call->id, idle);
  return call->id;
}

static void
identity_cancel (DubTranslator *base, guint64 id)
{
  g_hash_table_remove (((Identity *) base)->calls, &id);
}

const DubTranslatorProvider dub_translator_identity = {
    .name = "identity",
    .create = identity_create,
    .free = identity_destroy,
    .is_ready = identity_is_ready,
    .supports = identity_supports,
    .translate = identity_translate,
    .cancel = identity_cancel,
};
