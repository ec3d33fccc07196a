/* SPDX-License-Identifier: Apache-2.0 */
#include "translation.h"

#include <string.h>

/*
 * The translators of tests: one that says the same again, one that takes its
 * time, one that fails half the time, one that knows a few words.
 */

#define LATENCY_MS 100
#define FAILURE_PERCENT 50

typedef struct {
  DubTranslator base;
  DubMockPool *pool;
} MockTranslator;

typedef struct {
  DubTranslatedFunc done;
  gpointer user_data;
  char *text;
} Call;

static void
call_free (gpointer data)
{
  Call *call = data;

  if (call == NULL)
    return;
  g_free (call->text);
  g_free (call);
}

static DubTranslator *
create (const DubTranslatorProvider *provider, const DubMockOptions *options)
{
  MockTranslator *self = g_new0 (MockTranslator, 1);

  self->base.provider = provider;
  self->pool = dub_mock_pool_new (options);
  return &self->base;
}

static DubMockOptions
options_of (const DubTranslatorSettings *settings)
{
  return settings->mock != NULL ? *settings->mock
                                : (DubMockOptions){.slots = 1};
}

static DubTranslator *
identity_create (const DubTranslatorSettings *settings)
{
  return create (&dub_translator_mock_identity, settings->mock);
}

static DubTranslator *
latency_create (const DubTranslatorSettings *settings)
{
  DubMockOptions options = options_of (settings);

  options.latency_ms = LATENCY_MS;
  return create (&dub_translator_mock_latency, &options);
}

static DubTranslator *
failing_create (const DubTranslatorSettings *settings)
{
  DubMockOptions options = options_of (settings);

  options.failure_percent = FAILURE_PERCENT;
  return create (&dub_translator_mock_failing, &options);
}

static DubTranslator *
dictionary_create (const DubTranslatorSettings *settings)
{
  return create (&dub_translator_mock_dictionary, settings->mock);
}

static void
mock_free (DubTranslator *base)
{
  dub_mock_pool_free (((MockTranslator *) base)->pool, call_free);
  g_free (base);
}

static gboolean
mock_is_ready (DubTranslator *base, GError **error)
{
  return TRUE;
}

static gboolean
mock_supports (DubTranslator *base, const char *source, const char *target)
{
  return TRUE;
}

static const char *
look_up (const char *word)
{
  static const char *const words[][2] = {{"hola", "hello"}, {"mundo", "world"},
      {"buenos", "good"}, {"días", "morning"}, {"gracias", "thanks"}};

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_ascii_strcasecmp (word, words[i][0]) == 0)
      return words[i][1];
  return word;
}

/* (transfer full) */
static char *
by_dictionary (const char *text)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);
  GString *out = g_string_new (NULL);

  for (guint i = 0; words[i] != NULL; i++)
    g_string_append_printf (out, "%s%s", i > 0 ? " " : "", look_up (words[i]));
  return g_string_free (out, FALSE);
}

static void
on_done (const GError *error, gpointer data)
{
  Call *call = data;

  call->done (error == NULL ? call->text : NULL, error, call->user_data);
  call_free (call);
}

static guint64
mock_translate (DubTranslator *base, const DubTranslationRequest *request,
    DubTranslatedFunc done, gpointer user_data)
{
  gboolean has_words = base->provider == &dub_translator_mock_dictionary;
  Call *call = g_new (Call, 1);

  *call = (Call){done, user_data,
      has_words ? by_dictionary (request->text) : g_strdup (request->text)};
  return dub_mock_pool_begin (
      ((MockTranslator *) base)->pool, request->deadline_ns, on_done, call);
}

static void
mock_cancel (DubTranslator *base, guint64 id)
{
  call_free (dub_mock_pool_cancel (((MockTranslator *) base)->pool, id));
}

#define MOCK(id, create_func)                                                  \
  {                                                                            \
    .name = (id), .create = (create_func), .free = mock_free,                  \
    .is_ready = mock_is_ready, .supports = mock_supports,                      \
    .translate = mock_translate, .cancel = mock_cancel,                        \
  }

const DubTranslatorProvider dub_translator_mock_identity =
    MOCK ("mock-identity-v1", identity_create);
const DubTranslatorProvider dub_translator_mock_latency =
    MOCK ("mock-latency-100ms", latency_create);
const DubTranslatorProvider dub_translator_mock_failing =
    MOCK ("mock-failing-50", failing_create);
const DubTranslatorProvider dub_translator_mock_dictionary =
    MOCK ("mock-dictionary-v1", dictionary_create);
