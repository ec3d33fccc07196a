/* SPDX-License-Identifier: Apache-2.0 */
#include <dubbing_common/rate_limit.h>

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

/* What one takes is nobody else's loss. */
static void
test_each_peer (void)
{
  g_autoptr (DubPeerLimits) limits = dub_peer_limits_new (1, 2);
  guint wait_s = 0;

  g_assert_true (dub_peer_limits_take (limits, "a", 1, &wait_s));
  g_assert_true (dub_peer_limits_take (limits, "a", 1, &wait_s));
  g_assert_false (dub_peer_limits_take (limits, "a", 1, &wait_s));
  g_assert_cmpuint (wait_s, ==, 1);
  g_assert_true (dub_peer_limits_take (limits, "b", 1, &wait_s));
  g_assert_true (dub_peer_limits_take (limits, "a", 1000001, &wait_s));
}

/* However many come, no more are kept; the quiet ones go first. */
static void
test_many_peers (void)
{
  g_autoptr (DubPeerLimits) limits = dub_peer_limits_new (1, 2);
  guint refused = 0, wait_s = 0;

  for (guint i = 0; i < DUB_MAX_PEERS + 100; i++) {
    g_autofree char *peer = g_strdup_printf ("peer-%u", i);
    refused += !dub_peer_limits_take (limits, peer, 1, &wait_s);
  }
  g_assert_cmpuint (dub_peer_limits_count (limits), ==, DUB_MAX_PEERS);
  g_assert_cmpuint (refused, ==, 98);
  g_assert_true (dub_peer_limits_take (limits, "late", 9000000, &wait_s));
  g_assert_cmpuint (dub_peer_limits_count (limits), ==, 1);
}

static void
test_no_limit_keeps_nobody (void)
{
  g_autoptr (DubPeerLimits) limits = dub_peer_limits_new (0, 0);
  guint wait_s = 0;

  for (int i = 0; i < 100; i++)
    g_assert_true (dub_peer_limits_take (limits, "a", 1, &wait_s));
  g_assert_cmpuint (dub_peer_limits_count (limits), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/common/rate-limit/burst-then-rate", test_burst_then_rate);
  g_test_add_func ("/common/rate-limit/slow", test_slow);
  g_test_add_func ("/common/rate-limit/none", test_none);
  g_test_add_func ("/common/rate-limit/backwards", test_backwards);
  g_test_add_func ("/common/rate-limit/each-peer", test_each_peer);
  g_test_add_func ("/common/rate-limit/many-peers", test_many_peers);
  g_test_add_func (
      "/common/rate-limit/no-limit-keeps-nobody", test_no_limit_keeps_nobody);
  return g_test_run ();
}
