/* SPDX-License-Identifier: Apache-2.0 */
#include "early_watch.h"

void
dub_early_watch_reset (DubEarlyWatch *self)
{
  *self = (DubEarlyWatch){0};
}

gboolean
dub_early_watch_is_dropping (const DubEarlyWatch *self)
{
  return self->is_dropping;
}

gboolean
dub_early_watch_note (DubEarlyWatch *self, gint64 early_by_ns, gint64 now_ns)
{
  if (early_by_ns <= (self->is_dropping ? 0 : DUB_EARLY_NS)) {
    dub_early_watch_reset (self);
    return FALSE;
  }
  if (!self->is_early) {
    self->is_early = TRUE;
    self->since_ns = now_ns;
  }
  if (!self->is_dropping && now_ns - self->since_ns >= DUB_EARLY_WINDOW_NS) {
    self->is_dropping = TRUE;
    self->over_at_ns = now_ns + early_by_ns;
  }
  return self->is_dropping;
}

gboolean
dub_early_watch_wants_epoch (const DubEarlyWatch *self, gint64 now_ns)
{
  return self->is_dropping && now_ns >= self->over_at_ns;
}
