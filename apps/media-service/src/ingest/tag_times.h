/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * The times that FLV tags really have. flvdemux takes a step of 2 s or more for
 * a fault and moves all that follows, each track for itself: after a hole of
 * 4 s the sound is 4 s ahead of its picture. So the tags are read before it,
 * and each frame gets back the time of its own tag.
 *
 *   rtmp2src ──buffer──▶ feed, flvdemux ──frame──▶ take
 *
 * Both happen in one thread, one after the other: a frame is of the buffer that
 * was fed last. Pure.
 */
G_BEGIN_DECLS

/* Of one buffer; rtmp2src makes one of each tag. */
#define DUB_TAG_TIMES_MAX 16

typedef struct {
  gint64 ms[DUB_TAG_TIMES_MAX];
  gboolean is_video[DUB_TAG_TIMES_MAX];
  guint n, next;
} DubTagTimes;

/* Whole tags, with or without the file's header; what is none is passed over.
 * Forgets those of the buffer before. */
void dub_tag_times_feed (DubTagTimes *self, const guint8 *data, gsize size);
/* Of the next tag of that kind. FALSE: there is none. */
gboolean dub_tag_times_take (
    DubTagTimes *self, gboolean is_video, gint64 *ret_ms);

G_END_DECLS
