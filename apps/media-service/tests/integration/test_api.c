/* SPDX-License-Identifier: Apache-2.0 */
#include "service_rig.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

/*
 * What an operator does through the API: streams made, changed, stopped and
 * removed, with the real media-service and workers that only pretend.
 */

/* (transfer full) (nullable): no object came */
static JsonObject *
call (ServiceRig *f, const char *method, const char *path, const char *body,
    guint status)
{
  g_autofree char *url = service_url (f, path);
  g_autofree char *answer = NULL;
  g_autoptr (JsonParser) parser = json_parser_new ();
  guint got = http_call (method, url, body, NULL, &answer);

  if (got != status)
    g_error ("%s %s: %u, not %u: %s", method, path, got, status, answer);
  if (!json_parser_load_from_data (parser, answer, -1, NULL) ||
      json_parser_get_root (parser) == NULL)
    return NULL;
  return json_node_dup_object (json_parser_get_root (parser));
}

static void
call_only (ServiceRig *f, const char *method, const char *path,
    const char *body, guint status)
{
  g_autoptr (JsonObject) answer G_GNUC_UNUSED =
      call (f, method, path, body, status);
}

static const char *
text (JsonObject *object, const char *name)
{
  return json_object_get_string_member_with_default (object, name, "");
}

/* The settings of a Stream. (transfer none) */
static JsonObject *
settings_of (JsonObject *stream)
{
  return json_object_get_object_member (stream, "settings");
}

static void
assert_languages (JsonObject *stream, const char *wanted)
{
  JsonArray *array =
      json_object_get_array_member (settings_of (stream), "target_languages");
  g_autoptr (GString) joined = g_string_new (NULL);

  for (guint i = 0; i < json_array_get_length (array); i++)
    g_string_append_printf (joined, "%s%s", i > 0 ? "," : "",
        json_array_get_string_element (array, i));
  g_assert_cmpstr (joined->str, ==, wanted);
}

static gboolean
has_no_entry (gpointer user_data)
{
  ServiceRig *f = user_data;
  g_autoptr (JsonObject) stream = service_look (f, f->stream_id);

  return stream == NULL;
}

/* Made, seen, found again, removed. */
static void
test_create (ServiceRig *f, gconstpointer data)
{
  static const char body[] =
      "{\"stream_id\":\"one\",\"target_languages\":[\"es\"],"
      "\"output_delay_ms\":5000,\"input_url\":\"rtmp://10.0.0.1/a/secretkey\"}";
  g_autoptr (JsonObject) made = call (f, "POST", "/v1/streams", body, 201);
  g_autoptr (JsonObject) seen = NULL;

  g_assert_cmpstr (text (made, "stream_id"), ==, "one");
  g_assert_cmpstr (text (made, "origin"), ==, "api");
  g_assert_cmpstr (text (made, "input_url"), ==, "rtmp://10.0.0.1/a/***");
  assert_languages (made, "es");
  g_assert_cmpint (
      json_object_get_int_member (settings_of (made), "output_delay_ms"), ==,
      5000);
  call_only (f, "POST", "/v1/streams", body, 409);
  service_wait_state (f, "one", "running");
  service_wait_log (f, "\"INPUT_URL\":\"rtmp://10.0.0.1/a/secretkey\"");
  service_wait_log (f, "\"OUTPUT_DELAY_MS\":\"5000\"");
  seen = call (f, "GET", "/v1/streams/one", NULL, 200);
  g_assert_cmpstr (text (seen, "target_language"), ==, "es");
  call_only (f, "DELETE", "/v1/streams/one", NULL, 204);
  f->stream_id = "one";
  rig_wait (&f->rig, "the stream is gone", has_no_entry, f);
  call_only (f, "GET", "/v1/streams/one", NULL, 404);
  call_only (f, "DELETE", "/v1/streams/one", NULL, 404);
}

/* Only made known: it starts with its publisher. */
static void
test_create_for_publisher (ServiceRig *f, gconstpointer data)
{
  g_autoptr (JsonObject) made = call (f, "POST", "/v1/streams",
      "{\"stream_id\":\"one\",\"target_languages\":[\"fr\"],\"start\":false}",
      201);

  g_assert_cmpstr (text (made, "state"), ==, "idle");
  service_tell (f, "ready", "one", "a", "to=es&voice=joe");
  service_wait_state (f, "one", "running");
  /* The API is above the query, and says nothing of the voice. */
  service_wait_log (f, "\"WORKER_TARGET_LANGUAGE\":\"fr\"");
  service_wait_log (f, "\"WORKER_VOICE_PROFILE\":\"joe\"");
  service_tell (f, "not-ready", "one", "a", "");
  service_wait_state (f, "one", "stopped");
}

/* What a running worker takes is set; for the rest there is another worker. */
static void
test_change (ServiceRig *f, gconstpointer data)
{
  g_autoptr (JsonObject) live = NULL;
  g_autoptr (JsonObject) other = NULL;
  g_autoptr (JsonObject) same = NULL;

  service_tell (f, "ready", "one", "a", "");
  service_wait_state (f, "one", "running");
  f->stream_id = "one";
  f->pid = service_pid_of (f, "one");
  live = call (f, "PATCH", "/v1/streams/one", "{\"duck_db\":-12.5}", 200);
  g_assert_cmpstr (text (live, "applied"), ==, "live");
  service_wait_log (f, "set DUCK_DB=-12.5");
  g_assert_cmpint (service_pid_of (f, "one"), ==, f->pid);
  same = call (f, "PATCH", "/v1/streams/one", "{\"duck_db\":-12.5}", 200);
  g_assert_cmpstr (text (same, "applied"), ==, "live");
  other = call (
      f, "PATCH", "/v1/streams/one", "{\"target_languages\":[\"es\"]}", 200);
  g_assert_cmpstr (text (other, "applied"), ==, "restart");
  assert_languages (other, "es");
  rig_wait (&f->rig, "another worker", service_has_other_worker, f);
  service_wait_state (f, "one", "running");
  service_wait_log (f, "\"WORKER_TARGET_LANGUAGE\":\"es\"");
  service_wait_log (f, "\"DUCK_DB\":\"-12.5\""); /* it stays said */
}

/* null takes back what was said; nothing runs, so nothing is restarted. */
static void
test_take_back (ServiceRig *f, gconstpointer data)
{
  g_autoptr (JsonObject) made = call (f, "POST", "/v1/streams",
      "{\"stream_id\":\"one\",\"duck_db\":-3,\"start\":false}", 201);
  g_autoptr (JsonObject) back =
      call (f, "PATCH", "/v1/streams/one", "{\"duck_db\":null}", 200);

  g_assert_cmpfloat (
      json_object_get_double_member (settings_of (made), "duck_db"), ==, -3);
  g_assert_cmpfloat (
      json_object_get_double_member (settings_of (back), "duck_db"), ==, -18);
  g_assert_cmpstr (text (back, "applied"), ==, "next_start");
}

static const char *
place_of (JsonObject *stream, guint number, const char *member)
{
  JsonArray *outputs = json_object_get_array_member (stream, "outputs");

  return text (json_array_get_object_element (outputs, number), member);
}

/* Each language has a place of its own, which is told without its key. */
static void
test_outputs (ServiceRig *f, gconstpointer data)
{
  g_autoptr (JsonObject) usual = call (f, "POST", "/v1/streams",
      "{\"stream_id\":\"one\",\"start\":false,"
      "\"target_languages\":[\"en\",\"es\"]}",
      201);
  g_autoptr (JsonObject) own = call (f, "POST", "/v1/streams",
      "{\"stream_id\":\"two\",\"start\":false,"
      "\"output_url\":\"rtsp://h/a/k3y-x?pass=s3cr3t\","
      "\"target_languages\":[\"en\",\"es\"]}",
      201);

  g_assert_cmpstr (place_of (usual, 0, "path"), ==, "live/one/out");
  g_assert_cmpstr (place_of (usual, 1, "path"), ==, "live/one/out/es");
  g_assert_true (
      g_str_has_suffix (place_of (usual, 1, "url"), "/live/one/out/es"));
  g_assert_cmpstr (place_of (own, 0, "url"), ==, "rtsp://h/a/***?pass=***");
  g_assert_cmpstr (place_of (own, 1, "url"), ==, "rtsp://h/a/***/es?pass=***");
}

/* Stopped by an operator, it waits for another publisher. */
static void
test_stop_and_start (ServiceRig *f, gconstpointer data)
{
  service_tell (f, "ready", "one", "a", "");
  service_wait_state (f, "one", "running");
  f->pid = service_pid_of (f, "one");
  call_only (f, "POST", "/v1/streams/one/stop", NULL, 202);
  service_wait_state (f, "one", "stopped");
  rig_wait (&f->rig, "the worker is gone", service_worker_is_gone, f);
  service_tell (f, "ready", "one", "a", ""); /* said again */
  g_assert_cmpint (service_pid_of (f, "one"), ==, 0);
  service_tell (f, "ready", "one", "b", "");
  service_wait_state (f, "one", "running");
  call_only (f, "DELETE", "/v1/streams/one", NULL, 204);
  service_wait_state (f, "one", "stopped"); /* its publisher is there still */
  call_only (f, "POST", "/v1/streams/one/start", NULL, 202);
  service_wait_state (f, "one", "running");
  f->stream_id = "one";
  f->pid = service_pid_of (f, "one");
  call_only (f, "POST", "/v1/streams/one/restart", NULL, 202);
  rig_wait (&f->rig, "another worker", service_has_other_worker, f);
  call_only (f, "POST", "/v1/streams/none/start", NULL, 404);
  call_only (f, "POST", "/v1/streams/none/stop", NULL, 404);
  call_only (f, "POST", "/v1/streams/none/restart", NULL, 404);
}

/* An operator's stream does not end with its publisher. */
static void
test_without_publisher (ServiceRig *f, gconstpointer data)
{
  call_only (f, "POST", "/v1/streams", "{\"stream_id\":\"one\"}", 201);
  service_wait_state (f, "one", "running");
  f->pid = service_pid_of (f, "one");
  service_tell (f, "ready", "one", "a", "");
  service_tell (f, "not-ready", "one", "a", "");
  g_usleep (G_USEC_PER_SEC / 2); /* more than the grace period */
  service_wait_state (f, "one", "running");
  g_assert_cmpint (service_pid_of (f, "one"), ==, f->pid);
  service_tell (f, "ready", "one", "b", "");
  service_wait_log (f, ": reconnect");
}

/* What operators said outlives the service, in order or not. */
static void
test_outlives (ServiceRig *f, gconstpointer data)
{
  g_autoptr (JsonObject) seen = NULL;
  gint64 pid;

  call_only (f, "POST", "/v1/streams",
      "{\"stream_id\":\"one\",\"target_languages\":[\"es\"]}", 201);
  service_wait_state (f, "one", "running");
  pid = service_pid_of (f, "one");
  program_kill (f->service, SIGKILL);
  service_start (f);
  service_wait_state (f, "one", "running");
  g_assert_cmpint (service_pid_of (f, "one"), ==, pid);
  seen = service_look (f, "one");
  assert_languages (seen, "es");
  g_assert_cmpstr (text (seen, "origin"), ==, "api");
  program_kill (f->service, SIGTERM); /* takes its workers along */
  service_start (f);
  service_wait_state (f, "one", "running");
  g_assert_cmpint (service_pid_of (f, "one"), !=, pid);
  call_only (f, "POST", "/v1/streams/one/stop", NULL, 202);
  service_wait_state (f, "one", "stopped");
  program_kill (f->service, SIGTERM);
  service_start (f);
  g_assert_cmpint (service_pid_of (f, "one"), ==, 0);
}

/* One with a source of its own has no publisher to be kept in the list for,
 * also where its worker was found again. */
static void
test_delete_of_one_found_again (ServiceRig *f, gconstpointer data)
{
  call_only (f, "POST", "/v1/streams",
      "{\"stream_id\":\"one\",\"input_url\":\"rtmp://10.0.0.1/a/b\"}", 201);
  service_wait_state (f, "one", "running");
  program_kill (f->service, SIGKILL);
  service_start (f);
  service_wait_state (f, "one", "running");
  call_only (f, "DELETE", "/v1/streams/one", NULL, 204);
  f->stream_id = "one";
  rig_wait (&f->rig, "the stream is gone", has_no_entry, f);
}

static void
test_max_workers (ServiceRig *f, gconstpointer data)
{
  g_autoptr (JsonObject) refused = NULL;

  rig_set (&f->rig, "ORCH_MAX_WORKERS", "1");
  service_start (f);
  call_only (f, "POST", "/v1/streams", "{\"stream_id\":\"one\"}", 201);
  refused = call (f, "POST", "/v1/streams", "{\"stream_id\":\"two\"}", 429);
  g_assert_cmpstr (text (refused, "code"), ==, "max_workers");
  g_assert_cmpstr (text (refused, "type"), ==, "urn:dub:problem:max_workers");
  g_assert_cmpint (json_object_get_int_member (refused, "status"), ==, 429);
  call_only (
      f, "POST", "/v1/streams", "{\"stream_id\":\"two\",\"start\":false}", 201);
  call_only (f, "POST", "/v1/streams/two/start", NULL, 429);
}

typedef struct {
  const char *body, *pointer;
} BadBody;

static const BadBody bad_bodies[] = {
    {"", ""},
    {"[]", ""},
    {"{}", "/stream_id"},
    {"{\"stream_id\":\"a/b\"}", "/stream_id"},
    {"{\"stream_id\":7}", "/stream_id"},
    {"{\"stream_id\":\"a\",\"colour\":1}", "/colour"},
    {"{\"stream_id\":\"a\",\"start\":\"yes\"}", "/start"},
    {"{\"stream_id\":\"a\",\"output_delay_ms\":2999}", "/output_delay_ms"},
    {"{\"stream_id\":\"a\",\"output_delay_ms\":5000.5}", "/output_delay_ms"},
    {"{\"stream_id\":\"a\",\"duck_db\":\"-3\"}", "/duck_db"},
    {"{\"stream_id\":\"a\",\"mix_mode\":\"loud\"}", "/mix_mode"},
    {"{\"stream_id\":\"a\",\"target_languages\":[]}", "/target_languages"},
    {"{\"stream_id\":\"a\",\"target_languages\":[\"en\",\"en\"]}",
        "/target_languages"},
    {"{\"stream_id\":\"a\",\"target_languages\":\"en\"}", "/target_languages"},
    {"{\"stream_id\":\"a\",\"input_url\":\"file:///etc/passwd\"}",
        "/input_url"},
    {"{\"stream_id\":\"a\",\"output_url\":\"http://x/\"}", "/output_url"},
    {"{\"stream_id\":\"a\",\"output_url\":\"srt://h:1?streamid=key\","
     "\"target_languages\":[\"en\",\"es\"]}",
        "/target_languages"},
    {"{\"stream_id\":\"a\",\"destinations\":[{\"name\":\"x\"}]}",
        "/destinations"},
    {"{\"stream_id\":\"a\",\"destinations\":[{\"name\":\"x y\",\"url\":"
     "\"rtmp://h/a\"}]}",
        "/destinations"},
    {"{\"stream_id\":\"a\",\"destinations\":[{\"name\":\"x\",\"url\":"
     "\"ftp://h/a\"}]}",
        "/destinations"},
    {"{\"stream_id\":\"a\",\"destinations\":[{\"name\":\"x\",\"url\":"
     "\"rtmp://h/a\"},{\"name\":\"y\",\"url\":\"rtmp://h/a\"}]}",
        "/destinations"},
};

static void
test_bad_bodies (ServiceRig *f, gconstpointer data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (bad_bodies); i++) {
    const BadBody *c = &bad_bodies[i];
    g_autoptr (JsonObject) problem =
        call (f, "POST", "/v1/streams", c->body, 422);
    JsonObject *item = json_array_get_object_element (
        json_object_get_array_member (problem, "errors"), 0);

    g_assert_cmpstr (text (problem, "code"), ==, "invalid");
    g_assert_cmpstr (text (item, "pointer"), ==, c->pointer);
  }
  call_only (f, "POST", "/v1/streams", "{\"stream_id\":\"a\"}", 201);
  call_only (
      f, "PATCH", "/v1/streams/a", "{\"input_url\":\"rtmp://h/a\"}", 422);
  call_only (f, "PATCH", "/v1/streams/none", "{\"duck_db\":-1}", 404);
  call_only (f, "PUT", "/v1/streams/a", "{}", 405);
  call_only (f, "GET", "/v1/streams/a/nothing", NULL, 404);
  call_only (f, "GET", "/v1/streams/a%2Fb", NULL, 404);
}

/* Below MEDIA_ROOT, whatever links and dots say; see test_media_root.c. */
static void
test_files (ServiceRig *f, gconstpointer data)
{
  g_autofree char *root = rig_path (&f->rig, "media");
  g_autofree char *clip = g_build_filename (root, "clip.mp4", NULL);
  g_autofree char *good = g_strdup_printf (
      "{\"stream_id\":\"a\",\"input_url\":\"file://%s\"}", clip);
  g_autofree char *played = g_strdup_printf (
      "{\"stream_id\":\"plays\",\"input_url\":\"file://%s\"}", clip);
  g_autofree char *bad = g_strdup_printf (
      "{\"stream_id\":\"b\",\"input_url\":\"file://%s/../../etc/passwd\"}",
      root);
  g_autofree char *told = g_strdup_printf ("\"INPUT_URL\":\"file://%s\"", clip);

  g_assert_cmpint (g_mkdir (root, 0700), ==, 0);
  g_assert_true (g_file_set_contents (clip, "x", 1, NULL));
  rig_set (&f->rig, "MEDIA_ROOT", root);
  service_start (f);
  call_only (f, "POST", "/v1/streams", bad, 422);
  call_only (f, "POST", "/v1/streams", good, 201);
  service_wait_state (f, "a", "running");
  service_wait_log (f, told);
  call_only (f, "POST", "/v1/streams", played, 201);
  service_wait_state (f, "plays", "stopped"); /* at its end, and not again */
  service_wait_log (f, "ended: exit 0");
}

/* A key goes to the worker and nowhere else. */
static void
test_keys_are_hidden (ServiceRig *f, gconstpointer data)
{
  static const char body[] =
      "{\"stream_id\":\"one\",\"destinations\":[{\"name\":\"twitch\",\"url\":"
      "\"rtmp://live.example/app/live_supersecret\"}]}";
  g_autofree char *url = service_url (f, "/v1/streams");
  g_autofree char *made = NULL;
  g_autofree char *list = NULL;

  g_assert_cmpuint (http_call ("POST", url, body, NULL, &made), ==, 201);
  g_assert_nonnull (strstr (made, "rtmp://live.example/app/***"));
  g_assert_null (strstr (made, "supersecret"));
  service_wait_state (f, "one", "running");
  service_wait_log (f, "live_supersecret"); /* the fake worker prints it */
  g_assert_cmpuint (http_call ("GET", url, NULL, NULL, &list), ==, 200);
  g_assert_null (strstr (list, "supersecret"));
}

static gboolean
has_delay (gpointer user_data)
{
  ServiceRig *f = user_data;
  g_autoptr (JsonObject) stream = service_look (f, "one");
  JsonNode *node =
      stream != NULL ? json_object_get_member (stream, "figures") : NULL;

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) &&
         json_object_get_double_member (
             json_node_get_object (node), "output_delay_ms") == 8001.5;
}

static void
test_figures (ServiceRig *f, gconstpointer data)
{
  g_autoptr (JsonObject) history = NULL;

  service_tell (f, "ready", "one", "a", "");
  rig_wait (&f->rig, "the figures of the worker", has_delay, f);
  history = call (f, "GET", "/v1/streams/one/history", NULL, 200);
  g_assert_cmpint (json_object_get_int_member (history, "step_s"), ==, 5);
  call_only (f, "GET", "/v1/streams/none/history", NULL, 404);
}

/* What came so far of an answer that has no end. (transfer full) */
static char *
read_events (ServiceRig *f, const char *path, const char *until)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnection) connection = g_socket_client_connect_to_host (
      client, "127.0.0.1", (guint16) f->port, NULL, NULL);
  g_autofree char *request =
      g_strdup_printf ("GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", path);
  GInputStream *in = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  GOutputStream *out = g_io_stream_get_output_stream (G_IO_STREAM (connection));
  GString *text = g_string_new (NULL);
  char bytes[4096];
  gssize n;

  g_socket_set_timeout (g_socket_connection_get_socket (connection), 20);
  g_assert_true (g_output_stream_write_all (
      out, request, strlen (request), NULL, NULL, NULL));
  while (strstr (text->str, until) == NULL &&
         (n = g_input_stream_read (in, bytes, sizeof bytes, NULL, NULL)) > 0)
    g_string_append_len (text, bytes, n);
  return g_string_free (text, FALSE);
}

static void
test_events (ServiceRig *f, gconstpointer data)
{
  g_autofree char *all = NULL;
  g_autofree char *one = NULL;

  service_tell (f, "ready", "talks", "a", "");
  service_wait_state (f, "talks", "running");
  all = read_events (f, "/v1/events", "event: segment");
  g_assert_true (g_str_has_prefix (all, "HTTP/1.1 200 OK\r\n"));
  g_assert_nonnull (
      strstr (all, "event: state\ndata: {\"stream_id\":\"talks\""));
  g_assert_nonnull (strstr (all, "\"phase\":\"heard\""));
  g_assert_nonnull (strstr (all, "\"transcript\":\"hola\""));
  one = read_events (f, "/v1/streams/talks/events", "event: figures");
  g_assert_nonnull (strstr (one, "\"output_delay_ms\":8001.5"));
  call_only (f, "GET", "/v1/streams/none/events", NULL, 404);
  call_only (f, "DELETE", "/v1/streams/talks", NULL, 204);
}

static void
test_docs (ServiceRig *f, gconstpointer data)
{
  static const char *const paths[] = {
      "/docs", "/docs/docs.css", "/docs/docs.js"};
  g_autoptr (JsonObject) api = call (f, "GET", "/openapi.json", NULL, 200);
  g_autoptr (JsonObject) config = call (f, "GET", "/v1/config", NULL, 200);

  g_assert_cmpstr (text (api, "openapi"), ==, "3.1.0");
  g_assert_false (json_object_get_boolean_member (config, "needs_token"));
  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++) {
    g_autofree char *url = service_url (f, paths[i]);
    g_autofree char *answer = NULL;

    g_assert_cmpuint (http_call ("GET", url, NULL, NULL, &answer), ==, 200);
    g_assert_null (strstr (answer, "https://")); /* nothing from elsewhere */
  }
}

static void
write_file (const char *path, const char *contents)
{
  g_assert_true (g_file_set_contents (path, contents, -1, NULL));
}

static gboolean
has_french (gpointer user_data)
{
  ServiceRig *f = user_data;
  g_autoptr (JsonObject) stream = service_look (f, "own");

  return stream != NULL && g_str_equal (text (stream, "target_language"), "fr");
}

/* The query lies below the file, the file below the API; a source of its own
 * starts at once; a change is taken, and what is wrong is not. */
static void
test_file (ServiceRig *f, gconstpointer data)
{
  g_autofree char *path = rig_path (&f->rig, "streams.yaml");

  write_file (path, "streams:\n  demo:\n    voice_profile: ann\n"
                    "  own:\n    input_url: rtmp://10.0.0.1/a/b\n");
  rig_set (&f->rig, "STREAMS_FILE", path);
  service_start (f);
  service_wait_state (f, "own", "running");
  service_tell (f, "ready", "demo", "a", "to=es&voice=joe");
  service_wait_state (f, "demo", "running");
  service_wait_log (f, "\"WORKER_VOICE_PROFILE\":\"ann\"");
  service_wait_log (f, "\"WORKER_TARGET_LANGUAGE\":\"es\"");
  write_file (path, "streams:\n  own:\n    colour: red\n");
  service_wait_log (
      f, "line 3: colour: there is no such setting; what it said");
  service_wait_state (f, "own", "running");
  write_file (path, "streams:\n  own:\n    input_url: rtmp://10.0.0.1/a/b\n"
                    "    target_languages: [fr]\n");
  rig_wait (&f->rig, "the file's new word", has_french, f);
  write_file (path, "streams: {}\n");
  f->stream_id = "own";
  rig_wait (&f->rig, "the stream is gone", has_no_entry, f);
  service_wait_state (f, "demo", "running");
}

static void
assert_no_place (
    ServiceRig *f, const char *method, const char *path, const char *body)
{
  g_autoptr (JsonObject) problem = call (f, method, path, body, 422);
  JsonObject *item = json_array_get_object_element (
      json_object_get_array_member (problem, "errors"), 0);

  g_assert_cmpstr (text (item, "pointer"), ==, "/target_languages");
}

/* Several languages need an output with a place for each, whoever says the
 * languages and whoever the output. */
static void
test_languages_need_places (ServiceRig *f, gconstpointer data)
{
  static const char by_srt[] =
      "{\"stream_id\":\"two\",\"output_url\":\"srt://h:1?streamid=key\"}";
  g_autofree char *path = rig_path (&f->rig, "streams.yaml");

  write_file (path, "streams:\n  demo:\n    target_languages: [en]\n"
                    "    output_url: srt://h:1?streamid=key\n");
  rig_set (&f->rig, "STREAMS_FILE", path);
  rig_set (&f->rig, "WORKER_TARGET_LANGUAGES", "en,es");
  service_start (f);
  assert_no_place (f, "POST", "/v1/streams",
      "{\"stream_id\":\"demo\",\"target_languages\":[\"en\",\"es\"]}");
  assert_no_place (f, "POST", "/v1/streams", by_srt);
  service_tell (f, "ready", "demo", "a", "to=fr");
  service_wait_state (f, "demo", "running");
  assert_no_place (
      f, "PATCH", "/v1/streams/demo", "{\"target_languages\":[\"en\",\"es\"]}");
  call_only (
      f, "PATCH", "/v1/streams/demo", "{\"target_languages\":[\"de\"]}", 200);
}

static int
check_config (ServiceRig *f)
{
  const char *argv[] = {g_getenv ("MEDIA_SERVICE"), "--check-config", NULL};
  Program *program = rig_start (&f->rig, "check", argv);

  program_wait (program);
  return WEXITSTATUS (program->status);
}

static void
test_check_config (ServiceRig *f, gconstpointer data)
{
  g_autofree char *path = rig_path (&f->rig, "streams.yaml");

  rig_set (&f->rig, "STREAMS_FILE", path);
  g_assert_cmpint (check_config (f), ==, 78); /* there is none */
  write_file (path, "streams:\n  demo:\n    duck_db: -3\n");
  g_assert_cmpint (check_config (f), ==, 0);
  write_file (path, "streams:\n  demo:\n    duck_db: 3\n");
  g_assert_cmpint (check_config (f), ==, 78);
  rig_set (&f->rig, "STREAMS_FILE", "");
  rig_set (&f->rig, "OUTPUT_DELAY_MS", "1");
  g_assert_cmpint (check_config (f), ==, 78);
}

static void
test_no_metrics (ServiceRig *f, gconstpointer data)
{
  rig_set (&f->rig, "METRICS_ENABLED", "false");
  service_start (f);
  call_only (f, "GET", "/metrics", NULL, 404);
}

/* Too many changes at once are refused, and questions are not. */
static void
test_rate_limit (ServiceRig *f, gconstpointer data)
{
  g_autofree char *url = NULL;
  g_autofree char *answer = NULL;
  guint status = 0;

  rig_set (&f->rig, "API_RATE_LIMIT", "2");
  service_start (f);
  url = service_url (f, "/v1/streams/none/stop");
  for (int i = 0; i < 20 && status != 429; i++) {
    g_clear_pointer (&answer, g_free);
    status = http_call ("POST", url, NULL, NULL, &answer);
  }
  g_assert_cmpuint (status, ==, 429);
  g_assert_nonnull (strstr (answer, "\"code\":\"rate_limited\""));
  call_only (f, "GET", "/v1/streams", NULL, 200);
  g_assert_cmpuint (service_tell (f, "ready", "one", "a", ""), ==, 200);
}

static guint
call_with (ServiceRig *f, const char *path, const char *token)
{
  g_autofree char *url = service_url (f, path);

  return http_call (g_str_has_suffix (path, "/stop") ? "POST" : "GET", url,
      NULL, token, NULL);
}

static guint
flood (ServiceRig *f, const char *path)
{
  guint status = 0;

  for (int i = 0; i < 200 && status != 429; i++)
    status = call_with (f, path, "no such token");
  return status;
}

/* However much those without a token ask, who has one is answered. */
static void
test_rate_of_strangers (ServiceRig *f, gconstpointer data)
{
  static const char *const paths[] = {
      "/v1/streams/none/stop", "/v1/streams", "/none", "/health"};

  rig_set (&f->rig, "API_RATE_LIMIT", "2");
  rig_set (&f->rig, "API_TOKEN", "0123456789");
  service_start (f);
  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++) {
    g_assert_cmpuint (flood (f, paths[i]), ==, 429);
    g_assert_cmpuint (call_with (f, "/v1/streams", "0123456789"), ==, 200);
    g_assert_cmpuint (
        call_with (f, "/v1/streams/none/stop", "0123456789"), ==, 404);
  }
}

/* What the page must know before it asks for streams. */
static void
test_config (ServiceRig *f, gconstpointer data)
{
  g_autoptr (JsonObject) config = call (f, "GET", "/v1/config", NULL, 200);
  JsonObject *places = json_object_get_object_member (config, "mediamtx");
  JsonObject *defaults = json_object_get_object_member (config, "defaults");

  g_assert_cmpstr (text (config, "version"), !=, "");
  g_assert_false (json_object_get_boolean_member (config, "needs_token"));
  g_assert_cmpstr (text (places, "hls_url"), ==, "http://127.0.0.1:8888");
  g_assert_cmpstr (text (places, "webrtc_url"), ==, "http://127.0.0.1:8889");
  g_assert_cmpint (
      json_object_get_int_member (defaults, "output_delay_ms"), ==, 8000);
  g_assert_cmpuint (json_array_get_length (
                        json_object_get_array_member (config, "languages")),
      >, 0);
}

static void
test_page_files (ServiceRig *f, gconstpointer data)
{
  g_autofree char *url = service_url (f, "/page/main.js");
  g_autofree char *body = NULL;

  g_assert_cmpuint (http_call ("GET", url, NULL, NULL, &body), ==, 200);
  g_assert_nonnull (strstr (body, "import "));
  call_only (f, "GET", "/page/none.js", NULL, 404);
  call_only (f, "GET", "/page/", NULL, 404);
  call_only (f, "POST", "/page/main.js", "{}", 405);
}

#define ADD(name, func)                                                        \
  g_test_add ("/media/api/" name, ServiceRig, NULL, service_set_up_started,    \
      func, service_tear_down)
#define ADD_UNSTARTED(name, func)                                              \
  g_test_add ("/media/api/" name, ServiceRig, NULL, service_set_up, func,      \
      service_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("create", test_create);
  ADD ("create-for-publisher", test_create_for_publisher);
  ADD ("change", test_change);
  ADD ("take-back", test_take_back);
  ADD ("outputs", test_outputs);
  ADD ("stop-and-start", test_stop_and_start);
  ADD ("without-publisher", test_without_publisher);
  ADD ("outlives", test_outlives);
  ADD ("delete-of-one-found-again", test_delete_of_one_found_again);
  ADD ("bad-bodies", test_bad_bodies);
  ADD ("keys-are-hidden", test_keys_are_hidden);
  ADD ("figures", test_figures);
  ADD ("events", test_events);
  ADD ("docs", test_docs);
  ADD_UNSTARTED ("rate-limit", test_rate_limit);
  ADD_UNSTARTED ("rate-of-strangers", test_rate_of_strangers);
  ADD_UNSTARTED ("files", test_files);
  ADD_UNSTARTED ("file", test_file);
  ADD_UNSTARTED ("languages-need-places", test_languages_need_places);
  ADD_UNSTARTED ("check-config", test_check_config);
  ADD_UNSTARTED ("no-metrics", test_no_metrics);
  ADD ("config", test_config);
  ADD ("page-files", test_page_files);
  ADD_UNSTARTED ("max-workers", test_max_workers);
  return g_test_run ();
}
