/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A server that behaves as the public test suites of the Engine.IO and
 * Socket.IO protocols expect of one, for them and for our own interop tests.
 *
 *   --protocol engine.io   every message comes back, at /engine.io/
 *   --protocol socket.io   auth, message-back and acknowledgements on / and
 *                          /custom, at /socket.io/ and /ws/sts
 *
 * It prints "listening PORT" once it does, and ends with SIGINT or SIGTERM, or
 * when its standard input ends (--watch-stdin).
 */
#include "eio_server.h"

#include <dubbing_socketio/server.h>
#include <glib-unix.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char *protocol = NULL;
static int port = 3000;
static gboolean watch_stdin = FALSE;
static int ping_interval_ms = 300;
static int ping_timeout_ms = 200;
static int max_payload = 1000000;
static int connect_timeout_ms = 1000;

static const GOptionEntry entries[] = {
    {"protocol", 0, 0, G_OPTION_ARG_STRING, &protocol,
        "engine.io or socket.io (default)", "NAME"},
    {"port", 0, 0, G_OPTION_ARG_INT, &port, "0: any free one", "PORT"},
    {"ping-interval", 0, 0, G_OPTION_ARG_INT, &ping_interval_ms, "", "MS"},
    {"ping-timeout", 0, 0, G_OPTION_ARG_INT, &ping_timeout_ms, "", "MS"},
    {"connect-timeout", 0, 0, G_OPTION_ARG_INT, &connect_timeout_ms, "", "MS"},
    {"max-payload", 0, 0, G_OPTION_ARG_INT, &max_payload, "", "BYTES"},
    {"watch-stdin", 0, 0, G_OPTION_ARG_NONE, &watch_stdin,
        "end with standard input", NULL},
    {NULL, 0, 0, 0, NULL, NULL, NULL},
};

/* ------------------------------------------------------------ Engine.IO */

static void
on_engine_open (DubEioSession *session, gpointer user_data)
{
}

static void
on_engine_message (
    DubEioSession *session, const DubEioPacket *packet, gpointer user_data)
{
  gsize length;
  const char *data = g_bytes_get_data (packet->data, &length);
  GString *text;
  g_autoptr (GBytes) bytes = NULL;

  if (packet->is_binary) {
    dub_eio_session_send (session, dub_eio_frame_new (TRUE, packet->data));
    return;
  }
  text = g_string_sized_new (length + 1);
  g_string_append_c (text, '4');
  g_string_append_len (text, data, (gssize) length);
  bytes = g_string_free_to_bytes (text);
  dub_eio_session_send (session, dub_eio_frame_new (FALSE, bytes));
}

static void
on_engine_close (DubEioSession *session, const char *reason, gpointer user_data)
{
}

static const DubEioHandlers engine_handlers = {
    on_engine_open, on_engine_message, on_engine_close};

static DubEioServer *
start_engine (SoupServer *soup)
{
  DubEioOptions options;
  DubEioServer *server;

  dub_eio_options_init (&options);
  options.ping_interval_ms = (guint) ping_interval_ms;
  options.ping_timeout_ms = (guint) ping_timeout_ms;
  options.max_payload = (gsize) max_payload;
  server = dub_eio_server_new (&options, &engine_handlers, NULL);
  dub_eio_server_attach (server, soup, "/engine.io/");
  return server;
}

/* ------------------------------------------------------------ Socket.IO */

static gboolean
on_connect (
    DubSioSocket *socket, JsonNode *auth, gpointer user_data, GError **error)
{
  DubSioMessage *message = dub_sio_message_new ("auth");
  JsonNode *payload = NULL;

  if (auth != NULL) {
    payload = json_node_copy (auth);
  } else {
    payload = json_node_new (JSON_NODE_OBJECT);
    json_node_take_object (payload, json_object_new ());
  }
  dub_sio_message_add_arg (message, payload);
  dub_sio_socket_emit (socket, message);
  return TRUE;
}

/* The client's answer to our question goes back to it as an event. */
static void
on_answer (DubSioMessage *answer, gpointer user_data)
{
  g_autoptr (DubSioSocket) socket = user_data;
  DubSioMessage *message = dub_sio_message_new ("answer-back");

  if (answer != NULL)
    dub_sio_message_add_args_of (message, answer);
  dub_sio_socket_emit (socket, message);
}

static void
on_event (DubSioSocket *socket, DubSioMessage *message, DubSioAck *ack,
    gpointer user_data)
{
  g_autoptr (DubSioAck) owned = ack;
  const char *event = dub_sio_message_get_event (message);
  DubSioMessage *back = NULL;

  if (strcmp (event, "message") == 0) {
    back = dub_sio_message_new ("message-back");
    dub_sio_message_add_args_of (back, message);
    dub_sio_socket_emit (socket, back);
  } else if (strcmp (event, "message-with-ack") == 0 && owned != NULL) {
    back = dub_sio_message_new (NULL);
    dub_sio_message_add_args_of (back, message);
    dub_sio_ack_send (g_steal_pointer (&owned), back);
  } else if (strcmp (event, "ask-me") == 0) {
    back = dub_sio_message_new ("question");
    dub_sio_message_add_args_of (back, message);
    dub_sio_socket_emit_with_ack (
        socket, back, on_answer, dub_sio_socket_ref (socket));
  } else if (strcmp (event, "leave") == 0) {
    dub_sio_socket_disconnect (socket, FALSE);
  } else if (strcmp (event, "close") == 0) {
    dub_sio_socket_disconnect (socket, TRUE);
  }
}

static DubSioServer *
start_socket (SoupServer *soup)
{
  static const DubSioHandlers handlers = {on_connect, on_event, NULL};
  DubSioServerOptions options;
  DubSioServer *server;

  dub_sio_server_options_init (&options);
  options.ping_interval_ms = (guint) ping_interval_ms;
  options.ping_timeout_ms = (guint) ping_timeout_ms;
  options.connect_timeout_ms = (guint) connect_timeout_ms;
  options.max_payload = (gsize) max_payload;
  server = dub_sio_server_new (&options);
  dub_sio_server_add_namespace (server, "/", &handlers, NULL, NULL);
  dub_sio_server_add_namespace (server, "/custom", &handlers, NULL, NULL);
  dub_sio_server_attach (server, soup, "/socket.io/");
  dub_sio_server_attach (server, soup, "/ws/sts");
  return server;
}

/* ----------------------------------------------------------------- main */

static gboolean
on_end (gpointer user_data)
{
  g_main_loop_quit (user_data);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_stdin (int fd, GIOCondition condition, gpointer user_data)
{
  char buffer[256];

  if (read (fd, buffer, sizeof buffer) > 0)
    return G_SOURCE_CONTINUE;
  g_main_loop_quit (user_data);
  return G_SOURCE_REMOVE;
}

static gboolean
read_options (int *argc, char ***argv, GError **error)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  if (protocol == NULL)
    protocol = g_strdup ("socket.io");
  if (strcmp (protocol, "engine.io") == 0 ||
      strcmp (protocol, "socket.io") == 0)
    return TRUE;
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
      "--protocol must be engine.io or socket.io");
  return FALSE;
}

static gboolean
run (GError **error)
{
  g_autoptr (SoupServer) soup = soup_server_new (NULL, NULL);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  gboolean is_engine = g_strcmp0 (protocol, "engine.io") == 0;
  g_autoptr (DubEioServer) engine G_GNUC_UNUSED =
      is_engine ? start_engine (soup) : NULL;
  g_autoptr (DubSioServer) server G_GNUC_UNUSED =
      is_engine ? NULL : start_socket (soup);
  GSList *uris;

  if (!soup_server_listen_local (soup, (guint) port, 0, error))
    return FALSE;
  uris = soup_server_get_uris (soup);
  printf ("listening %d\n", g_uri_get_port (uris->data));
  fflush (stdout);
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
  g_unix_signal_add (SIGINT, on_end, loop);
  g_unix_signal_add (SIGTERM, on_end, loop);
  if (watch_stdin)
    g_unix_fd_add (0, G_IO_IN | G_IO_HUP, on_stdin, loop);
  g_main_loop_run (loop);
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  if (!read_options (&argc, &argv, &error) || !run (&error)) {
    fprintf (stderr, "socketio-conformance-server: %s\n", error->message);
    return 1;
  }
  g_free (protocol);
  return 0;
}
