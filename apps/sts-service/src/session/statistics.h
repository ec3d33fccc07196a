/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_contracts/fragment.h>
#include <dubbing_contracts/stream.h>

/*
 * What stream:complete says of a session. Means are over all fragments; the
 * percentile is over the last DUB_STATISTICS_KEPT, so that a session of days
 * costs no more memory than one of an hour. Pure; not thread-safe.
 */
G_BEGIN_DECLS

#define DUB_STATISTICS_KEPT 1024

typedef struct {
  guint64 counts[DUB_PROCESSED_FAILED + 1];
  guint64 total;
  guint64 audio_ms;
  double sum_ms;
  guint last_ms[DUB_STATISTICS_KEPT];
} DubStatistics;

void dub_statistics_add (DubStatistics *statistics, DubProcessedStatus status,
    guint processing_ms, guint audio_ms);
void dub_statistics_fill (
    const DubStatistics *statistics, DubStreamComplete *complete);

G_END_DECLS
