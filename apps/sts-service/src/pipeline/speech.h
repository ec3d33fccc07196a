/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Where in a piece of sound the speech is. Mono float32, any rate. Judged by
 * level in steps of 10 ms, against the piece's own quiet and loud parts, so
 * that a room or a bed of music does not count as speech.
 *
 * Pure; any thread.
 */
G_BEGIN_DECLS

typedef struct {
  gsize start; /* first sample of speech */
  gsize end;   /* one past the last; start == end: none found */
} DubSpan;

DubSpan dub_speech_find (const float *samples, gsize count, guint rate_hz);

/* The same for what a synthesiser made: no room, no music; only its own
 * silence before and after is taken off, with a little left on both sides. */
DubSpan dub_speech_trim (const float *samples, gsize count, guint rate_hz);

/*
 * Where to end so that as much as possible, but at most limit samples, is
 * kept and no word is broken: the quietest place in the last stretch before
 * limit.
 */
gsize dub_speech_word_end (
    const float *samples, gsize count, gsize limit, guint rate_hz);

/* dBFS of the whole, -100 at least. */
double dub_speech_level_db (const float *samples, gsize count);

G_END_DECLS
