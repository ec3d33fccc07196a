/* SPDX-License-Identifier: Apache-2.0 */
#include "sent_log.h"

void
dub_sent_log_note (DubSentLog *self, gint64 ms, guint64 bytes)
{
  guint64 newest = (self->n - 1) % DUB_SENT_LOG_LENGTH;

  self->last_ms = ms;
  self->last_bytes = bytes;
  if (self->n > 0 && ms - self->ms[newest] < DUB_SENT_LOG_STEP_MS)
    return;
  self->ms[self->n % DUB_SENT_LOG_LENGTH] = ms;
  self->bytes[self->n % DUB_SENT_LOG_LENGTH] = bytes;
  self->n++;
}

gint64
dub_sent_log_behind_ms (const DubSentLog *self, guint64 unacknowledged)
{
  guint64 kept = MIN (self->n, DUB_SENT_LOG_LENGTH);
  gint64 behind_ms = 0;

  if (unacknowledged == 0)
    return 0;
  for (guint64 i = 1; i <= kept; i++) {
    guint64 at = (self->n - i) % DUB_SENT_LOG_LENGTH;

    behind_ms = self->last_ms - self->ms[at];
    if (self->bytes[at] + unacknowledged <= self->last_bytes)
      break;
  }
  return behind_ms;
}
