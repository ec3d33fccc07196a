/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "programme.h"

/*
 * What waits in the delay, and what leaves when its time comes:
 *
 *   video   a deque of coded pictures, in decode order, that leave at their dts
 *   sound   the original, rendered in blocks that follow one another without
 *           gap or overlap; where there is none, silence
 *   dubs    sorted by the start of their slot; one sounds at a time, whole; one
 *           that cannot start within the lag allowed is dropped before it
 * starts regions where the original is lowered without a dub (fallback)
 *
 * Media time m leaves at m + offset + delay, sound a little earlier (lead). The
 * offset comes in from the departure clock.
 *
 * Pure: no clock, no thread. One owner. Counts into the programme's statistics
 * and speaks through its sinks.
 */
G_BEGIN_DECLS

typedef struct _DubTimeline DubTimeline;

/* params and stats are borrowed and must live longer; sinks are copied. */
DubTimeline *dub_timeline_new (const DubProgrammeParams *params,
    const DubProgrammeSinks *sinks, DubProgrammeStats *stats,
    gpointer user_data);
void dub_timeline_free (DubTimeline *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubTimeline, dub_timeline_free)

/* When media time m leaves: m + departure_ns. To be kept up to date. */
void dub_timeline_set_departure (DubTimeline *self, gint64 departure_ns);

/* The times of unit are media time (dts may be DUB_TIME_NONE); order_ns is what
 * decides whether it comes in time. FALSE: it came after its departure, or did
 * not fit, and was dropped. unit: (transfer full) */
gboolean dub_timeline_add_video (DubTimeline *self, DubAccessUnit *unit,
    gint64 order_ns, gboolean is_epoch_start, gint64 now_ns);
/* A picture was lost before it came here: the next must be a key frame. */
void dub_timeline_note_loss (DubTimeline *self);
/* pcm: (transfer full). What lies before the next block is dropped. */
void dub_timeline_add_sound (
    DubTimeline *self, gint64 first_frame, DubPcm *pcm);
/* answer: its PCM is the dub, of 1 or 2 channels at the programme's rate. */
void dub_timeline_add_dub (
    DubTimeline *self, const DubFragment *slot, DubAnswer *answer);
/* The original gets that gain in the slot, as far as it is still to come. */
void dub_timeline_add_region (
    DubTimeline *self, gint64 first_frame, gint64 frames, float gain);
void dub_timeline_set_lost (DubTimeline *self, gboolean is_lost);
void dub_timeline_set_ended (DubTimeline *self);

/* The original of [first_frame, first_frame + frames) in mono; NULL when its
 * start has left already, or its end is not there. */
DubPcm *dub_timeline_copy_sound (
    const DubTimeline *self, gint64 first_frame, gint64 frames);

/* Pictures and sound that were taken in reach so far, in media time. */
gint64 dub_timeline_video_end_ns (const DubTimeline *self);
gint64 dub_timeline_sound_end_frame (const DubTimeline *self);
/* The next frame to be rendered. */
gint64 dub_timeline_next_frame (const DubTimeline *self);
/* Lets leave what is due; when the next thing is, G_MAXINT64 for nothing. */
gint64 dub_timeline_run (DubTimeline *self, gint64 now_ns);
/* Fills in the gauges that are the timeline's. */
void dub_timeline_get_gauges (
    const DubTimeline *self, DubProgrammeStats *stats);

G_END_DECLS
