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

#define SAID "What was said in the hall."
#define TIME_MS 20000
/* What is tried again is tried for so long. */
#define SHORT_MS 1000
#define HUGE (10 * 1024 * 1024)
#define RATE_HZ 24000

/* ---- what each answers when all is well, and is asked to ------------------
 */

typedef struct {
  const char *name;
  gboolean is_voice;
  const char *good; /* of a translator */
} Engine;

static const Engine engines[] = {
    {"libretranslate", FALSE, "{\"translatedText\":[\"" SAID "\"]}"},
    {"deepl", FALSE, "{\"translations\":[{\"text\":\"" SAID "\"}]}"},
    {"openai", FALSE,
        "{\"choices\":[{\"message\":{\"content\":\"" SAID
        "\"},\"finish_reason\":\"stop\"}]}"},
    {"elevenlabs", TRUE, NULL},
    {"openai", TRUE, NULL},
    {"coqui", TRUE, NULL},
};

typedef struct {
  const char *name;
  HttpPeerAnswer answer;
  guint times; /* it is tried again */
  /* NULL: for good, the stage's own code */
  const char *code, *voice_code;
  gboolean is_retryable, is_voice_retryable;
} Case;

static const Case cases[] = {
    {"400", {.status = 400, .body = "{\"error\":\"no\"}"}, 1},
    {"401", {.status = 401, .body = "{\"error\":\"key\"}"}, 1},
    {"429", {.status = 429, .body = "{\"error\":\"slow down\"}"}, 9,
        "QUEUE_FULL", "QUEUE_FULL", TRUE, TRUE},
    {"500", {.status = 500, .body = "oops"}, 9, "MODEL_ERROR", "MODEL_ERROR",
        TRUE, TRUE},
    /* What is no sound may be one the next time. */
    {"garbage", {.body = "<html>"}, 1, NULL, "MODEL_ERROR", FALSE, TRUE},
    {"empty", {.body = ""}, 1, NULL, "MODEL_ERROR", FALSE, TRUE},
    {"half", {.raw = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"tr"}, 9,
        "MODEL_ERROR", "MODEL_ERROR", TRUE, TRUE},
    {"reset", {.raw = "HTTP/1.1 200 OK\r\n", .end = HTTP_PEER_RESET}, 9,
        "MODEL_ERROR", "MODEL_ERROR", TRUE, TRUE},
    {"silent", {.raw = "HTTP/1.1 200 OK\r\n", .end = HTTP_PEER_HOLD}, 9,
        "TIMEOUT", "TIMEOUT", TRUE, TRUE},
    {"huge", {.body_bytes = HUGE}, 1, NULL, NULL},
};

typedef struct {
  const Engine *engine;
  const Case *fault;
} Trial;

typedef struct {
  HttpPeer *peer;
  DubTranslationOptions translation;
  DubTtsOptions tts;
  DubProcessor *chain;
  char *huge;
} Bench;

static char key[] = "key-0123456789", model[] = "m";

static void
options_init (Bench *b)
{
  char *url = (char *) http_peer_url (b->peer);

  b->translation = (DubTranslationOptions){.timeout_ms = TIME_MS,
      .libretranslate_url = url,
      .deepl_key = key,
      .deepl_url = url,
      .chat_url = url,
      .chat_model = model};
  b->tts = (DubTtsOptions){.timeout_ms = TIME_MS,
      .elevenlabs_key = key,
      .elevenlabs_url = url,
      .elevenlabs_model = model,
      .speech_url = url,
      .speech_model = model,
      .coqui_url = url};
}

/* names: of the translators, or of the voices */
static void
bench_init (Bench *b, const Engine *engine, const char *names)
{
  static const DubMockOptions mock = {.slots = 4};
  DubPipelineSettings settings = {
      .asr = {.timeout_ms = 5000,
          .max_no_speech = 0.6,
          .min_mean_logprob = -1.7},
      .translation = {.timeout_ms = TIME_MS},
      .tts = {.timeout_ms = TIME_MS},
      .transcript = DUB_TRANSCRIPT_OFF,
  };
  g_autoptr (GError) error = NULL;
  DubTranslator *translator = NULL;
  DubTts *tts = NULL;

  b->peer = http_peer_new ();
  b->huge = g_strnfill (HUGE, 'a');
  options_init (b);
  translator = dub_translator_chain_new (engine->is_voice ? "mock" : names,
      &(DubTranslatorSettings){.options = &b->translation, .mock = &mock},
      &error);
  g_assert_no_error (error);
  tts = dub_tts_chain_new (engine->is_voice ? names : "mock",
      &(DubTtsSettings){.options = &b->tts, .mock = &mock}, &error);
  g_assert_no_error (error);
  b->chain = dub_pipeline_new_with (&settings, NULL,
      dub_asr_provider_find ("mock")->create (&(DubAsrSettings){.mock = &mock}),
      translator, tts);
}

static void
bench_clear (Bench *b)
{
  b->chain->free (b->chain);
  http_peer_settle ();
  http_peer_free (b->peer);
  g_free (b->huge);
}

/* Half a second of a tone, as each engine gives it. */
static void
push_sound (Bench *b, const Engine *engine)
{
  static guint8 wav[44 + RATE_HZ];
  static const guint8 head[44] = "RIFF....WAVEfmt \x10\0\0\0\1\0\1\0"
                                 "\xc0\x5d\0\0\x80\xbb\0\0\2\0\x10\0data";
  const guint32 size = GUINT32_TO_LE (RATE_HZ);
  gboolean is_bare = g_str_equal (engine->name, "elevenlabs");

  memcpy (wav, head, sizeof head);
  memcpy (wav + 40, &size, 4);
  for (gsize i = 0; i < RATE_HZ / 2; i++) {
    gint16 value = (gint16) (i % 80 < 40 ? 8000 : -8000);
    memcpy (wav + 44 + i * 2, &value, 2);
  }
  http_peer_push (
      b->peer, (HttpPeerAnswer){.body = (const char *) wav + (is_bare ? 44 : 0),
                   .body_bytes = sizeof wav - (is_bare ? 44 : 0),
                   .content_type = is_bare ? "audio/pcm" : "audio/wav"});
}

static void
push_good (Bench *b, const Engine *engine)
{
  if (engine->is_voice)
    push_sound (b, engine);
  else
    http_peer_push (b->peer, (HttpPeerAnswer){.body = engine->good});
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
push_fault (Bench *b, const Case *c)
{
  HttpPeerAnswer answer = c->answer;

  if (answer.body_bytes == HUGE)
    answer.body = b->huge;
  for (guint i = 0; i < c->times; i++)
    http_peer_push (b->peer, answer);
}

static void
expect_good (Bench *b, const Engine *engine)
{
  g_autoptr (DubResult) good = NULL;

  push_good (b, engine);
  good = run (b, TIME_MS);
  g_assert_cmpstr (good->error_message, ==, NULL);
  g_assert_cmpstr (
      engine->is_voice ? good->tts_engine : good->translation_engine, ==,
      engine->name);
  if (!engine->is_voice)
    g_assert_cmpstr (good->translated_text, ==, SAID);
}

static void
test_alone (gconstpointer data)
{
  const Trial *trial = data;
  const Engine *engine = trial->engine;
  const Case *c = trial->fault;
  const char *code = engine->is_voice ? c->voice_code : c->code;
  const char *for_good =
      engine->is_voice ? "TTS_SYNTHESIS_FAILED" : "TRANSLATION_FAILED";
  Bench b;
  g_autoptr (DubResult) bad = NULL;

  bench_init (&b, engine, engine->name);
  expect_good (&b, engine);
  push_fault (&b, c);
  bad = run (&b, SHORT_MS);
  g_test_message ("%s", bad->error_message);
  g_assert_cmpint (bad->status, ==, DUB_RESULT_FAILED);
  g_assert_cmpstr (
      bad->error_stage, ==, engine->is_voice ? "tts" : "translation");
  g_assert_cmpstr (bad->error_code, ==, code != NULL ? code : for_good);
  g_assert_cmpint (bad->is_retryable, ==,
      engine->is_voice ? c->is_voice_retryable : c->is_retryable);
  g_assert_null (strstr (bad->error_message, key));
  bench_clear (&b);
}

/* What fails in time is somebody else's to do. */
static void
test_with_another (gconstpointer data)
{
  const Trial *trial = data;
  const Engine *engine = trial->engine;
  g_autofree char *names = g_strconcat (engine->name, ",mock", NULL);
  Bench b;
  g_autoptr (DubResult) result = NULL;

  bench_init (&b, engine, names);
  push_fault (&b, trial->fault);
  result = run (&b, TIME_MS);
  g_assert_cmpstr (result->error_message, ==, NULL);
  g_assert_cmpstr (
      engine->is_voice ? result->tts_engine : result->translation_engine, ==,
      engine->is_voice ? "mock-fixed-tone-v1" : "mock-identity-v1");
  bench_clear (&b);
}

static void
add_trial (const Engine *engine, const Case *fault)
{
  Trial *trial = g_new (Trial, 1);
  const char *stage = engine->is_voice ? "tts" : "translation";
  g_autofree char *alone = g_strdup_printf (
      "/sts/http-faults/alone/%s/%s/%s", stage, engine->name, fault->name);
  g_autofree char *with = g_strdup_printf ("/sts/http-faults/with-another/%s/"
                                           "%s/%s",
      stage, engine->name, fault->name);

  *trial = (Trial){engine, fault};
  g_test_add_data_func_full (alone, trial, test_alone, g_free);
  if (g_strcmp0 (fault->code, "TIMEOUT") != 0)
    g_test_add_data_func_full (
        with, g_memdup2 (trial, sizeof *trial), test_with_another, g_free);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  for (guint e = 0; e < G_N_ELEMENTS (engines); e++)
    for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
      add_trial (&engines[e], &cases[i]);
  return g_test_run ();
}
