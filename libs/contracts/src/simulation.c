/* SPDX-License-Identifier: Apache-2.0 */
#include <dubbing_common/error.h>
#include <dubbing_contracts/simulation.h>

#include "reader.h"
#include "writer.h"

static const char *const trigger_names[] = {
    "none", "sequence_number", "fragment_id", "nth_fragment", NULL};

const char *
dub_trigger_to_string (DubTrigger trigger)
{
  return dub_name_of (trigger_names, G_N_ELEMENTS (trigger_names), trigger);
}

static void
error_rule_free (gpointer data)
{
  DubErrorRule *rule = data;

  g_free (rule->text);
  g_free (rule->error_code);
  g_free (rule->error_message);
  g_free (rule->stage);
  g_free (rule);
}

DubErrorSimulation *
dub_error_simulation_new (void)
{
  DubErrorSimulation *self = g_new0 (DubErrorSimulation, 1);

  self->rules = g_ptr_array_new_with_free_func (error_rule_free);
  return self;
}

void
dub_error_simulation_free (DubErrorSimulation *simulation)
{
  if (!simulation)
    return;
  g_ptr_array_unref (simulation->rules);
  g_free (simulation->stream_id);
  g_free (simulation);
}

static void
read_value (DubErrorRule *rule, DubReader *reader)
{
  JsonNode *node = dub_reader_get (reader, "value");

  rule->number = -1;
  if (node && json_node_get_value_type (node) == G_TYPE_STRING)
    rule->text = dub_reader_string (
        reader, "value", DUB_FIELD_REQUIRED, 0, DUB_WIRE_MAX_ID);
  else
    rule->number = dub_reader_need_int (reader, "value", 0, G_MAXINT64);
  if (rule->trigger == DUB_TRIGGER_NTH_FRAGMENT && rule->number == 0)
    dub_reader_fail (reader, DUB_ERROR_INVALID, "value",
        "0 is no nth fragment; count from 1");
}

static void
read_rule (DubErrorRule *rule, DubReader *reader)
{
  rule->trigger =
      dub_reader_enum (reader, "trigger", trigger_names, DUB_TRIGGER_NONE);
  if (rule->trigger == DUB_TRIGGER_NONE)
    dub_reader_fail (reader, DUB_ERROR_INVALID, "trigger",
        "must be \"sequence_number\", \"fragment_id\" or \"nth_fragment\"");
  read_value (rule, reader);
  rule->error_code = dub_reader_string (
      reader, "error_code", DUB_FIELD_REQUIRED, 1, DUB_WIRE_MAX_NAME);
  rule->error_message =
      dub_reader_text (reader, "error_message", DUB_WIRE_MAX_REASON);
  if (!rule->error_message)
    rule->error_message = g_strdup ("Simulated error");
  rule->is_retryable = dub_reader_bool (reader, "retryable", TRUE);
  rule->stage = dub_reader_text (reader, "stage", DUB_WIRE_MAX_NAME);
  rule->count = (guint) dub_reader_int (reader, "count", 0, 0, G_MAXINT32);
}

static void
read_rules (DubErrorSimulation *self, DubReader *parent, JsonArray *array)
{
  for (guint i = 0; i < json_array_get_length (array); i++) {
    JsonNode *node = json_array_get_element (array, i);
    DubErrorRule *rule = g_new0 (DubErrorRule, 1);
    DubReader reader = {.root = parent->root, .prefix = "rules[]."};

    g_ptr_array_add (self->rules, rule);
    if (JSON_NODE_HOLDS_OBJECT (node))
      reader.object = json_node_get_object (node);
    read_rule (rule, &reader);
  }
}

DubErrorSimulation *
dub_error_simulation_from_json (JsonNode *node, GError **error)
{
  g_autoptr (DubErrorSimulation) self = dub_error_simulation_new ();
  DubReader reader;
  JsonNode *rules;

  dub_reader_init (&reader, node);
  self->stream_id = dub_reader_string (
      &reader, "stream_id", DUB_FIELD_OPTIONAL, 1, DUB_WIRE_MAX_ID);
  self->is_enabled = dub_reader_bool (&reader, "enabled", FALSE);
  rules = dub_reader_get (&reader, "rules");
  if (rules && !JSON_NODE_HOLDS_ARRAY (rules))
    dub_reader_fail (&reader, DUB_ERROR_INVALID, "rules", "must be an array");
  else if (rules && json_array_get_length (json_node_get_array (rules)) >
                        DUB_WIRE_MAX_RULES)
    dub_reader_fail (&reader, DUB_ERROR_LIMIT, "rules",
        "has more than %d entries", DUB_WIRE_MAX_RULES);
  else if (rules)
    read_rules (self, &reader, json_node_get_array (rules));
  return dub_reader_ok (&reader, error) ? g_steal_pointer (&self) : NULL;
}

static JsonObject *
rule_to_object (const DubErrorRule *rule)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (
      object, "trigger", dub_trigger_to_string (rule->trigger));
  if (rule->text)
    json_object_set_string_member (object, "value", rule->text);
  else
    json_object_set_int_member (object, "value", rule->number);
  dub_put_string (object, "error_code", rule->error_code);
  dub_put_string (object, "error_message", rule->error_message);
  json_object_set_boolean_member (object, "retryable", rule->is_retryable);
  dub_put_string (object, "stage", rule->stage);
  if (rule->count > 0)
    json_object_set_int_member (object, "count", rule->count);
  return object;
}

JsonNode *
dub_error_simulation_to_json (const DubErrorSimulation *simulation)
{
  JsonObject *object = json_object_new ();
  JsonArray *rules = json_array_new ();

  dub_put_string (object, "stream_id", simulation->stream_id);
  json_object_set_boolean_member (object, "enabled", simulation->is_enabled);
  for (guint i = 0; i < simulation->rules->len; i++)
    json_array_add_object_element (
        rules, rule_to_object (g_ptr_array_index (simulation->rules, i)));
  json_object_set_array_member (object, "rules", rules);
  return dub_object_to_node (object);
}

JsonNode *
dub_error_simulation_ack_to_json (
    gboolean is_accepted, guint rules_count, const char *message)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (
      object, "status", is_accepted ? "accepted" : "rejected");
  json_object_set_int_member (object, "rules_count", rules_count);
  dub_put_string (object, "message", message);
  return dub_object_to_node (object);
}

gboolean
dub_error_simulation_ack_from_json (JsonNode *node, gboolean *ret_is_accepted,
    guint *ret_rules_count, GError **error)
{
  static const char *const names[] = {
      "none", "accepted", "configured", "rejected", "error", NULL};
  DubReader reader;
  int status;
  guint count;

  dub_reader_init (&reader, node);
  status = dub_reader_enum (&reader, "status", names, 0);
  if (status == 0)
    dub_reader_fail (&reader, DUB_ERROR_INVALID, "status",
        "must be \"accepted\" or \"rejected\"");
  count = dub_reader_int (&reader, "rules_count", 0, 0, G_MAXINT32);
  if (!dub_reader_ok (&reader, error))
    return FALSE;
  *ret_is_accepted = status <= 2;
  *ret_rules_count = count;
  return TRUE;
}

DubSimulateDisconnect *
dub_simulate_disconnect_new (void)
{
  DubSimulateDisconnect *self = g_new0 (DubSimulateDisconnect, 1);

  self->reason = g_strdup ("test");
  return self;
}

void
dub_simulate_disconnect_free (DubSimulateDisconnect *simulate)
{
  if (!simulate)
    return;
  g_free (simulate->stream_id);
  g_free (simulate->reason);
  g_free (simulate);
}

DubSimulateDisconnect *
dub_simulate_disconnect_from_json (JsonNode *node, GError **error)
{
  g_autoptr (DubSimulateDisconnect) self = dub_simulate_disconnect_new ();
  g_autofree char *reason = NULL;
  DubReader reader;

  dub_reader_init (&reader, node);
  self->stream_id = dub_reader_string (
      &reader, "stream_id", DUB_FIELD_OPTIONAL, 1, DUB_WIRE_MAX_ID);
  self->delay_ms = dub_reader_int (&reader, "delay_ms", 0, 0, 60000);
  reason = dub_reader_text (&reader, "reason", DUB_WIRE_MAX_REASON);
  if (reason) {
    g_free (self->reason);
    self->reason = g_steal_pointer (&reason);
  }
  return dub_reader_ok (&reader, error) ? g_steal_pointer (&self) : NULL;
}

JsonNode *
dub_simulate_disconnect_to_json (const DubSimulateDisconnect *simulate)
{
  JsonObject *object = json_object_new ();

  dub_put_string (object, "stream_id", simulate->stream_id);
  json_object_set_int_member (object, "delay_ms", simulate->delay_ms);
  dub_put_string (object, "reason", simulate->reason);
  return dub_object_to_node (object);
}

JsonNode *
dub_simulate_disconnect_ack_to_json (
    gint64 disconnect_at_ms, const char *message)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "status", "scheduled");
  json_object_set_int_member (object, "disconnect_at_ms", disconnect_at_ms);
  dub_put_string (object, "message", message);
  return dub_object_to_node (object);
}
