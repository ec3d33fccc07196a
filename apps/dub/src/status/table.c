/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include <dubbing_common/error.h>
#include <json-glib/json-glib.h>
#include <string.h>

#define MAX_STREAMS 1000

static const char *
text_of (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node) &&
                 json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : "-";
}

static gint64
number_of (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_int (node)
                                                      : 0;
}

static gboolean
is_set (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node) &&
         json_node_get_boolean (node);
}

static void
append_stream (GString *text, JsonObject *stream)
{
  g_string_append_printf (text, "%-24s %-10s %-12s %8" G_GINT64_FORMAT "%s\n",
      text_of (stream, "stream_id"), text_of (stream, "state"),
      text_of (stream, "worker_state"), number_of (stream, "restarts"),
      is_set (stream, "degraded") ? "  degraded" : "");
}

/* (nullable) */
static JsonArray *
streams_of (JsonNode *root)
{
  JsonNode *list = root;

  if (root != NULL && JSON_NODE_HOLDS_OBJECT (root))
    list = json_object_get_member (json_node_get_object (root), "streams");
  return list != NULL && JSON_NODE_HOLDS_ARRAY (list)
             ? json_node_get_array (list)
             : NULL;
}

char *
dub_status_table (const char *json, GError **error)
{
  g_autoptr (JsonNode) root = json_from_string (json, NULL);
  JsonArray *streams = streams_of (root);
  GString *text;

  if (streams == NULL) {
    g_set_error (
        error, DUB_ERROR, DUB_ERROR_INVALID, "that is no list of streams");
    return NULL;
  }
  if (json_array_get_length (streams) == 0)
    return g_strdup ("no streams\n");
  text = g_string_new (NULL);
  g_string_append_printf (
      text, "%-24s %-10s %-12s %8s\n", "stream", "state", "worker", "restarts");
  for (guint i = 0; i < MIN (json_array_get_length (streams), MAX_STREAMS);
       i++) {
    JsonNode *node = json_array_get_element (streams, i);

    if (JSON_NODE_HOLDS_OBJECT (node))
      append_stream (text, json_node_get_object (node));
  }
  return g_string_free (text, FALSE);
}
