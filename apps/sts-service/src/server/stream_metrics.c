/* SPDX-License-Identifier: Apache-2.0 */
#include "stream_metrics.h"

typedef struct {
  guint connections;
  guint in_flight;
} Stream;

struct _DubStreamMetrics {
  DubMetrics *metrics;
  DubMetric *processing_seconds; /* status, stream_id */
  DubMetric *in_flight;          /* stream_id */
  DubMetric *errors_total;       /* stream_id, stage, error_code */
  DubMetric *wait_seconds;       /* stream_id */
  DubMetric *sessions_active;
  DubMetric *streams_active;
  DubMetric *connections_active;
  DubMetric *connections_total; /* status */
  GHashTable *streams;          /* stream_id → Stream */
};

static void
make_connections (DubStreamMetrics *self, DubMetrics *metrics)
{
  static const char *const status[] = {"status", NULL};
  static const char *const opened[] = {"opened", NULL};
  static const char *const closed[] = {"closed", NULL};

  self->connections_total = dub_metrics_counter (
      metrics, "sts_connections_total", "Connections of clients", status);
  self->connections_active = dub_metrics_gauge (
      metrics, "sts_connections_active", "Connections that are open", NULL);
  self->streams_active = dub_metrics_gauge (
      metrics, "sts_streams_active", "Streams that have a connection", NULL);
  dub_metric_add (self->connections_total, opened, 0);
  dub_metric_add (self->connections_total, closed, 0);
  dub_metric_set (self->connections_active, NULL, 0);
  dub_metric_set (self->streams_active, NULL, 0);
  /* Fragments are worked on one by one, as they come. */
  dub_metric_set (dub_metrics_gauge (metrics, "sts_batch_size",
                      "Fragments that an engine takes at once", NULL),
      NULL, 1);
}

DubStreamMetrics *
dub_stream_metrics_new (DubMetrics *metrics)
{
  static const double seconds[] = {0.5, 1, 2, 4, 8, 16};
  static const double waits[] = {0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8};
  static const char *const status_stream[] = {"status", "stream_id", NULL};
  static const char *const stream[] = {"stream_id", NULL};
  static const char *const errors[] = {
      "stream_id", "stage", "error_code", NULL};
  DubStreamMetrics *self = g_new0 (DubStreamMetrics, 1);

  self->metrics = dub_metrics_ref (metrics);
  self->streams =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->processing_seconds =
      dub_metrics_histogram (metrics, "sts_fragment_processing_seconds",
          "Time from a fragment's acceptance to its result", status_stream,
          seconds, G_N_ELEMENTS (seconds));
  self->in_flight = dub_metrics_gauge (metrics, "sts_fragments_in_flight",
      "Fragments accepted and not yet answered", stream);
  self->errors_total =
      dub_metrics_counter (metrics, "sts_fragment_errors_total",
          "Fragments that failed, and events that were refused (stage session)",
          errors);
  self->sessions_active = dub_metrics_gauge (
      metrics, "sts_sessions_active", "Connections with a stream", NULL);
  self->wait_seconds =
      dub_metrics_histogram (metrics, "sts_fragment_wait_seconds",
          "Time from acceptance to result that no stage had the fragment",
          stream, waits, G_N_ELEMENTS (waits));
  dub_metric_set (self->sessions_active, NULL, 0);
  make_connections (self, metrics);
  return self;
}

void
dub_stream_metrics_free (DubStreamMetrics *self)
{
  if (self == NULL)
    return;
  g_hash_table_unref (self->streams);
  dub_metrics_unref (self->metrics);
  g_free (self);
}

static void
tell_in_flight (DubStreamMetrics *self, const char *stream_id)
{
  const Stream *stream = g_hash_table_lookup (self->streams, stream_id);
  const char *const values[] = {stream_id, NULL};

  dub_metric_set (self->in_flight, values, stream->in_flight);
}

void
dub_stream_metrics_opened (DubStreamMetrics *self)
{
  static const char *const values[] = {"opened", NULL};

  dub_metric_add (self->connections_total, values, 1);
  dub_metric_add (self->connections_active, NULL, 1);
}

void
dub_stream_metrics_closed (DubStreamMetrics *self)
{
  static const char *const values[] = {"closed", NULL};

  dub_metric_add (self->connections_total, values, 1);
  dub_metric_add (self->connections_active, NULL, -1);
}

static void
tell_streams (DubStreamMetrics *self)
{
  dub_metric_set (
      self->streams_active, NULL, g_hash_table_size (self->streams));
}

void
dub_stream_metrics_join (DubStreamMetrics *self, const char *stream_id)
{
  Stream *stream = g_hash_table_lookup (self->streams, stream_id);

  if (stream == NULL) {
    stream = g_new0 (Stream, 1);
    g_hash_table_insert (self->streams, g_strdup (stream_id), stream);
  }
  stream->connections++;
  dub_metric_add (self->sessions_active, NULL, 1);
  tell_streams (self);
  tell_in_flight (self, stream_id);
}

void
dub_stream_metrics_leave (DubStreamMetrics *self, const char *stream_id)
{
  Stream *stream = g_hash_table_lookup (self->streams, stream_id);

  g_return_if_fail (stream != NULL);
  dub_metric_add (self->sessions_active, NULL, -1);
  if (--stream->connections > 0)
    return;
  dub_metrics_remove (self->metrics, "stream_id", stream_id);
  g_hash_table_remove (self->streams, stream_id);
  tell_streams (self);
}

void
dub_stream_metrics_add_in_flight (
    DubStreamMetrics *self, const char *stream_id, int change)
{
  Stream *stream = g_hash_table_lookup (self->streams, stream_id);

  g_return_if_fail (stream != NULL);
  stream->in_flight += (guint) change;
  tell_in_flight (self, stream_id);
}

void
dub_stream_metrics_note_result (DubStreamMetrics *self, const char *stream_id,
    const char *status, double seconds)
{
  const char *const values[] = {status, stream_id, NULL};

  if (g_hash_table_contains (self->streams, stream_id))
    dub_metric_observe (self->processing_seconds, values, seconds);
}

void
dub_stream_metrics_note_wait (
    DubStreamMetrics *self, const char *stream_id, double seconds)
{
  const char *const values[] = {stream_id, NULL};

  if (g_hash_table_contains (self->streams, stream_id))
    dub_metric_observe (self->wait_seconds, values, MAX (seconds, 0));
}

void
dub_stream_metrics_note_error (DubStreamMetrics *self, const char *stream_id,
    const char *stage, const char *code)
{
  const char *const values[] = {stream_id != NULL ? stream_id : "",
      stage != NULL ? stage : "", code != NULL ? code : "", NULL};

  if (stream_id == NULL || g_hash_table_contains (self->streams, stream_id))
    dub_metric_add (self->errors_total, values, 1);
}
