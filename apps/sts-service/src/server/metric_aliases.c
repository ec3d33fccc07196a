/* SPDX-License-Identifier: Apache-2.0 */
#include "metric_aliases.h"

#define STAGE(stage_name, family)                                              \
  {                                                                            \
    .name = "ws_fragment_processing_ms", .from = (family),                     \
    .help = "Time of each stage", .scale = 1e3, .add_label = "stage",          \
    .add_value = (stage_name)                                                  \
  }

static const DubMetricAlias aliases[] = {
    {.name = "ws_connections_total", .from = "sts_connections_total"},
    {.name = "ws_active_connections", .from = "sts_connections_active"},
    {.name = "ws_active_streams", .from = "sts_streams_active"},
    {.name = "ws_fragments_processed_total",
        .from = "sts_fragment_processing_seconds",
        .help = "Fragments that were answered",
        .only_suffix = "_count"},
    {.name = "ws_errors_total",
        .from = "sts_fragment_errors_total",
        .drop_label = "stage"},
    {.name = "ws_queue_depth", .from = "sts_fragments_in_flight"},
    {.name = "ws_queue_wait_time_ms",
        .from = "sts_fragment_wait_seconds",
        .scale = 1e3},
    {.name = "ws_gpu_utilization_percent",
        .from = "sts_gpu_utilization_percent"},
    {.name = "ws_batch_size", .from = "sts_batch_size"},
    STAGE ("asr", "sts_asr_duration_seconds"),
    STAGE ("translation", "sts_translation_duration_seconds"),
    STAGE ("tts", "sts_tts_duration_seconds"),
};

const DubMetricAlias *
dub_sts_metric_aliases (gsize *ret_n)
{
  *ret_n = G_N_ELEMENTS (aliases);
  return aliases;
}
