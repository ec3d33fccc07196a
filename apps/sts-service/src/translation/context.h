/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * What was said last in each stream, for a translator that understands a
 * sentence better when it knows the ones before. Fragments overtake one
 * another, so each comes with its number, and one is shown only what has a
 * smaller one.
 *
 * Bounded: DUB_CONTEXT_MAX_STREAMS (the one longest unused goes), max_sentences
 * of DUB_CONTEXT_MAX_CHARS each, and nothing older than max_age. Pure: time
 * comes in as an argument. Not thread-safe.
 */
G_BEGIN_DECLS

#define DUB_CONTEXT_MAX_STREAMS 256
#define DUB_CONTEXT_MAX_CHARS 300

typedef struct _DubContext DubContext;

DubContext *dub_context_new (guint max_sentences, gint64 max_age_ns);
void dub_context_free (DubContext *self);

void dub_context_add (DubContext *self, const char *stream_id,
    guint64 sequence_number, const char *text, gint64 now_ns);
/* Oldest first; an empty list when there is nothing. (transfer full) */
char **dub_context_get (DubContext *self, const char *stream_id,
    guint64 sequence_number, gint64 now_ns);

guint dub_context_count_streams (const DubContext *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubContext, dub_context_free)

G_END_DECLS
