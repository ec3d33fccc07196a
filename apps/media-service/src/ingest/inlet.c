/* SPDX-License-Identifier: Apache-2.0 */
#include "inlet.h"

#define DUB_LOG_TOPIC "media.ingest"
#include "track_align.h"

#include <dubbing_common/log.h>

struct _DubInlet {
  DubQueue *queue;

  /* protected by lock */
  GMutex lock;
  DubTrackAlign *align; /* NULL: not needed, or decided */
  GQueue held;          /* DubIngestItem, while align is there */
  gint64 shift_ns;      /* of sound */
};

DubInlet *
dub_inlet_new (DubQueue *queue, gboolean needs_align)
{
  DubInlet *self = g_new0 (DubInlet, 1);

  g_mutex_init (&self->lock);
  g_queue_init (&self->held);
  self->queue = dub_queue_ref (queue);
  if (needs_align)
    self->align = dub_track_align_new ();
  return self;
}

/* item: (transfer full). Nobody else knows its sound yet. */
static void
hand_on_locked (DubInlet *self, DubIngestItem *item)
{
  guint64 cost = 1;

  if (item->pcm && item->pcm->pts_ns != DUB_TIME_NONE)
    item->pcm->pts_ns += self->shift_ns;
  if (item->pcm)
    cost = g_bytes_get_size (item->pcm->bytes);
  if (item->unit)
    cost = g_bytes_get_size (item->unit->data);
  dub_queue_push (self->queue, item, cost);
}

static void
release_locked (DubInlet *self)
{
  DubIngestItem *item;

  while ((item = g_queue_pop_head (&self->held)))
    hand_on_locked (self, item);
}

void
dub_inlet_free (DubInlet *self)
{
  if (!self)
    return;
  release_locked (self);
  g_clear_pointer (&self->align, dub_track_align_free);
  dub_queue_unref (self->queue);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static void
decide_locked (DubInlet *self, gint64 now_ns)
{
  if (!dub_track_align_decide (self->align, now_ns, &self->shift_ns))
    return;
  dub_debug ("sound moved by %.1f ms to where it came beside the pictures",
      (double) self->shift_ns / DUB_NS_PER_MS);
  g_clear_pointer (&self->align, dub_track_align_free);
  release_locked (self);
}

void
dub_inlet_set_reorder (DubInlet *self, guint pictures)
{
  g_mutex_lock (&self->lock);
  if (self->align)
    dub_track_align_set_reorder (self->align, pictures);
  g_mutex_unlock (&self->lock);
}

void
dub_inlet_note_picture (DubInlet *self, gint64 pts_ns, gint64 arrival_ns)
{
  g_mutex_lock (&self->lock);
  if (self->align)
    dub_track_align_push_picture (self->align, pts_ns, arrival_ns);
  g_mutex_unlock (&self->lock);
}

static void
hold_locked (DubInlet *self, DubIngestItem *item)
{
  gint64 arrival_ns = item->arrival_ns;

  if (item->unit)
    dub_track_align_push_picture (self->align, item->unit->pts_ns, arrival_ns);
  else
    dub_track_align_push_sound (self->align, item->pcm->pts_ns, arrival_ns);
  g_queue_push_tail (&self->held, item);
  decide_locked (self, arrival_ns);
}

void
dub_inlet_push (DubInlet *self, DubIngestItem *item)
{
  g_mutex_lock (&self->lock);
  if (self->align && (item->unit || item->pcm))
    hold_locked (self, item);
  else
    hand_on_locked (self, item);
  g_mutex_unlock (&self->lock);
}
