/* SPDX-License-Identifier: Apache-2.0 */
#include "asr/further_tries.h"

#define MS G_GINT64_CONSTANT (1000000)
#define LIVE_MS 5000
#define FILE_MS 60000

static DubTries
first_try (guint duration_ms, gint64 given_ms)
{
  DubTries tries;

  dub_tries_start (&tries, duration_ms, 7 * MS, (7 + given_ms) * MS);
  return tries;
}

/* The try that runs ends after took_ms; is there another? */
static gboolean
next (DubTries *tries, DubGuardVerdict verdict, gint64 took_ms)
{
  return dub_tries_next (tries, verdict, tries->try_start_ns + took_ms * MS);
}

static void
test_first_context (void)
{
  static const struct {
    guint duration_ms;
    int audio_ctx;
  } cases[] = {{200, 256}, {3840, 256}, {3841, 512}, {5000, 512}, {8960, 512},
      {8961, 768}, {24320, 1280}, {24321, 1500}, {30000, 1500}};

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    DubTries tries = first_try (cases[i].duration_ms, LIVE_MS);

    g_assert_cmpint (tries.audio_ctx, ==, cases[i].audio_ctx);
  }
}

static void
test_longer_each_time_and_two_at_most (void)
{
  DubTries tries = first_try (5000, FILE_MS);

  g_assert_true (next (&tries, DUB_GUARD_LOW_CONFIDENCE, 100));
  g_assert_cmpint (tries.audio_ctx, ==, 768);
  g_assert_true (next (&tries, DUB_GUARD_LOW_CONFIDENCE, 100));
  g_assert_cmpint (tries.audio_ctx, ==, 1500);
  g_assert_false (next (&tries, DUB_GUARD_LOW_CONFIDENCE, 100));
  g_assert_cmpint (tries.audio_ctx, ==, 1500);
}

/* The same sound with the same context is the same text. */
static void
test_no_context_twice (void)
{
  DubTries nearly_all = first_try (24000, FILE_MS);
  DubTries all = first_try (30000, FILE_MS);

  g_assert_true (next (&nearly_all, DUB_GUARD_REPETITION, 100));
  g_assert_cmpint (nearly_all.audio_ctx, ==, 1500);
  g_assert_false (next (&nearly_all, DUB_GUARD_REPETITION, 100));
  g_assert_false (next (&all, DUB_GUARD_REPETITION, 100));
}

static void
test_only_what_it_may_mend (void)
{
  static const struct {
    DubGuardVerdict verdict;
    gboolean is_worth_it;
  } cases[] = {
      {DUB_GUARD_NONE, FALSE},
      {DUB_GUARD_PASS, FALSE},
      {DUB_GUARD_EMPTY, FALSE},
      {DUB_GUARD_NO_SPEECH, FALSE},
      {DUB_GUARD_LOW_CONFIDENCE, TRUE},
      {DUB_GUARD_REPETITION, TRUE},
      {DUB_GUARD_TOO_DENSE, TRUE},
      {DUB_GUARD_STOCK_PHRASE, TRUE},
      {DUB_GUARD_WRONG_LANGUAGE, FALSE},
      {DUB_GUARD_PROMPT, FALSE},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    DubTries tries = first_try (3000, LIVE_MS);

    g_assert_cmpint (
        next (&tries, cases[i].verdict, 100), ==, cases[i].is_worth_it);
  }
}

/* Live: within 1.5 s of 5. A context of 256 took took_ms, one of 512 is
 * thought to take twice that. */
static void
test_while_time_is_left (void)
{
  static const struct {
    gint64 given_ms, took_ms;
    gboolean is_made;
  } cases[] = {
      {5000, 499, TRUE},
      {5000, 500, FALSE},
      {2000, 199, TRUE},
      {2000, 200, FALSE},
      /* Nobody waits for a file: six tenths. */
      {11999, 1199, TRUE},
      {11999, 1200, FALSE},
      {12000, 2399, TRUE},
      {12000, 2400, FALSE},
      {0, 1, FALSE},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    DubTries tries = first_try (3000, cases[i].given_ms);

    g_test_message (
        "%d ms of %d", (int) cases[i].took_ms, (int) cases[i].given_ms);
    g_assert_cmpint (next (&tries, DUB_GUARD_TOO_DENSE, cases[i].took_ms), ==,
        cases[i].is_made);
  }
}

/* How long the last one took counts, and all the time since the first began. */
static void
test_time_of_the_last_try (void)
{
  DubTries slow = first_try (5000, LIVE_MS), quick = slow;

  g_assert_true (next (&slow, DUB_GUARD_STOCK_PHRASE, 400));
  g_assert_true (next (&quick, DUB_GUARD_STOCK_PHRASE, 400));
  /* 400 + 373 + 373 * 1500 / 768 = 1501 */
  g_assert_false (next (&slow, DUB_GUARD_STOCK_PHRASE, 373));
  /* 400 + 372 + 726 = 1498 */
  g_assert_true (next (&quick, DUB_GUARD_STOCK_PHRASE, 372));
}

static void
test_without_a_deadline (void)
{
  DubTries tries;

  dub_tries_start (&tries, 5000, 7 * MS, G_MAXINT64);
  g_assert_true (next (&tries, DUB_GUARD_REPETITION, 3600 * 1000));
  g_assert_true (next (&tries, DUB_GUARD_REPETITION, 3600 * 1000));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func) g_test_add_func ("/sts/further-tries/" name, func)
  ADD ("first-context", test_first_context);
  ADD ("longer-each-time-and-two-at-most",
      test_longer_each_time_and_two_at_most);
  ADD ("no-context-twice", test_no_context_twice);
  ADD ("only-what-it-may-mend", test_only_what_it_may_mend);
  ADD ("while-time-is-left", test_while_time_is_left);
  ADD ("time-of-the-last-try", test_time_of_the_last_try);
  ADD ("without-a-deadline", test_without_a_deadline);
  return g_test_run ();
}
