/* SPDX-License-Identifier: Apache-2.0 */
#include "programme.h"

#include "departure_clock.h"
#include "early_watch.h"
#include "file_clock.h"
#include "late_watch.h"
#include "media_clock.h"
#include "mixer.h"
#include "segment/segmenter.h"
#include "sound_track.h"
#include "sts/tracker.h"
#include "timeline.h"
#include <math.h>

/* Sound that came before the key frame of its epoch: a long GOP's worth. */
#define PENDING_NS (12 * DUB_NS_PER_S)
#define MAX_SOUND_PUSH_NS DUB_NS_PER_S
/* No picture is shown so long after it is decoded. */
#define MAX_AHEAD_NS (20 * DUB_NS_PER_S)
#define MAX_SOURCE_NS (G_GINT64_CONSTANT (3155760000) * DUB_NS_PER_S / 2)
/* File mode: how much may be held, well within the fixed limits, and how far
 * the detector may be behind. */
#define FILE_AHEAD_NS (40 * DUB_NS_PER_S)
#define FILE_UNJUDGED_NS (5 * DUB_NS_PER_S)
#define FILE_KEPT_BACK_NS (250 * DUB_NS_PER_MS)
#define FILE_WAITING 8
/* Slots that are remembered as asked for twice; far more than are held. */
#define FILE_RETRIED 64
/* Sound without a source time, before any with one. */
#define NO_SOURCE_NS 0

struct _DubProgramme {
  DubProgrammeParams params;
  DubProgrammeSinks sinks;
  gpointer user_data;
  DubProgrammeStats stats;

  DubMediaClock *media_clock;
  DubDepartureClock departure;
  DubSoundTrack *sound_track;
  DubSegmenter *segmenter; /* NULL: pass-through */
  DubTracker *tracker;
  DubTimeline *timeline;

  GQueue pending; /* DubPcm before the first key frame of a connection */
  gint64 pending_ns;
  gint64 sound_source_end_ns; /* where sound without a pts goes on */
  DubLateWatch late;
  DubEarlyWatch early;
  gboolean is_ended;
  gboolean is_overlapped; /* the last sound that came, as a whole */
  guint64 next_number;
  gint64 judged_frame;           /* one past the last mark */
  guint64 retried[FILE_RETRIED]; /* numbers + 1 of slots; a ring */
  guint n_retried;
  DubBreakerState breaker_told;
  gint64 now_ns; /* for callbacks inside a call */
};

static void
emit (DubProgramme *self, const DubProgrammeEvent *event)
{
  if (self->sinks.event != NULL)
    self->sinks.event (event, self->user_data);
}

static gint64
ns_of (const DubProgramme *self, gint64 frames)
{
  return dub_frames_to_ns (frames, self->params.rate_hz);
}

static gint64
departure_ns (const DubProgramme *self)
{
  return dub_departure_clock_offset_ns (&self->departure) +
         self->params.output_delay_ns;
}

/* No time passes for a file: an epoch follows the one before it. */
static gint64
passed_ns (const DubProgramme *self)
{
  if (self->params.is_file)
    return 0;
  return self->now_ns - dub_departure_clock_offset_ns (&self->departure);
}

/* Brings the departure clock, and what hangs on it, up to now. */
static void
set_now (DubProgramme *self, gint64 now_ns)
{
  self->now_ns = now_ns;
  if (self->params.is_file)
    return;
  dub_departure_clock_advance (&self->departure, now_ns);
  dub_timeline_set_departure (self->timeline, departure_ns (self));
}

/* ---- segments and fragments ---- */

static void
count_segment (DubProgramme *self, const DubSegment *segment)
{
  DubProgrammeStats *stats = &self->stats;

  stats->segment_frames += segment->frames;
  switch (segment->reason) {
    case DUB_CUT_SILENCE:
      stats->segments_silence++;
      break;
    case DUB_CUT_MAX_DURATION:
      stats->segments_max++;
      break;
    case DUB_CUT_MEMORY_LIMIT:
      stats->segments_memory++;
      break;
    case DUB_CUT_EOS:
      stats->segments_eos++;
      break;
    case DUB_CUT_NONE:
      break;
  }
}

static void
emit_fragment (DubProgramme *self, DubProgrammeEventType type,
    const DubFragment *fragment, const char *detail)
{
  emit (self, &(DubProgrammeEvent){.type = type,
                  .media_ns = fragment->pcm->pts_ns,
                  .duration_ns = dub_pcm_duration_ns (fragment->pcm),
                  .number = fragment->number,
                  .fragment_id = fragment->id,
                  .detail = detail,
                  .fragment = fragment});
}

static void
count_fallback (DubProgramme *self, DubFallbackReason reason)
{
  DubProgrammeStats *stats = &self->stats;

  switch (reason) {
    case DUB_FALLBACK_REASON_TIMEOUT:
      stats->fallback_timeout++;
      break;
    case DUB_FALLBACK_REASON_FAILED:
      stats->fallback_failed++;
      break;
    case DUB_FALLBACK_REASON_OVERLOAD:
      stats->fallback_overload++;
      break;
    case DUB_FALLBACK_REASON_DISCONNECTED:
      stats->fallback_disconnected++;
      break;
    case DUB_FALLBACK_REASON_NOT_READY:
      stats->fallback_not_ready++;
      break;
    case DUB_FALLBACK_REASON_GONE:
      stats->fallback_gone++;
      break;
    case DUB_FALLBACK_REASON_BREAKER_OPEN:
      stats->fallback_breaker++;
      break;
    case DUB_FALLBACK_REASON_NONE:
      break;
  }
}

static void
apply_fallback_mode (DubProgramme *self, const DubPcm *slot)
{
  gint64 first = dub_ns_to_frames (slot->pts_ns, self->params.rate_hz);
  float gain = 0.0f;

  if (self->params.fallback_mode == DUB_FALLBACK_PASS_THROUGH)
    return;
  if (self->params.fallback_mode == DUB_FALLBACK_DUCKED_ORIGINAL)
    gain = (float) pow (10.0, self->params.duck_db / 20.0);
  dub_timeline_add_region (self->timeline, first, (gint64) slot->frames, gain);
}

static void
on_fallback (
    DubFragment *fragment, DubFallbackReason reason, gpointer user_data)
{
  DubProgramme *self = user_data;

  count_fallback (self, reason);
  apply_fallback_mode (self, fragment->pcm);
  emit_fragment (self, DUB_EVENT_FALLBACK, fragment,
      dub_fallback_reason_to_string (reason));
}

/* Says so when the breaker has moved. */
static void
tell_breaker (DubProgramme *self)
{
  const DubCircuitBreaker *breaker = dub_tracker_breaker (self->tracker);

  if (breaker->state == self->breaker_told)
    return;
  self->breaker_told = breaker->state;
  emit (self, &(DubProgrammeEvent){.type = DUB_EVENT_BREAKER,
                  .media_ns = passed_ns (self),
                  .detail = dub_breaker_state_to_string (breaker->state)});
}

static void
on_send (DubFragment *fragment, gpointer user_data)
{
  DubProgramme *self = user_data;

  self->stats.fragments_sent++;
  emit_fragment (self, DUB_EVENT_FRAGMENT_SENT, fragment, NULL);
  if (self->sinks.fragment != NULL)
    self->sinks.fragment (fragment, self->user_data);
  else
    dub_fragment_unref (fragment);
}

/* The last moment at which a dub of that slot can still be placed. */
static gint64
slot_deadline_ns (const DubProgramme *self, gint64 first_frame)
{
  if (self->params.is_file)
    return G_MAXINT64;
  return ns_of (self, first_frame) + departure_ns (self) +
         self->params.max_dub_lag_ns - self->params.lead_ns -
         ns_of (self, self->params.block_frames);
}

static void
on_segment (const DubSegment *segment, gpointer user_data)
{
  DubProgramme *self = user_data;
  DubPcm *pcm = dub_timeline_copy_sound (
      self->timeline, segment->first_frame, segment->frames);
  DubFragment *fragment;

  count_segment (self, segment);
  if (pcm == NULL) {
    count_fallback (self, DUB_FALLBACK_REASON_GONE);
    self->next_number++;
    return;
  }
  fragment = dub_fragment_new (self->next_number++, pcm, segment->reason,
      slot_deadline_ns (self, segment->first_frame),
      ns_of (self, segment->room_frames));
  emit_fragment (self, DUB_EVENT_SEGMENT, fragment,
      dub_cut_reason_to_string (segment->reason));
  dub_tracker_push (self->tracker, fragment, self->now_ns);
}

/* ---- life ---- */

static gint64
frames_of (const DubProgrammeParams *params, gint64 ns)
{
  return dub_ns_to_frames (ns, params->rate_hz);
}

static DubSegmenter *
new_segmenter (DubProgramme *self)
{
  const DubProgrammeParams *params = &self->params;
  gint64 max_ns = dub_programme_max_segment_ns (params);
  DubSegmenterParams p;

  if (params->segment_mode == DUB_SEGMENT_MODE_NONE || max_ns == 0)
    return NULL;
  dub_segmenter_params_init (&p, params->rate_hz);
  p.max_frames = frames_of (params, max_ns);
  p.min_frames =
      MAX (1, MIN (frames_of (params, params->min_segment_ns), p.max_frames));
  p.memory_frames = params->segment_bytes / (gint64) sizeof (gint16);
  p.pause_frames = frames_of (params, params->pause_ns);
  p.is_fixed = params->segment_mode == DUB_SEGMENT_MODE_FIXED;
  return dub_segmenter_new (&p, on_segment, self);
}

static DubTracker *
new_tracker (DubProgramme *self)
{
  DubTrackerParams params = {
      .max_inflight = self->params.max_inflight,
      .max_waiting = DUB_PROGRAMME_MAX_FRAGMENTS,
      .fragment_timeout_ns = self->params.fragment_timeout_ns,
      .breaker_failures = self->params.breaker_failures,
      .breaker_open_ns = self->params.breaker_open_ns,
  };
  DubTrackerFuncs funcs = {.send = on_send, .fallback = on_fallback};

  return dub_tracker_new (&params, &funcs, self);
}

DubProgramme *
dub_programme_new (const DubProgrammeParams *params,
    const DubProgrammeSinks *sinks, gpointer user_data)
{
  DubProgramme *self;

  g_return_val_if_fail (params->rate_hz > 0, NULL);
  g_return_val_if_fail (params->block_frames > 0 &&
                            params->block_frames % DUB_MIXER_LOOK_AHEAD == 0,
      NULL);
  self = g_new0 (DubProgramme, 1);
  self->params = *params;
  if (sinks != NULL)
    self->sinks = *sinks;
  self->user_data = user_data;
  dub_late_watch_reset (&self->late);
  self->sound_source_end_ns = DUB_TIME_NONE;
  g_queue_init (&self->pending);
  self->media_clock = dub_media_clock_new ();
  dub_departure_clock_init (&self->departure);
  self->sound_track =
      dub_sound_track_new (params->rate_hz, DUB_PROGRAMME_CHANNELS);
  self->timeline =
      dub_timeline_new (&self->params, &self->sinks, &self->stats, user_data);
  self->segmenter = new_segmenter (self);
  self->tracker = new_tracker (self);
  return self;
}

void
dub_programme_free (DubProgramme *self)
{
  if (self == NULL)
    return;
  g_queue_clear_full (&self->pending, (GDestroyNotify) dub_pcm_unref);
  g_clear_pointer (&self->segmenter, dub_segmenter_free);
  g_clear_pointer (&self->tracker, dub_tracker_free);
  g_clear_pointer (&self->timeline, dub_timeline_free);
  g_clear_pointer (&self->sound_track, dub_sound_track_free);
  g_clear_pointer (&self->media_clock, dub_media_clock_free);
  g_free (self);
}

/* ---- sound comes in ---- */

static void
emit_sound_event (DubProgramme *self, DubProgrammeEventType type,
    gint64 first_frame, gint64 frames)
{
  emit (self, &(DubProgrammeEvent){.type = type,
                  .media_ns = ns_of (self, first_frame),
                  .duration_ns = ns_of (self, frames)});
}

static void
note_placement (DubProgramme *self, const DubSoundPlacement *placement)
{
  self->stats.sound_resampled_frames += ABS (placement->resampled_frames);
  self->stats.sound_frames_dropped += placement->overlap_frames;
  self->stats.sound_corrections += placement->has_begun_correction;
  if (placement->gap_frames > 0) {
    self->stats.sound_gaps++;
    self->stats.sound_corrections++;
    emit_sound_event (self, DUB_EVENT_SOUND_GAP,
        placement->first_frame - placement->gap_frames, placement->gap_frames);
  }
  if (placement->overlap_frames > 0 && !self->is_overlapped) {
    self->stats.sound_overlaps++;
    self->stats.sound_corrections++;
    emit_sound_event (self, DUB_EVENT_SOUND_OVERLAP, placement->first_frame,
        placement->overlap_frames);
  }
  /* Sound from before the first picture is many packets and one overlap. */
  self->is_overlapped = placement->pcm == NULL && placement->overlap_frames > 0;
}

/* pcm: (transfer full), at media time */
static void
take_sound (DubProgramme *self, DubPcm *pcm)
{
  DubSoundPlacement placement;
  gint64 frames;

  dub_sound_track_push (self->sound_track, pcm, &placement);
  note_placement (self, &placement);
  if (placement.pcm == NULL)
    return;
  frames = (gint64) placement.pcm->frames;
  if (self->sinks.heard != NULL)
    self->sinks.heard (
        dub_pcm_ref (placement.pcm), placement.first_frame, self->user_data);
  dub_timeline_add_sound (self->timeline, placement.first_frame, placement.pcm);
  if (self->segmenter != NULL &&
      self->params.segment_mode == DUB_SEGMENT_MODE_FIXED)
    dub_segmenter_push (
        self->segmenter, placement.first_frame, frames, TRUE, 0.0);
}

/* The same sound at another time. */
static DubPcm *
retimed (DubPcm *pcm, gint64 pts_ns)
{
  return dub_pcm_new (
      g_bytes_ref (pcm->bytes), pcm->rate_hz, pcm->channels, pts_ns);
}

static void
emit_epoch (DubProgramme *self, gint64 media_ns)
{
  self->stats.epochs++;
  emit (self,
      &(DubProgrammeEvent){
          .type = self->stats.epochs == 1 ? DUB_EVENT_STARTED : DUB_EVENT_EPOCH,
          .media_ns = media_ns});
}

static void
hold_pending (DubProgramme *self, DubPcm *pcm)
{
  g_queue_push_tail (&self->pending, pcm);
  self->pending_ns += dub_pcm_duration_ns (pcm);
  while (self->pending_ns > PENDING_NS) {
    g_autoptr (DubPcm) oldest = g_queue_pop_head (&self->pending);

    self->pending_ns -= dub_pcm_duration_ns (oldest);
    self->stats.sound_frames_dropped += oldest->frames;
  }
}

/* Its pictures are, and it goes with them. */
static gboolean
is_early_sound (const DubProgramme *self, DubMapResult result, gint64 media_ns)
{
  return result != DUB_MAP_EPOCH &&
         dub_early_watch_is_dropping (&self->early) &&
         media_ns > passed_ns (self);
}

/* is_live: it arrives now, and so tells of the wall clock. pcm: (transfer
 * full), stereo, at source time */
static void
map_sound (DubProgramme *self, DubPcm *pcm, gboolean is_live)
{
  DubStamp stamp = {.track = DUB_TRACK_SOUND,
      .order_ns = pcm->pts_ns,
      .pts_ns = pcm->pts_ns,
      .duration_ns = dub_pcm_duration_ns (pcm)};
  gint64 order_ns, pts_ns;
  DubMapResult result = dub_media_clock_map (
      self->media_clock, &stamp, passed_ns (self), &order_ns, &pts_ns);

  if (result == DUB_MAP_NONE) {
    hold_pending (self, pcm);
    return;
  }
  if (result == DUB_MAP_EPOCH)
    emit_epoch (self, pts_ns);
  if (is_early_sound (self, result, pts_ns)) {
    dub_media_clock_give_back (self->media_clock);
    self->stats.sound_frames_dropped += pcm->frames;
    dub_pcm_unref (pcm);
    return;
  }
  if (result != DUB_MAP_OK)
    dub_sound_track_realign (self->sound_track);
  if (is_live && !self->params.is_file)
    dub_departure_clock_observe (&self->departure, pts_ns, self->now_ns);
  take_sound (self, retimed (pcm, pts_ns));
  dub_pcm_unref (pcm);
}

static void
flush_pending (DubProgramme *self)
{
  DubPcm *pcm;

  self->pending_ns = 0;
  while ((pcm = g_queue_pop_head (&self->pending)) != NULL)
    map_sound (self, pcm, FALSE);
}

/* What a demuxer makes of a broken stream must not overflow: half a century
 * either way is enough for every clock. */
static gboolean
is_usable_time (gint64 ns)
{
  return ns >= -MAX_SOURCE_NS && ns <= MAX_SOURCE_NS;
}

static gboolean
is_usable_sound (const DubProgramme *self, const DubPcm *pcm)
{
  return pcm->rate_hz == self->params.rate_hz && pcm->frames > 0 &&
         pcm->channels >= 1 && pcm->channels <= DUB_PROGRAMME_CHANNELS &&
         dub_pcm_duration_ns (pcm) <= MAX_SOUND_PUSH_NS &&
         (pcm->pts_ns == DUB_TIME_NONE || is_usable_time (pcm->pts_ns));
}

void
dub_programme_push_sound (DubProgramme *self, DubPcm *pcm, gint64 now_ns)
{
  G_GNUC_UNUSED g_autoptr (DubPcm) given = pcm;
  DubPcm *stereo;
  gint64 pts_ns = pcm->pts_ns;

  set_now (self, now_ns);
  self->stats.sound_frames_in += pcm->frames;
  if (!is_usable_sound (self, pcm) || self->is_ended) {
    self->stats.sound_frames_dropped += pcm->frames;
    return;
  }
  if (pts_ns == DUB_TIME_NONE)
    pts_ns = self->sound_source_end_ns != DUB_TIME_NONE
                 ? self->sound_source_end_ns
                 : NO_SOURCE_NS;
  self->sound_source_end_ns = pts_ns + dub_pcm_duration_ns (pcm);
  stereo = dub_pcm_to_channels (pcm, DUB_PROGRAMME_CHANNELS);
  map_sound (self, retimed (stereo, pts_ns), TRUE);
  dub_pcm_unref (stereo);
}

/* ---- video comes in ---- */

static gboolean
make_stamp (const DubAccessUnit *unit, DubStamp *ret_stamp)
{
  gboolean has_dts = unit->dts_ns != DUB_TIME_NONE;
  gint64 pts_ns = unit->pts_ns;

  if (pts_ns == DUB_TIME_NONE)
    pts_ns = unit->dts_ns;
  if (pts_ns == DUB_TIME_NONE || !is_usable_time (pts_ns) ||
      (has_dts && !is_usable_time (unit->dts_ns)))
    return FALSE;
  *ret_stamp = (DubStamp){.track = DUB_TRACK_VIDEO,
      .order_ns = has_dts ? unit->dts_ns : pts_ns,
      .pts_ns = pts_ns,
      .duration_ns = CLAMP (unit->duration_ns, 0, DUB_NS_PER_S),
      .is_reordered = !has_dts,
      .is_key = unit->is_key};
  return TRUE;
}

static void
refuse_video (DubProgramme *self)
{
  self->stats.video_dropped_invalid++;
  dub_timeline_note_loss (self->timeline);
}

/* TRUE: it is dropped, since with it the delay would grow. */
static gboolean
refuse_early (DubProgramme *self, DubMapResult result, gint64 order_ns)
{
  gboolean was_dropping = dub_early_watch_is_dropping (&self->early);

  if (result == DUB_MAP_EPOCH || self->params.is_file ||
      !dub_departure_clock_is_settled (&self->departure)) {
    dub_early_watch_reset (&self->early);
    return FALSE;
  }
  if (!dub_early_watch_note (
          &self->early, order_ns - passed_ns (self), self->now_ns))
    return FALSE;
  if (!was_dropping)
    emit (self, &(DubProgrammeEvent){.type = DUB_EVENT_VIDEO_DROPPED,
                    .media_ns = order_ns,
                    .detail = "early"});
  self->stats.video_dropped_early++;
  dub_timeline_note_loss (self->timeline);
  dub_media_clock_give_back (self->media_clock);
  return TRUE;
}

static void
take_video (
    DubProgramme *self, const DubAccessUnit *unit, const DubStamp *stamp)
{
  gint64 order_ns, pts_ns, dts_ns = DUB_TIME_NONE;
  DubMapResult result;

  dub_media_clock_request_epoch (self->media_clock,
      dub_late_watch_wants_epoch (&self->late, stamp->order_ns, self->now_ns) ||
          dub_early_watch_wants_epoch (&self->early, self->now_ns));
  result = dub_media_clock_map (
      self->media_clock, stamp, passed_ns (self), &order_ns, &pts_ns);
  if (result == DUB_MAP_NONE || ABS (pts_ns - order_ns) > MAX_AHEAD_NS) {
    refuse_video (self);
    return;
  }
  if (refuse_early (self, result, order_ns))
    return;
  if (!stamp->is_reordered)
    dts_ns = order_ns;
  if ((!stamp->is_reordered || stamp->is_key) && !self->params.is_file)
    dub_departure_clock_observe (&self->departure, order_ns, self->now_ns);
  dub_timeline_set_departure (self->timeline, departure_ns (self));
  if (result == DUB_MAP_EPOCH)
    emit_epoch (self, order_ns);
  dub_timeline_add_video (self->timeline,
      dub_access_unit_retimed (unit, pts_ns, dts_ns), order_ns,
      result == DUB_MAP_EPOCH, self->params.is_file ? 0 : self->now_ns);
  if (!self->params.is_file)
    dub_late_watch_note (&self->late, stamp->order_ns,
        self->now_ns - order_ns - departure_ns (self), self->now_ns);
  if (result == DUB_MAP_EPOCH)
    flush_pending (self);
}

void
dub_programme_push_video (
    DubProgramme *self, DubAccessUnit *unit, gint64 now_ns)
{
  G_GNUC_UNUSED g_autoptr (DubAccessUnit) given = unit;
  DubStamp stamp;

  set_now (self, now_ns);
  self->stats.video_in++;
  if (self->is_ended || !make_stamp (unit, &stamp)) {
    refuse_video (self);
    return;
  }
  take_video (self, unit, &stamp);
}

/* ---- the connection ---- */

void
dub_programme_source_reset (DubProgramme *self, gint64 now_ns)
{
  DubPcm *pcm;

  set_now (self, now_ns);
  dub_media_clock_reset (self->media_clock);
  dub_timeline_set_lost (self->timeline, FALSE);
  self->sound_source_end_ns = DUB_TIME_NONE;
  dub_late_watch_reset (&self->late);
  dub_early_watch_reset (&self->early);
  self->pending_ns = 0;
  while ((pcm = g_queue_pop_head (&self->pending)) != NULL) {
    self->stats.sound_frames_dropped += pcm->frames;
    dub_pcm_unref (pcm);
  }
}

void
dub_programme_source_lost (DubProgramme *self, gint64 now_ns)
{
  set_now (self, now_ns);
  dub_timeline_set_lost (self->timeline, TRUE);
  if (self->segmenter != NULL)
    dub_segmenter_flush (self->segmenter);
}

void
dub_programme_source_ended (DubProgramme *self, gint64 now_ns)
{
  dub_programme_source_lost (self, now_ns);
  self->is_ended = TRUE;
  dub_timeline_set_ended (self->timeline);
}

/* ---- speech ---- */

void
dub_programme_push_mark (DubProgramme *self, gint64 first_frame, gint64 frames,
    gboolean is_speech, double level_db, gint64 now_ns)
{
  set_now (self, now_ns);
  if (self->segmenter == NULL || self->is_ended ||
      self->params.segment_mode != DUB_SEGMENT_MODE_SPEECH)
    return;
  self->judged_frame = MAX (self->judged_frame, first_frame + frames);
  dub_segmenter_push (
      self->segmenter, first_frame, frames, is_speech, level_db);
}

void
dub_programme_set_sts (DubProgramme *self, DubStsState state,
    guint max_inflight, gint64 send_delay_ns, gint64 now_ns)
{
  DubTrackerState tracker_state = DUB_TRACKER_LOST;

  set_now (self, now_ns);
  if (state == DUB_STS_READY)
    tracker_state = DUB_TRACKER_READY;
  else if (state == DUB_STS_PAUSED)
    tracker_state = DUB_TRACKER_PAUSED;
  dub_tracker_set_state (
      self->tracker, tracker_state, max_inflight, send_delay_ns, now_ns);
  tell_breaker (self);
}

static void
ignore_answer (DubProgramme *self, const DubAnswer *answer, DubVerdict verdict)
{
  const char *detail = "unknown";

  if (verdict == DUB_VERDICT_LATE) {
    self->stats.answers_late++;
    detail = "late";
  } else if (verdict == DUB_VERDICT_DUPLICATE) {
    self->stats.answers_duplicate++;
    detail = "duplicate";
  } else {
    self->stats.answers_unknown++;
  }
  emit (self, &(DubProgrammeEvent){.type = DUB_EVENT_ANSWER_IGNORED,
                  .fragment_id = answer->fragment_id,
                  .detail = detail,
                  .answer = answer});
}

static gboolean
has_dub (const DubAnswer *answer)
{
  return (answer->status == DUB_ANSWER_SUCCESS ||
             answer->status == DUB_ANSWER_PARTIAL) &&
         answer->pcm != NULL;
}

static DubBreakerResult
judge_answer (const DubAnswer *answer)
{
  if (has_dub (answer))
    return DUB_BREAKER_RESULT_SUCCESS;
  return answer->counts_for_breaker ? DUB_BREAKER_RESULT_FAILURE
                                    : DUB_BREAKER_RESULT_NEUTRAL;
}

static gboolean
was_retried (const DubProgramme *self, guint64 number)
{
  for (guint i = 0; i < FILE_RETRIED; i++)
    if (self->retried[i] == number + 1)
      return TRUE;
  return FALSE;
}

/* A file has time to ask once more for what failed by chance: under another
 * id, since a service gives the old answer to an old one. */
static gboolean
ask_again (DubProgramme *self, const DubFragment *slot, const DubAnswer *answer)
{
  if (!self->params.is_file || !answer->is_retryable ||
      was_retried (self, slot->number))
    return FALSE;
  self->retried[self->n_retried++ % FILE_RETRIED] = slot->number + 1;
  dub_tracker_push (self->tracker,
      dub_fragment_new (slot->number, dub_pcm_ref (slot->pcm), slot->reason,
          slot->deadline_ns, slot->room_ns),
      self->now_ns);
  return TRUE;
}

void
dub_programme_push_answer (DubProgramme *self, DubAnswer *answer, gint64 now_ns)
{
  G_GNUC_UNUSED g_autoptr (DubAnswer) given = answer;
  g_autoptr (DubFragment) slot = NULL;
  DubVerdict verdict = DUB_VERDICT_NONE;

  set_now (self, now_ns);
  slot = dub_tracker_take_answer (self->tracker, answer->fragment_id,
      judge_answer (answer), now_ns, &verdict);
  tell_breaker (self);
  if (slot == NULL) {
    ignore_answer (self, answer, verdict);
    return;
  }
  if (has_dub (answer)) {
    self->stats.answers_ok++;
    emit (self, &(DubProgrammeEvent){.type = DUB_EVENT_ANSWERED,
                    .fragment_id = answer->fragment_id,
                    .number = slot->number,
                    .media_ns = slot->pcm->pts_ns,
                    .duration_ns = dub_frames_to_ns (
                        (gint64) slot->pcm->frames, slot->pcm->rate_hz),
                    .lag_ns = now_ns - slot->pcm->pts_ns - departure_ns (self),
                    .answer = answer});
    dub_timeline_add_dub (self->timeline, slot, answer);
    return;
  }
  self->stats.answers_failed++;
  if (!ask_again (self, slot, answer))
    on_fallback (slot, DUB_FALLBACK_REASON_FAILED, self);
}

/* ---- settings, run, statistics ---- */

void
dub_programme_set_mix (DubProgramme *self, DubMixMode mode, double duck_db)
{
  self->params.mix_mode = mode;
  self->params.duck_db = duck_db;
}

void
dub_programme_set_fallback (DubProgramme *self, DubFallbackMode mode)
{
  self->params.fallback_mode = mode;
}

/* ---- file mode ---- */

static gint64
unjudged_ns (const DubProgramme *self)
{
  if (self->segmenter == NULL ||
      self->params.segment_mode != DUB_SEGMENT_MODE_SPEECH)
    return 0;
  return ns_of (self, MAX (0, dub_timeline_sound_end_frame (self->timeline) -
                                  self->judged_frame));
}

gboolean
dub_programme_is_judged (const DubProgramme *self)
{
  return unjudged_ns (self) < FILE_KEPT_BACK_NS;
}

gboolean
dub_programme_has_room (const DubProgramme *self)
{
  DubProgrammeStats held = {0};

  dub_timeline_get_gauges (self->timeline, &held);
  return held.sound_buffered_ns < FILE_AHEAD_NS &&
         held.video_units < DUB_PROGRAMME_MAX_VIDEO_UNITS / 2 &&
         held.video_buffered_bytes < DUB_PROGRAMME_MAX_VIDEO_BYTES / 2 &&
         dub_tracker_waiting (self->tracker) < FILE_WAITING &&
         unjudged_ns (self) < FILE_UNJUDGED_NS;
}

/* The time up to which the timeline may run. */
static gint64
file_now_ns (DubProgramme *self)
{
  gint64 sound_end = dub_timeline_sound_end_frame (self->timeline);
  DubFileProgress progress = {
      .video_ns = dub_timeline_video_end_ns (self->timeline),
      .sound_ns = ns_of (self, sound_end),
      .speech_ns = ns_of (
          self, self->segmenter != NULL
                    ? MIN (sound_end,
                          dub_segmenter_get_settled_frame (self->segmenter))
                    : sound_end),
      .dubbing_ns = dub_tracker_oldest_ns (self->tracker),
      .is_ended = self->is_ended,
  };
  gint64 block_ns =
      ns_of (self, self->params.block_frames + DUB_MIXER_LOOK_AHEAD);
  gint64 limit_ns = dub_file_clock_ns (&progress, block_ns);

  return limit_ns == G_MAXINT64 ? limit_ns : limit_ns + departure_ns (self);
}

gint64
dub_programme_run (DubProgramme *self, gint64 now_ns)
{
  gint64 tracker_ns, timeline_ns;

  set_now (self, now_ns);
  tracker_ns = dub_tracker_run (self->tracker, now_ns);
  tell_breaker (self);
  timeline_ns = dub_timeline_run (
      self->timeline, self->params.is_file ? file_now_ns (self) : now_ns);
  /* A file's next step comes with a push. */
  return self->params.is_file ? tracker_ns : MIN (tracker_ns, timeline_ns);
}

void
dub_programme_get_stats (const DubProgramme *self, DubProgrammeStats *ret_stats)
{
  const DubCircuitBreaker *breaker = dub_tracker_breaker (self->tracker);

  *ret_stats = self->stats;
  ret_stats->breaker_state = breaker->state;
  ret_stats->breaker_failures = breaker->n_failures;
  ret_stats->breaker_transitions = breaker->n_transitions;
  dub_timeline_get_gauges (self->timeline, ret_stats);
  if (self->segmenter != NULL) {
    ret_stats->segments_short = dub_segmenter_get_n_short (self->segmenter);
    ret_stats->segment_open_ns =
        ns_of (self, dub_segmenter_get_open_frames (self->segmenter));
  }
  ret_stats->sound_offset_ns =
      (gint64) (dub_sound_track_offset_frames (self->sound_track) *
                (double) DUB_NS_PER_S / self->params.rate_hz);
  ret_stats->fragments_waiting = dub_tracker_waiting (self->tracker);
  ret_stats->fragments_inflight = dub_tracker_inflight (self->tracker);
  ret_stats->answer_p95_ns = dub_tracker_answer_p95_ns (self->tracker);
  ret_stats->clock_offset_ns = dub_departure_clock_offset_ns (&self->departure);
}
