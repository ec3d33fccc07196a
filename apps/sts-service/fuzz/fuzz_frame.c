/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/frame.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* Whatever a child writes, in pieces of any size: a frame comes out whole,
 * goes in again, and is the same. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (DubFrameReader) reader = dub_frame_reader_new ();
  size_t piece = size > 0 ? data[0] % 64 + 1 : 1;

  for (size_t at = 1; at < size; at += piece) {
    DubFrame *next = NULL;

    dub_frame_reader_push (reader, data + at, MIN (piece, size - at));
    if (!dub_frame_reader_next (reader, &next, NULL))
      break;
    if (next == NULL)
      continue;
    g_autoptr (DubFrame) frame = next;
    g_autoptr (GBytes) packed = dub_frame_pack (frame, NULL);
    dub_frame_get_string (frame, "op", "");
    dub_frame_get_int (frame, "id", 0);
    dub_frame_get_double (frame, "speed", 1);
    g_assert (packed != NULL);
  }
  return 0;
}
