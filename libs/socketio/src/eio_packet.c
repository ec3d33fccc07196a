/* SPDX-License-Identifier: Apache-2.0 */
#include "eio_packet.h"

#include <dubbing_common/base64.h>
#include <dubbing_common/error.h>
#include <string.h>

#define SEPARATOR 0x1E

DubEioFrame *
dub_eio_frame_new (gboolean is_binary, GBytes *bytes)
{
  DubEioFrame *frame = g_new (DubEioFrame, 1);

  frame->is_binary = is_binary;
  frame->bytes = g_bytes_ref (bytes);
  return frame;
}

DubEioFrame *
dub_eio_frame_new_text (const char *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));

  return dub_eio_frame_new (FALSE, bytes);
}

void
dub_eio_frame_free (DubEioFrame *frame)
{
  if (frame == NULL)
    return;
  g_bytes_unref (frame->bytes);
  g_free (frame);
}

gsize
dub_eio_frame_get_size (const DubEioFrame *frame)
{
  return g_bytes_get_size (frame->bytes);
}

void
dub_eio_packet_free (DubEioPacket *packet)
{
  if (packet == NULL)
    return;
  g_bytes_unref (packet->data);
  g_free (packet);
}

static DubEioPacket *
packet_new (DubEioType type, gboolean is_binary, GBytes *data)
{
  DubEioPacket *packet = g_new (DubEioPacket, 1);

  packet->type = type;
  packet->is_binary = is_binary;
  packet->data = data;
  return packet;
}

DubEioPacket *
dub_eio_packet_decode (gboolean is_binary, GBytes *frame, GError **error)
{
  gsize length;
  const char *text = g_bytes_get_data (frame, &length);

  if (is_binary)
    return packet_new (DUB_EIO_MESSAGE, TRUE, g_bytes_ref (frame));
  if (length == 0 || text[0] < '0' || text[0] > '6') {
    g_set_error (
        error, DUB_ERROR, DUB_ERROR_PROTOCOL, "Engine.IO: unknown packet type");
    return NULL;
  }
  return packet_new ((DubEioType) (text[0] - '0'), FALSE,
      g_bytes_new_from_bytes (frame, 1, length - 1));
}

static DubEioPacket *
decode_part (GBytes *body, gsize from, gsize length, GError **error)
{
  const char *text = (const char *) g_bytes_get_data (body, NULL) + from;
  g_autoptr (GBytes) frame = NULL;

  if (length > 0 && text[0] == 'b') {
    frame = dub_base64_decode (text + 1, (gssize) length - 1, G_MAXSIZE, error);
    return frame != NULL ? dub_eio_packet_decode (TRUE, frame, error) : NULL;
  }
  frame = g_bytes_new_from_bytes (body, from, length);
  return dub_eio_packet_decode (FALSE, frame, error);
}

GPtrArray *
dub_eio_payload_decode (GBytes *body, GError **error)
{
  gsize length, from = 0;
  const char *text = g_bytes_get_data (body, &length);
  g_autoptr (GPtrArray) packets =
      g_ptr_array_new_with_free_func ((GDestroyNotify) dub_eio_packet_free);

  if (length > 0 && !g_utf8_validate_len (text, length, NULL)) {
    g_set_error (
        error, DUB_ERROR, DUB_ERROR_PROTOCOL, "Engine.IO: body is not UTF-8");
    return NULL;
  }
  for (;;) {
    const char *end =
        from < length ? memchr (text + from, SEPARATOR, length - from) : NULL;
    gsize part = (end != NULL ? (gsize) (end - text) : length) - from;
    DubEioPacket *packet;

    if (packets->len == DUB_EIO_MAX_PACKETS_IN) {
      g_set_error (error, DUB_ERROR, DUB_ERROR_LIMIT,
          "Engine.IO: more than %d packets in one body",
          DUB_EIO_MAX_PACKETS_IN);
      return NULL;
    }
    packet = decode_part (body, from, part, error);
    if (packet == NULL)
      return NULL;
    g_ptr_array_add (packets, packet);
    if (end == NULL)
      return g_steal_pointer (&packets);
    from += part + 1;
  }
}

static void
append_frame (GString *body, const DubEioFrame *frame)
{
  g_autofree char *base64 = NULL;
  gsize length;
  const char *data = g_bytes_get_data (frame->bytes, &length);

  if (!frame->is_binary) {
    g_string_append_len (body, data, (gssize) length);
    return;
  }
  base64 = dub_base64_encode (frame->bytes);
  g_string_append_c (body, 'b');
  g_string_append (body, base64);
}

GBytes *
dub_eio_payload_encode (GQueue *frames, gsize soft_limit)
{
  GString *body = g_string_new (NULL);

  for (guint i = 0; i < DUB_EIO_MAX_PACKETS_OUT && !g_queue_is_empty (frames);
       i++) {
    g_autoptr (DubEioFrame) frame = NULL;

    if (i > 0 && body->len >= soft_limit)
      break;
    if (i > 0)
      g_string_append_c (body, SEPARATOR);
    frame = g_queue_pop_head (frames);
    append_frame (body, frame);
  }
  return g_string_free_to_bytes (body);
}
