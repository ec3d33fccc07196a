/* SPDX-License-Identifier: Apache-2.0 */
#include "lane.h"

#include <gio/gio.h>

struct _DubLane {
  gatomicrefcount ref_count; /* the owner, and each task */
  DubLaneFuncs funcs;
  guint max_running;
  guint running;
  gboolean is_closed;
  GQueue waiting; /* of Item */
};

typedef struct {
  DubLane *lane;
  gpointer data;
  gint64 deadline_ns;
  gboolean is_late;
} Item;

static void pump (DubLane *lane);

static void
lane_unref (DubLane *lane)
{
  if (g_atomic_ref_count_dec (&lane->ref_count))
    g_free (lane);
}

static void
item_free (gpointer data)
{
  Item *item = data;
  item->lane->funcs.free (item->data);
  lane_unref (item->lane);
  g_free (item);
}

DubLane *
dub_lane_new (const DubLaneFuncs *funcs, guint max_running)
{
  DubLane *lane = g_new0 (DubLane, 1);

  g_atomic_ref_count_init (&lane->ref_count);
  lane->funcs = *funcs;
  lane->max_running = MAX (max_running, 1);
  g_queue_init (&lane->waiting);
  return lane;
}

void
dub_lane_free (DubLane *lane)
{
  if (lane == NULL)
    return;
  lane->is_closed = TRUE;
  g_queue_clear_full (&lane->waiting, item_free);
  lane_unref (lane);
}

static void
do_run (
    GTask *task, gpointer source, gpointer task_data, GCancellable *cancellable)
{
  Item *item = task_data;

  if (!item->is_late)
    item->lane->funcs.run (item->data);
  g_task_return_boolean (task, TRUE);
}

static void
on_ran (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Item *item = g_task_get_task_data (G_TASK (result));
  DubLane *lane = item->lane;

  lane->running--;
  if (!lane->is_closed)
    lane->funcs.done (item->data, !item->is_late);
  /* done may have freed the lane; the item still holds it. */
  if (!lane->is_closed)
    pump (lane);
  /* Not left to the task: its last reference may go in the other thread. */
  item_free (item);
}

static void
start (DubLane *lane, Item *item)
{
  GTask *task = g_task_new (NULL, NULL, on_ran, NULL);

  item->is_late = g_get_monotonic_time () * 1000 >= item->deadline_ns;
  lane->running++;
  g_task_set_task_data (task, item, NULL);
  if (item->is_late)
    g_task_return_boolean (task, TRUE);
  else
    g_task_run_in_thread (task, do_run);
  g_object_unref (task);
}

static void
pump (DubLane *lane)
{
  while (
      lane->running < lane->max_running && !g_queue_is_empty (&lane->waiting))
    start (lane, g_queue_pop_head (&lane->waiting));
}

void
dub_lane_push (DubLane *lane, gpointer data, gint64 deadline_ns)
{
  Item *item = g_new0 (Item, 1);

  g_atomic_ref_count_inc (&lane->ref_count);
  item->lane = lane;
  item->data = data;
  item->deadline_ns = deadline_ns;
  g_queue_push_tail (&lane->waiting, item);
  pump (lane);
}

guint
dub_lane_get_depth (DubLane *lane)
{
  return lane->running + g_queue_get_length (&lane->waiting);
}
