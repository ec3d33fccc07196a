/* SPDX-License-Identifier: Apache-2.0 */
#include "calls.h"

#include <dubbing_common/error.h>
#include <string.h>

struct _DubTranslatorCalls {
  DubTranslator *translator;
  GHashTable *calls; /* id → Call */
  guint64 last_id;
};

typedef struct {
  DubTranslatorCall base;
  DubTranslatorCalls *owner;
  DubTranslatedFunc done;
  gpointer user_data;
  /* what answer_later will say */
  GSource *idle;
  char *text;
  GError *error;
} Call;

static void
call_free (gpointer data)
{
  Call *call = data;

  if (call->idle != NULL)
    g_source_destroy (call->idle);
  g_clear_pointer (&call->idle, g_source_unref);
  if (call->base.data_free != NULL)
    call->base.data_free (call->base.data);
  g_clear_error (&call->error);
  g_free (call->text);
  g_free (call);
}

DubTranslatorCalls *
dub_translator_calls_new (DubTranslator *translator)
{
  DubTranslatorCalls *self = g_new0 (DubTranslatorCalls, 1);

  self->translator = translator;
  self->calls =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, call_free);
  return self;
}

void
dub_translator_calls_free (DubTranslatorCalls *self)
{
  g_hash_table_unref (self->calls);
  g_free (self);
}

DubTranslatorCall *
dub_translator_calls_begin (
    DubTranslatorCalls *self, DubTranslatedFunc done, gpointer user_data)
{
  Call *call = g_new0 (Call, 1);

  call->base.id = ++self->last_id;
  call->base.translator = self->translator;
  call->owner = self;
  call->done = done;
  call->user_data = user_data;
  g_hash_table_insert (self->calls, &call->base.id, call);
  return &call->base;
}

DubTranslatorCall *
dub_translator_calls_get (DubTranslatorCalls *self, guint64 id)
{
  return g_hash_table_lookup (self->calls, &id);
}

void
dub_translator_call_drop (DubTranslatorCall *base)
{
  g_hash_table_remove (((Call *) base)->owner->calls, &base->id);
}

void
dub_translator_call_answer (
    DubTranslatorCall *base, const char *text, const GError *error)
{
  Call *call = (Call *) base;
  g_autoptr (GError) empty = NULL;

  if (text != NULL && text[strspn (text, " \t\r\n")] == '\0') {
    text = NULL;
    empty = g_error_new (DUB_ERROR, DUB_ERROR_ENGINE,
        "%s: an empty translation", base->translator->provider->name);
    error = empty;
  }
  g_hash_table_steal (call->owner->calls, &base->id);
  call->done (text, error, call->user_data);
  call_free (call);
}

static gboolean
on_idle (gpointer user_data)
{
  Call *call = user_data;

  dub_translator_call_answer (&call->base, call->text, call->error);
  return G_SOURCE_REMOVE;
}

void
dub_translator_call_answer_later (
    DubTranslatorCall *base, const char *text, GError *error)
{
  Call *call = (Call *) base;

  call->text = g_strdup (text);
  call->error = error;
  call->idle = g_idle_source_new ();
  g_source_set_priority (call->idle, G_PRIORITY_DEFAULT);
  g_source_set_callback (call->idle, on_idle, call, NULL);
  g_source_attach (call->idle, g_main_context_get_thread_default ());
}
