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
 * The first half second of a stream is an exception: a server that makes dts
 * anew gives its first key frame dts = pts, which looks early by the reorder
 * depth, and others send their first seconds in one burst. So 2 s after the
 * anchor, before anything can have left (the delay is 3 s at least), the
 * offset is set once to what came after that half second.
 *
 * Pure: no clock, no thread. One owner. Memory is constant (one minimum per
 * second of the window).
 */
G_BEGIN_DECLS

#define DUB_DEPARTURE_WINDOW_S 30
#define DUB_DEPARTURE_SLEW_PPM 1000
#define DUB_DEPARTURE_SETTLE_FROM_NS (500 * DUB_NS_PER_MS)
#define DUB_DEPARTURE_SETTLED_NS (2 * DUB_NS_PER_S)

typedef struct {
  /*< private >*/
  gboolean is_anchored;
  gboolean is_settling; /* what came first has been forgotten */
  gboolean is_settled;
  gint64 anchored_ns;
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
/* What came first tells nothing any more. */
gboolean dub_departure_clock_is_settled (const DubDepartureClock *self);
/* arrival - media time, as of the last advance */
gint64 dub_departure_clock_offset_ns (const DubDepartureClock *self);

G_END_DECLS
