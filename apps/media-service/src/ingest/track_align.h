/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/clock.h>

/*
 * Where the sound of an RTSP source lies against its pictures.
 *
 * Each RTP track counts from a random start, and RTCP is to say how the starts
 * belong together. MediaMTX takes the time of arrival of some packet for that:
 * its reports move sound by the reordering of the pictures and by whatever the
 * packet waited, 140 ms as seen, and come after 10 s. What is known better is
 * when packets come: a publisher sends both tracks in the order of their decode
 * times, so the smallest (arrival - dts) of each track over a second are the
 * same moment.
 *
 *   pictures   arrival - dts     . : . . : .      smallest: v
 *   sound      arrival - pts      : . : .         smallest: s
 *
 * Sound is moved by s - v. The dts are made from the pts, as dts.h does.
 *
 * Pure: no clock, no thread. One owner.
 */
G_BEGIN_DECLS

typedef struct _DubTrackAlign DubTrackAlign;

DubTrackAlign *dub_track_align_new (void);
void dub_track_align_free (DubTrackAlign *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubTrackAlign, dub_track_align_free)

/* By how many pictures the encoder says that it delays (reorder.h); what their
 * order shows is seen here. */
void dub_track_align_set_reorder (DubTrackAlign *self, guint pictures);
/* In decode order; times at the tracks' own clocks. */
void dub_track_align_push_picture (
    DubTrackAlign *self, gint64 pts_ns, gint64 arrival_ns);
void dub_track_align_push_sound (
    DubTrackAlign *self, gint64 pts_ns, gint64 arrival_ns);

/* TRUE once enough has come, or so much time has passed that no more is to be
 * waited for; what is to be added to the times of sound, 0 without both. */
gboolean dub_track_align_decide (
    DubTrackAlign *self, gint64 now_ns, gint64 *ret_shift_ns);

G_END_DECLS
