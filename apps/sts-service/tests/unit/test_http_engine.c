/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http_engine.h"
#include "http/http_json.h"
#include "http/http_proxy.h"
#include "http/http_sort.h"
#include "http_peer.h"

#include <dubbing_common/clock.h>
#include <string.h>

#define KEY "key-0123456789"
#define SPOKEN "a word in confidence"
#define LONG_MS 15000

typedef struct {
  HttpPeer *peer;
  DubMetrics *metrics;
  DubHttpEngine *engine;
  gboolean is_done;
  guint n_done;
  guint status;
  char *body, *type;
  GError *error;
} Fixture;

static DubErrorCode
sort_by_field (guint status, JsonNode *body, DubErrorCode fallback)
{
  const char *code = dub_http_json_get_string (body, "error.code");

  return g_strcmp0 (code, "insufficient_quota") == 0 ? DUB_ERROR_AUTH
                                                     : fallback;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  DubHttpEngineSettings settings;

  dub_http_engine_settings_init (&settings);
  f->peer = http_peer_new ();
  f->metrics = dub_metrics_new ();
  settings.name = "mock";
  settings.metrics = f->metrics;
  settings.secret = KEY;
  settings.sort = sort_by_field;
  settings.backoff_ms = 5;
  settings.max_calls = 3;
  f->engine = dub_http_engine_new (&settings);
}

static void
forget (Fixture *f)
{
  f->is_done = FALSE;
  g_clear_pointer (&f->body, g_free);
  g_clear_pointer (&f->type, g_free);
  g_clear_error (&f->error);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  dub_http_engine_free (f->engine);
  http_peer_settle ();
  http_peer_free (f->peer);
  dub_metrics_unref (f->metrics);
  forget (f);
}

static void
on_done (const DubHttpAnswer *answer, const GError *error, gpointer user_data)
{
  Fixture *f = user_data;

  g_assert_true ((answer == NULL) == (error != NULL));
  f->is_done = TRUE;
  f->n_done++;
  if (error != NULL) {
    g_clear_error (&f->error);
    f->error = g_error_copy (error);
    return;
  }
  f->status = answer->status;
  f->type = g_strdup (answer->content_type);
  f->body = g_strndup (
      g_bytes_get_data (answer->body, NULL), g_bytes_get_size (answer->body));
}

static guint64
ask (Fixture *f, guint deadline_ms)
{
  static const char *const headers[] = {"Authorization", "Bearer " KEY, NULL};
  g_autofree char *url = g_strconcat (http_peer_url (f->peer), "/v1/do", NULL);
  g_autoptr (GBytes) body = g_bytes_new_static ("{\"a\":1}", 7);
  DubHttpRequest request = {
      .method = "POST",
      .url = url,
      .headers = headers,
      .content_type = "application/json",
      .body = body,
      .spoken = SPOKEN,
      .max_answer_bytes = 1000,
      .deadline_ns =
          g_get_monotonic_time () * 1000 + (gint64) deadline_ms * DUB_NS_PER_MS,
  };

  forget (f);
  return dub_http_engine_request (f->engine, &request, on_done, f);
}

static void
ask_and_wait (Fixture *f, guint deadline_ms)
{
  ask (f, deadline_ms);
  g_assert_false (f->is_done);
  http_peer_wait (&f->is_done);
}

static double
counted (Fixture *f, const char *result)
{
  static const char *const labels[] = {"engine", "result", NULL};
  DubMetric *metric =
      dub_metrics_counter (f->metrics, "sts_http_requests_total", NULL, labels);

  return dub_metric_get (metric, (const char *const[]){"mock", result, NULL});
}

static void
test_answers (Fixture *f, gconstpointer data)
{
  const HttpPeerRequest *request;

  http_peer_push (f->peer, (HttpPeerAnswer){.body = "{\"b\":2}"});
  ask_and_wait (f, LONG_MS);
  g_assert_no_error (f->error);
  g_assert_cmpstr (f->body, ==, "{\"b\":2}");
  g_assert_cmpstr (f->type, ==, "application/json");
  g_assert_cmpuint (f->status, ==, 200);
  request = http_peer_get (f->peer, 0);
  g_assert_cmpstr (request->method, ==, "POST");
  g_assert_cmpstr (request->path, ==, "/v1/do");
  g_assert_cmpstr (request->body, ==, "{\"a\":1}");
  g_assert_cmpstr (g_hash_table_lookup (request->headers, "authorization"), ==,
      "Bearer " KEY);
  g_assert_cmpfloat (counted (f, "ok"), ==, 1);
}

typedef struct {
  guint status;
  const char *body;
  DubErrorCode code;
  guint n_tries;
} StatusCase;

/* Words in a message decide nothing; a field that the engine names does. */
static void
test_sorts_by_status_and_field (Fixture *f, gconstpointer data)
{
  static const StatusCase cases[] = {
      {301, "", DUB_ERROR_PROTOCOL, 1},
      {400, "{\"message\":\"429 rate limit 500\"}", DUB_ERROR_INVALID, 1},
      {401, "", DUB_ERROR_AUTH, 1},
      {402, "", DUB_ERROR_AUTH, 1},
      {403, "not json", DUB_ERROR_AUTH, 1},
      {404, "", DUB_ERROR_NOT_FOUND, 1},
      {407, "", DUB_ERROR_AUTH, 1},
      {408, "", DUB_ERROR_TIMEOUT, 3},
      {410, "", DUB_ERROR_NOT_FOUND, 1},
      {413, "", DUB_ERROR_LIMIT, 1},
      {414, "", DUB_ERROR_LIMIT, 1},
      {415, "", DUB_ERROR_UNSUPPORTED, 1},
      {422, "[]", DUB_ERROR_INVALID, 1},
      {425, "", DUB_ERROR_OVERLOADED, 3},
      {429, "", DUB_ERROR_OVERLOADED, 3},
      {429, "{\"error\":{\"code\":\"insufficient_quota\"}}", DUB_ERROR_AUTH, 1},
      {431, "", DUB_ERROR_LIMIT, 1},
      {456, "", DUB_ERROR_AUTH, 1},
      {500, "{\"error\":\"invalid 400 api key\"}", DUB_ERROR_ENGINE, 3},
      {501, "", DUB_ERROR_UNSUPPORTED, 1},
      {503, "", DUB_ERROR_UNAVAILABLE, 3},
      {504, "", DUB_ERROR_TIMEOUT, 3},
      {529, "", DUB_ERROR_OVERLOADED, 3},
      {599, "", DUB_ERROR_UNAVAILABLE, 3},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    guint before = http_peer_count (f->peer);

    for (guint n = 0; n < cases[i].n_tries; n++)
      http_peer_push (f->peer, (HttpPeerAnswer){.status = cases[i].status,
                                   .body = cases[i].body,
                                   .header = "Location",
                                   .value = "http://127.0.0.1:1/"});
    ask_and_wait (f, LONG_MS);
    g_assert_error (f->error, DUB_ERROR, (gint) cases[i].code);
    g_assert_cmpuint (http_peer_count (f->peer) - before, ==, cases[i].n_tries);
  }
}

static void
test_tries_again (Fixture *f, gconstpointer data)
{
  http_peer_push (f->peer, (HttpPeerAnswer){.status = 429});
  http_peer_push (f->peer, (HttpPeerAnswer){.raw = "", .end = HTTP_PEER_RESET});
  http_peer_push (f->peer, (HttpPeerAnswer){.body = "third"});
  ask_and_wait (f, LONG_MS);
  g_assert_no_error (f->error);
  g_assert_cmpstr (f->body, ==, "third");
  g_assert_cmpuint (http_peer_count (f->peer), ==, 3);
}

/* No time for a wait that long; and the engine is left alone for it. */
static void
test_obeys_retry_after (Fixture *f, gconstpointer data)
{
  gint64 start = g_get_monotonic_time ();

  http_peer_push (f->peer, (HttpPeerAnswer){
                               .status = 429,
                               .header = "Retry-After",
                               .value = "30",
                           });
  ask_and_wait (f, LONG_MS);
  g_assert_error (f->error, DUB_ERROR, DUB_ERROR_OVERLOADED);
  ask_and_wait (f, LONG_MS);
  g_assert_error (f->error, DUB_ERROR, DUB_ERROR_OVERLOADED);
  g_assert_cmpuint (http_peer_count (f->peer), ==, 1);
  g_assert_cmpint (g_get_monotonic_time () - start, <, LONG_MS * (gint64) 1000);
}

static void
test_waits_as_retry_after_says (Fixture *f, gconstpointer data)
{
  gint64 start = g_get_monotonic_time ();

  http_peer_push (f->peer, (HttpPeerAnswer){
                               .status = 503,
                               .header = "Retry-After",
                               .value = "1",
                           });
  http_peer_push (f->peer, (HttpPeerAnswer){.body = "now"});
  ask_and_wait (f, LONG_MS);
  g_assert_cmpstr (f->body, ==, "now");
  g_assert_cmpint (g_get_monotonic_time () - start, >=, G_TIME_SPAN_SECOND);
}

typedef struct {
  HttpPeerAnswer answer;
  DubErrorCode code;
} BrokenCase;

/* Slow, stalled in the middle: an error at the deadline, nothing after it. */
static void
test_survives_bad_servers (Fixture *f, gconstpointer data)
{
  static const BrokenCase cases[] = {
      {{.body = "late", .delay_ms = 600}, DUB_ERROR_TIMEOUT},
      {{.raw = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
           .end = HTTP_PEER_HOLD},
          DUB_ERROR_TIMEOUT},
      {{.raw = "", .end = HTTP_PEER_HOLD}, DUB_ERROR_TIMEOUT},
      {{.raw = "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
           .end = HTTP_PEER_HOLD},
          DUB_ERROR_TIMEOUT},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    guint n_done = f->n_done;

    http_peer_push (f->peer, cases[i].answer);
    ask_and_wait (f, 300);
    g_assert_error (f->error, DUB_ERROR, (gint) cases[i].code);
    g_assert_cmpuint (f->n_done, ==, n_done + 1);
  }
  g_assert_cmpfloat (counted (f, "timeout"), ==, 4);
}

static void
test_tells_broken_connections (Fixture *f, gconstpointer data)
{
  static const BrokenCase cases[] = {
      {{.raw = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
           .end = HTTP_PEER_CLOSE},
          DUB_ERROR_DISCONNECTED},
      {{.raw = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
           .end = HTTP_PEER_RESET},
          DUB_ERROR_DISCONNECTED},
      {{.raw = "", .end = HTTP_PEER_RESET}, DUB_ERROR_DISCONNECTED},
      {{.raw = "SSH-2.0-not-http\r\n\r\n\r\n", .end = HTTP_PEER_CLOSE},
          DUB_ERROR_PROTOCOL},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    for (guint n = 0; n < 3; n++)
      http_peer_push (f->peer, cases[i].answer);
    ask_and_wait (f, LONG_MS);
    g_assert_error (f->error, DUB_ERROR, (gint) cases[i].code);
    while (http_peer_count (f->peer) % 3 != 0)
      ask_and_wait (f, LONG_MS);
  }
}

static void
test_bounds_the_answer (Fixture *f, gconstpointer data)
{
  static const char large[2000] = {'x'};

  http_peer_push (
      f->peer, (HttpPeerAnswer){.body = large, .body_bytes = sizeof large});
  ask_and_wait (f, LONG_MS);
  g_assert_error (f->error, DUB_ERROR, DUB_ERROR_LIMIT);
  g_assert_cmpuint (http_peer_count (f->peer), ==, 1);
}

/* A handshake costs more than the request. */
static void
test_keeps_the_connection (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 4; i++)
    http_peer_push (
        f->peer, (HttpPeerAnswer){.status = i == 2 ? 400 : 200, .body = "{}"});
  for (guint i = 0; i < 4; i++)
    ask_and_wait (f, LONG_MS);
  g_assert_cmpuint (http_peer_connections (f->peer), ==, 1);
}

static void
test_tells_refused (Fixture *f, gconstpointer data)
{
  g_autofree char *url = g_strdup (http_peer_url (f->peer));
  DubHttpRequest request = {.method = "GET",
      .url = url,
      .deadline_ns = g_get_monotonic_time () * 1000 + LONG_MS * DUB_NS_PER_MS};

  http_peer_free (f->peer);
  f->peer = http_peer_new ();
  g_assert_cmpstr (url, !=, http_peer_url (f->peer));
  dub_http_engine_request (f->engine, &request, on_done, f);
  http_peer_wait (&f->is_done);
  g_assert_error (f->error, DUB_ERROR, DUB_ERROR_UNAVAILABLE);
}

static void
test_shows_no_secret (Fixture *f, gconstpointer data)
{
  http_peer_push (f->peer, (HttpPeerAnswer){.status = 400,
                               .body = "{\"error\":{\"message\":\"" KEY
                                       " may not say\\n'" SPOKEN "'\"}}"});
  ask_and_wait (f, LONG_MS);
  g_assert_error (f->error, DUB_ERROR, DUB_ERROR_INVALID);
  g_assert_cmpstr (
      f->error->message, ==, "mock: HTTP 400: *** may not say '***'");
}

static void
test_cancel (Fixture *f, gconstpointer data)
{
  guint64 id;

  http_peer_push (f->peer, (HttpPeerAnswer){.body = "late", .delay_ms = 50});
  http_peer_push (f->peer, (HttpPeerAnswer){.body = "second"});
  id = ask (f, LONG_MS);
  g_assert_true (dub_http_engine_cancel (f->engine, id) == f);
  g_assert_null (dub_http_engine_cancel (f->engine, id));
  id = ask (f, LONG_MS);
  while (http_peer_count (f->peer) < 1)
    g_main_context_iteration (NULL, TRUE);
  dub_http_engine_cancel (f->engine, id);
  ask_and_wait (f, LONG_MS);
  g_assert_cmpstr (f->body, ==, "second");
  g_assert_cmpuint (f->n_done, ==, 1);
}

static void
test_bounds_what_is_under_way (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 3; i++) {
    http_peer_push (
        f->peer, (HttpPeerAnswer){.raw = "", .end = HTTP_PEER_HOLD});
    ask (f, LONG_MS);
  }
  ask_and_wait (f, LONG_MS);
  g_assert_error (f->error, DUB_ERROR, DUB_ERROR_OVERLOADED);
  dub_http_engine_free (g_steal_pointer (&f->engine));
  g_assert_cmpuint (f->n_done, ==, 4);
  g_assert_error (f->error, DUB_ERROR, DUB_ERROR_DISCONNECTED);
}

static void
test_retry_after (void)
{
  static const struct {
    const char *value;
    gint64 expected_ms;
  } cases[] = {
      {NULL, -1},
      {"", -1},
      {"soon", -1},
      {"-5", -1},
      {"0", 0},
      {"120", 120000},
      {"99999999999999999999", -1},
      {"Thu, 01 Jan 1970 00:20:00 GMT", 200000},
      {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpint (dub_http_retry_after_ms (cases[i].value, 1000), ==,
        cases[i].expected_ms);
}

static void
assert_proxy (const char *environment, const char *url, const char *expected)
{
  g_auto (GStrv) variables = g_strsplit (environment, " ", -1);
  g_autoptr (GProxyResolver) resolver = dub_http_proxy_new (variables);
  g_auto (GStrv) found = NULL;

  if (expected == NULL) {
    g_assert_null (resolver);
    return;
  }
  found = g_proxy_resolver_lookup (resolver, url, NULL, NULL);
  g_assert_cmpstr (found[0], ==, expected);
}

static void
test_proxy (void)
{
  static const char named[] = "https_proxy=http://a:1 http_proxy=http://b:2 "
                              "NO_PROXY=c.org,10.0.0.0/8";

  assert_proxy ("", "https://x.org/", NULL);
  assert_proxy ("HTTP_PROXY=http://a:1 https_proxy=", "http://x.org/", NULL);
  assert_proxy (named, "https://x.org/", "http://a:1");
  assert_proxy (named, "http://x.org/", "http://b:2");
  assert_proxy (named, "https://c.org/", "direct://");
  assert_proxy (named, "https://10.1.2.3/", "direct://");
  assert_proxy (named, "http://127.0.0.1:5000/", "direct://");
  assert_proxy (named, "http://localhost/", "direct://");
  assert_proxy ("ALL_PROXY=http://d:3", "https://x.org/", "http://d:3");
}

static void
test_url (void)
{
  static const char *const good[] = {
      "http://localhost:8080", "https://api.deepl.com/v2", "http://[::1]:1/x"};
  static const char *const bad[] = {"", "ftp://a/b", "http://", "https://u:p@h",
      "https://u@h/", "file:///etc/passwd", "not a url"};

  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_true (dub_http_url_check (good[i], NULL));
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_false (dub_http_url_check (bad[i], &error));
    g_assert_error (error, DUB_ERROR, DUB_ERROR_INVALID);
  }
}

static void
test_open_url (void)
{
  static const char *const open[] = {"http://api.example.org/v1",
      "http://192.0.2.1:5000", "http://[2001:db8::1]/"};
  static const char *const closed[] = {"https://api.example.org/v1",
      "http://localhost:8080", "http://127.0.0.1", "http://[::1]:1/", "x"};

  for (guint i = 0; i < G_N_ELEMENTS (open); i++)
    g_assert_true (dub_http_url_is_open (open[i]));
  for (guint i = 0; i < G_N_ELEMENTS (closed); i++)
    g_assert_false (dub_http_url_is_open (closed[i]));
}

static void
test_json_paths (void)
{
  g_autoptr (GBytes) body =
      g_bytes_new_static ("{\"a\":[{\"b\":\"x\"},3],\"c\":null}", 28);
  g_autoptr (JsonNode) root = dub_http_json_parse (body, NULL);

  g_assert_nonnull (root);
  g_assert_cmpstr (dub_http_json_get_string (root, "a.0.b"), ==, "x");
  g_assert_null (dub_http_json_get_string (root, "a.1"));
  g_assert_nonnull (dub_http_json_get (root, "a.1"));
  g_assert_null (dub_http_json_get (root, "a.2"));
  g_assert_null (dub_http_json_get (root, "a.-1"));
  g_assert_null (dub_http_json_get (root, "a.0.b.c"));
  g_assert_null (dub_http_json_get_string (root, "c"));
  g_assert_null (dub_http_json_get_string (NULL, "c"));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func)                                                        \
  g_test_add ("/sts/http-engine/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("answers", test_answers);
  ADD ("sorts-by-status-and-field", test_sorts_by_status_and_field);
  ADD ("tries-again", test_tries_again);
  ADD ("obeys-retry-after", test_obeys_retry_after);
  ADD ("waits-as-retry-after-says", test_waits_as_retry_after_says);
  ADD ("survives-bad-servers", test_survives_bad_servers);
  ADD ("tells-broken-connections", test_tells_broken_connections);
  ADD ("bounds-the-answer", test_bounds_the_answer);
  ADD ("keeps-the-connection", test_keeps_the_connection);
  ADD ("tells-refused", test_tells_refused);
  ADD ("shows-no-secret", test_shows_no_secret);
  ADD ("cancel", test_cancel);
  ADD ("bounds-what-is-under-way", test_bounds_what_is_under_way);
  g_test_add_func ("/sts/http-engine/retry-after", test_retry_after);
  g_test_add_func ("/sts/http-engine/proxy", test_proxy);
  g_test_add_func ("/sts/http-engine/url", test_url);
  g_test_add_func ("/sts/http-engine/open-url", test_open_url);
  g_test_add_func ("/sts/http-engine/json-paths", test_json_paths);
  return g_test_run ();
}
