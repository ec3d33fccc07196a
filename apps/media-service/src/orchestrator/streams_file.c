/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "media.streams"
#include "streams_file.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <dubbing_common/yaml_tree.h>
#include <gio/gio.h>
#include <math.h>
#include <string.h>

/* An editor writes in several steps. */
#define SETTLE_MS 200

static gboolean
refuse (const DubYamlNode *node, const char *what, GError **error)
{
  g_set_error (
      error, DUB_ERROR, DUB_ERROR_INVALID, "line %u: %s", node->line, what);
  return FALSE;
}

/* --- YAML as JSON: text that is a number becomes one --- */

/* "nan" is a language. */
static JsonNode *
text_to_json (const char *text)
{
  JsonNode *node = json_node_new (JSON_NODE_VALUE);
  char *end;
  double value = g_ascii_strtod (text, &end);

  if (end != text && *end == '\0' && isfinite (value))
    json_node_set_double (node, value);
  else
    json_node_set_string (node, text);
  return node;
}

static JsonNode *yaml_to_json (const DubYamlNode *yaml);

static JsonNode *
list_to_json (const DubYamlNode *yaml)
{
  JsonNode *node = json_node_new (JSON_NODE_ARRAY);
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < yaml->values->len; i++)
    json_array_add_element (
        array, yaml_to_json (g_ptr_array_index (yaml->values, i)));
  json_node_take_array (node, array);
  return node;
}

static JsonNode *
map_to_json (const DubYamlNode *yaml)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *object = json_object_new ();

  for (guint i = 0; i < yaml->values->len; i++)
    json_object_set_member (object, g_ptr_array_index (yaml->keys, i),
        yaml_to_json (g_ptr_array_index (yaml->values, i)));
  json_node_take_object (node, object);
  return node;
}

/* Depth is the YAML reader's to bound. */
static JsonNode *
yaml_to_json (const DubYamlNode *yaml)
{
  if (yaml->kind == DUB_YAML_LIST)
    return list_to_json (yaml);
  if (yaml->kind == DUB_YAML_MAP)
    return map_to_json (yaml);
  return text_to_json (yaml->text);
}

/* --- the file --- */

static gboolean
take_setting (DubStreamSettings *settings, const char *name,
    const DubYamlNode *value, GError **error)
{
  g_autoptr (JsonNode) node = yaml_to_json (value);
  g_autoptr (GError) cause = NULL;

  if (dub_stream_settings_set (settings, name, node, &cause))
    return TRUE;
  return refuse (value, cause->message, error);
}

/* Over the defaults, as a worker will get them. */
static gboolean
check_all (const DubStreamSettings *settings, const DubStreamSettings *defaults,
    const DubYamlNode *node, GError **error)
{
  g_autoptr (DubStreamSettings) all = dub_stream_settings_copy (defaults);
  g_autoptr (GError) cause = NULL;

  dub_stream_settings_lay (all, settings);
  return dub_stream_settings_check (all, &cause) ||
         refuse (node, cause->message, error);
}

static gboolean
take_stream (GHashTable *streams, const char *id, const DubYamlNode *node,
    const DubStreamSettings *defaults, GError **error)
{
  g_autoptr (DubStreamSettings) settings = dub_stream_settings_new ();

  if (!dub_stream_id_is_valid (id))
    return refuse (node,
        "a stream's name has 1 to 64 letters, digits, \"-\" and \"_\"", error);
  if (node->kind != DUB_YAML_MAP)
    return refuse (node, "the settings of a stream are a map", error);
  if (g_hash_table_size (streams) >= DUB_MAX_STREAMS)
    return refuse (node, "more than 1000 streams", error);
  for (guint i = 0; i < node->values->len; i++)
    if (!take_setting (settings, g_ptr_array_index (node->keys, i),
            g_ptr_array_index (node->values, i), error))
      return FALSE;
  if (!check_all (settings, defaults, node, error))
    return FALSE;
  g_hash_table_insert (streams, g_strdup (id), g_steal_pointer (&settings));
  return TRUE;
}

static gboolean
take_all (GHashTable *streams, const DubYamlNode *root,
    const DubStreamSettings *defaults, GError **error)
{
  const DubYamlNode *map = dub_yaml_get (root, "streams");

  if (root->kind != DUB_YAML_MAP || map == NULL || root->values->len != 1)
    return refuse (root, "\"streams\" and nothing else is wanted here", error);
  if (map->kind != DUB_YAML_MAP)
    return refuse (map, "streams: a map of names is wanted", error);
  for (guint i = 0; i < map->values->len; i++)
    if (!take_stream (streams, g_ptr_array_index (map->keys, i),
            g_ptr_array_index (map->values, i), defaults, error))
      return FALSE;
  return TRUE;
}

GHashTable *
dub_streams_file_parse (const char *text, gsize length,
    const DubStreamSettings *defaults, GError **error)
{
  g_autoptr (GHashTable) streams = g_hash_table_new_full (g_str_hash,
      g_str_equal, g_free, (GDestroyNotify) dub_stream_settings_free);
  g_autoptr (DubYamlNode) root = dub_yaml_parse (text, length, error);

  if (root == NULL || !take_all (streams, root, defaults, error))
    return NULL;
  return g_steal_pointer (&streams);
}

GHashTable *
dub_streams_file_load (
    const char *path, const DubStreamSettings *defaults, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) cause = NULL;
  GHashTable *streams = NULL;
  gsize length;

  if (g_file_get_contents (path, &text, &length, &cause))
    streams = dub_streams_file_parse (text, length, defaults, &cause);
  if (streams == NULL)
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID, "STREAMS_FILE: %s: %s",
        path, cause->message);
  return streams;
}

/* --- its changes --- */

struct _DubStreamsFile {
  char *path;
  DubOrchestrator *orchestrator;
  GFileMonitor *monitor; /* (nullable) */
  guint settle_id;
};

void
dub_streams_file_reload (DubStreamsFile *self)
{
  g_autoptr (DubStreamSettings) defaults =
      dub_orchestrator_get_effective (self->orchestrator, NULL);
  g_autoptr (GError) error = NULL;
  GHashTable *streams = dub_streams_file_load (self->path, defaults, &error);

  if (streams == NULL) {
    dub_error ("%s; what it said before stays", error->message);
    return;
  }
  dub_info ("%s tells of %u streams", self->path, g_hash_table_size (streams));
  dub_orchestrator_set_file (self->orchestrator, streams);
}

static gboolean
on_settled (gpointer user_data)
{
  DubStreamsFile *self = user_data;

  self->settle_id = 0;
  dub_streams_file_reload (self);
  return G_SOURCE_REMOVE;
}

static void
on_changed (GFileMonitor *monitor, GFile *file, GFile *other,
    GFileMonitorEvent event, gpointer user_data)
{
  DubStreamsFile *self = user_data;

  if (self->settle_id != 0)
    g_source_remove (self->settle_id);
  self->settle_id = g_timeout_add (SETTLE_MS, on_settled, self);
}

DubStreamsFile *
dub_streams_file_new (const char *path, DubOrchestrator *orchestrator)
{
  DubStreamsFile *self = g_new0 (DubStreamsFile, 1);
  g_autoptr (GFile) file = g_file_new_for_path (path);

  self->path = g_strdup (path);
  self->orchestrator = orchestrator;
  self->monitor =
      g_file_monitor_file (file, G_FILE_MONITOR_WATCH_MOVES, NULL, NULL);
  if (self->monitor != NULL)
    g_signal_connect (self->monitor, "changed", G_CALLBACK (on_changed), self);
  dub_streams_file_reload (self);
  return self;
}

void
dub_streams_file_free (DubStreamsFile *self)
{
  if (self == NULL)
    return;
  if (self->settle_id != 0)
    g_source_remove (self->settle_id);
  if (self->monitor != NULL) {
    g_signal_handlers_disconnect_by_data (self->monitor, self);
    g_object_unref (self->monitor);
  }
  g_free (self->path);
  g_free (self);
}
