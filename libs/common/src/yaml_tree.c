/* SPDX-License-Identifier: Apache-2.0 */
#include "dubbing_common/yaml_tree.h"

#include <dubbing_common/error.h>
#include <string.h>
#include <yaml.h>

typedef struct {
  yaml_parser_t parser;
  yaml_event_t event; /* the one at hand */
  gboolean has_event;
  guint nodes;
  guint depth;
} Reader;

static DubYamlNode *read_node (Reader *reader, GError **error);

static DubYamlNode *
node_new (const Reader *reader, DubYamlKind kind)
{
  DubYamlNode *node = g_new0 (DubYamlNode, 1);

  node->kind = kind;
  node->line = (guint) reader->event.start_mark.line + 1;
  if (kind != DUB_YAML_TEXT)
    node->values =
        g_ptr_array_new_with_free_func ((GDestroyNotify) dub_yaml_free);
  if (kind == DUB_YAML_MAP)
    node->keys = g_ptr_array_new_with_free_func (g_free);
  return node;
}

void
dub_yaml_free (DubYamlNode *node)
{
  if (node == NULL)
    return;
  g_free (node->text);
  g_clear_pointer (&node->values, g_ptr_array_unref);
  g_clear_pointer (&node->keys, g_ptr_array_unref);
  g_free (node);
}

const DubYamlNode *
dub_yaml_get (const DubYamlNode *node, const char *key)
{
  if (node == NULL || node->kind != DUB_YAML_MAP)
    return NULL;
  for (guint i = 0; i < node->keys->len; i++)
    if (g_str_equal (g_ptr_array_index (node->keys, i), key))
      return g_ptr_array_index (node->values, i);
  return NULL;
}

static gboolean
refuse (
    const Reader *reader, DubErrorCode code, const char *what, GError **error)
{
  g_set_error (error, DUB_ERROR, (gint) code, "line %u: %s",
      (guint) reader->event.start_mark.line + 1, what);
  return FALSE;
}

static gboolean
refuse_syntax (const Reader *reader, GError **error)
{
  const char *problem = reader->parser.problem;

  g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID, "line %u: no YAML: %s",
      (guint) reader->parser.problem_mark.line + 1,
      problem != NULL ? problem : "it is no text");
  return FALSE;
}

static gboolean
next (Reader *reader, GError **error)
{
  if (reader->has_event)
    yaml_event_delete (&reader->event);
  reader->has_event = yaml_parser_parse (&reader->parser, &reader->event) != 0;
  return reader->has_event || refuse_syntax (reader, error);
}

static gboolean
next_is (
    Reader *reader, yaml_event_type_t type, const char *what, GError **error)
{
  if (!next (reader, error))
    return FALSE;
  if (reader->event.type == type)
    return TRUE;
  return refuse (reader, DUB_ERROR_INVALID, what, error);
}

/* Anchors only serve aliases, and tags only serve types that we have not. */
static gboolean
is_plain (const Reader *reader, const yaml_char_t *anchor,
    const yaml_char_t *tag, GError **error)
{
  if (anchor != NULL)
    return refuse (
        reader, DUB_ERROR_INVALID, "anchors are not taken here", error);
  if (tag != NULL)
    return refuse (reader, DUB_ERROR_INVALID, "tags are not taken here", error);
  return TRUE;
}

static char *
take_text (const Reader *reader, GError **error)
{
  gsize length = reader->event.data.scalar.length;
  const char *value = (const char *) reader->event.data.scalar.value;

  if (!is_plain (reader, reader->event.data.scalar.anchor,
          reader->event.data.scalar.tag, error))
    return NULL;
  if (length > DUB_YAML_MAX_TEXT) {
    refuse (reader, DUB_ERROR_LIMIT, "text that is too long", error);
    return NULL;
  }
  if (strlen (value) != length) {
    refuse (reader, DUB_ERROR_INVALID, "text with a zero in it", error);
    return NULL;
  }
  return g_strdup (value);
}

static DubYamlNode *
read_text (Reader *reader, GError **error)
{
  g_autoptr (DubYamlNode) node = node_new (reader, DUB_YAML_TEXT);

  node->text = take_text (reader, error);
  return node->text != NULL ? g_steal_pointer (&node) : NULL;
}

static DubYamlNode *
read_list (Reader *reader, GError **error)
{
  g_autoptr (DubYamlNode) node = node_new (reader, DUB_YAML_LIST);

  if (!is_plain (reader, reader->event.data.sequence_start.anchor,
          reader->event.data.sequence_start.tag, error))
    return NULL;
  while (next (reader, error)) {
    DubYamlNode *value = NULL;

    if (reader->event.type == YAML_SEQUENCE_END_EVENT)
      return g_steal_pointer (&node);
    value = read_node (reader, error);
    if (value == NULL)
      return NULL;
    g_ptr_array_add (node->values, value);
  }
  return NULL;
}

static gboolean
take_key (Reader *reader, DubYamlNode *node, GError **error)
{
  g_autofree char *key = NULL;

  if (reader->event.type != YAML_SCALAR_EVENT)
    return refuse (reader, DUB_ERROR_INVALID, "a key that is no text", error);
  key = take_text (reader, error);
  if (key == NULL)
    return FALSE;
  if (dub_yaml_get (node, key) != NULL)
    return refuse (reader, DUB_ERROR_INVALID, "a key given twice", error);
  g_ptr_array_add (node->keys, g_steal_pointer (&key));
  return TRUE;
}

static DubYamlNode *
read_map (Reader *reader, GError **error)
{
  g_autoptr (DubYamlNode) node = node_new (reader, DUB_YAML_MAP);

  if (!is_plain (reader, reader->event.data.mapping_start.anchor,
          reader->event.data.mapping_start.tag, error))
    return NULL;
  while (next (reader, error)) {
    DubYamlNode *value = NULL;

    if (reader->event.type == YAML_MAPPING_END_EVENT)
      return g_steal_pointer (&node);
    if (!take_key (reader, node, error) || !next (reader, error))
      return NULL;
    value = read_node (reader, error);
    if (value == NULL)
      return NULL;
    g_ptr_array_add (node->values, value);
  }
  return NULL;
}

static DubYamlNode *
read_kind (Reader *reader, GError **error)
{
  switch (reader->event.type) {
    case YAML_SCALAR_EVENT:
      return read_text (reader, error);
    case YAML_SEQUENCE_START_EVENT:
      return read_list (reader, error);
    case YAML_MAPPING_START_EVENT:
      return read_map (reader, error);
    case YAML_ALIAS_EVENT:
      refuse (reader, DUB_ERROR_INVALID, "aliases are not taken here", error);
      return NULL;
    default:
      refuse (reader, DUB_ERROR_INVALID, "there is nothing here", error);
      return NULL;
  }
}

/* Of the event at hand. */
static DubYamlNode *
read_node (Reader *reader, GError **error)
{
  DubYamlNode *node = NULL;

  if (++reader->nodes > DUB_YAML_MAX_NODES) {
    refuse (reader, DUB_ERROR_LIMIT, "more than is taken in one file", error);
    return NULL;
  }
  if (reader->depth >= DUB_YAML_MAX_DEPTH) {
    refuse (reader, DUB_ERROR_LIMIT, "nested too deep", error);
    return NULL;
  }
  reader->depth++;
  node = read_kind (reader, error);
  reader->depth--;
  return node;
}

static DubYamlNode *
read_document (Reader *reader, GError **error)
{
  g_autoptr (DubYamlNode) root = NULL;

  if (!next_is (reader, YAML_STREAM_START_EVENT, "no YAML", error) ||
      !next_is (
          reader, YAML_DOCUMENT_START_EVENT, "the file is empty", error) ||
      !next (reader, error))
    return NULL;
  root = read_node (reader, error);
  if (root == NULL ||
      !next_is (reader, YAML_DOCUMENT_END_EVENT, "no end", error) ||
      !next_is (reader, YAML_STREAM_END_EVENT, "more than one document", error))
    return NULL;
  return g_steal_pointer (&root);
}

DubYamlNode *
dub_yaml_parse (const char *text, gsize length, GError **error)
{
  Reader reader = {.has_event = FALSE};
  DubYamlNode *root = NULL;

  if (length > DUB_YAML_MAX_BYTES) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_LIMIT,
        "line 1: %" G_GSIZE_FORMAT " bytes, at most %u are taken", length,
        DUB_YAML_MAX_BYTES);
    return NULL;
  }
  if (!yaml_parser_initialize (&reader.parser)) {
    g_set_error_literal (
        error, DUB_ERROR, DUB_ERROR_OVERLOADED, "line 1: no memory");
    return NULL;
  }
  yaml_parser_set_encoding (&reader.parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string (
      &reader.parser, (const unsigned char *) text, length);
  root = read_document (&reader, error);
  if (reader.has_event)
    yaml_event_delete (&reader.event);
  yaml_parser_delete (&reader.parser);
  return root;
}
