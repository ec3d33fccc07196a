/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_contracts/limits.h>
#include <json-glib/json-glib.h>

/*
 * The event "backpressure": how loaded the service is with this stream, and
 * what it asks of the worker. Tolerant in, strict out, as in stream.h.
 */
G_BEGIN_DECLS

typedef enum {
  DUB_LOAD_NONE = 0,
  DUB_LOAD_LOW,
  DUB_LOAD_MEDIUM,
  DUB_LOAD_HIGH,
} DubLoad;
const char *dub_load_to_string (DubLoad load);

typedef enum {
  DUB_FLOW_NONE = 0, /* go on */
  DUB_FLOW_SLOW_DOWN,
  DUB_FLOW_PAUSE,
} DubFlow;
const char *dub_flow_to_string (DubFlow flow);

typedef struct {
  char *stream_id;  /* (nullable) */
  DubLoad severity; /* MEDIUM when absent */
  DubFlow action;   /* NONE when absent or unknown */
  guint current_inflight;
  guint queue_depth;
  guint max_inflight;         /* 0: not said */
  guint recommended_delay_ms; /* 0: not said; then by severity */
} DubBackpressure;

DubBackpressure *dub_backpressure_new (void);
void dub_backpressure_free (DubBackpressure *backpressure);
DubBackpressure *dub_backpressure_from_json (JsonNode *node, GError **error);
/* A delay of 0 is left out: null or 0 with slow_down ends a known client. */
JsonNode *dub_backpressure_to_json (const DubBackpressure *backpressure);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubBackpressure, dub_backpressure_free)

G_END_DECLS
