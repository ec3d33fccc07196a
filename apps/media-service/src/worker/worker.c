/* SPDX-License-Identifier: Apache-2.0 */
#include "worker.h"

#define DUB_LOG_TOPIC "media.worker"
#include "../ingest/ingest.h"
#include "../publish/publish.h"
#include "../segment/level_detector.h"
#include "../segment/speech_detector.h"
#include "../sts/sts_link.h"
#include "capture_feed.h"
#include "control.h"
#include "egress.h"
#include "programme_thread.h"
#include "reporter.h"
#include "tap.h"
#include "worker_metrics.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <dubbing_common/metrics.h>

/* Two AAC frames: half the wake-ups of one. */
#define BLOCK_FRAMES 2048
#define FINISH_MS 2000
#define STOP_MS 4000
#define DRAIN_MARGIN_MS 5000
#define TICK_MS 1000
#define SECONDS_OF_DAY (24 * 60 * 60)

struct _DubWorker {
  const DubWorkerSettings *settings;
  DubProgrammeParams params;
  GMainLoop *loop;
  GError *error;        /* why it ends; NULL: all is well */
  GError *output_error; /* the last one */
  gboolean is_ending;
  gboolean is_drained; /* of a file: all of it has left */
  gboolean has_run;    /* media has come in */

  DubQueue *ingest_queue;
  DubIngest *ingest;
  DubProgrammeThread *programme;
  DubSpeechDetector *detector; /* one of the two; neither: pass-through */
  DubLevelDetector *level;
  DubStsLink *link; /* NULL: pass-through */
  DubPublish *publish;
  DubEgress *egress; /* its other destinations */
  gboolean has_output_ended;
  DubWorkerMetrics *metrics;
  DubCapture *capture; /* NULL: off */
  DubControl *control; /* NULL: no RUNTIME_DIR */
  DubReporter *reporter;
  guint tick_id;
  guint stop_id;
  guint drain_id;

  /* the programme thread only */
  DubTap *tap_video_in;
  DubTap *tap_video_out;
  DubTap *tap_sound_out;
  gint64 source_pts_ns; /* of the first key frame; DUB_TIME_NONE before it */
  gboolean has_zero;
};

/* -- the end ------------------------------------------------------------- */

static gboolean
on_stop_timeout (gpointer user_data)
{
  DubWorker *self = user_data;

  self->stop_id = 0;
  dub_warning ("the output did not end in time");
  g_main_loop_quit (self->loop);
  return G_SOURCE_REMOVE;
}

static gboolean
is_file (const DubWorker *self)
{
  return self->settings->pace == DUB_WORKER_FILE;
}

static void
tell_state (DubWorker *self, const char *state, const char *reason)
{
  if (self->control)
    dub_control_set_state (self->control, state, reason);
}

/* The source is closed and the output told that this is all. */
static void
begin_end (DubWorker *self)
{
  if (self->is_ending)
    return;
  self->is_ending = TRUE;
  tell_state (self, DUB_WORKER_STATE_STOPPING,
      self->error ? self->error->message : NULL);
  dub_ingest_stop (self->ingest);
  if (is_file (self) && !self->is_drained) {
    g_main_loop_quit (self->loop); /* what there is of the file is removed */
    return;
  }
  dub_egress_expect_end (self->egress);
  dub_publish_finish (self->publish, FINISH_MS);
  self->stop_id = g_timeout_add (STOP_MS, on_stop_timeout, self);
}

static void
fail (DubWorker *self, const GError *error)
{
  if (!self->error)
    self->error = g_error_copy (error);
  begin_end (self);
}

void
dub_worker_stop (DubWorker *self)
{
  if (self->is_ending) {
    g_main_loop_quit (self->loop);
    return;
  }
  dub_info ("stopping");
  begin_end (self);
}

/* -- from the programme thread ------------------------------------------- */

static void
on_video_in (const DubAccessUnit *unit, gpointer user_data)
{
  DubWorker *self = user_data;

  if (unit->is_key && self->source_pts_ns == DUB_TIME_NONE)
    self->source_pts_ns = unit->pts_ns;
  dub_tap_video (self->tap_video_in, unit);
}

static void
on_video (DubAccessUnit *unit, gpointer user_data)
{
  DubWorker *self = user_data;

  /* The file that we write starts where the one that we read does. */
  if (!self->has_zero)
    dub_publish_set_zero (self->publish, unit->pts_ns - self->source_pts_ns);
  self->has_zero = TRUE;
  dub_tap_video (self->tap_video_out, unit);
  dub_publish_video (self->publish, unit);
}

static void
on_sound (DubPcm *pcm, gpointer user_data)
{
  DubWorker *self = user_data;

  dub_tap_sound (self->tap_sound_out, pcm);
  dub_publish_sound (self->publish, pcm);
}

static void
on_heard (DubPcm *pcm, gint64 first_frame, gpointer user_data)
{
  DubWorker *self = user_data;

  dub_publish_set_sound_end (
      self->publish, dub_frames_to_ns (first_frame + (gint64) pcm->frames,
                         DUB_PROGRAMME_RATE_HZ));
  if (self->detector)
    dub_speech_detector_push (self->detector, pcm, first_frame);
  else if (self->level)
    dub_level_detector_push (self->level, pcm, first_frame);
  else
    dub_pcm_unref (pcm);
}

/* From the detector's thread, or the programme's. */
static void
on_mark (gint64 first_frame, gint64 frames, gboolean is_speech, double level_db,
    gpointer user_data)
{
  DubWorker *self = user_data;

  dub_programme_thread_push_mark (
      self->programme, first_frame, frames, is_speech, level_db);
}

/* -- on the main thread -------------------------------------------------- */

static void
on_fragment (DubFragment *fragment, gpointer user_data)
{
  DubWorker *self = user_data;

  dub_worker_metrics_fragment_sent (self->metrics, fragment);
  if (self->link) {
    dub_sts_link_send (self->link, fragment);
    return;
  }
  dub_fragment_unref (fragment);
}

static double
seconds (gint64 ns)
{
  return (double) ns / 1e9;
}

static void
on_event (const DubProgrammeEvent *event, gpointer user_data)
{
  DubWorker *self = user_data;

  dub_reporter_event (self->reporter, event);
  dub_worker_metrics_event (self->metrics, event);
  dub_capture_feed (self->capture, event);
  if (event->type != DUB_EVENT_DRAINED)
    return;
  self->is_drained = TRUE;
  begin_end (self);
}

static gboolean
on_drain_timeout (gpointer user_data)
{
  DubWorker *self = user_data;

  self->drain_id = 0;
  begin_end (self);
  return G_SOURCE_REMOVE;
}

/* Nothing more will come. What is in the delay still leaves, then DRAINED ends
 * us; but what no retry can mend, or never began, ends at once. */
static void
end_with_source (DubWorker *self, const GError *error)
{
  gint64 delay_ms = self->settings->output_delay_ms;

  if (error && !self->error)
    self->error = g_error_copy (error);
  if (error)
    dub_warning ("input given up: %s", error->message);
  else
    dub_info ("input ended");
  if (is_file (self) && !error)
    return; /* it takes as long as it takes */
  if (!self->has_run || (error && !dub_error_is_retryable (error)))
    begin_end (self);
  else if (!self->drain_id)
    self->drain_id = g_timeout_add (
        (guint) delay_ms + DRAIN_MARGIN_MS, on_drain_timeout, self);
}

static void
on_ingest_state (DubIngestState state, const GError *error, gpointer user_data)
{
  DubWorker *self = user_data;

  dub_worker_metrics_set_pipeline (self->metrics, "input",
      state == DUB_INGEST_RUNNING   ? DUB_PIPELINE_RUNNING
      : state == DUB_INGEST_WAITING ? DUB_PIPELINE_ERROR
                                    : DUB_PIPELINE_STOPPED);
  switch (state) {
    case DUB_INGEST_WAITING:
      dub_warning ("input lost: %s", error->message);
      tell_state (self,
          self->has_run ? DUB_WORKER_STATE_SOURCE_LOST
                        : DUB_WORKER_STATE_STARTING,
          error->message);
      break;
    case DUB_INGEST_RUNNING:
      dub_info ("input running");
      self->has_run = TRUE;
      tell_state (self, DUB_WORKER_STATE_RUNNING, NULL);
      break;
    case DUB_INGEST_FAILED:
      end_with_source (self, error);
      break;
    case DUB_INGEST_ENDED:
      end_with_source (self, NULL);
      break;
    default:
      dub_info ("input %s", dub_ingest_state_to_string (state));
      break;
  }
}

/* Each output has sent what it could, or its time is up. */
static void
quit_at_end (DubWorker *self)
{
  if (self->has_output_ended && dub_egress_has_ended (self->egress))
    g_main_loop_quit (self->loop);
}

static void
on_egress_ended (gpointer user_data)
{
  quit_at_end (user_data);
}

static DubPublish *
find_publish (const char *language, gpointer user_data)
{
  DubWorker *self = user_data;

  if (language && !g_str_equal (language, self->settings->target_language))
    return NULL;
  return self->publish;
}

static void
on_publish_state (
    DubPublisherState state, const GError *error, gpointer user_data)
{
  DubWorker *self = user_data;

  dub_worker_metrics_set_pipeline (self->metrics, "output",
      state == DUB_PUBLISHER_RUNNING   ? DUB_PIPELINE_RUNNING
      : state == DUB_PUBLISHER_WAITING ? DUB_PIPELINE_ERROR
                                       : DUB_PIPELINE_STOPPED);
  if (error)
    dub_warning ("output lost: %s", error->message);
  else
    dub_info ("output %s", dub_publisher_state_to_string (state));
  if (error) {
    g_clear_error (&self->output_error);
    self->output_error = g_error_copy (error);
  }
  if (state == DUB_PUBLISHER_ENDED) {
    self->has_output_ended = TRUE;
    quit_at_end (self);
  }
}

static void
on_publish_error (const GError *error, gpointer user_data)
{
  fail (user_data, error);
}

static void
on_link_state (
    DubStsLink *link, const DubStsLinkState *state, gpointer user_data)
{
  DubWorker *self = user_data;
  /* A file can wait until the service is there. */
  DubStsState away = is_file (self) ? DUB_STS_PAUSED : DUB_STS_LOST;
  DubStsState told = state->phase != DUB_STS_LINK_READY ? away
                     : state->is_paused                 ? DUB_STS_PAUSED
                                                        : DUB_STS_READY;

  if (state->error)
    dub_warning ("speech service: %s", state->error->message);
  else
    dub_info ("speech service %s", dub_sts_link_phase_to_string (state->phase));
  dub_worker_metrics_set_link (
      self->metrics, state->phase == DUB_STS_LINK_READY, state->reconnects);
  dub_programme_thread_set_sts (self->programme, told, state->max_inflight,
      (gint64) state->delay_ms * DUB_NS_PER_MS);
}

static void
on_answer (DubStsLink *link, DubAnswer *answer, gpointer user_data)
{
  DubWorker *self = user_data;

  dub_worker_metrics_answer (self->metrics, answer);
  dub_reporter_answer (self->reporter, answer);
  if (self->capture)
    dub_capture_answer (self->capture, answer);
  dub_programme_thread_push_answer (self->programme, answer);
}

static void
on_backpressure (DubStsLink *link, const char *action, gpointer user_data)
{
  DubWorker *self = user_data;

  dub_worker_metrics_backpressure (self->metrics, action);
}

/* -- each second --------------------------------------------------------- */

static void
tell_destinations (DubWorker *self)
{
  dub_egress_update_metrics (self->egress);
  if (self->control)
    dub_control_set_destinations (
        self->control, dub_egress_describe (self->egress));
}

static void
check_output (DubWorker *self, const DubPublisherStats *stats)
{
  gint64 now_ns = g_get_monotonic_time () * 1000;

  if (stats->lost_since_ns != DUB_TIME_NONE && self->output_error &&
      now_ns - stats->lost_since_ns > self->settings->grace_ns)
    fail (self, self->output_error);
}

static void
measure_capture (DubWorker *self)
{
  DubCaptureStats stats;

  if (!self->capture)
    return;
  dub_capture_get_stats (self->capture, &stats);
  dub_worker_metrics_capture (
      self->metrics, stats.written, stats.failed + stats.dropped);
}

/* Of a file: how far it is. */
static void
tell_progress (DubWorker *self, const DubProgrammeStats *stats)
{
  g_autofree char *text = NULL;

  if (!is_file (self) || stats->media_ns == DUB_TIME_NONE)
    return;
  text = g_strdup_printf ("%" G_GINT64_FORMAT, stats->media_ns / DUB_NS_PER_MS);
  dub_reporter_notice (self->reporter, "progress", text);
}

static gboolean
on_tick (gpointer user_data)
{
  DubWorker *self = user_data;
  DubProgrammeStats stats;
  DubPublisherStats published;
  gint64 delay_ns;

  dub_programme_thread_get_stats (self->programme, &stats, &delay_ns);
  dub_publish_get_stats (self->publish, &published);
  dub_worker_metrics_update (self->metrics, &stats, &published, delay_ns);
  measure_capture (self);
  tell_progress (self, &stats);
  tell_destinations (self);
  check_output (self, &published);
  return G_SOURCE_CONTINUE;
}

/* -- the control socket -------------------------------------------------- */

static gboolean
set_live (DubWorker *self, const char *name, const DubWorkerSettings *now)
{
  if (g_str_equal (name, "DUCK_DB") || g_str_equal (name, "MIX_MODE")) {
    if (g_str_equal (name, "DUCK_DB"))
      self->params.duck_db = now->duck_db;
    else
      self->params.mix_mode = (DubMixMode) (now->mix_mode + 1);
    dub_programme_thread_set_mix (
        self->programme, self->params.mix_mode, self->params.duck_db);
    return TRUE;
  }
  if (g_str_equal (name, "FALLBACK_MODE")) {
    dub_programme_thread_set_fallback (
        self->programme, dub_worker_settings_get_fallback (now));
    return TRUE;
  }
  return FALSE;
}

static gboolean
set_destinations (DubWorker *self, const char *json, GError **error)
{
  if (is_file (self)) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
        "EGRESS_DESTINATIONS does not go with PACE=file");
    return FALSE;
  }
  if (!dub_egress_set (self->egress, json, error))
    return FALSE;
  tell_destinations (self);
  return TRUE;
}

static gboolean
on_control_set (
    const char *name, const char *value, gpointer user_data, GError **error)
{
  DubWorker *self = user_data;
  DubWorkerSettings now = {0};
  gboolean is_good;

  if (g_str_equal (name, "EGRESS_DESTINATIONS"))
    return set_destinations (self, value, error);
  is_good = dub_config_set (dub_worker_options (), &now, name, value, error) &&
            dub_worker_settings_check_fallback (&now, error);

  if (is_good && !set_live (self, name, &now)) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
        "%s cannot be changed while the worker runs", name);
    is_good = FALSE;
  }
  dub_worker_settings_clear (&now);
  return is_good;
}

static void
on_control_reconnect (gpointer user_data)
{
  DubWorker *self = user_data;

  dub_ingest_reconnect_now (self->ingest);
}

static void
on_control_stop (gpointer user_data)
{
  dub_worker_stop (user_data);
}

static char *
on_control_metrics (gpointer user_data)
{
  DubWorker *self = user_data;
  g_autofree char *of_stream = dub_worker_metrics_to_text (self->metrics);
  g_autofree char *of_egress = dub_egress_metrics_to_text (self->egress);
  const char *const texts[] = {of_stream, of_egress, NULL};

  return dub_metrics_merge (texts);
}

/* -- building ------------------------------------------------------------ */

static gboolean
open_taps (DubWorker *self, GError **error)
{
  const char *folder = self->settings->tap_dir;

  return !folder ||
         ((self->tap_video_in = dub_tap_new (folder, "video_in", error)) &&
             (self->tap_video_out = dub_tap_new (folder, "video_out", error)) &&
             (self->tap_sound_out = dub_tap_new (folder, "sound_out", error)));
}

static gboolean
build_control (DubWorker *self, GError **error)
{
  static const DubControlHandlers handlers = {
      .set = on_control_set,
      .reconnect = on_control_reconnect,
      .stop = on_control_stop,
      .get_metrics = on_control_metrics,
  };
  const DubWorkerSettings *from = self->settings;

  if (from->runtime_dir) {
    self->control = dub_control_new (from->runtime_dir, from->stream_id,
        from->run_id, &handlers, self, error);
    if (!self->control)
      return FALSE;
    tell_state (self, DUB_WORKER_STATE_STARTING, NULL);
  }
  self->reporter = dub_reporter_new (self->control);
  return TRUE;
}

static void
build_capture (DubWorker *self)
{
  const DubWorkerSettings *from = self->settings;
  DubCaptureOptions options = {
      .mode = (DubCaptureMode) from->capture,
      .folder = from->capture_dir,
      .stream_id = from->stream_id,
      .run_id = from->run_id,
      .instance_id = from->instance_id,
      .input_url = from->input_url,
      .output_url = from->output_url,
      .source_language = from->source_language,
      .target_language = from->target_language,
      .delay_ms = from->output_delay_ms,
      .max_age_s = from->capture_retention_days * SECONDS_OF_DAY,
      .has_log = TRUE,
      .max_bytes = (guint64) from->capture_max_mb << 20,
  };

  if (options.mode != DUB_CAPTURE_OFF)
    self->capture = dub_capture_new (&options);
}

static gboolean
build_publish (DubWorker *self, GError **error)
{
  static const DubPublishHandlers handlers = {
      .on_state = on_publish_state,
      .on_error = on_publish_error,
  };
  DubPublishOptions options;

  dub_publish_options_init (&options);
  options.url = self->settings->output_url;
  options.audio_bit_rate = (guint) self->settings->audio_bit_rate;
  self->publish = dub_publish_new (&options, &handlers, self, error);
  return self->publish != NULL;
}

static gboolean
build_egress (DubWorker *self, GError **error)
{
  static const DubEgressHandlers handlers = {
      .find = find_publish,
      .on_ended = on_egress_ended,
  };

  self->egress = dub_egress_new (self->settings->stream_id, &handlers, self);
  return dub_egress_set (
      self->egress, self->settings->egress_destinations, error);
}

static gboolean
build_ingest (DubWorker *self, GError **error)
{
  DubIngestOptions options;

  dub_ingest_options_init (&options);
  options.url = self->settings->input_url;
  options.is_fast = is_file (self);
  options.allow_no_audio = self->settings->allow_no_audio;
  options.grace_ms = (guint) (self->settings->grace_ns / DUB_NS_PER_MS);
  self->ingest_queue = dub_ingest_queue_new ();
  self->ingest = dub_ingest_new (
      &options, self->ingest_queue, on_ingest_state, self, error);
  return self->ingest != NULL;
}

static void
build_programme (DubWorker *self)
{
  static const DubProgrammeThreadHandlers handlers = {
      .on_video_in = on_video_in,
      .on_video = on_video,
      .on_sound = on_sound,
      .on_heard = on_heard,
      .on_fragment = on_fragment,
      .on_event = on_event,
  };

  dub_worker_settings_to_params (self->settings, &self->params);
  self->params.block_frames = BLOCK_FRAMES;
  self->params.lead_ns = dub_publish_get_lead_ns (self->publish);
  self->programme = dub_programme_thread_new (
      &self->params, self->ingest_queue, &handlers, self);
}

/* Without the detector the programme passes through, and says so. */
static void
build_detector (DubWorker *self)
{
  g_autofree char *model = dub_worker_settings_get_vad_model (self->settings);
  g_autoptr (GError) error = NULL;

  if (self->params.segment_mode != DUB_SEGMENT_MODE_SPEECH)
    return;
  if (self->settings->vad == DUB_WORKER_VAD_LEVEL) {
    self->level =
        dub_level_detector_new (self->settings->vad_silence_threshold_db,
            self->settings->vad_level_interval_ns, on_mark, self);
    return;
  }
  self->detector = dub_speech_detector_new (model, on_mark, self, &error);
  if (!self->detector)
    dub_warning (
        "no speech detector, the programme passes through: %s", error->message);
}

static void
build_link (DubWorker *self)
{
  static const DubStsLinkHandlers handlers = {
      .on_state = on_link_state,
      .on_answer = on_answer,
      .on_backpressure = on_backpressure,
  };
  const DubWorkerSettings *from = self->settings;
  DubStsLinkSettings settings;
  g_autoptr (GError) error = NULL;

  dub_sts_link_settings_init (&settings);
  settings.url = from->sts_service_url;
  settings.api_key = from->sts_token;
  settings.stream_id = from->stream_id;
  settings.source_language = from->source_language;
  settings.target_language = from->target_language;
  settings.voice_profile = from->voice_profile;
  settings.max_inflight = (guint) from->sts_max_inflight;
  settings.timeout_ms = (guint) from->sts_fragment_timeout_ms;
  self->link = dub_sts_link_new (&settings, &handlers, self, &error);
  if (!self->link)
    dub_warning (
        "no speech service, the programme passes through: %s", error->message);
}

static void
build_dubbing (DubWorker *self)
{
  gint64 max_ns = dub_programme_max_segment_ns (&self->params);

  if (self->settings->skip_sts_connection) {
    dub_info ("dubbing is off (SKIP_STS_CONNECTION): pass-through");
    return;
  }
  if (max_ns == 0) {
    dub_warning ("OUTPUT_DELAY_MS=%" G_GINT64_FORMAT
                 " is too short for dubbing (4500 at least): pass-through",
        self->settings->output_delay_ms);
    return;
  }
  if (!dub_worker_settings_has_room_for_fixed (self->settings)) {
    dub_warning ("SEGMENT_MODE=fixed needs an OUTPUT_DELAY_MS of %d at least: "
                 "pass-through",
        DUB_WORKER_FIXED_MIN_DELAY_MS);
    return;
  }
  dub_info ("longest segment: %.3f s", seconds (max_ns));
  build_detector (self);
  if (self->detector || self->level ||
      self->params.segment_mode == DUB_SEGMENT_MODE_FIXED)
    build_link (self);
}

DubWorker *
dub_worker_new (const DubWorkerSettings *settings, GError **error)
{
  g_autoptr (DubWorker) self = g_new0 (DubWorker, 1);

  self->settings = settings;
  self->loop = g_main_loop_new (NULL, FALSE);
  self->source_pts_ns = DUB_TIME_NONE;
  self->metrics = dub_worker_metrics_new (settings->stream_id);
  if (!open_taps (self, error) || !build_control (self, error) ||
      !build_ingest (self, error) || !build_publish (self, error) ||
      !build_egress (self, error))
    return NULL;
  build_programme (self);
  build_capture (self);
  return g_steal_pointer (&self);
}

void
dub_worker_free (DubWorker *self)
{
  if (!self)
    return;
  g_clear_handle_id (&self->tick_id, g_source_remove);
  g_clear_handle_id (&self->stop_id, g_source_remove);
  g_clear_handle_id (&self->drain_id, g_source_remove);
  /* Left to right; what a stage calls lives longer than the stage. */
  g_clear_pointer (&self->ingest, dub_ingest_free);
  g_clear_pointer (&self->link, dub_sts_link_free);
  if (self->programme)
    dub_programme_thread_stop (self->programme);
  g_clear_pointer (&self->detector, dub_speech_detector_free);
  g_clear_pointer (&self->level, dub_level_detector_free);
  g_clear_pointer (&self->programme, dub_programme_thread_free);
  g_clear_pointer (&self->egress, dub_egress_free);
  g_clear_pointer (&self->publish, dub_publish_free);
  g_clear_pointer (&self->ingest_queue, dub_queue_unref);
  g_clear_pointer (&self->capture, dub_capture_free);
  g_clear_pointer (&self->reporter, dub_reporter_free);
  g_clear_pointer (&self->control, dub_control_free);
  g_clear_pointer (&self->metrics, dub_worker_metrics_free);
  g_clear_pointer (&self->tap_video_in, dub_tap_free);
  g_clear_pointer (&self->tap_video_out, dub_tap_free);
  g_clear_pointer (&self->tap_sound_out, dub_tap_free);
  g_clear_pointer (&self->loop, g_main_loop_unref);
  g_clear_error (&self->error);
  g_clear_error (&self->output_error);
  g_free (self);
}

/* A file that would only be copied is of no use. */
static gboolean
can_dub_file (DubWorker *self, GError **error)
{
  if (self->settings->skip_sts_connection || self->link) {
    dub_programme_thread_set_sts (self->programme, DUB_STS_PAUSED, 0, 0);
    return TRUE;
  }
  g_set_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND,
      "a file is not dubbed without the speech detector and the speech "
      "service");
  return FALSE;
}

gboolean
dub_worker_run (DubWorker *self, GError **error)
{
  /* The source is reached while the speech model loads; what comes waits in
   * the ingest queue. */
  dub_ingest_start (self->ingest);
  build_dubbing (self);
  if (is_file (self) && !can_dub_file (self, error))
    return FALSE;
  dub_programme_thread_start (self->programme);
  self->tick_id = g_timeout_add (TICK_MS, on_tick, self);
  g_main_loop_run (self->loop);
  if (!self->error)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&self->error));
  return FALSE;
}
