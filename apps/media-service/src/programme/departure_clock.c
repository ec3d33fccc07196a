/* SPDX-License-Identifier: Apache-2.0 */
#include "departure_clock.h"

static void
forget (DubDepartureClock *self)
{
  for (int i = 0; i < DUB_DEPARTURE_WINDOW_S; i++)
    self->second[i] = DUB_TIME_NONE;
}

void
dub_departure_clock_init (DubDepartureClock *self)
{
  *self = (DubDepartureClock){0};
  forget (self);
}

gboolean
dub_departure_clock_is_anchored (const DubDepartureClock *self)
{
  return self->is_anchored;
}

gboolean
dub_departure_clock_is_settled (const DubDepartureClock *self)
{
  return self->is_settled;
}

gint64
dub_departure_clock_offset_ns (const DubDepartureClock *self)
{
  return self->offset_ns;
}

void
dub_departure_clock_observe (
    DubDepartureClock *self, gint64 media_ns, gint64 now_ns)
{
  gint64 second = now_ns / DUB_NS_PER_S;
  guint slot = (guint) (second % DUB_DEPARTURE_WINDOW_S);
  gint64 seen_ns = now_ns - media_ns;

  if (!self->is_anchored) {
    self->is_anchored = TRUE;
    self->offset_ns = seen_ns;
    self->anchored_ns = self->updated_ns = now_ns;
  }
  if (!self->is_settling &&
      now_ns - self->anchored_ns >= DUB_DEPARTURE_SETTLE_FROM_NS) {
    self->is_settling = TRUE;
    forget (self);
  }
  if (self->second[slot] != second) {
    self->second[slot] = second;
    self->smallest_ns[slot] = seen_ns;
  }
  self->smallest_ns[slot] = MIN (self->smallest_ns[slot], seen_ns);
}

static gboolean
find_smallest (const DubDepartureClock *self, gint64 now_ns, gint64 *ret_ns)
{
  gint64 oldest = now_ns / DUB_NS_PER_S - DUB_DEPARTURE_WINDOW_S;
  gboolean is_found = FALSE;

  for (int i = 0; i < DUB_DEPARTURE_WINDOW_S; i++) {
    if (self->second[i] == DUB_TIME_NONE || self->second[i] <= oldest)
      continue;
    if (!is_found || self->smallest_ns[i] < *ret_ns)
      *ret_ns = self->smallest_ns[i];
    is_found = TRUE;
  }
  return is_found;
}

static void
settle (DubDepartureClock *self, gint64 now_ns)
{
  gint64 target_ns = 0;

  if (self->is_settled || now_ns - self->anchored_ns < DUB_DEPARTURE_SETTLED_NS)
    return;
  self->is_settled = TRUE;
  if (self->is_settling && find_smallest (self, now_ns, &target_ns))
    self->offset_ns = target_ns;
}

void
dub_departure_clock_advance (DubDepartureClock *self, gint64 now_ns)
{
  gint64 target_ns = 0, step_ns;

  if (!self->is_anchored || now_ns <= self->updated_ns)
    return;
  settle (self, now_ns);
  step_ns = (now_ns - self->updated_ns) / (1000000 / DUB_DEPARTURE_SLEW_PPM);
  if (step_ns == 0)
    return; /* wait until a whole step has come together */
  self->updated_ns = now_ns;
  if (find_smallest (self, now_ns, &target_ns))
    self->offset_ns += CLAMP (target_ns - self->offset_ns, -step_ns, step_ns);
}
