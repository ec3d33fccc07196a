/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * What a connection has been given, as stream time against bytes, for the last
 * seconds. From the bytes that the peer has not acknowledged it tells how much
 * stream that is.
 *
 * Pure; one owner. All zero is an empty one.
 */
G_BEGIN_DECLS

#define DUB_SENT_LOG_LENGTH 64
#define DUB_SENT_LOG_STEP_MS 100

typedef struct {
  gint64 ms[DUB_SENT_LOG_LENGTH];
  guint64 bytes[DUB_SENT_LOG_LENGTH];
  guint64 n; /* entries ever made */
  gint64 last_ms;
  guint64 last_bytes;
} DubSentLog;

/* So many bytes lead up to that stream time. Both rise. */
void dub_sent_log_note (DubSentLog *self, gint64 ms, guint64 bytes);
/* The stream that the last unacknowledged bytes hold, to a step; never more
 * than the log remembers (6.4 s). */
gint64 dub_sent_log_behind_ms (const DubSentLog *self, guint64 unacknowledged);

G_END_DECLS
