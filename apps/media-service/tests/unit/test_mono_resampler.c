/* SPDX-License-Identifier: Apache-2.0 */
#include "segment/mono_resampler.h"

#include <math.h>

#define RATE 48000
#define RATIO 3

static DubPcm *
tone (double hz, gsize frames, gsize start)
{
  gint16 *samples = g_new (gint16, frames * 2);

  for (gsize i = 0; i < frames; i++)
    samples[2 * i] = samples[2 * i + 1] =
        (gint16) lrint (16000 * sin (2 * G_PI * hz * (start + i) / RATE));
  return dub_pcm_new (g_bytes_new_take (samples, frames * 4), RATE, 2, 0);
}

static double
peak_of_tone (double hz)
{
  g_autoptr (DubMonoResampler) resampler = dub_mono_resampler_new (RATIO);
  g_autoptr (DubPcm) pcm = tone (hz, RATE, 0);
  gsize n;
  const float *out = dub_mono_resampler_push (resampler, pcm, &n);
  double peak = 0;

  for (gsize i = n / 2; i < n; i++)
    peak = MAX (peak, fabsf (out[i]));
  return peak * 32768 / 16000;
}

static void
test_passes_and_stops (void)
{
  g_assert_cmpfloat (peak_of_tone (300), >, 0.98);
  g_assert_cmpfloat (peak_of_tone (3000), >, 0.98);
  /* Would come back as 4 kHz. */
  g_assert_cmpfloat (peak_of_tone (12000), <, 0.01);
}

static void
test_delay (void)
{
  g_autoptr (DubMonoResampler) resampler = dub_mono_resampler_new (RATIO);
  gint16 *samples = g_new0 (gint16, 2 * 4800);
  g_autoptr (DubPcm) pcm = NULL;
  const float *out;
  gsize n, loudest = 0;
  gint64 at;

  samples[2 * 2400] = samples[2 * 2400 + 1] = 30000;
  pcm = dub_pcm_new (g_bytes_new_take (samples, 4800 * 4), RATE, 2, 0);
  out = dub_mono_resampler_push (resampler, pcm, &n);
  for (gsize i = 0; i < n; i++)
    if (fabsf (out[i]) > fabsf (out[loudest]))
      loudest = i;
  at = (gint64) loudest * RATIO -
       dub_mono_resampler_get_delay_frames (resampler);
  g_assert_cmpint (ABS (at - 2400), <=, RATIO - 1);
}

/* The same sound in other pieces gives the same samples. */
static void
test_pieces (void)
{
  g_autoptr (DubMonoResampler) whole = dub_mono_resampler_new (RATIO);
  g_autoptr (DubMonoResampler) pieces = dub_mono_resampler_new (RATIO);
  g_autoptr (DubPcm) pcm = tone (440, 9600, 0);
  g_autoptr (GArray) joined = g_array_new (FALSE, FALSE, sizeof (float));
  const float *out;
  gsize n, done = 0;
  guint32 seed = 1;

  while (done < pcm->frames) {
    gsize part = MIN (
        1 + (seed = seed * 1103515245u + 12345u) % 700, pcm->frames - done);
    g_autoptr (DubPcm) slice = dub_pcm_slice (pcm, done, part);

    out = dub_mono_resampler_push (pieces, slice, &n);
    g_array_append_vals (joined, out, (guint) n);
    done += part;
  }
  out = dub_mono_resampler_push (whole, pcm, &n);
  g_assert_cmpuint (n, ==, joined->len);
  g_assert_cmpuint (n, ==, 9600 / RATIO);
  g_assert_cmpmem (
      out, n * sizeof *out, joined->data, joined->len * sizeof *out);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func (
      "/media/segment/mono-resampler/passes-and-stops", test_passes_and_stops);
  g_test_add_func ("/media/segment/mono-resampler/delay", test_delay);
  g_test_add_func ("/media/segment/mono-resampler/pieces", test_pieces);
  return g_test_run ();
}
