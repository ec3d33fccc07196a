/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "http.listener"
#include "dubbing_socketio/http_listener.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

/* What was sent and is not acknowledged for so long ends a connection. */
#define UNTAKEN_MS 60000
#define VISITOR_KEY "dub-http-visitor"

struct _DubHttpListener {
  DubHttpListenerOptions options; /* its numbers, and the certificate */
  SoupServer *server;
  GSocketService *service;
  guint port;
  GHashTable *visitors; /* set of Visitor */
  GHashTable *peers;    /* address -> how many of them */
  GQueue waiting;       /* of Visitor, the oldest first: no request yet */
  DubHttpListenerStats stats;
};

/* One connection, from the moment it is taken to its end. */
typedef struct {
  grefcount ref_count;
  DubHttpListener *listener;     /* NULL once that is gone */
  GSocketConnection *connection; /* a weak one */
  GSocket *socket;
  GSocketAddress *local, *remote;
  char *peer;
  GList *place; /* in waiting; NULL: its request has come */
  GSource *timer;
  GCancellable *cancellable; /* of the handshake */
} Visitor;

/* --- one visitor --- */

static void
visitor_unref (gpointer data)
{
  Visitor *visitor = data;

  if (!g_ref_count_dec (&visitor->ref_count))
    return;
  g_object_set_data (G_OBJECT (visitor->remote), VISITOR_KEY, NULL);
  g_clear_object (&visitor->socket);
  g_clear_object (&visitor->local);
  g_clear_object (&visitor->remote);
  g_clear_object (&visitor->cancellable);
  g_free (visitor->peer);
  g_free (visitor);
}

static Visitor *
visitor_ref (Visitor *visitor)
{
  g_ref_count_inc (&visitor->ref_count);
  return visitor;
}

static void
clear_timer (Visitor *visitor)
{
  if (visitor->timer == NULL)
    return;
  g_source_destroy (visitor->timer);
  g_clear_pointer (&visitor->timer, g_source_unref);
}

static guint
count_of (DubHttpListener *self, const char *peer)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (self->peers, peer));
}

static void
set_count (DubHttpListener *self, const char *peer, guint count)
{
  if (count == 0)
    g_hash_table_remove (self->peers, peer);
  else
    g_hash_table_replace (
        self->peers, g_strdup (peer), GUINT_TO_POINTER (count));
}

static void
stop_waiting (Visitor *visitor)
{
  if (visitor->place != NULL)
    g_queue_delete_link (&visitor->listener->waiting, visitor->place);
  visitor->place = NULL;
}

/* The listener forgets it; its connection may live on, as others hold it. */
static void
forget (Visitor *visitor)
{
  DubHttpListener *self = visitor->listener;

  clear_timer (visitor);
  if (self == NULL)
    return;
  stop_waiting (visitor);
  visitor->listener = NULL;
  set_count (self, visitor->peer, count_of (self, visitor->peer) - 1);
  g_hash_table_remove (self->visitors, visitor);
}

static void
on_connection_gone (gpointer user_data, GObject *connection)
{
  Visitor *visitor = user_data;

  visitor->connection = NULL;
  forget (visitor);
  visitor_unref (visitor);
}

/* Whoever reads from it sees its end. */
static void
cut (Visitor *visitor)
{
  g_cancellable_cancel (visitor->cancellable);
  g_socket_shutdown (visitor->socket, TRUE, TRUE, NULL);
  forget (visitor);
}

static gboolean
on_too_slow (gpointer user_data)
{
  Visitor *visitor = user_data;

  visitor->listener->stats.timed_out++;
  dub_debug ("%s was too slow", visitor->peer);
  cut (visitor);
  return G_SOURCE_REMOVE;
}

static void
set_timer (Visitor *visitor, guint ms)
{
  clear_timer (visitor);
  visitor->timer = g_timeout_source_new (ms);
  g_source_set_callback (visitor->timer, on_too_slow, visitor, NULL);
  g_source_attach (visitor->timer, NULL);
}

static void
set_socket_limits (GSocket *socket)
{
  g_socket_set_keepalive (socket, TRUE);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_USER_TIMEOUT, UNTAKEN_MS, NULL);
}

static char *
address_of (GSocketAddress *remote)
{
  if (!G_IS_INET_SOCKET_ADDRESS (remote))
    return g_strdup ("");
  return g_inet_address_to_string (
      g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (remote)));
}

/* NULL for one that has gone already: it has no addresses. */
static Visitor *
visitor_new (DubHttpListener *self, GSocketConnection *connection)
{
  g_autoptr (GSocketAddress) local =
      g_socket_connection_get_local_address (connection, NULL);
  g_autoptr (GSocketAddress) remote =
      g_socket_connection_get_remote_address (connection, NULL);
  Visitor *visitor;

  if (local == NULL || remote == NULL)
    return NULL;
  visitor = g_new0 (Visitor, 1);
  g_ref_count_init (&visitor->ref_count);
  visitor->listener = self;
  visitor->connection = connection;
  visitor->socket = g_object_ref (g_socket_connection_get_socket (connection));
  visitor->local = g_steal_pointer (&local);
  visitor->remote = g_steal_pointer (&remote);
  visitor->peer = address_of (visitor->remote);
  visitor->cancellable = g_cancellable_new ();
  /* Its address is the one object that comes back with the request. */
  g_object_set_data (G_OBJECT (visitor->remote), VISITOR_KEY, visitor);
  return visitor;
}

/* --- the request --- */

static Visitor *
visitor_of (SoupServerMessage *message)
{
  GSocketAddress *remote = soup_server_message_get_remote_address (message);

  return remote != NULL ? g_object_get_data (G_OBJECT (remote), VISITOR_KEY)
                        : NULL;
}

static void
on_headers (SoupServerMessage *message, gpointer user_data)
{
  Visitor *visitor = visitor_of (message);

  if (!soup_message_headers_get_one (
          soup_server_message_get_request_headers (message), "Upgrade"))
    soup_message_headers_replace (
        soup_server_message_get_response_headers (message), "Connection",
        "close");
  if (visitor == NULL || visitor->listener == NULL)
    return;
  stop_waiting (visitor);
  set_timer (visitor, visitor->listener->options.body_ms);
}

static void
on_body (SoupServerMessage *message, gpointer user_data)
{
  Visitor *visitor = visitor_of (message);

  if (visitor != NULL)
    clear_timer (visitor);
}

/* A SoupServer without a listener of its own closes after each answer. A
 * client that is not told sends its next request into the closing connection
 * and sees it reset. */
static void
on_started (SoupServer *server, SoupServerMessage *message, gpointer user_data)
{
  g_signal_connect (message, "got-headers", G_CALLBACK (on_headers), NULL);
  g_signal_connect (message, "got-body", G_CALLBACK (on_body), NULL);
}

/* --- connections --- */

static void
hand_over (Visitor *visitor, GIOStream *stream)
{
  g_autoptr (GError) error = NULL;

  if (!soup_server_accept_iostream (visitor->listener->server, stream,
          visitor->local, visitor->remote, &error))
    dub_debug ("a connection was not taken: %s", error->message);
}

static void
on_handshake (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Visitor *visitor = user_data;
  g_autoptr (GError) error = NULL;

  if (!g_tls_connection_handshake_finish (
          G_TLS_CONNECTION (source), result, &error)) {
    if (visitor->listener != NULL) {
      visitor->listener->stats.no_tls++;
      dub_debug ("no TLS with %s: %s", visitor->peer, error->message);
      cut (visitor);
    }
  } else if (visitor->listener != NULL) {
    hand_over (visitor, G_IO_STREAM (source));
  }
  visitor_unref (visitor);
}

static void
begin_tls (Visitor *visitor)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GIOStream) tls =
      g_tls_server_connection_new (G_IO_STREAM (visitor->connection),
          visitor->listener->options.certificate, &error);

  if (tls == NULL) {
    dub_warning ("no TLS: %s", error->message);
    cut (visitor);
    return;
  }
  /* HTTP/1.1 says itself where it ends; many peers send no close_notify. */
  g_tls_connection_set_require_close_notify (G_TLS_CONNECTION (tls), FALSE);
  g_tls_connection_handshake_async (G_TLS_CONNECTION (tls), G_PRIORITY_DEFAULT,
      visitor->cancellable, on_handshake, visitor_ref (visitor));
}

static gboolean
is_full (DubHttpListener *self, const char *peer)
{
  return g_hash_table_size (self->visitors) >= self->options.max_connections ||
         count_of (self, peer) >= self->options.max_per_peer;
}

/* One that has said nothing yet gives way to one that may. Of the same peer
 * when it is the peer that has too many. */
static gboolean
make_room (DubHttpListener *self, const char *peer)
{
  gboolean is_peer = count_of (self, peer) >= self->options.max_per_peer;

  for (GList *l = self->waiting.head; l != NULL; l = l->next) {
    Visitor *oldest = l->data;

    if (is_peer && !g_str_equal (oldest->peer, peer))
      continue;
    cut (oldest);
    return TRUE;
  }
  return FALSE;
}

static gboolean
on_incoming (GSocketService *service, GSocketConnection *connection,
    GObject *source, gpointer user_data)
{
  DubHttpListener *self = user_data;
  Visitor *visitor = visitor_new (self, connection);

  if (visitor == NULL)
    return TRUE;
  if (is_full (self, visitor->peer)) {
    self->stats.refused++;
    if (!make_room (self, visitor->peer)) {
      visitor_unref (visitor);
      g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
      return TRUE;
    }
  }
  self->stats.accepted++;
  g_hash_table_add (self->visitors, visitor_ref (visitor));
  set_count (self, visitor->peer, count_of (self, visitor->peer) + 1);
  g_queue_push_tail (&self->waiting, visitor);
  visitor->place = self->waiting.tail;
  set_socket_limits (visitor->socket);
  set_timer (visitor, self->options.header_ms);
  /* The first reference is the connection's. */
  g_object_weak_ref (G_OBJECT (connection), on_connection_gone, visitor);
  if (self->options.certificate != NULL)
    begin_tls (visitor);
  else
    hand_over (visitor, G_IO_STREAM (connection));
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

void
dub_http_listener_options_init (DubHttpListenerOptions *options)
{
  *options = (DubHttpListenerOptions){
      .host = "127.0.0.1",
      .max_connections = 512,
      .max_per_peer = 512,
      .header_ms = 10000,
      .body_ms = 60000,
  };
}

DubHttpListener *
dub_http_listener_new_full (
    SoupServer *server, const DubHttpListenerOptions *options, GError **error)
{
  g_autoptr (DubHttpListener) self = g_new0 (DubHttpListener, 1);

  g_return_val_if_fail (SOUP_IS_SERVER (server) && options->host, NULL);
  g_return_val_if_fail (options->port <= G_MAXUINT16, NULL);
  self->options = *options;
  if (options->certificate != NULL)
    g_object_ref (self->options.certificate);
  self->visitors = g_hash_table_new_full (NULL, NULL, visitor_unref, NULL);
  self->peers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_queue_init (&self->waiting);
  self->server = g_object_ref (server);
  g_signal_connect (server, "request-started", G_CALLBACK (on_started), self);
  self->service = g_socket_service_new ();
  g_signal_connect (self->service, "incoming", G_CALLBACK (on_incoming), self);
  if (!listen_on (self, options->host, options->port, error))
    return NULL;
  return g_steal_pointer (&self);
}

DubHttpListener *
dub_http_listener_new (
    SoupServer *server, const char *host, guint port, GError **error)
{
  DubHttpListenerOptions options;

  g_return_val_if_fail (host != NULL, NULL);
  dub_http_listener_options_init (&options);
  options.host = host;
  options.port = port;
  return dub_http_listener_new_full (server, &options, error);
}

static void
forget_all (DubHttpListener *self)
{
  g_autoptr (GList) visitors = g_hash_table_get_keys (self->visitors);

  for (GList *l = visitors; l != NULL; l = l->next) {
    g_cancellable_cancel (((Visitor *) l->data)->cancellable);
    forget (l->data);
  }
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
  forget_all (listener);
  g_hash_table_unref (listener->visitors);
  g_hash_table_unref (listener->peers);
  g_clear_object (&listener->options.certificate);
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

void
dub_http_listener_get_stats (
    DubHttpListener *listener, DubHttpListenerStats *ret_stats)
{
  g_return_if_fail (listener != NULL);
  *ret_stats = listener->stats;
  ret_stats->connections = g_hash_table_size (listener->visitors);
}
