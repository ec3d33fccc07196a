/* SPDX-License-Identifier: Apache-2.0 */
#include "dubbing_common/clock.h"

static void
test_manual (void)
{
  g_autoptr (DubClock) clock = dub_clock_new_manual (-5);

  g_assert_cmpint (dub_clock_now_ns (clock), ==, -5);
  dub_clock_advance (clock, DUB_NS_PER_S);
  dub_clock_advance (clock, 0);
  g_assert_cmpint (dub_clock_now_ns (clock), ==, DUB_NS_PER_S - 5);
}

static void
test_system (void)
{
  g_autoptr (DubClock) clock = dub_clock_new_system ();
  gint64 before_us = g_get_monotonic_time ();
  gint64 now_ns = dub_clock_now_ns (clock);
  gint64 after_us = g_get_monotonic_time ();

  /* GLib reads the same clock, so ours lies between its two readings. */
  g_assert_cmpint (now_ns / 1000, >=, before_us);
  g_assert_cmpint (now_ns / 1000, <=, after_us);
}

static void
test_ref (void)
{
  DubClock *clock = dub_clock_new_manual (1);
  g_autoptr (DubClock) other = dub_clock_ref (clock);

  dub_clock_unref (clock);
  g_assert_cmpint (dub_clock_now_ns (other), ==, 1);
  dub_clock_unref (NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/common/clock/manual", test_manual);
  g_test_add_func ("/common/clock/system", test_system);
  g_test_add_func ("/common/clock/ref", test_ref);
  return g_test_run ();
}
