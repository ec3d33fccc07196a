/* SPDX-License-Identifier: Apache-2.0 */
#include "reader.h"
#include "json_text.h"

#include <dubbing_common/error.h>
#include <string.h>

struct _DubControlReader {
  gsize max_line_bytes;
  GString *buffer;
  gsize start;          /* of what was not read yet */
  gboolean is_skipping; /* the rest of a line that was reported as too long */
};

DubControlReader *
dub_control_reader_new (gsize max_line_bytes)
{
  DubControlReader *self = g_new0 (DubControlReader, 1);

  self->max_line_bytes = max_line_bytes;
  self->buffer = g_string_new (NULL);
  return self;
}

void
dub_control_reader_free (DubControlReader *reader)
{
  if (reader == NULL)
    return;
  g_string_free (reader->buffer, TRUE);
  g_free (reader);
}

void
dub_control_reader_feed (DubControlReader *reader, const void *data, gsize size)
{
  g_return_if_fail (reader != NULL);
  g_string_erase (reader->buffer, 0, (gssize) reader->start);
  reader->start = 0;
  g_string_append_len (reader->buffer, data, (gssize) size);
}

/* (nullable): there is no whole line yet. */
static const char *
find_end (DubControlReader *self, const char **ret_line)
{
  *ret_line = self->buffer->str + self->start;
  return memchr (*ret_line, '\n', self->buffer->len - self->start);
}

/* Drops what is left of a line that was too long. */
static void
skip_rest (DubControlReader *self)
{
  const char *line;
  const char *end = find_end (self, &line);

  if (end == NULL) {
    self->start = self->buffer->len;
    return;
  }
  self->start += (gsize) (end + 1 - line);
  self->is_skipping = FALSE;
}

static gboolean
report_too_long (DubControlReader *self, GError **error)
{
  self->is_skipping = TRUE;
  skip_rest (self);
  g_set_error (error, DUB_ERROR, DUB_ERROR_LIMIT,
      "the line is longer than %" G_GSIZE_FORMAT " bytes",
      self->max_line_bytes);
  return TRUE;
}

static gboolean
is_blank (const char *text, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isspace (text[i]))
      return FALSE;
  return TRUE;
}

gboolean
dub_control_reader_next (
    DubControlReader *reader, JsonObject **ret_message, GError **error)
{
  g_return_val_if_fail (reader != NULL && ret_message != NULL, FALSE);
  *ret_message = NULL;
  if (reader->is_skipping)
    skip_rest (reader);
  for (;;) {
    const char *line;
    const char *end = find_end (reader, &line);
    gsize left = reader->buffer->len - reader->start;
    gsize length = end != NULL ? (gsize) (end - line) : left;

    if (length > reader->max_line_bytes)
      return report_too_long (reader, error);
    if (end == NULL)
      return FALSE;
    reader->start += length + 1;
    if (is_blank (line, length))
      continue;
    *ret_message = dub_json_object_parse (
        line, (gssize) length, reader->max_line_bytes, error);
    return TRUE;
  }
}
