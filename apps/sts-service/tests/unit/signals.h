/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <math.h>

/* Test sound: mono float32. (transfer full): of float */

static inline GArray *
signal_silence (guint rate_hz, double seconds)
{
  GArray *out = g_array_new (FALSE, TRUE, sizeof (float));

  g_array_set_size (out, (guint) (rate_hz * seconds));
  return out;
}

static inline void
signal_add_tone (GArray *signal, guint rate_hz, double from_s, double to_s,
    double hz, double amplitude)
{
  gsize first = (gsize) (from_s * rate_hz), last = (gsize) (to_s * rate_hz);

  for (gsize i = first; i < MIN (last, signal->len); i++)
    g_array_index (signal, float, i) +=
        (float) (amplitude * sin (2 * G_PI * hz * i / rate_hz));
}

static inline void
signal_add_noise (GArray *signal, guint32 seed, double amplitude)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);

  for (gsize i = 0; i < signal->len; i++)
    g_array_index (signal, float, i) +=
        (float) (amplitude * g_rand_double_range (rand, -1, 1));
}

static inline const float *
signal_data (GArray *signal)
{
  return (const float *) (void *) signal->data;
}
