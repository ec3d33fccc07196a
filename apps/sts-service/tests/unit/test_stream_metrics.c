/* SPDX-License-Identifier: Apache-2.0 */
#include "server/metric_aliases.h"
#include "server/stream_metrics.h"

#include <string.h>

typedef struct {
  DubMetrics *metrics;
  DubStreamMetrics *streams;
} Bench;

static void
bench_init (Bench *b)
{
  b->metrics = dub_metrics_new ();
  b->streams = dub_stream_metrics_new (b->metrics);
}

static void
bench_clear (Bench *b)
{
  dub_stream_metrics_free (b->streams);
  dub_metrics_unref (b->metrics);
}

static void
expect (Bench *b, const char *line, gboolean is_there)
{
  g_autofree char *text = dub_metrics_to_text (b->metrics);

  if ((strstr (text, line) != NULL) != is_there)
    g_error ("%s \"%s\" in:\n%s", is_there ? "no" : "unwanted", line, text);
}

static void
test_one (void)
{
  Bench b;

  bench_init (&b);
  expect (&b, "sts_sessions_active 0", TRUE);
  dub_stream_metrics_join (b.streams, "a");
  dub_stream_metrics_add_in_flight (b.streams, "a", 3);
  dub_stream_metrics_add_in_flight (b.streams, "a", -1);
  dub_stream_metrics_note_result (b.streams, "a", "partial", 1.5);
  dub_stream_metrics_note_error (b.streams, "a", "asr", "TIMEOUT");
  expect (&b, "sts_sessions_active 1", TRUE);
  expect (&b, "sts_fragments_in_flight{stream_id=\"a\"} 2", TRUE);
  expect (&b,
      "sts_fragment_processing_seconds_bucket{status=\"partial\","
      "stream_id=\"a\",le=\"2\"} 1",
      TRUE);
  expect (&b,
      "sts_fragment_errors_total{stream_id=\"a\",stage=\"asr\","
      "error_code=\"TIMEOUT\"} 1",
      TRUE);
  dub_stream_metrics_leave (b.streams, "a");
  expect (&b, "stream_id=\"a\"", FALSE);
  expect (&b, "sts_sessions_active 0", TRUE);
  bench_clear (&b);
}

/* The one that goes leaves the other's figures alone. */
static void
test_two_of_one_name (void)
{
  Bench b;

  bench_init (&b);
  dub_stream_metrics_join (b.streams, "a");
  dub_stream_metrics_add_in_flight (b.streams, "a", 3);
  dub_stream_metrics_join (b.streams, "a");
  dub_stream_metrics_add_in_flight (b.streams, "a", 2);
  dub_stream_metrics_note_error (b.streams, "a", "session", "X");
  expect (&b, "sts_fragments_in_flight{stream_id=\"a\"} 5", TRUE);
  expect (&b, "sts_sessions_active 2", TRUE);
  dub_stream_metrics_add_in_flight (b.streams, "a", -3);
  dub_stream_metrics_leave (b.streams, "a");
  expect (&b, "sts_fragments_in_flight{stream_id=\"a\"} 2", TRUE);
  expect (&b, "error_code=\"X\"} 1", TRUE);
  expect (&b, "sts_sessions_active 1", TRUE);
  bench_clear (&b);
}

/* What still comes from the engines must not bring a series back. */
static void
test_late_results (void)
{
  Bench b;

  bench_init (&b);
  dub_stream_metrics_join (b.streams, "a");
  dub_stream_metrics_leave (b.streams, "a");
  dub_stream_metrics_note_result (b.streams, "a", "success", 1);
  dub_stream_metrics_note_error (b.streams, "a", "asr", "TIMEOUT");
  expect (&b, "stream_id=\"a\"", FALSE);
  dub_stream_metrics_note_error (
      b.streams, NULL, "session", "STREAM_NOT_FOUND");
  expect (&b, "error_code=\"STREAM_NOT_FOUND\"} 1", TRUE);
  bench_clear (&b);
}

/* Two connections of one stream are one stream. */
static void
test_connections (void)
{
  Bench b;

  bench_init (&b);
  expect (&b, "sts_connections_total{status=\"closed\"} 0", TRUE);
  dub_stream_metrics_opened (b.streams);
  dub_stream_metrics_opened (b.streams);
  dub_stream_metrics_join (b.streams, "a");
  dub_stream_metrics_join (b.streams, "a");
  expect (&b, "sts_connections_active 2", TRUE);
  expect (&b, "sts_streams_active 1", TRUE);
  dub_stream_metrics_leave (b.streams, "a");
  dub_stream_metrics_closed (b.streams);
  expect (&b, "sts_connections_active 1", TRUE);
  expect (&b, "sts_streams_active 1", TRUE);
  dub_stream_metrics_leave (b.streams, "a");
  expect (&b, "sts_streams_active 0", TRUE);
  expect (&b, "sts_connections_total{status=\"opened\"} 2", TRUE);
  expect (&b, "sts_connections_total{status=\"closed\"} 1", TRUE);
  bench_clear (&b);
}

static void
test_wait (void)
{
  Bench b;

  bench_init (&b);
  dub_stream_metrics_note_wait (b.streams, "nobody", 1);
  expect (&b, "wait_seconds", FALSE);
  dub_stream_metrics_join (b.streams, "a");
  dub_stream_metrics_note_wait (b.streams, "a", 0.2);
  dub_stream_metrics_note_wait (b.streams, "a", -1);
  expect (&b, "sts_fragment_wait_seconds_sum{stream_id=\"a\"} 0.2", TRUE);
  expect (&b, "sts_fragment_wait_seconds_count{stream_id=\"a\"} 2", TRUE);
  dub_stream_metrics_leave (b.streams, "a");
  expect (&b, "wait_seconds", FALSE);
  bench_clear (&b);
}

/* Each name that specification 016 has is made of what is counted. */
static void
test_aliases (void)
{
  static const char *const lines[] = {
      "\nws_connections_total{status=\"opened\"} 0\n",
      "\nws_active_connections 0\n", "\nws_active_streams 1\n",
      "\nws_fragments_processed_total{status=\"success\",stream_id=\"a\"} 1\n",
      "\nws_errors_total{stream_id=\"a\",error_code=\"TIMEOUT\"} 2\n",
      "\nws_queue_depth{stream_id=\"a\"} 0\n",
      "\nws_queue_wait_time_ms_bucket{stream_id=\"a\",le=\"250\"} 1\n",
      "\nws_batch_size 1\n"};
  Bench b;
  gsize n;
  const DubMetricAlias *aliases = dub_sts_metric_aliases (&n);
  g_autofree char *own = NULL;
  g_autofree char *text = NULL;

  bench_init (&b);
  dub_stream_metrics_join (b.streams, "a");
  dub_stream_metrics_note_result (b.streams, "a", "success", 1.5);
  dub_stream_metrics_note_wait (b.streams, "a", 0.2);
  dub_stream_metrics_note_error (b.streams, "a", "asr", "TIMEOUT");
  dub_stream_metrics_note_error (b.streams, "a", "tts", "TIMEOUT");
  own = dub_metrics_to_text (b.metrics);
  text =
      dub_metrics_merge_aliased ((const char *const[]){own, NULL}, aliases, n);
  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    if (strstr (text, lines[i]) == NULL)
      g_error ("no \"%s\" in:\n%s", lines[i], text);
  bench_clear (&b);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/stream-metrics/one", test_one);
  g_test_add_func ("/sts/stream-metrics/two-of-one-name", test_two_of_one_name);
  g_test_add_func ("/sts/stream-metrics/late-results", test_late_results);
  g_test_add_func ("/sts/stream-metrics/connections", test_connections);
  g_test_add_func ("/sts/stream-metrics/wait", test_wait);
  g_test_add_func ("/sts/stream-metrics/aliases", test_aliases);
  return g_test_run ();
}
