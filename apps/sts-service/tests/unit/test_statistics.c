/* SPDX-License-Identifier: Apache-2.0 */
#include "session/statistics.h"

static void
test_percentile (void)
{
  static const struct {
    guint n;
    double p95;
    double mean;
  } table[] = {
      {0, 0, 0},
      {1, 1, 1},
      {2, 2, 1.5},
      {20, 20, 10.5},
      {100, 96, 50.5},
      /* The last 1024 of 2000 are 977 to 2000; the mean is of all. */
      {2000, 976 + 1024 * 95 / 100 + 1, 1000.5},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autofree DubStatistics *statistics = g_new0 (DubStatistics, 1);
    g_autoptr (DubStreamComplete) complete = dub_stream_complete_new ();

    for (guint k = 1; k <= table[i].n; k++)
      dub_statistics_add (statistics, DUB_PROCESSED_SUCCESS, k, 10);
    dub_statistics_fill (statistics, complete);
    g_assert_cmpfloat (complete->p95_processing_time_ms, ==, table[i].p95);
    g_assert_cmpfloat (complete->avg_processing_time_ms, ==, table[i].mean);
    g_assert_cmpuint (complete->total_audio_duration_ms, ==, 10 * table[i].n);
  }
}

static void
test_counts (void)
{
  g_autofree DubStatistics *statistics = g_new0 (DubStatistics, 1);
  g_autoptr (DubStreamComplete) complete = dub_stream_complete_new ();

  dub_statistics_add (statistics, DUB_PROCESSED_SUCCESS, 1, 1);
  dub_statistics_add (statistics, DUB_PROCESSED_PARTIAL, 1, 1);
  dub_statistics_add (statistics, DUB_PROCESSED_PARTIAL, 1, 1);
  dub_statistics_add (statistics, DUB_PROCESSED_FAILED, 1, 1);
  dub_statistics_fill (statistics, complete);
  g_assert_cmpuint (complete->total_fragments, ==, 4);
  g_assert_cmpuint (complete->success_count, ==, 1);
  g_assert_cmpuint (complete->partial_count, ==, 2);
  g_assert_cmpuint (complete->failed_count, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/session/statistics/percentile", test_percentile);
  g_test_add_func ("/sts/session/statistics/counts", test_counts);
  return g_test_run ();
}
