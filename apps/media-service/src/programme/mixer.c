/* SPDX-License-Identifier: Apache-2.0 */
#include "mixer.h"

#include <dubbing_common/clock.h>
#include <dubbing_common/pcm.h>
#include <math.h>
#include <string.h>

#define CH DUB_MIXER_CHANNELS
#define LA DUB_MIXER_LOOK_AHEAD
#define TAPS DUB_MIXER_TAPS
#define PHASES 4
/* -1 dBTP less 0.2 dB for what the moving gain itself adds. */
#define CEILING (32768.0f * 0.8710f)
/* A sample peak below -6 dBFS has no true peak near the ceiling. */
#define SAFE_PEAK 16384.0f
#define RELEASE_NS (50 * DUB_NS_PER_MS)

struct _DubMixer {
  guint block_frames;
  double down_frames, up_frames;
  double gain;        /* of the original, at the next frame */
  double depth;       /* the lowest it was sent to since it was 1 */
  float limit;        /* gain of the limiter at the next frame */
  float release_step; /* per look-ahead */
  float taps[PHASES][TAPS];
  float *mixed; /* TAPS frames of history, block, look-ahead */
};

/* A windowed sinc: phase p gives the value p / 4 of a frame behind the middle
 * of its taps. */
static void
make_taps (DubMixer *self)
{
  for (int p = 0; p < PHASES; p++) {
    double sum = 0;

    for (int k = 0; k < TAPS; k++) {
      double x = k - (TAPS / 2 - 1) - (double) p / PHASES;
      double sinc = x == 0 ? 1.0 : sin (G_PI * x) / (G_PI * x);
      double window = 0.5 + 0.5 * cos (G_PI * x / (TAPS / 2 + 0.5));

      self->taps[p][k] = (float) (sinc * window);
      sum += sinc * window;
    }
    for (int k = 0; k < TAPS; k++)
      self->taps[p][k] /= (float) sum;
  }
}

static double
frames_of (guint rate_hz, gint64 ns)
{
  return MAX (1.0, (double) rate_hz * (double) ns / DUB_NS_PER_S);
}

DubMixer *
dub_mixer_new (guint rate_hz, guint block_frames, gint64 down_ns, gint64 up_ns)
{
  DubMixer *self = g_new0 (DubMixer, 1);

  g_assert (block_frames > 0 && block_frames % LA == 0);
  self->block_frames = block_frames;
  self->down_frames = frames_of (rate_hz, down_ns);
  self->up_frames = frames_of (rate_hz, up_ns);
  self->release_step = (float) (LA / frames_of (rate_hz, RELEASE_NS));
  self->gain = self->depth = 1.0;
  self->limit = 1.0f;
  self->mixed = g_new0 (float, (TAPS + block_frames + LA) * CH);
  make_taps (self);
  return self;
}

void
dub_mixer_free (DubMixer *self)
{
  if (self == NULL)
    return;
  g_free (self->mixed);
  g_free (self);
}

gboolean
dub_mixer_is_idle (const DubMixer *self)
{
  return self->gain == 1.0 && self->limit == 1.0f;
}

static void
move_gain (DubMixer *self, double target)
{
  if (self->gain > target) {
    self->depth = MIN (self->depth, target);
    self->gain = MAX (target, self->gain - (1.0 - target) / self->down_frames);
  } else if (self->gain < target) {
    self->gain =
        MIN (target, self->gain + (1.0 - self->depth) / self->up_frames);
    if (self->gain == 1.0)
      self->depth = 1.0;
  }
}

/* Fills the buffer behind the history; the gain is left where it is at the end
 * of the block. */
static void
mix (DubMixer *self, const DubMixerInput *input)
{
  float *out = self->mixed + TAPS * CH;
  double gain = self->gain, depth = self->depth;

  for (guint i = 0; i < self->block_frames + LA; i++) {
    if (i == self->block_frames) {
      gain = self->gain;
      depth = self->depth;
    }
    for (int c = 0; c < CH; c++)
      out[i * CH + c] = (float) (input->original[i * CH + c] * self->gain) +
                        (input->dub != NULL ? input->dub[i * CH + c] : 0.0f);
    move_gain (self, input->target[i]);
  }
  self->gain = gain;
  self->depth = depth;
}

static float
sample_peak (const float *from, guint count)
{
  float peak = 0;

  for (guint i = 0; i < count; i++)
    peak = MAX (peak, fabsf (from[i]));
  return peak;
}

/* The largest value between the samples of [from, from + LA) and half a filter
 * around them, as far as the buffer knows them. */
static float
true_peak (const DubMixer *self, guint from)
{
  guint length = TAPS + self->block_frames + LA;
  guint last = MIN (from + TAPS + LA, length - TAPS);
  float peak = 0;

  for (guint i = from; i <= last; i++) {
    for (int c = 0; c < CH; c++) {
      const float *x = self->mixed + i * CH + c;

      for (int p = 1; p < PHASES; p++) {
        float sum = 0;

        for (int k = 0; k < TAPS; k++)
          sum += x[k * CH] * self->taps[p][k];
        peak = MAX (peak, fabsf (sum));
      }
    }
  }
  return peak;
}

/* The gain that the sub-block needs to stay below the ceiling; the original on
 * its own may be as loud as it was. */
static float
needed_limit (const DubMixer *self, const DubMixerInput *input, guint sub_block)
{
  const float *from = self->mixed + (TAPS + sub_block * LA) * CH;
  gboolean has_dub = input->dub != NULL &&
                     input->dub_from < (sub_block + 1) * LA &&
                     input->dub_to > sub_block * LA;
  float peak;

  if (!has_dub)
    return 1.0f;
  peak = sample_peak (from, LA * CH);
  if (peak < SAFE_PEAK)
    return 1.0f;
  peak = MAX (peak, true_peak (self, sub_block * LA));
  return MIN (1.0f, CEILING / peak);
}

/* A straight line from boundary to boundary, each as low as both its
 * neighbours need: so no frame is above what its sub-block needs. */
static void
limit (DubMixer *self, const DubMixerInput *input)
{
  float *at = self->mixed + TAPS * CH;
  float here = needed_limit (self, input, 0);

  self->limit = MIN (self->limit, here);
  for (guint k = 0; k < self->block_frames / LA; k++) {
    float next = needed_limit (self, input, k + 1);
    float to = MIN (MIN (here, next), self->limit + self->release_step);

    for (guint i = 0; i < LA; i++, at += CH) {
      float gain = self->limit + (to - self->limit) * i / LA;

      at[0] *= gain;
      at[1] *= gain;
    }
    self->limit = to;
    here = next;
  }
}

void
dub_mixer_run (DubMixer *self, const DubMixerInput *input, gint16 *out)
{
  float *block = self->mixed + TAPS * CH;

  mix (self, input);
  if (input->dub != NULL || self->limit < 1.0f)
    limit (self, input);
  for (guint i = 0; i < self->block_frames * CH; i++)
    out[i] = (gint16) CLAMP (lrintf (block[i]), -32768, 32767);
  memmove (self->mixed, self->mixed + self->block_frames * CH,
      TAPS * CH * sizeof (float));
}
