/* SPDX-License-Identifier: Apache-2.0 */
#include "writer.h"

void
dub_put_string (JsonObject *object, const char *name, const char *value)
{
  if (value)
    json_object_set_string_member (object, name, value);
}

void
dub_put_int (JsonObject *object, const char *name, gint64 value, gint64 absent)
{
  if (value != absent)
    json_object_set_int_member (object, name, value);
}

JsonNode *
dub_object_to_node (JsonObject *object)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, object);
  return node;
}

const char *
dub_name_of (const char *const *names, gsize n_names, guint value)
{
  return value < n_names && names[value] ? names[value] : "none";
}
