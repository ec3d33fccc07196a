/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/clock.h>

/*
 * Source time to media time.
 *
 * An epoch is a stretch of source time with one offset, which holds for all
 * tracks, so that what belonged together stays together. A new one opens
 *
 *   - at the first key frame, and at the first one after a reset or a request
 *   - when a track jumps forward by more than 1 s or back by more than 100 ms
 *     (and the jump is not what really passed, or where the other track is)
 *
 * and starts at the media time that has really passed, never before the end of
 * the last frame. A packet goes to the epoch it fits best: its own track's,
 * else the newest one. 32-bit milliseconds, which wrap every 49.7 days, are
 * unwrapped first.
 *
 * Pure: no clock, no thread. One owner.
 */
G_BEGIN_DECLS

#define DUB_MEDIA_JUMP_FORWARD_NS DUB_NS_PER_S
#define DUB_MEDIA_JUMP_BACK_NS (100 * DUB_NS_PER_MS)
/* Where pictures come without dts, media time starts here, not at 0: it leaves
 * room for the dts that will be made for them. */
#define DUB_MEDIA_REORDER_ROOM_NS DUB_NS_PER_S

typedef enum {
  DUB_TRACK_VIDEO = 0,
  DUB_TRACK_SOUND,
  DUB_TRACK_COUNT,
} DubTrack;

typedef enum {
  DUB_MAP_NONE = 0, /* no epoch yet: comes before the first key frame */
  DUB_MAP_OK,
  DUB_MAP_MOVED, /* and its track has gone over to an epoch that was there */
  DUB_MAP_EPOCH, /* and it has opened a new epoch */
} DubMapResult;

typedef struct {
  DubTrack track;
  gint64 order_ns; /* source time that rises: dts, or the pts of sound */
  gint64 pts_ns;
  gint64 duration_ns;    /* 0: unknown */
  gboolean is_reordered; /* no dts: order_ns is a pts, and may step back */
  gboolean is_key;       /* video that may open an epoch; unused for sound */
} DubStamp;

typedef struct _DubMediaClock DubMediaClock;

DubMediaClock *dub_media_clock_new (void);
void dub_media_clock_free (DubMediaClock *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubMediaClock, dub_media_clock_free)

/* A new connection: nothing of the old source time holds any more. */
void dub_media_clock_reset (DubMediaClock *self);
/* The next key frame opens a new epoch, wherever it is. Until then packets are
 * mapped as before. FALSE takes the request back. */
void dub_media_clock_request_epoch (DubMediaClock *self, gboolean is_wanted);

/* passed_ns: the media time that has really passed (arrival less the departure
 * clock's offset); unused for the first epoch. The results are media time. */
DubMapResult dub_media_clock_map (DubMediaClock *self, const DubStamp *stamp,
    gint64 passed_ns, gint64 *ret_order_ns, gint64 *ret_pts_ns);
/* What was mapped last, without an epoch, is dropped: its media time is not
 * taken. */
void dub_media_clock_give_back (DubMediaClock *self);

G_END_DECLS
