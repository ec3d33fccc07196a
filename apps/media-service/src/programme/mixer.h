/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Two layers into one: the original, lowered or removed where it should be,
 * and the dub upon it. The gain of the original moves in a straight line, down
 * in 50 ms and up in 300 ms by default. A limiter holds the true peak (four
 * times oversampled) at -1 dBTP; it works only where a dub sounds, and while it
 * comes back from there.
 *
 * Where the gain is 1, no dub sounds and the limiter rests, what comes out is
 * what came in, sample for sample.
 *
 * The limiter sees DUB_MIXER_LOOK_AHEAD frames beyond the block, so it bends
 * down before a peak and never cuts it. Stereo, interleaved.
 *
 * Pure: no clock, no thread. One owner.
 */
G_BEGIN_DECLS

#define DUB_MIXER_LOOK_AHEAD 64
#define DUB_MIXER_CHANNELS 2
#define DUB_MIXER_TAPS 12 /* of each phase of the oversampling filter */

typedef struct _DubMixer DubMixer;

/* block_frames: a multiple of DUB_MIXER_LOOK_AHEAD */
DubMixer *dub_mixer_new (
    guint rate_hz, guint block_frames, gint64 down_ns, gint64 up_ns);
void dub_mixer_free (DubMixer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubMixer, dub_mixer_free)

/* Gain 1, limiter at rest: a block without dub and target needs no run. */
gboolean dub_mixer_is_idle (const DubMixer *self);

/* All of block_frames + DUB_MIXER_LOOK_AHEAD frames. */
typedef struct {
  const gint16 *original;
  const float *target;    /* the gain that the original shall have, 0 to 1 */
  const float *dub;       /* (nullable), in the scale of the original */
  gsize dub_from, dub_to; /* frames in which it sounds; zeros elsewhere */
} DubMixerInput;

/* out: block_frames */
void dub_mixer_run (DubMixer *self, const DubMixerInput *input, gint16 *out);

G_END_DECLS
