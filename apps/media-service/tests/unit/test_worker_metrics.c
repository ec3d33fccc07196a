/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/worker_metrics.h"

#include <string.h>

#define PREFIX "media_service_worker_"
#define SERIES(name, rest) PREFIX name "{stream_id=\"demo\"" rest "}"

/* (transfer full) */
static char *
value_of (DubWorkerMetrics *metrics, const char *series)
{
  g_autofree char *text = dub_worker_metrics_to_text (metrics);
  g_autofree char *start = g_strconcat ("\n", series, " ", NULL);
  const char *at = strstr (text, start);

  if (!at)
    g_error ("%s is not in\n%s", series, text);
  at += strlen (start);
  return g_strndup (at, strcspn (at, "\n"));
}

static void
assert_value (
    DubWorkerMetrics *metrics, const char *series, const char *expected)
{
  g_autofree char *value = value_of (metrics, series);

  g_assert_cmpstr (value, ==, expected);
}

/* A rate needs its zero, a dashboard its series. */
static void
test_zeros (void)
{
  g_autoptr (DubWorkerMetrics) metrics = dub_worker_metrics_new ("demo");

  assert_value (metrics, SERIES ("sts_inflight_fragments", ""), "0");
  assert_value (metrics, SERIES ("fallback_total", ",reason=\"timeout\""), "0");
  assert_value (
      metrics, SERIES ("pipeline_state", ",pipeline=\"output\""), "0");
  assert_value (metrics, SERIES ("info", ",version=\"" DUB_VERSION "\""), "1");
}

/* Counters of the programme are added up by their differences. */
static void
test_update (void)
{
  g_autoptr (DubWorkerMetrics) metrics = dub_worker_metrics_new ("demo");
  DubProgrammeStats stats = {.video_in = 10,
      .sound_frames_out = 48000,
      .segment_frames = 96000,
      .dubbed_frames = 48000,
      .dubs_dropped_lag = 2};
  DubPublisherStats published = {.bytes_sent = 100, .n_connections = 1};

  dub_worker_metrics_update (metrics, &stats, &published, 8001 * DUB_NS_PER_MS);
  stats.video_in = 25;
  published.bytes_sent = 150;
  dub_worker_metrics_update (metrics, &stats, &published, 8002 * DUB_NS_PER_MS);
  assert_value (metrics, SERIES ("video_frames_in_total", ""), "25");
  assert_value (metrics, SERIES ("sound_out_seconds_total", ""), "1");
  assert_value (metrics, SERIES ("dub_coverage_ratio", ""), "0.5");
  assert_value (metrics, SERIES ("output_delay_ms", ""), "8002");
  assert_value (metrics, SERIES ("output_bytes_total", ""), "150");
  assert_value (metrics, SERIES ("output_connections_total", ""), "1");
  assert_value (metrics, SERIES ("dubs_dropped_total", ",reason=\"lag\""), "2");
}

static void
test_answers (void)
{
  g_autoptr (DubWorkerMetrics) metrics = dub_worker_metrics_new ("demo");
  g_autoptr (DubFragment) fragment = dub_fragment_new (
      0, dub_pcm_new_silence (48000, 48000, 1, 0), DUB_CUT_SILENCE, 0, 0);
  g_autoptr (DubAnswer) good =
      dub_answer_new (fragment->id, DUB_ANSWER_SUCCESS);
  g_autoptr (DubAnswer) bad = dub_answer_new ("other", DUB_ANSWER_FAILED);

  bad->error_code = g_strdup ("TIMEOUT");
  dub_worker_metrics_fragment_sent (metrics, fragment);
  dub_worker_metrics_answer (metrics, good);
  dub_worker_metrics_answer (metrics, bad);
  assert_value (metrics, SERIES ("sts_fragments_sent_total", ""), "1");
  assert_value (metrics,
      SERIES ("sts_fragments_processed_total", ",status=\"success\""), "1");
  assert_value (metrics,
      SERIES ("sts_fragments_processed_total", ",status=\"failed\""), "1");
  assert_value (
      metrics, SERIES ("errors_total", ",error_type=\"sts_timeout\""), "1");
  /* Only the one that was sent has a latency. */
  assert_value (
      metrics, SERIES ("sts_processing_latency_seconds_count", ""), "1");
}

/* Each figure that a dashboard asks for follows what it is made of. */
static void
test_gauges (void)
{
  g_autoptr (DubWorkerMetrics) metrics = dub_worker_metrics_new ("demo");
  DubProgrammeStats stats = {.sound_offset_ns = -3 * DUB_NS_PER_MS,
      .segment_open_ns = DUB_NS_PER_S,
      .segments_short = 2,
      .video_keys_out = 4,
      .video_bytes_out = 5000,
      .sound_corrections = 1,
      .dubs_waiting = 3,
      .media_ns = 0};
  DubPublisherStats published = {0};
  DubProgrammeEvent started = {
      .type = DUB_EVENT_DUB_STARTED, .lag_ns = 500 * DUB_NS_PER_MS};

  dub_worker_metrics_update (metrics, &stats, &published, 8 * DUB_NS_PER_S);
  dub_worker_metrics_event (metrics, &started);
  assert_value (metrics, SERIES ("av_sync_delta_ms", ""), "3");
  assert_value (metrics, SERIES ("av_sync_delta_seconds_count", ""), "1");
  assert_value (
      metrics, SERIES ("vad_accumulator_duration_ns", ""), "1000000000");
  assert_value (metrics, SERIES ("vad_accumulator_bytes", ""), "96000");
  assert_value (metrics, SERIES ("vad_min_duration_violations_total", ""), "2");
  assert_value (
      metrics, SERIES ("segments_processed_total", ",type=\"video\""), "4");
  assert_value (
      metrics, SERIES ("segments_bytes_total", ",type=\"video\""), "5000");
  assert_value (metrics, SERIES ("av_sync_corrections_total", ""), "1");
  assert_value (metrics, SERIES ("av_buffer_audio_size", ""), "3");
  assert_value (
      metrics, SERIES ("chunk_end_to_end_latency_seconds_sum", ""), "8.5");
}

/* A loss is one error, whatever comes of it. */
static void
test_losses (void)
{
  g_autoptr (DubWorkerMetrics) metrics = dub_worker_metrics_new ("demo");

  dub_worker_metrics_set_pipeline (metrics, "input", DUB_PIPELINE_ERROR);
  dub_worker_metrics_set_pipeline (metrics, "input", DUB_PIPELINE_ERROR);
  dub_worker_metrics_set_pipeline (metrics, "input", DUB_PIPELINE_RUNNING);
  dub_worker_metrics_set_pipeline (metrics, "input", DUB_PIPELINE_ERROR);
  dub_worker_metrics_set_pipeline (metrics, "output", DUB_PIPELINE_RUNNING);
  dub_worker_metrics_set_pipeline (metrics, "output", DUB_PIPELINE_STOPPED);
  assert_value (
      metrics, SERIES ("errors_total", ",error_type=\"startup_failure\""), "1");
  assert_value (
      metrics, SERIES ("errors_total", ",error_type=\"run_loop\""), "1");
  assert_value (
      metrics, SERIES ("errors_total", ",error_type=\"output\""), "0");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/worker/metrics/zeros", test_zeros);
  g_test_add_func ("/media/worker/metrics/update", test_update);
  g_test_add_func ("/media/worker/metrics/answers", test_answers);
  g_test_add_func ("/media/worker/metrics/gauges", test_gauges);
  g_test_add_func ("/media/worker/metrics/losses", test_losses);
  return g_test_run ();
}
