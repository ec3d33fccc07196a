/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/mock_pool.h"
#include "translation/translation.h"
#include "tts/tts.h"

#include <dubbing_common/clock.h>
#include <dubbing_common/error.h>
#include <math.h>
#include <string.h>

/* The pool that mock engines stand on, and two of the stages' mocks. */

typedef struct {
  GString *order; /* of the calls that were answered */
  guint failed;
} Log;

typedef struct {
  Log *log;
  char letter;
} Call;

static gint64
in_ms (gint64 ms)
{
  return g_get_monotonic_time () * 1000 + ms * DUB_NS_PER_MS;
}

static void
on_done (const GError *error, gpointer data)
{
  g_autofree Call *call = data;

  g_string_append_c (call->log->order, call->letter);
  call->log->failed += error != NULL;
}

static guint64
begin (DubMockPool *pool, Log *log, char letter, gint64 time_ms)
{
  Call *call = g_new (Call, 1);

  *call = (Call){log, letter};
  return dub_mock_pool_begin (pool, in_ms (time_ms), on_done, call);
}

static void
drain (DubMockPool *pool)
{
  while (dub_mock_pool_get_depth (pool) > 0)
    g_main_context_iteration (NULL, TRUE);
}

/* What is due first is done first; one at a time. */
static void
test_by_deadline (void)
{
  const DubMockOptions options = {.latency_ms = 5, .slots = 1};
  DubMockPool *pool = dub_mock_pool_new (&options);
  Log log = {g_string_new (NULL)};

  begin (pool, &log, 'a', 5000);
  begin (pool, &log, 'b', 9000);
  begin (pool, &log, 'c', 7000);
  g_free (dub_mock_pool_cancel (pool, begin (pool, &log, 'd', 6000)));
  g_assert_null (dub_mock_pool_cancel (pool, 99));
  drain (pool);
  g_assert_cmpstr (log.order->str, ==, "acb");
  g_assert_cmpuint (log.failed, ==, 0);
  dub_mock_pool_free (pool, g_free);
  g_string_free (log.order, TRUE);
}

static void
test_slots_and_time (void)
{
  const DubMockOptions options = {.latency_ms = 60000, .slots = 2};
  DubMockPool *pool = dub_mock_pool_new (&options);
  Log log = {g_string_new (NULL)};

  /* Two at work and one that waits: all end when their time is up. */
  for (guint i = 0; i < 3; i++)
    begin (pool, &log, (char) ('a' + i), 10);
  begin (pool, &log, 'x', 60000);
  while (log.order->len < 3)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (log.failed, ==, 3);
  g_assert_cmpuint (dub_mock_pool_get_depth (pool), ==, 1);
  dub_mock_pool_free (pool, g_free);
  g_string_free (log.order, TRUE);
}

/* ---- translators ---------------------------------------------------- */

typedef struct {
  char *text;
  guint answers, failed;
} Said;

static void
on_translated (const char *text, const GError *error, gpointer user_data)
{
  Said *said = user_data;

  said->answers++;
  said->failed += error != NULL;
  g_free (said->text);
  said->text = g_strdup (text);
}

static void
translate (const DubTranslatorProvider *provider, const char *text, guint times,
    Said *said)
{
  const DubMockOptions options = {.slots = 100};
  const DubTranslatorSettings settings = {.mock = &options};
  DubTranslator *self = provider->create (&settings);
  const DubTranslationRequest request = {.text = text,
      .source = "es",
      .target = "en",
      .deadline_ns = in_ms (9000)};

  for (guint i = 0; i < times; i++)
    provider->translate (self, &request, on_translated, said);
  while (said->answers < times)
    g_main_context_iteration (NULL, TRUE);
  provider->free (self);
}

static void
test_translators (void)
{
  static const struct {
    const char *name, *text, *wanted;
  } cases[] = {
      {"mock", "hola mundo", "hola mundo"},
      {"mock-identity-v1", "hola mundo", "hola mundo"},
      {"mock-latency-100ms", "hola mundo", "hola mundo"},
      {"mock-dictionary-v1", "Hola mundo , amigo", "hello world , amigo"},
  };
  Said failing = {0};

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    Said said = {0};
    translate (
        dub_translator_provider_find (cases[i].name), cases[i].text, 1, &said);
    g_assert_cmpstr (said.text, ==, cases[i].wanted);
    g_free (said.text);
  }
  /* Half of 400, give or take five standard deviations. */
  translate (
      dub_translator_provider_find ("mock-failing-50"), "hola", 400, &failing);
  g_assert_cmpuint (failing.failed, >, 150);
  g_assert_cmpuint (failing.failed, <, 250);
  g_free (failing.text);
}

/* ---- synthesisers --------------------------------------------------- */

typedef struct {
  GBytes *samples;
  guint rate_hz;
  guint answers;
  int error;
} Spoken;

static void
on_spoken (
    GBytes *samples, guint rate_hz, const GError *error, gpointer user_data)
{
  Spoken *spoken = user_data;

  spoken->answers++;
  spoken->error = error != NULL ? error->code : 0;
  spoken->rate_hz = rate_hz;
  g_clear_pointer (&spoken->samples, g_bytes_unref);
  if (samples != NULL)
    spoken->samples = g_bytes_ref (samples);
}

static void
ask (DubTts *self, const DubTtsRequest *request, Spoken *spoken)
{
  guint before = spoken->answers;

  self->provider->synthesise (self, request, on_spoken, spoken);
  while (spoken->answers == before)
    g_main_context_iteration (NULL, TRUE);
}

static void
speak (DubTts *self, const char *text, double speed, Spoken *spoken)
{
  const DubTtsRequest request = {.text = text,
      .language = "en",
      .speed = speed,
      .deadline_ns = in_ms (9000)};

  ask (self, &request, spoken);
}

static void
check_tone (const Spoken *spoken, guint ms, double amplitude)
{
  gsize bytes = 0;
  const float *samples = g_bytes_get_data (spoken->samples, &bytes);
  gsize count = bytes / sizeof (float), crossings = 0;
  float peak = 0;

  for (gsize i = 1; i < count; i++) {
    peak = MAX (peak, samples[i]);
    crossings += samples[i - 1] < 0 && samples[i] >= 0;
  }
  g_assert_cmpuint (spoken->rate_hz, ==, 16000);
  g_assert_cmpuint (count, ==, ms * 16);
  g_assert_cmpfloat_with_epsilon (peak, amplitude, 0.01);
  g_assert_cmpfloat_with_epsilon (crossings * 1000.0 / ms, 440, 5);
}

static void
test_synthesisers (void)
{
  static const struct {
    const char *name;
    double amplitude;
  } cases[] = {{"mock", 0.5}, {"mock-from-fixture-v1", 0.3}};

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    const DubTtsProvider *provider = dub_tts_provider_find (cases[i].name);
    DubTts *self = provider->create (&(DubTtsSettings){.threads = 1});
    Spoken spoken = {NULL};

    speak (self, "two words", 1, &spoken);
    check_tone (&spoken, 500, cases[i].amplitude);
    speak (self, "one two three four five six seven eight", 1, &spoken);
    check_tone (&spoken, 800, cases[i].amplitude);
    speak (self, "one two three four five six seven eight", 2, &spoken);
    check_tone (&spoken, 400, cases[i].amplitude);
    g_assert_true (provider->has_voice (self, "xx", "default"));
    g_assert_false (provider->has_voice (self, "xx", "joe"));
    provider->free (self);
    g_bytes_unref (spoken.samples);
  }
}

/* Each fragment of each stream, whatever is said in it. */
static void
test_fails_once (void)
{
  static const struct {
    const char *stream;
    guint64 number;
    int error;
  } cases[] = {{"a", 0, DUB_ERROR_ENGINE}, {"a", 0, 0}, {"a", 0, 0},
      {"a", 1, DUB_ERROR_ENGINE}, {"b", 0, DUB_ERROR_ENGINE}, {"a", 1, 0},
      {"b", 0, 0}};
  const DubTtsProvider *provider = dub_tts_provider_find ("mock-fail-once-v1");
  DubTts *self = provider->create (&(DubTtsSettings){.threads = 1});
  Spoken spoken = {NULL};

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    const DubTtsRequest request = {.text = "the same text",
        .language = "en",
        .speed = 1,
        .deadline_ns = in_ms (9000),
        .stream_id = cases[i].stream,
        .sequence_number = cases[i].number};

    ask (self, &request, &spoken);
    g_assert_cmpint (spoken.error, ==, cases[i].error);
  }
  provider->free (self);
  g_clear_pointer (&spoken.samples, g_bytes_unref);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/mocks/by-deadline", test_by_deadline);
  g_test_add_func ("/sts/mocks/slots-and-time", test_slots_and_time);
  g_test_add_func ("/sts/mocks/translators", test_translators);
  g_test_add_func ("/sts/mocks/synthesisers", test_synthesisers);
  g_test_add_func ("/sts/mocks/fails-once", test_fails_once);
  return g_test_run ();
}
