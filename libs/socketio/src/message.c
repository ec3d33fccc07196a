/* SPDX-License-Identifier: Apache-2.0 */
#include "message_private.h"

struct _DubSioMessage {
  gatomicrefcount ref_count;
  JsonNode *root;
  JsonArray *items; /* root's */
  guint first_arg;  /* 1 behind an event name, else 0 */
  GPtrArray *attachments;
};

DubSioMessage *
dub_sio_message_new_received (
    JsonNode *root, gboolean is_event, GPtrArray *attachments)
{
  DubSioMessage *message = g_new0 (DubSioMessage, 1);

  g_atomic_ref_count_init (&message->ref_count);
  message->root = root;
  message->items = json_node_get_array (root);
  message->first_arg = is_event ? 1 : 0;
  message->attachments =
      attachments != NULL
          ? attachments
          : g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  return message;
}

DubSioMessage *
dub_sio_message_new (const char *event)
{
  JsonNode *root = json_node_new (JSON_NODE_ARRAY);

  json_node_take_array (root, json_array_new ());
  if (event != NULL)
    json_array_add_string_element (json_node_get_array (root), event);
  return dub_sio_message_new_received (root, event != NULL, NULL);
}

DubSioMessage *
dub_sio_message_ref (DubSioMessage *message)
{
  g_atomic_ref_count_inc (&message->ref_count);
  return message;
}

void
dub_sio_message_unref (DubSioMessage *message)
{
  if (message == NULL || !g_atomic_ref_count_dec (&message->ref_count))
    return;
  json_node_unref (message->root);
  g_ptr_array_unref (message->attachments);
  g_free (message);
}

const char *
dub_sio_message_get_event (DubSioMessage *message)
{
  if (message->first_arg == 0)
    return NULL;
  return json_array_get_string_element (message->items, 0);
}

guint
dub_sio_message_get_n_args (DubSioMessage *message)
{
  return json_array_get_length (message->items) - message->first_arg;
}

JsonNode *
dub_sio_message_get_arg (DubSioMessage *message, guint index)
{
  if (index >= dub_sio_message_get_n_args (message))
    return NULL;
  return json_array_get_element (message->items, index + message->first_arg);
}

void
dub_sio_message_add_arg (DubSioMessage *message, JsonNode *node)
{
  json_array_add_element (message->items, node);
}

JsonNode *
dub_sio_message_add_binary (DubSioMessage *message, GBytes *bytes)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *object = json_object_new ();

  json_object_set_boolean_member (object, "_placeholder", TRUE);
  json_object_set_int_member (object, "num", message->attachments->len);
  json_node_take_object (node, object);
  g_ptr_array_add (message->attachments, g_bytes_ref (bytes));
  return node;
}

gboolean
dub_sio_placeholder_read (JsonNode *node, gint64 *ret_number)
{
  JsonObject *object;
  JsonNode *mark, *number;

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return FALSE;
  object = json_node_get_object (node);
  mark = json_object_get_member (object, "_placeholder");
  if (mark == NULL || json_node_get_value_type (mark) != G_TYPE_BOOLEAN ||
      !json_node_get_boolean (mark))
    return FALSE;
  number = json_object_get_member (object, "num");
  *ret_number = G_MAXINT64;
  if (number != NULL && json_node_get_value_type (number) == G_TYPE_INT64 &&
      json_node_get_int (number) >= 0)
    *ret_number = json_node_get_int (number);
  return TRUE;
}

GBytes *
dub_sio_message_get_binary (DubSioMessage *message, JsonNode *node)
{
  gint64 number;

  if (!dub_sio_placeholder_read (node, &number) ||
      number >= (gint64) message->attachments->len)
    return NULL;
  return g_ptr_array_index (message->attachments, (guint) number);
}

static JsonNode *copy_into (
    DubSioMessage *message, DubSioMessage *from, JsonNode *node);

static JsonNode *
copy_object (DubSioMessage *message, DubSioMessage *from, JsonObject *object)
{
  JsonNode *copy = json_node_new (JSON_NODE_OBJECT);
  JsonObject *members = json_object_new ();
  JsonObjectIter iter;
  const char *name;
  JsonNode *value;

  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &name, &value))
    json_object_set_member (members, name, copy_into (message, from, value));
  json_node_take_object (copy, members);
  return copy;
}

static JsonNode *
copy_array (DubSioMessage *message, DubSioMessage *from, JsonArray *array)
{
  JsonNode *copy = json_node_new (JSON_NODE_ARRAY);
  JsonArray *elements = json_array_new ();
  guint length = json_array_get_length (array);

  for (guint i = 0; i < length; i++)
    json_array_add_element (
        elements, copy_into (message, from, json_array_get_element (array, i)));
  json_node_take_array (copy, elements);
  return copy;
}

/* Placeholders are numbered anew: message may have attachments already. */
static JsonNode *
copy_into (DubSioMessage *message, DubSioMessage *from, JsonNode *node)
{
  GBytes *bytes = dub_sio_message_get_binary (from, node);

  if (bytes != NULL)
    return dub_sio_message_add_binary (message, bytes);
  if (JSON_NODE_HOLDS_OBJECT (node))
    return copy_object (message, from, json_node_get_object (node));
  if (JSON_NODE_HOLDS_ARRAY (node))
    return copy_array (message, from, json_node_get_array (node));
  return json_node_copy (node);
}

void
dub_sio_message_add_args_of (DubSioMessage *message, DubSioMessage *from)
{
  guint n = dub_sio_message_get_n_args (from);

  for (guint i = 0; i < n; i++)
    dub_sio_message_add_arg (
        message, copy_into (message, from, dub_sio_message_get_arg (from, i)));
}

JsonNode *
dub_sio_message_get_root (DubSioMessage *message)
{
  return message->root;
}

GPtrArray *
dub_sio_message_get_attachments (DubSioMessage *message)
{
  return message->attachments;
}
