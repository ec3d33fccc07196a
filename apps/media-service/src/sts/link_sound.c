/* SPDX-License-Identifier: Apache-2.0 */
#include "link_sound.h"

#include <dubbing_common/clock.h>
#include <dubbing_common/error.h>
#include <dubbing_mediacodec/mediacodec.h>
#include <media_service/values.h>
#include <string.h>

/* Speech in mono: transparent enough for a recogniser, small on the wire. */
#define M4A_BIT_RATE 96000
#define MAX_ANSWER_MS (2 * DUB_WIRE_MAX_FRAGMENT_MS)

static gboolean
is_s16 (const DubAudio *audio)
{
  return g_str_equal (audio->format, "pcm_s16le");
}

gboolean
dub_link_sound_is_ready_pcm (const DubAudio *audio)
{
  return audio->data && is_s16 (audio) &&
         audio->sample_rate_hz == DUB_PROGRAMME_RATE_HZ;
}

DubPcm *
dub_link_sound_take_pcm (const DubAudio *audio, GError **error)
{
  g_autoptr (GBytes) bytes = dub_audio_dup_data (audio, error);
  gsize frame = audio->channels * sizeof (gint16);
  gsize size;

  if (!bytes)
    return NULL;
  size = g_bytes_get_size (bytes);
  if (size == 0 || size % frame != 0) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "%" G_GSIZE_FORMAT " bytes are no whole number of samples", size);
    return NULL;
  }
  return dub_pcm_new (g_steal_pointer (&bytes), audio->sample_rate_hz,
      audio->channels, DUB_TIME_NONE);
}

/* --- encode --- */

static void
do_encode (GTask *task, gpointer source, gpointer data, GCancellable *cancel)
{
  GError *error = NULL;
  GBytes *bytes = dub_mediacodec_encode_m4a (data, M4A_BIT_RATE, &error);

  if (bytes)
    g_task_return_pointer (task, bytes, (GDestroyNotify) g_bytes_unref);
  else
    g_task_return_error (task, error);
}

void
dub_link_sound_encode (
    DubPcm *pcm, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, callback, user_data);

  g_task_set_task_data (
      task, dub_pcm_ref (pcm), (GDestroyNotify) dub_pcm_unref);
  g_task_run_in_thread (task, do_encode);
}

GBytes *
dub_link_sound_encode_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* --- decode --- */

/* What the bytes are is seen in the bytes; peers' labels are not to be relied
 * on, but for raw samples they are all there is. */
static gboolean
looks_coded (GBytes *bytes)
{
  gsize size = 0;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  return (size >= 8 && memcmp (data + 4, "ftyp", 4) == 0) ||
         (size >= 4 && memcmp (data, "RIFF", 4) == 0);
}

static DubPcm *
decode (const DubAudio *audio, GError **error)
{
  g_autoptr (GBytes) bytes = dub_audio_dup_data (audio, error);

  if (!bytes)
    return NULL;
  if (is_s16 (audio) && !looks_coded (bytes))
    return dub_link_sound_take_pcm (audio, error);
  return dub_mediacodec_decode (bytes, audio->format, audio->sample_rate_hz,
      audio->channels, MAX_ANSWER_MS, error);
}

static DubPcm *
to_programme (DubPcm *pcm, GError **error)
{
  guint channels = MIN (pcm->channels, DUB_PROGRAMME_CHANNELS);

  if (pcm->frames == 0) {
    g_set_error (
        error, DUB_ERROR, DUB_ERROR_INVALID, "the sound has no samples");
    return NULL;
  }
  if (pcm->rate_hz == DUB_PROGRAMME_RATE_HZ && pcm->channels == channels)
    return dub_pcm_ref (pcm);
  return dub_mediacodec_convert (pcm, DUB_PROGRAMME_RATE_HZ, channels, error);
}

static void
do_decode (GTask *task, gpointer source, gpointer data, GCancellable *cancel)
{
  GError *error = NULL;
  g_autoptr (DubPcm) decoded = decode (data, &error);
  DubPcm *pcm = decoded ? to_programme (decoded, &error) : NULL;

  if (pcm)
    g_task_return_pointer (task, pcm, (GDestroyNotify) dub_pcm_unref);
  else
    g_task_return_error (task, error);
}

void
dub_link_sound_decode (
    DubAudio *audio, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, callback, user_data);

  g_task_set_task_data (task, audio, (GDestroyNotify) dub_audio_free);
  g_task_run_in_thread (task, do_decode);
}

DubPcm *
dub_link_sound_decode_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
