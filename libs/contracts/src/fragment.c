/* SPDX-License-Identifier: Apache-2.0 */
#include <dubbing_common/error.h>
#include <dubbing_contracts/fragment.h>
#include <string.h>

#include "audio_json.h"
#include "writer.h"

/* Beyond 2^53 a number does not survive a JavaScript peer. */
#define MAX_SEQUENCE G_GINT64_CONSTANT (9007199254740992)

static const char *const dialect_names[] = {
    "none", "nested", "flat", "audio_data", NULL};
static const char *const ack_names[] = {
    "none", "queued", "processing", "received", "applied", NULL};
static const char *const processed_names[] = {
    "none", "success", "partial", "failed", NULL};

const char *
dub_dialect_to_string (DubDialect dialect)
{
  return dub_name_of (dialect_names, G_N_ELEMENTS (dialect_names), dialect);
}

const char *
dub_ack_status_to_string (DubAckStatus status)
{
  return dub_name_of (ack_names, G_N_ELEMENTS (ack_names), status);
}

const char *
dub_processed_status_to_string (DubProcessedStatus status)
{
  return dub_name_of (processed_names, G_N_ELEMENTS (processed_names), status);
}

/* --- fragment:data --- */

DubFragmentData *
dub_fragment_data_new (void)
{
  DubFragmentData *self = g_new0 (DubFragmentData, 1);

  self->pts_ns = G_MININT64;
  self->source_pts_ns = G_MININT64;
  self->dialect = DUB_DIALECT_NESTED;
  return self;
}

void
dub_fragment_data_free (DubFragmentData *data)
{
  if (!data)
    return;
  g_free (data->fragment_id);
  g_free (data->stream_id);
  dub_audio_free (data->audio);
  g_free (data);
}

static DubDialect
find_dialect (DubReader *reader)
{
  JsonNode *audio = dub_reader_get (reader, "audio");

  if (audio && JSON_NODE_HOLDS_VALUE (audio))
    return DUB_DIALECT_FLAT;
  if (!audio && dub_reader_get (reader, "audio_data"))
    return DUB_DIALECT_AUDIO_DATA;
  return DUB_DIALECT_NESTED;
}

/* Flat peers give their time as a float, by another name, or not at all. */
static gint64
read_timestamp (DubReader *reader, DubDialect dialect)
{
  const char *name = dub_reader_either (reader, "timestamp", "timestamp_ms");
  double value;

  if (dialect == DUB_DIALECT_NESTED)
    return dub_reader_need_int (reader, name, 0, G_MAXINT64);
  value = dub_reader_double (reader, name, 0.0);
  return value > 0.0 && value < 1e18 ? (gint64) value : 0;
}

static DubAudio *
read_request_audio (
    DubReader *reader, DubDialect dialect, const DubAttachments *attachments)
{
  DubReader audio;

  if (dialect == DUB_DIALECT_FLAT)
    return dub_audio_read (reader, "audio", DUB_AUDIO_REQUEST, NULL);
  if (dialect == DUB_DIALECT_AUDIO_DATA)
    return dub_audio_read (
        reader, "audio_data", DUB_AUDIO_REQUEST, attachments);
  dub_reader_init_child (&audio, reader, "audio", "audio.", DUB_FIELD_REQUIRED);
  return dub_audio_read (&audio, "data_base64", DUB_AUDIO_REQUEST, attachments);
}

static void
read_metadata (DubFragmentData *data, DubReader *reader)
{
  DubReader metadata;

  dub_reader_init_child (
      &metadata, reader, "metadata", "metadata.", DUB_FIELD_OPTIONAL);
  data->pts_ns =
      dub_reader_int (&metadata, "pts_ns", G_MININT64, G_MININT64, G_MAXINT64);
  data->source_pts_ns = dub_reader_int (
      &metadata, "source_pts_ns", G_MININT64, G_MININT64, G_MAXINT64);
  data->room_ms =
      dub_reader_int (&metadata, "room_ms", 0, 0, DUB_WIRE_MAX_FRAGMENT_MS);
  data->deadline_ms =
      dub_reader_int (&metadata, "deadline_ms", 0, 0, G_MAXINT32);
}

DubFragmentData *
dub_fragment_data_from_json (
    JsonNode *node, const DubAttachments *attachments, GError **error)
{
  g_autoptr (DubFragmentData) data = dub_fragment_data_new ();
  DubReader reader;

  dub_reader_init (&reader, node);
  data->dialect = find_dialect (&reader);
  data->fragment_id = dub_reader_string (
      &reader, "fragment_id", DUB_FIELD_REQUIRED, 1, DUB_WIRE_MAX_ID);
  data->stream_id = dub_reader_string (
      &reader, "stream_id", DUB_FIELD_REQUIRED, 1, DUB_WIRE_MAX_ID);
  data->sequence_number = (guint64) dub_reader_need_int (
      &reader, "sequence_number", 0, MAX_SEQUENCE);
  data->timestamp_ms = read_timestamp (&reader, data->dialect);
  data->audio = read_request_audio (&reader, data->dialect, attachments);
  read_metadata (data, &reader);
  return dub_reader_ok (&reader, error) ? g_steal_pointer (&data) : NULL;
}

static void
put_metadata (JsonObject *object, const DubFragmentData *data)
{
  JsonObject *metadata = json_object_new ();

  dub_put_int (metadata, "pts_ns", data->pts_ns, G_MININT64);
  dub_put_int (metadata, "source_pts_ns", data->source_pts_ns, G_MININT64);
  dub_put_int (metadata, "room_ms", data->room_ms, 0);
  dub_put_int (metadata, "deadline_ms", data->deadline_ms, 0);
  if (json_object_get_size (metadata) > 0)
    json_object_set_object_member (object, "metadata", metadata);
  else
    json_object_unref (metadata);
}

JsonNode *
dub_fragment_data_to_json (
    const DubFragmentData *data, const DubAttachments *attachments)
{
  JsonObject *object = json_object_new ();

  dub_put_string (object, "fragment_id", data->fragment_id);
  dub_put_string (object, "stream_id", data->stream_id);
  json_object_set_int_member (
      object, "sequence_number", (gint64) data->sequence_number);
  json_object_set_int_member (object, "timestamp", data->timestamp_ms);
  if (data->audio)
    json_object_set_member (
        object, "audio", dub_audio_to_json (data->audio, attachments));
  put_metadata (object, data);
  return dub_object_to_node (object);
}

gboolean
dub_fragment_data_peek (
    JsonNode *node, char **ret_fragment_id, guint64 *ret_sequence_number)
{
  DubReader id, number;
  gint64 sequence;

  dub_reader_init (&id, node);
  *ret_fragment_id = dub_reader_string (
      &id, "fragment_id", DUB_FIELD_REQUIRED, 1, DUB_WIRE_MAX_ID);
  (void) dub_reader_ok (&id, NULL);
  dub_reader_init (&number, node);
  sequence = dub_reader_need_int (&number, "sequence_number", 0, MAX_SEQUENCE);
  if (!dub_reader_ok (&number, NULL))
    return FALSE;
  *ret_sequence_number = (guint64) sequence;
  return TRUE;
}

/* (transfer none) (nullable) */
static JsonNode *
find_bytes (DubReader *reader)
{
  JsonNode *audio = dub_reader_get (reader, "audio");

  if (audio && JSON_NODE_HOLDS_OBJECT (audio))
    return json_object_get_member (json_node_get_object (audio), "data_base64");
  return audio ? audio : dub_reader_get (reader, "audio_data");
}

gsize
dub_fragment_data_peek_base64_length (JsonNode *node)
{
  DubReader reader;
  JsonNode *bytes;

  dub_reader_init (&reader, node);
  bytes = find_bytes (&reader);
  g_clear_error (&reader.failure);
  if (!bytes || json_node_get_value_type (bytes) != G_TYPE_STRING)
    return 0;
  return strlen (json_node_get_string (bytes));
}

/* --- fragment:ack --- */

DubFragmentAck *
dub_fragment_ack_new (const char *fragment_id, DubAckStatus status)
{
  DubFragmentAck *self = g_new0 (DubFragmentAck, 1);

  self->fragment_id = g_strdup (fragment_id);
  self->status = status;
  self->queue_position = -1;
  return self;
}

void
dub_fragment_ack_free (DubFragmentAck *ack)
{
  if (!ack)
    return;
  g_free (ack->fragment_id);
  g_free (ack);
}

DubFragmentAck *
dub_fragment_ack_from_json (JsonNode *node, GError **error)
{
  g_autoptr (DubFragmentAck) ack = dub_fragment_ack_new (NULL, DUB_ACK_NONE);
  DubReader reader;

  dub_reader_init (&reader, node);
  ack->fragment_id = dub_reader_string (
      &reader, "fragment_id", DUB_FIELD_REQUIRED, 1, DUB_WIRE_MAX_ID);
  ack->status = dub_reader_enum (&reader, "status", ack_names, DUB_ACK_NONE);
  ack->timestamp_ms = dub_reader_int (&reader, "timestamp", 0, 0, G_MAXINT64);
  ack->queue_position =
      dub_reader_int (&reader, "queue_position", -1, 0, G_MAXINT32);
  return dub_reader_ok (&reader, error) ? g_steal_pointer (&ack) : NULL;
}

JsonNode *
dub_fragment_ack_to_json (const DubFragmentAck *ack)
{
  JsonObject *object = json_object_new ();

  dub_put_string (object, "fragment_id", ack->fragment_id);
  json_object_set_string_member (
      object, "status", dub_ack_status_to_string (ack->status));
  json_object_set_int_member (object, "timestamp", ack->timestamp_ms);
  dub_put_int (object, "queue_position", ack->queue_position, -1);
  return dub_object_to_node (object);
}
