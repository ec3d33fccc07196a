/* SPDX-License-Identifier: Apache-2.0 */
#include "dubbing_common/base64.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* What decodes must come back from its own encoding as the same bytes. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GBytes) again = NULL;
  g_autofree char *text = NULL;

  bytes = dub_base64_decode ((const char *) data, (gssize) size, 4096, NULL);
  if (bytes == NULL)
    return 0;
  g_assert_cmpuint (g_bytes_get_size (bytes), <=, 4096);
  text = dub_base64_encode (bytes);
  again = dub_base64_decode (text, -1, 4096, NULL);
  g_assert_true (again != NULL && g_bytes_equal (bytes, again));
  return 0;
}
