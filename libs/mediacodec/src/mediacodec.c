/* SPDX-License-Identifier: Apache-2.0 */
#include <dubbing_mediacodec/mediacodec.h>

#include "gst_run.h"
#include "mp4_read.h"
#include "mp4_write.h"
#include "sniff.h"

#include <dubbing_common/clock.h>
#include <dubbing_common/error.h>
#include <gst/audio/audio.h>
#include <string.h>

#define TIMEOUT_MS 10000
/* What fills the last frames of a file and is cut off again: of HE-AAC, two
 * frames at 8 kHz. */
#define LAST_FRAMES_MS 600

static const char *const aac_decoders[] = {
    "avdec_aac", "fdkaacdec", "faad", NULL};
static const char *const mp3_decoders[] = {"mpg123audiodec", "avdec_mp3", NULL};
static const char *const encoders[] = {
    "voaacenc", "fdkaacenc", "avenc_aac", NULL};

/* --------------------------------------------------------------- decode */

typedef struct {
  GByteArray *samples;
  guint rate_hz;
  guint channels;
  guint max_ms;
} Decoded;

static gboolean
take_format (Decoded *decoded, GstSample *sample, GError **error)
{
  GstAudioInfo info;

  if (!gst_audio_info_from_caps (&info, gst_sample_get_caps (sample))) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID, "sound: no format");
    return FALSE;
  }
  if (decoded->rate_hz == 0) {
    decoded->rate_hz = (guint) info.rate;
    decoded->channels = (guint) info.channels;
    return dub_sound_check_format (decoded->rate_hz, decoded->channels, error);
  }
  if ((guint) info.rate == decoded->rate_hz &&
      (guint) info.channels == decoded->channels)
    return TRUE;
  g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
      "sound: rate or channels change in the middle");
  return FALSE;
}

/* What an edit list leaves out lies outside of the segment. */
static GstBuffer *
clip (GstSample *sample, const Decoded *decoded)
{
  GstBuffer *buffer = gst_buffer_ref (gst_sample_get_buffer (sample));

  return gst_audio_buffer_clip (buffer, gst_sample_get_segment (sample),
      (gint) decoded->rate_hz, (gint) (2 * decoded->channels));
}

static gboolean
take_decoded (GstSample *sample, gpointer user_data, GError **error)
{
  Decoded *decoded = user_data;
  GstBuffer *buffer;
  GstMapInfo map;
  gboolean ok;

  if (!take_format (decoded, sample, error))
    return FALSE;
  buffer = clip (sample, decoded);
  if (buffer == NULL)
    return TRUE;
  ok = gst_buffer_map (buffer, &map, GST_MAP_READ);
  if (ok) {
    g_byte_array_append (decoded->samples, map.data, (guint) map.size);
    gst_buffer_unmap (buffer, &map);
    ok =
        dub_sound_check_length (decoded->samples->len / (2 * decoded->channels),
            decoded->rate_hz, decoded->max_ms, error);
  } else {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID, "sound: no memory");
  }
  gst_buffer_unref (buffer);
  return ok;
}

/* (transfer none) for the life of the process */
static const char *
find_element (const char *const *names, const char *what, GError **error)
{
  const char *name = dub_gst_first_of (names);

  if (name == NULL)
    g_set_error (error, DUB_ERROR, DUB_ERROR_UNAVAILABLE,
        "no GStreamer element for %s is installed (%s)", what, names[0]);
  return name;
}

/* The elements before the decoder; only what is named here is ever given a
 * stranger's bytes: no decodebin. */
static DubPcm *
run_decoder (const char *before, const char *const *decoders, DubGstRun *run,
    guint max_ms, GError **error)
{
  const char *decoder = find_element (decoders, before, error);
  g_autofree char *description = NULL;
  g_autoptr (GByteArray) samples = g_byte_array_new ();
  Decoded decoded = {.samples = samples, .max_ms = max_ms};

  if (decoder == NULL)
    return NULL;
  description = g_strdup_printf (
      "appsrc name=in ! %s ! %s ! audioconvert dithering=none ! "
      "audio/x-raw,format=S16LE,layout=interleaved ! "
      "appsink name=out sync=false max-buffers=8",
      before, decoder);
  run->description = description;
  run->take = take_decoded;
  run->user_data = &decoded;
  run->timeout_ms = TIMEOUT_MS;
  if (!dub_gst_run (run, error))
    return NULL;
  if (samples->len == 0) {
    g_set_error (
        error, DUB_ERROR, DUB_ERROR_INVALID, "sound: nothing to be heard");
    return NULL;
  }
  return dub_pcm_new (g_byte_array_free_to_bytes (g_steal_pointer (&samples)),
      decoded.rate_hz, decoded.channels, DUB_TIME_NONE);
}

static DubPcm *
decode_file (GBytes *bytes, const char *before, const char *const *decoders,
    guint max_ms, GError **error)
{
  DubGstRun run = {.bytes = bytes};

  return run_decoder (before, decoders, &run, max_ms, error);
}

static gsize
to_frames (guint64 units, guint timescale, guint rate_hz)
{
  return (gsize) gst_util_uint64_scale_round (units, rate_hz, timescale);
}

/* What the edit list leaves out. */
static DubPcm *
apply_edits (DubPcm *pcm, const DubMp4Sound *sound)
{
  gsize first = MIN (
      to_frames (sound->skip, sound->timescale, pcm->rate_hz), pcm->frames);
  gsize frames = pcm->frames - first;

  if (sound->keep != G_MAXUINT64)
    frames =
        MIN (frames, to_frames (sound->keep, sound->timescale, pcm->rate_hz));
  return dub_pcm_slice (pcm, first, frames);
}

static DubPcm *
decode_mp4_sound (const DubMp4Sound *sound, guint max_ms, GError **error)
{
  g_autoptr (GstBuffer) config = gst_buffer_new_wrapped_bytes (sound->config);
  g_autoptr (GstCaps) caps = gst_caps_new_simple ("audio/mpeg", "mpegversion",
      G_TYPE_INT, 4, "stream-format", G_TYPE_STRING, "raw", "codec_data",
      GST_TYPE_BUFFER, config, NULL);
  DubGstRun run = {.units = sound->frames, .caps = caps};
  guint skip_ms =
      (guint) (MIN (sound->skip, sound->timescale) * 1000 / sound->timescale);
  g_autoptr (DubPcm) all = NULL;

  /* What is cut off again does not count for the limit. */
  all = run_decoder ("aacparse", aac_decoders, &run,
      MIN (max_ms, G_MAXUINT / 2) + skip_ms + LAST_FRAMES_MS, error);
  return all != NULL ? apply_edits (all, sound) : NULL;
}

static DubPcm *
decode_mp4 (GBytes *bytes, guint max_ms, GError **error)
{
  g_auto (DubMp4Sound) sound = {0};
  g_autoptr (GError) cause = NULL;
  g_autoptr (DubPcm) pcm = NULL;

  if (!dub_mp4_read (bytes, &sound, &cause)) {
    if (g_error_matches (cause, DUB_ERROR, DUB_ERROR_UNSUPPORTED))
      return decode_file (bytes,
          "qtdemux ! audio/mpeg,mpegversion=4 ! aacparse", aac_decoders, max_ms,
          error);
    g_propagate_error (error, g_steal_pointer (&cause));
    return NULL;
  }
  pcm = decode_mp4_sound (&sound, max_ms, error);
  if (pcm == NULL ||
      !dub_sound_check_length (pcm->frames, pcm->rate_hz, max_ms, error))
    return NULL;
  return g_steal_pointer (&pcm);
}

DubPcm *
dub_mediacodec_decode (GBytes *bytes, const char *label, guint rate_hz,
    guint channels, guint max_ms, GError **error)
{
  DubSoundKind kind = dub_sound_sniff (bytes, label);

  switch (kind) {
    case DUB_SOUND_MP4:
      return decode_mp4 (bytes, max_ms, error);
    case DUB_SOUND_ADTS:
      return decode_file (bytes, "aacparse", aac_decoders, max_ms, error);
    case DUB_SOUND_MP3:
      return decode_file (bytes, "mpegaudioparse", mp3_decoders, max_ms, error);
    case DUB_SOUND_WAV:
      return dub_wav_read (bytes, max_ms, error);
    case DUB_SOUND_S16LE:
    case DUB_SOUND_F32LE:
      return dub_raw_read (bytes, kind, rate_hz, channels, max_ms, error);
    case DUB_SOUND_UNKNOWN:
    default:
      g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
          "sound labelled %.32s is none of MP4, ADTS, MP3, WAV, raw",
          label != NULL ? label : "(nothing)");
      return NULL;
  }
}

/* --------------------------------------------------------------- encode */

typedef struct {
  GPtrArray *frames;
  GBytes *config;
} Encoded;

static gboolean
take_encoded (GstSample *sample, gpointer user_data, GError **error)
{
  Encoded *encoded = user_data;
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  const GstStructure *caps =
      gst_caps_get_structure (gst_sample_get_caps (sample), 0);
  const GValue *config = gst_structure_get_value (caps, "codec_data");
  gpointer data;
  gsize size;

  if (encoded->config == NULL && config != NULL) {
    gst_buffer_extract_dup (
        gst_value_get_buffer (config), 0, G_MAXSIZE, &data, &size);
    encoded->config = g_bytes_new_take (data, size);
  }
  gst_buffer_extract_dup (buffer, 0, G_MAXSIZE, &data, &size);
  g_ptr_array_add (encoded->frames, g_bytes_new_take (data, size));
  return TRUE;
}

static gboolean
run_encoder (const char *encoder, GBytes *samples, const DubMp4Track *track,
    Encoded *ret_encoded, GError **error)
{
  g_autoptr (GstCaps) caps = gst_caps_new_simple ("audio/x-raw", "format",
      G_TYPE_STRING, "S16LE", "layout", G_TYPE_STRING, "interleaved", "rate",
      G_TYPE_INT, (gint) track->rate_hz, "channels", G_TYPE_INT,
      (gint) track->channels, NULL);
  g_autofree char *description =
      g_strdup_printf ("appsrc name=in ! audioconvert ! %s bitrate=%u ! "
                       "audio/mpeg,mpegversion=4,stream-format=raw ! "
                       "appsink name=out sync=false",
          encoder, track->bit_rate);
  DubGstRun run = {.description = description,
      .bytes = samples,
      .caps = caps,
      .take = take_encoded,
      .user_data = ret_encoded,
      .timeout_ms = TIMEOUT_MS};

  if (!dub_gst_run (&run, error))
    return FALSE;
  if (ret_encoded->config != NULL &&
      g_bytes_get_size (ret_encoded->config) < 64)
    return TRUE;
  g_set_error (error, DUB_ERROR, DUB_ERROR_ENGINE,
      "%s gave no AudioSpecificConfig", encoder);
  return FALSE;
}

/* The sound, and as much silence behind it as brings its end out of the
 * encoder. */
static GBytes *
pad (DubPcm *pcm, gsize silence)
{
  gsize size = pcm->frames * pcm->channels * 2;
  gsize more = silence * pcm->channels * 2;
  guint8 *data = g_malloc0 (size + more);

  if (size > 0)
    memcpy (data, pcm->samples, size);
  return g_bytes_new_take (data, size + more);
}

static GBytes *
encode_with_delay (const char *encoder, DubPcm *pcm, guint bit_rate,
    guint delay, GError **error)
{
  g_autoptr (GBytes) samples = pad (pcm, delay + 4 * DUB_AAC_FRAME);
  g_autoptr (GPtrArray) frames =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_autoptr (GBytes) config = NULL;
  Encoded encoded = {frames, NULL};
  DubMp4Track track = {
      pcm->rate_hz, pcm->channels, bit_rate, NULL, delay, pcm->frames, frames};
  guint needed =
      (guint) ((delay + pcm->frames + DUB_AAC_FRAME - 1) / DUB_AAC_FRAME);
  gboolean ok = run_encoder (encoder, samples, &track, &encoded, error);

  config = encoded.config;
  if (!ok)
    return NULL;
  if (frames->len < needed) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_ENGINE, "%s gave %u frames of %u",
        encoder, frames->len, needed);
    return NULL;
  }
  g_ptr_array_set_size (frames, (gint) needed);
  track.config = config;
  return dub_mp4_write (&track);
}

/* ---------------------------------------------- how late the encoder is */

#define PROBE_RATE 48000
#define PROBE_AT 4800
#define PROBE_LENGTH 960
#define PROBE_FRAMES 14400
#define PROBE_MAX_DELAY 4096

/* Noise between silences: alike with itself at one place only. */
static DubPcm *
make_probe (void)
{
  gint16 *samples = g_new0 (gint16, PROBE_FRAMES);
  guint32 x = 1;

  for (guint i = 0; i < PROBE_LENGTH; i++) {
    x = x * 1664525 + 1013904223;
    samples[PROBE_AT + i] = (gint16) ((gint) (x >> 17) - 16384);
  }
  return dub_pcm_new (
      g_bytes_new_take (samples, PROBE_FRAMES * sizeof *samples), PROBE_RATE, 1,
      DUB_TIME_NONE);
}

static guint
find_delay (DubPcm *probe, DubPcm *heard)
{
  double best = 0;
  guint delay = 0;

  for (guint lag = 0; lag <= PROBE_MAX_DELAY; lag++) {
    double sum = 0;

    if (PROBE_AT + lag + PROBE_LENGTH > heard->frames)
      break;
    for (guint i = 0; i < PROBE_LENGTH; i++)
      sum += (double) probe->samples[PROBE_AT + i] *
             heard->samples[PROBE_AT + lag + i];
    if (sum > best) {
      best = sum;
      delay = lag;
    }
  }
  return delay;
}

/* It is a property of the encoder that documentation gives wrong and versions
 * change, so it is measured, once. */
static gboolean
measure_delay (const char *encoder, guint *ret_delay, GError **error)
{
  g_autoptr (DubPcm) probe = make_probe ();
  g_autoptr (GBytes) coded =
      encode_with_delay (encoder, probe, 128000, 0, error);
  g_autoptr (DubPcm) heard = NULL;

  if (coded == NULL)
    return FALSE;
  heard = decode_mp4 (coded, 1000, error);
  if (heard == NULL)
    return FALSE;
  *ret_delay = find_delay (probe, heard);
  return TRUE;
}

static gboolean
get_delay (const char *encoder, guint *ret_delay, GError **error)
{
  static GMutex mutex;
  static gboolean is_known; /* both protected by mutex */
  static guint delay;
  gboolean ok = TRUE;

  g_mutex_lock (&mutex);
  if (!is_known)
    ok = is_known = measure_delay (encoder, &delay, error);
  *ret_delay = delay;
  g_mutex_unlock (&mutex);
  return ok;
}

static gboolean
check_encodable (DubPcm *pcm, GError **error)
{
  static const guint rates[] = {
      8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000};

  for (guint i = 0; i < G_N_ELEMENTS (rates); i++)
    if (pcm->rate_hz == rates[i] && pcm->channels <= 2)
      return TRUE;
  g_set_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
      "AAC of %u Hz and %u channels; convert it first", pcm->rate_hz,
      pcm->channels);
  return FALSE;
}

GBytes *
dub_mediacodec_encode_m4a (DubPcm *pcm, guint bit_rate, GError **error)
{
  const char *encoder;
  guint delay;

  if (!check_encodable (pcm, error))
    return NULL;
  if (pcm->frames == 0 || pcm->frames > G_MAXINT32 / 8) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "AAC of %" G_GSIZE_FORMAT " frames", pcm->frames);
    return NULL;
  }
  encoder = find_element (encoders, "AAC", error);
  if (encoder == NULL || !get_delay (encoder, &delay, error))
    return NULL;
  return encode_with_delay (encoder, pcm, bit_rate, delay, error);
}

/* -------------------------------------------------------------- convert */

static GstAudioConverter *
make_converter (DubPcm *pcm, guint rate_hz, guint channels)
{
  GstAudioInfo from, to;

  gst_audio_info_set_format (&from, GST_AUDIO_FORMAT_S16LE, (gint) pcm->rate_hz,
      (gint) pcm->channels, NULL);
  gst_audio_info_set_format (
      &to, GST_AUDIO_FORMAT_S16LE, (gint) rate_hz, (gint) channels, NULL);
  return gst_audio_converter_new (GST_AUDIO_CONVERTER_FLAG_NONE, &from, &to,
      gst_structure_new ("options", GST_AUDIO_CONVERTER_OPT_DITHER_METHOD,
          GST_TYPE_AUDIO_DITHER_METHOD, GST_AUDIO_DITHER_NONE, NULL));
}

/* The resampler looks ahead by its latency: that much silence behind the sound
 * brings its end out. Its first sample out is the first one in. */
static DubPcm *
run_converter (
    GstAudioConverter *converter, DubPcm *pcm, guint rate_hz, guint channels)
{
  gsize wanted =
      (gsize) gst_util_uint64_scale_round (pcm->frames, rate_hz, pcm->rate_hz);
  gsize latency = gst_audio_converter_get_max_latency (converter);
  g_autoptr (GBytes) padded = pad (pcm, latency + 64);
  gsize in_frames = pcm->frames + latency + 64;
  gsize out_frames = gst_audio_converter_get_out_frames (converter, in_frames);
  gsize capacity = MAX (out_frames, wanted);
  guint8 *data = g_malloc0 (MAX (capacity, 1) * channels * 2);
  gpointer in[] = {(gpointer) g_bytes_get_data (padded, NULL)};
  gpointer out[] = {data};

  gst_audio_converter_samples (
      converter, GST_AUDIO_CONVERTER_FLAG_NONE, in, in_frames, out, out_frames);
  return dub_pcm_new (g_bytes_new_take (data, wanted * channels * 2), rate_hz,
      channels, pcm->pts_ns);
}

DubPcm *
dub_mediacodec_convert (
    DubPcm *pcm, guint rate_hz, guint channels, GError **error)
{
  GstAudioConverter *converter;
  DubPcm *converted;

  if (!dub_sound_check_format (rate_hz, channels, error))
    return NULL;
  if (pcm->rate_hz == rate_hz && pcm->channels == channels)
    return dub_pcm_ref (pcm);
  converter = make_converter (pcm, rate_hz, channels);
  if (converter == NULL) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
        "sound from %u Hz and %u channels to %u and %u", pcm->rate_hz,
        pcm->channels, rate_hz, channels);
    return NULL;
  }
  converted = run_converter (converter, pcm, rate_hz, channels);
  gst_audio_converter_free (converter);
  return converted;
}
