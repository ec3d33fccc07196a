/* SPDX-License-Identifier: Apache-2.0 */
#include "dts.h"

/* H.264 and H.265 reorder by at most 16 pictures; looking at twice as many
 * shows every distance there is. */
#define LOOK_AHEAD 32
/* On the wire times are milliseconds, and must rise there too. */
#define STEP_NS DUB_NS_PER_MS

typedef struct {
  gint64 pts_ns;
  gint64 dts_ns;
} Times;

struct _DubDts {
  GArray *decode; /* Times, decode order, from head on */
  GArray *sorted; /* gint64, the same pts in order, from head on */
  guint head;     /* both lose their front together */
  gint64 reorder_ns;
  gint64 last_dts_ns; /* of what left, DUB_TIME_NONE: nothing yet */
};

DubDts *
dub_dts_new (void)
{
  DubDts *self = g_new0 (DubDts, 1);

  self->decode = g_array_new (FALSE, FALSE, sizeof (Times));
  self->sorted = g_array_new (FALSE, FALSE, sizeof (gint64));
  self->last_dts_ns = DUB_TIME_NONE;
  return self;
}

void
dub_dts_free (DubDts *self)
{
  if (self == NULL)
    return;
  g_array_unref (self->decode);
  g_array_unref (self->sorted);
  g_free (self);
}

#define DECODE(self, i)                                                        \
  g_array_index ((self)->decode, Times, (self)->head + (i))
#define SORTED(self, i)                                                        \
  g_array_index ((self)->sorted, gint64, (self)->head + (i))

static guint
length (const DubDts *self)
{
  return self->decode->len - self->head;
}

void
dub_dts_push (DubDts *self, gint64 pts_ns, gint64 dts_ns)
{
  Times times = {pts_ns, dts_ns};
  guint at = self->sorted->len;

  g_array_append_val (self->decode, times);
  while (
      at > self->head && g_array_index (self->sorted, gint64, at - 1) > pts_ns)
    at--;
  g_array_insert_val (self->sorted, at, pts_ns);
}

static void
learn_reorder (DubDts *self)
{
  guint n = MIN (length (self), LOOK_AHEAD);

  for (guint i = 0; i < n; i++)
    self->reorder_ns =
        MAX (self->reorder_ns, SORTED (self, i) - DECODE (self, i).pts_ns);
}

/* Sound dts that rise and are each <= their pts are so also <= the i-th
 * smallest pts; one that is not would leave no room for those behind it. */
static gboolean
is_usable (const DubDts *self, const Times *times)
{
  return times->dts_ns != DUB_TIME_NONE && times->dts_ns >= 0 &&
         times->dts_ns <= times->pts_ns && times->dts_ns <= SORTED (self, 0) &&
         (self->last_dts_ns == DUB_TIME_NONE ||
             times->dts_ns >= self->last_dts_ns + STEP_NS);
}

gboolean
dub_dts_peek (DubDts *self, gint64 *ret_pts_ns, gint64 *ret_dts_ns)
{
  gint64 lowest_ns =
      self->last_dts_ns == DUB_TIME_NONE ? 0 : self->last_dts_ns + STEP_NS;
  Times times;

  if (length (self) == 0)
    return FALSE;
  times = DECODE (self, 0);
  if (!is_usable (self, &times)) {
    learn_reorder (self);
    times.dts_ns = MIN (SORTED (self, 0) - self->reorder_ns, times.pts_ns);
    times.dts_ns = MAX (times.dts_ns, lowest_ns);
    times.pts_ns = MAX (times.pts_ns, times.dts_ns);
  }
  *ret_pts_ns = times.pts_ns;
  *ret_dts_ns = times.dts_ns;
  return TRUE;
}

void
dub_dts_pop (DubDts *self, gint64 left_dts_ns)
{
  g_return_if_fail (length (self) > 0);
  self->head++;
  if (self->head >= 256) {
    g_array_remove_range (self->decode, 0, self->head);
    g_array_remove_range (self->sorted, 0, self->head);
    self->head = 0;
  }
  if (left_dts_ns != DUB_TIME_NONE)
    dub_dts_note_left (self, left_dts_ns);
}

void
dub_dts_note_left (DubDts *self, gint64 dts_ns)
{
  self->last_dts_ns = MAX (self->last_dts_ns, dts_ns);
}
