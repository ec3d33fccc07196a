/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/pace.h"

static const char text[] = "twenty letters and more";

static void
test_learns_by_voice (void)
{
  g_autoptr (DubPace) pace = dub_pace_new ();

  g_assert_cmpfloat (dub_pace_expect (pace, "es", "a", text), ==, 0);
  dub_pace_learn (pace, "es", "a", text, 1000);
  g_assert_cmpfloat_with_epsilon (
      dub_pace_expect (pace, "es", "a", text), 1000, 1e-6);
  /* What one voice does says nothing of another. */
  g_assert_cmpfloat (dub_pace_expect (pace, "de", "a", text), ==, 0);
  g_assert_cmpfloat (dub_pace_expect (pace, "es", NULL, text), ==, 0);
  dub_pace_learn (pace, "es", "a", text, 2000);
  g_assert_cmpfloat_with_epsilon (
      dub_pace_expect (pace, "es", "a", text), 1200, 1e-6);
}

static void
test_short_texts (void)
{
  g_autoptr (DubPace) pace = dub_pace_new ();

  dub_pace_learn (pace, "es", "a", "1881", 1000);
  g_assert_cmpfloat (dub_pace_expect (pace, "es", "a", text), ==, 0);
  dub_pace_learn (pace, "es", "a", text, 1000);
  g_assert_cmpfloat (dub_pace_expect (pace, "es", "a", "1881"), ==, 0);
  dub_pace_learn (pace, "fr", "a", text, 0);
  g_assert_cmpfloat (dub_pace_expect (pace, "fr", "a", text), ==, 0);
}

/* Names come from clients. */
static void
test_bounded (void)
{
  g_autoptr (DubPace) pace = dub_pace_new ();

  for (guint i = 0; i < DUB_PACE_MAX * 3 + 1; i++) {
    g_autofree char *voice = g_strdup_printf ("%u", i);
    dub_pace_learn (pace, "es", voice, text, 1000);
  }
  g_assert_cmpfloat (dub_pace_expect (pace, "es", "0", text), ==, 0);
  g_assert_cmpfloat (dub_pace_expect (pace, "es", "768", text), >, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/pipeline/pace/learns-by-voice", test_learns_by_voice);
  g_test_add_func ("/sts/pipeline/pace/short-texts", test_short_texts);
  g_test_add_func ("/sts/pipeline/pace/bounded", test_bounded);
  return g_test_run ();
}
