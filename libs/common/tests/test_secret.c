/* SPDX-License-Identifier: Apache-2.0 */
#include "dubbing_common/secret.h"

static void
test_equal (void)
{
  static const struct {
    const char *given, *secret;
    gboolean is_equal;
  } cases[] = {
      {"s3cret-token", "s3cret-token", TRUE},
      {"s3cret-tokeN", "s3cret-token", FALSE},
      {"S3cret-token", "s3cret-token", FALSE},
      {"s3cret-toke", "s3cret-token", FALSE},
      {"s3cret-tokens", "s3cret-token", FALSE},
      /* A secret that is the other one said twice. */
      {"abcabc", "abc", FALSE},
      {"abc", "abcabc", FALSE},
      {"", "abc", FALSE},
      {"abc", "", FALSE},
      {"", "", FALSE},
      {NULL, "abc", FALSE},
      {"abc", NULL, FALSE},
      {NULL, NULL, FALSE},
      {"\xff\xfe", "\xff\xfe", TRUE},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpint (dub_secret_equal (cases[i].given, cases[i].secret), ==,
        cases[i].is_equal);
}

static void
test_bearer (void)
{
  static const struct {
    const char *header;
    gboolean is_good;
  } cases[] = {
      {"Bearer s3cret", TRUE},
      {"bearer s3cret", TRUE},
      {"BEARER s3cret", TRUE},
      {"Bearer  s3cret", FALSE},
      {"Bearer s3cret ", FALSE},
      {"Bearer", FALSE},
      {"Bearer ", FALSE},
      {"Basic s3cret", FALSE},
      {"s3cret", FALSE},
      {"", FALSE},
      {NULL, FALSE},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpint (
        dub_secret_is_bearer (cases[i].header, "s3cret"), ==, cases[i].is_good);
  g_assert_false (dub_secret_is_bearer ("Bearer ", ""));
  g_assert_false (dub_secret_is_bearer ("Bearer x", NULL));
}

/* Where the two differ must not show in the time: one that is wrong in its
 * first letter takes as long as one that is wrong in its last. */
static void
test_time (void)
{
  const gsize length = 1 << 20;
  g_autofree char *secret = g_strnfill (length, 'a');
  g_autofree char *early = g_strnfill (length, 'a');
  g_autofree char *late = g_strnfill (length, 'a');
  gint64 best_us[2] = {G_MAXINT64, G_MAXINT64};

  early[0] = late[length - 1] = 'b';
  for (int round = 0; round < 20; round++) {
    const char *given[] = {early, late};

    for (int i = 0; i < 2; i++) {
      gint64 start_us = g_get_monotonic_time ();

      g_assert_false (dub_secret_equal (given[i], secret));
      best_us[i] = MIN (best_us[i], g_get_monotonic_time () - start_us);
    }
  }
  /* One that stops at the first difference would take a thousandth. */
  g_assert_cmpint (best_us[0] * 4, >, best_us[1]);
  g_assert_cmpint (best_us[1] * 4, >, best_us[0]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/common/secret/equal", test_equal);
  g_test_add_func ("/common/secret/bearer", test_bearer);
  g_test_add_func ("/common/secret/time", test_time);
  return g_test_run ();
}
