/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Which language a stream speaks, when nobody said ("auto"). One fragment of a
 * few seconds is often too little to tell, and a recogniser that guesses anew
 * each time spends half its work on guessing and calls one fragment in twenty
 * Galician. So:
 *
 *   - until a language is settled each fragment is asked for with "auto";
 *   - SETTLE detections in a row that are sure settle it, or one that is
 *     certain;
 *   - from then on it is what fragments are recognised in;
 *   - CHANGE sure detections in a row of one other language change it: the
 *     speaker has changed.
 *
 * Bounded: the stream that was not heard of for longest is forgotten first.
 *
 * Pure; one thread at a time.
 */
G_BEGIN_DECLS

#define DUB_LANGUAGE_MEMORY_STREAMS 256
#define DUB_LANGUAGE_SURE 0.7
#define DUB_LANGUAGE_CERTAIN 0.95
#define DUB_LANGUAGE_SETTLE 2
#define DUB_LANGUAGE_CHANGE 3

typedef struct _DubLanguageMemory DubLanguageMemory;

DubLanguageMemory *dub_language_memory_new (void);
void dub_language_memory_free (DubLanguageMemory *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubLanguageMemory, dub_language_memory_free)

/* What a fragment of the stream is to be recognised in: a language, or "auto".
 * Valid until the next add. */
const char *dub_language_memory_get (
    DubLanguageMemory *self, const char *stream_id);

/* What the recogniser took a fragment for, and how sure it was (0 to 1). Only
 * fragments in which there was speech. */
void dub_language_memory_add (DubLanguageMemory *self, const char *stream_id,
    const char *language, double probability);

G_END_DECLS
