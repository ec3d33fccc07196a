/* SPDX-License-Identifier: Apache-2.0 */
#include "log_line.h"

#include <string.h>
#include <time.h>

static const char *const level_names[] = {
    "none", "error", "warning", "info", "debug", "trace"};

const char *
dub_log_level_to_string (DubLogLevel level)
{
  return (guint) level < G_N_ELEMENTS (level_names) ? level_names[level]
                                                    : "none";
}

/* Valid UTF-8 of bounded length; what is cut shows as "...". */
static char *
tidy_text (const char *text)
{
  gsize length = strnlen (text, DUB_LOG_MAX_TEXT + 1);
  g_autofree char *cut = NULL;
  const char *end;

  if (length <= DUB_LOG_MAX_TEXT)
    return g_utf8_make_valid (text, (gssize) length);
  /* Do not cut within a character: that would turn it into a false one. */
  end = g_utf8_find_prev_char (text, text + DUB_LOG_MAX_TEXT);
  length = end != NULL ? (gsize) (end - text) : DUB_LOG_MAX_TEXT;
  cut = g_utf8_make_valid (text, (gssize) length);
  return g_strconcat (cut, "...", NULL);
}

static void
append_json_string (GString *out, const char *text)
{
  g_autofree char *valid = tidy_text (text);

  g_string_append_c (out, '"');
  for (const char *p = valid; *p != '\0'; p++) {
    switch (*p) {
      case '"':
      case '\\':
        g_string_append_c (out, '\\');
        g_string_append_c (out, *p);
        break;
      case '\n':
        g_string_append (out, "\\n");
        break;
      case '\r':
        g_string_append (out, "\\r");
        break;
      case '\t':
        g_string_append (out, "\\t");
        break;
      default:
        if ((guchar) *p < 0x20)
          g_string_append_printf (out, "\\u%04x", (guchar) *p);
        else
          g_string_append_c (out, *p);
    }
  }
  g_string_append_c (out, '"');
}

static void
append_json_pair (GString *out, const char *key, const char *value)
{
  if (out->len > 1)
    g_string_append_c (out, ',');
  append_json_string (out, key);
  g_string_append_c (out, ':');
  append_json_string (out, value);
}

static void
append_time (GString *out, gint64 time_us)
{
  time_t seconds = (time_t) (time_us / G_USEC_PER_SEC);
  struct tm utc;

  gmtime_r (&seconds, &utc);
  g_string_append_printf (out, "%02d:%02d:%02d.%03d", utc.tm_hour, utc.tm_min,
      utc.tm_sec, (int) (time_us % G_USEC_PER_SEC / 1000));
}

static void
append_date (GString *out, gint64 time_us)
{
  time_t seconds = (time_t) (time_us / G_USEC_PER_SEC);
  struct tm utc;

  gmtime_r (&seconds, &utc);
  g_string_append_printf (
      out, "%04d-%02d-%02d", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday);
}

/* A key that comes again later is left to its last place. */
static gboolean
is_shadowed (const DubLogRecord *record, gsize i)
{
  for (gsize j = i + 1; j < record->n_pairs; j++)
    if (g_str_equal (record->pairs[j].key, record->pairs[i].key))
      return TRUE;
  return FALSE;
}

char *
dub_log_line_to_json (const DubLogRecord *record)
{
  GString *out = g_string_new ("{\"ts\":\"");

  append_date (out, record->time_us);
  g_string_append_c (out, 'T');
  append_time (out, record->time_us);
  g_string_append (out, "Z\"");
  append_json_pair (out, "level", dub_log_level_to_string (record->level));
  append_json_pair (out, "topic", record->topic);
  append_json_pair (out, "component", record->component);
  for (gsize i = 0; i < record->n_pairs; i++)
    if (!is_shadowed (record, i))
      append_json_pair (out, record->pairs[i].key, record->pairs[i].value);
  append_json_pair (out, "message", record->message);
  g_string_append_c (out, '}');
  return g_string_free (out, FALSE);
}

/* Control characters as \n or \x1b: a message of a peer must not move the
 * cursor of the operator's terminal, nor start a line of its own. */
static void
append_plain (GString *out, const char *text)
{
  g_autofree char *valid = tidy_text (text);

  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    if (c == '\n')
      g_string_append (out, "\\n");
    else if (c < 0x20 || (c >= 0x7f && c < 0xa0))
      g_string_append_printf (out, "\\x%02x", c);
    else
      g_string_append_unichar (out, c);
  }
}

char *
dub_log_line_to_text (const DubLogRecord *record)
{
  GString *out = g_string_new (NULL);

  append_time (out, record->time_us);
  g_string_append_printf (
      out, " %-7s ", dub_log_level_to_string (record->level));
  append_plain (out, record->topic);
  g_string_append (out, ": ");
  append_plain (out, record->message);
  for (gsize i = 0; i < record->n_pairs; i++) {
    if (is_shadowed (record, i))
      continue;
    g_string_append_c (out, ' ');
    append_plain (out, record->pairs[i].key);
    g_string_append_c (out, '=');
    append_plain (out, record->pairs[i].value);
  }
  return g_string_free (out, FALSE);
}
