/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>

/*
 * A worker's events as lines for people, and their sum: what was heard, what
 * was said, where the original was kept. Pure.
 */
G_BEGIN_DECLS

#define DUB_STORY_REASONS 8

typedef struct {
  char name[48];
  guint count;
} DubStoryReason;

typedef struct {
  gboolean is_live; /* tells of input, output and service, too */
  guint dubs, kept;
  /* Why, in the order in which they came; the last takes what finds no room. */
  DubStoryReason reasons[DUB_STORY_REASONS];
  guint told[3]; /* hashes: what is tried again and again is said once */
} DubStory;

/* "[00:12.3] said   Good evening.  (2.1 s)"; NULL for an event that people do
 * not care for. The worker's state is the event "state", with state and reason
 * as fields. What comes from outside moves no cursor: it has no control
 * characters any more. fields: (nullable). (transfer full) (nullable) */
char *dub_story_take (DubStory *self, const char *event, JsonObject *fields);

/* "3 unsure of what was said, 1 too long", the most frequent first; "" when
 * nothing was kept. (transfer full) */
char *dub_story_reasons (const DubStory *self);

G_END_DECLS
