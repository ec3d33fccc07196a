/* SPDX-License-Identifier: Apache-2.0 */
#include "tts.h"

#include <dubbing_common/error.h>
#include <math.h>

/*
 * The synthesisers of tests: a tone as long as the words would take. One is
 * quieter, as the recordings it stands for, one fails the first time it is
 * asked for a fragment, by stream and number.
 */

#define RATE_HZ 16000
#define TONE_HZ 440
#define AMPLITUDE 0.5
#define FIXTURE_AMPLITUDE 0.3
#define MS_PER_WORD 100
#define MIN_MS 500
#define MAX_MS 60000

typedef struct {
  DubTts base;
  DubMockPool *pool;
  double amplitude;
  GHashTable *seen; /* fragments that have failed; (nullable): none fails */
} MockTts;

typedef struct {
  MockTts *self;
  DubTtsDoneFunc done;
  gpointer user_data;
  char *text;
  char *fragment; /* "stream/number" */
  double speed;
} Call;

static void
call_free (gpointer data)
{
  Call *call = data;

  if (call == NULL)
    return;
  g_free (call->text);
  g_free (call->fragment);
  g_free (call);
}

static MockTts *
create (const DubTtsProvider *provider, const DubMockOptions *options)
{
  MockTts *self = g_new0 (MockTts, 1);

  self->base.provider = provider;
  self->amplitude = AMPLITUDE;
  self->pool = dub_mock_pool_new (options);
  return self;
}

static DubTts *
tone_create (const DubTtsSettings *settings)
{
  return &create (&dub_tts_mock_tone, settings->mock)->base;
}

static DubTts *
fixture_create (const DubTtsSettings *settings)
{
  MockTts *self = create (&dub_tts_mock_fixture, settings->mock);

  self->amplitude = FIXTURE_AMPLITUDE;
  return &self->base;
}

static DubTts *
fail_once_create (const DubTtsSettings *settings)
{
  MockTts *self = create (&dub_tts_mock_fail_once, settings->mock);

  self->seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return &self->base;
}

static void
mock_free (DubTts *base)
{
  MockTts *self = (MockTts *) base;

  dub_mock_pool_free (self->pool, call_free);
  g_clear_pointer (&self->seen, g_hash_table_unref);
  g_free (self);
}

static gboolean
mock_is_ready (DubTts *base, GError **error)
{
  return TRUE;
}

static gboolean
mock_has_voice (DubTts *base, const char *language, const char *voice)
{
  return voice == NULL || *voice == '\0' || g_str_equal (voice, "default");
}

static guint
words_in (const char *text)
{
  g_auto (GStrv) words = g_strsplit_set (text, " \t\n", -1);
  guint count = 0;

  for (guint i = 0; words[i] != NULL; i++)
    count += *words[i] != '\0';
  return count;
}

/* (transfer full) */
static GBytes *
tone_for (const Call *call)
{
  double ms = MAX (MIN_MS, MS_PER_WORD * words_in (call->text)) / call->speed;
  gsize count = (gsize) (MIN (ms, MAX_MS) * RATE_HZ / 1000);
  float *samples = g_new (float, count);

  for (gsize i = 0; i < count; i++)
    samples[i] = (float) (call->self->amplitude *
                          sin (2 * G_PI * TONE_HZ * i / RATE_HZ));
  return g_bytes_new_take (samples, count * sizeof (float));
}

static gboolean
fails_now (const Call *call)
{
  GHashTable *seen = call->self->seen;

  return seen != NULL && g_hash_table_add (seen, g_strdup (call->fragment));
}

static void
on_done (const GError *error, gpointer data)
{
  Call *call = data;
  g_autoptr (GError) first = NULL;
  g_autoptr (GBytes) sound = NULL;

  if (error == NULL && fails_now (call))
    first = g_error_new_literal (
        DUB_ERROR, DUB_ERROR_ENGINE, "model_load_failed: as it does once");
  if (error == NULL && first == NULL)
    sound = tone_for (call);
  call->done (sound, RATE_HZ, error != NULL ? error : first, call->user_data);
  call_free (call);
}

static guint64
mock_synthesise (DubTts *base, const DubTtsRequest *request,
    DubTtsDoneFunc done, gpointer user_data)
{
  MockTts *self = (MockTts *) base;
  Call *call = g_new (Call, 1);

  *call = (Call){self, done, user_data, g_strdup (request->text),
      g_strdup_printf ("%s/%" G_GUINT64_FORMAT,
          request->stream_id != NULL ? request->stream_id : "",
          request->sequence_number),
      MAX (request->speed, 0.1)};
  return dub_mock_pool_begin (self->pool, request->deadline_ns, on_done, call);
}

static void
mock_cancel (DubTts *base, guint64 id)
{
  call_free (dub_mock_pool_cancel (((MockTts *) base)->pool, id));
}

#define MOCK(id, create_func)                                                  \
  {                                                                            \
    .name = (id), .create = (create_func), .free = mock_free,                  \
    .is_ready = mock_is_ready, .has_voice = mock_has_voice,                    \
    .synthesise = mock_synthesise, .cancel = mock_cancel,                      \
  }

const DubTtsProvider dub_tts_mock_tone =
    MOCK ("mock-fixed-tone-v1", tone_create);
const DubTtsProvider dub_tts_mock_fixture =
    MOCK ("mock-from-fixture-v1", fixture_create);
const DubTtsProvider dub_tts_mock_fail_once =
    MOCK ("mock-fail-once-v1", fail_once_create);
