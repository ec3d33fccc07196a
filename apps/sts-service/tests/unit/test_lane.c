/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/lane.h"

typedef struct {
  GMutex mutex;
  GCond cond;
  gboolean is_open; /* until then, what runs waits */
  guint running, most_running;
  guint ran, late, freed;
  guint64 order;
} Gate;

typedef struct {
  Gate *gate;
  guint number;
} Item;

static void
do_run (gpointer data)
{
  Item *item = data;
  Gate *gate = item->gate;

  g_mutex_lock (&gate->mutex);
  gate->running++;
  gate->most_running = MAX (gate->most_running, gate->running);
  g_cond_broadcast (&gate->cond);
  while (!gate->is_open)
    g_cond_wait (&gate->cond, &gate->mutex);
  gate->running--;
  g_mutex_unlock (&gate->mutex);
}

static void
on_done (gpointer data, gboolean ran)
{
  Item *item = data;

  if (ran)
    item->gate->ran++;
  else
    item->gate->late++;
  item->gate->order = item->gate->order * 10 + item->number;
}

static void
item_free (gpointer data)
{
  ((Item *) data)->gate->freed++;
  g_free (data);
}

static const DubLaneFuncs funcs = {do_run, on_done, item_free};

static void
push (DubLane *lane, Gate *gate, guint number, gint64 deadline_ns)
{
  Item *item = g_new (Item, 1);

  *item = (Item){gate, number};
  dub_lane_push (lane, item, deadline_ns);
}

static void
wait_running (Gate *gate, guint n)
{
  g_mutex_lock (&gate->mutex);
  while (gate->running < n)
    g_cond_wait (&gate->cond, &gate->mutex);
  g_mutex_unlock (&gate->mutex);
}

static void
open_gate (Gate *gate)
{
  g_mutex_lock (&gate->mutex);
  gate->is_open = TRUE;
  g_cond_broadcast (&gate->cond);
  g_mutex_unlock (&gate->mutex);
}

static void
wait_freed (Gate *gate, guint n)
{
  while (gate->freed < n)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_one_after_the_other (void)
{
  Gate gate = {.is_open = TRUE};
  g_autoptr (DubLane) lane = dub_lane_new (&funcs, 1);

  for (guint i = 1; i <= 5; i++)
    push (lane, &gate, i, G_MAXINT64);
  g_assert_cmpuint (gate.ran, ==, 0);
  wait_freed (&gate, 5);
  g_assert_cmpuint (gate.order, ==, 12345);
  g_assert_cmpuint (gate.most_running, ==, 1);
}

static void
test_so_many_at_once (void)
{
  Gate gate = {0};
  g_autoptr (DubLane) lane = dub_lane_new (&funcs, 2);

  for (guint i = 1; i <= 4; i++)
    push (lane, &gate, i, G_MAXINT64);
  wait_running (&gate, 2);
  g_assert_cmpuint (dub_lane_get_depth (lane), ==, 4);
  open_gate (&gate);
  wait_freed (&gate, 4);
  g_assert_cmpuint (gate.ran, ==, 4);
  g_assert_cmpuint (gate.most_running, ==, 2);
}

static void
test_late_is_not_begun (void)
{
  Gate gate = {0};
  g_autoptr (DubLane) lane = dub_lane_new (&funcs, 1);

  push (lane, &gate, 1, G_MAXINT64);
  push (lane, &gate, 2, g_get_monotonic_time () * 1000);
  push (lane, &gate, 3, G_MAXINT64);
  wait_running (&gate, 1);
  open_gate (&gate);
  wait_freed (&gate, 3);
  g_assert_cmpuint (gate.ran, ==, 2);
  g_assert_cmpuint (gate.late, ==, 1);
  g_assert_cmpuint (gate.order, ==, 123);
}

static void
test_freed_while_busy (void)
{
  Gate gate = {0};
  DubLane *lane = dub_lane_new (&funcs, 1);

  push (lane, &gate, 1, G_MAXINT64);
  push (lane, &gate, 2, G_MAXINT64);
  wait_running (&gate, 1);
  dub_lane_free (lane);
  g_assert_cmpuint (gate.freed, ==, 1);
  open_gate (&gate);
  wait_freed (&gate, 2);
  g_assert_cmpuint (gate.ran, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func (
      "/sts/pipeline/lane/one-after-the-other", test_one_after_the_other);
  g_test_add_func ("/sts/pipeline/lane/so-many-at-once", test_so_many_at_once);
  g_test_add_func (
      "/sts/pipeline/lane/late-is-not-begun", test_late_is_not_begun);
  g_test_add_func (
      "/sts/pipeline/lane/freed-while-busy", test_freed_while_busy);
  return g_test_run ();
}
