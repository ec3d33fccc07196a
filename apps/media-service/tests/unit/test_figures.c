/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/figures.h"

#include <math.h>
#include <string.h>

#define M "media_service_worker_"

static const char exposition[] =
    "# HELP " M "output_delay_ms x\n"
    "# TYPE " M "output_delay_ms gauge\n" M
    "output_delay_ms{stream_id=\"a\"} 8001.5\n" M
    "dub_coverage_ratio{stream_id=\"a\"} 0.75\n" M
    "circuit_breaker_state{stream_id=\"a\"} 1\n" M
    "fallback_total{stream_id=\"a\",reason=\"timeout\"} 2\n" M
    "fallback_total{stream_id=\"a\",reason=\"a } b\"} 3\n" M
    "sts_fragments_sent_total{stream_id=\"a\"} 1e3\n" M
    "sts_processing_latency_seconds_bucket{stream_id=\"a\",le=\"1\"} 9\n" M
    "sts_processing_latency_seconds_sum{stream_id=\"a\"} 4.5\n" M
    "sts_processing_latency_seconds_count{stream_id=\"a\"} 3\n"
    "other_total 7\n" M "output_delay_ms_other 9";

static void
test_read (void)
{
  DubFigures figures;

  dub_figures_init (&figures);
  dub_figures_update (&figures, exposition);
  g_assert_cmpfloat (figures.values[DUB_FIGURE_OUTPUT_DELAY_MS], ==, 8001.5);
  g_assert_cmpfloat (figures.values[DUB_FIGURE_COVERAGE], ==, 0.75);
  g_assert_cmpfloat (figures.values[DUB_FIGURE_BREAKER], ==, 1);
  g_assert_cmpfloat (figures.values[DUB_FIGURE_FALLBACKS], ==, 5);
  g_assert_cmpfloat (figures.values[DUB_FIGURE_FRAGMENTS_SENT], ==, 1000);
  g_assert_cmpfloat (figures.values[DUB_FIGURE_STS_RTT_MS], ==, 1500);
  g_assert_true (isnan (figures.values[DUB_FIGURE_AV_SYNC_MS]));
}

/* The round trip is that of the last answers, not of the whole life. */
static void
test_round_trip (void)
{
  DubFigures figures;
  const char *more = M "sts_processing_latency_seconds_sum{s=\"a\"} 5.0\n" M
                       "sts_processing_latency_seconds_count{s=\"a\"} 5\n";
  const char *anew = M "sts_processing_latency_seconds_sum{s=\"a\"} 0.3\n" M
                       "sts_processing_latency_seconds_count{s=\"a\"} 1\n";

  dub_figures_init (&figures);
  dub_figures_update (&figures, exposition);
  dub_figures_update (&figures, more);
  g_assert_cmpfloat_with_epsilon (
      figures.values[DUB_FIGURE_STS_RTT_MS], 250, 0.001);
  dub_figures_update (&figures, more); /* no answer since */
  g_assert_cmpfloat_with_epsilon (
      figures.values[DUB_FIGURE_STS_RTT_MS], 250, 0.001);
  dub_figures_update (&figures, anew); /* another worker */
  g_assert_cmpfloat_with_epsilon (
      figures.values[DUB_FIGURE_STS_RTT_MS], 300, 0.001);
}

static void
test_json (void)
{
  DubFigures figures;
  g_autoptr (JsonObject) object = NULL;

  dub_figures_init (&figures);
  dub_figures_update (&figures, exposition);
  object = dub_figures_to_json (&figures);
  g_assert_cmpuint (json_object_get_size (object), ==, DUB_N_FIGURES);
  g_assert_cmpstr (
      json_object_get_string_member (object, "breaker"), ==, "half-open");
  g_assert_cmpint (json_object_get_int_member (object, "fallbacks"), ==, 5);
  g_assert_true (json_object_get_null_member (object, "av_sync_ms"));
}

static void
test_garbage (void)
{
  static const char *const texts[] = {"", "\n\n", M, M "\n",
      M "output_delay_ms", M "output_delay_ms{", M "output_delay_ms nan\n"};

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
    DubFigures figures;
    g_autoptr (JsonObject) object = NULL;

    dub_figures_init (&figures);
    dub_figures_update (&figures, texts[i]);
    object = dub_figures_to_json (&figures);
    g_assert_true (json_object_get_null_member (object, "output_delay_ms"));
  }
}

/* The last 15 minutes, and no more. */
static void
test_history (void)
{
  g_autoptr (DubHistory) history = dub_history_new ();
  g_autoptr (JsonObject) object = NULL;
  JsonArray *delays;
  DubFigures figures;

  dub_figures_init (&figures);
  for (int i = 0; i < 200; i++) {
    figures.values[DUB_FIGURE_OUTPUT_DELAY_MS] = i;
    dub_history_add (history, 1000 + 5 * i, i == 199 ? NULL : &figures);
  }
  object = dub_history_to_json (history);
  delays = json_object_get_array_member (
      json_object_get_object_member (object, "series"), "delay_ms");
  g_assert_cmpint (json_object_get_int_member (object, "step_s"), ==, 5);
  g_assert_cmpint (
      json_object_get_int_member (object, "from"), ==, 1000 + 5 * 20);
  g_assert_cmpuint (json_array_get_length (delays), ==, DUB_HISTORY_STEPS);
  g_assert_cmpfloat (json_array_get_double_element (delays, 0), ==, 20);
  g_assert_true (json_array_get_null_element (delays, 179));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/figures/read", test_read);
  g_test_add_func ("/media/figures/round-trip", test_round_trip);
  g_test_add_func ("/media/figures/json", test_json);
  g_test_add_func ("/media/figures/garbage", test_garbage);
  g_test_add_func ("/media/figures/history", test_history);
  return g_test_run ();
}
