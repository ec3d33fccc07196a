/* SPDX-License-Identifier: Apache-2.0 */
#include "asr.h"

/* The recogniser of tests: hears the same sentence in everything. */

#define TEXT "This is what the mock recogniser hears."
/* As a log probability: the confidence is one more than that. */
#define CONFIDENCE 0.95

typedef struct {
  DubAsr base;
  DubMockPool *pool;
} MockAsr;

typedef struct {
  DubAsrDoneFunc done;
  gpointer user_data;
  char *language;
} Call;

static void
call_free (gpointer data)
{
  Call *call = data;

  if (call == NULL)
    return;
  g_free (call->language);
  g_free (call);
}

static DubAsr *
mock_create (const DubAsrSettings *settings)
{
  MockAsr *self = g_new0 (MockAsr, 1);

  self->base.provider = &dub_asr_mock;
  self->pool = dub_mock_pool_new (settings->mock);
  return &self->base;
}

static void
mock_free (DubAsr *base)
{
  dub_mock_pool_free (((MockAsr *) base)->pool, call_free);
  g_free (base);
}

static gboolean
mock_is_ready (DubAsr *base, GError **error)
{
  return TRUE;
}

static gboolean
mock_knows (DubAsr *base, const char *language)
{
  return TRUE;
}

static gboolean
mock_translates_to (DubAsr *base, const char *language)
{
  return FALSE;
}

static void
on_done (const GError *error, gpointer data)
{
  Call *call = data;
  const DubHeard heard = {.text = TEXT,
      .language = call->language,
      .no_speech = 0.01,
      .mean_logprob = CONFIDENCE - 1};

  call->done (error == NULL ? &heard : NULL, error, call->user_data);
  call_free (call);
}

static guint64
mock_recognise (DubAsr *base, const DubAsrRequest *request, DubAsrDoneFunc done,
    gpointer user_data)
{
  Call *call = g_new (Call, 1);
  gboolean is_auto = g_str_equal (request->language, "auto");

  *call =
      (Call){done, user_data, g_strdup (is_auto ? "en" : request->language)};
  return dub_mock_pool_begin (
      ((MockAsr *) base)->pool, request->deadline_ns, on_done, call);
}

static void
mock_cancel (DubAsr *base, guint64 id)
{
  call_free (dub_mock_pool_cancel (((MockAsr *) base)->pool, id));
}

static gboolean
mock_is_idle (DubAsr *base)
{
  return dub_mock_pool_get_depth (((MockAsr *) base)->pool) == 0;
}

const DubAsrProvider dub_asr_mock = {
    .name = "mock-asr",
    .create = mock_create,
    .free = mock_free,
    .is_ready = mock_is_ready,
    .knows = mock_knows,
    .translates_to = mock_translates_to,
    .recognise = mock_recognise,
    .cancel = mock_cancel,
    .is_idle = mock_is_idle,
};
