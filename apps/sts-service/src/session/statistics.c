/* SPDX-License-Identifier: Apache-2.0 */
#include "statistics.h"

#include <stdlib.h>
#include <string.h>

void
dub_statistics_add (DubStatistics *statistics, DubProcessedStatus status,
    guint processing_ms, guint audio_ms)
{
  statistics->last_ms[statistics->total % DUB_STATISTICS_KEPT] = processing_ms;
  statistics->counts[status]++;
  statistics->total++;
  statistics->sum_ms += processing_ms;
  statistics->audio_ms += audio_ms;
}

static int
compare_guint (const void *a, const void *b)
{
  guint x = *(const guint *) a, y = *(const guint *) b;

  return (x > y) - (x < y);
}

/* sorted[min (floor (0.95 n), n - 1)], the definition that peers know. */
static double
find_p95 (const DubStatistics *statistics)
{
  guint sorted[DUB_STATISTICS_KEPT];
  gsize n = MIN (statistics->total, DUB_STATISTICS_KEPT);

  if (n == 0)
    return 0.0;
  memcpy (sorted, statistics->last_ms, n * sizeof (guint));
  qsort (sorted, n, sizeof (guint), compare_guint);
  return sorted[MIN (n * 95 / 100, n - 1)];
}

void
dub_statistics_fill (
    const DubStatistics *statistics, DubStreamComplete *complete)
{
  complete->total_fragments = statistics->total;
  complete->total_audio_duration_ms = statistics->audio_ms;
  complete->success_count = statistics->counts[DUB_PROCESSED_SUCCESS];
  complete->partial_count = statistics->counts[DUB_PROCESSED_PARTIAL];
  complete->failed_count = statistics->counts[DUB_PROCESSED_FAILED];
  complete->avg_processing_time_ms =
      statistics->total ? statistics->sum_ms / statistics->total : 0.0;
  complete->p95_processing_time_ms = find_p95 (statistics);
}
