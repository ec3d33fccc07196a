/* SPDX-License-Identifier: Apache-2.0 */
#include "file/progress.h"

static void
test_text (void)
{
  DubProgress progress;
  g_autofree char *start = NULL, *half = NULL, *beyond = NULL;

  dub_progress_init (&progress, 80, FALSE, 0);
  start = dub_progress_to_text (&progress, 0, 0);
  half = dub_progress_to_text (&progress, 40, 20 * G_USEC_PER_SEC);
  beyond = dub_progress_to_text (&progress, 99, 40 * G_USEC_PER_SEC);
  g_assert_cmpstr (
      start, ==, "[..............................]   0 %  0:00 of 1:20");
  g_assert_cmpstr (half, ==,
      "[###############...............]  50 %  0:40 of 1:20, 0:20 left");
  g_assert_cmpstr (beyond, ==,
      "[##############################] 100 %  1:20 of 1:20, 0:00 left");
}

static void
test_hours (void)
{
  DubProgress progress;
  g_autofree char *text = NULL;

  dub_progress_init (&progress, 7325, FALSE, 0);
  text = dub_progress_to_text (&progress, 0, 0);
  g_assert_true (g_str_has_suffix (text, "of 2:02:05"));
}

/* A file whose length is not known divides by nothing. */
static void
test_no_length (void)
{
  DubProgress progress;
  g_autofree char *text = NULL;

  dub_progress_init (&progress, 0, FALSE, 0);
  text = dub_progress_to_text (&progress, 5, 1);
  g_assert_nonnull (text);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dub/progress/text", test_text);
  g_test_add_func ("/dub/progress/hours", test_hours);
  g_test_add_func ("/dub/progress/no-length", test_no_length);
  return g_test_run ();
}
