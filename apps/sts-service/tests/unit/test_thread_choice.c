/* SPDX-License-Identifier: Apache-2.0 */
#include "asr/thread_choice.h"

#define MS G_GINT64_CONSTANT (1000000)

/* Of so many steps, how many had all threads. */
static guint
run (DubThreadChoice *choice, guint steps, gint64 one_ms, gint64 all_ms)
{
  guint with_all = 0;

  for (guint i = 0; i < steps; i++) {
    int threads = dub_thread_choice_next (choice, 4);

    g_assert_true (threads == 1 || threads == 4);
    with_all += threads == 4;
    dub_thread_choice_learn (
        choice, threads, (threads == 4 ? all_ms : one_ms) * MS);
  }
  return with_all;
}

static void
test_takes_the_faster (void)
{
  DubThreadChoice choice = {{0}};

  /* Both are tried, then the faster, and at times the other. */
  g_assert_cmpuint (run (&choice, 160, 22, 16), >=, 148);
  g_assert_cmpint (dub_thread_choice_best (&choice, 4), ==, 4);
  choice = (DubThreadChoice){{0}};
  g_assert_cmpuint (run (&choice, 160, 20, 40), <=, 12);
  g_assert_cmpint (dub_thread_choice_best (&choice, 4), ==, 1);
}

static void
test_follows_the_host (void)
{
  DubThreadChoice choice = {{0}};

  run (&choice, 160, 22, 16);
  /* Cores are taken away: within a fragment's tokens it is on one thread. */
  run (&choice, 20, 20, 40);
  g_assert_cmpuint (run (&choice, 160, 20, 40), <=, 12);
  /* And given back: it takes as many looks as it takes to believe it. */
  run (&choice, 160, 22, 16);
  g_assert_cmpuint (run (&choice, 160, 22, 16), >=, 148);
}

/* One step that was held up changes nothing. */
static void
test_single_stall (void)
{
  DubThreadChoice choice = {{0}};

  run (&choice, 160, 30, 16);
  dub_thread_choice_learn (&choice, 4, 5000 * MS);
  g_assert_cmpint (dub_thread_choice_best (&choice, 4), ==, 4);
}

static void
test_one_core (void)
{
  DubThreadChoice choice = {{0}};

  for (guint i = 0; i < 40; i++) {
    g_assert_cmpint (dub_thread_choice_next (&choice, 1), ==, 1);
    dub_thread_choice_learn (&choice, 1, 20 * MS);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func (
      "/sts/thread-choice/takes-the-faster", test_takes_the_faster);
  g_test_add_func (
      "/sts/thread-choice/follows-the-host", test_follows_the_host);
  g_test_add_func ("/sts/thread-choice/single-stall", test_single_stall);
  g_test_add_func ("/sts/thread-choice/one-core", test_one_core);
  return g_test_run ();
}
