/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/clock.h>

/*
 * Sees pictures that come later than they are to be shown. Too late for 2 s,
 * by the same: the source has fallen behind for good, and goes on from its next
 * key frame at the time that has really passed. While it is so much more or
 * less late from one to the next, what was held back is still to come, faster,
 * and a new epoch before it would add the rest to the delay; that is not waited
 * for without end.
 *
 * Pure: no clock, no thread. One owner.
 */
G_BEGIN_DECLS

/* Late for so long opens a new epoch. */
#define DUB_LATE_WINDOW_NS (2 * DUB_NS_PER_S)
/* More or less late by so much is not the same. */
#define DUB_LATE_UNSETTLED_NS (DUB_LATE_WINDOW_NS / 4)
/* Late for so long does so in any case. */
#define DUB_LATE_MAX_NS (30 * DUB_NS_PER_S)

typedef struct {
  /*< private >*/
  gint64 since_ns; /* DUB_TIME_NONE: in time */
  gint64 by_ns;    /* so late, at that time */
  gint64 first_ns; /* the first of them came then */
  gint64 last_came_ns, last_order_ns, last_by_ns; /* the last picture */
} DubLateWatch;

/* Before the first picture, and for another connection. */
void dub_late_watch_reset (DubLateWatch *self);
/* A picture came, late by so much (0 and below: in time).
 * order_ns: its place in decoding order, on the source's clock. */
void dub_late_watch_note (
    DubLateWatch *self, gint64 order_ns, gint64 late_by_ns, gint64 now_ns);
/* If this picture is a key frame it shall open an epoch. Asked before it has a
 * place on the timeline: how late it is follows from the last one. */
gboolean dub_late_watch_wants_epoch (
    const DubLateWatch *self, gint64 order_ns, gint64 now_ns);

G_END_DECLS
