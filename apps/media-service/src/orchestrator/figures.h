/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>

/*
 * The few numbers that an operator watches, out of the metrics that a worker
 * tells each second, and their last 15 minutes.
 *
 * Pure: no clock. One thread at a time.
 */
G_BEGIN_DECLS

typedef enum {
  DUB_FIGURE_OUTPUT_DELAY_MS = 0,
  DUB_FIGURE_COVERAGE,   /* dubbed seconds of all speech, 0 to 1 */
  DUB_FIGURE_AV_SYNC_MS, /* of the last segment */
  DUB_FIGURE_STS_RTT_MS, /* mean of the answers since the last text */
  DUB_FIGURE_BREAKER,    /* 0 closed, 1 half-open, 2 open */
  DUB_FIGURE_INFLIGHT,
  DUB_FIGURE_FRAGMENTS_SENT,
  DUB_FIGURE_FALLBACKS,
  DUB_FIGURE_VIDEO_IN,
  DUB_FIGURE_VIDEO_OUT,
  DUB_N_FIGURES,
} DubFigure;

typedef struct {
  double values[DUB_N_FIGURES]; /* NAN: not known */
  /* of the histogram of answer times, for the next difference */
  double rtt_sum_s, rtt_count;
} DubFigures;

void dub_figures_init (DubFigures *self);
/* An exposition of one worker. What it does not hold stays unknown; of a
 * family with several series, counters are added up and of gauges the first
 * counts. */
void dub_figures_update (DubFigures *self, const char *text);
/* As Figures in the API; what is not known is null. (transfer full) */
JsonObject *dub_figures_to_json (const DubFigures *self);

#define DUB_HISTORY_STEP_S 5
#define DUB_HISTORY_STEPS 180

typedef struct _DubHistory DubHistory;

DubHistory *dub_history_new (void);
void dub_history_free (DubHistory *self);
/* Once each DUB_HISTORY_STEP_S. now (nullable): none then. */
void dub_history_add (DubHistory *self, gint64 unix_s, const DubFigures *now);
/* {"step_s", "from", "series": {"delay_ms": [...], ...}}; (transfer full) */
JsonObject *dub_history_to_json (DubHistory *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubHistory, dub_history_free)

G_END_DECLS
