/* SPDX-License-Identifier: Apache-2.0 */
#include "media_file.h"

#include <dubbing_common/error.h>
#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <string.h>

#define MAX_SECONDS 3600
#define SAMPLE_WAIT (10 * GST_SECOND)
#define WAV_HEADER_BYTES 44

static void
take_bus_error (GstElement *pipeline, const char *path, GError **error)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message =
      gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_autoptr (GError) local = NULL;

  if (message != NULL)
    gst_message_parse_error (message, &local, NULL);
  g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID, "'%s' is not read: %s",
      path, local != NULL ? local->message : "it has no sound");
}

static void
append_sample (GByteArray *out, GstSample *sample)
{
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  GstMapInfo map;

  if (buffer == NULL || !gst_buffer_map (buffer, &map, GST_MAP_READ))
    return;
  g_byte_array_append (out, map.data, (guint) map.size);
  gst_buffer_unmap (buffer, &map);
}

static gboolean
drain (GstAppSink *sink, GByteArray *out, guint rate_hz)
{
  while (out->len < (guint64) MAX_SECONDS * rate_hz * 2) {
    GstSample *sample = gst_app_sink_try_pull_sample (sink, SAMPLE_WAIT);
    if (sample == NULL)
      return gst_app_sink_is_eos (sink);
    append_sample (out, sample);
    gst_sample_unref (sample);
  }
  return TRUE;
}

DubPcm *
dub_media_file_read (const char *path, guint rate_hz, GError **error)
{
  g_autofree char *text = g_strdup_printf (
      "filesrc name=file ! decodebin ! audioconvert ! audioresample ! "
      "audio/x-raw,format=S16LE,layout=interleaved,rate=%u,channels=1 ! "
      "appsink name=out sync=false max-buffers=64",
      rate_hz);
  g_autoptr (GstElement) pipeline = gst_parse_launch (text, error);
  g_autoptr (GstElement) file = NULL;
  g_autoptr (GstElement) sink = NULL;
  g_autoptr (GByteArray) out = g_byte_array_new ();
  gboolean is_whole;

  if (pipeline == NULL)
    return NULL;
  file = gst_bin_get_by_name (GST_BIN (pipeline), "file");
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "out");
  g_object_set (file, "location", path, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  is_whole = drain (GST_APP_SINK (sink), out, rate_hz);
  if (!is_whole || out->len == 0)
    take_bus_error (pipeline, path, error);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  if (!is_whole || out->len == 0)
    return NULL;
  g_byte_array_set_size (out, out->len & ~1u);
  return dub_pcm_new (
      g_byte_array_free_to_bytes (g_steal_pointer (&out)), rate_hz, 1, 0);
}

static void
put_u32 (guint8 *to, guint32 value)
{
  value = GUINT32_TO_LE (value);
  memcpy (to, &value, 4);
}

static void
put_u16 (guint8 *to, guint16 value)
{
  value = GUINT16_TO_LE (value);
  memcpy (to, &value, 2);
}

gboolean
dub_media_file_write_wav (const char *path, DubPcm *pcm, GError **error)
{
  gsize bytes = g_bytes_get_size (pcm->bytes);
  g_autofree guint8 *file = g_malloc (WAV_HEADER_BYTES + bytes);
  guint16 frame = (guint16) (pcm->channels * 2);

  memcpy (file, "RIFF....WAVEfmt ", 16);
  put_u32 (file + 4, (guint32) (WAV_HEADER_BYTES - 8 + bytes));
  put_u32 (file + 16, 16);
  put_u16 (file + 20, 1);
  put_u16 (file + 22, (guint16) pcm->channels);
  put_u32 (file + 24, pcm->rate_hz);
  put_u32 (file + 28, pcm->rate_hz * frame);
  put_u16 (file + 32, frame);
  put_u16 (file + 34, 16);
  memcpy (file + 36, "data", 4);
  put_u32 (file + 40, (guint32) bytes);
  memcpy (file + WAV_HEADER_BYTES, pcm->samples, bytes);
  return g_file_set_contents (
      path, (const char *) file, (gssize) (WAV_HEADER_BYTES + bytes), error);
}
