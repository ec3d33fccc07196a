/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * How long a voice takes for a letter, learnt from what it has said, so that
 * the next text is asked for at once at the rate it will need. One figure for
 * each language and profile: Spanish is spoken faster than it is written.
 *
 * Owner's thread only.
 */
G_BEGIN_DECLS

/* Beyond this many voices the figures are learnt anew. */
#define DUB_PACE_MAX 256

typedef struct _DubPace DubPace;

DubPace *dub_pace_new (void);
void dub_pace_free (DubPace *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubPace, dub_pace_free)

/* text took ms at rate 1. Too short a text teaches nothing: "1881" is four
 * letters long and a second. voice: (nullable) */
void dub_pace_learn (DubPace *self, const char *language, const char *voice,
    const char *text, double ms);

/* What text will take at rate 1; 0: not known. */
double dub_pace_expect (const DubPace *self, const char *language,
    const char *voice, const char *text);

G_END_DECLS
