/* SPDX-License-Identifier: Apache-2.0 */
#include "mono_resampler.h"

#include <math.h>
#include <string.h>

/* Taps per step of the ratio. More would be a sharper edge, which
 * a detector trained on telephones does not need. */
#define TAPS_PER_STEP 16
#define CUT 0.9 /* of the lower rate's half */

struct _DubMonoResampler {
  guint ratio;
  guint n_taps; /* odd */
  float *taps;
  GArray *history; /* mono samples not yet passed by */
  gsize next;      /* index in history where the next window ends */
  GArray *out;
};

static double
sinc (double x)
{
  return fabs (x) < 1e-9 ? 1 : sin (G_PI * x) / (G_PI * x);
}

/* A sinc under a Blackman window, of gain 1 for a constant. */
static float *
make_taps (guint n, guint ratio)
{
  float *taps = g_new (float, n);
  double sum = 0;

  for (guint i = 0; i < n; i++) {
    double t = (double) i - (n - 1) / 2.0;
    double phase = 2 * G_PI * i / (n - 1);
    double window = 0.42 - 0.5 * cos (phase) + 0.08 * cos (2 * phase);

    taps[i] = (float) (window * sinc (t * CUT / ratio));
    sum += taps[i];
  }
  for (guint i = 0; i < n; i++)
    taps[i] = (float) (taps[i] / sum);
  return taps;
}

DubMonoResampler *
dub_mono_resampler_new (guint ratio)
{
  DubMonoResampler *self = g_new0 (DubMonoResampler, 1);

  self->ratio = ratio;
  self->n_taps = TAPS_PER_STEP * ratio + 1;
  self->taps = make_taps (self->n_taps, ratio);
  self->history = g_array_new (FALSE, TRUE, sizeof (float));
  self->out = g_array_new (FALSE, FALSE, sizeof (float));
  dub_mono_resampler_reset (self);
  return self;
}

void
dub_mono_resampler_free (DubMonoResampler *self)
{
  if (!self)
    return;
  g_free (self->taps);
  g_array_unref (self->history);
  g_array_unref (self->out);
  g_free (self);
}

guint
dub_mono_resampler_get_delay_frames (const DubMonoResampler *self)
{
  return (self->n_taps - 1) / 2;
}

/* Silence before the first sample, so that the first one gives the first. */
void
dub_mono_resampler_reset (DubMonoResampler *self)
{
  g_array_set_size (self->history, 0);
  g_array_set_size (self->history, self->n_taps - 1);
  self->next = self->n_taps;
}

static void
append_mono (DubMonoResampler *self, const DubPcm *pcm)
{
  guint start = self->history->len;
  const float scale = 1.0f / (32768.0f * (float) pcm->channels);
  float *to;

  g_array_set_size (self->history, start + (guint) pcm->frames);
  to = &g_array_index (self->history, float, start);
  for (gsize i = 0; i < pcm->frames; i++) {
    int sum = 0;

    for (guint c = 0; c < pcm->channels; c++)
      sum += pcm->samples[i * pcm->channels + c];
    to[i] = (float) sum * scale;
  }
}

static float
filter_at (const DubMonoResampler *self, gsize first)
{
  const float *x = &g_array_index (self->history, float, first);
  float sum = 0;

  for (guint i = 0; i < self->n_taps; i++)
    sum += x[i] * self->taps[i];
  return sum;
}

const float *
dub_mono_resampler_push (
    DubMonoResampler *self, const DubPcm *pcm, gsize *ret_n)
{
  gsize passed;

  append_mono (self, pcm);
  g_array_set_size (self->out, 0);
  for (; self->next <= self->history->len; self->next += self->ratio) {
    float sample = filter_at (self, self->next - self->n_taps);

    g_array_append_val (self->out, sample);
  }
  passed = MIN (self->next - self->n_taps, self->history->len);
  if (passed > 0)
    g_array_remove_range (self->history, 0, (guint) passed);
  self->next -= passed;
  *ret_n = self->out->len;
  return (const float *) (gpointer) self->out->data;
}
