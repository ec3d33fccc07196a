/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <string.h>

/*
 * A proxy as some offices have: HTTP goes through, an upgrade to WebSocket is
 * refused. A thread for each direction of each connection.
 */
typedef struct {
  GSocketService *service;
  guint port;
  guint target;
  gint refused; /* atomic */
} NoWebsocket;

typedef struct {
  GIOStream *from, *to;
} NoWebsocketPump;

static inline gpointer
no_websocket_pump (gpointer data)
{
  NoWebsocketPump *pump = data;
  GInputStream *in = g_io_stream_get_input_stream (pump->from);
  GOutputStream *out = g_io_stream_get_output_stream (pump->to);
  char bytes[65536];
  gssize n;

  while ((n = g_input_stream_read (in, bytes, sizeof bytes, NULL, NULL)) > 0 &&
         g_output_stream_write_all (out, bytes, (gsize) n, NULL, NULL, NULL)) {
  }
  g_socket_shutdown (
      g_socket_connection_get_socket (G_SOCKET_CONNECTION (pump->to)), TRUE,
      TRUE, NULL);
  return NULL;
}

static inline gboolean
no_websocket_on_run (GThreadedSocketService *service,
    GSocketConnection *connection, GObject *source, gpointer user_data)
{
  static const char refusal[] = "HTTP/1.1 403 Forbidden\r\n"
                                "Content-Length: 0\r\n\r\n";
  NoWebsocket *self = user_data;
  char head[4096] = {0};
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnection) server = NULL;
  NoWebsocketPump up, down;
  GThread *thread;
  gssize n = g_input_stream_read (
      g_io_stream_get_input_stream (G_IO_STREAM (connection)), head,
      sizeof head - 1, NULL, NULL);

  if (n > 0 && strstr (head, "Upgrade: websocket")) {
    g_atomic_int_inc (&self->refused);
    g_output_stream_write_all (
        g_io_stream_get_output_stream (G_IO_STREAM (connection)), refusal,
        sizeof refusal - 1, NULL, NULL, NULL);
    return TRUE;
  }
  server = g_socket_client_connect_to_host (
      client, "127.0.0.1", (guint16) self->target, NULL, NULL);
  if (n <= 0 || !server)
    return TRUE;
  g_output_stream_write_all (
      g_io_stream_get_output_stream (G_IO_STREAM (server)), head, (gsize) n,
      NULL, NULL, NULL);
  up = (NoWebsocketPump){G_IO_STREAM (connection), G_IO_STREAM (server)};
  down = (NoWebsocketPump){G_IO_STREAM (server), G_IO_STREAM (connection)};
  thread = g_thread_new ("pump", no_websocket_pump, &up);
  no_websocket_pump (&down);
  g_thread_join (thread);
  return TRUE;
}

static inline NoWebsocket *
no_websocket_new (guint target)
{
  NoWebsocket *self = g_new0 (NoWebsocket, 1);
  g_autoptr (GInetAddress) loopback =
      g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) effective = NULL;
  g_autoptr (GError) error = NULL;

  self->target = target;
  self->service = g_threaded_socket_service_new (32);
  g_socket_listener_add_address (G_SOCKET_LISTENER (self->service), address,
      G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL, &effective, &error);
  g_assert_no_error (error);
  self->port =
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (effective));
  g_signal_connect (
      self->service, "run", G_CALLBACK (no_websocket_on_run), self);
  g_socket_service_start (self->service);
  return self;
}

/* Threads that still pump keep it: it is small, and a test ends soon. */
static inline void
no_websocket_stop (NoWebsocket *self)
{
  g_socket_service_stop (self->service);
  g_socket_listener_close (G_SOCKET_LISTENER (self->service));
}
