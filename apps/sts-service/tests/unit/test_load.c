/* SPDX-License-Identifier: Apache-2.0 */
#include "session/load.h"

static void
test_levels (void)
{
  static const struct {
    gboolean is_echo;
    guint in_flight;
    guint max_inflight;
    DubLoad level;
  } table[] = {
      {TRUE, 0, 3, DUB_LOAD_NONE},
      {TRUE, 1, 3, DUB_LOAD_NONE},
      {TRUE, 2, 3, DUB_LOAD_LOW},
      {TRUE, 3, 3, DUB_LOAD_HIGH},
      {TRUE, 4, 10, DUB_LOAD_NONE},
      {TRUE, 5, 10, DUB_LOAD_LOW},
      {TRUE, 7, 10, DUB_LOAD_MEDIUM},
      {TRUE, 9, 10, DUB_LOAD_HIGH},
      {TRUE, 1, 1, DUB_LOAD_HIGH},
      {FALSE, 1, 3, DUB_LOAD_NONE},
      {FALSE, 3, 3, DUB_LOAD_LOW},
      {FALSE, 4, 3, DUB_LOAD_MEDIUM},
      {FALSE, 6, 10, DUB_LOAD_MEDIUM},
      {FALSE, 7, 10, DUB_LOAD_HIGH},
      {FALSE, 10, 10, DUB_LOAD_HIGH},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    DubLoadRule rule = dub_load_rule_default (table[i].is_echo);

    g_assert_cmpint (
        dub_load_rule_level (&rule, table[i].in_flight, table[i].max_inflight),
        ==, table[i].level);
  }
}

static void
test_fill (void)
{
  DubLoadRule rule = dub_load_rule_default (TRUE);
  DubBackpressure event = {0};

  dub_load_rule_fill (&rule, DUB_LOAD_HIGH, &event);
  g_assert_cmpint (event.action, ==, DUB_FLOW_PAUSE);
  g_assert_cmpuint (event.recommended_delay_ms, ==, 1000);
  dub_load_rule_fill (&rule, DUB_LOAD_MEDIUM, &event);
  g_assert_cmpint (event.action, ==, DUB_FLOW_SLOW_DOWN);
  g_assert_cmpuint (event.recommended_delay_ms, ==, 500);
  dub_load_rule_fill (&rule, DUB_LOAD_LOW, &event);
  g_assert_cmpint (event.action, ==, DUB_FLOW_NONE);
  g_assert_cmpuint (event.recommended_delay_ms, ==, 0);
  rule = dub_load_rule_default (FALSE);
  dub_load_rule_fill (&rule, DUB_LOAD_HIGH, &event);
  g_assert_cmpuint (event.recommended_delay_ms, ==, 2000);
  dub_load_rule_fill (&rule, DUB_LOAD_MEDIUM, &event);
  g_assert_cmpuint (event.recommended_delay_ms, ==, 500);
}

static void
test_due (void)
{
  DubLoad level = DUB_LOAD_NONE;

  g_assert_false (dub_load_is_due (&level, DUB_LOAD_NONE, TRUE));
  g_assert_true (dub_load_is_due (&level, DUB_LOAD_LOW, FALSE));
  g_assert_false (dub_load_is_due (&level, DUB_LOAD_LOW, FALSE));
  g_assert_true (dub_load_is_due (&level, DUB_LOAD_LOW, TRUE));
  g_assert_true (dub_load_is_due (&level, DUB_LOAD_HIGH, FALSE));
  g_assert_true (dub_load_is_due (&level, DUB_LOAD_NONE, FALSE));
  g_assert_false (dub_load_is_due (&level, DUB_LOAD_NONE, FALSE));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/session/load/levels", test_levels);
  g_test_add_func ("/sts/session/load/fill", test_fill);
  g_test_add_func ("/sts/session/load/due", test_due);
  return g_test_run ();
}
