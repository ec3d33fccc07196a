/* SPDX-License-Identifier: Apache-2.0 */
#include "api/rate_limit.h"

static guint
take_all (DubRateLimit *limit, gint64 now_us)
{
  guint n = 0, wait_s;

  while (n < 1000 && dub_rate_limit_take (limit, now_us, &wait_s))
    n++;
  return n;
}

static void
test_burst_then_rate (void)
{
  DubRateLimit limit;
  guint wait_s = 0;

  dub_rate_limit_init (&limit, 10, 40);
  g_assert_cmpuint (take_all (&limit, 1000000), ==, 40);
  g_assert_false (dub_rate_limit_take (&limit, 1000000, &wait_s));
  g_assert_cmpuint (wait_s, ==, 1);
  g_assert_cmpuint (take_all (&limit, 1500000), ==, 5);
  g_assert_cmpuint (take_all (&limit, 100000000), ==, 40); /* not more */
}

static void
test_slow (void)
{
  DubRateLimit limit;
  guint wait_s = 0;

  dub_rate_limit_init (&limit, 0.1, 1);
  g_assert_cmpuint (take_all (&limit, 1), ==, 1);
  g_assert_false (dub_rate_limit_take (&limit, 1, &wait_s));
  g_assert_cmpuint (wait_s, ==, 10);
}

static void
test_none (void)
{
  DubRateLimit limit;

  dub_rate_limit_init (&limit, 0, 0);
  g_assert_cmpuint (take_all (&limit, 1), ==, 1000);
}

/* A clock that stands or goes back gives nothing. */
static void
test_backwards (void)
{
  DubRateLimit limit;

  dub_rate_limit_init (&limit, 10, 10);
  g_assert_cmpuint (take_all (&limit, 5000000), ==, 10);
  g_assert_cmpuint (take_all (&limit, 1000000), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/rate-limit/burst-then-rate", test_burst_then_rate);
  g_test_add_func ("/media/rate-limit/slow", test_slow);
  g_test_add_func ("/media/rate-limit/none", test_none);
  g_test_add_func ("/media/rate-limit/backwards", test_backwards);
  return g_test_run ();
}
