/* SPDX-License-Identifier: Apache-2.0 */
#include "tts/http_voice.h"

#include "http/http_json.h"
#include "http_peer.h"

#include <dubbing_common/clock.h>
#include <dubbing_common/error.h>
#include <gst/gst.h>
#include <math.h>
#include <string.h>

/* The voices over HTTP against a server that plays what theirs are documented
 * to answer, and what no server should. */

#define KEY "key-0123456789"
#define RATE_HZ 24000
#define WAV_HEADER 44

static const char voices_text[] =
    "languages:\n"
    "  es:\n"
    "    - { engine: elevenlabs, voice: 'a/b', stability: 0 }\n"
    "    - { engine: openai, voice: nova, speed: 1.1, model: m2 }\n"
    "    - { engine: coqui, voice: p225 }\n";

typedef struct {
  HttpPeer *peer;
  DubTts *tts;
  DubTtsOptions options;
  gboolean is_done;
  guint n_done;
  GBytes *samples;
  guint rate_hz;
  GError *error;
} Fixture;

/* ---- sounds ---------------------------------------------------------------
 */

static void
put32 (guint8 *at, guint32 value)
{
  value = GUINT32_TO_LE (value);
  memcpy (at, &value, 4);
}

/* Half a second of a tone, or of nothing. (transfer full) */
static guint8 *
wav (guint rate_hz, double amplitude, gsize *ret_size)
{
  gsize count = rate_hz / 2;
  guint8 *bytes = g_malloc0 (WAV_HEADER + count * 2);

  memcpy (bytes, "RIFF....WAVEfmt ", 16);
  put32 (bytes + 4, (guint32) (36 + count * 2));
  put32 (bytes + 16, 16);
  bytes[20] = bytes[22] = 1;
  put32 (bytes + 24, rate_hz);
  put32 (bytes + 28, rate_hz * 2);
  bytes[32] = 2;
  bytes[34] = 16;
  memcpy (bytes + 36, "data", 4);
  put32 (bytes + 40, (guint32) (count * 2));
  for (gsize i = 0; i < count; i++) {
    gint16 value = (gint16) (amplitude * 32000 * sin (i * 0.1));
    memcpy (bytes + WAV_HEADER + i * 2, &value, 2);
  }
  *ret_size = WAV_HEADER + count * 2;
  return bytes;
}

/* ---- fixture --------------------------------------------------------------
 */

static void
on_spoken (
    GBytes *samples, guint rate_hz, const GError *error, gpointer user_data)
{
  Fixture *f = user_data;

  g_assert_true ((samples == NULL) == (error != NULL));
  f->is_done = TRUE;
  f->n_done++;
  f->rate_hz = rate_hz;
  if (samples != NULL)
    f->samples = g_bytes_ref (samples);
  else
    f->error = g_error_copy (error);
}

static void
start (Fixture *f, const char *engine)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DubVoices) voices =
      dub_voices_parse ("v", voices_text, strlen (voices_text), &error);
  DubTtsSettings settings = {.options = &f->options, .voices = voices};

  g_assert_no_error (error);
  f->tts = dub_tts_provider_find (engine)->create (&settings);
}

static void
set_up (Fixture *f, gconstpointer engine)
{
  f->peer = http_peer_new ();
  f->options = (DubTtsOptions){
      .elevenlabs_key = (char *) KEY,
      .elevenlabs_url = (char *) http_peer_url (f->peer),
      .elevenlabs_model = (char *) "eleven_flash_v2_5",
      .speech_url = (char *) http_peer_url (f->peer),
      .speech_key = (char *) KEY,
      .speech_model = (char *) "tts-1",
      .coqui_url = (char *) http_peer_url (f->peer),
  };
  start (f, engine);
}

static void
forget (Fixture *f)
{
  f->is_done = FALSE;
  g_clear_pointer (&f->samples, g_bytes_unref);
  g_clear_error (&f->error);
}

static void
tear_down (Fixture *f, gconstpointer engine)
{
  if (f->tts != NULL)
    f->tts->provider->free (f->tts);
  http_peer_settle ();
  http_peer_free (f->peer);
  forget (f);
}

static guint64
ask (Fixture *f, const char *language, double speed, guint ms)
{
  DubTtsRequest request = {.text = "¿Qué \"tal\"?",
      .language = language,
      .voice = "default",
      .speed = speed,
      .deadline_ns = g_get_monotonic_time () * 1000 + ms * DUB_NS_PER_MS};

  forget (f);
  return f->tts->provider->synthesise (f->tts, &request, on_spoken, f);
}

static void
say (Fixture *f)
{
  ask (f, "es-MX", 1.15, 15000);
  g_assert_false (f->is_done); /* never from inside */
  http_peer_wait (&f->is_done);
}

static void
push (Fixture *f, const guint8 *body, gsize size, const char *type)
{
  http_peer_push (f->peer, (HttpPeerAnswer){.body = (const char *) body,
                               .body_bytes = size,
                               .content_type = type});
}

static JsonNode *
sent (Fixture *f, guint index)
{
  const char *body = http_peer_get (f->peer, index)->body;
  g_autoptr (GBytes) bytes = g_bytes_new (body, strlen (body));
  g_autoptr (GError) error = NULL;
  JsonNode *root = dub_http_json_parse (bytes, &error);

  g_assert_no_error (error);
  return root;
}

static double
sent_number (JsonNode *root, const char *path)
{
  JsonNode *node = dub_http_json_get (root, path);

  g_assert_nonnull (node);
  return json_node_get_double (node);
}

/* ---- what is sent, and what a good answer gives ---------------------------
 */

static void
test_elevenlabs (Fixture *f, gconstpointer data)
{
  gsize size = 0;
  g_autofree guint8 *sound = wav (RATE_HZ, 0.5, &size);
  const HttpPeerRequest *request = NULL;
  g_autoptr (JsonNode) body = NULL;

  push (f, sound + WAV_HEADER, size - WAV_HEADER, "audio/pcm");
  say (f);
  g_assert_no_error (f->error);
  g_assert_cmpuint (f->rate_hz, ==, RATE_HZ);
  g_assert_cmpuint (g_bytes_get_size (f->samples), ==, RATE_HZ / 2 * 4);
  request = http_peer_get (f->peer, 0);
  g_assert_cmpstr (request->method, ==, "POST");
  g_assert_cmpstr (request->query, ==, "output_format=pcm_24000");
  g_assert_true (g_str_has_prefix (request->path, "/v1/text-to-speech/a"));
  g_assert_cmpstr (
      g_hash_table_lookup (request->headers, "xi-api-key"), ==, KEY);
  body = sent (f, 0);
  g_assert_cmpstr (
      dub_http_json_get_string (body, "text"), ==, "¿Qué \"tal\"?");
  g_assert_cmpstr (
      dub_http_json_get_string (body, "model_id"), ==, "eleven_flash_v2_5");
  g_assert_cmpstr (dub_http_json_get_string (body, "language_code"), ==, "es");
  g_assert_cmpfloat_with_epsilon (
      sent_number (body, "voice_settings.speed"), 1.15, 1e-9);
  /* 0 is a value, and what is not said becomes the service's own. */
  g_assert_cmpfloat (sent_number (body, "voice_settings.stability"), ==, 0);
  g_assert_cmpfloat (
      sent_number (body, "voice_settings.similarity_boost"), ==, 0.75);
  g_assert_cmpfloat (f->tts->max_speed, ==, 1.2);
}

static void
test_openai (Fixture *f, gconstpointer data)
{
  gsize size = 0;
  g_autofree guint8 *sound = wav (44100, 0.5, &size);
  const HttpPeerRequest *request = NULL;
  g_autoptr (JsonNode) body = NULL;

  push (f, sound, size, "audio/wav");
  say (f);
  g_assert_no_error (f->error);
  g_assert_cmpuint (f->rate_hz, ==, 44100); /* what it says, not what we like */
  request = http_peer_get (f->peer, 0);
  g_assert_cmpstr (request->path, ==, "/audio/speech");
  g_assert_cmpstr (g_hash_table_lookup (request->headers, "authorization"), ==,
      "Bearer " KEY);
  body = sent (f, 0);
  g_assert_cmpstr (dub_http_json_get_string (body, "model"), ==, "m2");
  g_assert_cmpstr (dub_http_json_get_string (body, "voice"), ==, "nova");
  g_assert_cmpstr (
      dub_http_json_get_string (body, "response_format"), ==, "wav");
  g_assert_cmpfloat_with_epsilon (
      sent_number (body, "speed"), 1.15 * 1.1, 1e-9);
}

static void
test_coqui (Fixture *f, gconstpointer data)
{
  gsize size = 0;
  g_autofree guint8 *sound = wav (22050, 0.5, &size);
  const HttpPeerRequest *request = NULL;

  push (f, sound, size, "audio/wav");
  say (f);
  g_assert_no_error (f->error);
  g_assert_cmpuint (f->rate_hz, ==, 22050);
  request = http_peer_get (f->peer, 0);
  g_assert_cmpstr (request->method, ==, "GET");
  g_assert_cmpstr (request->path, ==, "/api/tts");
  g_assert_nonnull (strstr (request->query, "speaker_id=p225"));
  g_assert_nonnull (strstr (request->query, "language_id=es"));
  g_assert_null (strchr (request->query, '"'));
  g_assert_null (g_hash_table_lookup (request->headers, "authorization"));
  g_assert_cmpfloat (f->tts->max_speed, ==, 1);
}

/* A real MP3 from a server that was asked for something else. */
static void
test_mp3 (Fixture *f, gconstpointer data)
{
  g_autofree char *bytes = NULL;
  gsize size = 0;

  g_assert_true (g_file_get_contents (DUB_TEST_MP3, &bytes, &size, NULL));
  push (f, (const guint8 *) bytes, MIN (size, 60000), "audio/mpeg");
  say (f);
  g_assert_no_error (f->error);
  g_assert_cmpuint (f->rate_hz, >=, 8000);
  g_assert_cmpuint (g_bytes_get_size (f->samples) / 4 / f->rate_hz, >=, 1);
}

/* ---- what no server should -------------------------------------------------
 */

static void
expect (Fixture *f, gint code, gboolean is_retryable)
{
  g_test_message ("%s", f->error != NULL ? f->error->message : "no error");
  g_assert_error (f->error, DUB_ERROR, code);
  g_assert_cmpint (dub_error_is_retryable (f->error), ==, is_retryable);
  g_assert_nonnull (strstr (f->error->message, f->tts->provider->name));
  g_assert_null (strstr (f->error->message, KEY));
  g_assert_null (strstr (f->error->message, "tal"));
}

static void
test_no_speech (Fixture *f, gconstpointer data)
{
  gsize size = 0, odd = 0;
  g_autofree guint8 *silence = wav (RATE_HZ, 0, &size);
  g_autofree guint8 *slow = wav (6000, 0.5, &odd);
  g_autofree char *garbage = g_strnfill (5000, 'g');
  const struct {
    const guint8 *body;
    gsize size;
    const char *type;
  } cases[] = {
      {silence, size, "audio/wav"},
      {silence, 20, "audio/wav"}, /* half a header */
      {silence, WAV_HEADER, "audio/wav"},
      {slow, odd, "audio/wav"},
      {(const guint8 *) garbage, 5000, "audio/wav"},
      {(const guint8 *) garbage, 5000, "audio/mpeg"},
      {(const guint8 *) "{\"error\": \"busy\"}", 17, "application/json"},
      {(const guint8 *) "<html>", 6, "text/html"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    push (f, cases[i].body, cases[i].size, cases[i].type);
    say (f);
    expect (f, DUB_ERROR_ENGINE, TRUE);
  }
}

/* 32-bit float of which not one is a number. */
static void
test_nan (Fixture *f, gconstpointer data)
{
  gsize size = 0;
  g_autofree guint8 *sound = wav (RATE_HZ, 0.5, &size);

  sound[20] = 3;
  sound[34] = 32;
  memset (sound + WAV_HEADER, 0xff, size - WAV_HEADER);
  push (f, sound, size, "audio/wav");
  say (f);
  expect (f, DUB_ERROR_ENGINE, TRUE);
}

static void
test_too_much (Fixture *f, gconstpointer data)
{
  gsize size = 10 * 1024 * 1024;
  g_autofree guint8 *bytes = g_malloc (size);

  memset (bytes, 0x11, size);
  push (f, bytes, size, "audio/pcm");
  say (f);
  expect (f, DUB_ERROR_LIMIT, FALSE);
  /* Small enough to be taken, and longer than anybody speaks. */
  push (f, bytes, 4 * 1024 * 1024, "audio/pcm");
  say (f);
  expect (f, DUB_ERROR_LIMIT, FALSE);
}

static void
test_statuses (Fixture *f, gconstpointer data)
{
  static const struct {
    guint status;
    const char *body;
    gint code;
    gboolean is_retryable;
  } cases[] = {
      {401, "{\"detail\": {\"status\": \"invalid_api_key\"}}", DUB_ERROR_AUTH,
          FALSE},
      {401, "{\"detail\": {\"status\": \"quota_exceeded\"}}", DUB_ERROR_AUTH,
          FALSE},
      {400, "{\"detail\": {\"status\": \"voice_not_found\"}}",
          DUB_ERROR_NOT_FOUND, FALSE},
      {400, "{\"detail\": {\"status\": \"max_character_limit_exceeded\"}}",
          DUB_ERROR_LIMIT, FALSE},
      /* Digits in a message mean nothing. */
      {422, "{\"detail\": [{\"msg\": \"429 500 401\"}]}", DUB_ERROR_INVALID,
          FALSE},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    http_peer_push (f->peer, (HttpPeerAnswer){.status = cases[i].status,
                                 .body = cases[i].body,
                                 .content_type = "application/json"});
    say (f);
    expect (f, cases[i].code, cases[i].is_retryable);
  }
}

/* Busy once, then well: tried again while there is time. */
static void
test_tries_again (Fixture *f, gconstpointer data)
{
  gsize size = 0;
  g_autofree guint8 *sound = wav (RATE_HZ, 0.5, &size);

  http_peer_push (f->peer, (HttpPeerAnswer){.status = 500, .body = "x"});
  push (f, sound, size, "audio/wav");
  say (f);
  g_assert_no_error (f->error);
  g_assert_cmpuint (http_peer_count (f->peer), ==, 2);
}

static void
test_hangs (Fixture *f, gconstpointer data)
{
  http_peer_push (f->peer, (HttpPeerAnswer){.raw = "HTTP/1.1 200 OK\r\n"
                                                   "Content-Length: 100\r\n"
                                                   "\r\nRIFF",
                               .end = HTTP_PEER_HOLD});
  ask (f, "es", 1, 200);
  http_peer_wait (&f->is_done);
  expect (f, DUB_ERROR_TIMEOUT, TRUE);
}

/* ---- ours ------------------------------------------------------------------
 */

static void
test_cancel_and_free (Fixture *f, gconstpointer data)
{
  gsize size = 0;
  g_autofree guint8 *sound = wav (RATE_HZ, 0.5, &size);
  guint64 id;

  push (f, sound, size, "audio/wav");
  id = ask (f, "es", 1, 15000);
  f->tts->provider->cancel (f->tts, id);
  f->tts->provider->cancel (f->tts, id);
  http_peer_settle ();
  g_assert_cmpuint (f->n_done, ==, 0);
  ask (f, "es", 1, 15000);
  f->tts->provider->free (g_steal_pointer (&f->tts));
  g_assert_cmpuint (f->n_done, ==, 1);
  g_assert_error (f->error, DUB_ERROR, DUB_ERROR_DISCONNECTED);
}

static void
test_voices (Fixture *f, gconstpointer data)
{
  const DubTtsProvider *provider = f->tts->provider;

  g_assert_true (provider->has_voice (f->tts, "es", "default"));
  g_assert_true (provider->has_voice (f->tts, "es-MX", NULL));
  g_assert_false (provider->has_voice (f->tts, "fr", "default"));
  g_assert_false (provider->has_voice (f->tts, "es", "nobody"));
  ask (f, "fr", 1, 15000);
  http_peer_wait (&f->is_done);
  expect (f, DUB_ERROR_NOT_FOUND, FALSE);
  g_assert_cmpuint (http_peer_count (f->peer), ==, 0);
}

/* A key that is not set is said at once, by its name. */
static void
test_not_set (void)
{
  static const char *const missing[][2] = {{"elevenlabs", "ELEVENLABS_API_KEY"},
      {"openai", "OPENAI_SPEECH_URL"}, {"coqui", "COQUI_URL"}};

  for (guint i = 0; i < G_N_ELEMENTS (missing); i++) {
    Fixture f = {NULL};
    g_autoptr (GError) error = NULL;
    const DubTtsSettings settings = {.options = &f.options};

    start (&f, missing[i][0]);
    g_assert_false (f.tts->provider->is_installed (&settings));
    g_assert_false (f.tts->provider->is_ready (f.tts, &error));
    g_assert_nonnull (strstr (error->message, missing[i][1]));
    ask (&f, "es", 1, 1000);
    http_peer_wait (&f.is_done);
    g_assert_error (f.error, DUB_ERROR, DUB_ERROR_INVALID);
    f.tts->provider->free (f.tts);
    forget (&f);
  }
}

#define ADD(path, engine, test)                                                \
  g_test_add ("/sts/tts/http/" path, Fixture, engine, set_up, test, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  ADD ("elevenlabs", "elevenlabs", test_elevenlabs);
  ADD ("openai", "openai", test_openai);
  ADD ("coqui", "coqui", test_coqui);
  ADD ("mp3", "openai", test_mp3);
  ADD ("no-speech", "openai", test_no_speech);
  ADD ("nan", "coqui", test_nan);
  ADD ("too-much", "elevenlabs", test_too_much);
  ADD ("statuses", "elevenlabs", test_statuses);
  ADD ("tries-again", "openai", test_tries_again);
  ADD ("hangs", "coqui", test_hangs);
  ADD ("cancel-and-free", "openai", test_cancel_and_free);
  ADD ("voices", "openai", test_voices);
  g_test_add_func ("/sts/tts/http/not-set", test_not_set);
  return g_test_run ();
}
