/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/clock.h>

/*
 * Sees pictures that come earlier than their epoch says. It was opened while
 * they came late, or with the first of what a server had kept; then the rest
 * came faster than it is shown, and all that follows would stay by so much
 * longer: the delay would grow. What has come is shown; then as much is
 * dropped, until a key frame can open an epoch at the time that has passed,
 * right behind the last picture that was taken.
 *
 * A source that sends in pieces (segments of some seconds) is early at the end
 * of each and not at its beginning: that is no reason.
 *
 * Pure: no clock, no thread. One owner.
 */
G_BEGIN_DECLS

/* So little is left to the departure clock; a picture without dts may be so
 * much ahead of its turn. */
#define DUB_EARLY_NS DUB_NS_PER_S
/* Early for so long, without a pause: longer than one piece. */
#define DUB_EARLY_WINDOW_NS (10 * DUB_NS_PER_S)

typedef struct {
  /*< private >*/
  gboolean is_early;
  gboolean is_dropping;
  gint64 since_ns;   /* is_early */
  gint64 over_at_ns; /* is_dropping: what was taken has passed by then */
} DubEarlyWatch;

void dub_early_watch_reset (DubEarlyWatch *self);
/* A picture came, early by so much (below 0: late). TRUE: it is to be
 * dropped. */
gboolean dub_early_watch_note (
    DubEarlyWatch *self, gint64 early_by_ns, gint64 now_ns);
gboolean dub_early_watch_is_dropping (const DubEarlyWatch *self);
/* A key frame that comes now shall open an epoch. */
gboolean dub_early_watch_wants_epoch (const DubEarlyWatch *self, gint64 now_ns);

G_END_DECLS
