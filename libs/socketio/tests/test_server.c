/* SPDX-License-Identifier: Apache-2.0 */

/* Our server and our client in one process: what only the server's owner can
 * see. */
#include "recorder.h"

#include <dubbing_common/error.h>
#include <dubbing_socketio/server.h>

typedef struct {
  DubSioServerOptions options;
  SoupServer *soup;
  DubSioServer *server;
  guint port;
  DubSioSocket *socket; /* the last one */
  DubSioAck *kept_ack;
  GString *log;
  gboolean refuses;
  gboolean leaves_at_once;
} Fixture;

static gboolean
on_connect (
    DubSioSocket *socket, JsonNode *auth, gpointer user_data, GError **error)
{
  Fixture *fixture = user_data;

  g_string_append_printf (fixture->log, "connect %s;",
      dub_sio_socket_get_header (socket, "X-Stream-ID"));
  if (fixture->refuses) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_AUTH, "not you");
    return FALSE;
  }
  g_clear_pointer (&fixture->socket, dub_sio_socket_unref);
  fixture->socket = dub_sio_socket_ref (socket);
  dub_sio_socket_emit (socket, dub_sio_message_new ("welcome"));
  if (fixture->leaves_at_once)
    dub_sio_socket_disconnect (socket, TRUE);
  return TRUE;
}

static void
on_event (DubSioSocket *socket, DubSioMessage *message, DubSioAck *ack,
    gpointer user_data)
{
  Fixture *fixture = user_data;

  g_string_append_printf (
      fixture->log, "%s;", dub_sio_message_get_event (message));
  g_clear_pointer (&fixture->kept_ack, dub_sio_ack_unref);
  fixture->kept_ack = ack;
}

static void
on_disconnect (DubSioSocket *socket, const char *reason, gpointer user_data)
{
  Fixture *fixture = user_data;

  g_assert_false (dub_sio_socket_is_connected (socket));
  g_string_append_printf (fixture->log, "%s;", reason);
}

static void
start (Fixture *fixture)
{
  static const DubSioHandlers handlers = {on_connect, on_event, on_disconnect};
  g_autoptr (GError) error = NULL;
  GSList *uris;

  fixture->soup = soup_server_new (NULL, NULL);
  fixture->server = dub_sio_server_new (&fixture->options);
  dub_sio_server_add_namespace (fixture->server, "/", &handlers, fixture, NULL);
  dub_sio_server_attach (fixture->server, fixture->soup, "/socket.io/");
  soup_server_listen_local (fixture->soup, 0, 0, &error);
  g_assert_no_error (error);
  uris = soup_server_get_uris (fixture->soup);
  fixture->port = (guint) g_uri_get_port (uris->data);
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
}

static void
set_up (Fixture *fixture, gconstpointer unused)
{
  fixture->log = g_string_new (NULL);
  dub_sio_server_options_init (&fixture->options);
}

static void
tear_down (Fixture *fixture, gconstpointer unused)
{
  g_clear_pointer (&fixture->server, dub_sio_server_free);
  g_clear_pointer (&fixture->kept_ack, dub_sio_ack_unref);
  g_clear_pointer (&fixture->socket, dub_sio_socket_unref);
  soup_server_disconnect (fixture->soup);
  g_clear_object (&fixture->soup);
  g_string_free (fixture->log, TRUE);
}

static void
test_life (Fixture *fixture, gconstpointer unused)
{
  static const char *const headers[] = {"X-Stream-ID", "s1", NULL};
  DubSioClientOptions options;
  Recorder *recorder;

  start (fixture);
  dub_sio_client_options_init (&options);
  options.headers = headers;
  recorder = recorder_new (fixture->port, &options);
  g_assert_cmpstr (
      dub_sio_message_get_event (recorder_event (recorder, 0)), ==, "welcome");
  g_assert_cmpuint (dub_sio_server_get_n_sessions (fixture->server), ==, 1);
  dub_sio_client_emit (recorder->client, dub_sio_message_new ("hello"));
  WAIT_FOR (strstr (fixture->log->str, "hello;") != NULL);
  dub_sio_client_disconnect (recorder->client);
  WAIT_FOR (dub_sio_server_get_n_sessions (fixture->server) == 0);
  g_assert_cmpstr (
      fixture->log->str, ==, "connect s1;hello;client namespace disconnect;");
  /* A socket that has ended may still be spoken to. */
  dub_sio_socket_emit (fixture->socket, dub_sio_message_new ("late"));
  dub_sio_socket_disconnect (fixture->socket, TRUE);
  recorder_free (recorder);
}

static void
test_client_vanishes (Fixture *fixture, gconstpointer unused)
{
  Recorder *recorder;

  start (fixture);
  recorder = recorder_new (fixture->port, NULL);
  recorder_event (recorder, 0);
  recorder_free (recorder);
  WAIT_FOR (strstr (fixture->log->str, "transport close;") != NULL);
  g_assert_cmpuint (dub_sio_server_get_n_sessions (fixture->server), ==, 0);
}

static void
test_refused (Fixture *fixture, gconstpointer unused)
{
  Recorder *recorder;

  fixture->refuses = TRUE;
  fixture->options.connect_timeout_ms = 200;
  start (fixture);
  recorder = recorder_new (fixture->port, NULL);
  WAIT_FOR (recorder->closed != NULL);
  g_assert_error (recorder->closed, DUB_ERROR, DUB_ERROR_AUTH);
  g_assert_nonnull (strstr (recorder->closed->message, "not you"));
  WAIT_FOR (dub_sio_server_get_n_sessions (fixture->server) == 0);
  g_assert_cmpstr (fixture->log->str, ==, "connect (null);");
  recorder_free (recorder);
}

static void
test_put_out_at_once (Fixture *fixture, gconstpointer unused)
{
  Recorder *recorder;

  fixture->leaves_at_once = TRUE;
  start (fixture);
  recorder = recorder_new (fixture->port, NULL);
  WAIT_FOR (recorder->closed != NULL);
  g_assert_error (recorder->closed, DUB_ERROR, DUB_ERROR_DISCONNECTED);
  g_assert_cmpuint (recorder->events->len, ==, 1);
  g_assert_cmpstr (
      fixture->log->str, ==, "connect (null);server namespace disconnect;");
  recorder_free (recorder);
}

static void
test_late_ack (Fixture *fixture, gconstpointer unused)
{
  Recorder *recorder;

  start (fixture);
  recorder = recorder_new (fixture->port, NULL);
  recorder_event (recorder, 0);
  dub_sio_client_emit_with_ack (recorder->client, dub_sio_message_new ("ask"),
      recorder_on_answer, recorder);
  WAIT_FOR (fixture->kept_ack != NULL);
  wait_ms (20);
  g_assert_cmpuint (recorder->answers->len, ==, 0);
  dub_sio_ack_send (
      g_steal_pointer (&fixture->kept_ack), dub_sio_message_new (NULL));
  WAIT_FOR (recorder->answers->len == 1);

  /* And one that is answered behind the end. */
  dub_sio_client_emit_with_ack (recorder->client, dub_sio_message_new ("ask"),
      recorder_on_answer, recorder);
  WAIT_FOR (fixture->kept_ack != NULL);
  dub_sio_client_disconnect (recorder->client);
  g_assert_cmpuint (recorder->unanswered, ==, 1);
  WAIT_FOR (dub_sio_server_get_n_sessions (fixture->server) == 0);
  dub_sio_ack_send (
      g_steal_pointer (&fixture->kept_ack), dub_sio_message_new (NULL));
  recorder_free (recorder);
}

static void
count_null (DubSioMessage *answer, gpointer user_data)
{
  g_assert_null (answer);
  (*(guint *) user_data)++;
}

static void
test_server_asks_and_client_leaves (Fixture *fixture, gconstpointer unused)
{
  guint n = 0;
  Recorder *recorder;

  start (fixture);
  recorder = recorder_new (fixture->port, NULL);
  recorder_event (recorder, 0);
  dub_sio_client_disconnect (recorder->client);
  dub_sio_socket_emit_with_ack (
      fixture->socket, dub_sio_message_new ("q"), count_null, &n);
  WAIT_FOR (dub_sio_server_get_n_sessions (fixture->server) == 0);
  g_assert_cmpuint (n, ==, 1);
  dub_sio_socket_emit_with_ack (
      fixture->socket, dub_sio_message_new ("q"), count_null, &n);
  g_assert_cmpuint (n, ==, 2);
  recorder_free (recorder);
}

static void
test_too_many_sessions (Fixture *fixture, gconstpointer unused)
{
  Recorder *first, *second;

  fixture->options.max_sessions = 1;
  start (fixture);
  first = recorder_new (fixture->port, NULL);
  recorder_event (first, 0);
  second = recorder_new (fixture->port, NULL);
  WAIT_FOR (second->closed != NULL);
  g_assert_error (second->closed, DUB_ERROR, DUB_ERROR_OVERLOADED);
  recorder_free (second);
  recorder_free (first);
}

/* A WebSocket that is never read: what waits for it is bounded. */
static void
test_slow_client_is_cut (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnection) connection = NULL;
  g_autoptr (GBytes) bytes = make_bytes (64 << 10);
  static const char request[] =
      "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
      "Host: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
      /* a masked text frame with a mask of zeros: "40" */
      "\x81\x82\0\0\0\0"
      "40";
  gsize worst = 0;
  guint sent = 0;

  fixture->options.max_queued_bytes = 4 << 20;
  start (fixture);
  connection = g_socket_client_connect_to_host (
      client, "127.0.0.1", (guint16) fixture->port, NULL, NULL);
  g_output_stream_write_all (
      g_io_stream_get_output_stream (G_IO_STREAM (connection)), request,
      sizeof request - 1, NULL, NULL, NULL);
  WAIT_FOR (fixture->socket != NULL);
  while (dub_sio_socket_is_connected (fixture->socket) && sent < 2000) {
    DubSioMessage *message = dub_sio_message_new ("flood");

    dub_sio_message_add_arg (
        message, dub_sio_message_add_binary (message, bytes));
    dub_sio_socket_emit (fixture->socket, message);
    worst = MAX (worst, dub_sio_socket_get_queued_bytes (fixture->socket));
    sent++;
    while (g_main_context_iteration (NULL, FALSE))
      continue;
  }
  g_assert_nonnull (strstr (fixture->log->str, "transport error;"));
  g_assert_cmpuint (worst, >, 4 << 20);
  g_assert_cmpuint (worst, <, 5 << 20);
  g_assert_cmpuint (dub_sio_server_get_n_sessions (fixture->server), ==, 0);
}

/* A client that reads is never cut, however much passes. */
static void
test_meter_follows (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GBytes) bytes = make_bytes (256 << 10);
  Recorder *recorder;

  fixture->options.max_queued_bytes = 1 << 20;
  start (fixture);
  recorder = recorder_new (fixture->port, NULL);
  recorder_event (recorder, 0);
  for (guint i = 1; i <= 64; i++) {
    DubSioMessage *message = dub_sio_message_new ("flood");

    dub_sio_message_add_arg (
        message, dub_sio_message_add_binary (message, bytes));
    dub_sio_socket_emit (fixture->socket, message);
    if (i % 2 == 0)
      recorder_event (recorder, i);
  }
  WAIT_FOR (dub_sio_socket_get_queued_bytes (fixture->socket) == 0);
  recorder_free (recorder);
}

static void
test_shutdown (Fixture *fixture, gconstpointer unused)
{
  Recorder *recorder;

  start (fixture);
  recorder = recorder_new (fixture->port, NULL);
  recorder_event (recorder, 0);
  g_clear_pointer (&fixture->server, dub_sio_server_free);
  g_assert_nonnull (strstr (fixture->log->str, "server shutting down;"));
  WAIT_FOR (recorder->closed != NULL);
  g_assert_error (recorder->closed, DUB_ERROR, DUB_ERROR_DISCONNECTED);
  recorder_free (recorder);
}

static void
free_in_callback (DubSioClient *client, const GError *error, gpointer user_data)
{
  DubSioClient **place = user_data;

  g_clear_pointer (place, dub_sio_client_free);
}

static void
free_on_event (DubSioClient *client, DubSioMessage *message, gpointer user_data)
{
  free_in_callback (client, NULL, user_data);
}

static void
test_free_in_callback (Fixture *fixture, gconstpointer unused)
{
  static const DubSioClientHandlers on_close_handlers = {
      NULL, NULL, free_in_callback, NULL};
  static const DubSioClientHandlers on_event_handlers = {
      NULL, free_on_event, NULL, NULL};
  g_autofree char *url = NULL;
  DubSioClientOptions options;
  DubSioClient *client;

  start (fixture);
  url = g_strdup_printf ("ws://127.0.0.1:%u", fixture->port);
  dub_sio_client_options_init (&options);
  client =
      dub_sio_client_new (url, &options, &on_event_handlers, &client, NULL);
  dub_sio_client_connect (client);
  WAIT_FOR (client == NULL);

  options.path = "/nothing/";
  client =
      dub_sio_client_new (url, &options, &on_close_handlers, &client, NULL);
  dub_sio_client_connect (client);
  WAIT_FOR (client == NULL);
}

static void
test_connect_errors (Fixture *fixture, gconstpointer unused)
{
  DubSioClientOptions options;
  g_autoptr (GError) error = NULL;
  Recorder *recorder;

  start (fixture);
  dub_sio_client_options_init (&options);
  options.path = "/nothing/";
  recorder = recorder_new (fixture->port, &options);
  WAIT_FOR (recorder->closed != NULL);
  g_assert_error (recorder->closed, DUB_ERROR, DUB_ERROR_NOT_FOUND);
  recorder_free (recorder);

  soup_server_disconnect (fixture->soup);
  recorder = recorder_new (fixture->port, NULL);
  WAIT_FOR (recorder->closed != NULL);
  g_assert_error (recorder->closed, DUB_ERROR, DUB_ERROR_UNAVAILABLE);
  g_assert_true (dub_error_is_retryable (recorder->closed));
  recorder_free (recorder);

  dub_sio_client_options_init (&options);
  g_assert_null (dub_sio_client_new (
      "ftp://host", &options, &recorder_handlers, NULL, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_INVALID);
}

/* A port where someone listens and never says a word. */
static void
test_connect_timeout (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);
  DubSioClientOptions options;
  Recorder *recorder;

  start (fixture);
  dub_sio_client_options_init (&options);
  options.connect_timeout_ms = 200;
  recorder = recorder_new (port, &options);
  WAIT_FOR (recorder->closed != NULL);
  g_assert_error (recorder->closed, DUB_ERROR, DUB_ERROR_TIMEOUT);
  recorder_free (recorder);
  wait_ms (20);
}

/* What a person reads names the server and neither user nor token. */
static void
test_secrets (Fixture *fixture, gconstpointer unused)
{
  DubSioClientOptions options;
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  Recorder recorder = {.events = none, .answers = none};

  start (fixture);
  dub_sio_client_options_init (&options);
  recorder.client =
      /* pragma: allowlist nextline secret */
      dub_sio_client_new ("http://user:secret@127.0.0.1:1/?token=secret",
          &options, &recorder_handlers, &recorder, NULL);
  dub_sio_client_connect (recorder.client);
  WAIT_FOR (recorder.closed != NULL);
  g_assert_nonnull (strstr (recorder.closed->message, "127.0.0.1:1"));
  g_assert_null (strstr (recorder.closed->message, "secret"));
  dub_sio_client_free (recorder.client);
  g_clear_error (&recorder.closed);
}

#define ADD(path, function)                                                    \
  g_test_add (                                                                 \
      "/socketio/server/" path, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("life", test_life);
  ADD ("client-vanishes", test_client_vanishes);
  ADD ("refused", test_refused);
  ADD ("put-out-at-once", test_put_out_at_once);
  ADD ("late-ack", test_late_ack);
  ADD ("asks-and-client-leaves", test_server_asks_and_client_leaves);
  ADD ("too-many-sessions", test_too_many_sessions);
  ADD ("slow-client-is-cut", test_slow_client_is_cut);
  ADD ("meter-follows", test_meter_follows);
  ADD ("shutdown", test_shutdown);
  ADD ("free-in-callback", test_free_in_callback);
  ADD ("connect-errors", test_connect_errors);
  ADD ("connect-timeout", test_connect_timeout);
  ADD ("secrets", test_secrets);
  return g_test_run ();
}
