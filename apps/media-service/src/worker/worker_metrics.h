/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../programme/programme.h"
#include "../publish/publisher.h"

/*
 * The worker's Prometheus families, prefix media_service_worker_, label
 * stream_id everywhere, and language where a stream has several. Fed by what
 * happens (events, fragments, answers) and, each second, by the counters of
 * programme and publisher.
 *
 * Main thread only.
 */
G_BEGIN_DECLS

typedef struct _DubWorkerMetrics DubWorkerMetrics;

typedef enum {
  DUB_PIPELINE_STOPPED = 0,
  DUB_PIPELINE_RUNNING = 1,
  DUB_PIPELINE_ERROR = 2,
} DubPipelineState;

DubWorkerMetrics *dub_worker_metrics_new (const char *stream_id);
/* One of several languages: each series has a label language. Only the first
 * one's metrics say what the process uses. language: (nullable) */
DubWorkerMetrics *dub_worker_metrics_new_for_language (
    const char *stream_id, const char *language, gboolean is_first);
void dub_worker_metrics_free (DubWorkerMetrics *self);

/* pipeline: "input" or "output" */
void dub_worker_metrics_set_pipeline (
    DubWorkerMetrics *self, const char *pipeline, DubPipelineState state);
void dub_worker_metrics_fragment_sent (
    DubWorkerMetrics *self, const DubFragment *fragment);
void dub_worker_metrics_answer (
    DubWorkerMetrics *self, const DubAnswer *answer);
void dub_worker_metrics_event (
    DubWorkerMetrics *self, const DubProgrammeEvent *event);
void dub_worker_metrics_error (DubWorkerMetrics *self, const char *error_type);
void dub_worker_metrics_set_link (
    DubWorkerMetrics *self, gboolean is_ready, guint reconnects);
/* action: "slow_down", "pause" or "none" */
void dub_worker_metrics_backpressure (
    DubWorkerMetrics *self, const char *action);
/* So far. */
void dub_worker_metrics_capture (
    DubWorkerMetrics *self, guint64 written, guint64 lost);
void dub_worker_metrics_update (DubWorkerMetrics *self,
    const DubProgrammeStats *stats, const DubPublisherStats *published,
    gint64 delay_ns);

/* The exposition. (transfer full) */
char *dub_worker_metrics_to_text (DubWorkerMetrics *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubWorkerMetrics, dub_worker_metrics_free)

G_END_DECLS
