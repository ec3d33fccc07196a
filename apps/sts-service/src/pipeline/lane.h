/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * The queue before a stage that computes (decode, fit and encode): work runs
 * in threads, so many at once, first come first served. What has waited past
 * its deadline is not begun.
 *
 * Main thread only, but for run. done is called exactly once, later, unless
 * the lane was freed.
 */
G_BEGIN_DECLS

typedef struct _DubLane DubLane;

typedef struct {
  void (*run) (gpointer data);                /* in a thread */
  void (*done) (gpointer data, gboolean ran); /* FALSE: too late */
  GDestroyNotify free;                        /* of data; main thread */
} DubLaneFuncs;

DubLane *dub_lane_new (const DubLaneFuncs *funcs, guint max_running);
/* What waits is freed; what runs is freed when it has ended. */
void dub_lane_free (DubLane *lane);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubLane, dub_lane_free)

/* data (transfer full) */
void dub_lane_push (DubLane *lane, gpointer data, gint64 deadline_ns);
guint dub_lane_get_depth (DubLane *lane);

G_END_DECLS
