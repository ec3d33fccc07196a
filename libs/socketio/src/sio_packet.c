/* SPDX-License-Identifier: Apache-2.0 */
#include "sio_packet.h"

#include <dubbing_socketio/json.h>

#include <dubbing_common/error.h>
#include <string.h>

/* Ids count up from 0; 15 digits are exact in every implementation. */
#define MAX_ID_DIGITS 15

struct _DubSioDecoder {
  guint max_attachments;
  gsize max_bytes;
  /* A binary packet whose attachments are still coming: */
  DubSioPacket *pending;
  guint missing;
  gsize bytes;
};

void
dub_sio_packet_free (DubSioPacket *packet)
{
  if (packet == NULL)
    return;
  g_free (packet->name_space);
  g_clear_pointer (&packet->payload, json_node_unref);
  dub_sio_message_unref (packet->message);
  g_free (packet);
}

DubSioDecoder *
dub_sio_decoder_new (guint max_attachments, gsize max_bytes)
{
  DubSioDecoder *decoder = g_new0 (DubSioDecoder, 1);

  decoder->max_attachments = max_attachments;
  decoder->max_bytes = max_bytes;
  return decoder;
}

void
dub_sio_decoder_free (DubSioDecoder *decoder)
{
  if (decoder == NULL)
    return;
  dub_sio_packet_free (decoder->pending);
  g_free (decoder);
}

static gboolean
broken (GError **error, const char *what)
{
  g_set_error (
      error, DUB_ERROR, DUB_ERROR_PROTOCOL, "Socket.IO packet: %s", what);
  return FALSE;
}

static gboolean
beyond (GError **error, const char *what, gsize limit)
{
  g_set_error (error, DUB_ERROR, DUB_ERROR_LIMIT,
      "Socket.IO packet: %s beyond the limit of %" G_GSIZE_FORMAT, what, limit);
  return FALSE;
}

/* The digits at *at, which moves behind them; -1 when there are none, or more
 * than an id can have. */
static gint64
take_number (const char **at, const char *end)
{
  const char *from = *at;
  gint64 number = 0;

  while (*at < end && g_ascii_isdigit (**at) && *at - from <= MAX_ID_DIGITS)
    number = number * 10 + (*(*at)++ - '0');
  return *at == from || *at - from > MAX_ID_DIGITS ? -1 : number;
}

static gboolean
take_attachments (
    DubSioDecoder *decoder, const char **at, const char *end, GError **error)
{
  gint64 n = take_number (at, end);

  if (n < 0 || *at == end || **at != '-')
    return broken (error, "number of attachments missing");
  if (n > decoder->max_attachments)
    return beyond (error, "attachments", decoder->max_attachments);
  (*at)++;
  decoder->missing = (guint) n;
  return TRUE;
}

/* "/name?query,": the query belongs to an older revision and means nothing. */
static gboolean
take_namespace (
    const char **at, const char *end, char **ret_name, GError **error)
{
  const char *comma, *stop, *query;

  if (*at == end || **at != '/') {
    *ret_name = g_strdup ("/");
    return TRUE;
  }
  comma = memchr (*at, ',', (gsize) (end - *at));
  stop = comma != NULL ? comma : end;
  query = memchr (*at, '?', (gsize) (stop - *at));
  if (query == NULL)
    query = stop;
  if (query - *at > DUB_SIO_MAX_NAMESPACE)
    return beyond (error, "namespace", DUB_SIO_MAX_NAMESPACE);
  if (memchr (*at, '\0', (gsize) (query - *at)) != NULL)
    return broken (error, "namespace with a NUL");
  *ret_name = g_strndup (*at, (gsize) (query - *at));
  *at = comma != NULL ? comma + 1 : end;
  return TRUE;
}

static gboolean
take_id (const char **at, const char *end, gint64 *ret_id, GError **error)
{
  *ret_id = DUB_SIO_NO_ID;
  if (*at == end || !g_ascii_isdigit (**at))
    return TRUE;
  *ret_id = take_number (at, end);
  return *ret_id >= 0 || broken (error, "acknowledgement id too long");
}

static gboolean
is_event_array (JsonNode *payload)
{
  JsonArray *array;

  if (payload == NULL || !JSON_NODE_HOLDS_ARRAY (payload))
    return FALSE;
  array = json_node_get_array (payload);
  return json_array_get_length (array) > 0 &&
         json_node_get_value_type (json_array_get_element (array, 0)) ==
             G_TYPE_STRING;
}

static gboolean
payload_fits (DubSioType type, gint64 id, JsonNode *payload)
{
  switch (type) {
    case DUB_SIO_CONNECT:
      return payload == NULL || JSON_NODE_HOLDS_OBJECT (payload);
    case DUB_SIO_DISCONNECT:
      return payload == NULL;
    case DUB_SIO_CONNECT_ERROR:
      return payload != NULL;
    case DUB_SIO_EVENT:
      return is_event_array (payload);
    case DUB_SIO_ACK:
      return payload != NULL && JSON_NODE_HOLDS_ARRAY (payload) && id >= 0;
    default:
      return FALSE;
  }
}

/* Every placeholder must stand for an attachment that was announced. */
static gboolean
placeholders_fit (JsonNode *node, guint n)
{
  gint64 number;
  JsonObjectIter iter;
  JsonNode *value;
  JsonArray *array;

  if (dub_sio_placeholder_read (node, &number))
    return number < (gint64) n;
  if (JSON_NODE_HOLDS_OBJECT (node)) {
    json_object_iter_init (&iter, json_node_get_object (node));
    while (json_object_iter_next (&iter, NULL, &value))
      if (!placeholders_fit (value, n))
        return FALSE;
  } else if (JSON_NODE_HOLDS_ARRAY (node)) {
    array = json_node_get_array (node);
    for (guint i = 0; i < json_array_get_length (array); i++)
      if (!placeholders_fit (json_array_get_element (array, i), n))
        return FALSE;
  }
  return TRUE;
}

static gboolean
read_head (DubSioDecoder *decoder, const char **at, const char *end,
    DubSioPacket *packet, GError **error)
{
  guint type;

  if (*at == end || **at < '0' || **at > '6')
    return broken (error, "unknown type");
  type = (guint) (*(*at)++ - '0');
  decoder->missing = 0;
  packet->type = (DubSioType) type;
  if (type == DUB_SIO_BINARY_EVENT || type == DUB_SIO_BINARY_ACK) {
    if (!take_attachments (decoder, at, end, error))
      return FALSE;
    packet->type = type == DUB_SIO_BINARY_EVENT ? DUB_SIO_EVENT : DUB_SIO_ACK;
  }
  return take_namespace (at, end, &packet->name_space, error) &&
         take_id (at, end, &packet->id, error);
}

static DubSioPacket *
decode_text (DubSioDecoder *decoder, GBytes *data, GError **error)
{
  gsize length;
  const char *at = g_bytes_get_data (data, &length);
  const char *end = at + length;
  g_autoptr (DubSioPacket) packet = g_new0 (DubSioPacket, 1);

  if (!read_head (decoder, &at, end, packet, error))
    return NULL;
  if (at < end) {
    packet->payload = dub_sio_json_parse (at, (gsize) (end - at), error);
    if (packet->payload == NULL)
      return NULL;
  }
  if (!payload_fits (packet->type, packet->id, packet->payload) ||
      (decoder->missing > 0 &&
          !placeholders_fit (packet->payload, decoder->missing))) {
    broken (error, "invalid payload");
    return NULL;
  }
  if (packet->type == DUB_SIO_EVENT || packet->type == DUB_SIO_ACK)
    packet->message =
        dub_sio_message_new_received (g_steal_pointer (&packet->payload),
            packet->type == DUB_SIO_EVENT, NULL);
  return g_steal_pointer (&packet);
}

static gboolean
feed_text (DubSioDecoder *decoder, GBytes *data, GError **error)
{
  if (decoder->pending != NULL)
    return broken (error, "text where an attachment was due");
  decoder->pending = decode_text (decoder, data, error);
  return decoder->pending != NULL;
}

static gboolean
feed_binary (DubSioDecoder *decoder, GBytes *data, GError **error)
{
  if (decoder->pending == NULL)
    return broken (error, "bytes where no attachment was due");
  g_ptr_array_add (dub_sio_message_get_attachments (decoder->pending->message),
      g_bytes_ref (data));
  decoder->missing--;
  return TRUE;
}

gboolean
dub_sio_decoder_feed (DubSioDecoder *decoder, gboolean is_binary, GBytes *data,
    DubSioPacket **ret_packet, GError **error)
{
  gsize size = g_bytes_get_size (data);

  if (decoder->pending == NULL)
    decoder->bytes = 0;
  if (size > decoder->max_bytes - decoder->bytes)
    return beyond (error, "size", decoder->max_bytes);
  decoder->bytes += size;
  if (!(is_binary ? feed_binary (decoder, data, error)
                  : feed_text (decoder, data, error)))
    return FALSE;
  *ret_packet =
      decoder->missing == 0 ? g_steal_pointer (&decoder->pending) : NULL;
  return TRUE;
}

GBytes *
dub_sio_encode (DubSioType type, const char *name_space, gint64 id,
    guint n_attachments, JsonNode *payload)
{
  GString *text = g_string_sized_new (128);

  g_string_append_c (text, '4');
  g_string_append_c (text, (char) ('0' + type));
  if (type == DUB_SIO_BINARY_EVENT || type == DUB_SIO_BINARY_ACK)
    g_string_append_printf (text, "%u-", n_attachments);
  if (strcmp (name_space, "/") != 0)
    g_string_append_printf (text, "%s,", name_space);
  if (id >= 0)
    g_string_append_printf (text, "%" G_GINT64_FORMAT, id);
  if (payload != NULL)
    dub_sio_json_write (payload, text);
  return g_string_free_to_bytes (text);
}

GBytes *
dub_sio_encode_message (
    const char *name_space, gint64 id, DubSioMessage *message)
{
  guint n = dub_sio_message_get_attachments (message)->len;
  gboolean is_event = dub_sio_message_get_event (message) != NULL;
  DubSioType type = is_event ? DUB_SIO_EVENT : DUB_SIO_ACK;

  if (n > 0)
    type = is_event ? DUB_SIO_BINARY_EVENT : DUB_SIO_BINARY_ACK;
  return dub_sio_encode (
      type, name_space, id, n, dub_sio_message_get_root (message));
}
