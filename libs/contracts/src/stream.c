/* SPDX-License-Identifier: Apache-2.0 */
#include <dubbing_common/error.h>
#include <dubbing_common/stream_id.h>
#include <dubbing_contracts/stream.h>

#include "reader.h"
#include "writer.h"

/* --- stream:init --- */

DubStreamInit *
dub_stream_init_new (void)
{
  DubStreamInit *self = g_new0 (DubStreamInit, 1);

  self->voice_profile = g_strdup ("default");
  self->chunk_duration_ms = 6000;
  self->sample_rate_hz = 48000;
  self->channels = 1;
  self->format = g_strdup ("m4a");
  self->max_inflight = 3;
  self->timeout_ms = 8000;
  return self;
}

void
dub_stream_init_free (DubStreamInit *init)
{
  if (!init)
    return;
  g_free (init->stream_id);
  g_free (init->worker_id);
  g_free (init->source_language);
  g_free (init->target_language);
  g_free (init->voice_profile);
  g_free (init->format);
  g_strfreev (init->domain_hints);
  g_free (init);
}

/* TRUE for the dialect that has no ids and its configuration at top level. An
 * object with an id but without "config" is a mistake, not a dialect. */
static gboolean
is_flat_init (DubReader *reader)
{
  static const char *const fields[] = {"source_language", "target_language",
      "voice_profile", "chunk_duration_ms", "sample_rate", "sample_rate_hz",
      "channels", "format", NULL};

  if (dub_reader_get (reader, "config") ||
      dub_reader_get (reader, "stream_id") ||
      dub_reader_get (reader, "worker_id"))
    return FALSE;
  for (guint i = 0; fields[i]; i++)
    if (dub_reader_get (reader, fields[i]))
      return TRUE;
  return FALSE;
}

static char **
read_hints (DubReader *reader)
{
  JsonNode *node = dub_reader_get (reader, "domain_hints");
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  JsonArray *array;

  if (!node)
    return NULL;
  if (!JSON_NODE_HOLDS_ARRAY (node)) {
    dub_reader_fail (
        reader, DUB_ERROR_INVALID, "domain_hints", "must be an array");
    return NULL;
  }
  array = json_node_get_array (node);
  if (json_array_get_length (array) > DUB_WIRE_MAX_HINTS) {
    dub_reader_fail (reader, DUB_ERROR_LIMIT, "domain_hints",
        "has %u entries, at most %d are taken", json_array_get_length (array),
        DUB_WIRE_MAX_HINTS);
    return NULL;
  }
  for (guint i = 0; i < json_array_get_length (array); i++) {
    JsonNode *hint = json_array_get_element (array, i);

    if (json_node_get_value_type (hint) != G_TYPE_STRING) {
      dub_reader_fail (
          reader, DUB_ERROR_INVALID, "domain_hints", "must hold strings");
      return NULL;
    }
    g_strv_builder_add (builder, json_node_get_string (hint));
  }
  return g_strv_builder_end (builder);
}

/* Keeps the default where the field is absent. */
static void
take_string (DubReader *reader, const char *name, gsize max, char **target)
{
  char *text = dub_reader_string (reader, name, DUB_FIELD_OPTIONAL, 1, max);

  if (!text)
    return;
  g_free (*target);
  *target = text;
}

static void
read_config (DubStreamInit *init, DubReader *config)
{
  init->source_language = dub_reader_string (config, "source_language",
      DUB_FIELD_OPTIONAL, DUB_WIRE_MIN_LANGUAGE, DUB_WIRE_MAX_LANGUAGE);
  init->target_language = dub_reader_string (config, "target_language",
      DUB_FIELD_OPTIONAL, DUB_WIRE_MIN_LANGUAGE, DUB_WIRE_MAX_LANGUAGE);
  take_string (
      config, "voice_profile", DUB_WIRE_MAX_NAME, &init->voice_profile);
  init->chunk_duration_ms = dub_reader_int (config, "chunk_duration_ms", 6000,
      DUB_WIRE_MIN_CHUNK_MS, DUB_WIRE_MAX_CHUNK_MS);
  init->sample_rate_hz = dub_reader_int (config,
      dub_reader_either (config, "sample_rate_hz", "sample_rate"), 48000,
      DUB_WIRE_MIN_RATE_HZ, DUB_WIRE_MAX_RATE_HZ);
  init->channels =
      dub_reader_int (config, "channels", 1, 1, DUB_WIRE_MAX_CHANNELS);
  take_string (config, "format", DUB_WIRE_MAX_NAME, &init->format);
  init->domain_hints = read_hints (config);
}

/* Longer than elsewhere: who dubs into several languages tells its streams
 * apart by what it appends. */
static void
read_stream_id (DubStreamInit *init, DubReader *reader)
{
  init->stream_id = dub_reader_string (
      reader, "stream_id", DUB_FIELD_REQUIRED, 1, DUB_WIRE_MAX_ID);
  if (init->stream_id != NULL &&
      !dub_stream_id_fits (init->stream_id, DUB_WIRE_MAX_ID))
    dub_reader_fail (reader, DUB_ERROR_INVALID, "stream_id",
        "allowed are letters, figures, _ and -");
}

static void
read_init (DubStreamInit *init, DubReader *reader)
{
  DubReader config;

  init->is_flat = is_flat_init (reader);
  if (init->is_flat) {
    config = *reader;
    config.root = reader->root;
  } else {
    read_stream_id (init, reader);
    init->worker_id = dub_reader_string (
        reader, "worker_id", DUB_FIELD_REQUIRED, 1, DUB_WIRE_MAX_ID);
    dub_reader_init_child (
        &config, reader, "config", "config.", DUB_FIELD_REQUIRED);
  }
  read_config (init, &config);
}

DubStreamInit *
dub_stream_init_from_json (JsonNode *node, GError **error)
{
  g_autoptr (DubStreamInit) init = dub_stream_init_new ();
  DubReader reader;

  dub_reader_init (&reader, node);
  read_init (init, &reader);
  init->max_inflight =
      dub_reader_int (&reader, "max_inflight", 3, 1, DUB_WIRE_MAX_INFLIGHT);
  init->timeout_ms = dub_reader_int (&reader, "timeout_ms", 8000,
      DUB_WIRE_MIN_TIMEOUT_MS, DUB_WIRE_MAX_TIMEOUT_MS);
  return dub_reader_ok (&reader, error) ? g_steal_pointer (&init) : NULL;
}

static JsonObject *
config_to_object (const DubStreamInit *init)
{
  JsonObject *config = json_object_new ();
  JsonArray *hints;

  dub_put_string (config, "source_language", init->source_language);
  dub_put_string (config, "target_language", init->target_language);
  dub_put_string (config, "voice_profile", init->voice_profile);
  json_object_set_int_member (
      config, "chunk_duration_ms", init->chunk_duration_ms);
  json_object_set_int_member (config, "sample_rate_hz", init->sample_rate_hz);
  json_object_set_int_member (config, "channels", init->channels);
  dub_put_string (config, "format", init->format);
  if (init->domain_hints) {
    hints = json_array_new ();
    for (guint i = 0; init->domain_hints[i]; i++)
      json_array_add_string_element (hints, init->domain_hints[i]);
    json_object_set_array_member (config, "domain_hints", hints);
  }
  return config;
}

JsonNode *
dub_stream_init_to_json (const DubStreamInit *init)
{
  JsonObject *object = json_object_new ();

  dub_put_string (object, "stream_id", init->stream_id);
  dub_put_string (object, "worker_id", init->worker_id);
  json_object_set_object_member (object, "config", config_to_object (init));
  json_object_set_int_member (object, "max_inflight", init->max_inflight);
  json_object_set_int_member (object, "timeout_ms", init->timeout_ms);
  return dub_object_to_node (object);
}

/* --- stream:ready --- */

DubStreamReady *
dub_stream_ready_new (void)
{
  DubStreamReady *self = g_new0 (DubStreamReady, 1);

  self->max_inflight = 3;
  self->can_deliver_async = TRUE;
  return self;
}

void
dub_stream_ready_free (DubStreamReady *ready)
{
  if (!ready)
    return;
  g_free (ready->stream_id);
  g_free (ready->session_id);
  g_free (ready);
}

/* An array of names is understood as those being true. */
static gboolean
has_capability (JsonNode *node, const char *name)
{
  JsonArray *array;
  JsonNode *value;

  if (node && JSON_NODE_HOLDS_OBJECT (node)) {
    value = json_object_get_member (json_node_get_object (node), name);
    return value && json_node_get_value_type (value) == G_TYPE_BOOLEAN &&
           json_node_get_boolean (value);
  }
  if (!node || !JSON_NODE_HOLDS_ARRAY (node))
    return FALSE;
  array = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (array); i++) {
    value = json_array_get_element (array, i);
    if (json_node_get_value_type (value) == G_TYPE_STRING &&
        g_str_equal (json_node_get_string (value), name))
      return TRUE;
  }
  return FALSE;
}

DubStreamReady *
dub_stream_ready_from_json (JsonNode *node, GError **error)
{
  g_autoptr (DubStreamReady) ready = dub_stream_ready_new ();
  JsonNode *capabilities;
  DubReader reader;

  dub_reader_init (&reader, node);
  ready->stream_id = dub_reader_string (
      &reader, "stream_id", DUB_FIELD_OPTIONAL, 0, DUB_WIRE_MAX_ID);
  ready->session_id = dub_reader_string (
      &reader, "session_id", DUB_FIELD_OPTIONAL, 0, DUB_WIRE_MAX_ID);
  ready->max_inflight =
      dub_reader_int (&reader, "max_inflight", 3, 1, DUB_WIRE_MAX_INFLIGHT);
  capabilities = dub_reader_get (&reader, "capabilities");
  ready->can_batch = has_capability (capabilities, "batch_processing");
  ready->can_deliver_async = has_capability (capabilities, "async_delivery");
  ready->takes_pcm_binary = has_capability (capabilities, "pcm_s16le_binary");
  return dub_reader_ok (&reader, error) ? g_steal_pointer (&ready) : NULL;
}

/* A superset: membership tests of every known peer pass, on the object as on
 * a list. */
static JsonObject *
capabilities_to_object (const DubStreamReady *ready)
{
  static const char *const always[] = {
      "asr", "translation", "tts", "duration_matching"};
  JsonObject *object = json_object_new ();

  json_object_set_boolean_member (object, "batch_processing", ready->can_batch);
  json_object_set_boolean_member (
      object, "async_delivery", ready->can_deliver_async);
  for (guint i = 0; i < G_N_ELEMENTS (always); i++)
    json_object_set_boolean_member (object, always[i], TRUE);
  if (ready->takes_pcm_binary)
    json_object_set_boolean_member (object, "pcm_s16le_binary", TRUE);
  return object;
}

JsonNode *
dub_stream_ready_to_json (const DubStreamReady *ready)
{
  JsonObject *object = json_object_new ();

  dub_put_string (object, "stream_id", ready->stream_id);
  dub_put_string (object, "session_id", ready->session_id);
  json_object_set_int_member (object, "max_inflight", ready->max_inflight);
  json_object_set_object_member (
      object, "capabilities", capabilities_to_object (ready));
  return dub_object_to_node (object);
}

/* --- stream:pause, stream:resume, stream:end --- */

DubStreamControl *
dub_stream_control_new (void)
{
  return g_new0 (DubStreamControl, 1);
}

void
dub_stream_control_free (DubStreamControl *control)
{
  if (!control)
    return;
  g_free (control->stream_id);
  g_free (control->reason);
  g_free (control);
}

DubStreamControl *
dub_stream_control_from_json (JsonNode *node, GError **error)
{
  g_autoptr (DubStreamControl) control = dub_stream_control_new ();
  DubReader reader;

  dub_reader_init (&reader, node);
  control->stream_id = dub_reader_string (
      &reader, "stream_id", DUB_FIELD_OPTIONAL, 0, DUB_WIRE_MAX_ID);
  control->reason = dub_reader_text (&reader, "reason", DUB_WIRE_MAX_REASON);
  return dub_reader_ok (&reader, error) ? g_steal_pointer (&control) : NULL;
}

JsonNode *
dub_stream_control_to_json (const DubStreamControl *control)
{
  JsonObject *object = json_object_new ();

  dub_put_string (object, "stream_id", control->stream_id);
  dub_put_string (object, "reason", control->reason);
  return dub_object_to_node (object);
}

/* --- stream:complete --- */

DubStreamComplete *
dub_stream_complete_new (void)
{
  return g_new0 (DubStreamComplete, 1);
}

void
dub_stream_complete_free (DubStreamComplete *complete)
{
  if (!complete)
    return;
  g_free (complete->stream_id);
  g_free (complete);
}

/* Nested where it is there, else the copy at top level. */
static guint64
read_counter (DubReader *reader, DubReader *statistics, const char *name)
{
  DubReader *from = dub_reader_get (statistics, name) ? statistics : reader;

  return (guint64) dub_reader_int (from, name, 0, 0, G_MAXINT64);
}

static double
read_mean (DubReader *reader, DubReader *statistics, const char *name)
{
  DubReader *from = dub_reader_get (statistics, name) ? statistics : reader;

  return dub_reader_double (from, name, 0.0);
}

DubStreamComplete *
dub_stream_complete_from_json (JsonNode *node, GError **error)
{
  g_autoptr (DubStreamComplete) self = dub_stream_complete_new ();
  DubReader reader, inner;

  dub_reader_init (&reader, node);
  dub_reader_init_child (
      &inner, &reader, "statistics", "statistics.", DUB_FIELD_OPTIONAL);
  self->stream_id = dub_reader_string (
      &reader, "stream_id", DUB_FIELD_OPTIONAL, 0, DUB_WIRE_MAX_ID);
  self->total_fragments = read_counter (&inner, &reader, "total_fragments");
  self->total_duration_ms = read_counter (&inner, &reader, "total_duration_ms");
  self->total_audio_duration_ms =
      read_counter (&reader, &inner, "total_audio_duration_ms");
  self->success_count = read_counter (&reader, &inner, "success_count");
  self->partial_count = read_counter (&reader, &inner, "partial_count");
  self->failed_count = read_counter (&reader, &inner, "failed_count");
  self->avg_processing_time_ms =
      read_mean (&reader, &inner, "avg_processing_time_ms");
  self->p95_processing_time_ms =
      read_mean (&reader, &inner, "p95_processing_time_ms");
  return dub_reader_ok (&reader, error) ? g_steal_pointer (&self) : NULL;
}

static void
put_statistics (JsonObject *object, const DubStreamComplete *complete)
{
  json_object_set_int_member (
      object, "total_fragments", (gint64) complete->total_fragments);
  json_object_set_int_member (object, "total_audio_duration_ms",
      (gint64) complete->total_audio_duration_ms);
  json_object_set_int_member (
      object, "success_count", (gint64) complete->success_count);
  json_object_set_int_member (
      object, "partial_count", (gint64) complete->partial_count);
  json_object_set_int_member (
      object, "failed_count", (gint64) complete->failed_count);
  json_object_set_double_member (
      object, "avg_processing_time_ms", complete->avg_processing_time_ms);
  json_object_set_double_member (
      object, "p95_processing_time_ms", complete->p95_processing_time_ms);
}

JsonNode *
dub_stream_complete_to_json (const DubStreamComplete *complete)
{
  JsonObject *object = json_object_new ();
  JsonObject *statistics = json_object_new ();

  dub_put_string (object, "stream_id", complete->stream_id);
  json_object_set_int_member (
      object, "total_duration_ms", (gint64) complete->total_duration_ms);
  put_statistics (object, complete);
  put_statistics (statistics, complete);
  json_object_set_object_member (object, "statistics", statistics);
  return dub_object_to_node (object);
}
