/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/queue.h>

/*
 * One ingest for several programmes: what is pushed into its queue is, in the
 * pushing thread, handed on to each output's queue, in the same order. Pictures
 * and sound are shared, not copied; a queue that is full loses its own only.
 *
 *   ingest ─▶ in ─▶ tee ─┬─▶ queue of a branch
 *                        └─▶ queue of another
 *
 * new, add and free on the owner's thread: add before anything is pushed, free
 * when nothing is pushed any more.
 */
G_BEGIN_DECLS

typedef struct _DubTee DubTee;

DubTee *dub_tee_new (void);
void dub_tee_free (DubTee *self);

/* Where to push DubIngestItem. (transfer none) */
DubQueue *dub_tee_get_in (DubTee *self);
/* One more queue of DubIngestItem. (transfer none) */
DubQueue *dub_tee_add (DubTee *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubTee, dub_tee_free)

G_END_DECLS
