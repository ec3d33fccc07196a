/* SPDX-License-Identifier: Apache-2.0 */
#include "asr/guards.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* What a model says is any bytes; what is left of it can be spoken. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, MIN (size, 4096));
  g_autofree char *clean = dub_guard_clean (text);
  g_autofree char *again = dub_guard_clean (clean);
  DubGuardInput input = {clean, 0.1, -0.3, 5000};
  DubGuardLimits limits;

  dub_guard_limits_init (&limits);
  g_assert (g_utf8_validate (clean, -1, NULL));
  g_assert_cmpstr (clean, ==, again);
  g_assert ((*clean == '\0') ==
            (dub_guard_check (&input, &limits) == DUB_GUARD_EMPTY));
  return 0;
}
