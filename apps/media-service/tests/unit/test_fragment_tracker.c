/* SPDX-License-Identifier: Apache-2.0 */
#include "sts/tracker.h"

#define MS DUB_NS_PER_MS
#define S DUB_NS_PER_S

typedef struct {
  DubTracker *tracker;
  GPtrArray *sent;   /* DubFragment */
  GPtrArray *fallen; /* DubFragment */
  GArray *reasons;   /* DubFallbackReason */
  guint64 next;
} Fixture;

static void
on_send (DubFragment *fragment, gpointer user_data)
{
  g_ptr_array_add (((Fixture *) user_data)->sent, fragment);
}

static void
on_fallback (
    DubFragment *fragment, DubFallbackReason reason, gpointer user_data)
{
  Fixture *f = user_data;

  g_ptr_array_add (f->fallen, dub_fragment_ref (fragment));
  g_array_append_val (f->reasons, reason);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  DubTrackerParams params = {
      .max_inflight = 3, .max_waiting = 4, .fragment_timeout_ns = 8 * S};
  DubTrackerFuncs funcs = {on_send, on_fallback};

  f->sent =
      g_ptr_array_new_with_free_func ((GDestroyNotify) dub_fragment_unref);
  f->fallen =
      g_ptr_array_new_with_free_func ((GDestroyNotify) dub_fragment_unref);
  f->reasons = g_array_new (FALSE, FALSE, sizeof (DubFallbackReason));
  f->tracker = dub_tracker_new (&params, &funcs, f);
  dub_tracker_set_state (f->tracker, DUB_TRACKER_READY, 0, 0, 0);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  dub_tracker_free (f->tracker);
  g_ptr_array_unref (f->sent);
  g_ptr_array_unref (f->fallen);
  g_array_unref (f->reasons);
}

static void
push (Fixture *f, gint64 deadline_ns, gint64 now_ns)
{
  DubFragment *fragment = dub_fragment_new (f->next++,
      dub_pcm_new_silence (10, 48000, 1, 0), DUB_CUT_SILENCE, deadline_ns, 0);

  dub_tracker_push (f->tracker, fragment, now_ns);
}

static DubVerdict
answer_with (Fixture *f, guint i, DubBreakerResult result, gint64 now_ns)
{
  DubFragment *asked = g_ptr_array_index (f->sent, i);
  DubVerdict verdict;
  g_autoptr (DubFragment) fragment =
      dub_tracker_take_answer (f->tracker, asked->id, result, now_ns, &verdict);

  g_assert_cmpint (fragment != NULL, ==, verdict == DUB_VERDICT_ACCEPTED);
  if (fragment != NULL)
    g_assert_true (fragment == asked);
  return verdict;
}

static DubVerdict
answer (Fixture *f, guint i, gint64 now_ns)
{
  return answer_with (f, i, DUB_BREAKER_RESULT_SUCCESS, now_ns);
}

static guint64
number_of (GPtrArray *array, guint i)
{
  return ((DubFragment *) g_ptr_array_index (array, i))->number;
}

static DubFallbackReason
reason_of (Fixture *f, guint i)
{
  return g_array_index (f->reasons, DubFallbackReason, i);
}

static void
test_three_in_flight (Fixture *f, gconstpointer data)
{
  for (int i = 0; i < 5; i++)
    push (f, 10 * S, 0);
  g_assert_cmpuint (f->sent->len, ==, 3);
  g_assert_cmpuint (dub_tracker_inflight (f->tracker), ==, 3);
  g_assert_cmpuint (dub_tracker_waiting (f->tracker), ==, 2);
  g_assert_cmpint (answer (f, 1, S), ==, DUB_VERDICT_ACCEPTED);
  g_assert_cmpuint (f->sent->len, ==, 4);
  for (guint i = 0; i < f->sent->len; i++)
    g_assert_cmpuint (number_of (f->sent, i), ==, i);
  g_assert_cmpuint (f->fallen->len, ==, 0);
}

/* Slow answers must not shut the door: with a free place it is worth a try,
 * and only an answer can show that the service is quick again. */
static void
test_free_place_is_used_after_slow_answers (Fixture *f, gconstpointer data)
{
  push (f, 10 * S, 0);
  g_assert_cmpint (answer (f, 0, 5 * S), ==, DUB_VERDICT_ACCEPTED);
  g_assert_cmpint (dub_tracker_answer_p95_ns (f->tracker), ==, 5 * S);
  push (f, 8 * S, 5 * S);
  g_assert_cmpuint (f->sent->len, ==, 2);
  g_assert_cmpuint (f->fallen->len, ==, 0);
  push (f, 5 * S, 5 * S); /* its deadline is now */
  g_assert_cmpuint (f->sent->len, ==, 2);
  g_assert_cmpint (reason_of (f, 0), ==, DUB_FALLBACK_REASON_OVERLOAD);
}

static void
test_server_may_allow_less (Fixture *f, gconstpointer data)
{
  dub_tracker_set_state (f->tracker, DUB_TRACKER_READY, 1, 0, 0);
  push (f, 10 * S, 0);
  push (f, 10 * S, 0);
  g_assert_cmpuint (f->sent->len, ==, 1);
  dub_tracker_set_state (f->tracker, DUB_TRACKER_READY, 10, 0, 0);
  g_assert_cmpuint (f->sent->len, ==, 2);
  push (f, 10 * S, 0);
  push (f, 10 * S, 0);
  g_assert_cmpuint (f->sent->len, ==, 3); /* ours is 3 */
}

static void
test_timeout_at_the_deadline (Fixture *f, gconstpointer data)
{
  push (f, 5 * S, 0);
  push (f, 20 * S, 0); /* the timeout of 8 s is nearer */
  g_assert_cmpint (dub_tracker_run (f->tracker, 0), ==, 5 * S);
  g_assert_cmpint (dub_tracker_run (f->tracker, 5 * S - 1), ==, 5 * S);
  g_assert_cmpuint (f->fallen->len, ==, 0);
  g_assert_cmpint (dub_tracker_run (f->tracker, 5 * S), ==, 8 * S);
  g_assert_cmpuint (f->fallen->len, ==, 1);
  g_assert_cmpint (reason_of (f, 0), ==, DUB_FALLBACK_REASON_TIMEOUT);
  g_assert_cmpint (answer (f, 0, 6 * S), ==, DUB_VERDICT_LATE);
  g_assert_cmpint (dub_tracker_run (f->tracker, 8 * S), ==, G_MAXINT64);
  g_assert_cmpuint (number_of (f->fallen, 1), ==, 1);
}

static void
test_answer_at_the_deadline_is_late (Fixture *f, gconstpointer data)
{
  push (f, 5 * S, 0);
  push (f, 5 * S, 0);
  g_assert_cmpint (answer (f, 0, 5 * S - 1), ==, DUB_VERDICT_ACCEPTED);
  g_assert_cmpint (answer (f, 1, 5 * S), ==, DUB_VERDICT_LATE);
  g_assert_cmpuint (f->fallen->len, ==, 1);
}

static void
test_duplicate_and_unknown (Fixture *f, gconstpointer data)
{
  DubVerdict verdict;

  push (f, 5 * S, 0);
  g_assert_cmpint (answer (f, 0, S), ==, DUB_VERDICT_ACCEPTED);
  g_assert_cmpint (answer (f, 0, S), ==, DUB_VERDICT_DUPLICATE);
  g_assert_null (dub_tracker_take_answer (
      f->tracker, "nobody", DUB_BREAKER_RESULT_SUCCESS, S, &verdict));
  g_assert_cmpint (verdict, ==, DUB_VERDICT_UNKNOWN);
  for (int i = 0; i < 100; i++) { /* long ago: forgotten */
    push (f, 5 * S, 0);
    g_assert_cmpint (answer (f, 1 + i, S), ==, DUB_VERDICT_ACCEPTED);
  }
  g_assert_cmpint (answer (f, 0, S), ==, DUB_VERDICT_UNKNOWN);
}

static void
test_waits_while_it_can_be_in_time (Fixture *f, gconstpointer data)
{
  for (int i = 0; i < 3; i++)
    push (f, 20 * S, 0);
  push (f, 6 * S, 0);
  /* 1.5 s are taken for an answer before there was any */
  g_assert_cmpint (dub_tracker_run (f->tracker, S), ==, 4500 * MS);
  g_assert_cmpuint (f->fallen->len, ==, 0);
  dub_tracker_run (f->tracker, 4500 * MS);
  g_assert_cmpuint (f->fallen->len, ==, 1);
  g_assert_cmpuint (number_of (f->fallen, 0), ==, 3);
  g_assert_cmpint (reason_of (f, 0), ==, DUB_FALLBACK_REASON_OVERLOAD);
}

static void
test_p95_is_of_the_last_answers (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (dub_tracker_answer_p95_ns (f->tracker), ==, 1500 * MS);
  for (int i = 0; i < 100; i++) {
    push (f, 1000 * S, i * 10 * S);
    answer (f, i, i * 10 * S + (i < 39 ? 7 * S : i == 99 ? 3 * S : S));
  }
  /* of the last 64: three of 7 s, one of 3 s, the rest 1 s */
  g_assert_cmpint (dub_tracker_answer_p95_ns (f->tracker), ==, 3 * S);
  for (int i = 100; i < 200; i++) {
    push (f, 10000 * S, i * 10 * S);
    answer (f, i, i * 10 * S + 400 * MS);
  }
  g_assert_cmpint (dub_tracker_answer_p95_ns (f->tracker), ==, 400 * MS);
}

static void
test_too_many_waiting (Fixture *f, gconstpointer data)
{
  for (int i = 0; i < 8; i++)
    push (f, 20 * S, 0);
  g_assert_cmpuint (f->sent->len, ==, 3);
  g_assert_cmpuint (dub_tracker_waiting (f->tracker), ==, 4);
  g_assert_cmpuint (f->fallen->len, ==, 1);
  g_assert_cmpuint (number_of (f->fallen, 0), ==, 3);
  g_assert_cmpint (reason_of (f, 0), ==, DUB_FALLBACK_REASON_OVERLOAD);
}

static void
test_lost_link_falls_back_at_once (Fixture *f, gconstpointer data)
{
  for (int i = 0; i < 5; i++)
    push (f, 20 * S, 0);
  dub_tracker_set_state (f->tracker, DUB_TRACKER_LOST, 0, 0, S);
  g_assert_cmpuint (f->fallen->len, ==, 5);
  for (guint i = 0; i < 5; i++)
    g_assert_cmpint (reason_of (f, i), ==, DUB_FALLBACK_REASON_DISCONNECTED);
  push (f, 20 * S, S);
  g_assert_cmpint (reason_of (f, 5), ==, DUB_FALLBACK_REASON_NOT_READY);
  g_assert_cmpint (dub_tracker_run (f->tracker, 2 * S), ==, G_MAXINT64);
  dub_tracker_set_state (f->tracker, DUB_TRACKER_READY, 0, 0, 3 * S);
  g_assert_cmpint (answer (f, 0, 4 * S), ==, DUB_VERDICT_LATE);
  push (f, 20 * S, 5 * S);
  g_assert_cmpuint (f->sent->len, ==, 4);
  g_assert_cmpuint (f->fallen->len, ==, 6);
}

static void
test_pause_keeps_what_waits (Fixture *f, gconstpointer data)
{
  push (f, 20 * S, 0);
  dub_tracker_set_state (f->tracker, DUB_TRACKER_PAUSED, 0, 0, S);
  push (f, 3 * S, S);
  push (f, 20 * S, S);
  g_assert_cmpuint (f->sent->len, ==, 1);
  g_assert_cmpint (answer (f, 0, 1100 * MS), ==, DUB_VERDICT_ACCEPTED);
  g_assert_cmpuint (f->sent->len, ==, 1);
  /* by then the deadline of the first that waits has come */
  dub_tracker_set_state (f->tracker, DUB_TRACKER_READY, 0, 0, 3 * S);
  g_assert_cmpuint (f->sent->len, ==, 2);
  g_assert_cmpuint (number_of (f->sent, 1), ==, 2);
  g_assert_cmpuint (f->fallen->len, ==, 1);
}

static void
test_paused_for_too_long (Fixture *f, gconstpointer data)
{
  dub_tracker_set_state (f->tracker, DUB_TRACKER_PAUSED, 0, 0, 0);
  push (f, 5 * S, 0);
  g_assert_cmpint (dub_tracker_run (f->tracker, 0), ==, 3500 * MS);
  dub_tracker_run (f->tracker, 3500 * MS);
  g_assert_cmpint (reason_of (f, 0), ==, DUB_FALLBACK_REASON_OVERLOAD);
}

static void
test_slow_down (Fixture *f, gconstpointer data)
{
  dub_tracker_set_state (f->tracker, DUB_TRACKER_READY, 0, 500 * MS, 0);
  push (f, 20 * S, 0);
  push (f, 20 * S, 0);
  g_assert_cmpuint (f->sent->len, ==, 1);
  g_assert_cmpint (dub_tracker_run (f->tracker, 0), ==, 500 * MS);
  dub_tracker_run (f->tracker, 499 * MS);
  g_assert_cmpuint (f->sent->len, ==, 1);
  dub_tracker_run (f->tracker, 500 * MS);
  g_assert_cmpuint (f->sent->len, ==, 2);
  push (f, 20 * S, 600 * MS);
  g_assert_cmpuint (f->sent->len, ==, 2);
  dub_tracker_set_state (f->tracker, DUB_TRACKER_READY, 0, 0, 600 * MS);
  g_assert_cmpuint (f->sent->len, ==, 3);
}

/* Held back and let go again before anything was sent: it still sends. */
static void
test_slow_down_before_the_first (Fixture *f, gconstpointer data)
{
  dub_tracker_set_state (f->tracker, DUB_TRACKER_READY, 0, 500 * MS, S);
  dub_tracker_set_state (f->tracker, DUB_TRACKER_READY, 0, 0, S);
  push (f, 20 * S, S);
  g_assert_cmpuint (f->sent->len, ==, 1);
}

/* --- the circuit breaker --- */

/* Five time out, one after the other; it is open from 5 s on. */
static void
open_breaker (Fixture *f)
{
  for (int i = 0; i < DUB_BREAKER_FAILURES; i++) {
    push (f, (i + 1) * S, i * S);
    dub_tracker_run (f->tracker, (i + 1) * S);
  }
  g_assert_cmpuint (f->sent->len, ==, DUB_BREAKER_FAILURES);
  g_assert_cmpint (
      dub_tracker_breaker (f->tracker)->state, ==, DUB_BREAKER_OPEN);
}

static void
test_breaker_opens_after_five (Fixture *f, gconstpointer data)
{
  open_breaker (f);
  for (int i = 0; i < 24; i++)
    push (f, (20 + i) * S, (6 + i) * S);
  g_assert_cmpuint (f->sent->len, ==, DUB_BREAKER_FAILURES);
  g_assert_cmpuint (f->fallen->len, ==, DUB_BREAKER_FAILURES + 24);
  for (guint i = 0; i < DUB_BREAKER_FAILURES; i++)
    g_assert_cmpint (reason_of (f, i), ==, DUB_FALLBACK_REASON_TIMEOUT);
  for (guint i = DUB_BREAKER_FAILURES; i < f->fallen->len; i++)
    g_assert_cmpint (reason_of (f, i), ==, DUB_FALLBACK_REASON_BREAKER_OPEN);
}

static void
test_breaker_lets_one_probe_through (Fixture *f, gconstpointer data)
{
  open_breaker (f);
  push (f, 40 * S, 35 * S);
  push (f, 40 * S, 35 * S); /* the probe is on its way */
  g_assert_cmpuint (f->sent->len, ==, 6);
  g_assert_cmpint (reason_of (f, 5), ==, DUB_FALLBACK_REASON_BREAKER_OPEN);
  g_assert_cmpint (answer (f, 5, 36 * S), ==, DUB_VERDICT_ACCEPTED);
  for (int i = 0; i < 3; i++)
    push (f, 45 * S, 37 * S);
  g_assert_cmpuint (f->sent->len, ==, 9);
}

static void
test_failed_probe_opens_again (Fixture *f, gconstpointer data)
{
  open_breaker (f);
  push (f, 40 * S, 35 * S);
  g_assert_cmpint (answer_with (f, 5, DUB_BREAKER_RESULT_FAILURE, 36 * S), ==,
      DUB_VERDICT_ACCEPTED);
  push (f, 70 * S, 65 * S);
  g_assert_cmpuint (f->sent->len, ==, 6);
  push (f, 71 * S, 66 * S);
  g_assert_cmpuint (f->sent->len, ==, 7);
}

/* What waits for a place has nothing to wait for when it opens. */
static void
test_breaker_opens_over_those_that_wait (Fixture *f, gconstpointer data)
{
  for (int i = 0; i < 2; i++) {
    push (f, 9 * S, 0);
    answer_with (f, (guint) i, DUB_BREAKER_RESULT_FAILURE, 0);
  }
  for (int i = 0; i < 3; i++)
    push (f, S, 0);
  push (f, 9 * S, 0);
  push (f, 9 * S, 0);
  g_assert_cmpuint (dub_tracker_waiting (f->tracker), ==, 2);
  dub_tracker_run (f->tracker, S); /* three time out */
  g_assert_cmpuint (f->sent->len, ==, 5);
  g_assert_cmpuint (dub_tracker_waiting (f->tracker), ==, 0);
  g_assert_cmpint (reason_of (f, 4), ==, DUB_FALLBACK_REASON_BREAKER_OPEN);
}

static void
test_lost_link_is_no_failure (Fixture *f, gconstpointer data)
{
  for (int i = 0; i < 10; i++) {
    push (f, 9 * S, 0);
    dub_tracker_set_state (f->tracker, DUB_TRACKER_LOST, 0, 0, 0);
    push (f, 9 * S, 0);
    dub_tracker_set_state (f->tracker, DUB_TRACKER_READY, 0, 0, 0);
  }
  g_assert_cmpuint (dub_tracker_breaker (f->tracker)->n_failures, ==, 0);
  push (f, 9 * S, 0);
  g_assert_cmpuint (f->sent->len, ==, 11);
}

/* A service that came back is asked at once, with one probe; a probe that the
 * link takes along may be sent again. */
static void
test_ready_service_is_probed (Fixture *f, gconstpointer data)
{
  open_breaker (f);
  dub_tracker_set_state (f->tracker, DUB_TRACKER_READY, 0, 0, 6 * S);
  push (f, 20 * S, 6 * S); /* was not lost: still open */
  g_assert_cmpuint (f->sent->len, ==, 5);
  for (guint i = 0; i < 3; i++) {
    dub_tracker_set_state (f->tracker, DUB_TRACKER_LOST, 0, 0, 7 * S);
    dub_tracker_set_state (f->tracker, DUB_TRACKER_READY, 0, 0, 7 * S);
    push (f, 20 * S, 7 * S);
    push (f, 20 * S, 7 * S);
    g_assert_cmpuint (f->sent->len, ==, 6 + i);
  }
  g_assert_cmpint (answer (f, 7, 8 * S), ==, DUB_VERDICT_ACCEPTED);
  g_assert_cmpint (
      dub_tracker_breaker (f->tracker)->state, ==, DUB_BREAKER_CLOSED);
}

/* Every fragment ends once, whatever happens. */
static void
test_random_life (Fixture *f, gconstpointer data)
{
  GHashTable *ended = g_hash_table_new (g_str_hash, g_str_equal);
  gint64 now = 0;
  guint accepted = 0;

  for (int i = 0; i < 20000; i++) {
    now += g_test_rand_int_range (0, 800) * MS;
    switch (g_test_rand_int_range (0, 6)) {
      case 0:
      case 1:
        push (f, now + g_test_rand_int_range (0, 9000) * MS, now);
        break;
      case 2:
      case 3:
        if (f->sent->len > 0) {
          guint n = f->sent->len;
          guint k = n - 1 - (guint) g_test_rand_int_range (0, MIN ((int) n, 6));
          DubFragment *asked = g_ptr_array_index (f->sent, k);

          if (answer_with (f, k, g_test_rand_int_range (1, 3), now) ==
              DUB_VERDICT_ACCEPTED) {
            g_assert_true (g_hash_table_add (ended, asked->id));
            accepted++;
          }
        }
        break;
      case 4:
        dub_tracker_run (f->tracker, now);
        break;
      default:
        if (g_test_rand_int_range (0, 20) == 0)
          dub_tracker_set_state (f->tracker, g_test_rand_int_range (0, 3),
              g_test_rand_int_range (0, 5), 0, now);
        else
          dub_tracker_set_state (f->tracker, DUB_TRACKER_READY, 0, 0, now);
        break;
    }
    g_assert_cmpuint (dub_tracker_inflight (f->tracker), <=, 3);
    g_assert_cmpuint (dub_tracker_waiting (f->tracker), <=, 4);
  }
  dub_tracker_set_state (f->tracker, DUB_TRACKER_LOST, 0, 0, now);
  for (guint i = 0; i < f->fallen->len; i++)
    g_assert_true (g_hash_table_add (
        ended, ((DubFragment *) g_ptr_array_index (f->fallen, i))->id));
  g_assert_cmpuint (g_hash_table_size (ended), ==, f->next);
  g_assert_cmpuint (accepted, >, 200);
  g_assert_cmpuint (dub_tracker_breaker (f->tracker)->n_transitions, >, 10);
  g_hash_table_unref (ended);
}

static void
test_names (void)
{
  g_assert_cmpstr (
      dub_fallback_reason_to_string (DUB_FALLBACK_REASON_NONE), ==, "none");
  g_assert_cmpstr (
      dub_fallback_reason_to_string (DUB_FALLBACK_REASON_GONE), ==, "gone");
  g_assert_cmpstr (
      dub_fallback_reason_to_string (DUB_FALLBACK_REASON_BREAKER_OPEN), ==,
      "breaker_open");
  g_assert_cmpstr (
      dub_fallback_reason_to_string (DUB_FALLBACK_REASON_DISCONNECTED), ==,
      "disconnected");
  g_assert_cmpstr (
      dub_fallback_reason_to_string ((DubFallbackReason) 77), ==, "none");
}

#define ADD(name, func)                                                        \
  g_test_add ("/media/tracker/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("three-in-flight", test_three_in_flight);
  ADD ("server-may-allow-less", test_server_may_allow_less);
  ADD ("timeout-at-the-deadline", test_timeout_at_the_deadline);
  ADD ("answer-at-the-deadline", test_answer_at_the_deadline_is_late);
  ADD ("duplicate-and-unknown", test_duplicate_and_unknown);
  ADD ("waits-while-in-time", test_waits_while_it_can_be_in_time);
  ADD ("free-place-after-slow-answers",
      test_free_place_is_used_after_slow_answers);
  ADD ("p95", test_p95_is_of_the_last_answers);
  ADD ("too-many-waiting", test_too_many_waiting);
  ADD ("lost-link", test_lost_link_falls_back_at_once);
  ADD ("pause", test_pause_keeps_what_waits);
  ADD ("paused-for-too-long", test_paused_for_too_long);
  ADD ("slow-down", test_slow_down);
  ADD ("slow-down-before-the-first", test_slow_down_before_the_first);
  ADD ("breaker/opens-after-five", test_breaker_opens_after_five);
  ADD ("breaker/one-probe", test_breaker_lets_one_probe_through);
  ADD ("breaker/failed-probe", test_failed_probe_opens_again);
  ADD ("breaker/those-that-wait", test_breaker_opens_over_those_that_wait);
  ADD ("breaker/lost-link", test_lost_link_is_no_failure);
  ADD ("breaker/ready-service", test_ready_service_is_probed);
  ADD ("random-life", test_random_life);
  g_test_add_func ("/media/tracker/names", test_names);
  return g_test_run ();
}
