/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * The real media-service with workers that only pretend: what it starts, when
 * it ends it, what it says, and what it finds again.
 */
typedef struct {
  Rig rig;
  guint port;
  Program *service;
  const char *stream_id; /* for the checks */
  const char *wanted;
  gint64 pid;
} Fixture;

static char *
url_of (Fixture *f, const char *path)
{
  return g_strdup_printf ("http://127.0.0.1:%u%s", f->port, path);
}

static gboolean
is_healthy (gpointer user_data)
{
  Fixture *f = user_data;
  g_autofree char *url = url_of (f, "/health/ready");

  return http_call ("GET", url, NULL, NULL, NULL) == 200;
}

static void
start_service (Fixture *f)
{
  const char *argv[] = {g_getenv ("MEDIA_SERVICE"), NULL};
  g_autofree char *port = NULL;

  f->port = free_port ();
  port = g_strdup_printf ("%u", f->port);
  rig_set (&f->rig, "PORT", port);
  f->service = rig_start (&f->rig, "media-service", argv);
  rig_wait (&f->rig, "media-service answers", is_healthy, f);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autofree char *runtime = NULL;

  rig_init (&f->rig);
  runtime = rig_path (&f->rig, "run");
  rig_set (&f->rig, "RUNTIME_DIR", runtime);
  rig_set (&f->rig, "ORCH_WORKER_COMMAND", g_getenv ("FAKE_WORKER"));
  rig_set (&f->rig, "ORCH_GRACE_PERIOD", "200ms");
  rig_set (&f->rig, "ORCH_STOP_TIMEOUT", "500ms");
  rig_set (&f->rig, "ORCH_RECONCILE_PERIOD", "0");
}

static void
set_up_started (Fixture *f, gconstpointer data)
{
  set_up (f, data);
  start_service (f);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  if (f->service != NULL && f->service->is_running)
    program_kill (f->service, SIGTERM);
  rig_clear (&f->rig);
}

static guint
post (Fixture *f, const char *path, const char *body, char **ret_body)
{
  g_autofree char *url = url_of (f, path);

  return http_call ("POST", url, body, NULL, ret_body);
}

static guint
tell (Fixture *f, const char *event, const char *id, const char *source,
    const char *query)
{
  g_autofree char *path = g_strconcat ("/v1/mediamtx/events/", event, NULL);
  g_autofree char *body =
      g_strdup_printf ("{\"path\":\"live/%s/in\",\"sourceType\":\"rtmpConn\","
                       "\"sourceId\":\"%s\",\"query\":\"%s\"}",
          id, source, query);

  return post (f, path, body, NULL);
}

/* What /v1/streams says of a stream. (transfer full) (nullable) */
static JsonObject *
look (Fixture *f, const char *id)
{
  g_autofree char *url = url_of (f, "/v1/streams");
  g_autoptr (JsonObject) answer = http_json (url);
  JsonArray *streams;

  if (answer == NULL)
    return NULL;
  streams = json_object_get_array_member (answer, "streams");
  for (guint i = 0; i < json_array_get_length (streams); i++) {
    JsonObject *stream = json_array_get_object_element (streams, i);

    if (g_str_equal (json_object_get_string_member (stream, "stream_id"), id))
      return json_object_ref (stream);
  }
  return NULL;
}

static gint64
pid_of (Fixture *f, const char *id)
{
  g_autoptr (JsonObject) stream = look (f, id);

  return stream == NULL ? 0
                        : json_object_get_int_member_with_default (
                              stream, "worker_pid", 0);
}

static gboolean
has_state (gpointer user_data)
{
  Fixture *f = user_data;
  g_autoptr (JsonObject) stream = look (f, f->stream_id);

  return stream != NULL &&
         g_str_equal (
             json_object_get_string_member (stream, "state"), f->wanted);
}

static void
wait_state (Fixture *f, const char *id, const char *state)
{
  g_autofree char *what = g_strdup_printf ("%s is %s", id, state);

  f->stream_id = id;
  f->wanted = state;
  rig_wait (&f->rig, what, has_state, f);
}

static gboolean
log_holds (gpointer user_data)
{
  Fixture *f = user_data;
  g_autofree char *log = program_log (f->service);

  return strstr (log, f->wanted) != NULL;
}

static void
wait_log (Fixture *f, const char *text)
{
  f->wanted = text;
  rig_wait (&f->rig, text, log_holds, f);
}

static gboolean
is_other_worker (gpointer user_data)
{
  Fixture *f = user_data;
  gint64 pid = pid_of (f, f->stream_id);

  return pid != 0 && pid != f->pid;
}

static gboolean
is_gone (gpointer user_data)
{
  return kill ((pid_t) ((Fixture *) user_data)->pid, 0) != 0;
}

/* Two series right behind one head. */
static gboolean
metrics_are_merged (gpointer user_data)
{
  Fixture *f = user_data;
  g_autofree char *url = url_of (f, "/metrics");
  g_autofree char *text = NULL;

  return http_call ("GET", url, NULL, NULL, &text) == 200 &&
         g_regex_match_simple ("# TYPE media_service_worker_fake gauge\n"
                               "media_service_worker_fake\\{.*\\} 1\n"
                               "media_service_worker_fake\\{.*\\} 1\n",
             text, 0, 0);
}

/* MediaMTX's RTMP has H.264 only: what is H.265 is pulled by RTSP. */
static void
test_ingest_by_rtsp (Fixture *f, gconstpointer data)
{
  rig_set (&f->rig, "INGEST", "rtsp");
  rig_set (&f->rig, "MEDIAMTX_RTSP_PORT", "18554");
  start_service (f);
  g_assert_cmpuint (tell (f, "ready", "one", "a", ""), ==, 200);
  wait_state (f, "one", "running");
  wait_log (f, "\"INPUT_URL\":\"rtsp://127.0.0.1:18554/live/one/in\"");
  wait_log (f, "\"OUTPUT_URL\":\"rtmp://127.0.0.1:1935/live/one/out\"");
}

static void
test_life (Fixture *f, gconstpointer data)
{
  g_autofree char *url = url_of (f, "/metrics");
  g_autofree char *text = NULL;

  g_assert_cmpuint (
      tell (f, "ready", "one", "a", "to=es&voice=joe&x=\\\""), ==, 200);
  wait_state (f, "one", "running");
  g_assert_cmpuint (tell (f, "ready", "two", "b", ""), ==, 200);
  wait_state (f, "two", "running");
  wait_log (f, "\"STREAM_ID\":\"one\"");
  wait_log (f, "\"INPUT_URL\":\"rtmp://127.0.0.1:1935/live/one/in\"");
  wait_log (f, "\"OUTPUT_URL\":\"rtmp://127.0.0.1:1935/live/one/out\"");
  wait_log (f, "\"WORKER_TARGET_LANGUAGE\":\"es\"");
  wait_log (f, "\"WORKER_VOICE_PROFILE\":\"joe\"");
  /* The workers' families are put together under one head. */
  rig_wait (&f->rig, "metrics of both workers", metrics_are_merged, f);
  g_assert_cmpuint (tell (f, "not-ready", "one", "a", ""), ==, 200);
  wait_state (f, "one", "stopped");
  g_assert_cmpuint (http_call ("GET", url, NULL, NULL, &text), ==, 200);
  g_assert_null (strstr (text, "\"one\"")); /* its series are gone */
  g_assert_nonnull (strstr (text, "\"two\""));
  wait_log (f, ": stop");
}

static void
test_grace (Fixture *f, gconstpointer data)
{
  gint64 pid;

  program_kill (f->service, SIGTERM);
  rig_set (&f->rig, "ORCH_GRACE_PERIOD", "60s");
  start_service (f);
  tell (f, "ready", "one", "a", "");
  wait_state (f, "one", "running");
  pid = pid_of (f, "one");
  tell (f, "not-ready", "one", "a", "");
  tell (f, "ready", "one", "b", "");
  wait_log (f, ": reconnect");
  g_assert_cmpint (pid_of (f, "one"), ==, pid);
}

static void
test_killed_worker (Fixture *f, gconstpointer data)
{
  tell (f, "ready", "one", "a", "");
  wait_state (f, "one", "running");
  f->stream_id = "one";
  f->pid = pid_of (f, "one");
  kill ((pid_t) f->pid, SIGKILL);
  rig_wait (&f->rig, "another worker", is_other_worker, f);
  wait_state (f, "one", "running");
}

static void
test_dying_worker (Fixture *f, gconstpointer data)
{
  tell (f, "ready", "dies", "a", "");
  wait_log (f, "ended: exit 3");
  wait_state (f, "dies", "starting");
  tell (f, "not-ready", "dies", "a", "");
  wait_state (f, "dies", "stopped");
}

static void
test_missing_worker (Fixture *f, gconstpointer data)
{
  rig_set (&f->rig, "ORCH_WORKER_COMMAND", "/nonexistent/worker");
  start_service (f);
  g_assert_cmpuint (tell (f, "ready", "one", "a", ""), ==, 200);
  wait_log (f, "/nonexistent/worker cannot be started");
  g_assert_true (is_healthy (f));
}

static void
test_deaf_worker (Fixture *f, gconstpointer data)
{
  tell (f, "ready", "deaf", "a", "");
  wait_state (f, "deaf", "running");
  tell (f, "not-ready", "deaf", "a", "");
  wait_state (f, "deaf", "stopped");
  wait_log (f, "ended: signal 9");
}

static void
test_new_settings (Fixture *f, gconstpointer data)
{
  tell (f, "ready", "one", "a", "to=es");
  wait_state (f, "one", "running");
  f->stream_id = "one";
  f->pid = pid_of (f, "one");
  tell (f, "ready", "one", "b", "to=fr");
  rig_wait (&f->rig, "another worker", is_other_worker, f);
  wait_log (f, "\"WORKER_TARGET_LANGUAGE\":\"fr\"");
}

/* Without media-service the worker goes on, and the next one finds it. */
static void
test_adopts (Fixture *f, gconstpointer data)
{
  gint64 pid;

  tell (f, "ready", "one", "a", "");
  wait_state (f, "one", "running");
  f->pid = pid = pid_of (f, "one");
  program_kill (f->service, SIGKILL);
  g_assert_cmpint (kill ((pid_t) pid, 0), ==, 0);
  start_service (f);
  wait_state (f, "one", "running");
  g_assert_cmpint (pid_of (f, "one"), ==, pid);
  tell (f, "not-ready", "one", "a", "");
  wait_state (f, "one", "stopped");
  rig_wait (&f->rig, "the worker is gone", is_gone, f);
}

static void
test_keeps (Fixture *f, gconstpointer data)
{
  rig_set (&f->rig, "KEEP_WORKERS", "yes");
  start_service (f);
  tell (f, "ready", "one", "a", "");
  wait_state (f, "one", "running");
  f->pid = pid_of (f, "one");
  program_kill (f->service, SIGTERM);
  g_assert_cmpint (kill ((pid_t) f->pid, 0), ==, 0);
  kill ((pid_t) f->pid, SIGTERM);
  rig_wait (&f->rig, "the worker is gone", is_gone, f);
}

static void
test_term_stops_workers (Fixture *f, gconstpointer data)
{
  g_autofree char *log = NULL;

  tell (f, "ready", "one", "a", "");
  wait_state (f, "one", "running");
  f->pid = pid_of (f, "one");
  program_kill (f->service, SIGTERM);
  g_assert_true (WIFEXITED (f->service->status));
  g_assert_cmpint (WEXITSTATUS (f->service->status), ==, 0);
  g_assert_true (is_gone (f));
  log = program_log (f->service);
  g_assert_nonnull (strstr (log, ": stop"));
}

static void
test_stale_socket (Fixture *f, gconstpointer data)
{
  tell (f, "ready", "one", "a", "");
  wait_state (f, "one", "running");
  f->pid = pid_of (f, "one");
  program_kill (f->service, SIGKILL);
  kill ((pid_t) f->pid, SIGKILL);
  rig_wait (&f->rig, "the worker is gone", is_gone, f);
  start_service (f);
  g_assert_null (look (f, "one"));
}

static void
test_max_workers (Fixture *f, gconstpointer data)
{
  static const char body[] = "{\"path\":\"live/two/in\",\"sourceType\":\"x\","
                             "\"sourceId\":\"b\"}";
  g_autofree char *answer = NULL;

  rig_set (&f->rig, "ORCH_MAX_WORKERS", "1");
  start_service (f);
  g_assert_cmpuint (tell (f, "ready", "one", "a", ""), ==, 200);
  g_assert_cmpuint (tell (f, "ready", "one", "a", ""), ==, 200);
  g_assert_cmpuint (
      post (f, "/v1/mediamtx/events/ready", body, &answer), ==, 429);
  g_assert_nonnull (strstr (answer, "\"code\":\"max_workers\""));
  wait_state (f, "one", "running");
  tell (f, "not-ready", "one", "a", "");
  wait_state (f, "one", "stopped");
  g_assert_cmpuint (tell (f, "ready", "two", "b", ""), ==, 200);
}

typedef struct {
  const char *method, *path, *body;
  guint status;
  const char *answer;
} HttpCase;

#define GOOD "{\"path\":\"live/x/out\",\"sourceType\":\"s\",\"sourceId\":\"i\"}"

static const HttpCase http_cases[] = {
    {"GET", "/", NULL, 200,
        "{\"service\":\"stream-orchestration\",\"version\":\"" DUB_VERSION
        "\",\"status\":\"running\"}"},
    {"GET", "/health", NULL, 200,
        "{\"status\":\"ok\",\"service\":\"media-service\"}"},
    {"HEAD", "/health/live", NULL, 200, ""},
    {"GET", "/health/ready", NULL, 200, "{\"status\":\"ready\"}"},
    {"GET", "/metrics", NULL, 200, "# TYPE media_worker_streams gauge\n"},
    {"GET", "/v1/streams", NULL, 200, "{\"streams\":[]}"},
    {"GET", "/v1/streams/", NULL, 404, "\"detail\""},
    {"GET", "/../etc/passwd", NULL, 404, "\"detail\""},
    {"GET", "/v1/mediamtx/events/ready", NULL, 405, "\"detail\""},
    {"DELETE", "/health", NULL, 405, "\"detail\""},
    {"POST", "/v1/mediamtx/events/ready", GOOD, 200, "\"status\":\"skipped\""},
    {"POST", "/v1/mediamtx/events/not-ready", GOOD, 200,
        "\"direction\":\"out\""},
    {"POST", "/hooks/mediamtx/on-ready", "{\"path\":\"live/x/out\"}", 200,
        "\"status\":\"skipped\""},
    {"POST", "/hooks/mediamtx/on-not-ready", "{\"path\":\"live/x/in\"}", 200,
        "\"status\":\"worker_stopped\""},
    {"POST", "/v1/mediamtx/events/ready", "{\"path\":\"a\"}", 422,
        "\"loc\":[\"body\",\"path\"]"},
    {"POST", "/v1/mediamtx/events/ready", "nonsense", 422,
        "\"loc\":[\"body\"]"},
    {"POST", "/hooks/mediamtx/on-ready", "{\"path\":\"a\"}", 400,
        "{\"detail\":\"path"},
};

static void
test_http (Fixture *f, gconstpointer data)
{
  g_autofree char *large = g_strnfill (100000, ' ');

  for (gsize i = 0; i < G_N_ELEMENTS (http_cases); i++) {
    const HttpCase *c = &http_cases[i];
    g_autofree char *url = url_of (f, c->path);
    g_autofree char *answer = NULL;

    g_assert_cmpuint (
        http_call (c->method, url, c->body, NULL, &answer), ==, c->status);
    if (strstr (answer, c->answer) == NULL)
      g_error ("%s %s: %s", c->method, c->path, answer);
  }
  g_assert_cmpuint (
      post (f, "/v1/mediamtx/events/ready", large, NULL), ==, 413);
}

static void
test_token (Fixture *f, gconstpointer data)
{
  static const char *const guarded[] = {"/v1/streams", "/metrics", "/nope"};
  g_autofree char *health = NULL;

  rig_set (&f->rig, "API_TOKEN", "0123456789");
  rig_set (&f->rig, "ORCH_HTTP_ADDR", "127.0.0.1");
  start_service (f);
  for (gsize i = 0; i < G_N_ELEMENTS (guarded); i++) {
    g_autofree char *url = url_of (f, guarded[i]);

    g_assert_cmpuint (http_call ("GET", url, NULL, NULL, NULL), ==, 401);
    g_assert_cmpuint (http_call ("GET", url, NULL, "012345678", NULL), ==, 401);
    g_assert_cmpuint (
        http_call ("GET", url, NULL, "01234567890", NULL), ==, 401);
    g_assert_cmpuint (http_call ("GET", url, NULL, "0123456789", NULL), ==,
        i == 2 ? 404 : 200);
  }
  g_assert_cmpuint (tell (f, "ready", "one", "a", ""), ==, 401);
  health = url_of (f, "/health");
  g_assert_cmpuint (http_call ("GET", health, NULL, NULL, NULL), ==, 200);
}

/* The worker is not told what only callers of the service need. */
static void
test_token_stays_here (Fixture *f, gconstpointer data)
{
  g_autofree char *url = NULL;

  rig_set (&f->rig, "API_TOKEN", "0123456789");
  rig_set (&f->rig, "ORCH_HTTP_ADDR", "127.0.0.1");
  start_service (f);
  url = url_of (f, "/v1/mediamtx/events/ready");
  g_assert_cmpuint (
      http_call ("POST", url,
          "{\"path\":\"live/one/in\",\"sourceType\":\"s\",\"sourceId\":\"\"}",
          "0123456789", NULL),
      ==, 200);
  wait_log (f, "knows no token");
}

#define ADD(name, func)                                                        \
  g_test_add (                                                                 \
      "/media/service/" name, Fixture, NULL, set_up_started, func, tear_down)
#define ADD_UNSTARTED(name, func)                                              \
  g_test_add ("/media/service/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("life", test_life);
  ADD ("grace", test_grace);
  ADD ("killed-worker", test_killed_worker);
  ADD ("dying-worker", test_dying_worker);
  ADD ("deaf-worker", test_deaf_worker);
  ADD ("new-settings", test_new_settings);
  ADD ("adopts", test_adopts);
  ADD ("term-stops-workers", test_term_stops_workers);
  ADD ("stale-socket", test_stale_socket);
  ADD ("http", test_http);
  ADD_UNSTARTED ("ingest-by-rtsp", test_ingest_by_rtsp);
  ADD_UNSTARTED ("missing-worker", test_missing_worker);
  ADD_UNSTARTED ("keeps", test_keeps);
  ADD_UNSTARTED ("max-workers", test_max_workers);
  ADD_UNSTARTED ("token", test_token);
  ADD_UNSTARTED ("token-stays-here", test_token_stays_here);
  return g_test_run ();
}
