/* SPDX-License-Identifier: Apache-2.0 */
#include "dubbing_common/pcm.h"
#include "dubbing_common/clock.h"

#include <math.h>
#include <string.h>

G_STATIC_ASSERT (G_BYTE_ORDER == G_LITTLE_ENDIAN);

__extension__ typedef __int128 Wide;

/* A block that came out of a binary message may start at an odd address. */
static GBytes *
align_bytes (GBytes *bytes)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);
  GBytes *copy;

  if (((guintptr) data & 1) == 0)
    return bytes;
  copy = g_bytes_new (data, size);
  g_bytes_unref (bytes);
  return copy;
}

DubPcm *
dub_pcm_new (GBytes *bytes, guint rate_hz, guint channels, gint64 pts_ns)
{
  DubPcm *self;
  gsize frame_size = sizeof (gint16) * channels;

  g_return_val_if_fail (bytes != NULL, NULL);
  g_return_val_if_fail (rate_hz > 0 && channels > 0, NULL);
  g_return_val_if_fail (g_bytes_get_size (bytes) % frame_size == 0, NULL);
  self = g_new0 (DubPcm, 1);
  g_atomic_ref_count_init (&self->ref_count);
  self->bytes = align_bytes (bytes);
  self->samples = g_bytes_get_data (self->bytes, NULL);
  self->frames = g_bytes_get_size (self->bytes) / frame_size;
  self->rate_hz = rate_hz;
  self->channels = channels;
  self->pts_ns = pts_ns;
  return self;
}

static DubPcm *
pcm_new_take (
    gint16 *samples, gsize frames, guint rate, guint channels, gint64 pts_ns)
{
  gsize size = frames * channels * sizeof (gint16);

  return dub_pcm_new (g_bytes_new_take (samples, size), rate, channels, pts_ns);
}

DubPcm *
dub_pcm_new_silence (gsize frames, guint rate_hz, guint channels, gint64 pts_ns)
{
  g_return_val_if_fail (rate_hz > 0 && channels > 0, NULL);
  return pcm_new_take (g_malloc0_n (frames * channels, sizeof (gint16)), frames,
      rate_hz, channels, pts_ns);
}

DubPcm *
dub_pcm_slice (DubPcm *pcm, gsize first, gsize frames)
{
  gsize frame_size;
  gint64 pts_ns;

  g_return_val_if_fail (pcm != NULL, NULL);
  g_return_val_if_fail (
      first <= pcm->frames && frames <= pcm->frames - first, NULL);
  frame_size = sizeof (gint16) * pcm->channels;
  pts_ns = pcm->pts_ns;
  if (pts_ns != DUB_TIME_NONE)
    pts_ns += dub_frames_to_ns ((gint64) first, pcm->rate_hz);
  return dub_pcm_new (g_bytes_new_from_bytes (
                          pcm->bytes, first * frame_size, frames * frame_size),
      pcm->rate_hz, pcm->channels, pts_ns);
}

static gint16
average (const gint16 *frame, guint channels)
{
  gint32 sum = 0;
  gint32 half = (gint32) channels / 2;

  g_assert (channels > 0);
  for (guint c = 0; c < channels; c++)
    sum += frame[c];
  sum += sum < 0 ? -half : half;
  return (gint16) (sum / (gint32) channels);
}

DubPcm *
dub_pcm_to_channels (DubPcm *pcm, guint channels)
{
  gint16 *samples;

  g_return_val_if_fail (pcm != NULL, NULL);
  if (channels == pcm->channels)
    return dub_pcm_ref (pcm);
  g_return_val_if_fail (
      channels == 1 || (channels == 2 && pcm->channels == 1), NULL);
  samples = g_new (gint16, pcm->frames * channels);
  for (gsize i = 0; i < pcm->frames; i++) {
    if (channels == 1)
      samples[i] = average (pcm->samples + i * pcm->channels, pcm->channels);
    else
      samples[2 * i] = samples[2 * i + 1] = pcm->samples[i];
  }
  return pcm_new_take (
      samples, pcm->frames, pcm->rate_hz, channels, pcm->pts_ns);
}

DubPcm *
dub_pcm_ref (DubPcm *pcm)
{
  g_return_val_if_fail (pcm != NULL, NULL);
  g_atomic_ref_count_inc (&pcm->ref_count);
  return pcm;
}

void
dub_pcm_unref (DubPcm *pcm)
{
  if (pcm == NULL || !g_atomic_ref_count_dec (&pcm->ref_count))
    return;
  g_bytes_unref (pcm->bytes);
  g_free (pcm);
}

gint64
dub_pcm_duration_ns (const DubPcm *pcm)
{
  g_return_val_if_fail (pcm != NULL, 0);
  return dub_frames_to_ns ((gint64) pcm->frames, pcm->rate_hz);
}

double
dub_pcm_rms_db (const gint16 *samples, gsize count)
{
  guint64 sum = 0; /* 2^30 a sample: room for 2^34 of them */
  double db;

  if (count == 0)
    return -100.0;
  for (gsize i = 0; i < count; i++)
    sum += (guint64) ((gint32) samples[i] * samples[i]);
  if (sum == 0)
    return -100.0;
  db = 10.0 * log10 ((double) sum / (double) count / (32768.0 * 32768.0));
  return CLAMP (db, -100.0, 0.0);
}

static gint64
floor_div (Wide numerator, Wide denominator)
{
  Wide quotient = numerator / denominator;

  if (numerator % denominator < 0)
    quotient--;
  return (gint64) quotient;
}

gint64
dub_frames_to_ns (gint64 frames, guint rate_hz)
{
  g_return_val_if_fail (rate_hz > 0, 0);
  return floor_div ((Wide) frames * DUB_NS_PER_S, rate_hz);
}

gint64
dub_ns_to_frames (gint64 ns, guint rate_hz)
{
  g_return_val_if_fail (rate_hz > 0, 0);
  return floor_div ((Wide) ns * rate_hz + DUB_NS_PER_S / 2, DUB_NS_PER_S);
}

void
dub_pcm_s16_to_f32 (const gint16 *from, float *to, gsize count)
{
  for (gsize i = 0; i < count; i++)
    to[i] = (float) from[i] * (1.0f / 32768.0f);
}

void
dub_pcm_f32_to_s16 (const float *from, gint16 *to, gsize count)
{
  for (gsize i = 0; i < count; i++) {
    float value = from[i] * 32768.0f;

    if (isnan (value))
      value = 0.0f;
    value = CLAMP (value, -32768.0f, 32767.0f);
    to[i] = (gint16) lrintf (value);
  }
}
