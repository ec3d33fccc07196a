/* SPDX-License-Identifier: Apache-2.0 */
#include "segmenter.h"

/* Windows of the last second: at 32 ms each, about 31; shorter ones at worst
 * shorten the search. */
#define HISTORY 256

typedef struct {
  gint64 first_frame;
  gint64 frames;
  double level_db;
} Window;

struct _DubSegmenter {
  DubSegmenterParams params;
  DubSegmentFunc func;
  gpointer user_data;
  gint64 position;   /* one past the last window */
  gint64 free_frame; /* first frame that belongs to no segment */
  gint64 onset;      /* start of the run of speech that lasts, or -1 */
  gboolean is_open;
  gint64 start;            /* of the open segment */
  gint64 speech_end;       /* one past the last speech in it */
  Window history[HISTORY]; /* ring of the last windows */
  guint64 n_windows;
  guint64 n_short;
};

void
dub_segmenter_params_init (DubSegmenterParams *params, guint rate_hz)
{
  gint64 rate = rate_hz;

  *params = (DubSegmenterParams){
      .rate_hz = rate_hz,
      .min_frames = rate,
      .max_frames = 5 * rate,
      .pause_frames = rate * 400 / 1000,
      .onset_frames = rate * 64 / 1000,
      .before_frames = rate * 200 / 1000,
      .after_frames = rate * 100 / 1000,
      .search_frames = rate,
  };
}

DubSegmenter *
dub_segmenter_new (
    const DubSegmenterParams *params, DubSegmentFunc func, gpointer user_data)
{
  DubSegmenter *self;

  g_return_val_if_fail (params->min_frames > 0, NULL);
  g_return_val_if_fail (params->max_frames >= params->min_frames, NULL);
  self = g_new0 (DubSegmenter, 1);
  self->params = *params;
  self->func = func;
  self->user_data = user_data;
  self->onset = -1;
  return self;
}

void
dub_segmenter_free (DubSegmenter *self)
{
  g_free (self);
}

static gint64
limit_frames (const DubSegmenter *self)
{
  if (self->params.memory_frames > 0)
    return MIN (self->params.max_frames, self->params.memory_frames);
  return self->params.max_frames;
}

static DubCutReason
limit_reason (const DubSegmenter *self)
{
  return limit_frames (self) < self->params.max_frames ? DUB_CUT_MEMORY_LIMIT
                                                       : DUB_CUT_MAX_DURATION;
}

static void
open_at (DubSegmenter *self, gint64 start)
{
  self->is_open = TRUE;
  self->start = start;
}

static void
cut_at (DubSegmenter *self, gint64 end, gint64 room, DubCutReason reason)
{
  DubSegment segment = {
      .first_frame = self->start,
      .frames = end - self->start,
      .room_frames = MAX (room, 0),
      .reason = reason,
  };

  self->is_open = FALSE;
  self->free_frame = end;
  self->func (&segment, self->user_data);
}

/* The middle of the quietest window that lies in [from, to); to when none
 * does. */
static gint64
find_quietest (const DubSegmenter *self, gint64 from, gint64 to)
{
  guint n = (guint) MIN (self->n_windows, HISTORY);
  double quietest_db = G_MAXDOUBLE;
  gint64 found = to;

  for (guint i = 1; i <= n; i++) {
    const Window *window = &self->history[(self->n_windows - i) % HISTORY];
    gint64 middle = window->first_frame + window->frames / 2;

    if (middle <= from || middle >= to)
      continue;
    if (window->level_db < quietest_db) {
      quietest_db = window->level_db;
      found = middle;
    }
  }
  return found;
}

/* The limit is reached without a pause. The rest goes on as the next segment,
 * unless all of it is the pause that has just begun. */
static void
cut_forced (DubSegmenter *self)
{
  gint64 limit = self->start + limit_frames (self);
  gint64 from = MAX (limit - self->params.search_frames,
      self->start + MIN (self->params.min_frames, limit_frames (self)) - 1);
  gint64 pause = self->speech_end + self->params.after_frames;
  gint64 end;

  if (pause > from && pause <= limit && pause < self->position) {
    cut_at (self, pause, self->position - pause, limit_reason (self));
    return;
  }
  end = find_quietest (self, from, limit);
  cut_at (self, end, 0, limit_reason (self));
  if (self->speech_end > end)
    open_at (self, end);
}

/* Everything that the position reached so far allows. Speech that has begun
 * but may still be a click is no part of a pause. */
static void
cut_due (DubSegmenter *self)
{
  gint64 quiet_end = self->onset >= 0 ? self->onset : self->position;

  while (self->is_open) {
    gint64 end = MAX (self->speech_end + self->params.after_frames,
        self->start + self->params.min_frames);
    gint64 seen = self->speech_end + self->params.pause_frames;

    if (quiet_end >= seen && self->position >= end &&
        end - self->start <= limit_frames (self)) {
      self->n_short += self->speech_end + self->params.after_frames < end;
      cut_at (self, end, quiet_end - end, DUB_CUT_SILENCE);
    } else if (self->position >= self->start + limit_frames (self))
      cut_forced (self);
    else
      break;
  }
}

static void
note_speech (DubSegmenter *self, gint64 first_frame, gint64 end)
{
  if (self->onset < 0)
    self->onset = first_frame;
  if (end - self->onset < self->params.onset_frames)
    return;
  if (!self->is_open)
    open_at (
        self, MAX (self->onset - self->params.before_frames, self->free_frame));
  self->speech_end = end;
}

static void
push_fixed (DubSegmenter *self, gint64 first_frame)
{
  if (!self->is_open)
    open_at (self, MAX (first_frame, self->free_frame));
  while (self->position >= self->start + limit_frames (self)) {
    gint64 end = self->start + limit_frames (self);

    cut_at (self, end, 0, limit_reason (self));
    open_at (self, end);
  }
}

/* What was missing was not speech. A fixed segment ends with its sound. */
static void
note_hole (DubSegmenter *self, gint64 first_frame)
{
  if (first_frame == self->position)
    return;
  if (self->params.is_fixed) {
    dub_segmenter_flush (self);
    self->free_frame = first_frame;
    return;
  }
  self->onset = -1;
  self->position = first_frame;
  cut_due (self);
}

void
dub_segmenter_push (DubSegmenter *self, gint64 first_frame, gint64 frames,
    gboolean is_speech, double level_db)
{
  if (frames <= 0 || first_frame < self->position)
    return;
  note_hole (self, first_frame);
  self->history[self->n_windows++ % HISTORY] =
      (Window){first_frame, frames, level_db};
  self->position = first_frame + frames;
  if (self->params.is_fixed) {
    push_fixed (self, first_frame);
    return;
  }
  if (is_speech)
    note_speech (self, first_frame, self->position);
  else
    self->onset = -1;
  cut_due (self);
}

gint64
dub_segmenter_get_settled_frame (const DubSegmenter *self)
{
  gint64 first = self->onset >= 0 ? self->onset : self->position;

  if (self->is_open)
    return self->start;
  if (!self->params.is_fixed)
    first -= self->params.before_frames;
  return MAX (first, self->free_frame);
}

gint64
dub_segmenter_get_open_frames (const DubSegmenter *self)
{
  return self->is_open ? self->position - self->start : 0;
}

guint64
dub_segmenter_get_n_short (const DubSegmenter *self)
{
  return self->n_short;
}

void
dub_segmenter_flush (DubSegmenter *self)
{
  gint64 end;

  self->onset = -1;
  if (!self->is_open)
    return;
  end = self->params.is_fixed
            ? self->position
            : MIN (self->position,
                  MAX (self->speech_end + self->params.after_frames,
                      self->start + self->params.min_frames));
  end = MIN (end, self->start + limit_frames (self));
  if (end - self->start >= self->params.min_frames)
    cut_at (self, end, self->position - end, DUB_CUT_EOS);
  self->is_open = FALSE;
}
