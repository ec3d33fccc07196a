/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/avcc.h"
#include "ingest/reorder.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* First byte: where the codec data ends and the access unit begins. What is
 * made of them must be valid, and known the second time. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  gsize split = size > 0 ? MIN (data[0], size - 1) : 0;

  if (size < 2)
    return 0;
  g_autoptr (GBytes) config = g_bytes_new (data + 1, split);
  g_autoptr (GBytes) unit = g_bytes_new (data + 1 + split, size - 1 - split);
  g_autoptr (GBytes) made = dub_avcc_update (config, unit);

  g_assert_cmpuint (
      dub_reorder_from_codec_data (DUB_VIDEO_CODEC_H264, config), <=, 16);
  g_assert_cmpuint (
      dub_reorder_from_codec_data (DUB_VIDEO_CODEC_H265, config), <=, 16);
  if (made) {
    g_assert_cmpuint (
        dub_avcc_get_length_size (made), ==, dub_avcc_get_length_size (config));
    g_assert_null (dub_avcc_update (made, unit));
  }
  return 0;
}
