/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "dubbing_common/log.h"

/*
 * A finished log line out of its parts. No state, no locks: what log.c knows
 * comes in as an argument. Any bytes may come in (messages of libraries hold
 * what they like); what comes out is one line of valid UTF-8.
 *
 * Any thread.
 */
G_BEGIN_DECLS

/* Longer messages are cut there; the longest line stays readable. */
#define DUB_LOG_MAX_TEXT 16384

typedef struct {
  const char *key;
  const char *value;
} DubLogPair;

typedef struct {
  gint64 time_us; /* since 1970, UTC */
  DubLogLevel level;
  const char *topic;
  const char *component;
  const DubLogPair *pairs; /* in this order; the last of a key counts */
  gsize n_pairs;
  const char *message;
} DubLogRecord;

const char *dub_log_level_to_string (DubLogLevel level);
/* Without the newline. (transfer full) each */
char *dub_log_line_to_json (const DubLogRecord *record);
char *dub_log_line_to_text (const DubLogRecord *record);

G_END_DECLS
