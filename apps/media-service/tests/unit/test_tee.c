/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/tee.h"

#include "ingest/ingest.h"

#define N_THREADS 2
#define N_ITEMS 2000

static DubIngestItem *
picture_new (gint64 number)
{
  DubIngestItem *item = g_new0 (DubIngestItem, 1);

  item->kind = DUB_INGEST_ITEM_VIDEO;
  item->arrival_ns = number;
  item->unit = dub_access_unit_new (DUB_VIDEO_CODEC_H264,
      g_bytes_new_static ("picture", 7), NULL, number, number, TRUE);
  return item;
}

/* The same picture, not a copy; each queue counts its bytes. */
static void
test_shares (void)
{
  g_autoptr (DubTee) tee = dub_tee_new ();
  DubQueue *outs[] = {dub_tee_add (tee), dub_tee_add (tee)};
  DubIngestItem *items[2];

  dub_queue_push (dub_tee_get_in (tee), picture_new (7), 7);
  for (guint i = 0; i < 2; i++) {
    DubQueueStats stats;

    dub_queue_get_stats (outs[i], &stats);
    g_assert_cmpuint (stats.cost, ==, 7);
    items[i] = dub_queue_pop (outs[i]);
    g_assert_cmpint (items[i]->arrival_ns, ==, 7);
    g_assert_null (dub_queue_pop (outs[i]));
  }
  g_assert_true (items[0]->unit == items[1]->unit);
  dub_ingest_item_free (items[0]);
  g_assert_cmpint (items[1]->unit->pts_ns, ==, 7);
  dub_ingest_item_free (items[1]);
}

/* One that is not read loses its own. */
static void
test_full (void)
{
  g_autoptr (DubTee) tee = dub_tee_new ();
  DubQueue *full = dub_tee_add (tee);
  DubQueue *other = dub_tee_add (tee);
  DubQueueStats stats;
  guint n = 0;

  for (guint i = 0; i < 10000; i++) {
    g_autoptr (DubIngestItem) got = NULL;

    dub_queue_push (dub_tee_get_in (tee), picture_new (i), 7);
    got = dub_queue_pop (other);
    g_assert_cmpint (got->arrival_ns, ==, i);
    n++;
  }
  g_assert_cmpuint (n, ==, 10000);
  dub_queue_get_stats (full, &stats);
  g_assert_cmpuint (stats.dropped, >, 0);
}

static gpointer
push_many (gpointer data)
{
  for (gint64 i = 0; i < N_ITEMS; i++)
    dub_queue_push (data, picture_new (i), 7);
  return NULL;
}

/* Pictures and sound come from two threads: all arrive, in one order. */
static void
test_threads (void)
{
  g_autoptr (DubTee) tee = dub_tee_new ();
  DubQueue *outs[] = {dub_tee_add (tee), dub_tee_add (tee)};
  GThread *threads[N_THREADS];

  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("push", push_many, dub_tee_get_in (tee));
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  for (guint i = 0; i < N_THREADS * N_ITEMS; i++) {
    g_autoptr (DubIngestItem) a = dub_queue_pop (outs[0]);
    g_autoptr (DubIngestItem) b = dub_queue_pop (outs[1]);

    g_assert_nonnull (a);
    g_assert_nonnull (b);
    g_assert_true (a->unit == b->unit);
  }
  g_assert_null (dub_queue_pop (outs[0]));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/worker/tee/shares", test_shares);
  g_test_add_func ("/media/worker/tee/full", test_full);
  g_test_add_func ("/media/worker/tee/threads", test_threads);
  return g_test_run ();
}
