/* SPDX-License-Identifier: Apache-2.0 */
#include "ws_link.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define FRAME_HEADER 2 /* at least; more is noise here */

struct _DubWsLink {
  SoupWebsocketConnection *connection;
  const DubWsHandlers *handlers;
  gpointer user_data;
  int fd;        /* -1: no TCP socket */
  guint64 given; /* to libsoup since the start */
  guint64 base;  /* acknowledged before the start */
};

static gboolean
read_acknowledged (int fd, guint64 *ret_bytes)
{
  struct tcp_info info = {0};
  socklen_t length = sizeof info;

  if (fd < 0 || getsockopt (fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0 ||
      length < offsetof (struct tcp_info, tcpi_bytes_acked) +
                   sizeof info.tcpi_bytes_acked)
    return FALSE;
  *ret_bytes = info.tcpi_bytes_acked;
  return TRUE;
}

/* Of the TCP socket below libsoup's own layers; -1 under TLS, whose streams
 * do not show it. */
static int
find_fd (SoupWebsocketConnection *connection)
{
  g_autoptr (GIOStream) stream =
      g_object_ref (soup_websocket_connection_get_io_stream (connection));

  while (!G_IS_SOCKET_CONNECTION (stream)) {
    GIOStream *base = NULL;

    if (g_object_class_find_property (
            G_OBJECT_GET_CLASS (stream), "base-iostream") == NULL)
      return -1;
    g_object_get (stream, "base-iostream", &base, NULL);
    if (base == NULL)
      return -1;
    g_object_unref (stream);
    stream = base;
  }
  return g_socket_get_fd (
      g_socket_connection_get_socket (G_SOCKET_CONNECTION (stream)));
}

static void
start_meter (DubWsLink *link)
{
  int unsent = 0;

  link->fd = find_fd (link->connection);
  if (!read_acknowledged (link->fd, &link->base)) {
    link->fd = -1;
    return;
  }
  if (ioctl (link->fd, SIOCOUTQ, &unsent) == 0 && unsent > 0)
    link->base += (guint64) unsent;
}

static void
on_message (SoupWebsocketConnection *connection, int type, GBytes *bytes,
    gpointer user_data)
{
  DubWsLink *link = user_data;

  link->handlers->on_frame (
      link, type == SOUP_WEBSOCKET_DATA_BINARY, bytes, link->user_data);
}

static void
on_closed (SoupWebsocketConnection *connection, gpointer user_data)
{
  DubWsLink *link = user_data;

  link->handlers->on_closed (link, link->user_data);
}

DubWsLink *
dub_ws_link_new (SoupWebsocketConnection *connection, gsize max_payload,
    const DubWsHandlers *handlers, gpointer user_data)
{
  DubWsLink *link = g_new0 (DubWsLink, 1);

  link->connection = g_object_ref (connection);
  link->handlers = handlers;
  link->user_data = user_data;
  start_meter (link);
  soup_websocket_connection_set_max_incoming_payload_size (
      connection, max_payload);
  g_signal_connect (connection, "message", G_CALLBACK (on_message), link);
  g_signal_connect (connection, "closed", G_CALLBACK (on_closed), link);
  return link;
}

static SoupWebsocketConnection *
take_connection (DubWsLink *link)
{
  SoupWebsocketConnection *connection = link->connection;

  g_signal_handlers_disconnect_by_data (connection, link);
  g_free (link);
  return connection;
}

void
dub_ws_link_free (DubWsLink *link)
{
  SoupWebsocketConnection *connection;

  if (link == NULL)
    return;
  connection = take_connection (link);
  g_io_stream_close (
      soup_websocket_connection_get_io_stream (connection), NULL, NULL);
  g_object_unref (connection);
}

static void
on_lingered (SoupWebsocketConnection *connection, gpointer user_data)
{
  g_object_unref (connection);
}

void
dub_ws_link_close (DubWsLink *link, gushort code, const char *reason)
{
  SoupWebsocketConnection *connection;

  if (link == NULL)
    return;
  connection = take_connection (link);
  if (soup_websocket_connection_get_state (connection) ==
      SOUP_WEBSOCKET_STATE_CLOSED) {
    g_object_unref (connection);
    return;
  }
  /* The reference lives on until "closed", which libsoup promises. */
  g_signal_connect (connection, "closed", G_CALLBACK (on_lingered), NULL);
  if (soup_websocket_connection_get_state (connection) ==
      SOUP_WEBSOCKET_STATE_OPEN)
    soup_websocket_connection_close (connection, code, reason);
}

void
dub_ws_link_send (DubWsLink *link, const DubEioFrame *frame)
{
  if (soup_websocket_connection_get_state (link->connection) !=
      SOUP_WEBSOCKET_STATE_OPEN)
    return;
  link->given += dub_eio_frame_get_size (frame) + FRAME_HEADER;
  soup_websocket_connection_send_message (link->connection,
      frame->is_binary ? SOUP_WEBSOCKET_DATA_BINARY : SOUP_WEBSOCKET_DATA_TEXT,
      frame->bytes);
}

gsize
dub_ws_link_get_queued_bytes (DubWsLink *link)
{
  guint64 acknowledged;

  if (!read_acknowledged (link->fd, &acknowledged))
    return 0;
  acknowledged -= link->base;
  return acknowledged < link->given ? (gsize) (link->given - acknowledged) : 0;
}
