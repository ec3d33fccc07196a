/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "mixer.h"
#include "programme.h"

/*
 * The dubs that wait and the one that sounds, and where the original is lowered
 * for them.
 *
 * A dub starts at the start of its slot, or when the one before it has ended,
 * or at once if it came late; never more than max_dub_lag_ns after its slot's
 * start: then it is dropped before it starts. Once placed it sounds to its end.
 * Its first and last 8 ms rise and fall in a straight line. The original is
 * lowered from its start to the end of it or of its slot,
 * whichever is later: a short dub leaves a lowered original behind.
 *
 * Positions are media samples. Pure; one owner.
 */
G_BEGIN_DECLS

typedef struct _DubDubLayer DubDubLayer;

/* params and stats are borrowed, sinks copied. */
DubDubLayer *dub_dub_layer_new (const DubProgrammeParams *params,
    const DubProgrammeSinks *sinks, DubProgrammeStats *stats,
    gpointer user_data);
void dub_dub_layer_free (DubDubLayer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubDubLayer, dub_dub_layer_free)

/* Takes a reference of answer. Drops it, counted, when it cannot be used. */
void dub_dub_layer_add (
    DubDubLayer *self, const DubFragment *slot, DubAnswer *answer);
/* The original gets gain in [from, to), without a dub. */
void dub_dub_layer_add_region (
    DubDubLayer *self, gint64 from, gint64 to, float gain);

/* Decides what starts in [first, first + frames); call before the next two. */
void dub_dub_layer_place (DubDubLayer *self, gint64 first, gsize frames);
/* Nothing sounds and nothing is lowered there. */
gboolean dub_dub_layer_is_clear (
    const DubDubLayer *self, gint64 first, gsize frames);
/* What the mixer needs of these frames, apart from the original. dub (stereo)
 * and target have room for frames; dub is left alone where none sounds. */
void dub_dub_layer_fill (const DubDubLayer *self, gint64 first, gsize frames,
    float *dub, float *target, DubMixerInput *ret_input);
/* All before next has been rendered. */
void dub_dub_layer_advance (DubDubLayer *self, gint64 next);

/* Dubs that wait or sound. */
guint dub_dub_layer_length (const DubDubLayer *self);
/* Where the last of what is placed ends; G_MAXINT64 while dubs wait; 0 for
 * nothing. */
gint64 dub_dub_layer_end_frame (const DubDubLayer *self);

G_END_DECLS
