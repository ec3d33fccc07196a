/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>

/*
 * A worker's events as lines for people, and their sum: what was heard, what
 * was said, where the original was kept. Pure.
 */
G_BEGIN_DECLS

typedef struct {
  guint dubs, kept;
} DubStory;

/* "[00:12.3] said   Good evening.  (2.1 s)"; NULL for an event that people do
 * not care for. fields: (nullable). (transfer full) (nullable) */
char *dub_story_take (DubStory *self, const char *event, JsonObject *fields);

G_END_DECLS
