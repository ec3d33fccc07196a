/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "http.listener"
#include "dubbing_socketio/http_listener.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>

struct _DubHttpListener {
  SoupServer *server;
  GSocketService *service;
  guint port;
};

static void
on_headers (SoupServerMessage *message, gpointer user_data)
{
  if (!soup_message_headers_get_one (
          soup_server_message_get_request_headers (message), "Upgrade"))
    soup_message_headers_replace (
        soup_server_message_get_response_headers (message), "Connection",
        "close");
}

/* A SoupServer without a listener of its own closes after each answer. A
 * client that is not told sends its next request into the closing connection
 * and sees it reset. */
static void
on_started (SoupServer *server, SoupServerMessage *message, gpointer user_data)
{
  g_signal_connect (message, "got-headers", G_CALLBACK (on_headers), NULL);
}

static gboolean
on_incoming (GSocketService *service, GSocketConnection *connection,
    GObject *source, gpointer user_data)
{
  DubHttpListener *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketAddress) local =
      g_socket_connection_get_local_address (connection, NULL);
  g_autoptr (GSocketAddress) remote =
      g_socket_connection_get_remote_address (connection, NULL);

  /* One that has gone already has no addresses. */
  if (local == NULL || remote == NULL)
    return TRUE;
  if (!soup_server_accept_iostream (
          self->server, G_IO_STREAM (connection), local, remote, &error))
    dub_debug ("a connection was not taken: %s", error->message);
  return TRUE;
}

static gboolean
listen_on (DubHttpListener *self, const char *host, guint port, GError **error)
{
  g_autoptr (GInetAddress) inet = g_inet_address_new_from_string (
      g_str_equal (host, "localhost") ? "127.0.0.1" : host);
  g_autoptr (GSocketAddress) wanted = NULL;
  g_autoptr (GSocketAddress) bound = NULL;
  g_autoptr (GError) cause = NULL;

  if (inet == NULL) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "\"%s\" is no IP address to listen on", host);
    return FALSE;
  }
  wanted = g_inet_socket_address_new (inet, (guint16) port);
  if (!g_socket_listener_add_address (G_SOCKET_LISTENER (self->service), wanted,
          G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL, &bound, &cause)) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_UNAVAILABLE,
        "cannot listen on %s port %u: %s", host, port, cause->message);
    return FALSE;
  }
  self->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  return TRUE;
}

DubHttpListener *
dub_http_listener_new (
    SoupServer *server, const char *host, guint port, GError **error)
{
  g_autoptr (DubHttpListener) self = g_new0 (DubHttpListener, 1);

  g_return_val_if_fail (SOUP_IS_SERVER (server) && host != NULL, NULL);
  g_return_val_if_fail (port <= G_MAXUINT16, NULL);
  self->server = g_object_ref (server);
  g_signal_connect (server, "request-started", G_CALLBACK (on_started), self);
  self->service = g_socket_service_new ();
  g_signal_connect (self->service, "incoming", G_CALLBACK (on_incoming), self);
  if (!listen_on (self, host, port, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
dub_http_listener_free (DubHttpListener *listener)
{
  if (listener == NULL)
    return;
  g_signal_handlers_disconnect_by_data (listener->server, listener);
  g_signal_handlers_disconnect_by_data (listener->service, listener);
  g_socket_service_stop (listener->service);
  g_socket_listener_close (G_SOCKET_LISTENER (listener->service));
  g_object_unref (listener->service);
  g_object_unref (listener->server);
  g_free (listener);
}

guint
dub_http_listener_get_port (DubHttpListener *listener)
{
  g_return_val_if_fail (listener != NULL, 0);
  return listener->port;
}
