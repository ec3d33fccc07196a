/* SPDX-License-Identifier: Apache-2.0 */
#include <dubbing_socketio/server.h>

#include "ack_private.h"
#include "eio_server.h"
#include "sio_packet.h"

#include <string.h>

typedef struct {
  char *name;
  DubSioHandlers handlers;
  gpointer user_data;
  GDestroyNotify destroy;
} Namespace;

struct _DubSioServer {
  DubSioServerOptions options;
  DubEioServer *engine;
  GHashTable *namespaces; /* name -> Namespace */
};

/* One Engine.IO session and the namespaces that it has joined. */
typedef struct {
  DubSioServer *server;
  DubEioSession *session; /* which owns us by its data pointer */
  DubSioDecoder *decoder;
  GHashTable *sockets; /* namespace name -> DubSioSocket, a reference */
  GSource *join_timer; /* runs while sockets is empty */
} Connection;

typedef enum {
  SOCKET_NONE = 0,
  SOCKET_JOINING, /* in on_connect: what it emits waits in early */
  SOCKET_JOINED,
  SOCKET_LEFT,
} SocketState;

struct _DubSioSocket {
  grefcount ref_count;
  SocketState state;
  char *id;
  char *name_space;
  DubEioSession *session; /* a reference, for its headers and queue */
  Connection *connection; /* NULL once left */
  Namespace *space;       /* NULL once left */
  GQueue early;           /* of Early */
  gboolean leave_early, close_early;
  DubSioAckTable *acks;
  gpointer data;
  GDestroyNotify destroy;
};

typedef struct {
  DubSioMessage *message;
  gint64 id;
} Early;

/* --------------------------------------------------------------- socket */

static void
early_free (gpointer data)
{
  Early *early = data;

  dub_sio_message_unref (early->message);
  g_free (early);
}

static DubSioSocket *
socket_new (Connection *connection, Namespace *space)
{
  DubSioSocket *socket = g_new0 (DubSioSocket, 1);
  g_autofree char *uuid = g_uuid_string_random ();

  g_ref_count_init (&socket->ref_count);
  socket->state = SOCKET_JOINING;
  socket->id = g_strdup (uuid);
  socket->name_space = g_strdup (space->name);
  socket->session = dub_eio_session_ref (connection->session);
  socket->connection = connection;
  socket->space = space;
  socket->acks = dub_sio_ack_table_new ();
  g_queue_init (&socket->early);
  return socket;
}

DubSioSocket *
dub_sio_socket_ref (DubSioSocket *socket)
{
  g_ref_count_inc (&socket->ref_count);
  return socket;
}

void
dub_sio_socket_unref (DubSioSocket *socket)
{
  if (socket == NULL || !g_ref_count_dec (&socket->ref_count))
    return;
  if (socket->destroy != NULL)
    socket->destroy (socket->data);
  g_queue_clear_full (&socket->early, early_free);
  dub_sio_ack_table_free (socket->acks);
  dub_eio_session_unref (socket->session);
  g_free (socket->name_space);
  g_free (socket->id);
  g_free (socket);
}

const char *
dub_sio_socket_get_id (DubSioSocket *socket)
{
  return socket->id;
}

const char *
dub_sio_socket_get_namespace (DubSioSocket *socket)
{
  return socket->name_space;
}

gboolean
dub_sio_socket_is_connected (DubSioSocket *socket)
{
  return socket->state == SOCKET_JOINED || socket->state == SOCKET_JOINING;
}

const char *
dub_sio_socket_get_header (DubSioSocket *socket, const char *name)
{
  return dub_eio_session_get_header (socket->session, name);
}

gsize
dub_sio_socket_get_queued_bytes (DubSioSocket *socket)
{
  return dub_eio_session_get_queued_bytes (socket->session);
}

void
dub_sio_socket_set_data (
    DubSioSocket *socket, gpointer data, GDestroyNotify destroy)
{
  if (socket->destroy != NULL)
    socket->destroy (socket->data);
  socket->data = data;
  socket->destroy = destroy;
}

gpointer
dub_sio_socket_get_data (DubSioSocket *socket)
{
  return socket->data;
}

static void
send_bytes (DubEioSession *session, gboolean is_binary, GBytes *bytes)
{
  dub_eio_session_send (session, dub_eio_frame_new (is_binary, bytes));
}

/* Consumes message. */
static void
socket_send (DubSioSocket *socket, gint64 id, DubSioMessage *message)
{
  g_autoptr (DubSioMessage) owned = message;
  GPtrArray *attachments = dub_sio_message_get_attachments (message);
  g_autoptr (GBytes) text = NULL;
  Early *early;

  if (socket->state == SOCKET_JOINING) {
    early = g_new (Early, 1);
    *early = (Early){g_steal_pointer (&owned), id};
    g_queue_push_tail (&socket->early, early);
    return;
  }
  if (socket->state != SOCKET_JOINED)
    return;
  text = dub_sio_encode_message (socket->name_space, id, message);
  send_bytes (socket->session, FALSE, text);
  for (guint i = 0; i < attachments->len; i++)
    send_bytes (socket->session, TRUE, g_ptr_array_index (attachments, i));
}

void
dub_sio_socket_emit (DubSioSocket *socket, DubSioMessage *message)
{
  g_return_if_fail (dub_sio_message_get_event (message) != NULL);

  socket_send (socket, DUB_SIO_NO_ID, message);
}

void
dub_sio_socket_emit_with_ack (DubSioSocket *socket, DubSioMessage *message,
    DubSioAckFunc on_ack, gpointer user_data)
{
  g_return_if_fail (dub_sio_message_get_event (message) != NULL);

  if (!dub_sio_socket_is_connected (socket)) {
    dub_sio_message_unref (message);
    on_ack (NULL, user_data);
    return;
  }
  socket_send (
      socket, dub_sio_ack_table_add (socket->acks, on_ack, user_data), message);
}

static void
answer_ack (gpointer target, gint64 id, DubSioMessage *message)
{
  socket_send (target, id, message);
}

/* ------------------------------------------------------- joining, leaving */

static gboolean
on_join_timeout (gpointer user_data)
{
  Connection *connection = user_data;

  dub_eio_session_close (connection->session, "connect timeout");
  return G_SOURCE_REMOVE;
}

static void
stop_join_timer (Connection *connection)
{
  if (connection->join_timer == NULL)
    return;
  g_source_destroy (connection->join_timer);
  g_clear_pointer (&connection->join_timer, g_source_unref);
}

static void
start_join_timer (Connection *connection)
{
  DubSioServer *server = connection->server;

  stop_join_timer (connection);
  connection->join_timer =
      g_timeout_source_new (server->options.connect_timeout_ms);
  g_source_set_callback (
      connection->join_timer, on_join_timeout, connection, NULL);
  g_source_attach (
      connection->join_timer, dub_eio_server_get_context (server->engine));
}

/* Tells the owner; the connection has let go of it already. */
static void
socket_leave (DubSioSocket *socket, const char *reason)
{
  Namespace *space = socket->space;
  DubSioAckTable *acks = socket->acks;

  if (socket->state == SOCKET_LEFT)
    return;
  socket->state = SOCKET_LEFT;
  socket->connection = NULL;
  socket->space = NULL;
  socket->acks = dub_sio_ack_table_new ();
  dub_sio_ack_table_free (acks);
  if (space->handlers.on_disconnect != NULL)
    space->handlers.on_disconnect (socket, reason, space->user_data);
}

/* Out of the table first: the owner's callback may do anything. */
static void
connection_drop (
    Connection *connection, DubSioSocket *socket, const char *reason)
{
  g_autoptr (DubSioSocket) kept G_GNUC_UNUSED = dub_sio_socket_ref (socket);

  g_hash_table_remove (connection->sockets, socket->name_space);
  if (g_hash_table_size (connection->sockets) == 0)
    start_join_timer (connection);
  socket_leave (socket, reason);
}

void
dub_sio_socket_disconnect (DubSioSocket *socket, gboolean close_transport)
{
  g_autoptr (DubSioSocket) kept G_GNUC_UNUSED = dub_sio_socket_ref (socket);
  g_autoptr (GBytes) text = NULL;

  if (socket->state == SOCKET_JOINING) {
    socket->leave_early = TRUE;
    socket->close_early |= close_transport;
    return;
  }
  if (socket->state == SOCKET_JOINED) {
    text = dub_sio_encode (
        DUB_SIO_DISCONNECT, socket->name_space, DUB_SIO_NO_ID, 0, NULL);
    send_bytes (socket->session, FALSE, text);
    connection_drop (socket->connection, socket, "server namespace disconnect");
  }
  if (close_transport)
    dub_eio_session_close (socket->session, "server namespace disconnect");
}

static void
send_object (DubEioSession *session, DubSioType type, const char *name_space,
    const char *member, const char *value)
{
  JsonObject *object = json_object_new ();
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autoptr (GBytes) text = NULL;

  json_object_set_string_member (object, member, value);
  json_node_take_object (node, object);
  text = dub_sio_encode (type, name_space, DUB_SIO_NO_ID, 0, node);
  send_bytes (session, FALSE, text);
}

static void
finish_joining (DubSioSocket *socket)
{
  Early *early;

  socket->state = SOCKET_JOINED;
  send_object (
      socket->session, DUB_SIO_CONNECT, socket->name_space, "sid", socket->id);
  while ((early = g_queue_pop_head (&socket->early)) != NULL) {
    socket_send (socket, early->id, g_steal_pointer (&early->message));
    early_free (early);
  }
  if (socket->leave_early)
    dub_sio_socket_disconnect (socket, socket->close_early);
}

static void
join (Connection *connection, Namespace *space, JsonNode *auth)
{
  g_autoptr (DubSioSocket) socket = socket_new (connection, space);
  g_autoptr (DubEioSession) session = dub_eio_session_ref (socket->session);
  g_autoptr (GError) error = NULL;

  stop_join_timer (connection);
  g_hash_table_insert (
      connection->sockets, socket->name_space, dub_sio_socket_ref (socket));
  if (space->handlers.on_connect == NULL ||
      space->handlers.on_connect (socket, auth, space->user_data, &error)) {
    if (socket->state == SOCKET_JOINING)
      finish_joining (socket);
    return;
  }
  if (socket->state == SOCKET_JOINING) {
    socket->state = SOCKET_LEFT;
    socket->connection = NULL;
    socket->space = NULL;
    g_hash_table_remove (connection->sockets, socket->name_space);
    start_join_timer (connection);
  }
  send_object (session, DUB_SIO_CONNECT_ERROR, space->name, "message",
      error != NULL ? error->message : "Refused");
}

static void
on_connect_packet (Connection *connection, DubSioPacket *packet)
{
  Namespace *space =
      g_hash_table_lookup (connection->server->namespaces, packet->name_space);

  if (g_hash_table_contains (connection->sockets, packet->name_space))
    return;
  if (space != NULL)
    join (connection, space, packet->payload);
  else
    send_object (connection->session, DUB_SIO_CONNECT_ERROR, packet->name_space,
        "message", "Invalid namespace");
}

/* -------------------------------------------------------------- packets */

static void
on_event_packet (DubSioSocket *socket, DubSioPacket *packet)
{
  DubSioAck *ack = NULL;

  if (packet->id >= 0)
    ack = dub_sio_ack_new (packet->id, answer_ack, dub_sio_socket_ref (socket),
        (GDestroyNotify) dub_sio_socket_unref);
  if (socket->space->handlers.on_event != NULL)
    socket->space->handlers.on_event (
        socket, packet->message, ack, socket->space->user_data);
  else
    dub_sio_ack_unref (ack);
}

static void
on_packet (Connection *connection, DubSioPacket *packet)
{
  g_autoptr (DubEioSession) session = dub_eio_session_ref (connection->session);
  g_autoptr (DubSioSocket) socket = NULL;
  DubSioSocket *found;

  if (packet->type == DUB_SIO_CONNECT) {
    on_connect_packet (connection, packet);
    return;
  }
  found = g_hash_table_lookup (connection->sockets, packet->name_space);
  /* A client may still send what it has when we have put it out already. */
  if (found == NULL) {
    if (g_hash_table_size (connection->sockets) == 0 &&
        packet->type != DUB_SIO_DISCONNECT)
      dub_eio_session_close (session, "parse error");
    return;
  }
  socket = dub_sio_socket_ref (found);
  if (socket->state != SOCKET_JOINED)
    return;
  if (packet->type == DUB_SIO_EVENT)
    on_event_packet (socket, packet);
  else if (packet->type == DUB_SIO_ACK)
    dub_sio_ack_table_resolve (socket->acks, packet->id, packet->message);
  else if (packet->type == DUB_SIO_DISCONNECT)
    connection_drop (connection, socket, "client namespace disconnect");
  else
    dub_eio_session_close (session, "parse error");
}

static void
on_message (
    DubEioSession *session, const DubEioPacket *packet, gpointer user_data)
{
  Connection *connection = dub_eio_session_get_data (session);
  g_autoptr (DubSioPacket) whole = NULL;

  if (!dub_sio_decoder_feed (
          connection->decoder, packet->is_binary, packet->data, &whole, NULL))
    dub_eio_session_close (session, "parse error");
  else if (whole != NULL)
    on_packet (connection, whole);
}

static void
on_open (DubEioSession *session, gpointer user_data)
{
  DubSioServer *server = user_data;
  Connection *connection = g_new0 (Connection, 1);

  connection->server = server;
  connection->session = session;
  connection->decoder = dub_sio_decoder_new (
      server->options.max_attachments, server->options.max_payload);
  connection->sockets = g_hash_table_new_full (
      g_str_hash, g_str_equal, NULL, (GDestroyNotify) dub_sio_socket_unref);
  dub_eio_session_set_data (session, connection);
  start_join_timer (connection);
}

static void
on_close (DubEioSession *session, const char *reason, gpointer user_data)
{
  Connection *connection = dub_eio_session_get_data (session);
  GHashTableIter iter;
  gpointer socket;

  for (;;) {
    g_hash_table_iter_init (&iter, connection->sockets);
    if (!g_hash_table_iter_next (&iter, NULL, &socket))
      break;
    connection_drop (connection, socket, reason);
  }
  stop_join_timer (connection);
  dub_eio_session_set_data (session, NULL);
  g_hash_table_unref (connection->sockets);
  dub_sio_decoder_free (connection->decoder);
  g_free (connection);
}

/* --------------------------------------------------------------- server */

static const DubEioHandlers engine_handlers = {on_open, on_message, on_close};

static void
namespace_free (gpointer data)
{
  Namespace *space = data;

  if (space->destroy != NULL)
    space->destroy (space->user_data);
  g_free (space->name);
  g_free (space);
}

void
dub_sio_server_options_init (DubSioServerOptions *options)
{
  DubEioOptions engine;

  dub_eio_options_init (&engine);
  *options = (DubSioServerOptions){
      .ping_interval_ms = engine.ping_interval_ms,
      .ping_timeout_ms = engine.ping_timeout_ms,
      .max_payload = engine.max_payload,
      .max_queued_bytes = engine.max_queued_bytes,
      .connect_timeout_ms = 45000,
      .max_attachments = 16,
  };
}

DubSioServer *
dub_sio_server_new (const DubSioServerOptions *options)
{
  DubSioServer *server = g_new0 (DubSioServer, 1);
  DubEioOptions engine;

  server->options = *options;
  dub_eio_options_init (&engine);
  engine.ping_interval_ms = options->ping_interval_ms;
  engine.ping_timeout_ms = options->ping_timeout_ms;
  engine.max_payload = options->max_payload;
  engine.max_queued_bytes = options->max_queued_bytes;
  engine.max_sessions = options->max_sessions;
  engine.may_ask = options->may_ask;
  engine.may_ask_data = options->may_ask_data;
  server->engine = dub_eio_server_new (&engine, &engine_handlers, server);
  server->namespaces =
      g_hash_table_new_full (g_str_hash, g_str_equal, NULL, namespace_free);
  return server;
}

void
dub_sio_server_free (DubSioServer *server)
{
  if (server == NULL)
    return;
  dub_eio_server_free (server->engine);
  g_hash_table_unref (server->namespaces);
  g_free (server);
}

void
dub_sio_server_attach (DubSioServer *server, SoupServer *soup, const char *path)
{
  dub_eio_server_attach (server->engine, soup, path);
}

void
dub_sio_server_add_namespace (DubSioServer *server, const char *name,
    const DubSioHandlers *handlers, gpointer user_data, GDestroyNotify destroy)
{
  Namespace *space = g_new0 (Namespace, 1);

  g_return_if_fail (name[0] == '/');
  space->name = g_strdup (name);
  space->handlers = *handlers;
  space->user_data = user_data;
  space->destroy = destroy;
  g_hash_table_insert (server->namespaces, space->name, space);
}

guint
dub_sio_server_get_n_sessions (DubSioServer *server)
{
  return dub_eio_server_get_n_sessions (server->engine);
}
