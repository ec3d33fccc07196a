/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

#include <dubbing_common/error.h>
#include <dubbing_socketio/json.h>
#include <string.h>

#define MARK "DUBF"

struct _DubFrameReader {
  GByteArray *buffer;
  gsize taken; /* bytes at the front that were handed out */
};

DubFrame *
dub_frame_new (JsonObject *header, GBytes *payload)
{
  DubFrame *frame = g_new0 (DubFrame, 1);

  frame->header = header;
  frame->payload =
      payload != NULL ? g_bytes_ref (payload) : g_bytes_new (NULL, 0);
  return frame;
}

void
dub_frame_free (DubFrame *frame)
{
  if (frame == NULL)
    return;
  g_clear_pointer (&frame->header, json_object_unref);
  g_clear_pointer (&frame->payload, g_bytes_unref);
  g_free (frame);
}

static char *
header_to_text (JsonObject *header, gsize *ret_length)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autoptr (JsonGenerator) generator = json_generator_new ();

  json_node_set_object (node, header);
  json_generator_set_root (generator, node);
  return json_generator_to_data (generator, ret_length);
}

static gboolean
check_sizes (gsize header, gsize payload, GError **error)
{
  if (header == 0 || header > DUB_FRAME_MAX_HEADER) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_LIMIT,
        "engine frame: header of %" G_GSIZE_FORMAT " bytes, 1 to %u allowed",
        header, DUB_FRAME_MAX_HEADER);
    return FALSE;
  }
  if (payload > DUB_FRAME_MAX_PAYLOAD) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_LIMIT,
        "engine frame: payload of %" G_GSIZE_FORMAT " bytes, at most %u "
        "allowed",
        payload, DUB_FRAME_MAX_PAYLOAD);
    return FALSE;
  }
  return TRUE;
}

static void
append_u32 (GByteArray *bytes, gsize value)
{
  guint32 number = GUINT32_TO_LE ((guint32) value);

  g_byte_array_append (bytes, (const guint8 *) &number, sizeof number);
}

GBytes *
dub_frame_pack (const DubFrame *frame, GError **error)
{
  gsize header_length = 0, payload_length = 0;
  g_autofree char *header = header_to_text (frame->header, &header_length);
  const void *payload = g_bytes_get_data (frame->payload, &payload_length);
  GByteArray *bytes = NULL;

  if (!check_sizes (header_length, payload_length, error))
    return NULL;

  bytes = g_byte_array_sized_new (
      (guint) (DUB_FRAME_PREFIX_BYTES + header_length + payload_length));
  g_byte_array_append (bytes, (const guint8 *) MARK, 4);
  append_u32 (bytes, header_length);
  append_u32 (bytes, payload_length);
  g_byte_array_append (bytes, (const guint8 *) header, (guint) header_length);
  if (payload_length > 0)
    g_byte_array_append (bytes, payload, (guint) payload_length);
  return g_byte_array_free_to_bytes (bytes);
}

static JsonNode *
get_value (const DubFrame *frame, const char *name)
{
  JsonNode *node = json_object_get_member (frame->header, name);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node) ? node : NULL;
}

const char *
dub_frame_get_string (
    const DubFrame *frame, const char *name, const char *fallback)
{
  JsonNode *node = get_value (frame, name);

  if (node == NULL || json_node_get_value_type (node) != G_TYPE_STRING)
    return fallback;
  return json_node_get_string (node);
}

gint64
dub_frame_get_int (const DubFrame *frame, const char *name, gint64 fallback)
{
  JsonNode *node = get_value (frame, name);

  if (node == NULL || json_node_get_value_type (node) != G_TYPE_INT64)
    return fallback;
  return json_node_get_int (node);
}

double
dub_frame_get_double (const DubFrame *frame, const char *name, double fallback)
{
  JsonNode *node = get_value (frame, name);
  GType type = node != NULL ? json_node_get_value_type (node) : G_TYPE_NONE;

  if (type != G_TYPE_DOUBLE && type != G_TYPE_INT64)
    return fallback;
  return json_node_get_double (node);
}

DubFrameReader *
dub_frame_reader_new (void)
{
  DubFrameReader *reader = g_new0 (DubFrameReader, 1);

  reader->buffer = g_byte_array_new ();
  return reader;
}

void
dub_frame_reader_free (DubFrameReader *reader)
{
  if (reader == NULL)
    return;
  g_byte_array_unref (reader->buffer);
  g_free (reader);
}

void
dub_frame_reader_push (DubFrameReader *reader, const guint8 *data, gsize length)
{
  if (reader->taken > 0) {
    g_byte_array_remove_range (reader->buffer, 0, (guint) reader->taken);
    reader->taken = 0;
  }
  g_byte_array_append (reader->buffer, data, (guint) length);
}

static guint32
read_u32 (const guint8 *data)
{
  guint32 number;

  memcpy (&number, data, sizeof number);
  return GUINT32_FROM_LE (number);
}

static JsonObject *
parse_header (const guint8 *data, gsize length, GError **error)
{
  const char *text = (const char *) data;
  g_autoptr (JsonNode) root = NULL;

  if (g_utf8_validate (text, (gssize) length, NULL))
    root = dub_sio_json_parse (text, length, NULL);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root)) {
    g_set_error_literal (error, DUB_ERROR, DUB_ERROR_PROTOCOL,
        "engine frame: the header is not a JSON object");
    return NULL;
  }
  return json_node_dup_object (root);
}

gboolean
dub_frame_reader_next (
    DubFrameReader *reader, DubFrame **ret_frame, GError **error)
{
  const guint8 *data = NULL;
  gsize length = reader->buffer->len - reader->taken;
  gsize header_length, payload_length;
  JsonObject *header = NULL;
  g_autoptr (GBytes) payload = NULL;

  *ret_frame = NULL;
  /* An empty array has no bytes to point at. */
  if (length == 0)
    return TRUE;
  data = reader->buffer->data + reader->taken;
  if (memcmp (data, MARK, MIN (length, 4)) != 0) {
    g_set_error_literal (error, DUB_ERROR, DUB_ERROR_PROTOCOL,
        "engine frame: it does not begin with the mark " MARK);
    return FALSE;
  }
  if (length < DUB_FRAME_PREFIX_BYTES)
    return TRUE;

  header_length = read_u32 (data + 4);
  payload_length = read_u32 (data + 8);
  if (!check_sizes (header_length, payload_length, error))
    return FALSE;
  if (length < DUB_FRAME_PREFIX_BYTES + header_length + payload_length)
    return TRUE;

  data += DUB_FRAME_PREFIX_BYTES;
  header = parse_header (data, header_length, error);
  if (header == NULL)
    return FALSE;
  payload = g_bytes_new (data + header_length, payload_length);
  reader->taken += DUB_FRAME_PREFIX_BYTES + header_length + payload_length;
  *ret_frame = dub_frame_new (header, payload);
  return TRUE;
}
