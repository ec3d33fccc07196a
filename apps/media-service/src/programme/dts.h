/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/clock.h>

/*
 * Decode times of the pictures that wait in the delay, in decode order.
 *
 * A dts is kept where it rises and is <= its pts. Where the source gave none,
 * or a bad one, it is made from the pts that lie in the delay: the i-th picture
 * in decode order gets the i-th smallest pts, less the largest distance by
 * which any picture is shown before its turn.
 *
 *   decode order   I0 P3 B1 B2 P6 B4 B5        sorted  0 1 2 3 4 5 6
 *   sorted - pts    0 -2  1  1 -2  1  1        largest 1
 *   dts            -1  0  1  2  3  4  5
 *
 * Pure: no clock, no thread. One owner.
 */
G_BEGIN_DECLS

typedef struct _DubDts DubDts;

DubDts *dub_dts_new (void);
void dub_dts_free (DubDts *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubDts, dub_dts_free)

/* dts_ns: DUB_TIME_NONE when the source gave none */
void dub_dts_push (DubDts *self, gint64 pts_ns, gint64 dts_ns);
/* Times of the oldest picture. Its pts is moved only where it lies at or before
 * a dts that has already left. FALSE when empty. */
gboolean dub_dts_peek (DubDts *self, gint64 *ret_pts_ns, gint64 *ret_dts_ns);
/* It has left at that dts; DUB_TIME_NONE: it was dropped. */
void dub_dts_pop (DubDts *self, gint64 left_dts_ns);
/* A picture left that was not in here (a repeated one). */
void dub_dts_note_left (DubDts *self, gint64 dts_ns);

G_END_DECLS
