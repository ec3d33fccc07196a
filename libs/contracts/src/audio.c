/* SPDX-License-Identifier: Apache-2.0 */
#include <dubbing_common/base64.h>
#include <dubbing_common/error.h>
#include <string.h>

#include "audio_json.h"
#include "writer.h"

DubAudio *
dub_audio_new (const char *format, guint sample_rate_hz, guint channels,
    guint duration_ms, GBytes *data)
{
  DubAudio *self = g_new0 (DubAudio, 1);

  self->format = g_strdup (format);
  self->sample_rate_hz = sample_rate_hz;
  self->channels = channels;
  self->duration_ms = duration_ms;
  self->data = data ? g_bytes_ref (data) : NULL;
  return self;
}

void
dub_audio_free (DubAudio *audio)
{
  if (!audio)
    return;
  g_free (audio->format);
  g_free (audio->base64);
  g_clear_pointer (&audio->data, g_bytes_unref);
  g_free (audio);
}

GBytes *
dub_audio_dup_data (const DubAudio *audio, GError **error)
{
  if (audio->data)
    return g_bytes_ref (audio->data);
  return dub_base64_decode (
      audio->base64 ? audio->base64 : "", -1, DUB_WIRE_MAX_AUDIO_BYTES, error);
}

/* A format ends up in labels and file names: letters, digits, "_" only. */
static void
check_format (DubReader *reader, const char *format)
{
  for (const char *c = format; c && *c; c++) {
    if (g_ascii_isalnum (*c) || *c == '_')
      continue;
    dub_reader_fail (reader, DUB_ERROR_INVALID, "format",
        "may have letters, digits and \"_\" only");
    return;
  }
}

static void
read_shape (DubAudio *audio, DubReader *reader, DubAudioSide side)
{
  const char *rate =
      dub_reader_either (reader, "sample_rate_hz", "sample_rate");
  gboolean is_answer = side == DUB_AUDIO_ANSWER;

  audio->format = dub_reader_string (
      reader, "format", DUB_FIELD_OPTIONAL, 1, DUB_WIRE_MAX_NAME);
  check_format (reader, audio->format);
  if (!audio->format)
    audio->format = g_strdup ("m4a");
  if (is_answer) {
    audio->sample_rate_hz = dub_reader_int (
        reader, rate, 48000, DUB_WIRE_MIN_RATE_HZ, DUB_WIRE_MAX_RATE_HZ);
    audio->channels =
        dub_reader_int (reader, "channels", 1, 1, DUB_WIRE_MAX_CHANNELS);
    audio->duration_ms = dub_reader_int (
        reader, "duration_ms", 0, 0, 2 * DUB_WIRE_MAX_FRAGMENT_MS);
    return;
  }
  audio->sample_rate_hz = dub_reader_need_int (
      reader, rate, DUB_WIRE_MIN_RATE_HZ, DUB_WIRE_MAX_RATE_HZ);
  audio->channels =
      dub_reader_need_int (reader, "channels", 1, DUB_WIRE_MAX_CHANNELS);
  audio->duration_ms =
      dub_reader_need_int (reader, "duration_ms", 0, DUB_WIRE_MAX_FRAGMENT_MS);
}

static void
read_attachment (
    DubAudio *audio, DubReader *reader, const char *name, GBytes *bytes)
{
  if (g_bytes_get_size (bytes) > DUB_WIRE_MAX_AUDIO_BYTES) {
    dub_reader_fail (reader, DUB_ERROR_LIMIT, name,
        "has %" G_GSIZE_FORMAT " bytes, at most %d are taken",
        g_bytes_get_size (bytes), DUB_WIRE_MAX_AUDIO_BYTES);
    return;
  }
  audio->data = g_bytes_ref (bytes);
  audio->is_binary = TRUE;
}

DubAudio *
dub_audio_read (DubReader *reader, const char *data_name, DubAudioSide side,
    const DubAttachments *attachments)
{
  g_autoptr (DubAudio) audio = g_new0 (DubAudio, 1);
  JsonNode *node = dub_reader_get (reader, data_name);
  GBytes *bytes = NULL;

  read_shape (audio, reader, side);
  if (node && attachments && attachments->get)
    bytes = attachments->get (attachments->carrier, node);
  if (bytes)
    read_attachment (audio, reader, data_name, bytes);
  else
    audio->base64 = dub_reader_string (
        reader, data_name, DUB_FIELD_REQUIRED, 0, DUB_WIRE_MAX_AUDIO_BASE64);
  return g_steal_pointer (&audio);
}

char *
dub_audio_to_base64 (const DubAudio *audio)
{
  return audio->data ? dub_base64_encode (audio->data)
                     : g_strdup (audio->base64 ? audio->base64 : "");
}

JsonNode *
dub_audio_to_json (const DubAudio *audio, const DubAttachments *attachments)
{
  JsonObject *object = json_object_new ();
  g_autofree char *base64 = NULL;

  dub_put_string (object, "format", audio->format);
  json_object_set_int_member (object, "sample_rate_hz", audio->sample_rate_hz);
  json_object_set_int_member (object, "channels", audio->channels);
  json_object_set_int_member (object, "duration_ms", audio->duration_ms);
  if (audio->is_binary && audio->data && attachments && attachments->add) {
    json_object_set_member (object, "data_base64",
        attachments->add (attachments->carrier, audio->data));
  } else {
    base64 = dub_audio_to_base64 (audio);
    json_object_set_string_member (object, "data_base64", base64);
  }
  return dub_object_to_node (object);
}
