/* SPDX-License-Identifier: Apache-2.0 */
#include "destinations.h"

#include "../publish/output.h"

#include <dubbing_common/error.h>
#include <dubbing_socketio/json.h>
#include <string.h>

#define SETTING "EGRESS_DESTINATIONS"
#define MAX_NAME 32
#define MIN_LANGUAGE 2
#define MAX_LANGUAGE 16

void
dub_destination_free (DubDestination *destination)
{
  if (!destination)
    return;
  g_free (destination->name);
  g_free (destination->url);
  g_free (destination->language);
  g_free (destination);
}

gboolean
dub_destination_equal (const DubDestination *a, const DubDestination *b)
{
  return g_str_equal (a->name, b->name) && g_str_equal (a->url, b->url) &&
         g_strcmp0 (a->language, b->language) == 0;
}

static gboolean
is_word (const char *text, gsize least, gsize most)
{
  gsize length = strlen (text);

  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalnum (text[i]) && text[i] != '-' && text[i] != '_')
      return FALSE;
  return length >= least && length <= most;
}

static void
refuse (GError **error, DubErrorCode code, guint number, const char *what)
{
  g_set_error (
      error, DUB_ERROR, code, SETTING ": destination %u: %s", number, what);
}

/* One member; TRUE leaves it in to. */
static gboolean
take_member (DubDestination *to, const char *name, JsonNode *node, guint number,
    GError **error)
{
  char **field = g_str_equal (name, "name")       ? &to->name
                 : g_str_equal (name, "url")      ? &to->url
                 : g_str_equal (name, "language") ? &to->language
                                                  : NULL;

  if (!field)
    refuse (error, DUB_ERROR_INVALID, number,
        "its members are name, url and language");
  else if (json_node_get_value_type (node) != G_TYPE_STRING)
    refuse (error, DUB_ERROR_INVALID, number, "a member is no string");
  else
    *field = json_node_dup_string (node);
  return field && *field;
}

static gboolean
check (const DubDestination *it, guint number, GError **error)
{
  if (!it->name || !is_word (it->name, 1, MAX_NAME)) {
    refuse (error, DUB_ERROR_INVALID, number,
        "a name of 1 to 32 letters, digits, '-' and '_' is wanted");
    return FALSE;
  }
  if (it->language && !is_word (it->language, MIN_LANGUAGE, MAX_LANGUAGE)) {
    refuse (error, DUB_ERROR_INVALID, number,
        "its language is no code such as en or pt-BR");
    return FALSE;
  }
  if (!it->url) {
    refuse (error, DUB_ERROR_INVALID, number, "it has no url");
    return FALSE;
  }
  if (strlen (it->url) > DUB_DESTINATION_MAX_URL) {
    refuse (error, DUB_ERROR_LIMIT, number, "a URL has at most 2048 bytes");
    return FALSE;
  }
  if (!dub_output_check_url (it->url, error)) {
    g_prefix_error (error, SETTING ": %s: ", it->name);
    return FALSE;
  }
  return TRUE;
}

static DubDestination *
parse_one (JsonNode *node, guint number, GError **error)
{
  DubDestination *it = g_new0 (DubDestination, 1);
  JsonObjectIter iter;
  const char *name;
  JsonNode *member;
  gboolean is_good = JSON_NODE_HOLDS_OBJECT (node);

  if (is_good) {
    json_object_iter_init (&iter, json_node_get_object (node));
    while (is_good && json_object_iter_next (&iter, &name, &member))
      is_good = take_member (it, name, member, number, error);
  } else {
    refuse (error, DUB_ERROR_INVALID, number, "it is no object");
  }
  if (is_good && check (it, number, error))
    return it;
  dub_destination_free (it);
  return NULL;
}

/* Two of a name cannot be told apart; two of a URL throw each other out. */
static gboolean
is_new (GPtrArray *list, const DubDestination *it, GError **error)
{
  for (guint i = 0; i < list->len; i++) {
    const DubDestination *other = g_ptr_array_index (list, i);
    gboolean is_same_name = g_str_equal (other->name, it->name);

    if (!is_same_name && !g_str_equal (other->url, it->url))
      continue;
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        SETTING ": %s and %s have the same %s", other->name, it->name,
        is_same_name ? "name" : "url");
    return FALSE;
  }
  return TRUE;
}

static JsonNode *
parse_array (const char *json, GError **error)
{
  g_autoptr (JsonNode) root = NULL;
  gsize length = strlen (json);

  if (length > DUB_DESTINATIONS_MAX_BYTES) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_LIMIT,
        SETTING " has more than %d bytes", DUB_DESTINATIONS_MAX_BYTES);
    return NULL;
  }
  /* The parser's message may repeat a part of it. */
  if (g_utf8_validate (json, (gssize) length, NULL))
    root = dub_sio_json_parse (json, length, NULL);
  if (!root || !JSON_NODE_HOLDS_ARRAY (root)) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        SETTING " is no JSON array of destinations");
    return NULL;
  }
  if (json_array_get_length (json_node_get_array (root)) >
      DUB_DESTINATIONS_MAX) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_LIMIT,
        SETTING ": at most %d destinations", DUB_DESTINATIONS_MAX);
    return NULL;
  }
  return g_steal_pointer (&root);
}

GPtrArray *
dub_destinations_parse (const char *json, GError **error)
{
  g_autoptr (GPtrArray) list =
      g_ptr_array_new_with_free_func ((GDestroyNotify) dub_destination_free);
  g_autoptr (JsonNode) root = NULL;
  JsonArray *array;

  if (!json || !*json)
    return g_steal_pointer (&list);
  root = parse_array (json, error);
  if (!root)
    return NULL;
  array = json_node_get_array (root);
  for (guint i = 0; i < json_array_get_length (array); i++) {
    DubDestination *it =
        parse_one (json_array_get_element (array, i), i + 1, error);

    if (!it)
      return NULL;
    if (!is_new (list, it, error)) {
      dub_destination_free (it);
      return NULL;
    }
    g_ptr_array_add (list, it);
  }
  return g_steal_pointer (&list);
}
