/* SPDX-License-Identifier: Apache-2.0 */
#include <dubbing_common/error.h>
#include <dubbing_contracts/wire_error.h>

#include "reader.h"
#include "writer.h"

static const char *const severity_names[] = {
    "none", "warning", "error", "fatal", NULL};

const char *
dub_severity_to_string (DubSeverity severity)
{
  return dub_name_of (severity_names, G_N_ELEMENTS (severity_names), severity);
}

/* code, retryable, severity, counts for the circuit breaker. Where documents
 * and programs disagree about "retryable", what programs do is what peers
 * rely on. */
static const DubWireCode codes[] = {
    {DUB_CODE_AUTH_FAILED, FALSE, DUB_SEVERITY_FATAL, TRUE},
    {DUB_CODE_STREAM_NOT_FOUND, FALSE, DUB_SEVERITY_ERROR, FALSE},
    {DUB_CODE_INVALID_CONFIG, FALSE, DUB_SEVERITY_ERROR, FALSE},
    {DUB_CODE_FRAGMENT_TOO_LARGE, FALSE, DUB_SEVERITY_ERROR, FALSE},
    {DUB_CODE_TIMEOUT, TRUE, DUB_SEVERITY_ERROR, TRUE},
    {DUB_CODE_MODEL_ERROR, TRUE, DUB_SEVERITY_ERROR, TRUE},
    {"GPU_OOM", TRUE, DUB_SEVERITY_ERROR, TRUE},
    {DUB_CODE_QUEUE_FULL, TRUE, DUB_SEVERITY_WARNING, TRUE},
    {"INVALID_SEQUENCE", FALSE, DUB_SEVERITY_ERROR, FALSE},
    {DUB_CODE_RATE_LIMIT, TRUE, DUB_SEVERITY_WARNING, TRUE},
    {DUB_CODE_STREAM_PAUSED, TRUE, DUB_SEVERITY_WARNING, TRUE},
    {DUB_CODE_STREAM_NOT_READY, TRUE, DUB_SEVERITY_WARNING, TRUE},
    {DUB_CODE_MALFORMED_DATA, FALSE, DUB_SEVERITY_ERROR, FALSE},
    {DUB_CODE_BACKPRESSURE_EXCEEDED, TRUE, DUB_SEVERITY_ERROR, TRUE},
    {DUB_CODE_PROCESSING_ERROR, TRUE, DUB_SEVERITY_ERROR, TRUE},
    {DUB_CODE_INVALID_VOICE_PROFILE, FALSE, DUB_SEVERITY_ERROR, FALSE},
    {DUB_CODE_UNSUPPORTED_LANGUAGE, FALSE, DUB_SEVERITY_ERROR, FALSE},
    {"RATE_LIMIT_EXCEEDED", TRUE, DUB_SEVERITY_WARNING, TRUE},
    {"TRANSLATION_API_UNAVAILABLE", TRUE, DUB_SEVERITY_ERROR, TRUE},
    {DUB_CODE_ASR_FAILED, TRUE, DUB_SEVERITY_ERROR, TRUE},
    {DUB_CODE_TRANSLATION_FAILED, TRUE, DUB_SEVERITY_ERROR, TRUE},
    {DUB_CODE_TTS_SYNTHESIS_FAILED, FALSE, DUB_SEVERITY_ERROR, TRUE},
    {DUB_CODE_DURATION_MISMATCH_EXCEEDED, FALSE, DUB_SEVERITY_ERROR, FALSE},
    {DUB_CODE_INVALID_AUDIO_FORMAT, FALSE, DUB_SEVERITY_ERROR, FALSE},
    {NULL},
};

const DubWireCode *
dub_wire_codes (void)
{
  return codes;
}

const DubWireCode *
dub_wire_code_lookup (const char *code)
{
  for (gsize i = 0; code && codes[i].code; i++)
    if (g_str_equal (codes[i].code, code))
      return &codes[i];
  return NULL;
}

gboolean
dub_wire_code_counts_for_breaker (const char *code)
{
  const DubWireCode *known = dub_wire_code_lookup (code);

  return known ? known->counts_for_breaker : TRUE;
}

DubWireError *
dub_wire_error_new (const char *code, const char *message)
{
  DubWireError *self = g_new0 (DubWireError, 1);
  const DubWireCode *known = dub_wire_code_lookup (code);

  self->code = g_strdup (code);
  self->message = g_strdup (message);
  self->is_retryable = known && known->is_retryable;
  self->severity = known ? known->severity : DUB_SEVERITY_ERROR;
  return self;
}

void
dub_wire_error_free (DubWireError *error_event)
{
  if (!error_event)
    return;
  g_free (error_event->code);
  g_free (error_event->message);
  g_free (error_event->stage);
  g_free (error_event->stream_id);
  g_free (error_event->fragment_id);
  g_free (error_event);
}

DubWireError *
dub_wire_error_from_json (JsonNode *node, GError **error)
{
  g_autoptr (DubWireError) self = NULL;
  g_autofree char *code = NULL;
  DubReader reader;

  dub_reader_init (&reader, node);
  code = dub_reader_string (
      &reader, "code", DUB_FIELD_OPTIONAL, 0, DUB_WIRE_MAX_NAME);
  self = dub_wire_error_new (
      code && *code ? code : DUB_CODE_PROCESSING_ERROR, NULL);
  self->message = dub_reader_text (&reader, "message", DUB_WIRE_MAX_TEXT);
  if (!self->message)
    self->message = g_strdup ("");
  self->is_retryable =
      dub_reader_bool (&reader, "retryable", self->is_retryable);
  self->severity =
      dub_reader_enum (&reader, "severity", severity_names, self->severity);
  self->stage = dub_reader_text (&reader, "stage", DUB_WIRE_MAX_NAME);
  self->stream_id = dub_reader_text (&reader, "stream_id", DUB_WIRE_MAX_ID);
  self->fragment_id = dub_reader_text (&reader, "fragment_id", DUB_WIRE_MAX_ID);
  return dub_reader_ok (&reader, error) ? g_steal_pointer (&self) : NULL;
}

JsonNode *
dub_wire_error_to_json (const DubWireError *error_event)
{
  JsonObject *object = json_object_new ();

  dub_put_string (object, "code", error_event->code);
  json_object_set_string_member (
      object, "message", error_event->message ? error_event->message : "");
  json_object_set_string_member (
      object, "severity", dub_severity_to_string (error_event->severity));
  json_object_set_boolean_member (
      object, "retryable", error_event->is_retryable);
  dub_put_string (object, "stage", error_event->stage);
  dub_put_string (object, "stream_id", error_event->stream_id);
  dub_put_string (object, "fragment_id", error_event->fragment_id);
  return dub_object_to_node (object);
}
