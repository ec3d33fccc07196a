/* SPDX-License-Identifier: Apache-2.0 */
#include "media_clock.h"

#include <string.h>

#define N_EPOCHS 4
#define WRAP_NS ((G_GINT64_CONSTANT (1) << 32) * DUB_NS_PER_MS)
/* Pictures without dts step back by their reorder depth. */
#define REORDER_BACK_NS DUB_NS_PER_S
/* A jump that agrees with the wall clock is a hole, and keeps its offset. */
#define WALL_TOLERANCE_NS (100 * DUB_NS_PER_MS)
/* Once another track has left for a newer epoch, only an ordinary step keeps a
 * track in its old one. */
#define NATURAL_BACK_NS (20 * DUB_NS_PER_MS)
#define NATURAL_FORWARD_NS (250 * DUB_NS_PER_MS)
/* One wild pts must not push the next epoch away. */
#define MAX_TAKEN_AHEAD_NS (2 * DUB_NS_PER_S)
/* A server may begin a reader's dts at the pts of the key frame, as if nothing
 * were reordered; no encoder reorders by more. */
#define MAX_KEY_AHEAD_NS (500 * DUB_NS_PER_MS)
/* Sound before the key frame that opened the epoch: a long GOP's worth. */
#define BEFORE_EPOCH_NS (12 * DUB_NS_PER_S)

typedef struct {
  gint64 offset_ns; /* media - source */
  gint64 source_start_ns;
  gint64 last_ns[DUB_TRACK_COUNT]; /* order time, DUB_TIME_NONE: none yet */
} Epoch;

struct _DubMediaClock {
  Epoch epochs[N_EPOCHS];       /* newest first */
  guint n_epochs;               /* since the reset */
  int current[DUB_TRACK_COUNT]; /* index, -1: none */
  gint64 reference_ns;          /* last unwrapped source time */
  /* Media time that is taken: ends of the last frames, by order and by pts. */
  gint64 order_end_ns[DUB_TRACK_COUNT];
  gint64 pts_end_ns[DUB_TRACK_COUNT];
  /* The same before the last one. */
  gint64 last_order_end_ns[DUB_TRACK_COUNT];
  gint64 last_pts_end_ns[DUB_TRACK_COUNT];
  gint64 key_ahead_ns; /* pts - dts of the last key frame within an epoch */
  gboolean has_started;
  gboolean is_requested;
};

DubMediaClock *
dub_media_clock_new (void)
{
  DubMediaClock *self = g_new0 (DubMediaClock, 1);

  dub_media_clock_reset (self);
  return self;
}

void
dub_media_clock_free (DubMediaClock *self)
{
  g_free (self);
}

void
dub_media_clock_reset (DubMediaClock *self)
{
  self->n_epochs = 0;
  self->reference_ns = DUB_TIME_NONE;
  self->is_requested = FALSE;
  for (int t = 0; t < DUB_TRACK_COUNT; t++)
    self->current[t] = -1;
}

void
dub_media_clock_request_epoch (DubMediaClock *self, gboolean is_wanted)
{
  self->is_requested = is_wanted;
}

/* The candidate raw + k * 2^32 ms that lies nearest to the reference. */
static gint64
unwrap (gint64 reference_ns, gint64 raw_ns)
{
  gint64 distance_ns, turns;

  if (reference_ns == DUB_TIME_NONE)
    return raw_ns;
  distance_ns = reference_ns - raw_ns;
  turns =
      (distance_ns + (distance_ns >= 0 ? WRAP_NS / 2 : -WRAP_NS / 2)) / WRAP_NS;
  return raw_ns + turns * WRAP_NS;
}

static gboolean
is_between (gint64 value, gint64 low, gint64 high)
{
  return value >= low && value <= high;
}

static gint64
newest_source_ns (const Epoch *epoch)
{
  gint64 newest_ns = epoch->source_start_ns;

  for (int t = 0; t < DUB_TRACK_COUNT; t++)
    newest_ns = MAX (newest_ns, epoch->last_ns[t]);
  return newest_ns;
}

static gboolean
fits_own (const DubMediaClock *self, const DubStamp *stamp)
{
  const Epoch *epoch = &self->epochs[self->current[stamp->track]];
  gint64 step_ns = stamp->order_ns - epoch->last_ns[stamp->track];
  gint64 back_ns =
      stamp->is_reordered ? REORDER_BACK_NS : DUB_MEDIA_JUMP_BACK_NS;

  if (self->current[stamp->track] > 0)
    return is_between (step_ns, -NATURAL_BACK_NS, NATURAL_FORWARD_NS);
  return is_between (step_ns, -back_ns, DUB_MEDIA_JUMP_FORWARD_NS);
}

/* For a track that is not yet in the newest epoch. */
static gboolean
fits_newest (const DubMediaClock *self, gint64 source_ns)
{
  const Epoch *epoch = &self->epochs[0];

  return is_between (source_ns, epoch->source_start_ns - BEFORE_EPOCH_NS,
      newest_source_ns (epoch) + DUB_MEDIA_JUMP_FORWARD_NS);
}

/* A hole of this track only, or one that lasted as long as it says. */
static gboolean
is_hole (const DubMediaClock *self, const DubStamp *stamp, gint64 passed_ns)
{
  const Epoch *epoch = &self->epochs[self->current[stamp->track]];

  if (self->current[stamp->track] != 0 ||
      stamp->order_ns < epoch->last_ns[stamp->track])
    return FALSE;
  if (stamp->order_ns <= newest_source_ns (epoch) + DUB_MEDIA_JUMP_FORWARD_NS)
    return TRUE;
  return is_between (stamp->order_ns + epoch->offset_ns - passed_ns,
      -WALL_TOLERANCE_NS, WALL_TOLERANCE_NS);
}

static int
find_epoch (const DubMediaClock *self, const DubStamp *stamp, gint64 passed_ns)
{
  int own = self->current[stamp->track];

  if (self->n_epochs == 0)
    return -1;
  if (stamp->track == DUB_TRACK_VIDEO && stamp->is_key && self->is_requested)
    return -1;
  if (own >= 0 && fits_own (self, stamp))
    return own;
  if (own != 0 && fits_newest (self, stamp->order_ns))
    return 0;
  if (own >= 0 && is_hole (self, stamp, passed_ns))
    return own;
  return -1;
}

static void
shift_epochs (DubMediaClock *self, gboolean forget_others)
{
  for (int i = N_EPOCHS - 1; i > 0; i--)
    self->epochs[i] = self->epochs[i - 1];
  self->n_epochs = MIN (self->n_epochs + 1, N_EPOCHS);
  for (int t = 0; t < DUB_TRACK_COUNT; t++) {
    if (forget_others || self->current[t] + 1 >= N_EPOCHS)
      self->current[t] = -1;
    else if (self->current[t] >= 0)
      self->current[t]++;
  }
}

/* How much later than its dts says a connection's first key frame is. Without
 * it every reconnection would shorten the delay by the reordering. */
static gint64
missing_ahead_ns (const DubMediaClock *self, const DubStamp *stamp)
{
  gint64 ahead_ns = stamp->pts_ns - stamp->order_ns;

  if (stamp->track != DUB_TRACK_VIDEO || !stamp->is_key || stamp->is_reordered)
    return 0;
  return CLAMP (self->key_ahead_ns - ahead_ns, 0, MAX_KEY_AHEAD_NS);
}

static void
note_key (DubMediaClock *self, const DubStamp *stamp)
{
  if (stamp->track == DUB_TRACK_VIDEO && stamp->is_key && !stamp->is_reordered)
    self->key_ahead_ns = stamp->pts_ns - stamp->order_ns;
}

/* What passed, but behind the last frame of the track that opens the epoch:
 * its pts too, which may be ahead of its order. The other track follows with
 * the same offset, and overlaps at most by what it is ahead. */
static gint64
epoch_start_ns (
    const DubMediaClock *self, const DubStamp *stamp, gint64 passed_ns)
{
  gint64 ahead_ns = stamp->pts_ns - stamp->order_ns;
  gint64 start_ns = passed_ns + missing_ahead_ns (self, stamp);

  if (!self->has_started)
    return stamp->is_reordered ? DUB_MEDIA_REORDER_ROOM_NS : 0;
  start_ns = MAX (start_ns, self->order_end_ns[DUB_TRACK_VIDEO]);
  start_ns = MAX (start_ns, self->order_end_ns[stamp->track]);
  return MAX (start_ns, self->pts_end_ns[stamp->track] - ahead_ns);
}

static void
take_time (
    DubMediaClock *self, const DubStamp *stamp, gint64 order_ns, gint64 pts_ns)
{
  gint64 length_ns = MAX (stamp->duration_ns, DUB_NS_PER_MS);
  gint64 *order_end_ns = &self->order_end_ns[stamp->track];
  gint64 *pts_end_ns = &self->pts_end_ns[stamp->track];

  memcpy (
      self->last_order_end_ns, self->order_end_ns, sizeof self->order_end_ns);
  memcpy (self->last_pts_end_ns, self->pts_end_ns, sizeof self->pts_end_ns);
  *order_end_ns = MAX (*order_end_ns, order_ns + length_ns);
  pts_ns = MIN (pts_ns, order_ns + MAX_TAKEN_AHEAD_NS);
  *pts_end_ns = MAX (*pts_end_ns, pts_ns + length_ns);
}

static void
open_epoch (DubMediaClock *self, const DubStamp *stamp, gint64 passed_ns)
{
  gint64 start_ns = epoch_start_ns (self, stamp, passed_ns);
  Epoch *epoch = &self->epochs[0];

  shift_epochs (self, self->is_requested);
  epoch->offset_ns = start_ns - stamp->order_ns;
  epoch->source_start_ns = stamp->order_ns;
  for (int t = 0; t < DUB_TRACK_COUNT; t++)
    epoch->last_ns[t] = DUB_TIME_NONE;
  self->is_requested = FALSE;
  self->has_started = TRUE;
}

/* At the start and after a reset only a key frame opens; later a jump does, on
 * either track. */
static gboolean
may_open (const DubMediaClock *self, const DubStamp *stamp)
{
  if (self->n_epochs > 0)
    return TRUE;
  return stamp->track == DUB_TRACK_VIDEO && stamp->is_key;
}

DubMapResult
dub_media_clock_map (DubMediaClock *self, const DubStamp *stamp,
    gint64 passed_ns, gint64 *ret_order_ns, gint64 *ret_pts_ns)
{
  DubMapResult result = DUB_MAP_OK;
  DubStamp s = *stamp;
  Epoch *epoch;
  int found;

  s.order_ns = unwrap (self->reference_ns, stamp->order_ns);
  s.pts_ns = unwrap (s.order_ns, stamp->pts_ns);
  found = find_epoch (self, &s, passed_ns);
  if (found < 0) {
    if (!may_open (self, &s))
      return DUB_MAP_NONE;
    open_epoch (self, &s, passed_ns);
    result = DUB_MAP_EPOCH;
    found = 0;
  } else if (found != self->current[s.track]) {
    result = DUB_MAP_MOVED;
  }
  if (result == DUB_MAP_OK)
    note_key (self, &s);
  epoch = &self->epochs[found];
  epoch->last_ns[s.track] = s.order_ns;
  self->current[s.track] = found;
  self->reference_ns = s.order_ns;
  *ret_order_ns = s.order_ns + epoch->offset_ns;
  *ret_pts_ns = s.pts_ns + epoch->offset_ns;
  take_time (self, &s, *ret_order_ns, *ret_pts_ns);
  return result;
}

void
dub_media_clock_give_back (DubMediaClock *self)
{
  memcpy (
      self->order_end_ns, self->last_order_end_ns, sizeof self->order_end_ns);
  memcpy (self->pts_end_ns, self->last_pts_end_ns, sizeof self->pts_end_ns);
}
