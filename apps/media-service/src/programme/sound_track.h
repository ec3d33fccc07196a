/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/pcm.h>

/*
 * Where the samples of the original belong. The sample count rules, since pts
 * are rounded (RTMP: to 1 ms) and the samples are not:
 *
 *   pts against count     what happens
 *   below 5 ms            nothing: the sound stays sample for sample
 *   up to 40 ms           resampled away, by at most 0.1 % (1 ms per second)
 *   ahead by more         a gap: the next block starts later (silence)
 *   behind by more        an overlap: what would sound twice is dropped
 *
 * Where an epoch begins the sound goes where its pts says at once, if that is
 * 5 ms or more away: it belongs to other pictures now.
 *
 * The 5 ms are judged on a running mean, so that jitter does not start a
 * correction; it goes on until the mean is within 0.5 ms.
 *
 * Pure: no clock, no thread. One owner.
 */
G_BEGIN_DECLS

typedef struct _DubSoundTrack DubSoundTrack;

/* What became of a block. */
typedef struct {
  DubPcm *pcm;             /* (transfer full) (nullable): wholly dropped */
  gint64 first_frame;      /* media samples */
  gint64 gap_frames;       /* of silence before it */
  gint64 overlap_frames;   /* dropped from its front */
  gint64 resampled_frames; /* added (> 0) or taken out (< 0) */
  gboolean has_begun_correction; /* resampling starts with this block */
} DubSoundPlacement;

DubSoundTrack *dub_sound_track_new (guint rate_hz, guint channels);
void dub_sound_track_free (DubSoundTrack *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubSoundTrack, dub_sound_track_free)

/* pcm: (transfer full), its pts_ns media time. What lies before media time 0
 * counts as overlap. */
void dub_sound_track_push (
    DubSoundTrack *self, DubPcm *pcm, DubSoundPlacement *ret_placement);
/* The next block is the first of an epoch. */
void dub_sound_track_realign (DubSoundTrack *self);
/* Where the next block goes; 0 before the first. */
gint64 dub_sound_track_next_frame (const DubSoundTrack *self);

/* How far the sound lies from where its pts say, by the running mean: > 0, it
 * is early. Frames. */
double dub_sound_track_offset_frames (const DubSoundTrack *self);

G_END_DECLS
