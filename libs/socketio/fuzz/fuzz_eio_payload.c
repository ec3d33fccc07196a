/* SPDX-License-Identifier: Apache-2.0 */
#include "eio_packet.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
put_back (GQueue *frames, DubEioPacket *packet)
{
  gsize length;
  const char *text = g_bytes_get_data (packet->data, &length);
  GString *frame;
  g_autoptr (GBytes) bytes = NULL;

  if (packet->is_binary) {
    g_queue_push_tail (frames, dub_eio_frame_new (TRUE, packet->data));
    return;
  }
  frame = g_string_new (NULL);
  g_string_append_c (frame, (char) ('0' + packet->type));
  g_string_append_len (frame, text, (gssize) length);
  bytes = g_string_free_to_bytes (frame);
  g_queue_push_tail (frames, dub_eio_frame_new (FALSE, bytes));
}

static void
check_same (DubEioPacket *a, DubEioPacket *b)
{
  g_assert_cmpint (a->type, ==, b->type);
  g_assert_true (a->is_binary == b->is_binary);
  g_assert_true (g_bytes_equal (a->data, b->data));
}

/* What is taken and sent again is taken as the same packets. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GBytes) body = g_bytes_new (data, size);
  g_autoptr (GPtrArray) packets = dub_eio_payload_decode (body, NULL);
  GQueue frames = G_QUEUE_INIT;
  guint done = 0;

  if (packets == NULL)
    return 0;
  for (guint i = 0; i < packets->len; i++)
    put_back (&frames, g_ptr_array_index (packets, i));
  while (!g_queue_is_empty (&frames)) {
    g_autoptr (GBytes) out = dub_eio_payload_encode (&frames, G_MAXSIZE);
    g_autoptr (GPtrArray) again = dub_eio_payload_decode (out, NULL);

    g_assert_nonnull (again);
    for (guint i = 0; i < again->len; i++)
      check_same (
          g_ptr_array_index (packets, done++), g_ptr_array_index (again, i));
  }
  g_assert_cmpuint (done, ==, packets->len);
  return 0;
}
