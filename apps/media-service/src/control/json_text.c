/* SPDX-License-Identifier: Apache-2.0 */
#include "json_text.h"

#include <dubbing_common/error.h>
#include <string.h>

/* What json-glib does not check. Brackets within strings do not count. */
typedef struct {
  gboolean is_too_deep;
  gboolean ends_early; /* a second value follows, which json-glib would take */
} Shape;

static Shape
measure_shape (const char *text, gsize length)
{
  Shape shape = {FALSE, FALSE};
  guint depth = 0;
  gboolean in_string = FALSE;

  for (gsize i = 0; i < length; i++) {
    char c = text[i];

    if (in_string) {
      if (c == '\\')
        i++;
      else if (c == '"')
        in_string = FALSE;
    } else if (c == '"') {
      in_string = TRUE;
    } else if (c == '{' || c == '[') {
      shape.is_too_deep |= ++depth > DUB_JSON_MAX_DEPTH;
    } else if ((c == '}' || c == ']') && depth > 0) {
      shape.ends_early |= --depth == 0 && i + 1 < length;
    }
  }
  return shape;
}

static gboolean
is_space (char c)
{
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Spares json-glib what it takes but JSON does not allow around a value:
 * comments, assignments. */
static gboolean
looks_like_object (const char *text, gsize length)
{
  return length > 1 && text[0] == '{' && text[length - 1] == '}' &&
         memchr (text, '\0', length) == NULL &&
         g_utf8_validate (text, (gssize) length, NULL);
}

JsonObject *
dub_json_object_parse (
    const char *text, gssize length, gsize max_bytes, GError **error)
{
  gsize size = length < 0 ? strlen (text) : (gsize) length;
  g_autoptr (JsonParser) parser = NULL;
  JsonNode *root = NULL;
  Shape shape;

  if (size > max_bytes) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_LIMIT,
        "the JSON text is larger than %" G_GSIZE_FORMAT " bytes", max_bytes);
    return NULL;
  }
  while (size > 0 && is_space (text[size - 1]))
    size--;
  for (; size > 0 && is_space (*text); text++)
    size--;
  shape = measure_shape (text, size);
  if (shape.is_too_deep) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_LIMIT,
        "the JSON text is nested more than %d deep", DUB_JSON_MAX_DEPTH);
    return NULL;
  }
  if (!looks_like_object (text, size) || shape.ends_early) {
    g_set_error_literal (error, DUB_ERROR, DUB_ERROR_INVALID,
        "this is not one JSON object in UTF-8");
    return NULL;
  }
  parser = json_parser_new ();
  if (json_parser_load_from_data (parser, text, (gssize) size, NULL))
    root = json_parser_get_root (parser);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root)) {
    g_set_error_literal (error, DUB_ERROR, DUB_ERROR_INVALID,
        "this is not one well-formed JSON object");
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
