/* SPDX-License-Identifier: Apache-2.0 */
#include "entry.h"

#include "../control/json_text.h"

#include <dubbing_common/log.h>
#include <media_service/output_url.h>
#include <string.h>

static const char *const origins[] = {"none", "hook", "api", "file"};

static void
set_text (JsonObject *object, const char *name, const char *value)
{
  if (value != NULL)
    json_object_set_string_member (object, name, value);
}

static void
set_text_or_null (JsonObject *object, const char *name, const char *value)
{
  if (value != NULL)
    json_object_set_string_member (object, name, value);
  else
    json_object_set_null_member (object, name);
}

/* --- for people --- */

/* An output of one's own, without its keys, which a language may follow; NULL:
 * there is none. (transfer full) (nullable) */
static char *
own_url_of (const DubStreamSettings *settings, const char *language)
{
  const char *url = settings->values[DUB_SETTING_OUTPUT_URL];
  g_autofree char *shown = url != NULL ? dub_redact_url (url) : NULL;
  char *full =
      shown != NULL ? dub_output_url_of_language (shown, language) : NULL;

  return full != NULL ? full : g_steal_pointer (&shown);
}

/* live/<id>/out[/<language>], without a slash before it. (transfer full) */
static char *
path_of (DubEntry *entry, const char *language)
{
  return g_strconcat (
      "live/", entry->id, "/out", language != NULL ? "/" : "", language, NULL);
}

/* language NULL: the first. */
static void
set_place (DubEntry *entry, const DubStreamSettings *settings,
    const char *language, JsonObject *output)
{
  const DubServiceSettings *s = entry->owner->settings;
  g_autofree char *own = own_url_of (settings, language);
  g_autofree char *path = path_of (entry, language);
  g_autofree char *url = g_strdup_printf ("rtmp://%s:%" G_GINT64_FORMAT "/%s",
      s->mediamtx_host, s->mediamtx_rtmp_port, path);

  set_text (output, "path", own != NULL ? own : path);
  set_text (output, "url", own != NULL ? own : url);
}

static JsonArray *
outputs_of (DubEntry *entry, const DubStreamSettings *settings)
{
  g_auto (GStrv) languages = dub_stream_settings_languages (settings);
  JsonArray *array = json_array_new ();

  for (gsize i = 0; languages[i] != NULL; i++) {
    JsonObject *output = json_object_new ();

    set_text (output, "language", languages[i]);
    set_place (entry, settings, i > 0 ? languages[i] : NULL, output);
    json_object_set_boolean_member (output, "is_default", i == 0);
    json_array_add_object_element (array, output);
  }
  return array;
}

/* One that no worker speaks of. */
static JsonObject *
waiting_destination (JsonObject *from, gboolean is_running)
{
  JsonObject *to = json_object_new ();

  set_text (to, "name", dub_json_object_get_text (from, "name"));
  set_text_or_null (
      to, "language", dub_json_object_get_text (from, "language"));
  set_text (to, "url", dub_json_object_get_text (from, "url"));
  set_text (to, "state", is_running ? "waiting" : "stopped");
  json_object_set_int_member (to, "connections", 0);
  json_object_set_int_member (to, "bytes", 0);
  json_object_set_null_member (to, "last_error");
  return to;
}

/* The worker's word, by the names that we know, whatever else it says. */
static JsonObject *
told_destination (JsonObject *from)
{
  static const char *const texts[] = {"language", "last_error"};
  static const char *const numbers[] = {"connections", "bytes"};
  JsonObject *to = json_object_new ();
  const char *url = dub_json_object_get_text (from, "url");
  g_autofree char *shown = dub_redact_url (url != NULL ? url : "");

  set_text (to, "name", dub_json_object_get_text (from, "name"));
  set_text (to, "url", shown);
  set_text (to, "state", dub_json_object_get_text (from, "state"));
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    set_text_or_null (to, texts[i], dub_json_object_get_text (from, texts[i]));
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
    json_object_set_int_member (to, numbers[i],
        json_object_get_int_member_with_default (from, numbers[i], 0));
  return to;
}

static JsonArray *
destinations_of (DubEntry *entry, JsonObject *settings)
{
  JsonArray *from = entry->destinations != NULL
                        ? entry->destinations
                        : json_object_get_array_member (settings,
                              dub_setting_name (DUB_SETTING_DESTINATIONS));
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < json_array_get_length (from); i++) {
    JsonNode *node = json_array_get_element (from, i);

    if (!JSON_NODE_HOLDS_OBJECT (node))
      continue;
    json_array_add_object_element (
        array, entry->destinations != NULL
                   ? told_destination (json_node_get_object (node))
                   : waiting_destination (
                         json_node_get_object (node), entry->process != NULL));
  }
  return array;
}

static void
add_state (DubEntry *entry, JsonObject *object)
{
  set_text (object, "stream_id", entry->id);
  set_text (object, "state",
      dub_stream_state_to_string (dub_stream_get_state (entry->stream)));
  json_object_set_boolean_member (object, "degraded",
      dub_stream_is_degraded (entry->stream, dub_now_ns ()));
  json_object_set_boolean_member (
      object, "in_grace", dub_stream_in_grace (entry->stream));
  json_object_set_int_member (
      object, "restarts", dub_stream_get_restarts (entry->stream));
  set_text (object, "run_id", entry->run_id);
  if (entry->process != NULL)
    json_object_set_int_member (
        object, "worker_pid", dub_process_get_pid (entry->process));
  set_text (object, "worker_state", entry->worker_state);
  set_text (object, "worker_reason", entry->worker_reason);
  set_text (object, "origin", origins[entry->origin]);
  json_object_set_int_member (object, "since", entry->since_s);
}

/* Places are shown beside the settings: a change of them is no setting. */
static void
move_place (JsonObject *settings, DubSetting setting, JsonObject *to)
{
  const char *name = dub_setting_name (setting);

  if (!json_object_has_member (settings, name))
    return;
  set_text (to, name, json_object_get_string_member (settings, name));
  json_object_remove_member (settings, name);
}

JsonObject *
dub_entry_to_json (DubEntry *entry)
{
  g_autoptr (DubStreamSettings) settings = dub_entry_effective (entry);
  JsonObject *shown = dub_stream_settings_to_json (settings, FALSE);
  JsonObject *object = json_object_new ();
  g_autofree char *main = dub_stream_settings_main_language (settings);

  add_state (entry, object);
  json_object_set_array_member (
      object, "outputs", outputs_of (entry, settings));
  json_object_set_array_member (
      object, "destinations", destinations_of (entry, shown));
  move_place (shown, DUB_SETTING_INPUT_URL, object);
  move_place (shown, DUB_SETTING_OUTPUT_URL, object);
  json_object_set_object_member (object, "settings", shown);
  if (entry->has_figures)
    json_object_set_object_member (
        object, "figures", dub_figures_to_json (&entry->figures));
  else
    json_object_set_null_member (object, "figures");
  set_text (
      object, "source_language", settings->values[DUB_SETTING_SOURCE_LANGUAGE]);
  set_text (object, "target_language", main);
  return object;
}

/* --- for the next media-service --- */

static void
add_layer (JsonObject *object, const char *name, const DubStreamSettings *layer)
{
  if (layer != NULL)
    json_object_set_object_member (
        object, name, dub_stream_settings_to_json (layer, TRUE));
}

JsonObject *
dub_entry_to_state (DubEntry *entry)
{
  JsonObject *object = json_object_new ();

  set_text (object, "origin", origins[entry->origin]);
  json_object_set_boolean_member (object, "wanted", entry->is_operators);
  json_object_set_boolean_member (object, "held", entry->is_held);
  json_object_set_boolean_member (object, "h265", entry->is_h265);
  set_text (object, "source_id", entry->source_id);
  add_layer (object, "query", entry->query);
  add_layer (object, "api", entry->api);
  add_layer (object, "running", entry->running);
  return object;
}

/* (transfer full) (nullable) */
static DubStreamSettings *
get_layer (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node)
             ? dub_stream_settings_from_json (json_node_get_object (node))
             : NULL;
}

static gboolean
is_set (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_BOOLEAN &&
         json_node_get_boolean (node);
}

void
dub_entry_from_state (DubEntry *entry, JsonObject *state)
{
  const char *origin = dub_json_object_get_text (state, "origin");

  for (guint i = 0; i < G_N_ELEMENTS (origins); i++)
    if (g_strcmp0 (origin, origins[i]) == 0)
      entry->origin = (DubOrigin) i;
  entry->is_operators = is_set (state, "wanted");
  entry->is_held = is_set (state, "held");
  entry->is_h265 = is_set (state, "h265");
  entry->source_id = g_strdup (dub_json_object_get_text (state, "source_id"));
  entry->query = get_layer (state, "query");
  entry->api = get_layer (state, "api");
  entry->running = get_layer (state, "running");
}
