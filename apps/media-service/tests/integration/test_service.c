/* SPDX-License-Identifier: Apache-2.0 */
#include "service_rig.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * The real media-service with workers that only pretend: what it starts, when
 * it ends it, what it says, and what it finds again.
 */
/* Two series right behind one head. */
static gboolean
metrics_are_merged (gpointer user_data)
{
  ServiceRig *f = user_data;
  g_autofree char *url = service_url (f, "/metrics");
  g_autofree char *text = NULL;

  return http_call ("GET", url, NULL, NULL, &text) == 200 &&
         g_regex_match_simple ("# TYPE media_service_worker_fake gauge\n"
                               "media_service_worker_fake\\{.*\\} 1\n"
                               "media_service_worker_fake\\{.*\\} 1\n",
             text, 0, 0);
}

/* MediaMTX's RTMP has H.264 only: what is H.265 is pulled by RTSP. */
static void
test_ingest_by_rtsp (ServiceRig *f, gconstpointer data)
{
  rig_set (&f->rig, "INGEST", "rtsp");
  rig_set (&f->rig, "MEDIAMTX_RTSP_PORT", "18554");
  service_start (f);
  g_assert_cmpuint (service_tell (f, "ready", "one", "a", ""), ==, 200);
  service_wait_state (f, "one", "running");
  service_wait_log (f, "\"INPUT_URL\":\"rtsp://127.0.0.1:18554/live/one/in\"");
  service_wait_log (f, "\"OUTPUT_URL\":\"rtmp://127.0.0.1:1935/live/one/out\"");
}

/* A default is below what a publisher says. */
static void
test_default_languages (ServiceRig *f, gconstpointer data)
{
  rig_set (&f->rig, "WORKER_TARGET_LANGUAGES", "es, fr");
  rig_set (&f->rig, "WORKER_TARGET_LANGUAGE", "de");
  service_start (f);
  service_tell (f, "ready", "one", "a", "");
  service_wait_state (f, "one", "running");
  service_wait_log (f, "\"WORKER_TARGET_LANGUAGES\":\"es,fr\"");
  service_wait_log (f, "\"WORKER_TARGET_LANGUAGE\":\"es\"");
  service_tell (f, "ready", "two", "b", "to=it");
  service_wait_state (f, "two", "running");
  service_wait_log (f, "\"WORKER_TARGET_LANGUAGE\":\"it\"");
}

/* One output for every stream that has none of its own; its key is nobody's. */
static void
test_default_output (ServiceRig *f, gconstpointer data)
{
  g_autoptr (JsonObject) stream = NULL;

  rig_set (&f->rig, "RTMP_OUTPUT_URL", "rtmp://10.0.0.1/app/sesame");
  service_start (f);
  service_tell (f, "ready", "one", "a", "");
  service_wait_state (f, "one", "running");
  service_wait_log (f, "\"OUTPUT_URL\":\"rtmp://10.0.0.1/app/sesame\"");
  stream = service_look (f, "one");
  g_assert_cmpstr (json_object_get_string_member (stream, "output_url"), ==,
      "rtmp://10.0.0.1/app/***");
}

/* Several languages need a place each there. */
static void
test_bad_default_output (ServiceRig *f, gconstpointer data)
{
  const char *argv[] = {g_getenv ("MEDIA_SERVICE"), NULL};
  Program *program;

  rig_set (&f->rig, "RTMP_OUTPUT_URL", "srt://10.0.0.1:1?streamid=sesame");
  rig_set (&f->rig, "WORKER_TARGET_LANGUAGES", "es, fr");
  program = rig_start (&f->rig, "refused", argv);
  program_wait (program);
  g_assert_cmpint (WEXITSTATUS (program->status), ==, 78);
}

static void
test_life (ServiceRig *f, gconstpointer data)
{
  g_autofree char *url = service_url (f, "/metrics");
  g_autofree char *text = NULL;

  g_assert_cmpuint (
      service_tell (f, "ready", "one", "a", "to=es&voice=joe&x=\\\""), ==, 200);
  service_wait_state (f, "one", "running");
  g_assert_cmpuint (service_tell (f, "ready", "two", "b", ""), ==, 200);
  service_wait_state (f, "two", "running");
  service_wait_log (f, "\"STREAM_ID\":\"one\"");
  service_wait_log (f, "\"INPUT_URL\":\"rtmp://127.0.0.1:1935/live/one/in\"");
  service_wait_log (f, "\"OUTPUT_URL\":\"rtmp://127.0.0.1:1935/live/one/out\"");
  service_wait_log (f, "\"WORKER_TARGET_LANGUAGE\":\"es\"");
  service_wait_log (f, "\"WORKER_VOICE_PROFILE\":\"joe\"");
  /* The workers' families are put together under one head. */
  rig_wait (&f->rig, "metrics of both workers", metrics_are_merged, f);
  g_assert_cmpuint (service_tell (f, "not-ready", "one", "a", ""), ==, 200);
  service_wait_state (f, "one", "stopped");
  g_assert_cmpuint (http_call ("GET", url, NULL, NULL, &text), ==, 200);
  g_assert_null (strstr (text, "\"one\"")); /* its series are gone */
  g_assert_nonnull (strstr (text, "\"two\""));
  service_wait_log (f, ": stop");
}

static void
test_grace (ServiceRig *f, gconstpointer data)
{
  gint64 pid;

  program_kill (f->service, SIGTERM);
  rig_set (&f->rig, "ORCH_GRACE_PERIOD", "60s");
  service_start (f);
  service_tell (f, "ready", "one", "a", "");
  service_wait_state (f, "one", "running");
  pid = service_pid_of (f, "one");
  service_tell (f, "not-ready", "one", "a", "");
  service_tell (f, "ready", "one", "b", "");
  service_wait_log (f, ": reconnect");
  g_assert_cmpint (service_pid_of (f, "one"), ==, pid);
}

static void
test_killed_worker (ServiceRig *f, gconstpointer data)
{
  service_tell (f, "ready", "one", "a", "");
  service_wait_state (f, "one", "running");
  f->stream_id = "one";
  f->pid = service_pid_of (f, "one");
  kill ((pid_t) f->pid, SIGKILL);
  rig_wait (&f->rig, "another worker", service_has_other_worker, f);
  service_wait_state (f, "one", "running");
}

static void
test_dying_worker (ServiceRig *f, gconstpointer data)
{
  service_tell (f, "ready", "dies", "a", "");
  service_wait_log (f, "ended: exit 3");
  service_wait_state (f, "dies", "starting");
  service_tell (f, "not-ready", "dies", "a", "");
  service_wait_state (f, "dies", "stopped");
}

static void
test_missing_worker (ServiceRig *f, gconstpointer data)
{
  g_autofree char *worker = rig_path (&f->rig, "worker");

  /* What is not there at start is refused; it may go later. */
  g_assert_cmpint (symlink (g_getenv ("FAKE_WORKER"), worker), ==, 0);
  rig_set (&f->rig, "ORCH_WORKER_COMMAND", worker);
  service_start (f);
  g_assert_cmpint (g_unlink (worker), ==, 0);
  g_assert_cmpuint (service_tell (f, "ready", "one", "a", ""), ==, 200);
  service_wait_log (f, "worker cannot be started");
  g_assert_true (service_is_healthy (f));
}

static void
test_deaf_worker (ServiceRig *f, gconstpointer data)
{
  service_tell (f, "ready", "deaf", "a", "");
  service_wait_state (f, "deaf", "running");
  service_tell (f, "not-ready", "deaf", "a", "");
  service_wait_state (f, "deaf", "stopped");
  service_wait_log (f, "ended: signal 9");
}

static void
test_new_settings (ServiceRig *f, gconstpointer data)
{
  service_tell (f, "ready", "one", "a", "to=es");
  service_wait_state (f, "one", "running");
  f->stream_id = "one";
  f->pid = service_pid_of (f, "one");
  service_tell (f, "ready", "one", "b", "to=fr");
  rig_wait (&f->rig, "another worker", service_has_other_worker, f);
  service_wait_log (f, "\"WORKER_TARGET_LANGUAGE\":\"fr\"");
}

/* Without media-service the worker goes on, and the next one finds it. */
static void
test_adopts (ServiceRig *f, gconstpointer data)
{
  gint64 pid;

  service_tell (f, "ready", "one", "a", "");
  service_wait_state (f, "one", "running");
  f->pid = pid = service_pid_of (f, "one");
  program_kill (f->service, SIGKILL);
  g_assert_cmpint (kill ((pid_t) pid, 0), ==, 0);
  service_start (f);
  service_wait_state (f, "one", "running");
  g_assert_cmpint (service_pid_of (f, "one"), ==, pid);
  service_tell (f, "not-ready", "one", "a", "");
  service_wait_state (f, "one", "stopped");
  rig_wait (&f->rig, "the worker is gone", service_worker_is_gone, f);
}

static gboolean
is_there (gpointer path)
{
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

static gboolean
has_no_stream (gpointer user_data)
{
  ServiceRig *f = user_data;
  g_autoptr (JsonObject) stream = service_look (f, f->stream_id);

  return stream == NULL;
}

/* One that nobody's media-service has started. */
static Program *
start_by_hand (ServiceRig *f, const char *id)
{
  g_autofree char *runtime = rig_path (&f->rig, "run");
  g_autofree char *settings = rig_path (&f->rig, "settings.json");
  g_autofree char *text =
      g_strdup_printf ("{\"STREAM_ID\": \"%s\", \"RUN_ID\": \"r\", "
                       "\"RUNTIME_DIR\": \"%s\"}",
          id, runtime);
  g_autofree char *command = g_strdup_printf (
      "exec \"$ORCH_WORKER_COMMAND\" --settings-stdin < '%s'", settings);
  const char *argv[] = {"/bin/sh", "-c", command, NULL};

  g_assert_true (g_file_set_contents (settings, text, -1, NULL));
  return rig_start (&f->rig, "worker", argv);
}

/* It has the folder in common with us and nothing else. */
static void
test_leaves_alone (ServiceRig *f, gconstpointer data)
{
  g_autofree char *socket = rig_path (&f->rig, "run/hand.sock");
  Program *worker = start_by_hand (f, "hand");

  rig_wait (&f->rig, "its socket", is_there, socket);
  service_start (f);
  service_wait_log (f, "was started by hand; it is left alone");
  f->stream_id = "hand";
  rig_wait (&f->rig, "no stream of that name", has_no_stream, f);
  service_tell (f, "not-ready", "hand", "a", "");
  program_kill (f->service, SIGTERM);
  g_usleep (G_USEC_PER_SEC);
  g_assert_true (is_there (socket));
  g_assert_cmpint (waitpid (worker->pid, &worker->status, WNOHANG), ==, 0);
  program_kill (worker, SIGTERM);
}

static void
test_keeps (ServiceRig *f, gconstpointer data)
{
  rig_set (&f->rig, "KEEP_WORKERS", "yes");
  service_start (f);
  service_tell (f, "ready", "one", "a", "");
  service_wait_state (f, "one", "running");
  f->pid = service_pid_of (f, "one");
  program_kill (f->service, SIGTERM);
  g_assert_cmpint (kill ((pid_t) f->pid, 0), ==, 0);
  kill ((pid_t) f->pid, SIGTERM);
  rig_wait (&f->rig, "the worker is gone", service_worker_is_gone, f);
}

static void
test_term_stops_workers (ServiceRig *f, gconstpointer data)
{
  g_autofree char *log = NULL;

  service_tell (f, "ready", "one", "a", "");
  service_wait_state (f, "one", "running");
  f->pid = service_pid_of (f, "one");
  program_kill (f->service, SIGTERM);
  g_assert_true (WIFEXITED (f->service->status));
  g_assert_cmpint (WEXITSTATUS (f->service->status), ==, 0);
  g_assert_true (service_worker_is_gone (f));
  log = program_log (f->service);
  g_assert_nonnull (strstr (log, ": stop"));
}

static void
test_stale_socket (ServiceRig *f, gconstpointer data)
{
  service_tell (f, "ready", "one", "a", "");
  service_wait_state (f, "one", "running");
  f->pid = service_pid_of (f, "one");
  program_kill (f->service, SIGKILL);
  kill ((pid_t) f->pid, SIGKILL);
  rig_wait (&f->rig, "the worker is gone", service_worker_is_gone, f);
  service_start (f);
  g_assert_null (service_look (f, "one"));
}

static void
test_max_workers (ServiceRig *f, gconstpointer data)
{
  static const char body[] = "{\"path\":\"live/two/in\",\"sourceType\":\"x\","
                             "\"sourceId\":\"b\"}";
  g_autofree char *answer = NULL;

  rig_set (&f->rig, "ORCH_MAX_WORKERS", "1");
  service_start (f);
  g_assert_cmpuint (service_tell (f, "ready", "one", "a", ""), ==, 200);
  g_assert_cmpuint (service_tell (f, "ready", "one", "a", ""), ==, 200);
  g_assert_cmpuint (
      service_post (f, "/v1/mediamtx/events/ready", body, &answer), ==, 429);
  g_assert_nonnull (strstr (answer, "\"code\":\"max_workers\""));
  service_wait_state (f, "one", "running");
  service_tell (f, "not-ready", "one", "a", "");
  service_wait_state (f, "one", "stopped");
  g_assert_cmpuint (service_tell (f, "ready", "two", "b", ""), ==, 200);
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
    {"GET", "/metrics", NULL, 200,
        "media_service_hook_events_total{event=\"ready\",result=\"accepted\"} "
        "0\n"},
    {"GET", "/metrics", NULL, 200,
        "media_service_hook_events_total{event=\"not-ready\",result="
        "\"invalid\"}"
        " 0\n"},
    {"GET", "/metrics", NULL, 200, "media_service_hook_seconds_count 0\n"},
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
test_http (ServiceRig *f, gconstpointer data)
{
  g_autofree char *large = g_strnfill (100000, ' ');

  for (gsize i = 0; i < G_N_ELEMENTS (http_cases); i++) {
    const HttpCase *c = &http_cases[i];
    g_autofree char *url = service_url (f, c->path);
    g_autofree char *answer = NULL;

    g_assert_cmpuint (
        http_call (c->method, url, c->body, NULL, &answer), ==, c->status);
    if (strstr (answer, c->answer) == NULL)
      g_error ("%s %s: %s", c->method, c->path, answer);
  }
  g_assert_cmpuint (
      service_post (f, "/v1/mediamtx/events/ready", large, NULL), ==, 413);
}

static void
test_token (ServiceRig *f, gconstpointer data)
{
  static const char *const guarded[] = {"/v1/streams", "/metrics", "/nope"};
  g_autofree char *health = NULL;

  rig_set (&f->rig, "API_TOKEN", "0123456789");
  rig_set (&f->rig, "ORCH_HTTP_ADDR", "127.0.0.1");
  service_start (f);
  for (gsize i = 0; i < G_N_ELEMENTS (guarded); i++) {
    g_autofree char *url = service_url (f, guarded[i]);

    g_assert_cmpuint (http_call ("GET", url, NULL, NULL, NULL), ==, 401);
    g_assert_cmpuint (http_call ("GET", url, NULL, "012345678", NULL), ==, 401);
    g_assert_cmpuint (
        http_call ("GET", url, NULL, "01234567890", NULL), ==, 401);
    g_assert_cmpuint (http_call ("GET", url, NULL, "0123456789", NULL), ==,
        i == 2 ? 404 : 200);
  }
  g_assert_cmpuint (service_tell (f, "ready", "one", "a", ""), ==, 401);
  health = service_url (f, "/health");
  g_assert_cmpuint (http_call ("GET", health, NULL, NULL, NULL), ==, 200);
}

/* The worker is not told what only callers of the service need. */
static void
test_token_stays_here (ServiceRig *f, gconstpointer data)
{
  g_autofree char *url = NULL;

  rig_set (&f->rig, "API_TOKEN", "0123456789");
  rig_set (&f->rig, "ORCH_HTTP_ADDR", "127.0.0.1");
  service_start (f);
  url = service_url (f, "/v1/mediamtx/events/ready");
  g_assert_cmpuint (
      http_call ("POST", url,
          "{\"path\":\"live/one/in\",\"sourceType\":\"s\",\"sourceId\":\"\"}",
          "0123456789", NULL),
      ==, 200);
  service_wait_log (f, "knows no token");
}

#define ADD(name, func)                                                        \
  g_test_add ("/media/service/" name, ServiceRig, NULL,                        \
      service_set_up_started, func, service_tear_down)
#define ADD_UNSTARTED(name, func)                                              \
  g_test_add ("/media/service/" name, ServiceRig, NULL, service_set_up, func,  \
      service_tear_down)

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
  ADD_UNSTARTED ("leaves-alone", test_leaves_alone);
  ADD ("term-stops-workers", test_term_stops_workers);
  ADD ("stale-socket", test_stale_socket);
  ADD ("http", test_http);
  ADD_UNSTARTED ("ingest-by-rtsp", test_ingest_by_rtsp);
  ADD_UNSTARTED ("default-languages", test_default_languages);
  ADD_UNSTARTED ("default-output", test_default_output);
  ADD_UNSTARTED ("bad-default-output", test_bad_default_output);
  ADD_UNSTARTED ("missing-worker", test_missing_worker);
  ADD_UNSTARTED ("keeps", test_keeps);
  ADD_UNSTARTED ("max-workers", test_max_workers);
  ADD_UNSTARTED ("token", test_token);
  ADD_UNSTARTED ("token-stays-here", test_token_stays_here);
  return g_test_run ();
}
