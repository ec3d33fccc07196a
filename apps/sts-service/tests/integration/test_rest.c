/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit/jobs.h"
#include "service.h"

#include <json-glib/json-glib.h>
#include <string.h>

/* POST /api/v1/sts/process against the program itself, as a client that knows
 * only HTTP and JSON would use it. */

#define PATH "/api/v1/sts/process"
#define KEY "a key for this test"
#define JSON_TYPE "application/json"

static Service service;

typedef struct {
  guint status;
  char *type;
  char *allow;      /* (nullable) */
  JsonObject *json; /* (nullable) */
} Answer;

static void
answer_clear (Answer *answer)
{
  g_free (answer->type);
  g_free (answer->allow);
  g_clear_pointer (&answer->json, json_object_unref);
}

typedef struct {
  const char *method, *path, *key, *type, *body; /* key, type: (nullable) */
} Asked;

static void
ask (const Asked *asked, Answer *ret)
{
  const char *key = asked->key, *type = asked->type, *body = asked->body;
  g_autofree char *url = g_strconcat (service.url, asked->path, NULL);
  g_autoptr (SoupMessage) message = soup_message_new (asked->method, url);
  g_autoptr (GBytes) bytes = g_bytes_new (body, strlen (body));
  g_autoptr (GBytes) got = NULL;
  g_autoptr (JsonNode) node = NULL;
  SoupMessageHeaders *headers = soup_message_get_request_headers (message);

  soup_message_set_request_body_from_bytes (message, type, bytes);
  if (key != NULL) {
    g_autofree char *value = g_strconcat ("Bearer ", key, NULL);
    soup_message_headers_replace (headers, "Authorization", value);
  }
  got = soup_session_send_and_read (service.http, message, NULL, NULL);
  ret->status = soup_message_get_status (message);
  ret->type = g_strdup (soup_message_headers_get_content_type (
      soup_message_get_response_headers (message), NULL));
  ret->allow = g_strdup (soup_message_headers_get_one (
      soup_message_get_response_headers (message), "Allow"));
  if (got != NULL && g_bytes_get_size (got) > 0) {
    g_autofree char *text =
        g_strndup (g_bytes_get_data (got, NULL), g_bytes_get_size (got));
    node = json_from_string (text, NULL);
  }
  ret->json = node != NULL && JSON_NODE_HOLDS_OBJECT (node)
                  ? json_object_ref (json_node_get_object (node))
                  : NULL;
}

static void
post (const char *path, const char *key, const char *type, const char *body,
    Answer *ret)
{
  ask (&(Asked){"POST", path, key, type, body}, ret);
}

/* (transfer full) */
static char *
request_text (const char *target, const char *voice, const char *sound)
{
  return g_strdup_printf (
      "{\"source_language\":\"es\",\"target_language\":\"%s\","
      "\"voice_profile\":\"%s\",\"timeout_ms\":20000,\"audio\":{"
      "\"format\":\"pcm_s16le\",\"sample_rate_hz\":48000,\"channels\":1,"
      "\"duration_ms\":2000,\"data_base64\":\"%s\"}}",
      target, voice, sound);
}

/* (transfer full) */
static char *
sound_text (void)
{
  g_autoptr (DubJob) job = job_new (2, 0.2, 0);

  return g_base64_encode (g_bytes_get_data (job->sound.data, NULL),
      g_bytes_get_size (job->sound.data));
}

static void
expect_problem (
    Answer *answer, guint status, const char *code, const char *part)
{
  const char *detail = NULL;

  g_assert_cmpuint (answer->status, ==, status);
  g_assert_cmpstr (answer->type, ==, "application/problem+json");
  g_assert_nonnull (answer->json);
  g_assert_cmpint (
      json_object_get_int_member (answer->json, "status"), ==, status);
  g_assert_cmpstr (
      json_object_get_string_member (answer->json, "code"), ==, code);
  g_assert_true (json_object_has_member (answer->json, "retryable"));
  detail = json_object_get_string_member (answer->json, "detail");
  if (part != NULL && strstr (detail, part) == NULL)
    g_error ("no \"%s\" in \"%s\"", part, detail);
  answer_clear (answer);
}

static void
test_dubs (void)
{
  g_autofree char *sound = sound_text ();
  g_autofree char *body = request_text ("en", "default", sound);
  g_autofree guchar *mp4 = NULL;
  Answer answer = {0};
  JsonObject *audio = NULL, *engines = NULL;
  gsize length = 0;

  post (PATH, KEY, JSON_TYPE, body, &answer);
  g_assert_cmpuint (answer.status, ==, 200);
  g_assert_cmpstr (answer.type, ==, JSON_TYPE);
  g_assert_cmpstr (
      json_object_get_string_member (answer.json, "status"), ==, "success");
  g_assert_cmpstr (json_object_get_string_member (answer.json, "transcript"),
      ==, "This is what the mock recogniser hears.");
  engines = json_object_get_object_member (answer.json, "engines");
  g_assert_cmpstr (
      json_object_get_string_member (engines, "asr"), ==, "mock-asr");
  g_assert_cmpstr (json_object_get_string_member (engines, "translation"), ==,
      "mock-identity-v1");
  g_assert_cmpstr (
      json_object_get_string_member (engines, "tts"), ==, "mock-fixed-tone-v1");
  audio = json_object_get_object_member (answer.json, "dubbed_audio");
  g_assert_cmpstr (json_object_get_string_member (audio, "format"), ==, "m4a");
  mp4 = g_base64_decode (
      json_object_get_string_member (audio, "data_base64"), &length);
  g_assert_cmpuint (length, >, 1000);
  g_assert_cmpmem (mp4 + 4, 4, "ftyp", 4);
  answer_clear (&answer);
}

static void
test_key (void)
{
  Answer answer = {0};

  post (PATH, NULL, JSON_TYPE, "{}", &answer);
  expect_problem (&answer, 401, "AUTH_FAILED", "Bearer");
  post (PATH, "another key", JSON_TYPE, "{}", &answer);
  expect_problem (&answer, 401, "AUTH_FAILED", NULL);
}

/* Each fault is named; none costs the service more than the answer. */
static void
test_bad_requests (void)
{
  g_autofree char *sound = sound_text ();
  g_autofree char *voice = request_text ("en", "nobody", sound);
  g_autofree char *no_sound = request_text ("en", "default", "");
  g_autofree char *no_base64 = request_text ("en", "default", "@@@");
  g_autofree char *huge = g_strnfill (2 * 1024 * 1024, ' ');
  const struct {
    const char *path, *type, *body;
    guint status;
    const char *code, *part;
  } cases[] = {
      {PATH, JSON_TYPE, "", 400, "MALFORMED_DATA", NULL},
      {PATH, JSON_TYPE, "[1]", 400, "MALFORMED_DATA", "object"},
      {PATH, JSON_TYPE, "{\"a\":", 400, "MALFORMED_DATA", NULL},
      {PATH, JSON_TYPE, "{}", 400, "MALFORMED_DATA", "audio"},
      {PATH, JSON_TYPE, "{\"target_language\":7}", 400, "INVALID_CONFIG",
          "target_language"},
      {PATH, JSON_TYPE, "{\"timeout_ms\":1}", 400, "INVALID_CONFIG",
          "timeout_ms"},
      {PATH, JSON_TYPE, voice, 422, "INVALID_VOICE_PROFILE", "nobody"},
      {PATH, JSON_TYPE, no_sound, 400, "MALFORMED_DATA", "data_base64"},
      {PATH, JSON_TYPE, no_base64, 422, "INVALID_AUDIO_FORMAT", NULL},
      {PATH, "text/plain", "{}", 415, "MALFORMED_DATA", "application/json"},
      {PATH, JSON_TYPE, huge, 413, "FRAGMENT_TOO_LARGE", "large"},
      {PATH "/more", JSON_TYPE, "{}", 404, "MALFORMED_DATA", NULL},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    Answer answer = {0};
    post (cases[i].path, KEY, cases[i].type, cases[i].body, &answer);
    expect_problem (&answer, cases[i].status, cases[i].code, cases[i].part);
  }
}

static void
test_other_methods (void)
{
  guint status = 0;

  g_free (service_get (&service, PATH, &status));
  g_assert_cmpuint (status, ==, 401);
  /* Paths without use for a body take none. */
  Answer answer = {0};
  post ("/health", KEY, JSON_TYPE, "{}", &answer);
  g_assert_cmpuint (answer.status, ==, 405);
  g_assert_cmpstr (answer.allow, ==, "GET, HEAD");
  answer_clear (&answer);
  answer = (Answer){0};
  ask (&(Asked){"PUT", PATH, KEY, JSON_TYPE, "{}"}, &answer);
  g_assert_cmpstr (answer.allow, ==, "POST");
  expect_problem (&answer, 405, "MALFORMED_DATA", "POST");
}

/* (transfer full) */
static char *
metrics_text (void)
{
  g_autofree char *url = g_strconcat (service.url, "/metrics", NULL);
  g_autoptr (SoupMessage) message = soup_message_new ("GET", url);
  g_autoptr (GBytes) body = NULL;

  soup_message_headers_replace (soup_message_get_request_headers (message),
      "Authorization", "Bearer " KEY);
  body = soup_session_send_and_read (service.http, message, NULL, NULL);
  return g_strndup (g_bytes_get_data (body, NULL), g_bytes_get_size (body));
}

/* What it finds wrong with names that existing dashboards ask for
 * (server/metric_aliases.c), and nothing else. */
static gboolean
is_old_name (const char *finding)
{
  static const char *const allowed[] = {
      "ws_fragment_processing_ms metric names should not contain abbreviated "
      "units",
      "ws_queue_wait_time_ms metric names should not contain abbreviated units",
      "", NULL};

  return g_strv_contains (allowed, finding);
}

/* By the tool of those who read them. */
static void
test_metrics_are_clean (void)
{
  g_autofree char *promtool = g_find_program_in_path ("promtool");
  g_autofree char *text = metrics_text ();
  g_autofree char *out = NULL;
  g_auto (GStrv) findings = NULL;
  g_autoptr (GSubprocess) process = NULL;

  if (promtool == NULL) {
    g_test_skip ("promtool is not installed");
    return;
  }
  process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE |
                                  G_SUBPROCESS_FLAGS_STDOUT_PIPE |
                                  G_SUBPROCESS_FLAGS_STDERR_MERGE,
      NULL, promtool, "check", "metrics", NULL);
  g_assert_true (
      g_subprocess_communicate_utf8 (process, text, NULL, &out, NULL, NULL));
  findings = g_strsplit (out, "\n", -1);
  for (guint i = 0; findings[i] != NULL; i++)
    if (!is_old_name (findings[i]))
      g_error ("promtool: %s", findings[i]);
  /* 3: it has found something; 1: it could not read it. */
  g_assert_cmpint (
      g_subprocess_get_exit_status (process), ==, *out == '\0' ? 0 : 3);
}

static void
test_counts (void)
{
  g_autofree char *text = metrics_text ();

  g_assert_nonnull (strstr (text, "sts_rest_requests_total{status=\"200\"} 1"));
  g_assert_nonnull (strstr (text, "sts_engine_requests_total{stage=\"asr\","
                                  "engine=\"mock-asr\",outcome=\"ok\"}"));
  g_assert_nonnull (strstr (text, "sts_sessions_active 0"));
}

int
main (int argc, char **argv)
{
  static const char *const settings[] = {"HOST", "127.0.0.1", "STS_API_KEY",
      KEY, "ASR_PROVIDER", "mock", "TRANSLATION_PROVIDER", "mock",
      "TTS_PROVIDER", "mock", "WS_MAX_BUFFER_SIZE", "1048576", "LOG_LEVEL",
      "warning", NULL};
  int status;

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/rest/dubs", test_dubs);
  g_test_add_func ("/sts/rest/key", test_key);
  g_test_add_func ("/sts/rest/bad-requests", test_bad_requests);
  g_test_add_func ("/sts/rest/other-methods", test_other_methods);
  g_test_add_func ("/sts/rest/counts", test_counts);
  g_test_add_func ("/sts/rest/metrics-are-clean", test_metrics_are_clean);
  service_start (&service, settings);
  status = g_test_run ();
  service_stop (&service);
  return status;
}
