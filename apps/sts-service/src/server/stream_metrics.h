/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/metrics.h>

/*
 * What is counted of streams, for /metrics. Two connections may carry the
 * same stream id (a worker that comes back before its old connection is
 * known to be lost): their figures add up, and the series go when the last
 * one has left.
 *
 * Main thread only.
 */
G_BEGIN_DECLS

typedef struct _DubStreamMetrics DubStreamMetrics;

DubStreamMetrics *dub_stream_metrics_new (DubMetrics *metrics);
void dub_stream_metrics_free (DubStreamMetrics *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubStreamMetrics, dub_stream_metrics_free)

/* A client's connection, whether it has a stream or not. */
void dub_stream_metrics_opened (DubStreamMetrics *self);
void dub_stream_metrics_closed (DubStreamMetrics *self);
/* A connection has this stream, until it leaves. */
void dub_stream_metrics_join (DubStreamMetrics *self, const char *stream_id);
void dub_stream_metrics_leave (DubStreamMetrics *self, const char *stream_id);

/* change: of one connection's fragments in flight. */
void dub_stream_metrics_add_in_flight (
    DubStreamMetrics *self, const char *stream_id, int change);
/* Nothing of a stream that nobody has any more. */
void dub_stream_metrics_note_result (DubStreamMetrics *self,
    const char *stream_id, const char *status, double seconds);
/* seconds: outside of the stages */
void dub_stream_metrics_note_wait (
    DubStreamMetrics *self, const char *stream_id, double seconds);
/* stream_id: (nullable), before there is one; stage, code: (nullable) */
void dub_stream_metrics_note_error (DubStreamMetrics *self,
    const char *stream_id, const char *stage, const char *code);

G_END_DECLS
