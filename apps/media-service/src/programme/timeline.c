/* SPDX-License-Identifier: Apache-2.0 */
#include "timeline.h"

#include "dts.h"
#include "dub_layer.h"
#include "mixer.h"
#include "sound_store.h"

#define REPEAT_NS DUB_NS_PER_S
#define SOUND_CHANNELS DUB_PROGRAMME_CHANNELS

typedef struct {
  DubAccessUnit *unit;
  GBytes *config; /* (nullable) that it decodes with */
  gboolean is_epoch_start;
  gboolean is_after_loss; /* pictures before it are missing */
} Picture;

struct _DubTimeline {
  const DubProgrammeParams *params;
  DubProgrammeSinks sinks;
  DubProgrammeStats *stats;
  gpointer user_data;
  gint64 departure_ns;

  GQueue pictures; /* Picture, decode order */
  gsize picture_bytes;
  DubDts *dts; /* of the pictures, in step with them */
  GBytes *config_in, *config_out;
  gboolean is_loss_pending; /* the next picture comes after a loss */
  gboolean needs_key;
  gboolean is_dropping_video, is_dropping_sound;
  DubAccessUnit *last_key; /* that has left, for the hold */
  gint64 last_left_ns;     /* largest pts or dts that has left */
  gint64 newest_ns;        /* largest order time taken in */

  DubSoundStore *sound;
  gint64 next_frame;
  DubDubLayer *dubs;
  DubMixer *mixer;
  gint16 *original; /* a block and its look-ahead */
  float *dub, *target;

  gboolean is_started;
  gboolean is_lost, is_ended;
  gboolean is_closed; /* drained: nothing leaves until an epoch opens */
  gboolean is_holding;
};

static void
picture_free (Picture *picture)
{
  dub_access_unit_unref (picture->unit);
  g_clear_pointer (&picture->config, g_bytes_unref);
  g_free (picture);
}

DubTimeline *
dub_timeline_new (const DubProgrammeParams *params,
    const DubProgrammeSinks *sinks, DubProgrammeStats *stats,
    gpointer user_data)
{
  DubTimeline *self = g_new0 (DubTimeline, 1);
  gsize span = params->block_frames + DUB_MIXER_LOOK_AHEAD;

  self->params = params;
  self->sinks = *sinks;
  self->stats = stats;
  self->user_data = user_data;
  g_queue_init (&self->pictures);
  self->dts = dub_dts_new ();
  self->needs_key = TRUE;
  self->sound = dub_sound_store_new (SOUND_CHANNELS);
  self->dubs = dub_dub_layer_new (params, sinks, stats, user_data);
  self->mixer = dub_mixer_new (params->rate_hz, params->block_frames,
      params->duck_down_ns, params->duck_up_ns);
  self->original = g_new0 (gint16, span * SOUND_CHANNELS);
  self->dub = g_new0 (float, span *SOUND_CHANNELS);
  self->target = g_new0 (float, span);
  return self;
}

void
dub_timeline_free (DubTimeline *self)
{
  Picture *picture;

  if (self == NULL)
    return;
  while ((picture = g_queue_pop_head (&self->pictures)) != NULL)
    picture_free (picture);
  g_clear_pointer (&self->dts, dub_dts_free);
  g_clear_pointer (&self->config_in, g_bytes_unref);
  g_clear_pointer (&self->config_out, g_bytes_unref);
  g_clear_pointer (&self->last_key, dub_access_unit_unref);
  g_clear_pointer (&self->sound, dub_sound_store_free);
  g_clear_pointer (&self->dubs, dub_dub_layer_free);
  g_clear_pointer (&self->mixer, dub_mixer_free);
  g_free (self->original);
  g_free (self->dub);
  g_free (self->target);
  g_free (self);
}

static void
emit (DubTimeline *self, const DubProgrammeEvent *event)
{
  if (self->sinks.event != NULL)
    self->sinks.event (event, self->user_data);
}

/* Once for each run of them; the counters have them all. */
static void
emit_video_dropped (DubTimeline *self, gint64 media_ns, const char *detail)
{
  if (self->is_dropping_video)
    return;
  self->is_dropping_video = TRUE;
  emit (self, &(DubProgrammeEvent){.type = DUB_EVENT_VIDEO_DROPPED,
                  .media_ns = media_ns,
                  .detail = detail});
}

static gint64
ns_of (const DubTimeline *self, gint64 frame)
{
  return dub_frames_to_ns (frame, self->params->rate_hz);
}

void
dub_timeline_set_departure (DubTimeline *self, gint64 departure_ns)
{
  self->departure_ns = departure_ns;
}

gint64
dub_timeline_next_frame (const DubTimeline *self)
{
  return self->next_frame;
}

gint64
dub_timeline_video_end_ns (const DubTimeline *self)
{
  return self->newest_ns;
}

gint64
dub_timeline_sound_end_frame (const DubTimeline *self)
{
  return dub_sound_store_end (self->sound);
}

/* ---- taking in ---- */

/* Rendering begins, or begins again after the output was closed. */
static void
open_output (DubTimeline *self, gint64 media_ns)
{
  if (self->is_started && !self->is_closed)
    return;
  self->is_started = TRUE;
  self->is_closed = FALSE;
  self->needs_key = TRUE;
  self->next_frame = MAX (
      self->next_frame, dub_ns_to_frames (media_ns, self->params->rate_hz));
}

static gboolean
is_full (const DubTimeline *self, const DubAccessUnit *unit)
{
  return self->pictures.length >= DUB_PROGRAMME_MAX_VIDEO_UNITS ||
         self->picture_bytes + g_bytes_get_size (unit->data) >
             DUB_PROGRAMME_MAX_VIDEO_BYTES;
}

static void
remember_config (DubTimeline *self, const DubAccessUnit *unit)
{
  if (unit->codec_data == NULL)
    return;
  g_clear_pointer (&self->config_in, g_bytes_unref);
  self->config_in = g_bytes_ref (unit->codec_data);
}

static gboolean
refuse_video (DubTimeline *self, DubAccessUnit *unit, guint64 *counter,
    const char *detail)
{
  (*counter)++;
  emit_video_dropped (self, unit->pts_ns, detail);
  self->is_loss_pending = TRUE;
  dub_access_unit_unref (unit);
  return FALSE;
}

gboolean
dub_timeline_add_video (DubTimeline *self, DubAccessUnit *unit, gint64 order_ns,
    gboolean is_epoch_start, gint64 now_ns)
{
  Picture *picture;

  remember_config (self, unit);
  if (is_epoch_start)
    open_output (self, order_ns);
  if (order_ns + self->departure_ns < now_ns)
    return refuse_video (self, unit, &self->stats->video_dropped_late, "late");
  if (is_full (self, unit))
    return refuse_video (self, unit, &self->stats->video_dropped_full, "full");
  picture = g_new0 (Picture, 1);
  picture->unit = unit;
  picture->config =
      self->config_in != NULL ? g_bytes_ref (self->config_in) : NULL;
  picture->is_epoch_start = is_epoch_start;
  picture->is_after_loss = self->is_loss_pending;
  self->is_loss_pending = FALSE;
  self->picture_bytes += g_bytes_get_size (unit->data);
  self->newest_ns = MAX (self->newest_ns, order_ns);
  g_queue_push_tail (&self->pictures, picture);
  dub_dts_push (self->dts, unit->pts_ns, unit->dts_ns);
  return TRUE;
}

void
dub_timeline_note_loss (DubTimeline *self)
{
  self->is_loss_pending = TRUE;
}

static void
count_dropped_sound (
    DubTimeline *self, gint64 first_frame, gint64 frames, const char *detail)
{
  self->stats->sound_frames_dropped += frames;
  if (self->is_dropping_sound)
    return;
  self->is_dropping_sound = TRUE;
  emit (self, &(DubProgrammeEvent){.type = DUB_EVENT_SOUND_DROPPED,
                  .media_ns = ns_of (self, first_frame),
                  .duration_ns = ns_of (self, frames),
                  .detail = detail});
}

void
dub_timeline_add_sound (DubTimeline *self, gint64 first_frame, DubPcm *pcm)
{
  gint64 late = CLAMP (self->next_frame - first_frame, 0, (gint64) pcm->frames);
  gint64 limit =
      dub_ns_to_frames (DUB_PROGRAMME_MAX_SOUND_NS, self->params->rate_hz);

  if (late > 0)
    count_dropped_sound (self, first_frame, late, "late");
  if (late == (gint64) pcm->frames) {
    dub_pcm_unref (pcm);
    return;
  }
  if (first_frame + (gint64) pcm->frames - self->next_frame > limit) {
    count_dropped_sound (self, first_frame, pcm->frames, "full");
    dub_pcm_unref (pcm);
    return;
  }
  if (late > 0) {
    DubPcm *rest = dub_pcm_slice (pcm, late, pcm->frames - late);

    dub_pcm_unref (pcm);
    pcm = rest;
  }
  self->is_dropping_sound = FALSE;
  dub_sound_store_append (self->sound, first_frame + late, pcm);
}

void
dub_timeline_add_dub (
    DubTimeline *self, const DubFragment *slot, DubAnswer *answer)
{
  dub_dub_layer_add (self->dubs, slot, answer);
}

void
dub_timeline_add_region (
    DubTimeline *self, gint64 first_frame, gint64 frames, float gain)
{
  dub_dub_layer_add_region (
      self->dubs, first_frame, first_frame + frames, gain);
}

void
dub_timeline_set_lost (DubTimeline *self, gboolean is_lost)
{
  self->is_lost = is_lost;
}

void
dub_timeline_set_ended (DubTimeline *self)
{
  self->is_ended = TRUE;
}

DubPcm *
dub_timeline_copy_sound (
    const DubTimeline *self, gint64 first_frame, gint64 frames)
{
  g_autoptr (DubPcm) stereo = NULL;
  gsize size = frames * SOUND_CHANNELS * sizeof (gint16);
  gint16 *samples;

  if (frames <= 0 || first_frame < self->next_frame ||
      first_frame + frames > dub_sound_store_end (self->sound))
    return NULL;
  samples = g_malloc (size);
  dub_sound_store_read (self->sound, first_frame, frames, samples);
  stereo = dub_pcm_new (g_bytes_new_take (samples, size), self->params->rate_hz,
      SOUND_CHANNELS, ns_of (self, first_frame));
  return dub_pcm_to_channels (stereo, 1);
}

/* ---- video leaves ---- */

static void
send_video (DubTimeline *self, DubAccessUnit *unit, GBytes *config)
{
  gboolean is_new =
      config != NULL &&
      (self->config_out == NULL || !g_bytes_equal (config, self->config_out));

  g_clear_pointer (&unit->codec_data, g_bytes_unref);
  if (is_new) {
    unit->codec_data = g_bytes_ref (config);
    g_clear_pointer (&self->config_out, g_bytes_unref);
    self->config_out = g_bytes_ref (config);
  }
  self->last_left_ns =
      MAX (self->last_left_ns, MAX (unit->pts_ns, unit->dts_ns));
  self->stats->video_out++;
  self->stats->video_keys_out += unit->is_key;
  self->stats->video_bytes_out += g_bytes_get_size (unit->data);
  if (self->sinks.video != NULL)
    self->sinks.video (unit, self->user_data);
  else
    dub_access_unit_unref (unit);
}

static void
end_hold (DubTimeline *self)
{
  if (!self->is_holding)
    return;
  self->is_holding = FALSE;
  emit (self, &(DubProgrammeEvent){
                  .type = DUB_EVENT_HOLD_END, .media_ns = self->last_left_ns});
}

static void
begin_hold (DubTimeline *self)
{
  if (self->is_holding || self->is_ended)
    return;
  self->is_holding = TRUE;
  self->stats->holds++;
  emit (self, &(DubProgrammeEvent){.type = DUB_EVENT_HOLD_BEGIN,
                  .media_ns = self->last_left_ns});
}

static void
keep_last_key (DubTimeline *self, DubAccessUnit *unit)
{
  if (!unit->is_key)
    return;
  g_clear_pointer (&self->last_key, dub_access_unit_unref);
  self->last_key = dub_access_unit_ref (unit);
}

static void
leave_picture (DubTimeline *self)
{
  Picture *picture = g_queue_pop_head (&self->pictures);
  DubAccessUnit *unit = picture->unit;
  gint64 pts_ns = 0, dts_ns = 0;

  dub_dts_peek (self->dts, &pts_ns, &dts_ns);
  self->picture_bytes -= g_bytes_get_size (unit->data);
  if (picture->is_after_loss)
    self->needs_key = TRUE;
  if (self->needs_key && !unit->is_key) {
    dub_dts_pop (self->dts, DUB_TIME_NONE);
    self->stats->video_dropped_key_wait++;
    emit_video_dropped (self, pts_ns, "key_wait");
  } else {
    dub_dts_pop (self->dts, dts_ns);
    self->needs_key = FALSE;
    self->is_dropping_video = FALSE;
    end_hold (self);
    keep_last_key (self, unit);
    send_video (
        self, dub_access_unit_retimed (unit, pts_ns, dts_ns), picture->config);
  }
  picture_free (picture);
}

/* The picture that was last complete on its own, once more. What follows it
 * must be complete on its own, too. */
static void
repeat_key (DubTimeline *self)
{
  gint64 media_ns = self->last_left_ns + REPEAT_NS;

  self->needs_key = TRUE;
  self->stats->video_repeated++;
  dub_dts_note_left (self->dts, media_ns);
  send_video (
      self, dub_access_unit_retimed (self->last_key, media_ns, media_ns), NULL);
}

/* ---- sound leaves ---- */

static void
mix_block (DubTimeline *self, gint16 *out)
{
  gsize frames = self->params->block_frames;
  DubMixerInput input;

  dub_sound_store_read (self->sound, self->next_frame + frames,
      DUB_MIXER_LOOK_AHEAD, self->original + frames * SOUND_CHANNELS);
  dub_dub_layer_fill (self->dubs, self->next_frame,
      frames + DUB_MIXER_LOOK_AHEAD, self->dub, self->target, &input);
  input.original = self->original;
  dub_mixer_run (self->mixer, &input, out);
}

static void
render_block (DubTimeline *self)
{
  gsize frames = self->params->block_frames;
  gsize size = frames * SOUND_CHANNELS * sizeof (gint16);
  gint16 *out = g_malloc (size);
  gsize found;

  dub_dub_layer_place (
      self->dubs, self->next_frame, frames + DUB_MIXER_LOOK_AHEAD);
  if (dub_mixer_is_idle (self->mixer) &&
      dub_dub_layer_is_clear (
          self->dubs, self->next_frame, frames + DUB_MIXER_LOOK_AHEAD)) {
    found = dub_sound_store_read (self->sound, self->next_frame, frames, out);
  } else {
    found = dub_sound_store_read (
        self->sound, self->next_frame, frames, self->original);
    mix_block (self, out);
  }
  self->stats->sound_frames_silent += frames - found;
  self->stats->sound_frames_out += frames;
  if (self->sinks.sound != NULL)
    self->sinks.sound (
        dub_pcm_new (g_bytes_new_take (out, size), self->params->rate_hz,
            SOUND_CHANNELS, ns_of (self, self->next_frame)),
        self->user_data);
  else
    g_free (out);
  self->next_frame += frames;
  dub_dub_layer_advance (self->dubs, self->next_frame);
  dub_sound_store_discard_before (self->sound, self->next_frame);
}

/* ---- what is due ---- */

static gboolean
has_sound (const DubTimeline *self)
{
  return dub_sound_store_end (self->sound) > self->next_frame;
}

/* All that was taken in has left. */
static gboolean
is_empty (const DubTimeline *self)
{
  return self->pictures.length == 0 && !has_sound (self) &&
         dub_dub_layer_end_frame (self->dubs) <= self->next_frame;
}

static void
close_output (DubTimeline *self)
{
  self->is_closed = TRUE;
  emit (self, &(DubProgrammeEvent){
                  .type = DUB_EVENT_DRAINED, .media_ns = self->last_left_ns});
}

/* TRUE: this was the last; nothing is due any more. */
static gboolean
check_empty (DubTimeline *self)
{
  if (!is_empty (self))
    return FALSE;
  if (self->is_ended ||
      (self->is_lost && self->params->source_loss == DUB_SOURCE_LOSS_CLOSE)) {
    close_output (self);
    return TRUE;
  }
  begin_hold (self);
  return FALSE;
}

static gint64
picture_due_ns (DubTimeline *self)
{
  gint64 pts_ns, dts_ns;

  if (!dub_dts_peek (self->dts, &pts_ns, &dts_ns))
    return G_MAXINT64;
  return dts_ns + self->departure_ns;
}

static gint64
sound_due_ns (const DubTimeline *self)
{
  return ns_of (self, self->next_frame) + self->departure_ns -
         self->params->lead_ns;
}

/* In a hold, and in the hole before an epoch that is already there; not when
 * that one goes on in the middle of a GOP, whose references must stay. */
static gint64
repeat_due_ns (const DubTimeline *self)
{
  const Picture *next = g_queue_peek_head ((GQueue *) &self->pictures);
  gboolean is_hole = next != NULL ? next->is_epoch_start && next->unit->is_key
                                  : self->is_holding;

  if (!is_hole || self->last_key == NULL || self->is_ended ||
      self->params->source_loss != DUB_SOURCE_LOSS_HOLD)
    return G_MAXINT64;
  return self->last_left_ns + REPEAT_NS + self->departure_ns;
}

gint64
dub_timeline_run (DubTimeline *self, gint64 now_ns)
{
  while (self->is_started && !self->is_closed) {
    gint64 picture_ns = picture_due_ns (self);
    gint64 sound_ns = sound_due_ns (self);
    gint64 repeat_ns = repeat_due_ns (self);
    gint64 due_ns = MIN (picture_ns, MIN (sound_ns, repeat_ns));

    if (due_ns > now_ns)
      return due_ns;
    if (due_ns == picture_ns)
      leave_picture (self);
    else if (due_ns == sound_ns)
      render_block (self);
    else
      repeat_key (self);
    if (check_empty (self))
      break;
  }
  return G_MAXINT64;
}

void
dub_timeline_get_gauges (const DubTimeline *self, DubProgrammeStats *stats)
{
  gint64 sound = dub_sound_store_end (self->sound) - self->next_frame;

  stats->video_units = self->pictures.length;
  stats->video_buffered_bytes = self->picture_bytes;
  stats->video_buffered_ns = self->pictures.length > 0
                                 ? MAX (0, self->newest_ns - self->last_left_ns)
                                 : 0;
  stats->sound_buffered_ns = ns_of (self, MAX (0, sound));
  stats->dubs_waiting = dub_dub_layer_length (self->dubs);
  stats->is_holding = self->is_holding;
  stats->is_source_lost = self->is_lost;
  stats->media_ns =
      self->is_started ? ns_of (self, self->next_frame) : DUB_TIME_NONE;
}
