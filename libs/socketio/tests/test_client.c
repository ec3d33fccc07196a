/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Our client against a server that is another process: the conformance server
 * or the public one (interop/echo_server.mjs), which behave alike.
 *
 * Usage: test_client [GTest's options] [--no-websocket] PROGRAM [ARGUMENT...]
 * --no-websocket: a proxy between them lets no WebSocket through.
 */
#include "no_websocket.h"
#include "recorder.h"

#include <dubbing_common/error.h>
#include <gio/gio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define MIB ((gsize) 1 << 20)

static char **server_argv;
static gboolean has_proxy;

typedef struct {
  GSubprocess *process;
  guint port; /* of the proxy, where there is one */
  NoWebsocket *proxy;
} Server;

/* NULL when the server says that it cannot be had here. */
static Server *
server_start (const char *ping_interval)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GDataInputStream) lines = NULL;
  g_autofree char *line = NULL;
  const char *more[] = {"--port", "0", "--watch-stdin", "--ping-interval",
      ping_interval, "--ping-timeout", "200", "--max-payload", "20000000",
      NULL};
  Server *server = g_new0 (Server, 1);

  for (guint i = 0; server_argv[i] != NULL; i++)
    g_ptr_array_add (argv, server_argv[i]);
  for (guint i = 0; i < G_N_ELEMENTS (more); i++)
    g_ptr_array_add (argv, (gpointer) more[i]);
  server->process = g_subprocess_newv ((const char *const *) argv->pdata,
      G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error);
  g_assert_no_error (error);
  lines =
      g_data_input_stream_new (g_subprocess_get_stdout_pipe (server->process));
  line = g_data_input_stream_read_line (lines, NULL, NULL, NULL);
  if (line == NULL || !g_str_has_prefix (line, "listening ")) {
    g_object_unref (server->process);
    g_free (server);
    return NULL;
  }
  server->port =
      (guint) g_ascii_strtoull (line + strlen ("listening "), NULL, 10);
  if (has_proxy) {
    server->proxy = no_websocket_new (server->port);
    server->port = server->proxy->port;
  }
  return server;
}

static void
server_stop (Server *server)
{
  g_autoptr (GError) error = NULL;

  if (server->process == NULL)
    return;
  g_output_stream_close (
      g_subprocess_get_stdin_pipe (server->process), NULL, NULL);
  g_subprocess_wait (server->process, NULL, &error);
  g_assert_no_error (error);
  g_clear_object (&server->process);
}

static void
server_free (Server *server)
{
  server_stop (server);
  if (server->proxy)
    no_websocket_stop (server->proxy);
  g_free (server);
}

typedef struct {
  Server *server;
  Recorder *recorder;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer ping_interval)
{
  fixture->server =
      server_start (ping_interval != NULL ? ping_interval : "5000");
  g_assert_nonnull (fixture->server);
  fixture->recorder = recorder_new (fixture->server->port, NULL);
  WAIT_FOR (fixture->recorder->is_connected || fixture->recorder->closed);
  g_assert_no_error (fixture->recorder->closed);
  /* The first event is "auth". */
  g_assert_cmpstr (
      dub_sio_message_get_event (recorder_event (fixture->recorder, 0)), ==,
      "auth");
  if (fixture->server->proxy)
    g_assert_cmpint (
        g_atomic_int_get (&fixture->server->proxy->refused), ==, 1);
}

static void
tear_down (Fixture *fixture, gconstpointer unused)
{
  recorder_free (fixture->recorder);
  server_free (fixture->server);
}

/* "message" with one text, one small object and bytes of that size. */
static DubSioMessage *
make_message (const char *event, GBytes *bytes)
{
  DubSioMessage *message = dub_sio_message_new (event);
  JsonNode *object = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (object, json_object_new ());
  json_object_set_member (json_node_get_object (object), "data",
      dub_sio_message_add_binary (message, bytes));
  dub_sio_message_add_arg (message, text_node ("ñ€😀 \"\\\n"));
  dub_sio_message_add_arg (message, object);
  return message;
}

static void
check_message (DubSioMessage *message, const char *event, GBytes *bytes)
{
  JsonNode *object = dub_sio_message_get_arg (message, 1);
  GBytes *back;

  g_assert_cmpstr (dub_sio_message_get_event (message), ==, event);
  g_assert_cmpuint (dub_sio_message_get_n_args (message), ==, 2);
  g_assert_cmpstr (json_node_get_string (dub_sio_message_get_arg (message, 0)),
      ==, "ñ€😀 \"\\\n");
  back = dub_sio_message_get_binary (
      message, json_object_get_member (json_node_get_object (object), "data"));
  g_assert_nonnull (back);
  g_assert_true (g_bytes_equal (back, bytes));
}

static void
test_message (Fixture *fixture, gconstpointer unused)
{
  static const gsize sizes[] = {0, 3, 1000, MIB, 13 * MIB};

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (GBytes) bytes = make_bytes (sizes[i]);

    g_assert_true (dub_sio_client_emit (
        fixture->recorder->client, make_message ("message", bytes)));
    check_message (
        recorder_event (fixture->recorder, i + 1), "message-back", bytes);
  }
}

static void
test_long_text (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *text = g_strnfill (13 * MIB, 'x');
  DubSioMessage *message = dub_sio_message_new ("message");
  const char *back;

  dub_sio_message_add_arg (message, text_node (text));
  g_assert_true (dub_sio_client_emit (fixture->recorder->client, message));
  back = json_node_get_string (
      dub_sio_message_get_arg (recorder_event (fixture->recorder, 1), 0));
  g_assert_true (strcmp (back, text) == 0);
}

static void
test_ack (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GBytes) bytes = make_bytes (1000);
  Recorder *recorder = fixture->recorder;

  for (guint i = 0; i < 3; i++)
    g_assert_true (dub_sio_client_emit_with_ack (recorder->client,
        make_message ("message-with-ack", bytes), recorder_on_answer,
        recorder));
  WAIT_FOR (recorder->answers->len == 3 || recorder->closed != NULL);
  g_assert_no_error (recorder->closed);
  for (guint i = 0; i < 3; i++)
    check_message (g_ptr_array_index (recorder->answers, i), NULL, bytes);
}

static void
test_asked (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GBytes) bytes = make_bytes (1000);

  g_assert_true (dub_sio_client_emit (
      fixture->recorder->client, make_message ("ask-me", bytes)));
  check_message (recorder_event (fixture->recorder, 1), "answer-back", bytes);
}

static void
test_in_order (Fixture *fixture, gconstpointer unused)
{
  for (gint64 i = 0; i < 300; i++) {
    DubSioMessage *message = dub_sio_message_new ("message");
    g_autoptr (GBytes) bytes = g_bytes_new (&i, 1);

    dub_sio_message_add_arg (
        message, json_node_init_int (json_node_alloc (), i));
    dub_sio_message_add_arg (
        message, dub_sio_message_add_binary (message, bytes));
    g_assert_true (dub_sio_client_emit (fixture->recorder->client, message));
  }
  for (gint64 i = 0; i < 300; i++) {
    DubSioMessage *back = recorder_event (fixture->recorder, (guint) i + 1);

    g_assert_cmpint (
        json_node_get_int (dub_sio_message_get_arg (back, 0)), ==, i);
  }
}

/* Six intervals of the server's heartbeat pass, and it is still there. */
static void
test_heartbeat (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GBytes) bytes = make_bytes (10);

  wait_ms (1500);
  g_assert_no_error (fixture->recorder->closed);
  g_assert_true (dub_sio_client_emit (
      fixture->recorder->client, make_message ("message", bytes)));
  check_message (recorder_event (fixture->recorder, 1), "message-back", bytes);
}

static void
test_server_falls_silent (Fixture *fixture, gconstpointer unused)
{
  DubSioClientOptions options;
  Recorder *recorder;

  dub_sio_client_options_init (&options);
  options.ping_grace_ms = 100;
  recorder = recorder_new (fixture->server->port, &options);
  recorder_event (recorder, 0);
  g_subprocess_send_signal (fixture->server->process, SIGSTOP);
  WAIT_FOR (recorder->closed != NULL);
  g_subprocess_send_signal (fixture->server->process, SIGCONT);
  g_assert_error (recorder->closed, DUB_ERROR, DUB_ERROR_TIMEOUT);
  g_assert_cmpuint (recorder->n_closed, ==, 1);
  recorder_free (recorder);
}

static void
expect_disconnected (Recorder *recorder)
{
  WAIT_FOR (recorder->closed != NULL);
  g_assert_error (recorder->closed, DUB_ERROR, DUB_ERROR_DISCONNECTED);
  g_assert_true (dub_error_is_retryable (recorder->closed));
  g_assert_false (dub_sio_client_is_connected (recorder->client));
  g_assert_false (
      dub_sio_client_emit (recorder->client, dub_sio_message_new ("message")));
  wait_ms (20);
  g_assert_cmpuint (recorder->n_closed, ==, 1);
}

static void
test_put_out (Fixture *fixture, gconstpointer unused)
{
  dub_sio_client_emit (
      fixture->recorder->client, dub_sio_message_new ("leave"));
  expect_disconnected (fixture->recorder);
}

static void
test_cut_off (Fixture *fixture, gconstpointer unused)
{
  dub_sio_client_emit (
      fixture->recorder->client, dub_sio_message_new ("close"));
  expect_disconnected (fixture->recorder);
}

static void
test_server_dies (Fixture *fixture, gconstpointer unused)
{
  Recorder *recorder = fixture->recorder;

  g_assert_true (dub_sio_client_emit_with_ack (recorder->client,
      dub_sio_message_new ("nobody-answers"), recorder_on_answer, recorder));
  g_subprocess_force_exit (fixture->server->process);
  expect_disconnected (recorder);
  g_assert_cmpuint (recorder->unanswered, ==, 1);
}

static void
test_disconnect (Fixture *fixture, gconstpointer unused)
{
  dub_sio_client_disconnect (fixture->recorder->client);
  expect_disconnected (fixture->recorder);
}

static void
test_namespace (Fixture *fixture, gconstpointer unused)
{
  DubSioClientOptions options;
  g_autoptr (JsonNode) auth = json_from_string ("{\"token\":\"abc\"}", NULL);
  g_autofree char *back = NULL;
  Recorder *recorder;

  dub_sio_client_options_init (&options);
  options.name_space = "/custom";
  options.auth = auth;
  recorder = recorder_new (fixture->server->port, &options);
  back = json_to_string (
      dub_sio_message_get_arg (recorder_event (recorder, 0), 0), FALSE);
  g_assert_cmpstr (back, ==, "{\"token\":\"abc\"}");
  recorder_free (recorder);

  options.name_space = "/nobody";
  recorder = recorder_new (fixture->server->port, &options);
  WAIT_FOR (recorder->closed != NULL);
  g_assert_error (recorder->closed, DUB_ERROR, DUB_ERROR_AUTH);
  g_assert_nonnull (strstr (recorder->closed->message, "Invalid namespace"));
  recorder_free (recorder);
}

static gboolean
is_server_here (void)
{
  Server *server = server_start ("5000");

  if (server != NULL)
    server_free (server);
  return server != NULL;
}

#define ADD(path, argument, function)                                          \
  g_test_add ("/socketio/client/" path, Fixture, argument, set_up, function,   \
      tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  signal (SIGPIPE, SIG_IGN);
  has_proxy = argc > 1 && g_str_equal (argv[1], "--no-websocket");
  server_argv = argv + 1 + has_proxy;
  if (argc < 2 + has_proxy)
    g_error ("which server?");
  if (!is_server_here ()) {
    puts ("1..0 # SKIP the server cannot be had here");
    return 0;
  }
  ADD ("message", NULL, test_message);
  ADD ("long-text", NULL, test_long_text);
  ADD ("ack", NULL, test_ack);
  ADD ("asked", NULL, test_asked);
  ADD ("in-order", NULL, test_in_order);
  ADD ("heartbeat", "250", test_heartbeat);
  ADD ("server-falls-silent", "300", test_server_falls_silent);
  ADD ("put-out", NULL, test_put_out);
  ADD ("cut-off", NULL, test_cut_off);
  ADD ("server-dies", NULL, test_server_dies);
  ADD ("disconnect", NULL, test_disconnect);
  ADD ("namespace", NULL, test_namespace);
  return g_test_run ();
}
