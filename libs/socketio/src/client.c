/* SPDX-License-Identifier: Apache-2.0 */
#include <dubbing_socketio/client.h>

#include "ack_private.h"
#include "poll_link.h"
#include "sio_packet.h"
#include "ws_connect.h"
#include "ws_link.h"
#include <dubbing_socketio/json.h>

#include <dubbing_common/error.h>
#include <string.h>

typedef enum {
  CLIENT_NEW = 0,
  CLIENT_CONNECTING, /* TCP, TLS, WebSocket, or else the first poll */
  CLIENT_OPENING,    /* waits for Engine.IO's open packet */
  CLIENT_JOINING,    /* waits for the namespace */
  CLIENT_CONNECTED,
  CLIENT_CLOSED,
} ClientState;

struct _DubSioClient {
  grefcount ref_count; /* the owner, callbacks under way, acks */
  gboolean is_freed;   /* the owner let go: nothing is called any more */
  ClientState state;

  GUri *uri;      /* with the query of Engine.IO */
  char *endpoint; /* for people: no user, no query */
  char *name_space;
  JsonNode *auth;
  char **headers;
  DubSioClientOptions options; /* its numbers only */
  DubSioClientHandlers handlers;
  gpointer user_data;

  GMainContext *context;
  GCancellable *cancellable;
  DubWsLink *ws;     /* one of the two, */
  DubPollLink *poll; /* where WebSocket is blocked */
  DubSioDecoder *decoder;
  DubSioAckTable *acks;
  GSource *timer; /* connect timeout, then silence */
  guint silence_ms;
};

static void client_close (
    DubSioClient *client, DubErrorCode code, const char *why);

/* ------------------------------------------------------- life and death */

static DubSioClient *
client_ref (DubSioClient *client)
{
  g_ref_count_inc (&client->ref_count);
  return client;
}

static void
client_unref (DubSioClient *client)
{
  if (!g_ref_count_dec (&client->ref_count))
    return;
  g_assert (client->ws == NULL && client->poll == NULL);
  g_assert (client->timer == NULL);
  g_clear_pointer (&client->uri, g_uri_unref);
  g_clear_pointer (&client->auth, json_node_unref);
  g_clear_object (&client->cancellable);
  dub_sio_decoder_free (client->decoder);
  dub_sio_ack_table_free (client->acks);
  g_strfreev (client->headers);
  g_free (client->endpoint);
  g_free (client->name_space);
  g_main_context_unref (client->context);
  g_free (client);
}

static void
clear_timer (DubSioClient *client)
{
  if (client->timer == NULL)
    return;
  g_source_destroy (client->timer);
  g_clear_pointer (&client->timer, g_source_unref);
}

static void
set_timer (DubSioClient *client, guint delay_ms, GSourceFunc func)
{
  clear_timer (client);
  client->timer = g_timeout_source_new (delay_ms);
  g_source_set_callback (client->timer, func, client, NULL);
  g_source_attach (client->timer, client->context);
}

/* A frame a millisecond need not mean a timer a millisecond: the timer that
 * runs is moved. */
static void
heard_from_server (DubSioClient *client)
{
  if (client->silence_ms > 0 && client->timer != NULL)
    g_source_set_ready_time (
        client->timer, g_get_monotonic_time () + (gint64) client->silence_ms *
                                                     G_TIME_SPAN_MILLISECOND);
}

/* Those who wait for an answer hear that none will come. */
static void
abandon_acks (DubSioClient *client)
{
  DubSioAckTable *acks = client->acks;

  client->acks = dub_sio_ack_table_new ();
  dub_sio_ack_table_free (acks);
}

static void
client_end (DubSioClient *client)
{
  client->state = CLIENT_CLOSED;
  g_cancellable_cancel (client->cancellable);
  clear_timer (client);
  if (client->ws != NULL)
    dub_ws_link_close (g_steal_pointer (&client->ws), DUB_WS_CLOSE_NORMAL);
  if (client->poll != NULL)
    dub_poll_link_close (g_steal_pointer (&client->poll));
}

/* error (transfer none) */
static void
client_close_with (DubSioClient *client, const GError *error)
{
  if (client->state == CLIENT_CLOSED)
    return;
  client_ref (client);
  client_end (client);
  abandon_acks (client);
  if (!client->is_freed && client->handlers.on_close != NULL)
    client->handlers.on_close (client, error, client->user_data);
  client_unref (client);
}

static void
client_close (DubSioClient *client, DubErrorCode code, const char *why)
{
  g_autoptr (GError) error =
      g_error_new (DUB_ERROR, (gint) code, "%s: %s", client->endpoint, why);

  client_close_with (client, error);
}

static gboolean
on_connect_timeout (gpointer user_data)
{
  client_close (user_data, DUB_ERROR_TIMEOUT, "no answer in time");
  return G_SOURCE_REMOVE;
}

static gboolean
on_silence (gpointer user_data)
{
  client_close (user_data, DUB_ERROR_TIMEOUT, "no ping from the server");
  return G_SOURCE_REMOVE;
}

/* -------------------------------------------------------------- sending */

static void
send_frame (DubSioClient *client, const DubEioFrame *frame)
{
  if (client->ws != NULL)
    dub_ws_link_send (client->ws, frame);
  else if (client->poll != NULL)
    dub_poll_link_send (client->poll, frame);
}

static void
send_text (DubSioClient *client, const char *text)
{
  g_autoptr (DubEioFrame) frame = dub_eio_frame_new_text (text);

  send_frame (client, frame);
}

static void
send_bytes (DubSioClient *client, gboolean is_binary, GBytes *bytes)
{
  g_autoptr (DubEioFrame) frame = dub_eio_frame_new (is_binary, bytes);

  send_frame (client, frame);
}

static void
send_packet (DubSioClient *client, DubSioType type, JsonNode *payload)
{
  g_autoptr (GBytes) text =
      dub_sio_encode (type, client->name_space, DUB_SIO_NO_ID, 0, payload);

  send_bytes (client, FALSE, text);
}

/* message (transfer none) */
static gboolean
send_message (DubSioClient *client, gint64 id, DubSioMessage *message)
{
  GPtrArray *attachments = dub_sio_message_get_attachments (message);
  g_autoptr (GBytes) text = NULL;

  if (client->state != CLIENT_CONNECTED ||
      dub_sio_client_get_queued_bytes (client) >
          client->options.max_queued_bytes)
    return FALSE;
  text = dub_sio_encode_message (client->name_space, id, message);
  send_bytes (client, FALSE, text);
  for (guint i = 0; i < attachments->len; i++)
    send_bytes (client, TRUE, g_ptr_array_index (attachments, i));
  return TRUE;
}

gboolean
dub_sio_client_emit (DubSioClient *client, DubSioMessage *message)
{
  g_autoptr (DubSioMessage) owned = message;

  g_return_val_if_fail (dub_sio_message_get_event (message) != NULL, FALSE);
  return send_message (client, DUB_SIO_NO_ID, owned);
}

gboolean
dub_sio_client_emit_with_ack (DubSioClient *client, DubSioMessage *message,
    DubSioAckFunc on_ack, gpointer user_data)
{
  g_autoptr (DubSioMessage) owned = message;
  gint64 id;

  g_return_val_if_fail (dub_sio_message_get_event (message) != NULL, FALSE);
  id = dub_sio_ack_table_peek_id (client->acks);
  if (!send_message (client, id, owned))
    return FALSE;
  dub_sio_ack_table_add (client->acks, on_ack, user_data);
  return TRUE;
}

/* ------------------------------------------------------------- receiving */

static void
answer_ack (gpointer target, gint64 id, DubSioMessage *message)
{
  g_autoptr (DubSioMessage) owned = message;

  send_message (target, id, owned);
}

static void
on_request_packet (DubSioClient *client, DubSioPacket *packet)
{
  DubSioAck *ack = dub_sio_ack_new (packet->id, answer_ack, client_ref (client),
      (GDestroyNotify) client_unref);

  if (client->handlers.on_request != NULL) {
    client->handlers.on_request (
        client, packet->message, ack, client->user_data);
    return;
  }
  if (client->handlers.on_event != NULL)
    client->handlers.on_event (client, packet->message, client->user_data);
  dub_sio_ack_send (ack, dub_sio_message_new (NULL));
}

static void
on_connected (DubSioClient *client)
{
  client->state = CLIENT_CONNECTED;
  set_timer (client, client->silence_ms, on_silence);
  if (client->handlers.on_connect != NULL)
    client->handlers.on_connect (client, client->user_data);
}

static void
on_refused (DubSioClient *client, JsonNode *payload)
{
  const char *message = "refused";
  g_autofree char *why = NULL;

  if (payload != NULL && JSON_NODE_HOLDS_OBJECT (payload))
    message = json_object_get_string_member_with_default (
        json_node_get_object (payload), "message", message);
  else if (payload != NULL && JSON_NODE_HOLDS_VALUE (payload) &&
           json_node_get_string (payload) != NULL)
    message = json_node_get_string (payload);
  why = g_strdup_printf ("namespace %s: %.200s", client->name_space, message);
  client_close (client, DUB_ERROR_AUTH, why);
}

static void
on_sio_packet (DubSioClient *client, DubSioPacket *packet)
{
  gboolean is_connected = client->state == CLIENT_CONNECTED;

  if (strcmp (packet->name_space, client->name_space) != 0)
    return;
  if (packet->type == DUB_SIO_CONNECT && client->state == CLIENT_JOINING)
    on_connected (client);
  else if (packet->type == DUB_SIO_CONNECT_ERROR)
    on_refused (client, packet->payload);
  else if (packet->type == DUB_SIO_DISCONNECT)
    client_close (client, DUB_ERROR_DISCONNECTED, "disconnected by the server");
  else if (packet->type == DUB_SIO_ACK && is_connected)
    dub_sio_ack_table_resolve (client->acks, packet->id, packet->message);
  else if (packet->type == DUB_SIO_EVENT && is_connected && packet->id >= 0)
    on_request_packet (client, packet);
  else if (packet->type == DUB_SIO_EVENT && is_connected &&
           client->handlers.on_event != NULL)
    client->handlers.on_event (client, packet->message, client->user_data);
}

static gboolean
read_interval (JsonObject *object, const char *name, guint *ret_ms)
{
  JsonNode *node = json_object_get_member (object, name);
  gint64 value;

  if (node == NULL || json_node_get_value_type (node) != G_TYPE_INT64)
    return FALSE;
  value = json_node_get_int (node);
  if (value <= 0 || value > G_MAXINT / 4)
    return FALSE;
  *ret_ms = (guint) value;
  return TRUE;
}

static void
on_open_packet (DubSioClient *client, GBytes *data)
{
  gsize length;
  const char *text = g_bytes_get_data (data, &length);
  g_autoptr (JsonNode) node = dub_sio_json_parse (text, length, NULL);
  guint interval_ms, timeout_ms;

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node) ||
      !read_interval (
          json_node_get_object (node), "pingInterval", &interval_ms) ||
      !read_interval (
          json_node_get_object (node), "pingTimeout", &timeout_ms)) {
    client_close (client, DUB_ERROR_PROTOCOL, "no valid Engine.IO handshake");
    return;
  }
  client->silence_ms = interval_ms + timeout_ms + client->options.ping_grace_ms;
  client->state = CLIENT_JOINING;
  send_packet (client, DUB_SIO_CONNECT, client->auth);
}

static void
on_message_packet (DubSioClient *client, const DubEioPacket *packet)
{
  g_autoptr (DubSioPacket) whole = NULL;
  g_autoptr (GError) error = NULL;

  if (!dub_sio_decoder_feed (
          client->decoder, packet->is_binary, packet->data, &whole, &error))
    client_close (client, (DubErrorCode) error->code, error->message);
  else if (whole != NULL)
    on_sio_packet (client, whole);
}

static void
on_eio_packet (DubSioClient *client, const DubEioPacket *packet)
{
  switch (packet->type) {
    case DUB_EIO_OPEN:
      if (client->state == CLIENT_OPENING)
        on_open_packet (client, packet->data);
      break;
    case DUB_EIO_PING:
      send_text (client, "3");
      break;
    case DUB_EIO_MESSAGE:
      if (client->state >= CLIENT_JOINING)
        on_message_packet (client, packet);
      break;
    case DUB_EIO_CLOSE:
      client_close (client, DUB_ERROR_DISCONNECTED, "closed by the server");
      break;
    case DUB_EIO_PONG:
    case DUB_EIO_UPGRADE:
    case DUB_EIO_NOOP:
    default:
      break;
  }
}

static void
on_ws_frame (
    DubWsLink *link, gboolean is_binary, GBytes *bytes, gpointer user_data)
{
  DubSioClient *client = client_ref (user_data);
  g_autoptr (DubEioPacket) packet =
      dub_eio_packet_decode (is_binary, bytes, NULL);

  if (client->state == CLIENT_CONNECTED)
    heard_from_server (client);
  if (packet == NULL)
    client_close (client, DUB_ERROR_PROTOCOL, "unknown packet");
  else
    on_eio_packet (client, packet);
  client_unref (client);
}

static void
on_ws_closed (DubWsLink *link, gpointer user_data)
{
  DubSioClient *client = user_data;

  client_close (client, DUB_ERROR_DISCONNECTED, "connection lost");
}

static const DubWsHandlers ws_handlers = {on_ws_frame, on_ws_closed};

/* ------------------------------------------------------------ connecting */

/* What the owner can do is in the code. */
static GError *
describe_failure (DubSioClient *client, guint status, const GError *cause)
{
  DubErrorCode code = DUB_ERROR_UNAVAILABLE;

  if (status == SOUP_STATUS_UNAUTHORIZED || status == SOUP_STATUS_FORBIDDEN)
    code = DUB_ERROR_AUTH;
  else if (status == SOUP_STATUS_NOT_FOUND)
    code = DUB_ERROR_NOT_FOUND;
  else if (status == SOUP_STATUS_SERVICE_UNAVAILABLE)
    code = DUB_ERROR_OVERLOADED;
  if (status >= 200)
    return g_error_new (
        DUB_ERROR, (gint) code, "%s: HTTP %u", client->endpoint, status);
  if (cause->domain == DUB_ERROR)
    code = (DubErrorCode) cause->code;
  return g_error_new (
      DUB_ERROR, (gint) code, "%s: %s", client->endpoint, cause->message);
}

static void
on_poll_packet (
    DubPollLink *link, const DubEioPacket *packet, gpointer user_data)
{
  DubSioClient *client = client_ref (user_data);

  if (client->state == CLIENT_CONNECTING)
    client->state = CLIENT_OPENING;
  if (client->state == CLIENT_CONNECTED)
    heard_from_server (client);
  on_eio_packet (client, packet);
  client_unref (client);
}

static void
on_poll_closed (
    DubPollLink *link, guint status, const GError *error, gpointer user_data)
{
  DubSioClient *client = user_data;
  gboolean was_open = client->state > CLIENT_CONNECTING;
  g_autoptr (GError) failure = NULL;

  if (was_open && (status > 0 || error->domain != DUB_ERROR)) {
    client_close (client, DUB_ERROR_DISCONNECTED, "connection lost");
    return;
  }
  failure = describe_failure (client, status, error);
  client_close_with (client, failure);
}

static void
start_polling (DubSioClient *client)
{
  static const DubPollHandlers handlers = {on_poll_packet, on_poll_closed};
  DubPollConfig config = {client->uri, (const char *const *) client->headers,
      client->options.max_payload / 3 * 4, &handlers, client};

  client->poll = dub_poll_link_new (&config);
}

/* Somebody is there, and speaks HTTP at least. */
static gboolean
is_websocket_blocked (guint status, const GError *cause)
{
  return status >= 200 || cause->domain == DUB_ERROR ||
         g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED);
}

static void
on_ws_ready (GObject *source, GAsyncResult *result, gpointer user_data)
{
  DubSioClient *client = user_data;
  DubWsConfig config = {
      TRUE, client->options.max_payload, &ws_handlers, client};
  g_autoptr (GError) cause = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) early = NULL;
  guint status = 0;
  g_autoptr (GIOStream) stream =
      dub_ws_connect_finish (result, &status, &early, &cause);

  if (client->state == CLIENT_CONNECTING && stream == NULL &&
      is_websocket_blocked (status, cause)) {
    start_polling (client);
  } else if (client->state == CLIENT_CONNECTING && stream == NULL) {
    error = describe_failure (client, status, cause);
    client_close_with (client, error);
  } else if (client->state == CLIENT_CONNECTING) {
    client->state = CLIENT_OPENING;
    client->ws = dub_ws_link_new (stream, &config, early);
  }
  client_unref (client);
}

void
dub_sio_client_connect (DubSioClient *client)
{
  g_return_if_fail (client->state == CLIENT_NEW);

  client->state = CLIENT_CONNECTING;
  set_timer (client, client->options.connect_timeout_ms, on_connect_timeout);
  dub_ws_connect_async (client->uri, (const char *const *) client->headers,
      client->cancellable, on_ws_ready, client_ref (client));
}

void
dub_sio_client_options_init (DubSioClientOptions *options)
{
  *options = (DubSioClientOptions){
      .path = "/socket.io/",
      .name_space = "/",
      .connect_timeout_ms = 5000,
      .max_payload = (16 << 20) + (64 << 10),
      .max_queued_bytes = 32 << 20,
      .max_attachments = 16,
      .ping_grace_ms = 5000,
  };
}

static gboolean
read_url (
    DubSioClient *client, const char *url, const char *path, GError **error)
{
  g_autoptr (GUri) given = g_uri_parse (url, SOUP_HTTP_URI_FLAGS, NULL);
  const char *scheme = given != NULL ? g_uri_get_scheme (given) : "";
  gboolean is_secure =
      strcmp (scheme, "https") == 0 || strcmp (scheme, "wss") == 0;
  const char *host = given != NULL ? g_uri_get_host (given) : NULL;

  if (host == NULL || *host == '\0' ||
      (!is_secure && strcmp (scheme, "http") != 0 &&
          strcmp (scheme, "ws") != 0)) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "Socket.IO: the URL must be http, https, ws or wss with a host");
    return FALSE;
  }
  client->uri =
      g_uri_build (SOUP_HTTP_URI_FLAGS, is_secure ? "wss" : "ws", NULL, host,
          g_uri_get_port (given), path, "EIO=4&transport=websocket", NULL);
  client->endpoint = g_uri_to_string_partial (
      client->uri, G_URI_HIDE_USERINFO | G_URI_HIDE_QUERY);
  return TRUE;
}

/* They are written as they are: no line may hide in one. */
static gboolean
check_headers (char **headers, GError **error)
{
  for (guint i = 0; headers[i] != NULL; i++) {
    gboolean is_name = i % 2 == 0;

    if (strpbrk (headers[i], is_name ? "\r\n: " : "\r\n") == NULL &&
        (!is_name || headers[i + 1] != NULL))
      continue;
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "Socket.IO: header %u is not one line of text", i / 2);
    return FALSE;
  }
  return TRUE;
}

DubSioClient *
dub_sio_client_new (const char *url, const DubSioClientOptions *options,
    const DubSioClientHandlers *handlers, gpointer user_data, GError **error)
{
  DubSioClient *client = g_new0 (DubSioClient, 1);
  static const char *const no_headers[] = {NULL};

  g_ref_count_init (&client->ref_count);
  client->context = g_main_context_ref_thread_default ();
  client->options = *options;
  client->handlers = *handlers;
  client->user_data = user_data;
  client->name_space = g_strdup (options->name_space);
  client->auth = options->auth != NULL ? json_node_copy (options->auth) : NULL;
  client->headers = g_strdupv (
      (char **) (options->headers != NULL ? options->headers : no_headers));
  client->acks = dub_sio_ack_table_new ();
  client->decoder =
      dub_sio_decoder_new (options->max_attachments, options->max_payload);
  client->cancellable = g_cancellable_new ();
  if (!check_headers (client->headers, error) ||
      !read_url (client, url, options->path, error)) {
    client_unref (client);
    return NULL;
  }
  return client;
}

void
dub_sio_client_free (DubSioClient *client)
{
  if (client == NULL)
    return;
  client->is_freed = TRUE;
  if (client->state != CLIENT_CLOSED)
    client_end (client);
  dub_sio_ack_table_clear (client->acks);
  client_unref (client);
}

gboolean
dub_sio_client_is_connected (DubSioClient *client)
{
  return client->state == CLIENT_CONNECTED;
}

void
dub_sio_client_disconnect (DubSioClient *client)
{
  if (client->state == CLIENT_CONNECTED)
    send_packet (client, DUB_SIO_DISCONNECT, NULL);
  client_close (client, DUB_ERROR_DISCONNECTED, "closed by us");
}

gsize
dub_sio_client_get_queued_bytes (DubSioClient *client)
{
  if (client->poll != NULL)
    return dub_poll_link_get_queued_bytes (client->poll);
  return client->ws != NULL ? dub_ws_link_get_queued_bytes (client->ws) : 0;
}
