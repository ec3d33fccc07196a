/* SPDX-License-Identifier: Apache-2.0 */
#include "loudness.h"

#include <ebur128.h>
#include <math.h>
#include <string.h>

#define MIN_TARGET (-42.0)
#define MAX_TARGET (-10.0)
#define MIN_GAIN_DB (-60.0)
#define MAX_GAIN_DB 30.0
/* The limiter sees samples; between them the wave goes a little higher. */
#define CEILING_DB (-1.4)
#define LOOKAHEAD_MS 2
#define RELEASE_MS 60
#define ROUNDS 4
#define CLOSE_ENOUGH_LU 0.2
/* One block of the measurement, and a bit. */
#define MIN_MEASURED_MS 450

static double
from_db (double db)
{
  return pow (10, db / 20);
}

static double
to_db (double value)
{
  return value > 1e-6 ? 20 * log10 (value) : -120;
}

static double
true_peak_db (ebur128_state *state, guint channels)
{
  double highest = 0;

  for (guint c = 0; c < channels; c++) {
    double peak = 0;
    if (ebur128_true_peak (state, c, &peak) == EBUR128_SUCCESS)
      highest = MAX (highest, peak);
  }
  return to_db (highest);
}

/* True peaks take four times as long as all the rest, so they are asked for
 * only when they matter. */
static DubLoudness
measure (const float *samples, gsize frames, guint channels, guint rate_hz,
    gboolean with_peak)
{
  DubLoudness result = {DUB_LOUDNESS_SILENT, -120};
  int mode = EBUR128_MODE_I | (with_peak ? EBUR128_MODE_TRUE_PEAK : 0);
  ebur128_state *state = NULL;
  gsize fed = 0;

  if (frames == 0)
    return result;
  state = ebur128_init (channels, rate_hz, mode);
  if (state == NULL)
    return result;
  if (channels == 1)
    ebur128_set_channel (state, 0, EBUR128_DUAL_MONO);
  /* A word shorter than one block is measured as if it were said again. */
  do {
    ebur128_add_frames_float (state, samples, frames);
    fed += frames;
  } while (fed < (gsize) rate_hz * MIN_MEASURED_MS / 1000);
  if (ebur128_loudness_global (state, &result.lufs) != EBUR128_SUCCESS ||
      !(result.lufs > DUB_LOUDNESS_SILENT))
    result.lufs = DUB_LOUDNESS_SILENT;
  if (with_peak)
    result.true_peak_db = true_peak_db (state, channels);
  ebur128_destroy (&state);
  return result;
}

DubLoudness
dub_loudness_measure (
    const float *samples, gsize frames, guint channels, guint rate_hz)
{
  return measure (samples, frames, channels, rate_hz, TRUE);
}

double
dub_loudness_integrated (
    const float *samples, gsize frames, guint channels, guint rate_hz)
{
  return measure (samples, frames, channels, rate_hz, FALSE).lufs;
}

static void
apply_gain (float *samples, gsize count, double gain)
{
  for (gsize i = 0; i < count; i++)
    samples[i] = (float) (samples[i] * gain);
}

static double
frame_peak (const float *samples, gsize frame, guint channels)
{
  double peak = 0;

  for (guint c = 0; c < channels; c++)
    peak = MAX (peak, fabs ((double) samples[frame * channels + c]));
  return peak;
}

/*
 * The gain of each frame is the lowest that any frame of the next few needs,
 * reached gradually and left slowly. Backward for the way down, then forward
 * for the way up.
 */
static void
limit (float *samples, gsize frames, guint channels, guint rate_hz)
{
  g_autofree float *gains = g_new (float, frames);
  double ceiling = from_db (CEILING_DB);
  double attack = 1.0 / MAX (1, rate_hz * LOOKAHEAD_MS / 1000);
  double release = 1.0 / MAX (1, rate_hz * RELEASE_MS / 1000);
  double gain = 1;

  for (gsize i = frames; i > 0; i--) {
    double peak = frame_peak (samples, i - 1, channels);
    double needed = peak > ceiling ? ceiling / peak : 1;
    gain = MIN (needed, gain + attack);
    gains[i - 1] = (float) gain;
  }
  gain = 1;
  for (gsize i = 0; i < frames; i++) {
    gain = MIN ((double) gains[i], gain + release);
    for (guint c = 0; c < channels; c++)
      samples[i * channels + c] *= (float) gain;
  }
}

static gboolean
is_over (const float *samples, gsize count)
{
  float ceiling = (float) from_db (CEILING_DB);

  for (gsize i = 0; i < count; i++)
    if (fabsf (samples[i]) > ceiling)
      return TRUE;
  return FALSE;
}

DubLoudness
dub_loudness_match (float *samples, gsize frames, guint channels, guint rate_hz,
    double target_lufs)
{
  gsize count = frames * channels;
  double target = CLAMP (target_lufs, MIN_TARGET, MAX_TARGET);
  double lufs = dub_loudness_integrated (samples, frames, channels, rate_hz);
  DubLoudness reached;

  /* Limiting costs loudness, so it takes a round or two. */
  for (guint round = 0; round < ROUNDS; round++) {
    double gain = CLAMP (target - lufs, MIN_GAIN_DB, MAX_GAIN_DB);

    if (lufs <= DUB_LOUDNESS_SILENT || fabs (gain) < CLOSE_ENOUGH_LU)
      break;
    apply_gain (samples, count, from_db (gain));
    if (!is_over (samples, count))
      break; /* a constant gain is exact */
    limit (samples, frames, channels, rate_hz);
    lufs = dub_loudness_integrated (samples, frames, channels, rate_hz);
  }
  limit (samples, frames, channels, rate_hz);
  reached = dub_loudness_measure (samples, frames, channels, rate_hz);
  if (reached.true_peak_db > DUB_LOUDNESS_MAX_TRUE_PEAK) {
    double down = DUB_LOUDNESS_MAX_TRUE_PEAK - 0.05 - reached.true_peak_db;
    apply_gain (samples, count, from_db (down));
    reached.lufs += down;
    reached.true_peak_db += down;
  }
  return reached;
}
