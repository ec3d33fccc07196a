/* SPDX-License-Identifier: Apache-2.0 */
#include "json_text.h"

#include <dubbing_common/error.h>
#include <dubbing_socketio/json.h>
#include <string.h>

JsonObject *
dub_json_object_parse (
    const char *text, gssize length, gsize max_bytes, GError **error)
{
  gsize size = length < 0 ? strlen (text) : (gsize) length;
  g_autoptr (JsonNode) root = NULL;
  g_autoptr (GError) local = NULL;

  if (size > max_bytes) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_LIMIT,
        "the JSON text is larger than %" G_GSIZE_FORMAT " bytes", max_bytes);
    return NULL;
  }
  /* The reader's own message may quote the text. */
  if (g_utf8_validate (text, (gssize) size, NULL))
    root = dub_sio_json_parse (text, size, &local);
  if (g_error_matches (local, DUB_ERROR, DUB_ERROR_LIMIT)) {
    g_set_error_literal (error, DUB_ERROR, DUB_ERROR_LIMIT,
        "the JSON text is nested too deep or has too many values");
    return NULL;
  }
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root)) {
    g_set_error_literal (error, DUB_ERROR, DUB_ERROR_INVALID,
        "this is not one JSON object in UTF-8");
    return NULL;
  }
  return json_node_dup_object (root);
}

char *
dub_json_object_to_line (JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);

  json_node_set_object (node, object);
  return json_to_string (node, FALSE);
}

const char *
dub_json_object_get_text (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  if (node == NULL || json_node_get_value_type (node) != G_TYPE_STRING)
    return NULL;
  return json_node_get_string (node);
}
