/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <media_service/values.h>

/*
 * From the marks of a speech detector to segments: where the original is cut
 * into pieces to be dubbed. It works on positions (media samples) only; the
 * sound itself is the caller's.
 *
 *   marks    . . . S S S S S S S . . . . . . .      S: speech
 *   segment    |<-------------------->|             200 ms before the onset,
 *                                                   100 ms after the end
 *                                     cut when 400 ms without speech are seen
 *
 * - Speech counts once it has lasted 64 ms.
 * - A segment is at most max_frames long, exact to the sample. Where no pause
 *   comes, it is cut at the quietest point of its last second, and the next one
 *   goes on at that very sample.
 * - It is at least min_frames long. A shorter piece of speech is kept open: if
 *   more speech follows before min_frames have passed, both become one segment;
 *   if not, the segment is widened with the sound behind it. A word or two
 *   ("Goal!") is so dubbed without delay, and with room to be said in.
 * - Segments never overlap; each says why it was cut.
 *
 * In fixed mode each segment is max_frames long, whatever is said in it.
 *
 * Pure: no clock, no thread. One owner.
 */
G_BEGIN_DECLS

typedef struct {
  guint rate_hz;
  gint64 min_frames;
  gint64 max_frames;    /* >= min_frames */
  gint64 memory_frames; /* a limit like max_frames, of bytes; 0 for none */
  gint64 pause_frames;
  gint64 onset_frames;  /* 64 ms */
  gint64 before_frames; /* 200 ms */
  gint64 after_frames;  /* 100 ms */
  gint64 search_frames; /* 1 s: where a forced cut looks for quiet */
  gboolean is_fixed;
} DubSegmenterParams;

typedef struct {
  gint64 first_frame;
  gint64 frames;
  gint64 room_frames; /* known to be without speech behind it */
  DubCutReason reason;
} DubSegment;

typedef void (*DubSegmentFunc) (const DubSegment *segment, gpointer user_data);

typedef struct _DubSegmenter DubSegmenter;

/* The defaults of the comments, with no limit of memory. */
void dub_segmenter_params_init (DubSegmenterParams *params, guint rate_hz);

DubSegmenter *dub_segmenter_new (
    const DubSegmenterParams *params, DubSegmentFunc func, gpointer user_data);
void dub_segmenter_free (DubSegmenter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubSegmenter, dub_segmenter_free)

/* The next window; a hole before it counts as no speech. Windows that lie
 * before what was given already are ignored. func may be called. */
void dub_segmenter_push (DubSegmenter *self, gint64 first_frame, gint64 frames,
    gboolean is_speech, double level_db);
/* No segment that is still to come starts before this frame. */
gint64 dub_segmenter_get_settled_frame (const DubSegmenter *self);
/* How long the open segment is so far; 0 when none is. */
gint64 dub_segmenter_get_open_frames (const DubSegmenter *self);
/* Segments whose speech was shorter than min_frames, and that were widened. */
guint64 dub_segmenter_get_n_short (const DubSegmenter *self);
/* Nothing follows: what is open is cut (eos) if it is at least min_frames long,
 * else dropped; its original stays. */
void dub_segmenter_flush (DubSegmenter *self);

G_END_DECLS
