/* SPDX-License-Identifier: Apache-2.0 */
#include "reader.h"

#include <dubbing_common/error.h>
#include <math.h>
#include <string.h>

void
dub_reader_init (DubReader *self, JsonNode *node)
{
  *self = (DubReader){.prefix = ""};
  self->root = self;
  if (node && JSON_NODE_HOLDS_OBJECT (node))
    self->object = json_node_get_object (node);
  else
    self->failure = g_error_new_literal (
        DUB_ERROR, DUB_ERROR_INVALID, "payload: must be an object");
}

void
dub_reader_init_child (DubReader *self, DubReader *parent, const char *name,
    const char *prefix, DubFieldNeed need)
{
  JsonNode *node = dub_reader_get (parent, name);

  *self = (DubReader){.root = parent->root, .prefix = prefix};
  if (node && JSON_NODE_HOLDS_OBJECT (node))
    self->object = json_node_get_object (node);
  else if (need == DUB_FIELD_REQUIRED)
    dub_reader_fail (parent, DUB_ERROR_INVALID, name,
        node ? "must be an object" : "is missing");
}

gboolean
dub_reader_ok (DubReader *self, GError **error)
{
  if (!self->root->failure)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&self->root->failure));
  return FALSE;
}

void
dub_reader_fail (
    DubReader *self, int code, const char *name, const char *format, ...)
{
  va_list args;
  g_autofree char *what = NULL;

  if (self->root->failure)
    return;
  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  self->root->failure =
      g_error_new (DUB_ERROR, code, "%s%s: %s", self->prefix, name, what);
}

JsonNode *
dub_reader_get (DubReader *self, const char *name)
{
  JsonNode *node =
      self->object ? json_object_get_member (self->object, name) : NULL;

  return node && !JSON_NODE_HOLDS_NULL (node) ? node : NULL;
}

const char *
dub_reader_either (DubReader *self, const char *name, const char *alias)
{
  return !dub_reader_get (self, name) && dub_reader_get (self, alias) ? alias
                                                                      : name;
}

static gboolean
holds (JsonNode *node, GType type)
{
  return JSON_NODE_HOLDS_VALUE (node) &&
         json_node_get_value_type (node) == type;
}

/* (transfer none) (nullable) */
static const char *
peek_string (DubReader *self, const char *name, DubFieldNeed need)
{
  JsonNode *node = dub_reader_get (self, name);

  if (node && holds (node, G_TYPE_STRING))
    return json_node_get_string (node);
  if (node)
    dub_reader_fail (self, DUB_ERROR_INVALID, name, "must be a string");
  else if (need == DUB_FIELD_REQUIRED)
    dub_reader_fail (self, DUB_ERROR_INVALID, name, "is missing");
  return NULL;
}

char *
dub_reader_string (
    DubReader *self, const char *name, DubFieldNeed need, gsize min, gsize max)
{
  const char *text = peek_string (self, name, need);
  gsize length = text ? strlen (text) : 0;

  if (!text)
    return NULL;
  if (length >= min && length <= max)
    return g_strndup (text, length);
  dub_reader_fail (self, length > max ? DUB_ERROR_LIMIT : DUB_ERROR_INVALID,
      name,
      "is %" G_GSIZE_FORMAT " bytes long, not %" G_GSIZE_FORMAT
      " to %" G_GSIZE_FORMAT,
      length, min, max);
  return NULL;
}

char *
dub_reader_text (DubReader *self, const char *name, gsize max)
{
  const char *text = peek_string (self, name, DUB_FIELD_OPTIONAL);
  const char *end;

  if (!text)
    return NULL;
  if (strlen (text) <= max)
    return g_strdup (text);
  end = g_utf8_find_prev_char (text, text + max + 1);
  return g_strndup (text, end ? (gsize) (end - text) : 0);
}

/* The lax integers of the wire: 5, 5.0, "5", true. */
static gboolean
node_to_int (JsonNode *node, gint64 *ret_value)
{
  double number;

  if (!JSON_NODE_HOLDS_VALUE (node))
    return FALSE;
  if (holds (node, G_TYPE_STRING))
    return g_ascii_string_to_signed (json_node_get_string (node), 10,
        G_MININT64, G_MAXINT64, ret_value, NULL);
  if (holds (node, G_TYPE_DOUBLE)) {
    number = json_node_get_double (node);
    /* 2^63 is the first double that an int64 cannot hold. */
    if (!(fabs (number) < 9223372036854775808.0) || floor (number) != number)
      return FALSE;
    *ret_value = (gint64) number;
    return TRUE;
  }
  if (holds (node, G_TYPE_BOOLEAN))
    *ret_value = json_node_get_boolean (node) ? 1 : 0;
  else
    *ret_value = json_node_get_int (node);
  return TRUE;
}

static gint64
read_int (
    DubReader *self, const char *name, gint64 fallback, gint64 min, gint64 max)
{
  gint64 value = 0;

  if (!node_to_int (dub_reader_get (self, name), &value)) {
    dub_reader_fail (self, DUB_ERROR_INVALID, name, "must be an integer");
    return fallback;
  }
  if (value >= min && value <= max)
    return value;
  dub_reader_fail (self, DUB_ERROR_INVALID, name,
      "%" G_GINT64_FORMAT " is not within %" G_GINT64_FORMAT
      " and %" G_GINT64_FORMAT,
      value, min, max);
  return fallback;
}

gint64
dub_reader_need_int (DubReader *self, const char *name, gint64 min, gint64 max)
{
  if (dub_reader_get (self, name))
    return read_int (self, name, min, min, max);
  dub_reader_fail (self, DUB_ERROR_INVALID, name, "is missing");
  return min;
}

gint64
dub_reader_int (
    DubReader *self, const char *name, gint64 fallback, gint64 min, gint64 max)
{
  if (!dub_reader_get (self, name))
    return fallback;
  return read_int (self, name, fallback, min, max);
}

double
dub_reader_double (DubReader *self, const char *name, double fallback)
{
  JsonNode *node = dub_reader_get (self, name);

  if (!node)
    return fallback;
  if (holds (node, G_TYPE_DOUBLE) && isfinite (json_node_get_double (node)))
    return json_node_get_double (node);
  if (holds (node, G_TYPE_INT64))
    return (double) json_node_get_int (node);
  dub_reader_fail (self, DUB_ERROR_INVALID, name, "must be a number");
  return fallback;
}

gboolean
dub_reader_bool (DubReader *self, const char *name, gboolean fallback)
{
  JsonNode *node = dub_reader_get (self, name);
  gint64 value = 0;

  if (!node)
    return fallback;
  if (holds (node, G_TYPE_STRING) &&
      g_ascii_strcasecmp (json_node_get_string (node), "true") == 0)
    return TRUE;
  if (holds (node, G_TYPE_STRING) &&
      g_ascii_strcasecmp (json_node_get_string (node), "false") == 0)
    return FALSE;
  if (node_to_int (node, &value) && (value == 0 || value == 1))
    return value == 1;
  dub_reader_fail (self, DUB_ERROR_INVALID, name, "must be true or false");
  return fallback;
}

int
dub_reader_enum (
    DubReader *self, const char *name, const char *const *names, int fallback)
{
  const char *text = peek_string (self, name, DUB_FIELD_OPTIONAL);

  for (int i = 1; text && names[i]; i++)
    if (g_str_equal (text, names[i]))
      return i;
  return fallback;
}
