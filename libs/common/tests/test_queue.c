/* SPDX-License-Identifier: Apache-2.0 */
#include "dubbing_common/queue.h"

static int n_freed;
static int n_ready;

static void
count_free (gpointer item)
{
  g_atomic_int_inc (&n_freed);
}

static gboolean
count_ready (gpointer user_data)
{
  g_atomic_int_inc (&n_ready);
  return G_SOURCE_REMOVE;
}

static DubQueue *
make (guint max_items, guint64 max_cost, DubQueueFull when_full)
{
  n_freed = n_ready = 0;
  return dub_queue_new ("test", max_items, max_cost, when_full, count_free);
}

static gboolean
push (DubQueue *queue, int value, guint64 cost)
{
  return dub_queue_push (queue, GINT_TO_POINTER (value), cost);
}

static int
pop (DubQueue *queue)
{
  return GPOINTER_TO_INT (dub_queue_pop (queue));
}

static void
assert_stats (
    DubQueue *queue, guint items, guint64 cost, guint64 pushed, guint64 dropped)
{
  DubQueueStats stats;

  dub_queue_get_stats (queue, &stats);
  g_assert_cmpuint (stats.items, ==, items);
  g_assert_cmpuint (stats.cost, ==, cost);
  g_assert_cmpuint (stats.pushed, ==, pushed);
  g_assert_cmpuint (stats.dropped, ==, dropped);
}

static void
test_refuse (void)
{
  g_autoptr (DubQueue) queue = make (2, 100, DUB_QUEUE_REFUSE);

  g_assert_true (push (queue, 1, 60));
  g_assert_false (push (queue, 2, 41)); /* too dear */
  g_assert_true (push (queue, 3, 40));
  g_assert_false (push (queue, 4, 0)); /* too many */
  g_assert_cmpint (n_freed, ==, 2);
  assert_stats (queue, 2, 100, 2, 2);
  g_assert_cmpint (pop (queue), ==, 1);
  g_assert_cmpint (pop (queue), ==, 3);
  g_assert_cmpint (pop (queue), ==, 0);
  g_assert_cmpint (n_freed, ==, 2); /* what was popped is the reader's */
  assert_stats (queue, 0, 0, 2, 2);
}

static void
test_drop_oldest (void)
{
  g_autoptr (DubQueue) queue = make (3, 100, DUB_QUEUE_DROP_OLDEST);

  push (queue, 1, 30);
  push (queue, 2, 30);
  push (queue, 3, 30);
  g_assert_true (push (queue, 4, 70)); /* 1 and 2 go */
  assert_stats (queue, 2, 100, 4, 2);
  /* What could never fit pushes nobody out. */
  g_assert_false (push (queue, 5, 101));
  assert_stats (queue, 2, 100, 4, 3);
  g_assert_cmpint (n_freed, ==, 3);
  g_assert_cmpint (pop (queue), ==, 3);
  g_assert_cmpint (pop (queue), ==, 4);
}

static void
test_one_limit (void)
{
  g_autoptr (DubQueue) by_items = make (1, 0, DUB_QUEUE_REFUSE);
  g_autoptr (DubQueue) by_cost = make (0, 5, DUB_QUEUE_REFUSE);

  g_assert_true (push (by_items, 1, G_MAXUINT64));
  g_assert_false (push (by_items, 1, 0));
  for (int i = 1; i < 100; i++)
    g_assert_true (push (by_cost, i, 0));
  g_assert_true (push (by_cost, 1, 5));
  g_assert_false (push (by_cost, 1, 1));
}

static void
test_ready (void)
{
  g_autoptr (DubQueue) queue = make (1, 0, DUB_QUEUE_DROP_OLDEST);
  int owner = 0;

  dub_queue_set_ready_func (queue, count_ready, &owner, NULL);
  push (queue, 1, 0);
  push (queue, 2, 0);
  g_assert_cmpint (n_ready, ==, 1);
  pop (queue);
  g_assert_cmpint (n_ready, ==, 1);
  push (queue, 3, 0);
  g_assert_cmpint (n_ready, ==, 2);
}

/* What came before is told of. */
static void
test_ready_later (void)
{
  g_autoptr (DubQueue) queue = make (5, 0, DUB_QUEUE_REFUSE);
  int owner = 0;

  n_ready = 0;
  push (queue, 1, 0);
  push (queue, 2, 0);
  dub_queue_set_ready_func (queue, count_ready, &owner, NULL);
  g_assert_cmpint (n_ready, ==, 1);
  push (queue, 3, 0);
  g_assert_cmpint (n_ready, ==, 1);
  while (dub_queue_pop (queue))
    continue;
  push (queue, 4, 0);
  g_assert_cmpint (n_ready, ==, 2);
}

static void
test_close (void)
{
  g_autoptr (DubQueue) queue = make (5, 0, DUB_QUEUE_REFUSE);

  push (queue, 1, 0);
  g_assert_false (dub_queue_is_closed (queue));
  dub_queue_close (queue);
  g_assert_true (dub_queue_is_closed (queue));
  g_assert_false (push (queue, 2, 0));
  g_assert_cmpint (GPOINTER_TO_INT (dub_queue_pop_wait (queue, -1)), ==, 1);
  g_assert_null (dub_queue_pop_wait (queue, -1));
  assert_stats (queue, 0, 0, 1, 1);
}

static void
test_frees_rest (void)
{
  DubQueue *queue = make (5, 0, DUB_QUEUE_REFUSE);

  push (queue, 1, 0);
  push (queue, 2, 0);
  dub_queue_unref (queue);
  g_assert_cmpint (n_freed, ==, 2);
}

static void
test_timeout (void)
{
  g_autoptr (DubQueue) queue = make (5, 0, DUB_QUEUE_REFUSE);
  gint64 start_us = g_get_monotonic_time ();

  g_assert_null (dub_queue_pop_wait (queue, 0));
  g_assert_null (dub_queue_pop_wait (queue, 20000));
  g_assert_cmpint (g_get_monotonic_time () - start_us, >=, 20000);
}

#define PER_WRITER 20000
#define WRITERS 3

static gpointer
write_numbers (gpointer data)
{
  DubQueue *queue = data;

  for (int i = 1; i <= PER_WRITER; i++)
    push (queue, i, 1);
  return NULL;
}

static gpointer
read_numbers (gpointer data)
{
  DubQueue *queue = data;
  guint64 n = 0;

  while (dub_queue_pop_wait (queue, -1) != NULL)
    n++;
  return GUINT_TO_POINTER (n);
}

/* Under threads every item is popped once, or dropped and freed once, and the
 * limit holds at each moment. */
static void
check_threads (DubQueueFull when_full)
{
  g_autoptr (DubQueue) queue = make (8, 8, when_full);
  GThread *writers[WRITERS], *readers[2];
  DubQueueStats stats;
  guint64 n_read = 0;

  for (int i = 0; i < 2; i++)
    readers[i] = g_thread_new ("reader", read_numbers, queue);
  for (int i = 0; i < WRITERS; i++)
    writers[i] = g_thread_new ("writer", write_numbers, queue);
  for (int i = 0; i < 1000; i++) {
    dub_queue_get_stats (queue, &stats);
    g_assert_cmpuint (stats.items, <=, 8);
    g_assert_cmpuint (stats.cost, ==, stats.items);
  }
  for (int i = 0; i < WRITERS; i++)
    g_thread_join (writers[i]);
  dub_queue_close (queue);
  for (int i = 0; i < 2; i++)
    n_read += GPOINTER_TO_UINT (g_thread_join (readers[i]));
  dub_queue_get_stats (queue, &stats);
  g_assert_cmpuint (n_read + stats.dropped, ==, PER_WRITER * WRITERS);
  g_assert_cmpuint (stats.dropped, ==, (guint64) n_freed);
  g_assert_cmpuint (stats.items, ==, 0);
}

static void
test_threads (void)
{
  check_threads (DUB_QUEUE_REFUSE);
  check_threads (DUB_QUEUE_DROP_OLDEST);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/common/queue/refuse", test_refuse);
  g_test_add_func ("/common/queue/drop-oldest", test_drop_oldest);
  g_test_add_func ("/common/queue/one-limit", test_one_limit);
  g_test_add_func ("/common/queue/ready", test_ready);
  g_test_add_func ("/common/queue/ready-later", test_ready_later);
  g_test_add_func ("/common/queue/close", test_close);
  g_test_add_func ("/common/queue/frees-rest", test_frees_rest);
  g_test_add_func ("/common/queue/timeout", test_timeout);
  g_test_add_func ("/common/queue/threads", test_threads);
  return g_test_run ();
}
