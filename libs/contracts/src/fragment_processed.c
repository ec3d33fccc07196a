/* SPDX-License-Identifier: Apache-2.0 */
#include <dubbing_common/error.h>
#include <dubbing_contracts/fragment.h>

#include "audio_json.h"
#include "writer.h"

DubFragmentProcessed *
dub_fragment_processed_new (void)
{
  DubFragmentProcessed *self = g_new0 (DubFragmentProcessed, 1);

  self->asr_ms = self->translation_ms = self->tts_ms = -1;
  self->speed_ratio = 1.0;
  return self;
}

void
dub_fragment_processed_free (DubFragmentProcessed *processed)
{
  if (!processed)
    return;
  g_free (processed->fragment_id);
  g_free (processed->stream_id);
  dub_audio_free (processed->dubbed_audio);
  g_free (processed->transcript);
  g_free (processed->translated_text);
  dub_wire_error_free (processed->error);
  g_free (processed->model_name);
  g_free (processed);
}

static DubProcessedStatus
read_status (DubReader *reader)
{
  static const char *const names[] = {
      "none", "success", "partial", "failed", "error", "timeout", NULL};
  int status = dub_reader_enum (reader, "status", names, 0);

  if (status == 0)
    dub_reader_fail (reader, DUB_ERROR_INVALID, "status",
        dub_reader_get (reader, "status")
            ? "must be \"success\", \"partial\" or \"failed\""
            : "is missing");
  return MIN (status, (int) DUB_PROCESSED_FAILED);
}

static void
read_dubbed_audio (DubFragmentProcessed *processed, DubReader *reader,
    const DubAttachments *attachments)
{
  JsonNode *node = dub_reader_get (reader, "dubbed_audio");
  DubReader audio;

  if (!node)
    return;
  processed->is_flat = JSON_NODE_HOLDS_VALUE (node);
  if (processed->is_flat) {
    processed->dubbed_audio =
        dub_audio_read (reader, "dubbed_audio", DUB_AUDIO_ANSWER, NULL);
    return;
  }
  dub_reader_init_child (
      &audio, reader, "dubbed_audio", "dubbed_audio.", DUB_FIELD_REQUIRED);
  processed->dubbed_audio =
      dub_audio_read (&audio, "data_base64", DUB_AUDIO_ANSWER, attachments);
}

static void
read_timings (DubFragmentProcessed *processed, DubReader *reader)
{
  DubReader timings;

  dub_reader_init_child (
      &timings, reader, "stage_timings", "stage_timings.", DUB_FIELD_OPTIONAL);
  processed->has_timings = timings.object != NULL;
  processed->asr_ms = dub_reader_int (&timings, "asr_ms", -1, 0, G_MAXINT32);
  processed->translation_ms =
      dub_reader_int (&timings, "translation_ms", -1, 0, G_MAXINT32);
  processed->tts_ms = dub_reader_int (&timings, "tts_ms", -1, 0, G_MAXINT32);
}

static void
read_durations (DubFragmentProcessed *processed, DubReader *reader)
{
  DubReader metadata;

  dub_reader_init_child (
      &metadata, reader, "metadata", "metadata.", DUB_FIELD_OPTIONAL);
  processed->has_durations =
      dub_reader_get (&metadata, "dubbed_duration_ms") != NULL;
  processed->original_duration_ms =
      dub_reader_int (&metadata, "original_duration_ms", 0, 0, G_MAXINT32);
  processed->dubbed_duration_ms =
      dub_reader_int (&metadata, "dubbed_duration_ms", 0, 0, G_MAXINT32);
  processed->duration_variance_percent =
      dub_reader_double (&metadata, "duration_variance_percent", 0.0);
  processed->speed_ratio = dub_reader_double (&metadata, "speed_ratio", 1.0);
  processed->model_name =
      dub_reader_text (&metadata, "asr_model", DUB_WIRE_MAX_NAME);
}

static void
read_error (DubFragmentProcessed *processed, DubReader *reader)
{
  JsonNode *node = dub_reader_get (reader, "error");
  g_autoptr (GError) failure = NULL;

  if (!node)
    return;
  processed->error = dub_wire_error_from_json (node, &failure);
  if (!processed->error)
    dub_reader_fail (
        reader, DUB_ERROR_INVALID, "error", "%s", failure->message);
}

DubFragmentProcessed *
dub_fragment_processed_from_json (
    JsonNode *node, const DubAttachments *attachments, GError **error)
{
  g_autoptr (DubFragmentProcessed) self = dub_fragment_processed_new ();
  DubReader reader;

  dub_reader_init (&reader, node);
  self->fragment_id = dub_reader_string (
      &reader, "fragment_id", DUB_FIELD_REQUIRED, 1, DUB_WIRE_MAX_ID);
  self->stream_id = dub_reader_string (
      &reader, "stream_id", DUB_FIELD_OPTIONAL, 0, DUB_WIRE_MAX_ID);
  self->sequence_number =
      (guint64) dub_reader_int (&reader, "sequence_number", 0, 0, G_MAXINT64);
  self->status = read_status (&reader);
  read_dubbed_audio (self, &reader, attachments);
  self->transcript = dub_reader_text (&reader, "transcript", DUB_WIRE_MAX_TEXT);
  self->translated_text =
      dub_reader_text (&reader, "translated_text", DUB_WIRE_MAX_TEXT);
  self->processing_time_ms =
      dub_reader_int (&reader, "processing_time_ms", 0, 0, G_MAXINT32);
  read_timings (self, &reader);
  read_durations (self, &reader);
  read_error (self, &reader);
  return dub_reader_ok (&reader, error) ? g_steal_pointer (&self) : NULL;
}

static void
put_audio (JsonObject *object, const DubFragmentProcessed *processed,
    const DubAttachments *attachments)
{
  g_autofree char *base64 = NULL;

  if (!processed->dubbed_audio)
    return;
  if (!processed->is_flat) {
    json_object_set_member (object, "dubbed_audio",
        dub_audio_to_json (processed->dubbed_audio, attachments));
    return;
  }
  base64 = dub_audio_to_base64 (processed->dubbed_audio);
  json_object_set_string_member (object, "dubbed_audio", base64);
}

static void
put_told (JsonObject *object, const char *name, gint64 ms)
{
  if (ms >= 0)
    json_object_set_int_member (object, name, ms);
}

static void
put_timings (JsonObject *object, const DubFragmentProcessed *processed)
{
  JsonObject *timings;

  if (!processed->has_timings)
    return;
  timings = json_object_new ();
  put_told (timings, "asr_ms", processed->asr_ms);
  put_told (timings, "translation_ms", processed->translation_ms);
  put_told (timings, "tts_ms", processed->tts_ms);
  json_object_set_object_member (object, "stage_timings", timings);
}

/* One kind or the other: a known peer refuses metadata with both. */
static void
put_metadata (JsonObject *object, const DubFragmentProcessed *processed)
{
  JsonObject *metadata;

  if (!processed->model_name && !processed->has_durations)
    return;
  metadata = json_object_new ();
  if (processed->model_name) {
    dub_put_string (metadata, "asr_model", processed->model_name);
    dub_put_string (metadata, "translation_model", processed->model_name);
    dub_put_string (metadata, "tts_model", processed->model_name);
  } else {
    json_object_set_int_member (
        metadata, "original_duration_ms", processed->original_duration_ms);
    json_object_set_int_member (
        metadata, "dubbed_duration_ms", processed->dubbed_duration_ms);
    json_object_set_double_member (metadata, "duration_variance_percent",
        processed->duration_variance_percent);
    /* The range that the peers' own validation takes. */
    json_object_set_double_member (
        metadata, "speed_ratio", CLAMP (processed->speed_ratio, 0.5, 2.0));
  }
  json_object_set_object_member (object, "metadata", metadata);
}

JsonNode *
dub_fragment_processed_to_json (
    const DubFragmentProcessed *processed, const DubAttachments *attachments)
{
  JsonObject *object = json_object_new ();

  dub_put_string (object, "fragment_id", processed->fragment_id);
  dub_put_string (object, "stream_id", processed->stream_id);
  json_object_set_int_member (
      object, "sequence_number", (gint64) processed->sequence_number);
  json_object_set_string_member (
      object, "status", dub_processed_status_to_string (processed->status));
  put_audio (object, processed, attachments);
  dub_put_string (object, "transcript", processed->transcript);
  dub_put_string (object, "translated_text", processed->translated_text);
  json_object_set_int_member (
      object, "processing_time_ms", processed->processing_time_ms);
  put_timings (object, processed);
  if (processed->error)
    json_object_set_member (
        object, "error", dub_wire_error_to_json (processed->error));
  put_metadata (object, processed);
  return dub_object_to_node (object);
}
