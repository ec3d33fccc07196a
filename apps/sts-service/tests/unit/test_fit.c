/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/fit.h"

#include <math.h>

typedef struct {
  double slot_ms, onset_ms, room_ms, speech_ms;
  double stretch, keep_ms, over_percent;
  DubFitTier tier;
} Case;

static const Case cases[] = {
    /* Fits, and is left alone. */
    {5000, 200, 0, 4800, 1, 4800, 0, DUB_FIT_SUCCESS},
    /* Too short is a success, and is not slowed. */
    {5000, 200, 0, 1200, 1, 1200, 0, DUB_FIT_SUCCESS},
    /* A leading pause is time that the dub has not. */
    {5000, 1000, 0, 4400, 1.1, 4000, 0, DUB_FIT_SUCCESS},
    /* To the limit of the stretch. */
    {5000, 0, 0, 6500, 1.3, 5000, 0, DUB_FIT_SUCCESS},
    /* Then into the pause. */
    {5000, 0, 1000, 7800, 1.3, 6000, 0, DUB_FIT_SUCCESS},
    {5000, 0, 5000, 7800, 1.3, 6000, 0, DUB_FIT_SUCCESS},
    /* Then cut: by 8, by 15, and not by 30 %. */
    {5000, 0, 0, 1.08 * 6500, 1.3, 5000, 8, DUB_FIT_SUCCESS},
    {5000, 0, 1000, 1.15 * 7800, 1.3, 6000, 15, DUB_FIT_PARTIAL},
    {5000, 0, 0, 1.30 * 6500, 1.3, 5000, 30, DUB_FIT_TOO_LONG},
    /* A difference that nobody hears is not stretched. */
    {5000, 0, 100, 5020, 1, 5020, 0, DUB_FIT_SUCCESS},
    /* A slot without room for anything. */
    {500, 500, 0, 2000, 1.3, 100, 1438.46, DUB_FIT_TOO_LONG},
};

static void
test_plan (void)
{
  DubFitLimits limits;

  dub_fit_limits_init (&limits);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    const Case *c = &cases[i];
    DubFitSlot slot = {c->slot_ms, c->onset_ms, c->room_ms};
    DubFitPlan plan = dub_fit_plan (&slot, &limits, c->speech_ms);

    g_test_message ("case %u", i);
    g_assert_cmpfloat_with_epsilon (plan.stretch, c->stretch, 0.001);
    g_assert_cmpfloat_with_epsilon (plan.keep_ms, c->keep_ms, 0.5);
    g_assert_cmpfloat_with_epsilon (plan.over_percent, c->over_percent, 0.1);
    g_assert_cmpint (plan.tier, ==, c->tier);
    g_assert_cmpfloat_with_epsilon (
        plan.stretched_ms, c->speech_ms / c->stretch, 1);
  }
}

static void
test_rate (void)
{
  DubFitLimits limits;
  DubFitSlot slot = {5000, 1000, 3000};

  dub_fit_limits_init (&limits);
  g_assert_cmpfloat (dub_fit_rate (&slot, &limits, 3000), ==, 1);
  g_assert_cmpfloat (dub_fit_rate (&slot, &limits, 4000), ==, 1);
  g_assert_cmpfloat_with_epsilon (
      dub_fit_rate (&slot, &limits, 4600), 1.15, 0.001);
  g_assert_cmpfloat (dub_fit_rate (&slot, &limits, 9000), ==, 1.25);
}

/* What is just so much too long is not more than that. */
static void
test_at_the_limits (void)
{
  static const struct {
    double speech_ms;
    DubFitTier tier;
  } edges[] = {{1000, DUB_FIT_SUCCESS}, {1100, DUB_FIT_SUCCESS},
      {1101, DUB_FIT_PARTIAL}, {1200, DUB_FIT_PARTIAL},
      {1201, DUB_FIT_TOO_LONG}};
  DubFitSlot slot = {800, 0, 200};
  DubFitLimits limits;

  dub_fit_limits_init (&limits);
  limits.max_stretch = 1;
  for (guint i = 0; i < G_N_ELEMENTS (edges); i++)
    g_assert_cmpint (dub_fit_plan (&slot, &limits, edges[i].speech_ms).tier, ==,
        edges[i].tier);
}

/* Whatever comes in: what is kept lies within slot and room, and the tier is
 * that of the excess. */
static void
test_random (void)
{
  DubFitLimits limits;

  dub_fit_limits_init (&limits);
  for (guint i = 0; i < 20000; i++) {
    double slot_ms = g_test_rand_double_range (200, 15000);
    DubFitSlot slot = {slot_ms, g_test_rand_double_range (0, slot_ms),
        g_test_rand_double_range (0, 4000)};
    DubFitPlan plan =
        dub_fit_plan (&slot, &limits, g_test_rand_double_range (10, 40000));
    double whole = MAX (slot.slot_ms - slot.onset_ms, 100) + slot.room_ms;

    g_assert_cmpfloat (plan.keep_ms, <=, whole + 1e-6);
    g_assert_cmpfloat (plan.keep_ms, <=, plan.stretched_ms + 1e-6);
    g_assert_cmpfloat (plan.stretch, >=, 1);
    g_assert_cmpfloat (plan.stretch, <=, 1.3);
    g_assert_cmpint (plan.tier == DUB_FIT_SUCCESS, ==, plan.over_percent <= 10);
    g_assert_cmpint (plan.tier == DUB_FIT_TOO_LONG, ==, plan.over_percent > 20);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/pipeline/fit/plan", test_plan);
  g_test_add_func ("/sts/pipeline/fit/rate", test_rate);
  g_test_add_func ("/sts/pipeline/fit/at-the-limits", test_at_the_limits);
  g_test_add_func ("/sts/pipeline/fit/random", test_random);
  return g_test_run ();
}
