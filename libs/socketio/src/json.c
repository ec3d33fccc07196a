/* SPDX-License-Identifier: Apache-2.0 */
#include <dubbing_socketio/json.h>

#include <dubbing_common/error.h>
#include <errno.h>
#include <math.h>
#include <string.h>

typedef struct {
  const char *start;
  const char *at;
  const char *end;
  guint depth;
  guint values;
  GError *error; /* the first one */
} Reader;

static JsonNode *read_value (Reader *reader);

static gpointer
fail (Reader *reader, DubErrorCode code, const char *what)
{
  if (reader->error == NULL)
    reader->error = g_error_new (DUB_ERROR, (gint) code,
        "JSON: %s at byte %" G_GSIZE_FORMAT, what,
        (gsize) (reader->at - reader->start));
  return NULL;
}

static void
skip_blanks (Reader *reader)
{
  while (reader->at < reader->end &&
         (*reader->at == ' ' || *reader->at == '\t' || *reader->at == '\n' ||
             *reader->at == '\r'))
    reader->at++;
}

static gboolean
take (Reader *reader, char wanted)
{
  if (reader->at >= reader->end || *reader->at != wanted)
    return FALSE;
  reader->at++;
  return TRUE;
}

static gboolean
read_hex4 (Reader *reader, gunichar *ret_unit)
{
  gunichar unit = 0;

  if (reader->end - reader->at < 4)
    return FALSE;
  for (int i = 0; i < 4; i++) {
    int digit = g_ascii_xdigit_value (reader->at[i]);

    if (digit < 0)
      return FALSE;
    unit = unit << 4 | (gunichar) digit;
  }
  reader->at += 4;
  *ret_unit = unit;
  return TRUE;
}

static gboolean
read_unicode_escape (Reader *reader, GString *to)
{
  gunichar unit, low;
  const char *after;

  if (!read_hex4 (reader, &unit))
    return FALSE;
  if (unit >= 0xD800 && unit < 0xDC00) {
    after = reader->at;
    if (take (reader, '\\') && take (reader, 'u') && read_hex4 (reader, &low) &&
        low >= 0xDC00 && low < 0xE000) {
      g_string_append_unichar (
          to, 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00));
      return TRUE;
    }
    reader->at = after;
  }
  if (unit == 0 || (unit >= 0xD800 && unit < 0xE000))
    unit = 0xFFFD;
  g_string_append_unichar (to, unit);
  return TRUE;
}

static gboolean
read_escape (Reader *reader, GString *to)
{
  static const char from[] = "\"\\/bfnrt";
  static const char meant[] = "\"\\/\b\f\n\r\t";
  const char *found;
  char c;

  if (reader->at >= reader->end)
    return FALSE;
  c = *reader->at++;
  if (c == 'u')
    return read_unicode_escape (reader, to);
  found = c != '\0' ? strchr (from, c) : NULL;
  if (found == NULL)
    return FALSE;
  g_string_append_c (to, meant[found - from]);
  return TRUE;
}

/* The end of the run that can be copied as it is. */
static const char *
plain_end (const char *at, const char *end)
{
  while (at < end && *at != '"' && *at != '\\' && (guchar) *at >= 0x20)
    at++;
  return at;
}

/* After the opening quote; (transfer full) */
static char *
read_string (Reader *reader)
{
  const char *run = plain_end (reader->at, reader->end);
  g_autoptr (GString) text = NULL;

  if (run < reader->end && *run == '"') {
    char *whole = g_strndup (reader->at, (gsize) (run - reader->at));

    reader->at = run + 1;
    return whole;
  }
  text = g_string_new (NULL);
  for (;;) {
    g_string_append_len (text, reader->at, run - reader->at);
    reader->at = run;
    if (take (reader, '"'))
      return g_string_free (g_steal_pointer (&text), FALSE);
    if (!take (reader, '\\'))
      return fail (reader, DUB_ERROR_PROTOCOL, "string not ended");
    if (!read_escape (reader, text))
      return fail (reader, DUB_ERROR_PROTOCOL, "bad escape");
    run = plain_end (reader->at, reader->end);
  }
}

static gsize
skip_digits (Reader *reader)
{
  const char *from = reader->at;

  while (reader->at < reader->end && g_ascii_isdigit (*reader->at))
    reader->at++;
  return (gsize) (reader->at - from);
}

/* Moves over one number of RFC 8259. */
static gboolean
scan_number (Reader *reader, gboolean *ret_is_whole)
{
  gboolean is_whole = TRUE;

  take (reader, '-');
  if (!take (reader, '0') && skip_digits (reader) == 0)
    return FALSE;
  if (take (reader, '.')) {
    is_whole = FALSE;
    if (skip_digits (reader) == 0)
      return FALSE;
  }
  if (take (reader, 'e') || take (reader, 'E')) {
    is_whole = FALSE;
    if (!take (reader, '+'))
      take (reader, '-');
    if (skip_digits (reader) == 0)
      return FALSE;
  }
  *ret_is_whole = is_whole;
  return TRUE;
}

static JsonNode *
read_number (Reader *reader)
{
  const char *from = reader->at;
  gboolean is_whole = FALSE;
  g_autofree char *text = NULL;
  gint64 whole;

  if (!scan_number (reader, &is_whole))
    return fail (reader, DUB_ERROR_PROTOCOL, "bad number");
  text = g_strndup (from, (gsize) (reader->at - from));
  if (is_whole) {
    errno = 0;
    whole = g_ascii_strtoll (text, NULL, 10);
    if (errno == 0)
      return json_node_init_int (json_node_alloc (), whole);
  }
  return json_node_init_double (
      json_node_alloc (), g_ascii_strtod (text, NULL));
}

static JsonNode *
read_word (Reader *reader)
{
  static const char *const words[] = {"null", "false", "true"};

  for (guint i = 0; i < G_N_ELEMENTS (words); i++) {
    gsize length = strlen (words[i]);

    if ((gsize) (reader->end - reader->at) < length ||
        memcmp (reader->at, words[i], length) != 0)
      continue;
    reader->at += length;
    if (i == 0)
      return json_node_init_null (json_node_alloc ());
    return json_node_init_boolean (json_node_alloc (), i == 2);
  }
  return fail (reader, DUB_ERROR_PROTOCOL, "no value");
}

static JsonNode *
read_string_node (Reader *reader)
{
  g_autofree char *text = read_string (reader);

  if (text == NULL)
    return NULL;
  return json_node_init_string (json_node_alloc (), text);
}

static JsonNode *
read_array (Reader *reader)
{
  g_autoptr (JsonArray) array = json_array_new ();

  skip_blanks (reader);
  if (take (reader, ']'))
    return json_node_init_array (json_node_alloc (), array);
  do {
    JsonNode *element = read_value (reader);

    if (element == NULL)
      return NULL;
    json_array_add_element (array, element);
    skip_blanks (reader);
  } while (take (reader, ','));
  if (!take (reader, ']'))
    return fail (reader, DUB_ERROR_PROTOCOL, "array not ended");
  return json_node_init_array (json_node_alloc (), array);
}

static gboolean
read_member (Reader *reader, JsonObject *object)
{
  g_autofree char *name = NULL;
  JsonNode *value;

  skip_blanks (reader);
  if (!take (reader, '"'))
    return fail (reader, DUB_ERROR_PROTOCOL, "no member name") != NULL;
  name = read_string (reader);
  if (name == NULL)
    return FALSE;
  skip_blanks (reader);
  if (!take (reader, ':'))
    return fail (reader, DUB_ERROR_PROTOCOL, "no colon") != NULL;
  value = read_value (reader);
  if (value == NULL)
    return FALSE;
  json_object_set_member (object, name, value);
  skip_blanks (reader);
  return TRUE;
}

static JsonNode *
read_object (Reader *reader)
{
  g_autoptr (JsonObject) object = json_object_new ();

  skip_blanks (reader);
  if (take (reader, '}'))
    return json_node_init_object (json_node_alloc (), object);
  do {
    if (!read_member (reader, object))
      return NULL;
  } while (take (reader, ','));
  if (!take (reader, '}'))
    return fail (reader, DUB_ERROR_PROTOCOL, "object not ended");
  return json_node_init_object (json_node_alloc (), object);
}

static JsonNode *
read_container (Reader *reader, gboolean is_object)
{
  JsonNode *node;

  if (reader->depth >= DUB_SIO_JSON_MAX_DEPTH)
    return fail (reader, DUB_ERROR_LIMIT, "nested too deep");
  reader->depth++;
  node = is_object ? read_object (reader) : read_array (reader);
  reader->depth--;
  return node;
}

static JsonNode *
read_value (Reader *reader)
{
  if (++reader->values > DUB_SIO_JSON_MAX_VALUES)
    return fail (reader, DUB_ERROR_LIMIT, "too many values");
  skip_blanks (reader);
  if (take (reader, '"'))
    return read_string_node (reader);
  if (take (reader, '{'))
    return read_container (reader, TRUE);
  if (take (reader, '['))
    return read_container (reader, FALSE);
  if (reader->at < reader->end &&
      (*reader->at == '-' || g_ascii_isdigit (*reader->at)))
    return read_number (reader);
  return read_word (reader);
}

JsonNode *
dub_sio_json_parse (const char *text, gsize length, GError **error)
{
  Reader reader = {text, text, text + length, 0, 0, NULL};
  g_autoptr (JsonNode) node = read_value (&reader);

  skip_blanks (&reader);
  if (node != NULL && reader.at < reader.end)
    fail (&reader, DUB_ERROR_PROTOCOL, "more text");
  if (reader.error != NULL) {
    g_propagate_error (error, reader.error);
    return NULL;
  }
  return g_steal_pointer (&node);
}

static void
write_string (const char *text, GString *to)
{
  const char *end = text + strlen (text);

  g_string_append_c (to, '"');
  for (;;) {
    const char *run = plain_end (text, end);

    g_string_append_len (to, text, run - text);
    if (run == end)
      break;
    switch (*run) {
      case '"':
        g_string_append (to, "\\\"");
        break;
      case '\\':
        g_string_append (to, "\\\\");
        break;
      case '\n':
        g_string_append (to, "\\n");
        break;
      default:
        g_string_append_printf (to, "\\u%04x", (guint) (guchar) *run);
        break;
    }
    text = run + 1;
  }
  g_string_append_c (to, '"');
}

/* The shortest text that reads back as the same number. */
static void
write_double (double value, GString *to)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  static const char *const formats[] = {"%.15g", "%.16g", "%.17g"};

  if (!isfinite (value)) {
    g_string_append (to, "null");
    return;
  }
  if (value == 0) /* -0 too: it would come back as a whole 0 */
    value = 0;
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_ascii_formatd (text, sizeof text, formats[i], value);
    if (g_ascii_strtod (text, NULL) == value)
      break;
  }
  g_string_append (to, text);
}

static void
write_scalar (JsonNode *node, GString *to)
{
  GType type = json_node_get_value_type (node);

  if (type == G_TYPE_STRING)
    write_string (json_node_get_string (node), to);
  else if (type == G_TYPE_BOOLEAN)
    g_string_append (to, json_node_get_boolean (node) ? "true" : "false");
  else if (type == G_TYPE_DOUBLE)
    write_double (json_node_get_double (node), to);
  else
    g_string_append_printf (to, "%" G_GINT64_FORMAT, json_node_get_int (node));
}

static void
write_object (JsonObject *object, GString *to)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *value;
  char before = '{';

  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &name, &value)) {
    g_string_append_c (to, before);
    write_string (name, to);
    g_string_append_c (to, ':');
    dub_sio_json_write (value, to);
    before = ',';
  }
  g_string_append (to, before == '{' ? "{}" : "}");
}

static void
write_array (JsonArray *array, GString *to)
{
  guint length = json_array_get_length (array);

  g_string_append_c (to, '[');
  for (guint i = 0; i < length; i++) {
    if (i > 0)
      g_string_append_c (to, ',');
    dub_sio_json_write (json_array_get_element (array, i), to);
  }
  g_string_append_c (to, ']');
}

void
dub_sio_json_write (JsonNode *node, GString *to)
{
  switch (json_node_get_node_type (node)) {
    case JSON_NODE_OBJECT:
      write_object (json_node_get_object (node), to);
      break;
    case JSON_NODE_ARRAY:
      write_array (json_node_get_array (node), to);
      break;
    case JSON_NODE_VALUE:
      write_scalar (node, to);
      break;
    default:
      g_string_append (to, "null");
      break;
  }
}
