/* SPDX-License-Identifier: Apache-2.0 */
#include "http_json.h"

#include <dubbing_common/error.h>
#include <dubbing_socketio/json.h>
#include <string.h>

JsonNode *
dub_http_json_parse (GBytes *body, GError **error)
{
  gsize length = 0;
  const char *text = g_bytes_get_data (body, &length);

  if (length == 0 || !g_utf8_validate_len (text, length, NULL)) {
    g_set_error_literal (error, DUB_ERROR, DUB_ERROR_PROTOCOL,
        length == 0 ? "an empty answer" : "an answer that is not UTF-8");
    return NULL;
  }
  return dub_sio_json_parse (text, length, error);
}

static JsonNode *
get_step (JsonNode *node, const char *step)
{
  guint64 index;

  if (JSON_NODE_HOLDS_OBJECT (node))
    return json_object_get_member (json_node_get_object (node), step);
  if (!JSON_NODE_HOLDS_ARRAY (node) ||
      !g_ascii_string_to_unsigned (step, 10, 0, G_MAXUINT16, &index, NULL) ||
      index >= json_array_get_length (json_node_get_array (node)))
    return NULL;
  return json_array_get_element (json_node_get_array (node), (guint) index);
}

JsonNode *
dub_http_json_get (JsonNode *root, const char *path)
{
  g_auto (GStrv) steps = g_strsplit (path, ".", -1);

  for (guint i = 0; root != NULL && steps[i] != NULL; i++)
    root = get_step (root, steps[i]);
  return root;
}

const char *
dub_http_json_get_string (JsonNode *root, const char *path)
{
  JsonNode *node = dub_http_json_get (root, path);

  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node) ||
      json_node_get_value_type (node) != G_TYPE_STRING)
    return NULL;
  return json_node_get_string (node);
}

JsonNode *
dub_http_json_take (JsonObject *object)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, object);
  return node;
}

GBytes *
dub_http_json_to_bytes (JsonNode *node)
{
  GString *text = g_string_new (NULL);

  dub_sio_json_write (node, text);
  return g_string_free_to_bytes (text);
}
