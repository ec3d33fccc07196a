/* SPDX-License-Identifier: Apache-2.0 */
#include <dubbing_contracts/backpressure.h>

#include "reader.h"
#include "writer.h"

static const char *const load_names[] = {"none", "low", "medium", "high", NULL};
static const char *const flow_names[] = {"none", "slow_down", "pause", NULL};

const char *
dub_load_to_string (DubLoad load)
{
  return dub_name_of (load_names, G_N_ELEMENTS (load_names), load);
}

const char *
dub_flow_to_string (DubFlow flow)
{
  return dub_name_of (flow_names, G_N_ELEMENTS (flow_names), flow);
}

DubBackpressure *
dub_backpressure_new (void)
{
  return g_new0 (DubBackpressure, 1);
}

void
dub_backpressure_free (DubBackpressure *backpressure)
{
  if (!backpressure)
    return;
  g_free (backpressure->stream_id);
  g_free (backpressure);
}

DubBackpressure *
dub_backpressure_from_json (JsonNode *node, GError **error)
{
  g_autoptr (DubBackpressure) self = dub_backpressure_new ();
  DubReader reader;

  dub_reader_init (&reader, node);
  self->stream_id = dub_reader_string (
      &reader, "stream_id", DUB_FIELD_OPTIONAL, 0, DUB_WIRE_MAX_ID);
  self->severity =
      dub_reader_enum (&reader, "severity", load_names, DUB_LOAD_MEDIUM);
  self->action = dub_reader_enum (&reader, "action", flow_names, DUB_FLOW_NONE);
  self->current_inflight =
      dub_reader_int (&reader, "current_inflight", 0, 0, G_MAXINT32);
  self->queue_depth = dub_reader_int (&reader, "queue_depth", 0, 0, G_MAXINT32);
  self->max_inflight =
      dub_reader_int (&reader, "max_inflight", 0, 0, G_MAXINT32);
  self->recommended_delay_ms =
      dub_reader_int (&reader, "recommended_delay_ms", 0, 0, 60000);
  return dub_reader_ok (&reader, error) ? g_steal_pointer (&self) : NULL;
}

JsonNode *
dub_backpressure_to_json (const DubBackpressure *backpressure)
{
  JsonObject *object = json_object_new ();
  /* The wire has no severity "none"; a clearing event is low. */
  DubLoad severity = MAX (backpressure->severity, DUB_LOAD_LOW);

  dub_put_string (object, "stream_id", backpressure->stream_id);
  json_object_set_string_member (
      object, "severity", dub_load_to_string (severity));
  json_object_set_string_member (
      object, "action", dub_flow_to_string (backpressure->action));
  json_object_set_int_member (
      object, "current_inflight", backpressure->current_inflight);
  json_object_set_int_member (object, "queue_depth", backpressure->queue_depth);
  dub_put_int (object, "max_inflight", backpressure->max_inflight, 0);
  dub_put_int (
      object, "recommended_delay_ms", backpressure->recommended_delay_ms, 0);
  return dub_object_to_node (object);
}
