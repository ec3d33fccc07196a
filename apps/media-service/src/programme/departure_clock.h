/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/clock.h>

/*
 * When media leaves: media time + offset + delay, where the offset is the wall
 * time at which media time 0 arrived. It is anchored at the first arrival and
 * then follows the smallest (arrival - media time) of the last 30 s, by at
 * most 1 ms per second: a source whose clock runs 200 ppm off would otherwise
 * move the delay by 17 s a day. The smallest one, since a packet can be late
 * for many reasons, and early for none.
 *
 * Pure: no clock, no thread. One owner. Memory is constant (one minimum per
 * second of the window).
 */
G_BEGIN_DECLS

#define DUB_DEPARTURE_WINDOW_S 30
#define DUB_DEPARTURE_SLEW_PPM 1000

typedef struct {
  /*< private >*/
  gboolean is_anchored;
  gint64 offset_ns;
  gint64 updated_ns; /* when offset_ns was last moved */
  gint64 second[DUB_DEPARTURE_WINDOW_S];
  gint64 smallest_ns[DUB_DEPARTURE_WINDOW_S];
} DubDepartureClock;

void dub_departure_clock_init (DubDepartureClock *self);

/* A packet of that media time (in order: dts) has arrived now. */
void dub_departure_clock_observe (
    DubDepartureClock *self, gint64 media_ns, gint64 now_ns);
/* Lets the offset follow. now_ns never goes back. */
void dub_departure_clock_advance (DubDepartureClock *self, gint64 now_ns);

gboolean dub_departure_clock_is_anchored (const DubDepartureClock *self);
/* arrival - media time, as of the last advance */
gint64 dub_departure_clock_offset_ns (const DubDepartureClock *self);

G_END_DECLS
