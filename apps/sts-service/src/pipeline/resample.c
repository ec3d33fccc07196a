/* SPDX-License-Identifier: Apache-2.0 */
#include "resample.h"

#include <gst/audio/audio.h>
#include <string.h>

static GstAudioResampler *
resampler_new (guint from_hz, guint to_hz)
{
  GstStructure *options = gst_structure_new_empty ("options");
  GstAudioResampler *resampler = NULL;

  gst_audio_resampler_options_set_quality (GST_AUDIO_RESAMPLER_METHOD_KAISER,
      GST_AUDIO_RESAMPLER_QUALITY_DEFAULT, (gint) from_hz, (gint) to_hz,
      options);
  resampler = gst_audio_resampler_new (GST_AUDIO_RESAMPLER_METHOD_KAISER,
      GST_AUDIO_RESAMPLER_FLAG_NONE, GST_AUDIO_FORMAT_F32, 1, (gint) from_hz,
      (gint) to_hz, options);
  gst_structure_free (options);
  return resampler;
}

GArray *
dub_resample (const float *samples, gsize count, guint from_hz, guint to_hz)
{
  GArray *out = g_array_new (FALSE, TRUE, sizeof (float));
  gsize wanted = (gsize) ((guint64) count * to_hz / from_hz);
  GstAudioResampler *resampler = NULL;
  g_autofree float *padded = NULL;
  gsize delay, fed, n, skip;

  if (from_hz == to_hz || count == 0) {
    if (count > 0)
      g_array_append_vals (out, samples, (guint) count);
    return out;
  }
  resampler = resampler_new (from_hz, to_hz);
  delay = gst_audio_resampler_get_max_latency (resampler);
  /* Silence behind pushes the last samples out. */
  fed = count + 2 * delay + 1;
  padded = g_new0 (float, fed);
  memcpy (padded, samples, count * sizeof (float));
  n = gst_audio_resampler_get_out_frames (resampler, fed);
  g_array_set_size (out, (guint) MAX (n, wanted));
  {
    gpointer in[1] = {padded};
    gpointer to[1] = {out->data};
    gst_audio_resampler_resample (resampler, in, fed, to, n);
  }
  gst_audio_resampler_free (resampler);
  skip = n > wanted ? MIN ((gsize) 0, n - wanted) : 0;
  if (skip > 0)
    g_array_remove_range (out, 0, (guint) skip);
  g_array_set_size (out, (guint) wanted);
  return out;
}
