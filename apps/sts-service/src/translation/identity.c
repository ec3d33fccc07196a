/* SPDX-License-Identifier: Apache-2.0 */
#include "calls.h"

typedef struct {
  DubTranslator base;
  DubTranslatorCalls *calls;
} Identity;

static DubTranslator *
identity_create (const DubTranslatorSettings *settings)
{
  Identity *self = g_new0 (Identity, 1);

  self->base.provider = &dub_translator_identity;
  self->calls = dub_translator_calls_new (&self->base);
  return &self->base;
}

static void
identity_destroy (DubTranslator *base)
{
  Identity *self = (Identity *) base;

  dub_translator_calls_free (self->calls);
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

static guint64
identity_translate (DubTranslator *base, const DubTranslationRequest *request,
    DubTranslatedFunc done, gpointer user_data)
{
  DubTranslatorCall *call =
      dub_translator_calls_begin (((Identity *) base)->calls, done, user_data);

  dub_translator_call_answer_later (call, request->text, NULL);
  return call->id;
}

static void
identity_cancel (DubTranslator *base, guint64 id)
{
  DubTranslatorCall *call =
      dub_translator_calls_get (((Identity *) base)->calls, id);

  if (call != NULL)
    dub_translator_call_drop (call);
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
