/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_contracts/limits.h>
#include <json-glib/json-glib.h>

/*
 * What a test may ask of the echo mode: failures by rule, and a disconnect.
 * Without a stream_id it is about the asking client's own session; with one,
 * about every session of that stream, now and later; "*" means all streams.
 * Tolerant in, strict out, as in stream.h.
 */
G_BEGIN_DECLS

typedef enum {
  DUB_TRIGGER_NONE = 0,
  DUB_TRIGGER_SEQUENCE_NUMBER,
  DUB_TRIGGER_FRAGMENT_ID,
  DUB_TRIGGER_NTH_FRAGMENT, /* every nth of the session, counted from 1 */
} DubTrigger;
const char *dub_trigger_to_string (DubTrigger trigger);

/* A value matches by type too: "2" is not the sequence number 2. */
typedef struct {
  DubTrigger trigger;
  gint64 number; /* -1 when the value is a text */
  char *text;    /* (nullable) */
  char *error_code;
  char *error_message;
  gboolean is_retryable;
  char *stage; /* (nullable) */
  guint count; /* how often it is met; 0: always */
} DubErrorRule;

#define DUB_EVERY_STREAM "*"

typedef struct {
  char *stream_id; /* (nullable) */
  gboolean is_enabled;
  GPtrArray *rules; /* of DubErrorRule */
} DubErrorSimulation;

DubErrorSimulation *dub_error_simulation_new (void);
void dub_error_simulation_free (DubErrorSimulation *simulation);
DubErrorSimulation *dub_error_simulation_from_json (
    JsonNode *node, GError **error);
JsonNode *dub_error_simulation_to_json (const DubErrorSimulation *simulation);

/* The answer. message: (nullable). (transfer full) */
JsonNode *dub_error_simulation_ack_to_json (
    gboolean is_accepted, guint rules_count, const char *message);
/* Any of "accepted", "configured" / "rejected", "error". */
gboolean dub_error_simulation_ack_from_json (JsonNode *node,
    gboolean *ret_is_accepted, guint *ret_rules_count, GError **error);

typedef struct {
  char *stream_id; /* (nullable) */
  guint delay_ms;  /* 0 to 60000 */
  char *reason;    /* "test" */
} DubSimulateDisconnect;

DubSimulateDisconnect *dub_simulate_disconnect_new (void);
void dub_simulate_disconnect_free (DubSimulateDisconnect *simulate);
DubSimulateDisconnect *dub_simulate_disconnect_from_json (
    JsonNode *node, GError **error);
JsonNode *dub_simulate_disconnect_to_json (
    const DubSimulateDisconnect *simulate);
/* (transfer full) */
JsonNode *dub_simulate_disconnect_ack_to_json (
    gint64 disconnect_at_ms, const char *message);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubErrorSimulation, dub_error_simulation_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (
    DubSimulateDisconnect, dub_simulate_disconnect_free)

G_END_DECLS
