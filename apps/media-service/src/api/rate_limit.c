/* SPDX-License-Identifier: Apache-2.0 */
#include "rate_limit.h"

#include <math.h>

void
dub_rate_limit_init (DubRateLimit *self, double rate, double burst)
{
  *self = (DubRateLimit){.rate = rate, .burst = burst, .tokens = burst};
}

gboolean
dub_rate_limit_take (DubRateLimit *self, gint64 now_us, guint *ret_wait_s)
{
  double passed_s = (double) (now_us - self->last_us) / G_USEC_PER_SEC;

  if (self->rate <= 0)
    return TRUE;
  if (self->last_us != 0 && passed_s > 0)
    self->tokens = MIN (self->burst, self->tokens + passed_s * self->rate);
  self->last_us = now_us;
  if (self->tokens >= 1) {
    self->tokens -= 1;
    return TRUE;
  }
  *ret_wait_s = (guint) MAX (1, ceil ((1 - self->tokens) / self->rate));
  return FALSE;
}
