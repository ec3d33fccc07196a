/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Events of media-service as lines for people: one line for each change of a
 * stream's state and each piece of speech; figures are for machines and left
 * out.
 *
 * Pure; one thread.
 */
G_BEGIN_DECLS

/* One line of an event stream that ended with an empty one ("event: ..." and
 * "data: ..." seen so far). */
typedef struct {
  char *event, *data;
} DubEventText;

/* Takes one line without its end. TRUE: an event is complete in self, until the
 * next call. */
gboolean dub_event_text_take (DubEventText *self, const char *line);
void dub_event_text_clear (DubEventText *self);

/* "demo  running" or "demo  said    hello"; NULL: nothing for people.
 * (transfer full) (nullable) */
char *dub_event_line (const char *event, const char *data);

G_END_DECLS
