/* SPDX-License-Identifier: Apache-2.0 */
#include "branch.h"

#define DUB_LOG_TOPIC "media.worker"
#include "../segment/level_detector.h"
#include "../segment/speech_detector.h"
#include "../sts/sts_link.h"
#include "capture_feed.h"
#include "programme_thread.h"
#include "reporter.h"
#include "tap.h"
#include "worker_metrics.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>

/* Two AAC frames: half the wake-ups of one. */
#define BLOCK_FRAMES 2048
#define SECONDS_OF_DAY (24 * 60 * 60)

/* A line that says of which language it is, where there are several. */
#define branch_log(self, level, ...)                                           \
  dub_log_fields (level, DUB_LOG_TOPIC,                                        \
      (const char *const[]){"language", (self)->label, NULL}, __VA_ARGS__)
#define branch_info(self, ...) branch_log (self, DUB_LOG_INFO, __VA_ARGS__)
#define branch_warning(self, ...)                                              \
  branch_log (self, DUB_LOG_WARNING, __VA_ARGS__)

struct _DubBranch {
  const DubWorkerSettings *settings;
  DubProgrammeParams params;
  DubBranchHandlers handlers;
  gpointer user_data;
  gboolean is_first;
  char *label; /* NULL: the stream has one language */
  /* What may change while it runs. */
  char *source_language, *target_language, *voice_profile;

  GError *output_error; /* the last one */
  gboolean is_drained;  /* all that came has left */
  gboolean has_ended;   /* the output has */
  gboolean wants_dubbing;

  DubProgrammeThread *programme;
  DubSpeechDetector *detector; /* one of the two; neither: pass-through */
  DubLevelDetector *level;
  DubStsLink *link; /* NULL: pass-through */
  DubPublish *publish;
  DubWorkerMetrics *metrics;
  DubCapture *capture; /* NULL: off */
  DubReporter *reporter;

  /* the programme thread only */
  DubTap *tap_video_in;
  DubTap *tap_video_out;
  DubTap *tap_sound_out;
  gint64 source_pts_ns; /* of the first key frame; DUB_TIME_NONE before it */
  gboolean has_zero;
};

static gboolean
is_file (const DubBranch *self)
{
  return self->settings->pace == DUB_WORKER_FILE;
}

/* -- from the programme thread ------------------------------------------- */

static void
on_video_in (const DubAccessUnit *unit, gpointer user_data)
{
  DubBranch *self = user_data;

  if (unit->is_key && self->source_pts_ns == DUB_TIME_NONE)
    self->source_pts_ns = unit->pts_ns;
  dub_tap_video (self->tap_video_in, unit);
}

static void
on_video (DubAccessUnit *unit, gpointer user_data)
{
  DubBranch *self = user_data;

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
  DubBranch *self = user_data;

  dub_tap_sound (self->tap_sound_out, pcm);
  dub_publish_sound (self->publish, pcm);
}

static gint64
get_uncoded_ns (gpointer user_data)
{
  DubBranch *self = user_data;

  return dub_publish_get_uncoded_ns (self->publish);
}

static void
on_heard (DubPcm *pcm, gint64 first_frame, gpointer user_data)
{
  DubBranch *self = user_data;

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
  DubBranch *self = user_data;

  dub_programme_thread_push_mark (
      self->programme, first_frame, frames, is_speech, level_db);
}

/* -- on the main thread -------------------------------------------------- */

static void
on_fragment (DubFragment *fragment, gpointer user_data)
{
  DubBranch *self = user_data;

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
  DubBranch *self = user_data;

  dub_reporter_event (self->reporter, event);
  dub_worker_metrics_event (self->metrics, event);
  dub_capture_feed (self->capture, event);
  if (event->type != DUB_EVENT_DRAINED)
    return;
  self->is_drained = TRUE;
  self->handlers.on_drained (self->user_data);
}

static void
on_publish_state (
    DubPublisherState state, const GError *error, gpointer user_data)
{
  DubBranch *self = user_data;

  dub_worker_metrics_set_pipeline (self->metrics, "output",
      state == DUB_PUBLISHER_RUNNING   ? DUB_PIPELINE_RUNNING
      : state == DUB_PUBLISHER_WAITING ? DUB_PIPELINE_ERROR
                                       : DUB_PIPELINE_STOPPED);
  if (error || state == DUB_PUBLISHER_RUNNING)
    dub_reporter_notice (self->reporter,
        error ? "output_lost" : "output_running",
        error ? error->message : NULL);
  if (error)
    branch_warning (self, "output lost: %s", error->message);
  else
    branch_info (self, "output %s", dub_publisher_state_to_string (state));
  if (error) {
    g_clear_error (&self->output_error);
    self->output_error = g_error_copy (error);
  }
  if (state == DUB_PUBLISHER_ENDED) {
    self->has_ended = TRUE;
    self->handlers.on_ended (self->user_data);
  }
}

static void
on_publish_error (const GError *error, gpointer user_data)
{
  DubBranch *self = user_data;

  self->handlers.on_error (error, self->user_data);
}

static void
on_link_state (
    DubStsLink *link, const DubStsLinkState *state, gpointer user_data)
{
  DubBranch *self = user_data;
  /* A file can wait until the service is there. */
  DubStsState away = is_file (self) ? DUB_STS_PAUSED : DUB_STS_LOST;
  DubStsState told = state->phase != DUB_STS_LINK_READY ? away
                     : state->is_paused                 ? DUB_STS_PAUSED
                                                        : DUB_STS_READY;

  if (state->error || state->phase == DUB_STS_LINK_READY)
    dub_reporter_notice (self->reporter,
        state->error ? "service_lost" : "service_ready",
        state->error ? state->error->message : NULL);
  if (state->error)
    branch_warning (self, "speech service: %s", state->error->message);
  else
    branch_info (
        self, "speech service %s", dub_sts_link_phase_to_string (state->phase));
  dub_worker_metrics_set_link (
      self->metrics, state->phase == DUB_STS_LINK_READY, state->reconnects);
  dub_programme_thread_set_sts (self->programme, told, state->max_inflight,
      (gint64) state->delay_ms * DUB_NS_PER_MS);
}

static void
on_answer (DubStsLink *link, DubAnswer *answer, gpointer user_data)
{
  DubBranch *self = user_data;

  dub_worker_metrics_answer (self->metrics, answer);
  dub_reporter_answer (self->reporter, answer);
  if (self->capture)
    dub_capture_answer (self->capture, answer);
  dub_programme_thread_push_answer (self->programme, answer);
}

static void
on_backpressure (DubStsLink *link, const char *action, gpointer user_data)
{
  DubBranch *self = user_data;

  dub_worker_metrics_backpressure (self->metrics, action);
}

/* -- each second --------------------------------------------------------- */

static void
measure_capture (DubBranch *self)
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
tell_progress (DubBranch *self, const DubProgrammeStats *stats)
{
  g_autofree char *text = NULL;

  if (!is_file (self) || stats->media_ns == DUB_TIME_NONE)
    return;
  text = g_strdup_printf ("%" G_GINT64_FORMAT, stats->media_ns / DUB_NS_PER_MS);
  dub_reporter_notice (self->reporter, "progress", text);
}

void
dub_branch_tick (DubBranch *self)
{
  DubProgrammeStats stats;
  DubPublisherStats published;
  gint64 delay_ns;

  dub_programme_thread_get_stats (self->programme, &stats, &delay_ns);
  dub_publish_get_stats (self->publish, &published);
  dub_worker_metrics_update (self->metrics, &stats, &published, delay_ns);
  measure_capture (self);
  tell_progress (self, &stats);
}

/* -- what may change while it runs --------------------------------------- */

static void build_link (DubBranch *self);

/* The speech service learns of it with a new session. What is on its way
 * there keeps its original. */
static void
renew_link (DubBranch *self)
{
  if (!self->wants_dubbing)
    return;
  g_clear_pointer (&self->link, dub_sts_link_free);
  dub_worker_metrics_set_link (self->metrics, FALSE, 0);
  dub_programme_thread_set_sts (
      self->programme, is_file (self) ? DUB_STS_PAUSED : DUB_STS_LOST, 0, 0);
  build_link (self);
}

static gboolean
set_session (DubBranch *self, const char *name, const DubWorkerSettings *now)
{
  char **field = NULL;
  const char *value = NULL;

  if (g_str_equal (name, "WORKER_SOURCE_LANGUAGE")) {
    field = &self->source_language;
    value = now->source_language;
  } else if (g_str_equal (name, "WORKER_VOICE_PROFILE")) {
    field = &self->voice_profile;
    value = now->voice_profile;
  } else if (g_str_equal (name, "WORKER_TARGET_LANGUAGE") && !self->label) {
    field = &self->target_language;
    value = now->target_language;
  }
  if (!field || !value)
    return FALSE;
  if (g_str_equal (*field, value))
    return TRUE;
  g_free (*field);
  *field = g_strdup (value);
  renew_link (self);
  return TRUE;
}

gboolean
dub_branch_set (DubBranch *self, const char *name, const DubWorkerSettings *now)
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
  return set_session (self, name, now);
}

/* -- building ------------------------------------------------------------ */

/* What only the first language calls by the stream's own name. (transfer
 * full) */
static char *
own_name (DubBranch *self, const char *name, const char *separator)
{
  if (self->is_first)
    return g_strdup (name);
  return g_strconcat (name, separator, self->label, NULL);
}

static gboolean
open_taps (DubBranch *self, GError **error)
{
  g_autofree char *folder = NULL;

  if (!self->settings->tap_dir)
    return TRUE;
  folder = own_name (self, self->settings->tap_dir, "/");
  return (self->tap_video_in = dub_tap_new (folder, "video_in", error)) &&
         (self->tap_video_out = dub_tap_new (folder, "video_out", error)) &&
         (self->tap_sound_out = dub_tap_new (folder, "sound_out", error));
}

/* The output of our language. (transfer full) */
static char *
output_url (DubBranch *self)
{
  return dub_worker_settings_get_output_url (
      self->settings, self->is_first ? NULL : self->label);
}

/* Of each language a folder of its own, so that what is removed for one is
 * not another's; the log is of the process, and kept once. */
static void
build_capture (DubBranch *self)
{
  const DubWorkerSettings *from = self->settings;
  g_autofree char *stream_id = own_name (self, from->stream_id, "-");
  g_autofree char *url = output_url (self);
  DubCaptureOptions options = {
      .mode = (DubCaptureMode) from->capture,
      .folder = from->capture_dir,
      .stream_id = stream_id,
      .run_id = from->run_id,
      .instance_id = from->instance_id,
      .input_url = from->input_url,
      .output_url = url,
      .source_language = from->source_language,
      .target_language = self->target_language,
      .delay_ms = from->output_delay_ms,
      .max_age_s = from->capture_retention_days * SECONDS_OF_DAY,
      .has_log = self->is_first,
      .max_bytes = (guint64) from->capture_max_mb << 20,
  };

  if (options.mode != DUB_CAPTURE_OFF)
    self->capture = dub_capture_new (&options);
}

static gboolean
build_publish (DubBranch *self, GError **error)
{
  static const DubPublishHandlers handlers = {
      .on_state = on_publish_state,
      .on_error = on_publish_error,
  };
  g_autofree char *url = output_url (self);
  DubPublishOptions options;

  dub_publish_options_init (&options);
  options.url = url;
  options.audio_bit_rate = (guint) self->settings->audio_bit_rate;
  self->publish = dub_publish_new (&options, &handlers, self, error);
  return self->publish != NULL;
}

static void
build_programme (DubBranch *self, DubQueue *queue)
{
  static const DubProgrammeThreadHandlers handlers = {
      .on_video_in = on_video_in,
      .on_video = on_video,
      .on_sound = on_sound,
      .get_uncoded_ns = get_uncoded_ns,
      .on_heard = on_heard,
      .on_fragment = on_fragment,
      .on_event = on_event,
  };

  dub_worker_settings_to_params (self->settings, &self->params);
  self->params.block_frames = BLOCK_FRAMES;
  self->params.lead_ns = dub_publish_get_lead_ns (self->publish);
  self->programme =
      dub_programme_thread_new (&self->params, queue, &handlers, self);
}

/* Without the detector the programme passes through, and says so. */
static void
build_detector (DubBranch *self)
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
    branch_warning (self,
        "no speech detector, the programme passes through: %s", error->message);
}

static void
build_link (DubBranch *self)
{
  static const DubStsLinkHandlers handlers = {
      .on_state = on_link_state,
      .on_answer = on_answer,
      .on_backpressure = on_backpressure,
  };
  const DubWorkerSettings *from = self->settings;
  g_autofree char *stream_id = own_name (self, from->stream_id, "-");
  DubStsLinkSettings settings;
  g_autoptr (GError) error = NULL;

  dub_sts_link_settings_init (&settings);
  settings.url = from->sts_service_url;
  settings.api_key = from->sts_token;
  settings.stream_id = stream_id;
  settings.source_language = self->source_language;
  settings.target_language = self->target_language;
  settings.voice_profile = self->voice_profile;
  settings.max_inflight = (guint) from->sts_max_inflight;
  settings.timeout_ms = (guint) from->sts_fragment_timeout_ms;
  self->link = dub_sts_link_new (&settings, &handlers, self, &error);
  if (!self->link)
    branch_warning (self, "no speech service, the programme passes through: %s",
        error->message);
}

static void
build_dubbing (DubBranch *self)
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
  self->wants_dubbing = self->detector || self->level ||
                        self->params.segment_mode == DUB_SEGMENT_MODE_FIXED;
  if (self->wants_dubbing)
    build_link (self);
}

static void
take_options (DubBranch *self, const DubBranchOptions *options)
{
  const DubWorkerSettings *from = options->settings;
  const char *language = from->languages[options->number];

  self->settings = from;
  self->is_first = options->number == 0;
  self->source_pts_ns = DUB_TIME_NONE;
  self->label = from->languages[1] ? g_strdup (language) : NULL;
  self->source_language = g_strdup (from->source_language);
  self->target_language = g_strdup (language);
  self->voice_profile = g_strdup (from->voice_profile);
}

DubBranch *
dub_branch_new (const DubBranchOptions *options,
    const DubBranchHandlers *handlers, gpointer user_data, GError **error)
{
  g_autoptr (DubBranch) self = g_new0 (DubBranch, 1);

  take_options (self, options);
  self->handlers = *handlers;
  self->user_data = user_data;
  self->metrics = dub_worker_metrics_new_for_language (
      options->settings->stream_id, self->label, self->is_first);
  self->reporter = dub_reporter_new (options->control, self->label);
  if (!open_taps (self, error) || !build_publish (self, error))
    return NULL;
  build_programme (self, options->queue);
  build_capture (self);
  return g_steal_pointer (&self);
}

void
dub_branch_free (DubBranch *self)
{
  if (!self)
    return;
  /* Left to right; what a stage calls lives longer than the stage. */
  g_clear_pointer (&self->link, dub_sts_link_free);
  if (self->programme)
    dub_programme_thread_stop (self->programme);
  g_clear_pointer (&self->detector, dub_speech_detector_free);
  g_clear_pointer (&self->level, dub_level_detector_free);
  g_clear_pointer (&self->programme, dub_programme_thread_free);
  g_clear_pointer (&self->publish, dub_publish_free);
  g_clear_pointer (&self->capture, dub_capture_free);
  g_clear_pointer (&self->reporter, dub_reporter_free);
  g_clear_pointer (&self->metrics, dub_worker_metrics_free);
  g_clear_pointer (&self->tap_video_in, dub_tap_free);
  g_clear_pointer (&self->tap_video_out, dub_tap_free);
  g_clear_pointer (&self->tap_sound_out, dub_tap_free);
  g_clear_error (&self->output_error);
  g_free (self->label);
  g_free (self->source_language);
  g_free (self->target_language);
  g_free (self->voice_profile);
  g_free (self);
}

/* -- life ---------------------------------------------------------------- */

/* A file that would only be copied is of no use. */
static gboolean
can_dub_file (DubBranch *self, GError **error)
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
dub_branch_start (DubBranch *self, GError **error)
{
  build_dubbing (self);
  if (is_file (self) && !can_dub_file (self, error))
    return FALSE;
  dub_programme_thread_start (self->programme);
  return TRUE;
}

void
dub_branch_finish (DubBranch *self, guint timeout_ms)
{
  dub_publish_finish (self->publish, timeout_ms);
}

void
dub_branch_set_input (DubBranch *self, DubIngestState state)
{
  dub_worker_metrics_set_pipeline (self->metrics, "input",
      state == DUB_INGEST_RUNNING   ? DUB_PIPELINE_RUNNING
      : state == DUB_INGEST_WAITING ? DUB_PIPELINE_ERROR
                                    : DUB_PIPELINE_STOPPED);
}

const char *
dub_branch_get_language (DubBranch *self)
{
  return self->target_language;
}

DubPublish *
dub_branch_get_publish (DubBranch *self)
{
  return self->publish;
}

gboolean
dub_branch_is_drained (const DubBranch *self)
{
  return self->is_drained;
}

gboolean
dub_branch_has_ended (const DubBranch *self)
{
  return self->has_ended;
}

const GError *
dub_branch_get_loss (DubBranch *self, gint64 *ret_since_ns)
{
  DubPublisherStats stats;

  dub_publish_get_stats (self->publish, &stats);
  if (stats.lost_since_ns == DUB_TIME_NONE || !self->output_error)
    return NULL;
  *ret_since_ns = stats.lost_since_ns;
  return self->output_error;
}

char *
dub_branch_metrics_to_text (DubBranch *self)
{
  return dub_worker_metrics_to_text (self->metrics);
}
