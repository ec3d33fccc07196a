/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * A bounded queue between two threads. Every edge between stages is one of
 * these: it has a limit in items and one in cost (bytes, frames, whatever the
 * user counts), and a policy for being full, so that a stalled reader costs a
 * known amount of memory and never the life of the writer.
 *
 * Any thread may push and pop. on_ready runs in the pushing thread with no
 * lock held, each time the queue goes from empty to not empty: it wakes the
 * reader (g_main_context_wakeup, g_cond_signal, an eventfd).
 */
G_BEGIN_DECLS

typedef enum {
  DUB_QUEUE_REFUSE = 1,  /* the new item is freed, push says FALSE */
  DUB_QUEUE_DROP_OLDEST, /* the oldest items are freed to make room */
} DubQueueFull;

typedef struct _DubQueue DubQueue;

DubQueue *dub_queue_new (const char *name, guint max_items, guint64 max_cost,
    DubQueueFull when_full, GDestroyNotify free_item);
DubQueue *dub_queue_ref (DubQueue *queue);
void dub_queue_unref (DubQueue *queue);

/* Called in the pushing thread when an item comes into the empty queue; here
 * and at once when there is one already. Once for each queue. */
void dub_queue_set_ready_func (DubQueue *queue, GSourceFunc on_ready,
    gpointer user_data, GDestroyNotify destroy);

/* item (transfer full), on success and on failure alike. FALSE: it was
 * refused, or the queue is closed. */
gboolean dub_queue_push (DubQueue *queue, gpointer item, guint64 cost);
/* (transfer full) (nullable): NULL when empty. */
gpointer dub_queue_pop (DubQueue *queue);
/* Waits until there is an item, the queue is closed (NULL), or timeout_us
 * has passed (NULL; -1: for ever). */
gpointer dub_queue_pop_wait (DubQueue *queue, gint64 timeout_us);
/* Nothing goes in any more; waiting readers wake, what is in can be popped. */
void dub_queue_close (DubQueue *queue);
gboolean dub_queue_is_closed (DubQueue *queue);

typedef struct {
  guint items;
  guint64 cost;
  guint64 pushed;
  guint64 dropped; /* refused, or pushed out by newer ones */
} DubQueueStats;
void dub_queue_get_stats (DubQueue *queue, DubQueueStats *ret_stats);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubQueue, dub_queue_unref)

G_END_DECLS
