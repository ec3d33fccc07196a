/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * A block of interleaved signed 16-bit PCM, host byte order (we build for
 * little-endian hosts only; asserted). Immutable and reference-counted, so it
 * crosses threads freely.
 *
 * A frame is one sample of every channel; all counts are in frames.
 *
 * Any thread.
 */
G_BEGIN_DECLS

typedef struct {
  /*< private >*/
  gatomicrefcount ref_count;
  GBytes *bytes;
  /*< public, read only >*/
  const gint16 *samples; /* frames * channels */
  gsize frames;
  guint rate_hz;
  guint channels;
  gint64 pts_ns; /* time of the first frame, DUB_TIME_NONE when unknown */
} DubPcm;

/* Takes bytes (transfer full); a length that is no whole number of frames is
 * a programming mistake. */
DubPcm *dub_pcm_new (
    GBytes *bytes, guint rate_hz, guint channels, gint64 pts_ns);
/* Zeros. */
DubPcm *dub_pcm_new_silence (
    gsize frames, guint rate_hz, guint channels, gint64 pts_ns);
/* A view of [first, first + frames) that shares the memory. */
DubPcm *dub_pcm_slice (DubPcm *pcm, gsize first, gsize frames);
/* Channels averaged into one, or one copied into two. */
DubPcm *dub_pcm_to_channels (DubPcm *pcm, guint channels);
DubPcm *dub_pcm_ref (DubPcm *pcm);
void dub_pcm_unref (DubPcm *pcm);

gint64 dub_pcm_duration_ns (const DubPcm *pcm);
/* Root mean square over all channels, dBFS (a full-scale sine is -3.01),
 * clamped to [-100, 0]; digital silence is -100. */
double dub_pcm_rms_db (const gint16 *samples, gsize count);

/* frames <-> nanoseconds without rounding drift: floor (x * to / from). */
gint64 dub_frames_to_ns (gint64 frames, guint rate_hz);
gint64 dub_ns_to_frames (gint64 ns, guint rate_hz); /* rounds to nearest */

void dub_pcm_s16_to_f32 (const gint16 *from, float *to, gsize count);
/* Saturates; NaN becomes 0. */
void dub_pcm_f32_to_s16 (const float *from, gint16 *to, gsize count);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubPcm, dub_pcm_unref)

G_END_DECLS
