/* SPDX-License-Identifier: Apache-2.0 */
#include "tts/onnx_check.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) tokens =
      dub_onnx_read_tokens ((const char *) data, size, &error);

  g_assert ((tokens == NULL) == (error != NULL));
  return 0;
}
