/* SPDX-License-Identifier: Apache-2.0 */
#include "track_align.h"

#include <stdlib.h>

/* Both tracks must have been seen for so long, */
#define WINDOW_NS (1200 * DUB_NS_PER_MS)
#define MIN_PICTURES 16
/* and this is waited for at most, from the first packet on. */
#define PATIENCE_NS (1800 * DUB_NS_PER_MS)
#define MAX_PICTURES 512

typedef struct {
  gint64 pts_ns;
  gint64 arrival_ns;
} Arrival;

struct _DubTrackAlign {
  GArray *pictures; /* Arrival, in decode order */
  gint64 first_ns;  /* arrival of anything; DUB_TIME_NONE before */
  gint64 first_picture_ns, first_sound_ns;
  guint reorder;   /* pictures, as the encoder says */
  gint64 sound_ns; /* smallest arrival - pts */
};

DubTrackAlign *
dub_track_align_new (void)
{
  DubTrackAlign *self = g_new0 (DubTrackAlign, 1);

  self->pictures = g_array_new (FALSE, FALSE, sizeof (Arrival));
  self->first_ns = DUB_TIME_NONE;
  self->first_picture_ns = DUB_TIME_NONE;
  self->first_sound_ns = DUB_TIME_NONE;
  self->sound_ns = G_MAXINT64;
  return self;
}

void
dub_track_align_free (DubTrackAlign *self)
{
  if (!self)
    return;
  g_array_unref (self->pictures);
  g_free (self);
}

static void
note_first (gint64 *first_ns, gint64 arrival_ns)
{
  if (*first_ns == DUB_TIME_NONE)
    *first_ns = arrival_ns;
}

void
dub_track_align_set_reorder (DubTrackAlign *self, guint pictures)
{
  self->reorder = pictures;
}

void
dub_track_align_push_picture (
    DubTrackAlign *self, gint64 pts_ns, gint64 arrival_ns)
{
  Arrival arrival = {pts_ns, arrival_ns};

  note_first (&self->first_ns, arrival_ns);
  note_first (&self->first_picture_ns, arrival_ns);
  if (pts_ns != DUB_TIME_NONE && self->pictures->len < MAX_PICTURES)
    g_array_append_val (self->pictures, arrival);
}

void
dub_track_align_push_sound (
    DubTrackAlign *self, gint64 pts_ns, gint64 arrival_ns)
{
  note_first (&self->first_ns, arrival_ns);
  note_first (&self->first_sound_ns, arrival_ns);
  if (pts_ns != DUB_TIME_NONE)
    self->sound_ns = MIN (self->sound_ns, arrival_ns - pts_ns);
}

static int
compare_pts (gconstpointer a, gconstpointer b)
{
  gint64 first = *(const gint64 *) a, other = *(const gint64 *) b;

  return (first > other) - (first < other);
}

/* (transfer full), of at least one picture. */
static gint64 *
sort_pts (const DubTrackAlign *self)
{
  gint64 *sorted = g_new (gint64, self->pictures->len);

  for (guint i = 0; i < self->pictures->len; i++)
    sorted[i] = g_array_index (self->pictures, Arrival, i).pts_ns;
  qsort (sorted, self->pictures->len, sizeof *sorted, compare_pts);
  return sorted;
}

/* The largest number of places by which a picture comes after its turn to be
 * shown. */
static guint
find_depth (const DubTrackAlign *self, const gint64 *sorted)
{
  guint depth = 0;

  for (guint i = 0; i < self->pictures->len; i++) {
    gint64 pts_ns = g_array_index (self->pictures, Arrival, i).pts_ns;
    guint rank = i;

    while (rank > 0 && sorted[rank] > pts_ns)
      rank--;
    depth = MAX (depth, i - rank);
  }
  return depth;
}

/* A dts is the pts shown so many pictures before. Where the first pictures of a
 * group are missing it comes out too early, which no minimum sees. */
static gint64
smallest_of_pictures (const DubTrackAlign *self)
{
  g_autofree gint64 *sorted = NULL;
  guint delay;
  gint64 smallest_ns = G_MAXINT64;

  if (self->pictures->len == 0)
    return smallest_ns;
  sorted = sort_pts (self);
  delay = MAX (self->reorder, find_depth (self, sorted));
  for (guint i = delay; i < self->pictures->len; i++)
    smallest_ns = MIN (
        smallest_ns, g_array_index (self->pictures, Arrival, i).arrival_ns -
                         sorted[i - delay]);
  return smallest_ns;
}

static gboolean
has_enough (const DubTrackAlign *self, gint64 now_ns)
{
  return self->first_picture_ns != DUB_TIME_NONE &&
         self->first_sound_ns != DUB_TIME_NONE &&
         self->pictures->len >= MIN_PICTURES &&
         now_ns - MAX (self->first_picture_ns, self->first_sound_ns) >=
             WINDOW_NS;
}

gboolean
dub_track_align_decide (
    DubTrackAlign *self, gint64 now_ns, gint64 *ret_shift_ns)
{
  gint64 picture_ns;

  if (self->first_ns == DUB_TIME_NONE ||
      (!has_enough (self, now_ns) && now_ns - self->first_ns < PATIENCE_NS))
    return FALSE;
  picture_ns = smallest_of_pictures (self);
  *ret_shift_ns = picture_ns == G_MAXINT64 || self->sound_ns == G_MAXINT64
                      ? 0
                      : self->sound_ns - picture_ns;
  return TRUE;
}
