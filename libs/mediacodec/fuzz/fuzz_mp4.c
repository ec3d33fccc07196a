/* SPDX-License-Identifier: Apache-2.0 */
#include "mp4_read.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* Every frame that is given lies in the file. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GBytes) file = g_bytes_new (data, size);
  const guint8 *from = g_bytes_get_data (file, NULL);
  g_auto (DubMp4Sound) sound = {0};
  g_autoptr (GError) error = NULL;

  if (!dub_mp4_read (file, &sound, &error)) {
    g_assert_nonnull (error);
    return 0;
  }
  g_assert_cmpuint (sound.timescale, >, 0);
  g_assert_cmpuint (sound.frames->len, <=, size);
  for (guint i = 0; i < sound.frames->len; i++) {
    gsize length;
    const guint8 *at =
        g_bytes_get_data (g_ptr_array_index (sound.frames, i), &length);

    g_assert_true (at >= from && at + length <= from + size);
  }
  return 0;
}
