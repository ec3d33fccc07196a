/* SPDX-License-Identifier: Apache-2.0 */
#include "sniff.h"

#include <dubbing_common/clock.h>
#include <dubbing_common/error.h>
#include <string.h>

#define WAV_PCM 1
#define WAV_FLOAT 3
#define WAV_EXTENSIBLE 0xFFFE

typedef struct {
  guint tag; /* WAV_PCM or WAV_FLOAT */
  guint channels;
  guint rate_hz;
  guint bits;
  const guint8 *data;
  gsize size;
} Wav;

static guint
u16 (const guint8 *at)
{
  return (guint) at[0] | (guint) at[1] << 8;
}

static guint32
u32 (const guint8 *at)
{
  return (guint32) u16 (at) | (guint32) u16 (at + 2) << 16;
}

/* The first header must be whole; that the second follows where the first says
 * is asked only when it is there. */
static gboolean
is_adts (const guint8 *data, gsize size)
{
  gsize length;

  if (size < 7 || data[0] != 0xFF || (data[1] & 0xF6) != 0xF0 ||
      (data[2] >> 2 & 0xF) > 12)
    return FALSE;
  length = (gsize) (data[3] & 3) << 11 | (gsize) data[4] << 3 | data[5] >> 5;
  if (length < 7)
    return FALSE;
  return size < length + 2 ||
         (data[length] == 0xFF && (data[length + 1] & 0xF6) == 0xF0);
}

/* A tag, or the header of a frame of layer III. */
static gboolean
is_mp3 (const guint8 *data, gsize size)
{
  if (size >= 10 && memcmp (data, "ID3", 3) == 0)
    return TRUE;
  return size >= 4 && data[0] == 0xFF && (data[1] & 0xE6) == 0xE2 &&
         data[2] >> 4 != 0xF && (data[2] >> 2 & 3) != 3;
}

DubSoundKind
dub_sound_sniff (GBytes *bytes, const char *label)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  if (size >= 12 && memcmp (data + 4, "ftyp", 4) == 0)
    return DUB_SOUND_MP4;
  if (size >= 12 && memcmp (data, "RIFF", 4) == 0 &&
      memcmp (data + 8, "WAVE", 4) == 0)
    return DUB_SOUND_WAV;
  if (g_strcmp0 (label, "pcm_s16le") == 0)
    return DUB_SOUND_S16LE;
  if (g_strcmp0 (label, "pcm_f32le") == 0)
    return DUB_SOUND_F32LE;
  if (is_adts (data, size))
    return DUB_SOUND_ADTS;
  return is_mp3 (data, size) ? DUB_SOUND_MP3 : DUB_SOUND_UNKNOWN;
}

const char *
dub_sound_kind_to_string (DubSoundKind kind)
{
  static const char *const names[] = {
      "unknown", "MP4", "ADTS", "WAV", "pcm_s16le", "pcm_f32le", "MP3"};

  return names[kind];
}

gboolean
dub_sound_check_format (guint rate_hz, guint channels, GError **error)
{
  if (rate_hz >= DUB_SOUND_MIN_RATE && rate_hz <= DUB_SOUND_MAX_RATE &&
      channels >= 1 && channels <= DUB_SOUND_MAX_CHANNELS)
    return TRUE;
  g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
      "sound of %u Hz and %u channels; %u to %u Hz, 1 to %u channels can be",
      rate_hz, channels, DUB_SOUND_MIN_RATE, DUB_SOUND_MAX_RATE,
      DUB_SOUND_MAX_CHANNELS);
  return FALSE;
}

gboolean
dub_sound_check_length (
    gsize frames, guint rate_hz, guint max_ms, GError **error)
{
  if (frames <= (guint64) max_ms * rate_hz / 1000)
    return TRUE;
  g_set_error (error, DUB_ERROR, DUB_ERROR_LIMIT,
      "sound longer than the limit of %u ms", max_ms);
  return FALSE;
}

static gboolean
invalid (GError **error, const char *what)
{
  g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID, "WAV: %s", what);
  return FALSE;
}

static gboolean
read_format (const guint8 *at, gsize size, Wav *wav, GError **error)
{
  if (size < 16)
    return invalid (error, "format chunk too short");
  wav->tag = u16 (at);
  wav->channels = u16 (at + 2);
  wav->rate_hz = u32 (at + 4);
  wav->bits = u16 (at + 14);
  if (wav->tag == WAV_EXTENSIBLE && size >= 26)
    wav->tag = u16 (at + 24);
  if (wav->tag == WAV_FLOAT ? wav->bits != 32
                            : wav->tag != WAV_PCM || wav->bits % 8 != 0 ||
                                  wav->bits < 8 || wav->bits > 32) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
        "WAV: coding %u with %u bits", wav->tag, wav->bits);
    return FALSE;
  }
  return dub_sound_check_format (wav->rate_hz, wav->channels, error);
}

static gboolean
read_chunks (const guint8 *data, gsize size, Wav *wav, GError **error)
{
  gsize at = 12;

  while (size - at >= 8) {
    gsize length = u32 (data + at + 4);
    gsize left = size - at - 8;

    if (memcmp (data + at, "data", 4) == 0) {
      if (wav->rate_hz == 0)
        return invalid (error, "no format before the data");
      wav->data = data + at + 8;
      wav->size = MIN (length, left);
      return TRUE;
    }
    if (length > left)
      break;
    if (memcmp (data + at, "fmt ", 4) == 0 &&
        !read_format (data + at + 8, length, wav, error))
      return FALSE;
    at += 8 + length;
    if (length % 2 == 1 && at < size)
      at++;
  }
  return invalid (error, "no data");
}

/* One sample of whole numbers, as 16 bits. */
static gint16
take_sample (const guint8 *at, guint bits)
{
  if (bits == 8)
    return (gint16) ((at[0] - 128) * 256);
  return (gint16) u16 (at + bits / 8 - 2);
}

static GBytes *
to_s16 (const Wav *wav, gsize samples)
{
  gint16 *to = g_new (gint16, MAX (samples, 1));
  g_autofree float *from = NULL;

  if (wav->tag == WAV_FLOAT) {
    from = g_new (float, MAX (samples, 1));
    if (samples > 0)
      memcpy (from, wav->data, samples * sizeof *from);
    dub_pcm_f32_to_s16 (from, to, samples);
  } else {
    for (gsize i = 0; i < samples; i++)
      to[i] = take_sample (wav->data + i * (wav->bits / 8), wav->bits);
  }
  return g_bytes_new_take (to, samples * sizeof *to);
}

static DubPcm *
to_pcm (const Wav *wav, guint max_ms, GError **error)
{
  gsize frames = wav->size / (wav->bits / 8) / wav->channels;

  if (!dub_sound_check_length (frames, wav->rate_hz, max_ms, error))
    return NULL;
  return dub_pcm_new (to_s16 (wav, frames * wav->channels), wav->rate_hz,
      wav->channels, DUB_TIME_NONE);
}

DubPcm *
dub_wav_read (GBytes *bytes, guint max_ms, GError **error)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  Wav wav = {0};

  if (size < 12) {
    invalid (error, "too short");
    return NULL;
  }
  return read_chunks (data, size, &wav, error) ? to_pcm (&wav, max_ms, error)
                                               : NULL;
}

DubPcm *
dub_raw_read (GBytes *bytes, DubSoundKind kind, guint rate_hz, guint channels,
    guint max_ms, GError **error)
{
  Wav wav = {.rate_hz = rate_hz, .channels = channels};

  if (!dub_sound_check_format (rate_hz, channels, error))
    return NULL;
  wav.tag = kind == DUB_SOUND_F32LE ? WAV_FLOAT : WAV_PCM;
  wav.bits = kind == DUB_SOUND_F32LE ? 32 : 16;
  wav.data = g_bytes_get_data (bytes, &wav.size);
  return to_pcm (&wav, max_ms, error);
}
