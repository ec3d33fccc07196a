/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Loudness after EBU R128 (libebur128): a dub is made as loud as the speech
 * it replaces, and never peaks above -1 dBTP. The gates of the measurement
 * leave pauses out, so it is that of the speech.
 *
 * Interleaved float32, one or two channels; one channel counts as if it came
 * out of both loudspeakers. Any thread.
 */
G_BEGIN_DECLS

#define DUB_LOUDNESS_SILENT (-70.0) /* LUFS; what is below has none */
#define DUB_LOUDNESS_MAX_TRUE_PEAK (-1.0)

typedef struct {
  double lufs;         /* integrated; DUB_LOUDNESS_SILENT at least */
  double true_peak_db; /* dBTP */
} DubLoudness;

DubLoudness dub_loudness_measure (
    const float *samples, gsize frames, guint channels, guint rate_hz);

/* Only the loudness, which is much cheaper. */
double dub_loudness_integrated (
    const float *samples, gsize frames, guint channels, guint rate_hz);

/*
 * Brings samples to target_lufs (held to what is sane for speech, -42 to -10)
 * by a constant gain of at most 30 dB and a limiter that works only on peaks.
 * Returns what was reached.
 */
DubLoudness dub_loudness_match (float *samples, gsize frames, guint channels,
    guint rate_hz, double target_lufs);

G_END_DECLS
