/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_socketio/ack.h>
#include <libsoup/soup.h>

/*
 * A Socket.IO v5 server (Engine.IO v4: polling, WebSocket, upgrade) on a
 * SoupServer that the caller owns.
 *
 * Everything here runs on the thread that owns the SoupServer's main context,
 * callbacks included; a callback must not block. Other threads post to that
 * context. A socket is one client in one namespace; it lives until
 * on_disconnect has returned, longer for who holds a reference.
 */
G_BEGIN_DECLS

typedef struct _DubSioServer DubSioServer;
typedef struct _DubSioSocket DubSioSocket;

typedef struct {
  guint ping_interval_ms;   /* 25000 */
  guint ping_timeout_ms;    /* 10000 */
  gsize max_payload;        /* bytes of one message in; 16 MiB + 64 KiB */
  gsize max_queued_bytes;   /* waiting for one slow client; then it is cut */
  guint max_sessions;       /* 0: no limit; beyond it HTTP 503 */
  guint connect_timeout_ms; /* first CONNECT packet; 45000 */
  guint max_attachments;    /* of one message; 16 */
  /* (nullable) Asked for each HTTP request; is_known: of a session that lives.
   * FALSE: it has been answered. */
  gboolean (*may_ask) (
      SoupServerMessage *message, gboolean is_known, gpointer user_data);
  gpointer may_ask_data;
} DubSioServerOptions;
void dub_sio_server_options_init (DubSioServerOptions *options);

typedef struct {
  /* (nullable) FALSE with error: the client gets CONNECT_ERROR with its
   * message. auth: (nullable), the payload of the CONNECT packet. What is
   * emitted here leaves after the client was told that it is connected. */
  gboolean (*on_connect) (
      DubSioSocket *socket, JsonNode *auth, gpointer user_data, GError **error);
  /* ack: NULL when the client asked for none; else answer it once, now or
   * later, with dub_sio_ack_send (), or drop it with dub_sio_ack_unref (). */
  void (*on_event) (DubSioSocket *socket, DubSioMessage *message,
      DubSioAck *ack, gpointer user_data);
  /* (nullable) reason: "transport close", "transport error", "ping timeout",
   * "parse error", "client namespace disconnect", "server namespace
   * disconnect", "server shutting down". */
  void (*on_disconnect) (
      DubSioSocket *socket, const char *reason, gpointer user_data);
} DubSioHandlers;

DubSioServer *dub_sio_server_new (const DubSioServerOptions *options);
/* Closes every connection. */
void dub_sio_server_free (DubSioServer *server);
/* Serves path (with and without the final slash); several paths may be. */
void dub_sio_server_attach (
    DubSioServer *server, SoupServer *soup, const char *path);
/* Before the first client. Other namespaces: "Invalid namespace". */
void dub_sio_server_add_namespace (DubSioServer *server, const char *name,
    const DubSioHandlers *handlers, gpointer user_data, GDestroyNotify destroy);
guint dub_sio_server_get_n_sessions (DubSioServer *server);

DubSioSocket *dub_sio_socket_ref (DubSioSocket *socket);
void dub_sio_socket_unref (DubSioSocket *socket);
const char *dub_sio_socket_get_id (DubSioSocket *socket);
const char *dub_sio_socket_get_namespace (DubSioSocket *socket);
gboolean dub_sio_socket_is_connected (DubSioSocket *socket);
/* A header of the handshake request (X-Stream-ID); (nullable). */
const char *dub_sio_socket_get_header (DubSioSocket *socket, const char *name);
gsize dub_sio_socket_get_queued_bytes (DubSioSocket *socket);
void dub_sio_socket_set_data (
    DubSioSocket *socket, gpointer data, GDestroyNotify destroy);
gpointer dub_sio_socket_get_data (DubSioSocket *socket);

/* message (transfer full). Nothing happens on a closed socket. */
void dub_sio_socket_emit (DubSioSocket *socket, DubSioMessage *message);
/* on_ack is called once; at once, with NULL, on a closed socket. */
void dub_sio_socket_emit_with_ack (DubSioSocket *socket, DubSioMessage *message,
    DubSioAckFunc on_ack, gpointer user_data);
/* Leaves the namespace (packet 41); close_transport ends the connection. */
void dub_sio_socket_disconnect (DubSioSocket *socket, gboolean close_transport);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubSioServer, dub_sio_server_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubSioSocket, dub_sio_socket_unref)

G_END_DECLS
