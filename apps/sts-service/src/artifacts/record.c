/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include "artifacts.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define MAX_NAME 80
#define WAV_HEADER 44

const char *const dub_record_names[] = {"transcript.txt", "translation.txt",
    "metadata.json", "original_audio.m4a", "original_audio.wav",
    "original_audio.aac", "original_audio.bin", "dubbed_audio.m4a",
    "dubbed_audio.wav", "dubbed_audio.aac", "dubbed_audio.bin", NULL};

char *
dub_artifacts_safe_name (const char *name)
{
  g_autofree char *safe = g_strndup (name, MAX_NAME);
  g_autofree char *hash = NULL;

  for (char *c = safe; *c != '\0'; c++)
    if (!g_ascii_isalnum (*c) && strchr ("._-", *c) == NULL)
      *c = '_';
  if (safe[0] == '.')
    safe[0] = '_';
  if (g_str_equal (safe, name) && *safe != '\0')
    return g_steal_pointer (&safe);
  hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, name, -1);
  return g_strdup_printf ("%s-%.12s", safe, hash);
}

/* ---- sound ---------------------------------------------------------- */

static const char *
extension_of (const DubSound *sound)
{
  gsize length = 0;
  const guint8 *data = g_bytes_get_data (sound->data, &length);

  if (g_strcmp0 (sound->format, "pcm_s16le") == 0)
    return "wav";
  if (length > 12 && memcmp (data + 4, "ftyp", 4) == 0)
    return "m4a";
  if (length > 12 && memcmp (data, "RIFF", 4) == 0)
    return "wav";
  if (length > 2 && data[0] == 0xff && (data[1] & 0xf0) == 0xf0)
    return "aac";
  return "bin";
}

static void
put_u32 (guint8 *to, gsize value)
{
  guint32 little = GUINT32_TO_LE ((guint32) value);

  memcpy (to, &little, 4);
}

/* What raw samples lack to be played. (transfer full) */
static GBytes *
wav_header (const DubSound *sound)
{
  static const guint8 begin[WAV_HEADER] = {'R', 'I', 'F', 'F', 0, 0, 0, 0, 'W',
      'A', 'V', 'E', 'f', 'm', 't', ' ', 16, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0,
      0, 0, 0, 0, 0, 16, 0, 'd', 'a', 't', 'a'};
  gsize bytes = g_bytes_get_size (sound->data);
  guint8 *header = g_memdup2 (begin, WAV_HEADER);
  guint frame = sound->channels * 2;

  put_u32 (header + 4, bytes + WAV_HEADER - 8);
  header[22] = (guint8) sound->channels;
  put_u32 (header + 24, sound->sample_rate_hz);
  put_u32 (header + 28, (gsize) sound->sample_rate_hz * frame);
  header[32] = (guint8) frame;
  put_u32 (header + 40, bytes);
  return g_bytes_new_take (header, WAV_HEADER);
}

/* ---- files ---------------------------------------------------------- */

static void
file_free (gpointer data)
{
  DubRecordFile *file = data;

  g_free (file->name);
  g_clear_pointer (&file->head, g_bytes_unref);
  g_bytes_unref (file->data);
  g_free (file);
}

/* name, data (transfer full), head (transfer full) (nullable) */
static void
add (DubRecord *record, char *name, GBytes *head, GBytes *data)
{
  DubRecordFile *file = g_new (DubRecordFile, 1);

  *file = (DubRecordFile){name, head, data};
  record->bytes += g_bytes_get_size (data);
  g_ptr_array_add (record->files, file);
}

static void
add_text (DubRecord *record, const char *name, const char *text)
{
  if (text != NULL)
    add (record, g_strdup (name), NULL, g_bytes_new (text, strlen (text)));
}

static void
add_sound (DubRecord *record, const char *name, const DubSound *sound)
{
  const char *extension = NULL;
  gboolean is_raw = g_strcmp0 (sound->format, "pcm_s16le") == 0;

  if (sound->data == NULL)
    return;
  extension = extension_of (sound);
  add (record, g_strconcat (name, ".", extension, NULL),
      is_raw ? wav_header (sound) : NULL, g_bytes_ref (sound->data));
}

/* ---- metadata ------------------------------------------------------- */

static void
set_text (JsonObject *object, const char *name, const char *text)
{
  if (text != NULL)
    json_object_set_string_member (object, name, text);
}

/* (transfer full) */
static JsonObject *
timings_of (const DubResult *result)
{
  JsonObject *object = json_object_new ();

  json_object_set_int_member (object, "asr_ms", result->asr_ms);
  json_object_set_int_member (object, "translation_ms", result->translation_ms);
  json_object_set_int_member (object, "tts_ms", result->tts_ms);
  return object;
}

/* Each asset's parent is the one before it. (transfer full) */
static JsonObject *
lineage_of (const DubJob *job, const DubResult *result)
{
  static const char *const members[] = {
      "transcript_asset_id", "translation_asset_id", "audio_asset_id"};
  static const char *const prefixes[] = {
      "transcript", "translation", "audio-dubbed"};
  const gboolean exists[] = {result->transcript != NULL,
      result->translated_text != NULL, result->sound.data != NULL};
  JsonObject *object = json_object_new ();

  for (guint i = 0; i < G_N_ELEMENTS (members); i++) {
    g_autofree char *id =
        g_strdup_printf ("%s-%s", prefixes[i], job->fragment_id);
    if (exists[i])
      json_object_set_string_member (object, members[i], id);
  }
  return object;
}

/* (transfer full) */
static JsonObject *
engines_of (const DubResult *result)
{
  JsonObject *object = json_object_new ();

  set_text (object, "asr", result->asr_engine);
  set_text (object, "translation", result->translation_engine);
  set_text (object, "tts", result->tts_engine);
  return object;
}

static void
set_error (JsonObject *object, const DubResult *result)
{
  JsonObject *error = json_object_new ();

  set_text (error, "stage", result->error_stage);
  set_text (error, "code", result->error_code);
  set_text (error, "message", result->error_message);
  json_object_set_boolean_member (error, "retryable", result->is_retryable);
  json_object_set_object_member (object, "error", error);
}

static void
set_durations (JsonObject *object, const DubResult *result)
{
  json_object_set_int_member (
      object, "original_duration_ms", result->original_duration_ms);
  json_object_set_int_member (
      object, "dubbed_duration_ms", result->dubbed_duration_ms);
  json_object_set_double_member (
      object, "duration_variance_percent", result->duration_variance_percent);
  json_object_set_double_member (object, "speed_ratio", result->speed_ratio);
}

static void
add_metadata (DubRecord *record, const DubJob *job, const DubResult *result)
{
  static const char *const names[] = {"none", "success", "partial", "failed"};
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *time = g_date_time_format (now, "%Y-%m-%dT%H:%M:%SZ");
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *text = NULL;
  JsonObject *object = json_object_new ();

  json_node_set_object (node, object);
  set_text (object, "fragment_id", job->fragment_id);
  set_text (object, "stream_id", job->stream_id);
  json_object_set_int_member (
      object, "sequence_number", (gint64) job->sequence_number);
  set_text (object, "timestamp", time);
  set_text (object, "source_language", job->source_language);
  set_text (object, "target_language", job->target_language);
  set_text (object, "voice_profile", job->voice_profile);
  set_text (object, "status", names[result->status]);
  json_object_set_int_member (object, "processing_time_ms", result->total_ms);
  json_object_set_object_member (object, "stage_timings", timings_of (result));
  json_object_set_object_member (object, "engines", engines_of (result));
  if (result->words != NULL)
    json_object_set_array_member (
        object, "words", json_array_ref (result->words));
  set_durations (object, result);
  json_object_set_object_member (
      object, "asset_lineage", lineage_of (job, result));
  if (result->status == DUB_RESULT_FAILED)
    set_error (object, result);
  text = json_to_string (node, TRUE);
  json_object_unref (object);
  add_text (record, "metadata.json", text);
}

/* ---- the whole ------------------------------------------------------ */

DubRecord *
dub_record_new (const DubJob *job, const DubResult *result)
{
  DubRecord *record = g_new0 (DubRecord, 1);

  record->stream = dub_artifacts_safe_name (job->stream_id);
  record->fragment = dub_artifacts_safe_name (job->fragment_id);
  record->files = g_ptr_array_new_with_free_func (file_free);
  add_sound (record, "original_audio", &job->sound);
  add_text (record, "transcript.txt", result->transcript);
  add_text (record, "translation.txt", result->translated_text);
  add_sound (record, "dubbed_audio", &result->sound);
  add_metadata (record, job, result);
  return record;
}

void
dub_record_free (DubRecord *record)
{
  if (record == NULL)
    return;
  g_free (record->stream);
  g_free (record->fragment);
  g_ptr_array_unref (record->files);
  g_free (record);
}
