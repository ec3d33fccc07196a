/* SPDX-License-Identifier: Apache-2.0 */
#include "sound.h"

#include "resample.h"
#include "speech.h"
#include "stretch.h"

#include <dubbing_common/clock.h>
#include <dubbing_common/error.h>
#include <dubbing_common/pcm.h>
#include <dubbing_mediacodec/mediacodec.h>
#include <math.h>
#include <string.h>

#define SOURCE_RATE_HZ 16000
#define FADE_MS 4
#define CUT_FADE_MS 25
/* The blocks of the measurement of loudness, and from one to the next. */
#define BLOCK_MS 400
#define BLOCK_STEP_MS 100
#define M4A_BIT_RATE 128000
/* Headroom for what a resampler adds between samples. */
#define PEAK_INSIDE 0.7f

/* ---- in ---------------------------------------------------------------- */

static DubPcm *
read_raw (const DubSound *sound, GError **error)
{
  gsize frame = 2 * sound->channels;
  gsize bytes = g_bytes_get_size (sound->data);

  if (sound->channels < 1 || sound->channels > 2 ||
      sound->sample_rate_hz < 8000 || sound->sample_rate_hz > 96000) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "sound of %u channels at %u Hz; 1 or 2 at 8000 to 96000 is allowed",
        sound->channels, sound->sample_rate_hz);
    return NULL;
  }
  if (bytes % frame != 0 || bytes / frame > (gsize) sound->sample_rate_hz *
                                                DUB_SOURCE_MAX_MS / 1000) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_LIMIT,
        "%" G_GSIZE_FORMAT " bytes of sound: whole frames, and at most %d s, "
        "are allowed",
        bytes, DUB_SOURCE_MAX_MS / 1000);
    return NULL;
  }
  return dub_pcm_new (
      g_bytes_ref (sound->data), sound->sample_rate_hz, sound->channels, 0);
}

static DubPcm *
read_pcm (const DubSound *sound, GError **error)
{
  if (g_strcmp0 (sound->format, "pcm_s16le") == 0)
    return read_raw (sound, error);
  return dub_mediacodec_decode (sound->data, sound->format,
      sound->sample_rate_hz, sound->channels, DUB_SOURCE_MAX_MS, error);
}

static void
measure (const DubPcm *pcm, DubSource *source)
{
  gsize count = pcm->frames * pcm->channels;
  g_autofree float *samples = g_new (float, count + 1);

  dub_pcm_s16_to_f32 (pcm->samples, samples, count);
  source->lufs = dub_loudness_integrated (
      samples, pcm->frames, pcm->channels, pcm->rate_hz);
  source->duration_ms = (guint) (dub_pcm_duration_ns (pcm) / DUB_NS_PER_MS);
}

static guint
to_ms (gsize samples, guint rate_hz)
{
  return (guint) ((guint64) samples * 1000 / rate_hz);
}

static void
find_speech (DubSource *source, const GArray *samples)
{
  DubSpan span = dub_speech_find (
      (const float *) (void *) samples->data, samples->len, SOURCE_RATE_HZ);

  source->onset_ms = to_ms (span.start, SOURCE_RATE_HZ);
  source->speech_ms = to_ms (span.end - span.start, SOURCE_RATE_HZ);
  source->level_db = dub_speech_level_db (
      (const float *) (void *) samples->data, samples->len);
}

gboolean
dub_source_read (const DubSound *sound, DubSource *source, GError **error)
{
  g_autoptr (DubPcm) pcm = read_pcm (sound, error);
  g_autoptr (DubPcm) mono = NULL;
  g_autofree float *samples = NULL;
  GArray *resampled = NULL;

  if (pcm == NULL)
    return FALSE;
  measure (pcm, source);
  mono = dub_pcm_to_channels (pcm, 1);
  samples = g_new (float, mono->frames + 1);
  dub_pcm_s16_to_f32 (mono->samples, samples, mono->frames);
  resampled =
      dub_resample (samples, mono->frames, mono->rate_hz, SOURCE_RATE_HZ);
  find_speech (source, resampled);
  source->samples =
      g_bytes_new (resampled->data, resampled->len * sizeof (float));
  g_array_unref (resampled);
  return TRUE;
}

void
dub_source_clear (DubSource *source)
{
  g_clear_pointer (&source->samples, g_bytes_unref);
}

/* ---- out --------------------------------------------------------------- */

static float *
data_of (GArray *samples)
{
  return (float *) (void *) samples->data;
}

static void
fade (GArray *samples, guint rate_hz, guint in_ms, guint out_ms)
{
  gsize n_in = MIN ((gsize) rate_hz * in_ms / 1000, samples->len);
  gsize n_out = MIN ((gsize) rate_hz * out_ms / 1000, samples->len);
  float *data = data_of (samples);

  for (gsize i = 0; i < n_in; i++)
    data[i] *= (float) (i + 1) / (float) (n_in + 1);
  for (gsize i = 0; i < n_out; i++)
    data[samples->len - 1 - i] *= (float) (i + 1) / (float) (n_out + 1);
}

static GArray *
stretched (const DubDubParams *params, GError **error)
{
  GArray *copy = NULL;

  if (params->plan.stretch != 1)
    return dub_stretch (params->speech, params->count, params->rate_hz,
        params->plan.stretch, error);
  copy = g_array_new (FALSE, FALSE, sizeof (float));
  g_array_append_vals (copy, params->speech, (guint) params->count);
  return copy;
}

static void
hold_peak (GArray *samples)
{
  float *data = data_of (samples);
  float peak = 0;

  for (guint i = 0; i < samples->len; i++)
    peak = MAX (peak, fabsf (data[i]));
  for (guint i = 0; peak > PEAK_INSIDE && i < samples->len; i++)
    data[i] *= PEAK_INSIDE / peak;
}

/* Stretched, cut, faded, at the reply's rate. */
static GArray *
shape (const DubDubParams *params, GError **error)
{
  g_autoptr (GArray) speech = stretched (params, error);
  gsize limit;
  guint out_ms = FADE_MS;

  if (speech == NULL)
    return NULL;
  limit = (gsize) (params->plan.keep_ms * params->rate_hz / 1000);
  /* A stretch is exact to a block; only what is really too long is cut. */
  if (params->plan.over_percent > 0 && speech->len > limit) {
    g_array_set_size (speech, (guint) dub_speech_word_end (data_of (speech),
                                  speech->len, limit, params->rate_hz));
    out_ms = CUT_FADE_MS;
  }
  hold_peak (speech);
  fade (speech, params->rate_hz, FADE_MS, out_ms);
  return dub_resample (
      data_of (speech), speech->len, params->rate_hz, params->reply_rate_hz);
}

static gsize
frames_of (const DubDubParams *params, double ms)
{
  return (gsize) (ms * params->reply_rate_hz / 1000);
}

/*
 * Speech in all channels, between the pauses that it has in its slot: that is
 * how the original was measured. Loudness is that of blocks of 400 ms, so the
 * edges of a short sentence count for much; without them one word came out
 * 2 LU softer than it had been said.
 */
typedef struct {
  float *samples;
  gsize before, speech, after; /* frames */
} Laid;

static Laid
lay (const DubDubParams *params, GArray *mono)
{
  guint channels = params->reply_channels;
  gsize block = frames_of (params, BLOCK_MS);
  gsize onset = frames_of (params, params->slot.onset_ms);
  gsize slot = frames_of (params, params->slot.slot_ms);
  gsize end = onset + mono->len;
  gsize step = frames_of (params, BLOCK_STEP_MS);
  /* What is left out is whole steps: the blocks lie as in the slot. */
  Laid laid = {.before = onset - (onset - MIN (onset, block)) / step * step,
      .speech = mono->len,
      .after = slot > end ? MIN (slot - end, block) : 0};
  float *at;

  laid.samples =
      g_new0 (float, (laid.before + laid.speech + laid.after) * channels + 1);
  at = laid.samples + laid.before * channels;
  for (gsize i = 0; i < mono->len; i++)
    for (guint c = 0; c < channels; c++)
      at[i * channels + c] = data_of (mono)[i];
  return laid;
}

/* Silence up to the onset, the speech, and silence to the slot's end for
 * peers that want it. */
static DubPcm *
lay_out (const DubDubParams *params, const float *speech, gsize frames)
{
  gsize lead = speech != NULL ? frames_of (params, params->slot.onset_ms) : 0;
  gsize slot = frames_of (params, params->slot.slot_ms);
  gsize all = lead + frames;
  gint16 *samples = NULL;

  if (params->fill_slot || speech == NULL)
    all = MAX (all, slot);
  samples = g_new0 (gint16, all * params->reply_channels + 1);
  if (speech != NULL)
    dub_pcm_f32_to_s16 (speech, samples + lead * params->reply_channels,
        frames * params->reply_channels);
  return dub_pcm_new (
      g_bytes_new_take (samples, all * params->reply_channels * 2),
      params->reply_rate_hz, params->reply_channels, 0);
}

static GBytes *
encode (const DubDubParams *params, DubPcm *pcm, GError **error)
{
  if (g_str_equal (params->format, "pcm_s16le"))
    return g_bytes_ref (pcm->bytes);
  return dub_mediacodec_encode_m4a (pcm, M4A_BIT_RATE, error);
}

static gboolean
wrap (const DubDubParams *params, DubPcm *pcm, DubDub *dub, GError **error)
{
  dub->sound.data = encode (params, pcm, error);
  if (dub->sound.data == NULL)
    return FALSE;
  dub->sound.format = g_strdup (params->format);
  dub->sound.sample_rate_hz = params->reply_rate_hz;
  dub->sound.channels = params->reply_channels;
  dub->sound.duration_ms = (guint) (dub_pcm_duration_ns (pcm) / DUB_NS_PER_MS);
  return TRUE;
}

gboolean
dub_dub_make (const DubDubParams *params, DubDub *dub, GError **error)
{
  g_autoptr (GArray) mono = NULL;
  g_autofree float *samples = NULL;
  const float *speech = NULL;
  g_autoptr (DubPcm) pcm = NULL;
  Laid laid;

  if (params->speech != NULL) {
    mono = shape (params, error);
    if (mono == NULL)
      return FALSE;
    laid = lay (params, mono);
    samples = laid.samples;
    dub->loudness =
        dub_loudness_match (samples, laid.before + laid.speech + laid.after,
            params->reply_channels, params->reply_rate_hz, params->target_lufs);
    speech = samples + laid.before * params->reply_channels;
    dub->speech_ms = to_ms (mono->len, params->reply_rate_hz);
  }
  pcm = lay_out (params, speech, mono != NULL ? mono->len : 0);
  return wrap (params, pcm, dub, error);
}

void
dub_dub_clear (DubDub *dub)
{
  g_clear_pointer (&dub->sound.format, g_free);
  g_clear_pointer (&dub->sound.data, g_bytes_unref);
}
