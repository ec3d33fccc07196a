/* SPDX-License-Identifier: Apache-2.0 */
#include "onnx_check.h"

#include <dubbing_common/error.h>
#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>

#define FIELD_METADATA 14
#define FIELD_KEY 1
#define FIELD_VALUE 2
#define MAX_TOKENS 4096
/* A Kokoro voice: a style of 256 numbers for each length of a sentence. */
#define STYLE_DIM "510,1,256"
#define STYLE_BYTES (510 * 256 * sizeof (float))
#define KOKORO_RATE "24000"

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

typedef struct {
  const guint8 *data;
  gsize length;
} Span;

static gboolean
take_varint (Span *span, guint64 *ret_value)
{
  guint64 value = 0;

  for (guint shift = 0; shift < 64 && span->length > 0; shift += 7) {
    guint8 byte = *span->data++;
    span->length--;
    value |= (guint64) (byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) {
      *ret_value = value;
      return TRUE;
    }
  }
  return FALSE;
}

static gboolean
take_bytes (Span *span, guint64 length, Span *ret_bytes)
{
  if (length > span->length)
    return FALSE;
  *ret_bytes = (Span){span->data, (gsize) length};
  span->data += length;
  span->length -= (gsize) length;
  return TRUE;
}

/* One field. bytes is empty for a number. */
static gboolean
take_field (Span *span, guint *ret_field, Span *ret_bytes)
{
  guint64 tag = 0, number = 0;
  Span skipped;

  *ret_bytes = (Span){NULL, 0};
  if (!take_varint (span, &tag) || tag >> 3 == 0 || tag >> 3 > G_MAXINT32)
    return FALSE;
  *ret_field = (guint) (tag >> 3);
  switch (tag & 7) {
    case WIRE_VARINT:
      return take_varint (span, &number);
    case WIRE_64:
      return take_bytes (span, 8, &skipped);
    case WIRE_32:
      return take_bytes (span, 4, &skipped);
    case WIRE_BYTES:
      return take_varint (span, &number) &&
             take_bytes (span, number, ret_bytes);
    default:
      return FALSE;
  }
}

static char *
span_to_text (const Span *span)
{
  if (!g_utf8_validate ((const char *) span->data, (gssize) span->length, NULL))
    return NULL;
  return g_strndup ((const char *) span->data, span->length);
}

static gboolean
take_prop (Span span, GHashTable *props)
{
  g_autofree char *key = NULL;
  g_autofree char *value = NULL;

  while (span.length > 0) {
    guint field = 0;
    Span bytes;

    if (!take_field (&span, &field, &bytes))
      return FALSE;
    if (field == FIELD_KEY) {
      g_free (key);
      key = span_to_text (&bytes);
    } else if (field == FIELD_VALUE) {
      g_free (value);
      value = span_to_text (&bytes);
    }
  }
  if (key != NULL && value != NULL)
    g_hash_table_insert (
        props, g_steal_pointer (&key), g_steal_pointer (&value));
  return TRUE;
}

static gboolean
refuse (GError **error, DubErrorCode code, const char *what)
{
  g_set_error_literal (error, DUB_ERROR, (gint) code, what);
  return FALSE;
}

static gboolean
take_props (Span span, GHashTable *props, GError **error)
{
  while (span.length > 0) {
    guint field = 0;
    Span bytes;

    if (!take_field (&span, &field, &bytes))
      return refuse (error, DUB_ERROR_INVALID, "no ONNX file: it breaks off");
    if (field != FIELD_METADATA)
      continue;
    if (bytes.length > DUB_ONNX_MAX_PROP_BYTES ||
        g_hash_table_size (props) >= DUB_ONNX_MAX_PROPS)
      return refuse (
          error, DUB_ERROR_LIMIT, "the ONNX file has too much metadata");
    if (!take_prop (bytes, props))
      return refuse (
          error, DUB_ERROR_INVALID, "the ONNX file's metadata is broken");
  }
  return TRUE;
}

GHashTable *
dub_onnx_read_metadata (const guint8 *data, gsize length, GError **error)
{
  g_autoptr (GHashTable) props =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);

  if (!take_props ((Span){data, length}, props, error))
    return NULL;
  return g_steal_pointer (&props);
}

/* ---- what sherpa-onnx wants of each kind ------------------------------- */

typedef struct {
  const char *key;
  const char *value; /* NULL: any */
} Want;

static const Want piper_wants[] = {
    {"model_type", "vits"},
    {"comment", "piper"},
    {"language", NULL},
    {"voice", NULL},
    {"has_espeak", "1"},
    {"n_speakers", NULL},
    {"sample_rate", NULL},
    {NULL, NULL},
};

static const Want kokoro_wants[] = {
    {"model_type", "kokoro"},
    {"version", "2"},
    {"voice", NULL},
    {"has_espeak", "1"},
    {"style_dim", STYLE_DIM},
    {"n_speakers", NULL},
    {"speaker_names", NULL},
    {"sample_rate", KOKORO_RATE},
    {NULL, NULL},
};

static gboolean
has (GHashTable *props, const Want *want, const char *path, GError **error)
{
  const char *found = g_hash_table_lookup (props, want->key);

  if (found != NULL &&
      (want->value == NULL || strstr (found, want->value) != NULL))
    return TRUE;
  g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
      "'%s' is no such voice for sherpa-onnx: its metadata says %s=%s%s%s",
      path, want->key, found != NULL ? found : "nothing",
      want->value != NULL ? ", wanted is " : "",
      want->value != NULL ? want->value : "");
  return FALSE;
}

/* The metadata of the file at path, which has all that is wanted. */
static GHashTable *
read_wanted (const char *path, const Want *wants, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, &local);
  g_autoptr (GHashTable) props = NULL;

  if (file == NULL) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND,
        "no voice at '%s' (scripts/fetch gets it): %s", path, local->message);
    return NULL;
  }
  props = dub_onnx_read_metadata (
      (const guint8 *) g_mapped_file_get_contents (file),
      g_mapped_file_get_length (file), &local);
  if (props == NULL) {
    g_set_error (
        error, DUB_ERROR, DUB_ERROR_INVALID, "'%s': %s", path, local->message);
    return NULL;
  }
  for (const Want *want = wants; want->key != NULL; want++)
    if (!has (props, want, path, error))
      return NULL;
  return g_steal_pointer (&props);
}

gboolean
dub_onnx_check_piper (const char *path, guint *ret_rate_hz, GError **error)
{
  static const Want sane = {"sample_rate", "8000 to 48000"};
  g_autoptr (GHashTable) props = read_wanted (path, piper_wants, error);
  guint64 rate = 0;

  if (props == NULL)
    return FALSE;
  rate =
      g_ascii_strtoull (g_hash_table_lookup (props, "sample_rate"), NULL, 10);
  if (rate < 8000 || rate > 48000)
    return has (props, &sane, path, error);
  *ret_rate_hz = (guint) rate;
  return TRUE;
}

static gboolean
check_styles (const char *path, guint speakers, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GFileInfo) info = g_file_query_info (
      file, G_FILE_ATTRIBUTE_STANDARD_SIZE, G_FILE_QUERY_INFO_NONE, NULL, NULL);
  goffset wanted = (goffset) speakers * STYLE_BYTES;

  if (info != NULL && g_file_info_get_size (info) == wanted)
    return TRUE;
  g_set_error (error, DUB_ERROR,
      info != NULL ? DUB_ERROR_INVALID : DUB_ERROR_NOT_FOUND,
      "'%s' does not hold %u voices of %d bytes", path, speakers,
      (int) STYLE_BYTES);
  return FALSE;
}

gboolean
dub_onnx_check_kokoro (
    const char *model, const char *voices, char ***ret_speakers, GError **error)
{
  g_autoptr (GHashTable) props = read_wanted (model, kokoro_wants, error);
  g_auto (GStrv) names = NULL;
  g_autofree char *count = NULL;
  Want speakers = {"n_speakers", "as many as speaker_names"};

  if (props == NULL)
    return FALSE;
  names = g_strsplit (g_hash_table_lookup (props, "speaker_names"), ",", -1);
  count = g_strdup_printf ("%u", g_strv_length (names));
  if (!g_str_equal (count, g_hash_table_lookup (props, "n_speakers")))
    return has (props, &speakers, model, error);
  if (!check_styles (voices, g_strv_length (names), error))
    return FALSE;
  *ret_speakers = g_steal_pointer (&names);
  return TRUE;
}

/* ---- the table of symbols ----------------------------------------------- */

/* One code point, a space, a number. */
static gboolean
take_token (const char *line, const char *end, GHashTable *tokens)
{
  const char *number = NULL;
  char *after = NULL;
  gunichar symbol;

  if (line >= end)
    return FALSE;
  symbol = g_utf8_get_char (line);
  number = g_utf8_next_char (line);
  if (number >= end || *number != ' ')
    return TRUE; /* a symbol of several code points: never ours to send */
  if (number + 1 >= end || !g_ascii_isdigit (number[1]))
    return FALSE;
  g_ascii_strtoull (number + 1, &after, 10);
  if (after != end)
    return FALSE;
  g_hash_table_add (tokens, GUINT_TO_POINTER (symbol));
  return TRUE;
}

GHashTable *
dub_onnx_read_tokens (const char *text, gsize length, GError **error)
{
  g_autoptr (GHashTable) tokens = g_hash_table_new (NULL, NULL);
  g_autofree char *copy = g_strndup (text, length);
  guint number = 1;

  if (strlen (copy) != length || !g_utf8_validate (copy, -1, NULL)) {
    refuse (error, DUB_ERROR_INVALID, "the table of tokens is not UTF-8");
    return NULL;
  }
  for (const char *line = copy; *line != '\0'; number++) {
    gsize bytes = strcspn (line, "\n");

    if (number > MAX_TOKENS) {
      refuse (error, DUB_ERROR_LIMIT, "the table of tokens is too long");
      return NULL;
    }
    if (!take_token (line, line + bytes, tokens)) {
      g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
          "line %u of the table of tokens is not \"symbol id\"", number);
      return NULL;
    }
    line += bytes + (line[bytes] == '\n');
  }
  return g_steal_pointer (&tokens);
}
