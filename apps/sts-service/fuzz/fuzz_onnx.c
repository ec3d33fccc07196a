/* SPDX-License-Identifier: Apache-2.0 */
#include "tts/onnx_check.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) props = dub_onnx_read_metadata (data, size, &error);

  g_assert ((props == NULL) == (error != NULL));
  g_assert (props == NULL || g_hash_table_size (props) <= DUB_ONNX_MAX_PROPS);
  return 0;
}
