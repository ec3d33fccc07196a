/* SPDX-License-Identifier: Apache-2.0 */
#include "sts/circuit_breaker.h"

#include <string.h>

#define S DUB_NS_PER_S
#define OPEN_S (DUB_BREAKER_OPEN_NS / S)

/* What happens, one letter each, a second apart:
 *   s f n  an ordinary pass is taken and ends in success, failure, neutral
 *   S F N  so does the probe
 *   p      the probe is taken and kept
 *   .      a pass is asked for and refused
 *   x      an ordinary pass from before fails;  y: it succeeds
 *   r      the service is ready;  w: 30 s pass */
static const struct {
  const char *steps;
  DubBreakerState state;
  guint64 transitions;
} table[] = {
    {"", DUB_BREAKER_CLOSED, 0},
    {"ffff", DUB_BREAKER_CLOSED, 0},
    {"fffff", DUB_BREAKER_OPEN, 1},
    {"ffffsffff", DUB_BREAKER_CLOSED, 0},
    {"ffffsfffff", DUB_BREAKER_OPEN, 1},
    {"ffffnf", DUB_BREAKER_OPEN, 1},
    {"nnnnnnnnnn", DUB_BREAKER_CLOSED, 0},
    {"rffffrf", DUB_BREAKER_OPEN, 1},
    {"fffff.....", DUB_BREAKER_OPEN, 1},
    {"fffffxxy.", DUB_BREAKER_OPEN, 1},
    {"fffffwp", DUB_BREAKER_HALF_OPEN, 2},
    {"fffffwp...", DUB_BREAKER_HALF_OPEN, 2},
    {"fffffwpxy.", DUB_BREAKER_HALF_OPEN, 2},
    {"fffffwS", DUB_BREAKER_CLOSED, 3},
    {"fffffwSffff", DUB_BREAKER_CLOSED, 3},
    {"fffffwSfffff", DUB_BREAKER_OPEN, 4},
    {"fffffwF", DUB_BREAKER_OPEN, 3},
    {"fffffwF....", DUB_BREAKER_OPEN, 3},
    {"fffffwFwS", DUB_BREAKER_CLOSED, 5},
    {"fffffwNNNS", DUB_BREAKER_CLOSED, 3},
    {"fffffwNF", DUB_BREAKER_OPEN, 3},
    {"fffffrS", DUB_BREAKER_CLOSED, 3},
    {"fffffrrp.", DUB_BREAKER_HALF_OPEN, 2},
};

static void
end_pass (DubCircuitBreaker *breaker, DubBreakerPass wanted,
    DubBreakerResult result, gint64 now_ns)
{
  g_assert_cmpint (dub_circuit_breaker_peek (breaker, now_ns), ==, wanted);
  g_assert_cmpint (dub_circuit_breaker_take (breaker, now_ns), ==, wanted);
  dub_circuit_breaker_give_back (breaker, wanted, result, now_ns);
}

static void
play (DubCircuitBreaker *breaker, char step, gint64 now_ns)
{
  static const char results[] = "nsf";
  const char *ordinary = strchr (results, step);
  const char *probe = strchr (results, g_ascii_tolower (step));

  if (ordinary)
    end_pass (breaker, DUB_BREAKER_PASS_ORDINARY,
        (DubBreakerResult) (ordinary - results), now_ns);
  else if (probe)
    end_pass (breaker, DUB_BREAKER_PASS_PROBE,
        (DubBreakerResult) (probe - results), now_ns);
  else if (step == 'p')
    g_assert_cmpint (
        dub_circuit_breaker_take (breaker, now_ns), ==, DUB_BREAKER_PASS_PROBE);
  else if (step == '.')
    g_assert_cmpint (
        dub_circuit_breaker_take (breaker, now_ns), ==, DUB_BREAKER_PASS_NONE);
  else if (step == 'x' || step == 'y')
    dub_circuit_breaker_give_back (breaker, DUB_BREAKER_PASS_ORDINARY,
        step == 'x' ? DUB_BREAKER_RESULT_FAILURE : DUB_BREAKER_RESULT_SUCCESS,
        now_ns);
  else if (step == 'r')
    dub_circuit_breaker_service_ready (breaker);
}

static void
test_table (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    DubCircuitBreaker breaker;
    gint64 now_ns = 1000 * S;

    dub_circuit_breaker_init (&breaker);
    for (const char *step = table[i].steps; *step; step++) {
      now_ns += *step == 'w' ? DUB_BREAKER_OPEN_NS : S;
      play (&breaker, *step, now_ns);
    }
    g_test_message ("%s", table[i].steps);
    g_assert_cmpint (breaker.state, ==, table[i].state);
    g_assert_cmpuint (breaker.n_transitions, ==, table[i].transitions);
  }
}

/* Exactly five, and exactly thirty seconds from the fifth. */
static void
test_numbers (void)
{
  DubCircuitBreaker breaker;

  dub_circuit_breaker_init (&breaker);
  for (int i = 1; i <= DUB_BREAKER_FAILURES; i++)
    end_pass (
        &breaker, DUB_BREAKER_PASS_ORDINARY, DUB_BREAKER_RESULT_FAILURE, i * S);
  g_assert_cmpuint (breaker.n_failures, ==, 5);
  g_assert_cmpint (dub_circuit_breaker_take (&breaker, (5 + OPEN_S) * S - 1),
      ==, DUB_BREAKER_PASS_NONE);
  g_assert_cmpint (breaker.state, ==, DUB_BREAKER_OPEN);
  g_assert_cmpint (dub_circuit_breaker_take (&breaker, (5 + OPEN_S) * S), ==,
      DUB_BREAKER_PASS_PROBE);
  g_assert_cmpint (dub_circuit_breaker_take (&breaker, (5 + OPEN_S) * S), ==,
      DUB_BREAKER_PASS_NONE);
}

/* A peek takes nothing. */
static void
test_peek (void)
{
  DubCircuitBreaker breaker = {.state = DUB_BREAKER_HALF_OPEN};

  for (int i = 0; i < 3; i++)
    g_assert_cmpint (
        dub_circuit_breaker_peek (&breaker, 0), ==, DUB_BREAKER_PASS_PROBE);
  g_assert_false (breaker.is_probing);
}

static void
test_names (void)
{
  g_assert_cmpstr (
      dub_breaker_state_to_string (DUB_BREAKER_CLOSED), ==, "closed");
  g_assert_cmpstr (
      dub_breaker_state_to_string (DUB_BREAKER_HALF_OPEN), ==, "half-open");
  g_assert_cmpstr (dub_breaker_state_to_string (DUB_BREAKER_OPEN), ==, "open");
  g_assert_cmpstr (dub_breaker_state_to_string (3), ==, "none");
}

/* Whatever comes: a row below five unless open, one probe at once, and an open
 * one never lets anything through before its time. */
static void
test_property (void)
{
  DubCircuitBreaker breaker;
  GRand *dice = g_rand_new_with_seed (6);
  gint64 now_ns = 0, opened_ns = 0;
  guint probes = 0;

  dub_circuit_breaker_init (&breaker);
  for (int i = 0; i < 20000; i++) {
    DubBreakerState before = breaker.state;
    guint64 transitions;
    DubBreakerPass pass = dub_circuit_breaker_take (&breaker, now_ns);

    if (before == DUB_BREAKER_OPEN && breaker.state == DUB_BREAKER_OPEN)
      g_assert_cmpint (now_ns - opened_ns, <, DUB_BREAKER_OPEN_NS);
    transitions = breaker.n_transitions;
    probes += pass == DUB_BREAKER_PASS_PROBE;
    g_assert_cmpuint (probes, <=, 1);
    if (probes > 0 && g_rand_boolean (dice)) {
      pass = DUB_BREAKER_PASS_PROBE;
      probes = 0;
    } else if (pass != DUB_BREAKER_PASS_ORDINARY) {
      pass = DUB_BREAKER_PASS_NONE;
    }
    if (pass != DUB_BREAKER_PASS_NONE)
      dub_circuit_breaker_give_back (
          &breaker, pass, g_rand_int_range (dice, 0, 3), now_ns);
    g_assert_cmpuint (breaker.row, <, DUB_BREAKER_FAILURES);
    if (breaker.n_transitions > transitions &&
        breaker.state == DUB_BREAKER_OPEN)
      opened_ns = now_ns;
    now_ns += g_rand_int_range (dice, 0, 2000) * DUB_NS_PER_MS;
  }
  g_assert_cmpuint (breaker.n_transitions, >, 100);
  g_rand_free (dice);
}

/* CIRCUIT_BREAKER_THRESHOLD and _TIMEOUT. */
static void
test_other_limits (void)
{
  DubCircuitBreaker breaker = {.max_row = 2, .open_ns = 100};

  for (int i = 0; i < 2; i++) {
    g_assert_cmpint (
        dub_circuit_breaker_take (&breaker, 10), ==, DUB_BREAKER_PASS_ORDINARY);
    dub_circuit_breaker_give_back (
        &breaker, DUB_BREAKER_PASS_ORDINARY, DUB_BREAKER_RESULT_FAILURE, 10);
  }
  g_assert_cmpint (breaker.state, ==, DUB_BREAKER_OPEN);
  g_assert_cmpint (
      dub_circuit_breaker_peek (&breaker, 109), ==, DUB_BREAKER_PASS_NONE);
  g_assert_cmpint (
      dub_circuit_breaker_peek (&breaker, 110), ==, DUB_BREAKER_PASS_PROBE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/sts/circuit-breaker/table", test_table);
  g_test_add_func ("/media/sts/circuit-breaker/numbers", test_numbers);
  g_test_add_func ("/media/sts/circuit-breaker/peek", test_peek);
  g_test_add_func ("/media/sts/circuit-breaker/names", test_names);
  g_test_add_func ("/media/sts/circuit-breaker/property", test_property);
  g_test_add_func ("/media/circuit-breaker/other-limits", test_other_limits);
  return g_test_run ();
}
