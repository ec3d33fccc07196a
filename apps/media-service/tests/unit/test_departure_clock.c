/* SPDX-License-Identifier: Apache-2.0 */
#include "programme/departure_clock.h"

#define MS DUB_NS_PER_MS
#define S DUB_NS_PER_S

static void
test_is_anchored_at_the_first_arrival (void)
{
  DubDepartureClock clock;

  dub_departure_clock_init (&clock);
  g_assert_false (dub_departure_clock_is_anchored (&clock));
  dub_departure_clock_observe (&clock, 2 * S, 100 * S);
  g_assert_true (dub_departure_clock_is_anchored (&clock));
  g_assert_cmpint (dub_departure_clock_offset_ns (&clock), ==, 98 * S);
}

/* Packets each 40 ms whose clock runs ppm slow, each late_ms late; the offset
 * after seconds. */
static gint64
offset_after (gint64 seconds, gint64 ppm, const gint64 *late_ms, gsize n_late)
{
  DubDepartureClock clock;
  gsize i = 0;

  dub_departure_clock_init (&clock);
  for (gint64 at = 0; at <= seconds * S; at += 40 * MS, i++) {
    gint64 media_ns = at - at / 1000000 * ppm;

    dub_departure_clock_observe (
        &clock, media_ns, 1000 * S + at + late_ms[i % n_late] * MS);
    dub_departure_clock_advance (
        &clock, 1000 * S + at + late_ms[i % n_late] * MS);
  }
  return dub_departure_clock_offset_ns (&clock) - 1000 * S;
}

static void
test_follows_drift (void)
{
  static const gint64 none[] = {0};
  gint64 hour_us = G_GINT64_CONSTANT (3600) * 1000000;

  /* 200 ppm for an hour: 720 ms, less what the window lags behind (30 s). */
  g_assert_cmpint (
      ABS (offset_after (3600, 200, none, 1) - hour_us / 1000000 * 200000), <,
      7 * MS);
  g_assert_cmpint (
      ABS (offset_after (3600, -200, none, 1) + hour_us / 1000000 * 200000), <,
      7 * MS);
  g_assert_cmpint (offset_after (3600, 0, none, 1), ==, 0);
}

static void
test_takes_the_smallest_and_not_the_jitter (void)
{
  static const gint64 late[] = {0, 30, 200, 10, 1000, 5, 0, 90, 3000};

  g_assert_cmpint (offset_after (300, 0, late, G_N_ELEMENTS (late)), ==, 0);
}

static void
test_comes_down_slowly_from_a_late_start (void)
{
  DubDepartureClock clock;

  dub_departure_clock_init (&clock);
  dub_departure_clock_observe (&clock, 0, 10 * S + 100 * MS);
  dub_departure_clock_observe (&clock, 40 * MS, 10 * S + 140 * MS - 60 * MS);
  dub_departure_clock_advance (&clock, 11 * S + 100 * MS);
  g_assert_cmpint (
      dub_departure_clock_offset_ns (&clock), ==, 10 * S + 99 * MS);
  dub_departure_clock_advance (&clock, 11 * S + 100 * MS); /* no time passed */
  g_assert_cmpint (
      dub_departure_clock_offset_ns (&clock), ==, 10 * S + 99 * MS);
}

static void
test_stays_when_nothing_arrives (void)
{
  DubDepartureClock clock;

  dub_departure_clock_init (&clock);
  dub_departure_clock_advance (&clock, 5 * S);
  dub_departure_clock_observe (&clock, 0, 10 * S);
  for (int s = 11; s < 400; s++)
    dub_departure_clock_advance (&clock, s * S);
  g_assert_cmpint (dub_departure_clock_offset_ns (&clock), ==, 10 * S);
}

static void
test_forgets_after_the_window (void)
{
  DubDepartureClock clock;
  gint64 at;

  dub_departure_clock_init (&clock);
  for (at = 0; at < 3 * S; at += S) {
    dub_departure_clock_observe (&clock, at, 10 * S + at);
    dub_departure_clock_advance (&clock, 10 * S + at);
  }
  /* From then on all is 100 ms later: for 30 s the old one still rules. */
  for (; at < 32 * S; at += S) {
    dub_departure_clock_observe (&clock, at, 10 * S + at + 100 * MS);
    dub_departure_clock_advance (&clock, 10 * S + at + 100 * MS);
  }
  g_assert_cmpint (dub_departure_clock_offset_ns (&clock), ==, 10 * S);
  for (; at < 200 * S; at += S) {
    dub_departure_clock_observe (&clock, at, 10 * S + at + 100 * MS);
    dub_departure_clock_advance (&clock, 10 * S + at + 100 * MS);
  }
  g_assert_cmpint (
      dub_departure_clock_offset_ns (&clock), ==, 10 * S + 100 * MS);
}

/* A key frame with dts = pts looks 80 ms early; its followers do not. */
static void
test_settles_before_anything_leaves (void)
{
  DubDepartureClock clock;

  dub_departure_clock_init (&clock);
  dub_departure_clock_observe (&clock, 80 * MS, 10 * S);
  for (gint64 at = 40 * MS; at <= 4 * S; at += 40 * MS) {
    dub_departure_clock_advance (&clock, 10 * S + at);
    dub_departure_clock_observe (&clock, MAX (at, 80 * MS), 10 * S + at);
    if (at == 40 * MS)
      g_assert_cmpint (
          dub_departure_clock_offset_ns (&clock), ==, 10 * S - 80 * MS);
  }
  g_assert_cmpint (dub_departure_clock_offset_ns (&clock), ==, 10 * S);
}

/* Once only: what has left cannot be moved. */
static void
test_settles_once (void)
{
  DubDepartureClock clock;

  dub_departure_clock_init (&clock);
  for (gint64 at = 0; at <= 5 * S; at += 100 * MS) {
    dub_departure_clock_observe (
        &clock, at, 10 * S + at + (at > 2 * S ? 500 * MS : 0));
    dub_departure_clock_advance (&clock, 10 * S + at);
  }
  g_assert_cmpint (dub_departure_clock_offset_ns (&clock), ==, 10 * S);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/departure-clock/anchored-at-first-arrival",
      test_is_anchored_at_the_first_arrival);
  g_test_add_func ("/media/departure-clock/follows-drift", test_follows_drift);
  g_test_add_func ("/media/departure-clock/takes-the-smallest",
      test_takes_the_smallest_and_not_the_jitter);
  g_test_add_func ("/media/departure-clock/comes-down-slowly",
      test_comes_down_slowly_from_a_late_start);
  g_test_add_func ("/media/departure-clock/stays-when-nothing-arrives",
      test_stays_when_nothing_arrives);
  g_test_add_func (
      "/media/departure-clock/forgets", test_forgets_after_the_window);
  g_test_add_func ("/media/departure-clock/settles-before-anything-leaves",
      test_settles_before_anything_leaves);
  g_test_add_func ("/media/departure-clock/settles-once", test_settles_once);
  return g_test_run ();
}
