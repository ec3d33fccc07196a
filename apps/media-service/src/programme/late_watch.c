/* SPDX-License-Identifier: Apache-2.0 */
#include "late_watch.h"

void
dub_late_watch_reset (DubLateWatch *self)
{
  *self = (DubLateWatch){.since_ns = DUB_TIME_NONE, .first_ns = DUB_TIME_NONE};
}

static gboolean
is_late_long (const DubLateWatch *self, gint64 now_ns)
{
  return self->since_ns != DUB_TIME_NONE &&
         now_ns - self->since_ns >= DUB_LATE_WINDOW_NS;
}

static gboolean
is_settled (const DubLateWatch *self, gint64 late_by_ns, gint64 now_ns)
{
  return now_ns - self->first_ns >= DUB_LATE_MAX_NS ||
         ABS (self->by_ns - late_by_ns) <= DUB_LATE_UNSETTLED_NS;
}

void
dub_late_watch_note (
    DubLateWatch *self, gint64 order_ns, gint64 late_by_ns, gint64 now_ns)
{
  if (late_by_ns <= 0) {
    dub_late_watch_reset (self);
    return;
  }
  self->last_came_ns = now_ns;
  self->last_order_ns = order_ns;
  self->last_by_ns = late_by_ns;
  if (self->first_ns == DUB_TIME_NONE)
    self->first_ns = now_ns;
  if (self->since_ns == DUB_TIME_NONE ||
      (is_late_long (self, now_ns) && !is_settled (self, late_by_ns, now_ns))) {
    self->since_ns = now_ns;
    self->by_ns = late_by_ns;
  }
}

gboolean
dub_late_watch_wants_epoch (
    const DubLateWatch *self, gint64 order_ns, gint64 now_ns)
{
  gint64 late_by_ns = self->last_by_ns + (now_ns - self->last_came_ns) -
                      (order_ns - self->last_order_ns);

  return is_late_long (self, now_ns) && is_settled (self, late_by_ns, now_ns);
}
