/* SPDX-License-Identifier: Apache-2.0 */
#include "dubbing_common/metrics.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* What was merged once parses, so that merging it again changes nothing. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autofree char *once = dub_metrics_merge ((const char *[]){text, NULL});
  g_autofree char *twice = dub_metrics_merge ((const char *[]){once, NULL});

  g_assert_cmpstr (once, ==, twice);
  return 0;
}
