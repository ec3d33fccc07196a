/* SPDX-License-Identifier: Apache-2.0 */
#include "sound_track.h"

#include <math.h>
#include <string.h>

#define MAX_CHANNELS 2
#define LEAVE_MS 5.0
#define SETTLED_MS 0.5
#define JUMP_MS 40
/* One frame in a thousand: 0.1 %. */
#define FRAMES_PER_CORRECTION 1000
#define MEAN_BLOCKS 8

struct _DubSoundTrack {
  guint rate_hz;
  guint channels;
  gboolean has_started;
  gboolean is_overlapping; /* drop until new sound comes, to the sample */
  gboolean is_realigning;
  gint64 next_frame;
  double mean_frames; /* of pts less count */
  int correcting;     /* -1, 0, 1: frames added per FRAMES_PER_CORRECTION */
  gsize credit_frames;
  gint16 last[MAX_CHANNELS]; /* the frame before next_frame */
};

DubSoundTrack *
dub_sound_track_new (guint rate_hz, guint channels)
{
  DubSoundTrack *self = g_new0 (DubSoundTrack, 1);

  g_assert (channels >= 1 && channels <= MAX_CHANNELS);
  self->rate_hz = rate_hz;
  self->channels = channels;
  return self;
}

void
dub_sound_track_free (DubSoundTrack *self)
{
  g_free (self);
}

gint64
dub_sound_track_next_frame (const DubSoundTrack *self)
{
  return self->next_frame;
}

double
dub_sound_track_offset_frames (const DubSoundTrack *self)
{
  return self->mean_frames;
}

void
dub_sound_track_realign (DubSoundTrack *self)
{
  self->is_realigning = TRUE;
}

static double
frames_of (const DubSoundTrack *self, double ms)
{
  return ms * self->rate_hz / 1000.0;
}

static void
jump_to (DubSoundTrack *self, gint64 frame)
{
  self->next_frame = frame;
  self->mean_frames = 0;
  self->correcting = 0;
  self->credit_frames = 0;
  self->is_overlapping = FALSE;
  memset (self->last, 0, sizeof self->last);
}

/* Drops the first frames of *pcm; NULL when nothing is left. */
static void
drop_front (DubPcm **pcm, gint64 frames)
{
  DubPcm *rest = NULL;

  if (frames <= 0)
    return;
  if (frames < (gint64) (*pcm)->frames)
    rest = dub_pcm_slice (*pcm, frames, (*pcm)->frames - frames);
  dub_pcm_unref (*pcm);
  *pcm = rest;
}

/* The four-point cubic through y1 and y2. */
static double
cubic (double y0, double y1, double y2, double y3, double x)
{
  double c1 = 0.5 * (y2 - y0);
  double c2 = y0 - 2.5 * y1 + 2.0 * y2 - 0.5 * y3;
  double c3 = 0.5 * (y3 - y0) + 1.5 * (y1 - y2);

  return ((c3 * x + c2) * x + c1) * x + y1;
}

/* Frame i of the block; the one before it is the last of the block before,
 * those behind it repeat its last. */
static double
sample_at (const DubSoundTrack *self, const DubPcm *pcm, gint64 i, guint c)
{
  if (i < 0)
    return self->last[c];
  i = MIN (i, (gint64) pcm->frames - 1);
  return pcm->samples[i * self->channels + c];
}

/* The whole block stretched to frames; it begins and ends on a frame of the
 * input, so blocks before and behind may stay as they are. */
static DubPcm *
stretch (const DubSoundTrack *self, const DubPcm *pcm, gsize frames)
{
  gsize size = frames * self->channels * sizeof (gint16);
  gint16 *out = g_malloc (size);

  for (gsize j = 0; j < frames; j++) {
    double at = (double) j * pcm->frames / frames;
    gint64 i = (gint64) at;

    for (guint c = 0; c < self->channels; c++) {
      double y = cubic (sample_at (self, pcm, i - 1, c),
          sample_at (self, pcm, i, c), sample_at (self, pcm, i + 1, c),
          sample_at (self, pcm, i + 2, c), at - i);

      out[j * self->channels + c] = (gint16) CLAMP (lrint (y), -32768, 32767);
    }
  }
  return dub_pcm_new (
      g_bytes_new_take (out, size), pcm->rate_hz, pcm->channels, pcm->pts_ns);
}

static void
judge_mean (DubSoundTrack *self, double residual, DubSoundPlacement *placement)
{
  int before = self->correcting;

  self->mean_frames += (residual - self->mean_frames) / MEAN_BLOCKS;
  if (self->correcting == 0) {
    if (fabs (self->mean_frames) >= frames_of (self, LEAVE_MS))
      self->correcting = self->mean_frames > 0 ? 1 : -1;
  } else if (self->mean_frames * self->correcting <=
             frames_of (self, SETTLED_MS)) {
    self->correcting = 0;
    self->credit_frames = 0;
  }
  placement->has_begun_correction = before == 0 && self->correcting != 0;
}

static void
correct (DubSoundTrack *self, DubPcm **pcm, DubSoundPlacement *placement)
{
  gint64 frames;
  DubPcm *stretched;

  if (self->correcting == 0)
    return;
  self->credit_frames += (*pcm)->frames;
  frames = (gint64) (self->credit_frames / FRAMES_PER_CORRECTION);
  if (frames == 0 || frames >= (gint64) (*pcm)->frames)
    return;
  self->credit_frames %= FRAMES_PER_CORRECTION;
  frames *= self->correcting;
  stretched = stretch (self, *pcm, (*pcm)->frames + frames);
  dub_pcm_unref (*pcm);
  *pcm = stretched;
  self->mean_frames -= frames;
  placement->resampled_frames = frames;
}

static void
place (DubSoundTrack *self, DubPcm **pcm, DubSoundPlacement *placement)
{
  gint64 jump =
      (gint64) frames_of (self, self->is_realigning ? LEAVE_MS : JUMP_MS);
  gint64 due = dub_ns_to_frames ((*pcm)->pts_ns, self->rate_hz);
  gint64 residual = due - self->next_frame;

  self->is_realigning = FALSE;
  if (!self->has_started) {
    self->has_started = TRUE;
    jump_to (self, MAX (due, 0));
    residual = due - self->next_frame;
    placement->overlap_frames = -residual;
    self->is_overlapping = -residual >= (gint64) (*pcm)->frames;
  } else if (residual > jump) {
    placement->gap_frames = residual;
    jump_to (self, due);
  } else if (residual < -jump || (residual < 0 && self->is_overlapping)) {
    placement->overlap_frames = -residual;
    self->is_overlapping = -residual >= (gint64) (*pcm)->frames;
    self->mean_frames = 0;
    self->correcting = 0;
  } else {
    self->is_overlapping = FALSE;
    judge_mean (self, residual, placement);
    correct (self, pcm, placement);
  }
}

void
dub_sound_track_push (
    DubSoundTrack *self, DubPcm *pcm, DubSoundPlacement *ret_placement)
{
  g_return_if_fail (pcm->channels == self->channels);

  *ret_placement = (DubSoundPlacement){0};
  if (pcm->frames == 0) {
    dub_pcm_unref (pcm);
    return;
  }
  place (self, &pcm, ret_placement);
  ret_placement->overlap_frames =
      MIN (ret_placement->overlap_frames, (gint64) pcm->frames);
  drop_front (&pcm, ret_placement->overlap_frames);
  ret_placement->pcm = pcm;
  ret_placement->first_frame = self->next_frame;
  if (pcm == NULL)
    return;
  self->next_frame += pcm->frames;
  memcpy (self->last, pcm->samples + (pcm->frames - 1) * self->channels,
      self->channels * sizeof (gint16));
}
