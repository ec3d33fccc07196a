/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * One line per event, to stderr: a JSON object, or text on a terminal.
 *
 *   {"ts":"2026-01-02T03:04:05.678Z","level":"info","topic":"media.ingest",
 *    "component":"media-worker","stream_id":"demo","run_id":"...",
 *    "fragment_id":"...","message":"..."}
 *
 * Libraries return errors; programs log them, once, with their ids. What runs
 * per frame logs at trace only. Never a secret; transcripts at debug.
 *
 * A file that logs defines DUB_LOG_TOPIC before it includes this header.
 * After dub_log_init () whatever comes by g_log () or g_log_structured () goes
 * the same way, with the GLib domain as its topic.
 *
 * Any thread; a line is written with one write ().
 */
G_BEGIN_DECLS

typedef enum {
  DUB_LOG_NONE = 0,
  DUB_LOG_ERROR,   /* a person must act */
  DUB_LOG_WARNING, /* something was lost or fell back */
  DUB_LOG_INFO,    /* a state changed; a few lines a minute at most */
  DUB_LOG_DEBUG,   /* one line per fragment is fine here */
  DUB_LOG_TRACE,   /* per buffer */
} DubLogLevel;

typedef enum {
  DUB_LOG_AUTO = 0, /* text on a terminal, else JSON */
  DUB_LOG_JSON,
  DUB_LOG_TEXT,
} DubLogFormat;

/* Call once, before threads. component is the program's name. From then on
 * SIGPIPE is ignored: a reader that has gone costs lines only. */
void dub_log_init (
    const char *component, DubLogLevel level, DubLogFormat format);
/* A field of every line from now on (stream_id, run_id); NULL removes it. */
void dub_log_set_field (const char *key, const char *value);
/* "error", "warning" ("warn"), "info", "debug", "trace", in any case. */
gboolean dub_log_level_parse (const char *text, DubLogLevel *ret_level);
gboolean dub_log_is_enabled (DubLogLevel level);

/* The writer that tests install: gets each finished line, without newline. */
typedef void (*DubLogSink) (
    DubLogLevel level, const char *line, gpointer user_data);
void dub_log_set_sink (DubLogSink sink, gpointer user_data);
/* Gets each line as well, for a copy of them; NULL ends it, and none comes
 * after that. It is called with the log's lock held: it must not log, nor wait.
 */
void dub_log_set_tee (DubLogSink tee, gpointer user_data);

/* fields: "key", "value" pairs, NULL-terminated; a NULL value is left out. */
void dub_log_fields (DubLogLevel level, const char *topic,
    const char *const *fields, const char *format, ...) G_GNUC_PRINTF (4, 5);

/* Replaces user:password and a stream key (the last path element of rtmp and
 * rtsp URLs that are not our own MediaMTX paths "live/<id>/in|out", with a
 * language behind it, and query values) by "***", for messages.
 * (transfer full) */
char *dub_redact_url (const char *url);

#ifdef DUB_LOG_TOPIC
#define dub_error(...)                                                         \
  dub_log_fields (DUB_LOG_ERROR, DUB_LOG_TOPIC, NULL, __VA_ARGS__)
#define dub_warning(...)                                                       \
  dub_log_fields (DUB_LOG_WARNING, DUB_LOG_TOPIC, NULL, __VA_ARGS__)
#define dub_info(...)                                                          \
  dub_log_fields (DUB_LOG_INFO, DUB_LOG_TOPIC, NULL, __VA_ARGS__)
#define dub_debug(...)                                                         \
  G_STMT_START                                                                 \
  {                                                                            \
    if (dub_log_is_enabled (DUB_LOG_DEBUG))                                    \
      dub_log_fields (DUB_LOG_DEBUG, DUB_LOG_TOPIC, NULL, __VA_ARGS__);        \
  }                                                                            \
  G_STMT_END
#define dub_trace(...)                                                         \
  G_STMT_START                                                                 \
  {                                                                            \
    if (dub_log_is_enabled (DUB_LOG_TRACE))                                    \
      dub_log_fields (DUB_LOG_TRACE, DUB_LOG_TOPIC, NULL, __VA_ARGS__);        \
  }                                                                            \
  G_STMT_END
/* The same with the id of a fragment. */
#define dub_log_fragment(level, fragment_id, ...)                              \
  dub_log_fields (level, DUB_LOG_TOPIC,                                        \
      (const char *const[]){"fragment_id", (fragment_id), NULL}, __VA_ARGS__)
#endif

G_END_DECLS
