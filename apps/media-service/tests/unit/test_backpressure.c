/* SPDX-License-Identifier: Apache-2.0 */
#include <dubbing_common/clock.h>

#include "sts/backpressure.h"

#define MS DUB_NS_PER_MS

static DubBackpressure
event (DubFlow action, DubLoad severity, guint delay_ms)
{
  return (DubBackpressure){
      .action = action, .severity = severity, .recommended_delay_ms = delay_ms};
}

static void
test_delay (void)
{
  static const struct {
    DubFlow action;
    DubLoad severity;
    guint given_ms;
    guint delay_ms;
  } table[] = {
      {DUB_FLOW_SLOW_DOWN, DUB_LOAD_MEDIUM, 700, 700},
      {DUB_FLOW_SLOW_DOWN, DUB_LOAD_LOW, 0, 100},
      {DUB_FLOW_SLOW_DOWN, DUB_LOAD_MEDIUM, 0, 500},
      {DUB_FLOW_SLOW_DOWN, DUB_LOAD_HIGH, 0, 1000},
      {DUB_FLOW_PAUSE, DUB_LOAD_HIGH, 1000, 0},
      {DUB_FLOW_NONE, DUB_LOAD_LOW, 500, 0},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    DubBackpressureState state = {0};
    DubBackpressure given =
        event (table[i].action, table[i].severity, table[i].given_ms);

    dub_backpressure_state_apply (&state, &given, 0);
    g_assert_cmpint (state.action, ==, table[i].action);
    g_assert_cmpuint (state.delay_ms, ==, table[i].delay_ms);
  }
}

/* What a state becomes after some time with so much in flight. */
static void
test_end (void)
{
  static const struct {
    DubFlow action;
    guint in_flight;
    gint64 after_ms;
    DubFlow then;
  } table[] = {
      {DUB_FLOW_PAUSE, 2, 0, DUB_FLOW_PAUSE},
      {DUB_FLOW_PAUSE, 2, DUB_BACKPRESSURE_MAX_PAUSE_MS - 1, DUB_FLOW_PAUSE},
      {DUB_FLOW_PAUSE, 2, DUB_BACKPRESSURE_MAX_PAUSE_MS, DUB_FLOW_NONE},
      {DUB_FLOW_PAUSE, 0, 0, DUB_FLOW_NONE},
      {DUB_FLOW_SLOW_DOWN, 0, 0, DUB_FLOW_SLOW_DOWN},
      {DUB_FLOW_SLOW_DOWN, 3, DUB_BACKPRESSURE_MAX_SLOW_MS - 1,
          DUB_FLOW_SLOW_DOWN},
      {DUB_FLOW_SLOW_DOWN, 3, DUB_BACKPRESSURE_MAX_SLOW_MS, DUB_FLOW_NONE},
      {DUB_FLOW_NONE, 0, 1000000, DUB_FLOW_NONE},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    DubBackpressureState state = {0};
    DubBackpressure given = event (table[i].action, DUB_LOAD_HIGH, 0);
    gboolean has_changed;

    dub_backpressure_state_apply (&state, &given, 5000 * MS);
    has_changed = dub_backpressure_state_update (
        &state, table[i].in_flight, (5000 + table[i].after_ms) * MS);
    g_assert_cmpint (state.action, ==, table[i].then);
    g_assert_cmpint (has_changed, ==, table[i].action != table[i].then);
  }
}

static void
test_replace (void)
{
  DubBackpressureState state = {0};
  DubBackpressure pause = event (DUB_FLOW_PAUSE, DUB_LOAD_HIGH, 0);
  DubBackpressure slow = event (DUB_FLOW_SLOW_DOWN, DUB_LOAD_MEDIUM, 0);
  DubBackpressure none = event (DUB_FLOW_NONE, DUB_LOAD_LOW, 0);

  g_assert_cmpint (dub_backpressure_state_wake_ns (&state), ==, G_MAXINT64);
  dub_backpressure_state_apply (&state, &pause, 0);
  g_assert_cmpint (dub_backpressure_state_wake_ns (&state), ==,
      DUB_BACKPRESSURE_MAX_PAUSE_MS * MS);
  dub_backpressure_state_apply (&state, &slow, 0);
  g_assert_cmpint (state.action, ==, DUB_FLOW_SLOW_DOWN);
  dub_backpressure_state_apply (&state, &none, 0);
  g_assert_cmpint (state.action, ==, DUB_FLOW_NONE);
  g_assert_cmpint (dub_backpressure_state_wake_ns (&state), ==, G_MAXINT64);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/sts/backpressure/delay", test_delay);
  g_test_add_func ("/media/sts/backpressure/end", test_end);
  g_test_add_func ("/media/sts/backpressure/replace", test_replace);
  return g_test_run ();
}
