/* SPDX-License-Identifier: Apache-2.0 */
#include "dubbing_common/log.h"
#include "log_line.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* More fields than this in one line are a mistake; the rest is left out. */
#define MAX_PAIRS 24

static GMutex lock;
/* protected by lock */
static char *component_name;
static GPtrArray *global_fields; /* key, value, key, value */
static DubLogSink sink;
static gpointer sink_data;
static DubLogSink tee;
static gpointer tee_data;

/* atomic */
static int max_level = DUB_LOG_INFO;
static int is_text = -1; /* -1: not decided yet */

/* immutable after dub_log_init () */
static GLogLevelFlags always_fatal;

static gboolean
decide_text (DubLogFormat format)
{
  if (format == DUB_LOG_AUTO)
    return isatty (STDERR_FILENO);
  return format == DUB_LOG_TEXT;
}

gboolean
dub_log_is_enabled (DubLogLevel level)
{
  return level != DUB_LOG_NONE && (int) level <= g_atomic_int_get (&max_level);
}

gboolean
dub_log_level_parse (const char *text, DubLogLevel *ret_level)
{
  if (text == NULL)
    return FALSE;
  for (int level = DUB_LOG_ERROR; level <= DUB_LOG_TRACE; level++) {
    if (!g_ascii_strcasecmp (text, dub_log_level_to_string (level))) {
      *ret_level = (DubLogLevel) level;
      return TRUE;
    }
  }
  if (g_ascii_strcasecmp (text, "warn") != 0)
    return FALSE;
  *ret_level = DUB_LOG_WARNING;
  return TRUE;
}

void
dub_log_set_sink (DubLogSink new_sink, gpointer user_data)
{
  g_mutex_lock (&lock);
  sink = new_sink;
  sink_data = user_data;
  g_mutex_unlock (&lock);
}

void
dub_log_set_tee (DubLogSink new_tee, gpointer user_data)
{
  g_mutex_lock (&lock);
  tee = new_tee;
  tee_data = user_data;
  g_mutex_unlock (&lock);
}

void
dub_log_set_field (const char *key, const char *value)
{
  g_return_if_fail (key != NULL);
  g_mutex_lock (&lock);
  if (global_fields == NULL)
    global_fields = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < global_fields->len; i += 2) {
    if (g_str_equal (g_ptr_array_index (global_fields, i), key)) {
      g_ptr_array_remove_range (global_fields, i, 2);
      break;
    }
  }
  if (value != NULL) {
    g_ptr_array_add (global_fields, g_strdup (key));
    g_ptr_array_add (global_fields, g_strdup (value));
  }
  g_mutex_unlock (&lock);
}

/* One write (), so that lines of several processes on one pipe stay whole; a
 * rest goes after it only where the kernel took less. A reader that does not
 * read costs the line, never the programme. */
static void
write_line (const char *line)
{
  g_autofree char *text = g_strconcat (line, "\n", NULL);
  const char *p = text;
  gsize left = strlen (text);

  while (left > 0) {
    gssize n = write (STDERR_FILENO, p, left);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return;
    p += n;
    left -= (gsize) n;
  }
}

static void
collect_globals_locked (DubLogPair *pairs, gsize *n_pairs)
{
  if (global_fields == NULL)
    return;
  for (guint i = 0; i < global_fields->len && *n_pairs < MAX_PAIRS; i += 2)
    pairs[(*n_pairs)++] = (DubLogPair){g_ptr_array_index (global_fields, i),
        g_ptr_array_index (global_fields, i + 1)};
}

/* The line is made under the lock, as it reads the global fields, and leaves
 * without it: a sink may log itself. */
static void
emit (DubLogLevel level, const char *topic, const DubLogPair *own, gsize n_own,
    const char *message)
{
  DubLogPair pairs[MAX_PAIRS];
  DubLogRecord record = {.time_us = g_get_real_time (),
      .level = level,
      .topic = topic != NULL ? topic : "none",
      .pairs = pairs,
      .message = message};
  g_autofree char *line = NULL;
  DubLogSink to;
  gpointer to_data;

  if (g_atomic_int_get (&is_text) < 0)
    g_atomic_int_set (&is_text, decide_text (DUB_LOG_AUTO));
  g_mutex_lock (&lock);
  record.component = component_name != NULL ? component_name : "none";
  collect_globals_locked (pairs, &record.n_pairs);
  for (gsize i = 0; i < n_own && record.n_pairs < MAX_PAIRS; i++)
    pairs[record.n_pairs++] = own[i];
  line = g_atomic_int_get (&is_text) ? dub_log_line_to_text (&record)
                                     : dub_log_line_to_json (&record);
  to = sink;
  to_data = sink_data;
  if (tee != NULL)
    tee (level, line, tee_data);
  g_mutex_unlock (&lock);
  if (to != NULL)
    to (level, line, to_data);
  else
    write_line (line);
}

void
dub_log_fields (DubLogLevel level, const char *topic, const char *const *fields,
    const char *format, ...)
{
  DubLogPair pairs[MAX_PAIRS];
  gsize n_pairs = 0;
  g_autofree char *message = NULL;
  int saved_errno = errno;
  va_list args;

  if (!dub_log_is_enabled (level))
    return;
  for (gsize i = 0; fields != NULL && fields[i] != NULL; i += 2)
    if (fields[i + 1] != NULL && n_pairs < MAX_PAIRS)
      pairs[n_pairs++] = (DubLogPair){fields[i], fields[i + 1]};
  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  emit (level, topic, pairs, n_pairs, message);
  errno = saved_errno;
}

static DubLogLevel
level_from_glib (GLogLevelFlags flags)
{
  if (flags & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL))
    return DUB_LOG_ERROR;
  if (flags & G_LOG_LEVEL_WARNING)
    return DUB_LOG_WARNING;
  if (flags & G_LOG_LEVEL_MESSAGE)
    return DUB_LOG_INFO;
  if (flags & G_LOG_LEVEL_INFO)
    return DUB_LOG_DEBUG;
  return DUB_LOG_TRACE;
}

static char *
glib_field_to_string (const GLogField *field)
{
  if (field->length < 0)
    return g_strdup (field->value);
  return g_strndup (field->value, (gsize) field->length);
}

/* What journald needs and a reader of our lines does not. */
static gboolean
is_glib_noise (const char *key)
{
  return g_str_has_prefix (key, "CODE_") || g_str_has_prefix (key, "GLIB_") ||
         g_str_has_prefix (key, "SYSLOG_") || g_str_equal (key, "PRIORITY") ||
         g_str_equal (key, "MESSAGE") || g_str_equal (key, "MESSAGE_ID");
}

typedef struct {
  char *message;
  char *domain;
  GPtrArray *strings; /* owns what pairs point to */
  DubLogPair pairs[MAX_PAIRS];
  gsize n_pairs;
  gboolean is_old_api;
} GlibLine;

static void
glib_line_add (GlibLine *self, const GLogField *field)
{
  g_autofree char *value = glib_field_to_string (field);
  char *key;

  if (g_str_equal (field->key, "MESSAGE") && self->message == NULL) {
    self->message = g_steal_pointer (&value);
  } else if (g_str_equal (field->key, "GLIB_DOMAIN")) {
    g_free (self->domain);
    self->domain = g_steal_pointer (&value);
  } else if (g_str_equal (field->key, "GLIB_OLD_LOG_API")) {
    self->is_old_api = TRUE;
  } else if (!is_glib_noise (field->key) && self->n_pairs < MAX_PAIRS) {
    key = g_ascii_strdown (field->key, -1);
    self->pairs[self->n_pairs++] = (DubLogPair){key, value};
    g_ptr_array_add (self->strings, key);
    g_ptr_array_add (self->strings, g_steal_pointer (&value));
  }
}

/* For everything that goes through g_log () or g_log_structured (). */
static GLogWriterOutput
write_glib_log (GLogLevelFlags flags, const GLogField *fields, gsize n_fields,
    gpointer user_data)
{
  GlibLine line = {.strings = g_ptr_array_new_with_free_func (g_free)};
  DubLogLevel level = level_from_glib (flags);

  for (gsize i = 0; i < n_fields; i++)
    glib_line_add (&line, &fields[i]);
  if (dub_log_is_enabled (level))
    emit (level, line.domain != NULL ? line.domain : "glib", line.pairs,
        line.n_pairs, line.message != NULL ? line.message : "(no message)");
  /* The default writer would do this; g_log () itself does it only for
   * messages of the old calls. */
  if ((flags & always_fatal) && !line.is_old_api)
    abort ();
  g_free (line.message);
  g_free (line.domain);
  g_ptr_array_unref (line.strings);
  return G_LOG_WRITER_HANDLED;
}

void
dub_log_init (const char *component, DubLogLevel level, DubLogFormat format)
{
  static gboolean is_writer_set;

  g_return_if_fail (component != NULL && level != DUB_LOG_NONE);
  g_mutex_lock (&lock);
  g_free (component_name);
  component_name = g_strdup (component);
  g_mutex_unlock (&lock);
  g_atomic_int_set (&max_level, (int) level);
  g_atomic_int_set (&is_text, decide_text (format));
  if (is_writer_set)
    return;
  /* A reader of our lines that has gone costs the lines, not the program. */
  signal (SIGPIPE, SIG_IGN);
  /* The only way to read the mask is to set it. */
  always_fatal = g_log_set_always_fatal (G_LOG_FATAL_MASK);
  g_log_set_always_fatal (always_fatal);
  g_log_set_writer_func (write_glib_log, NULL, NULL);
  is_writer_set = TRUE;
}
