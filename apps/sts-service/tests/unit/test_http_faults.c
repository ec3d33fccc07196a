/* SPDX-License-Identifier: Apache-2.0 */
#include "http_peer.h"
#include "jobs.h"

#include "pipeline/pipeline.h"

#include <dubbing_common/error.h>
#include <gst/gst.h>
#include <string.h>

/*
 * An engine behind HTTP that goes wrong in every way there is, with the whole
 * chain around it: the fragment gets the code and the flag that a worker acts
 * on, and with a second engine in the list it is dubbed all the same.
 */

#define GOOD "{\"translatedText\":[\"What was said in the hall.\"]}"
#define TIME_MS 20000
/* What is tried again is tried for so long. */
#define SHORT_MS 2500

typedef struct {
  const char *name;
  HttpPeerAnswer answer;
  guint times; /* it is tried again */
  const char *code;
  gboolean is_retryable;
} Case;

static const Case cases[] = {
    {"400", {.status = 400, .body = "{\"error\":\"no\"}"}, 1,
        "TRANSLATION_FAILED", FALSE},
    {"401", {.status = 401, .body = "{\"error\":\"key\"}"}, 1,
        "TRANSLATION_FAILED", FALSE},
    {"429", {.status = 429, .body = "{\"error\":\"slow down\"}"}, 9,
        "QUEUE_FULL", TRUE},
    {"500", {.status = 500, .body = "oops"}, 9, "MODEL_ERROR", TRUE},
    {"garbage", {.body = "<html>"}, 1, "TRANSLATION_FAILED", FALSE},
    {"empty", {.body = ""}, 1, "TRANSLATION_FAILED", FALSE},
    {"half", {.raw = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"tr"}, 9,
        "MODEL_ERROR", TRUE},
    {"reset", {.raw = "HTTP/1.1 200 OK\r\n", .end = HTTP_PEER_RESET}, 9,
        "MODEL_ERROR", TRUE},
    {"silent", {.raw = "HTTP/1.1 200 OK\r\n", .end = HTTP_PEER_HOLD}, 9,
        "TIMEOUT", TRUE},
};

typedef struct {
  HttpPeer *peer;
  DubProcessor *chain;
} Bench;

static void
bench_init (Bench *b, const char *translators)
{
  static const DubMockOptions mock = {.slots = 4};
  DubTranslationOptions options = {.timeout_ms = TIME_MS};
  DubPipelineSettings settings = {
      .asr = {.timeout_ms = 5000,
          .max_no_speech = 0.6,
          .min_mean_logprob = -1.7},
      .translation = {.timeout_ms = TIME_MS},
      .tts = {.timeout_ms = 5000},
      .transcript = DUB_TRANSCRIPT_OFF,
  };
  g_autoptr (GError) error = NULL;
  DubTranslator *translator = NULL;

  b->peer = http_peer_new ();
  options.libretranslate_url = (char *) http_peer_url (b->peer);
  translator = dub_translator_chain_new (translators,
      &(DubTranslatorSettings){.options = &options, .mock = &mock}, &error);
  g_assert_no_error (error);
  b->chain = dub_pipeline_new_with (&settings, NULL,
      dub_asr_provider_find ("mock")->create (&(DubAsrSettings){.mock = &mock}),
      translator,
      dub_tts_provider_find ("mock")->create (
          &(DubTtsSettings){.mock = &mock}));
}

static void
bench_clear (Bench *b)
{
  b->chain->free (b->chain);
  http_peer_settle ();
  http_peer_free (b->peer);
}

static void
on_done (DubResult *result, gpointer user_data)
{
  *(DubResult **) user_data = result;
}

/* (transfer full) */
static DubResult *
run (Bench *b, gint64 time_ms)
{
  DubResult *result = NULL;

  b->chain->submit (b->chain, job_new (3, 0.2, time_ms), on_done, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return result;
}

static void
push (Bench *b, const Case *c)
{
  for (guint i = 0; i < c->times; i++)
    http_peer_push (b->peer, c->answer);
}

static void
test_alone (gconstpointer data)
{
  const Case *c = data;
  Bench b;
  g_autoptr (DubResult) good = NULL;
  g_autoptr (DubResult) bad = NULL;

  bench_init (&b, "libretranslate");
  http_peer_push (b.peer, (HttpPeerAnswer){.body = GOOD});
  good = run (&b, TIME_MS);
  g_assert_cmpstr (good->error_message, ==, NULL);
  g_assert_cmpstr (good->translated_text, ==, "What was said in the hall.");
  g_assert_cmpstr (good->translation_engine, ==, "libretranslate");
  push (&b, c);
  bad = run (&b, SHORT_MS);
  g_test_message ("%s", bad->error_message);
  g_assert_cmpint (bad->status, ==, DUB_RESULT_FAILED);
  g_assert_cmpstr (bad->error_stage, ==, "translation");
  g_assert_cmpstr (bad->error_code, ==, c->code);
  g_assert_cmpint (bad->is_retryable, ==, c->is_retryable);
  bench_clear (&b);
}

/* What fails in time is somebody else's to do. */
static void
test_with_another (gconstpointer data)
{
  const Case *c = data;
  Bench b;
  g_autoptr (DubResult) result = NULL;

  bench_init (&b, "libretranslate,mock");
  push (&b, c);
  result = run (&b, TIME_MS);
  g_assert_cmpstr (result->error_message, ==, NULL);
  g_assert_cmpstr (result->translation_engine, ==, "mock-identity-v1");
  bench_clear (&b);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *alone =
        g_strdup_printf ("/sts/http-faults/alone/%s", cases[i].name);
    g_autofree char *with =
        g_strdup_printf ("/sts/http-faults/with-another/%s", cases[i].name);
    g_test_add_data_func (alone, &cases[i], test_alone);
    if (!g_str_equal (cases[i].code, "TIMEOUT"))
      g_test_add_data_func (with, &cases[i], test_with_another);
  }
  return g_test_run ();
}
