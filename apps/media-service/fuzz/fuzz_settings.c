/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/settings.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* The settings object that comes by standard input. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autoptr (GError) error = NULL;
  DubWorkerSettings settings = {0};

  dub_worker_settings_apply_json (&settings, text, &error);
  dub_worker_settings_clear (&settings);
  return 0;
}
