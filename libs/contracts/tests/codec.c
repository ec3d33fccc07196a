/* SPDX-License-Identifier: Apache-2.0 */
#include "codec.h"

#include <dubbing_contracts/contracts.h>

/* One function per event: from JSON to the type and back. */
#define ROUND_TRIP(type, prefix)                                               \
  static JsonNode *prefix##_round_trip (JsonNode *node, GError **error)        \
  {                                                                            \
    g_autoptr (type) value = prefix##_from_json (node, error);                 \
    return value ? prefix##_to_json (value) : NULL;                            \
  }

ROUND_TRIP (DubStreamInit, dub_stream_init)
ROUND_TRIP (DubStreamReady, dub_stream_ready)
ROUND_TRIP (DubStreamControl, dub_stream_control)
ROUND_TRIP (DubStreamComplete, dub_stream_complete)
ROUND_TRIP (DubFragmentAck, dub_fragment_ack)
ROUND_TRIP (DubBackpressure, dub_backpressure)
ROUND_TRIP (DubWireError, dub_wire_error)
ROUND_TRIP (DubErrorSimulation, dub_error_simulation)
ROUND_TRIP (DubSimulateDisconnect, dub_simulate_disconnect)

static JsonNode *
data_round_trip (JsonNode *node, GError **error)
{
  g_autoptr (DubFragmentData) value =
      dub_fragment_data_from_json (node, NULL, error);

  return value ? dub_fragment_data_to_json (value, NULL) : NULL;
}

static JsonNode *
processed_round_trip (JsonNode *node, GError **error)
{
  g_autoptr (DubFragmentProcessed) value =
      dub_fragment_processed_from_json (node, NULL, error);

  return value ? dub_fragment_processed_to_json (value, NULL) : NULL;
}

static JsonNode *
simulation_ack_round_trip (JsonNode *node, GError **error)
{
  gboolean is_accepted = FALSE;
  guint count = 0;

  if (!dub_error_simulation_ack_from_json (node, &is_accepted, &count, error))
    return NULL;
  return dub_error_simulation_ack_to_json (is_accepted, count, NULL);
}

static const struct {
  const char *event;
  JsonNode *(*round_trip) (JsonNode *node, GError **error);
} events[] = {
    {DUB_EVENT_STREAM_INIT, dub_stream_init_round_trip},
    {DUB_EVENT_STREAM_READY, dub_stream_ready_round_trip},
    {DUB_EVENT_STREAM_END, dub_stream_control_round_trip},
    {DUB_EVENT_STREAM_COMPLETE, dub_stream_complete_round_trip},
    {DUB_EVENT_FRAGMENT_DATA, data_round_trip},
    {DUB_EVENT_FRAGMENT_ACK, dub_fragment_ack_round_trip},
    {DUB_EVENT_FRAGMENT_PROCESSED, processed_round_trip},
    {DUB_EVENT_BACKPRESSURE, dub_backpressure_round_trip},
    {DUB_EVENT_ERROR, dub_wire_error_round_trip},
    {DUB_EVENT_ERROR_SIMULATION, dub_error_simulation_round_trip},
    {DUB_EVENT_ERROR_SIMULATION_ACK, simulation_ack_round_trip},
    {DUB_EVENT_SIMULATE_DISCONNECT, dub_simulate_disconnect_round_trip},
};

const char *
dub_codec_event (guint index)
{
  return index < G_N_ELEMENTS (events) ? events[index].event : NULL;
}

JsonNode *
dub_codec_round_trip (const char *event, JsonNode *payload,
    gboolean *ret_is_known, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (events); i++) {
    *ret_is_known = g_str_equal (events[i].event, event);
    if (*ret_is_known)
      return events[i].round_trip (payload, error);
  }
  return NULL;
}
