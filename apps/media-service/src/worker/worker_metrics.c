/* SPDX-License-Identifier: Apache-2.0 */
#include "worker_metrics.h"

#include <dubbing_common/metrics.h>
#include <media_service/gst_bus.h>
#include <sys/resource.h>
#include <unistd.h>

#define PREFIX "media_service_worker_"

/* A counter of the programme, exposed as one series. */
typedef struct {
  const char *name;
  const char *label_value; /* of the family's second label, or NULL */
  gsize offset;            /* guint64 in DubProgrammeStats */
  double scale;
} Counter;

#define STAT(field) G_STRUCT_OFFSET (DubProgrammeStats, field)
#define PER_FRAME (1.0 / DUB_PROGRAMME_RATE_HZ)

static const Counter counters[] = {
    {"video_frames_in_total", NULL, STAT (video_in), 1},
    {"video_frames_out_total", NULL, STAT (video_out), 1},
    {"video_frames_repeated_total", NULL, STAT (video_repeated), 1},
    {"video_frames_dropped_total", "late", STAT (video_dropped_late), 1},
    {"video_frames_dropped_total", "early", STAT (video_dropped_early), 1},
    {"video_frames_dropped_total", "key_wait", STAT (video_dropped_key_wait),
        1},
    {"video_frames_dropped_total", "full", STAT (video_dropped_full), 1},
    {"video_frames_dropped_total", "invalid", STAT (video_dropped_invalid), 1},
    {"sound_in_seconds_total", NULL, STAT (sound_frames_in), PER_FRAME},
    {"sound_out_seconds_total", NULL, STAT (sound_frames_out), PER_FRAME},
    {"sound_silent_seconds_total", NULL, STAT (sound_frames_silent), PER_FRAME},
    {"sound_dropped_seconds_total", NULL, STAT (sound_frames_dropped),
        PER_FRAME},
    {"sound_gaps_total", NULL, STAT (sound_gaps), 1},
    {"sound_overlaps_total", NULL, STAT (sound_overlaps), 1},
    {"epochs_total", NULL, STAT (epochs), 1},
    {"source_holds_total", NULL, STAT (holds), 1},
    {"speech_seconds_total", NULL, STAT (segment_frames), PER_FRAME},
    {"dubbed_seconds_total", NULL, STAT (dubbed_frames), PER_FRAME},
    {"dubs_heard_total", NULL, STAT (dubs_heard), 1},
    {"dubs_dropped_total", "lag", STAT (dubs_dropped_lag), 1},
    {"dubs_dropped_total", "other", STAT (dubs_dropped_other), 1},
    {"fallback_total", "timeout", STAT (fallback_timeout), 1},
    {"fallback_total", "error", STAT (fallback_failed), 1},
    {"fallback_total", "overload", STAT (fallback_overload), 1},
    {"fallback_total", "disconnected", STAT (fallback_disconnected), 1},
    {"fallback_total", "not_ready", STAT (fallback_not_ready), 1},
    {"fallback_total", "gone", STAT (fallback_gone), 1},
    {"fallback_total", "breaker_open", STAT (fallback_breaker), 1},
    {"circuit_breaker_fallbacks_total", NULL, STAT (fallback_breaker), 1},
    {"circuit_breaker_failures_total", NULL, STAT (breaker_failures), 1},
    {"circuit_breaker_transitions_total", NULL, STAT (breaker_transitions), 1},
    {"vad_segments_total", "silence", STAT (segments_silence), 1},
    {"vad_segments_total", "max_duration", STAT (segments_max), 1},
    {"vad_segments_total", "memory_limit", STAT (segments_memory), 1},
    {"vad_segments_total", "eos", STAT (segments_eos), 1},
    {"vad_silence_detections_total", NULL, STAT (segments_silence), 1},
    {"vad_forced_emissions_total", NULL, STAT (segments_max), 1},
    {"vad_memory_limit_emissions_total", NULL, STAT (segments_memory), 1},
    {"vad_min_duration_violations_total", NULL, STAT (segments_short), 1},
    {"segments_processed_total", "video", STAT (video_keys_out), 1},
    {"segments_bytes_total", "video", STAT (video_bytes_out), 1},
    {"av_sync_corrections_total", NULL, STAT (sound_corrections), 1},
    {"errors_total", "video_processing", STAT (video_dropped_invalid), 1},
};

typedef struct {
  const char *name;
  const char *second_label;
  const char *help;
} Family;

static const Family families[] = {
    {"video_frames_in_total", NULL, "Coded pictures taken in"},
    {"video_frames_out_total", NULL, "Coded pictures handed to the output"},
    {"video_frames_repeated_total", NULL,
        "Key frames repeated while the source was lost"},
    {"video_frames_dropped_total", "reason", "Coded pictures not sent"},
    {"capture_files_total", NULL, "Files of segments kept on disk"},
    {"capture_lost_total", NULL,
        "Files, segments and answers that were not kept: the disk failed or "
        "was too slow"},
    {"sound_in_seconds_total", NULL, "Original sound taken in"},
    {"sound_out_seconds_total", NULL, "Sound handed to the output"},
    {"sound_silent_seconds_total", NULL,
        "Silence put out where there was no original"},
    {"sound_dropped_seconds_total", NULL, "Original sound not used"},
    {"sound_gaps_total", NULL, "Holes in the source's sound"},
    {"sound_overlaps_total", NULL, "Overlaps in the source's sound"},
    {"epochs_total", NULL, "Jumps and restarts of the source's clock"},
    {"source_holds_total", NULL, "Times the buffer ran empty"},
    {"speech_seconds_total", NULL, "Speech cut into segments"},
    {"dubbed_seconds_total", NULL, "Speech whose dub was heard"},
    {"dubs_heard_total", NULL, "Dubbed segments heard whole"},
    {"dubs_dropped_total", "reason", "Dubbed segments not heard"},
    {"fallback_total", "reason", "Segments whose slot kept the original"},
    {"circuit_breaker_fallbacks_total", NULL,
        "Segments kept from a service that fails"},
    {"circuit_breaker_failures_total", NULL, "Failures that count for it"},
    {"circuit_breaker_transitions_total", NULL, "Its changes of state"},
    {"backpressure_events_total", "action", "What the service asked for"},
    {"vad_segments_total", "trigger", "Speech segments by what cut them"},
    {"vad_silence_detections_total", NULL, "Segments cut by a pause"},
    {"vad_forced_emissions_total", NULL, "Segments cut by their length"},
    {"vad_memory_limit_emissions_total", NULL, "Segments cut by memory"},
    {"sts_fragments_sent_total", NULL, "Fragments sent to the service"},
    {"sts_fragments_processed_total", "status", "Answers of the service"},
    {"vad_min_duration_violations_total", NULL,
        "Segments whose speech was too short, and that were widened"},
    {"segments_processed_total", "type",
        "Speech segments (audio), groups of pictures that left (video)"},
    {"segments_bytes_total", "type", "Bytes of those"},
    {"av_sync_corrections_total", NULL,
        "Times the sound was moved to its pictures"},
    {"gst_bus_errors_total", "error_type", "Errors that GStreamer told"},
    {"gst_bus_warnings_total", NULL, "Warnings that GStreamer told"},
    {"errors_total", "error_type", "Errors"},
    {"output_bytes_total", NULL, "Bytes given to the output's socket"},
    {"sts_reconnections_total", NULL, "Returns of the speech service"},
    {"cpu_seconds_total", NULL, "User and system time of the worker"},
    {"output_connections_total", NULL, "Connections made to the output"},
};

static const Family gauges[] = {
    {"output_delay_ms", NULL, "Arrival to departure of the last picture"},
    {"dub_coverage_ratio", NULL, "Dubbed seconds of all speech seconds"},
    {"sts_inflight_fragments", NULL, "Fragments at the service"},
    {"circuit_breaker_state", NULL, "0 closed, 1 half-open, 2 open"},
    {"av_buffer_video_size", NULL, "Pictures in the delay"},
    {"av_buffer_video_bytes", NULL, "Their bytes"},
    {"video_queue_ms", NULL, "Pictures in the delay, as time"},
    {"audio_queue_ms", NULL, "Sound in the delay, as time"},
    {"output_waiting_ms", NULL, "Stream the output's socket has not taken"},
    {"dubs_waiting", NULL, "Dubbed segments that wait for their time"},
    {"av_buffer_audio_size", NULL, "Dubbed segments that wait for their time"},
    {"av_sync_delta_ms", NULL,
        "How far the original's sound is from its pictures"},
    {"vad_accumulator_duration_ns", NULL,
        "Length of the segment that is being collected"},
    {"vad_accumulator_bytes", NULL, "Its sound"},
    {"sts_connected", NULL, "1 while the speech service is ready"},
    {"resident_memory_bytes", NULL, "Resident memory of the worker"},
    {"source_lost", NULL, "1 while there is no source"},
    {"pipeline_state", "pipeline", "0 stopped, 1 running, 2 error"},
    {"info", "version", "1"},
};

static const double latency_bounds[] = {.5, 1, 2, 3, 4, 5, 6, 8, 10, 15};
static const double rtt_bounds[] = {.05, .1, .25, .5, 1, 2, 4, 8};
static const double whole_bounds[] = {3, 4, 5, 6, 8, 10, 12, 15, 20, 30};
static const double sync_bounds[] = {
    .001, .005, .01, .02, .04, .08, .12, .2, .5};
static const double segment_bounds[] = {1, 2, 3, 4, 5, 6, 8, 10, 12, 15};

struct _DubWorkerMetrics {
  DubMetrics *registry;
  char *stream_id;
  gboolean is_first;   /* of the stream's languages */
  GHashTable *by_name; /* of DubMetric */
  GHashTable *sent_ns; /* fragment id -> gint64 *, bounded by in flight */
  DubProgrammeStats last;
  guint64 last_bytes;
  guint last_connections;
  guint last_reconnects;
  guint64 last_capture_written, last_capture_lost;
  DubBusCounts last_bus;
  DubPipelineState input, output; /* as they were told */
  gboolean has_run;               /* the input has */
  double delay_s;                 /* of what left last */
  double last_cpu_s;
};

static void
add_families (DubWorkerMetrics *self, const Family *list, gsize n,
    DubMetric *(*make) (
        DubMetrics *, const char *, const char *, const char *const *) )
{
  for (gsize i = 0; i < n; i++) {
    const char *labels[] = {"stream_id", list[i].second_label, NULL};
    g_autofree char *name = g_strconcat (PREFIX, list[i].name, NULL);

    g_hash_table_insert (self->by_name, (gpointer) list[i].name,
        make (self->registry, name, list[i].help, labels));
  }
}

static void
add_histogram (DubWorkerMetrics *self, const char *name, const char *help,
    const double *bounds, gsize n)
{
  static const char *const labels[] = {"stream_id", NULL};
  g_autofree char *full = g_strconcat (PREFIX, name, NULL);

  g_hash_table_insert (self->by_name, (gpointer) name,
      dub_metrics_histogram (self->registry, full, help, labels, bounds, n));
}

static void
add (
    DubWorkerMetrics *self, const char *name, const char *second, double amount)
{
  const char *values[] = {self->stream_id, second, NULL};

  dub_metric_add (g_hash_table_lookup (self->by_name, name), values, amount);
}

static void
set (DubWorkerMetrics *self, const char *name, const char *second, double value)
{
  const char *values[] = {self->stream_id, second, NULL};

  dub_metric_set (g_hash_table_lookup (self->by_name, name), values, value);
}

static void
observe (DubWorkerMetrics *self, const char *name, double value)
{
  const char *values[] = {self->stream_id, NULL};

  dub_metric_observe (g_hash_table_lookup (self->by_name, name), values, value);
}

/* Besides those of the speech service, sts_<code>. */
static const char *const error_types[] = {"startup_failure", "video_processing",
    "audio_processing", "output", "run_loop", "vad_fatal"};

/* Every series is there from the start: a rate needs its zero. */
static void
add_zeros (DubWorkerMetrics *self)
{
  for (gsize i = 0; i < G_N_ELEMENTS (counters); i++)
    add (self, counters[i].name, counters[i].label_value, 0);
  add (self, "sts_fragments_sent_total", NULL, 0);
  add (self, "sts_fragments_processed_total", "success", 0);
  add (self, "sts_fragments_processed_total", "partial", 0);
  add (self, "sts_fragments_processed_total", "failed", 0);
  set (self, "sts_inflight_fragments", NULL, 0);
  set (self, "circuit_breaker_state", NULL, 0);
  add (self, "backpressure_events_total", "none", 0);
  add (self, "backpressure_events_total", "slow_down", 0);
  add (self, "backpressure_events_total", "pause", 0);
  set (self, "sts_connected", NULL, 0);
  add (self, "sts_reconnections_total", NULL, 0);
  set (self, "pipeline_state", "input", 0);
  set (self, "pipeline_state", "output", 0);
  set (self, "info", DUB_VERSION, 1);
  add (self, "segments_processed_total", "audio", 0);
  add (self, "segments_bytes_total", "audio", 0);
  add (self, "gst_bus_warnings_total", NULL, 0);
  add (self, "capture_files_total", NULL, 0);
  add (self, "capture_lost_total", NULL, 0);
  for (guint i = 0; i < DUB_BUS_N_ERRORS; i++)
    add (self, "gst_bus_errors_total", dub_bus_error_to_string (i), 0);
  for (gsize i = 0; i < G_N_ELEMENTS (error_types); i++)
    add (self, "errors_total", error_types[i], 0);
}

DubWorkerMetrics *
dub_worker_metrics_new (const char *stream_id)
{
  return dub_worker_metrics_new_for_language (stream_id, NULL, TRUE);
}

DubWorkerMetrics *
dub_worker_metrics_new_for_language (
    const char *stream_id, const char *language, gboolean is_first)
{
  DubWorkerMetrics *self = g_new0 (DubWorkerMetrics, 1);

  self->registry = dub_metrics_new ();
  if (language)
    dub_metrics_set_common_label (self->registry, "language", language);
  self->is_first = is_first;
  self->stream_id = g_strdup (stream_id);
  self->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  self->sent_ns =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  add_families (self, families, G_N_ELEMENTS (families), dub_metrics_counter);
  add_families (self, gauges, G_N_ELEMENTS (gauges), dub_metrics_gauge);
  add_histogram (self, "sts_processing_latency_seconds",
      "From sending a fragment to its answer", latency_bounds,
      G_N_ELEMENTS (latency_bounds));
  add_histogram (self, "vad_segment_duration_seconds",
      "Length of the speech segments", segment_bounds,
      G_N_ELEMENTS (segment_bounds));
  add_histogram (self, "sts_rtt_seconds",
      "From sending a fragment to its answer, in finer steps", rtt_bounds,
      G_N_ELEMENTS (rtt_bounds));
  add_histogram (self, "chunk_end_to_end_latency_seconds",
      "From the arrival of a segment to its dub's departure", whole_bounds,
      G_N_ELEMENTS (whole_bounds));
  add_histogram (self, "av_sync_delta_seconds",
      "How far the original's sound is from its pictures, each second",
      sync_bounds, G_N_ELEMENTS (sync_bounds));
  add_zeros (self);
  return self;
}

void
dub_worker_metrics_free (DubWorkerMetrics *self)
{
  if (!self)
    return;
  g_hash_table_unref (self->by_name);
  g_hash_table_unref (self->sent_ns);
  dub_metrics_unref (self->registry);
  g_free (self->stream_id);
  g_free (self);
}

/* One loss is one error, however often it is tried again. */
static void
note_pipeline (DubWorkerMetrics *self, DubPipelineState *last,
    DubPipelineState state, const char *error_type)
{
  if (state == DUB_PIPELINE_ERROR && *last != DUB_PIPELINE_ERROR)
    add (self, "errors_total", error_type, 1);
  *last = state;
}

void
dub_worker_metrics_set_pipeline (
    DubWorkerMetrics *self, const char *pipeline, DubPipelineState state)
{
  set (self, "pipeline_state", pipeline, state);
  if (g_str_equal (pipeline, "output")) {
    note_pipeline (self, &self->output, state, "output");
    return;
  }
  self->has_run = self->has_run || state == DUB_PIPELINE_RUNNING;
  note_pipeline (self, &self->input, state,
      self->has_run ? "run_loop" : "startup_failure");
}

void
dub_worker_metrics_error (DubWorkerMetrics *self, const char *error_type)
{
  add (self, "errors_total", error_type, 1);
}

void
dub_worker_metrics_fragment_sent (
    DubWorkerMetrics *self, const DubFragment *fragment)
{
  gint64 now_ns = g_get_monotonic_time () * 1000;

  add (self, "sts_fragments_sent_total", NULL, 1);
  g_hash_table_replace (self->sent_ns, g_strdup (fragment->id),
      g_memdup2 (&now_ns, sizeof now_ns));
}

static const char *
status_name (DubAnswerStatus status)
{
  return status == DUB_ANSWER_SUCCESS   ? "success"
         : status == DUB_ANSWER_PARTIAL ? "partial"
                                        : "failed";
}

void
dub_worker_metrics_answer (DubWorkerMetrics *self, const DubAnswer *answer)
{
  const gint64 *sent_ns =
      g_hash_table_lookup (self->sent_ns, answer->fragment_id);
  double rtt_s;

  add (self, "sts_fragments_processed_total", status_name (answer->status), 1);
  if (answer->status == DUB_ANSWER_FAILED && answer->error_code) {
    g_autofree char *lower = g_ascii_strdown (answer->error_code, 32);
    g_autofree char *type = g_strconcat ("sts_", lower, NULL);

    dub_worker_metrics_error (self, type);
  }
  if (!sent_ns)
    return;
  rtt_s = (double) (g_get_monotonic_time () * 1000 - *sent_ns) / 1e9;
  observe (self, "sts_processing_latency_seconds", rtt_s);
  observe (self, "sts_rtt_seconds", rtt_s);
  g_hash_table_remove (self->sent_ns, answer->fragment_id);
}

void
dub_worker_metrics_event (
    DubWorkerMetrics *self, const DubProgrammeEvent *event)
{
  if (event->type == DUB_EVENT_SEGMENT) {
    observe (self, "vad_segment_duration_seconds",
        (double) event->duration_ns / 1e9);
    add (self, "segments_processed_total", "audio", 1);
    if (event->fragment)
      add (self, "segments_bytes_total", "audio",
          (double) (event->fragment->pcm->frames *
                    event->fragment->pcm->channels * sizeof (gint16)));
  }
  if (event->type == DUB_EVENT_DUB_STARTED && self->delay_s > 0)
    observe (self, "chunk_end_to_end_latency_seconds",
        self->delay_s + (double) MAX (event->lag_ns, 0) / 1e9);
  if (event->type == DUB_EVENT_FALLBACK && event->fragment_id)
    g_hash_table_remove (self->sent_ns, event->fragment_id);
}

void
dub_worker_metrics_set_link (
    DubWorkerMetrics *self, gboolean is_ready, guint reconnects)
{
  set (self, "sts_connected", NULL, is_ready ? 1 : 0);
  if (reconnects > self->last_reconnects)
    add (self, "sts_reconnections_total", NULL,
        reconnects - self->last_reconnects);
  self->last_reconnects = reconnects;
}

void
dub_worker_metrics_backpressure (DubWorkerMetrics *self, const char *action)
{
  add (self, "backpressure_events_total", action, 1);
}

void
dub_worker_metrics_capture (
    DubWorkerMetrics *self, guint64 written, guint64 lost)
{
  add (self, "capture_files_total", NULL,
      (double) (written - self->last_capture_written));
  add (self, "capture_lost_total", NULL,
      (double) (lost - self->last_capture_lost));
  self->last_capture_written = written;
  self->last_capture_lost = lost;
}

static double
to_seconds (const struct timeval *time)
{
  return (double) time->tv_sec + (double) time->tv_usec / 1e6;
}

static void
measure_process (DubWorkerMetrics *self)
{
  g_autofree char *statm = NULL;
  g_auto (GStrv) pages = NULL;
  struct rusage usage;
  double cpu_s;

  getrusage (RUSAGE_SELF, &usage);
  cpu_s = to_seconds (&usage.ru_utime) + to_seconds (&usage.ru_stime);
  add (self, "cpu_seconds_total", NULL, cpu_s - self->last_cpu_s);
  self->last_cpu_s = cpu_s;
  if (!g_file_get_contents ("/proc/self/statm", &statm, NULL, NULL))
    return;
  pages = g_strsplit (statm, " ", 3);
  if (g_strv_length (pages) == 3)
    set (self, "resident_memory_bytes", NULL,
        g_ascii_strtod (pages[1], NULL) * (double) sysconf (_SC_PAGESIZE));
}

static guint64
stat_at (const DubProgrammeStats *stats, gsize offset)
{
  return G_STRUCT_MEMBER (guint64, stats, offset);
}

static void
count_bus (DubWorkerMetrics *self)
{
  DubBusCounts now;

  dub_bus_get_counts (&now);
  for (guint i = 0; i < DUB_BUS_N_ERRORS; i++)
    add (self, "gst_bus_errors_total", dub_bus_error_to_string (i),
        (double) (now.errors[i] - self->last_bus.errors[i]));
  add (self, "gst_bus_warnings_total", NULL,
      (double) (now.warnings - self->last_bus.warnings));
  self->last_bus = now;
}

/* Two bytes a frame: segments are mono. */
static void
set_segment (DubWorkerMetrics *self, const DubProgrammeStats *stats)
{
  gint64 frames =
      dub_ns_to_frames (stats->segment_open_ns, DUB_PROGRAMME_RATE_HZ);

  set (self, "vad_accumulator_duration_ns", NULL,
      (double) stats->segment_open_ns);
  set (self, "vad_accumulator_bytes", NULL, (double) frames * 2);
}

static void
set_sync (DubWorkerMetrics *self, const DubProgrammeStats *stats)
{
  double offset_ns = (double) ABS (stats->sound_offset_ns);

  set (self, "av_sync_delta_ms", NULL, offset_ns / 1e6);
  if (stats->media_ns != DUB_TIME_NONE)
    observe (self, "av_sync_delta_seconds", offset_ns / 1e9);
}

static void
set_gauges (DubWorkerMetrics *self, const DubProgrammeStats *stats,
    const DubPublisherStats *published, gint64 delay_ns)
{
  set (self, "output_delay_ms", NULL, (double) delay_ns / 1e6);
  set (self, "dub_coverage_ratio", NULL,
      stats->segment_frames > 0
          ? (double) stats->dubbed_frames / (double) stats->segment_frames
          : 0);
  set (self, "sts_inflight_fragments", NULL, stats->fragments_inflight);
  set (self, "circuit_breaker_state", NULL, stats->breaker_state);
  set (self, "av_buffer_video_size", NULL, stats->video_units);
  set (self, "av_buffer_video_bytes", NULL,
      (double) stats->video_buffered_bytes);
  set (self, "video_queue_ms", NULL, (double) stats->video_buffered_ns / 1e6);
  set (self, "audio_queue_ms", NULL, (double) stats->sound_buffered_ns / 1e6);
  set (self, "output_waiting_ms", NULL, (double) published->waiting_ms);
  set (self, "dubs_waiting", NULL, stats->dubs_waiting);
  set (self, "av_buffer_audio_size", NULL, stats->dubs_waiting);
  set (self, "source_lost", NULL, stats->is_source_lost ? 1 : 0);
}

void
dub_worker_metrics_update (DubWorkerMetrics *self,
    const DubProgrammeStats *stats, const DubPublisherStats *published,
    gint64 delay_ns)
{
  for (gsize i = 0; i < G_N_ELEMENTS (counters); i++) {
    guint64 now = stat_at (stats, counters[i].offset);
    guint64 before = stat_at (&self->last, counters[i].offset);

    if (now > before)
      add (self, counters[i].name, counters[i].label_value,
          (double) (now - before) * counters[i].scale);
  }
  add (self, "output_bytes_total", NULL,
      (double) (published->bytes_sent - self->last_bytes));
  add (self, "output_connections_total", NULL,
      published->n_connections - self->last_connections);
  set_gauges (self, stats, published, delay_ns);
  set_segment (self, stats);
  set_sync (self, stats);
  if (self->is_first) {
    count_bus (self);
    measure_process (self);
  }
  self->delay_s = (double) delay_ns / 1e9;
  self->last = *stats;
  self->last_bytes = published->bytes_sent;
  self->last_connections = published->n_connections;
}

char *
dub_worker_metrics_to_text (DubWorkerMetrics *self)
{
  return dub_metrics_to_text (self->registry);
}
