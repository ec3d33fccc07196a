/* SPDX-License-Identifier: Apache-2.0 */
#include "sio_packet.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* Frames are separated by a newline; one that begins with '#' is bytes. */
static gboolean
feed (DubSioDecoder *decoder, const char *text, gsize length,
    DubSioPacket **ret_packet)
{
  gboolean is_binary = length > 0 && text[0] == '#';
  g_autoptr (GBytes) frame = g_bytes_new (text, length);

  return dub_sio_decoder_feed (decoder, is_binary, frame, ret_packet, NULL);
}

/* What was taken and is sent again is taken again, and sent the same. */
static void
check_again (DubSioPacket *packet)
{
  g_autoptr (DubSioDecoder) decoder = dub_sio_decoder_new (4, 1 << 20);
  g_autoptr (DubSioPacket) again = NULL;
  g_autoptr (GBytes) text = NULL;
  g_autoptr (GBytes) rest = NULL;
  g_autoptr (GBytes) same = NULL;
  GPtrArray *attachments;

  if (packet->message == NULL)
    return;
  attachments = dub_sio_message_get_attachments (packet->message);
  text =
      dub_sio_encode_message (packet->name_space, packet->id, packet->message);
  rest = g_bytes_new_from_bytes (text, 1, g_bytes_get_size (text) - 1);
  g_assert_true (dub_sio_decoder_feed (decoder, FALSE, rest, &again, NULL));
  for (guint i = 0; i < attachments->len; i++)
    g_assert_true (dub_sio_decoder_feed (
        decoder, TRUE, g_ptr_array_index (attachments, i), &again, NULL));
  g_assert_nonnull (again);
  same = dub_sio_encode_message (again->name_space, again->id, again->message);
  g_assert_true (g_bytes_equal (text, same));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (DubSioDecoder) decoder = dub_sio_decoder_new (4, 1 << 16);
  const char *at = (const char *) data;
  const char *end = at + size;

  /* libsoup has checked it before the decoder sees it. */
  if (!g_utf8_validate_len (at, size, NULL))
    return 0;
  while (at < end) {
    const char *stop = memchr (at, '\n', (gsize) (end - at));
    g_autoptr (DubSioPacket) packet = NULL;

    if (stop == NULL)
      stop = end;
    if (!feed (decoder, at, (gsize) (stop - at), &packet))
      break;
    if (packet != NULL)
      check_again (packet);
    at = stop + 1;
  }
  return 0;
}
