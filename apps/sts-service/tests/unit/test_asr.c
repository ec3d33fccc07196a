/* SPDX-License-Identifier: Apache-2.0 */
#include "asr/asr.h"
#include "asr/whisper_engine.h"

#include <dubbing_common/clock.h>
#include <dubbing_common/error.h>
#include <string.h>

/* The recognition stage's engines: the mock, and several as one. */

typedef struct {
  guint answers;
  char *text, *language, *engine;
  double mean_logprob;
  int error;
  DubAsr *asr;
} Heard;

static void
on_heard (const DubHeard *heard, const GError *error, gpointer user_data)
{
  Heard *to = user_data;

  to->answers++;
  to->error = error != NULL ? error->code : 0;
  g_free (to->engine);
  to->engine = g_strdup (to->asr->engine);
  if (heard == NULL)
    return;
  g_free (to->text);
  g_free (to->language);
  to->text = g_strdup (heard->text);
  to->language = g_strdup (heard->language);
  to->mean_logprob = heard->mean_logprob;
}

static void
heard_clear (Heard *heard)
{
  g_free (heard->text);
  g_free (heard->language);
  g_free (heard->engine);
}

static guint64
ask (DubAsr *asr, Heard *heard, const char *language, gint64 time_ms)
{
  g_autoptr (GBytes) sound = g_bytes_new_static ("", 0);
  const DubAsrRequest request = {.samples = sound,
      .language = language,
      .deadline_ns = g_get_monotonic_time () * 1000 + time_ms * DUB_NS_PER_MS};

  heard->asr = asr;
  return asr->provider->recognise (asr, &request, on_heard, heard);
}

static void
wait_for (Heard *heard, guint answers)
{
  while (heard->answers < answers)
    g_main_context_iteration (NULL, TRUE);
}

/* (transfer full) */
static DubAsr *
chain (const char *names, const DubMockOptions *mock)
{
  /* An engine whose child ends at once. */
  static const char *const argv[] = {"/bin/false", NULL};
  static const DubAsrOptions options = {.timeout_ms = 1000};
  const DubAsrSettings settings = {.engine_argv = argv,
      .model = "/nowhere/model.bin",
      .threads = 1,
      .options = &options,
      .mock = mock};
  g_autoptr (GError) error = NULL;
  DubAsr *asr = dub_asr_chain_new (names, &settings, &error);

  g_assert_no_error (error);
  return asr;
}

static void
test_mock (void)
{
  const DubMockOptions mock = {.slots = 1};
  DubAsr *asr = chain ("mock", &mock);
  Heard heard = {0};

  g_assert_cmpstr (asr->provider->name, ==, "mock-asr");
  g_assert_true (asr->provider->is_ready (asr, NULL));
  g_assert_true (asr->provider->knows (asr, "auto"));
  g_assert_false (asr->provider->translates_to (asr, "en"));
  ask (asr, &heard, "auto", 1000);
  g_assert_cmpuint (heard.answers, ==, 0);
  g_assert_false (asr->provider->is_idle (asr));
  wait_for (&heard, 1);
  g_assert_true (asr->provider->is_idle (asr));
  g_assert_cmpstr (heard.text, ==, "This is what the mock recogniser hears.");
  g_assert_cmpstr (heard.language, ==, "en");
  g_assert_cmpstr (heard.engine, ==, "mock-asr");
  /* The confidence, 0.95, is one more. */
  g_assert_cmpfloat_with_epsilon (heard.mean_logprob, -0.05, 1e-9);
  ask (asr, &heard, "es", 1000);
  wait_for (&heard, 2);
  g_assert_cmpstr (heard.language, ==, "es");
  asr->provider->free (asr);
  heard_clear (&heard);
}

static void
test_mock_fails (void)
{
  static const struct {
    int failure, code;
    gboolean is_retryable;
  } cases[] = {{0, DUB_ERROR_TIMEOUT, TRUE}, {1, DUB_ERROR_ENGINE, TRUE},
      {2, DUB_ERROR_INVALID, FALSE}, {3, DUB_ERROR_PROTOCOL, FALSE}};

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    const DubMockOptions mock = {
        .slots = 1, .failure_percent = 100, .failure = cases[i].failure};
    DubAsr *asr = chain ("mock", &mock);
    g_autoptr (GError) error = g_error_new (DUB_ERROR, cases[i].code, "x");
    Heard heard = {0};

    ask (asr, &heard, "es", 1000);
    wait_for (&heard, 1);
    g_assert_cmpint (heard.error, ==, cases[i].code);
    g_assert_cmpint (dub_error_is_retryable (error), ==, cases[i].is_retryable);
    asr->provider->free (asr);
    heard_clear (&heard);
  }
}

/* The whisper of this test cannot even start: its turn costs no fragment. */
static void
test_falls_back (void)
{
  const DubMockOptions mock = {.slots = 1};
  DubAsr *asr = chain ("whisper,mock", &mock);
  Heard heard = {0};

  g_assert_cmpstr (asr->provider->name, ==, "whisper,mock-asr");
  g_assert_true (asr->provider->is_ready (asr, NULL));
  ask (asr, &heard, "es", 5000);
  wait_for (&heard, 1);
  g_assert_cmpint (heard.error, ==, 0);
  g_assert_cmpstr (heard.engine, ==, "mock-asr");
  asr->provider->free (asr);
  heard_clear (&heard);
}

/* Alone it says why. */
static void
test_alone (void)
{
  DubAsr *asr = chain ("whisper", NULL);
  g_autoptr (GError) error = NULL;
  Heard heard = {0};

  g_assert_false (asr->provider->knows (asr, "xx"));
  g_assert_true (asr->provider->translates_to (asr, "en"));
  g_assert_false (asr->provider->translates_to (asr, "es"));
  ask (asr, &heard, "es", 5000);
  wait_for (&heard, 1);
  g_assert_cmpint (heard.error, !=, 0);
  g_assert_false (asr->provider->is_ready (asr, &error));
  g_assert_nonnull (strstr (error->message, "whisper"));
  asr->provider->free (asr);
  heard_clear (&heard);
}

static void
test_cancel (void)
{
  const DubMockOptions mock = {.slots = 1, .latency_ms = 60000};
  DubAsr *asr = chain ("mock", &mock);
  Heard heard = {0};
  guint64 id = ask (asr, &heard, "es", 60000);

  asr->provider->cancel (asr, id);
  g_assert_true (asr->provider->is_idle (asr));
  g_assert_cmpuint (heard.answers, ==, 0);
  ask (asr, &heard, "es", 60000);
  asr->provider->free (asr);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (heard.answers, ==, 1);
  g_assert_cmpint (heard.error, ==, DUB_ERROR_DISCONNECTED);
  heard_clear (&heard);
}

static void
test_unknown (void)
{
  const DubAsrSettings settings = {.threads = 1};
  g_autoptr (GError) error = NULL;

  g_assert_null (dub_asr_chain_new ("whisper,nobody", &settings, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, "nobody"));
}

/* What a model of that name was trained for. */
static void
test_whisper_models (void)
{
  static const char *const nothing[] = {"/bin/false", NULL};
  static const struct {
    const char *model;
    gboolean knows_spanish, translates;
  } table[] = {
      {"/m/ggml-base.bin", TRUE, TRUE},
      {"/m/ggml-large-v3-q5_0.bin", TRUE, TRUE},
      {"/m/ggml-large-v3-turbo.bin", TRUE, FALSE},
      {"/m/ggml-large-v3-turbo-q5_0.bin", TRUE, FALSE},
      {"/m.en/ggml-base.bin", TRUE, TRUE},
      {"/m/ggml-base.en.bin", FALSE, FALSE},
  };
  const DubAsrProvider *whisper = &dub_asr_whisper;

  if (dub_whisper_language ("en") == NULL) {
    g_test_skip ("a build without whisper.cpp");
    return;
  }
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    DubAsrSettings settings = {
        .engine_argv = nothing, .model = table[i].model, .threads = 1};
    DubAsr *asr = whisper->create (&settings);

    g_test_message ("%s", table[i].model);
    g_assert_true (whisper->knows (asr, "en-GB"));
    g_assert_cmpint (whisper->knows (asr, "es"), ==, table[i].knows_spanish);
    g_assert_cmpint (whisper->knows (asr, "auto"), ==, table[i].knows_spanish);
    g_assert_cmpint (
        whisper->translates_to (asr, "en"), ==, table[i].translates);
    g_assert_false (whisper->translates_to (asr, "es"));
    whisper->free (asr);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/asr/mock", test_mock);
  g_test_add_func ("/sts/asr/mock-fails", test_mock_fails);
  g_test_add_func ("/sts/asr/falls-back", test_falls_back);
  g_test_add_func ("/sts/asr/alone", test_alone);
  g_test_add_func ("/sts/asr/cancel", test_cancel);
  g_test_add_func ("/sts/asr/unknown", test_unknown);
  g_test_add_func ("/sts/asr/whisper-models", test_whisper_models);
  return g_test_run ();
}
