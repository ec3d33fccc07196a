/* SPDX-License-Identifier: Apache-2.0 */
#include "tee.h"

#include "../ingest/ingest.h"

struct _DubTee {
  /* immutable once media flows */
  DubQueue *in;
  GPtrArray *outs; /* DubQueue */

  GMutex lock; /* held from taking an item until all have it: keeps the order */
};

static guint64
cost_of (const DubIngestItem *item)
{
  if (item->pcm)
    return g_bytes_get_size (item->pcm->bytes);
  return item->unit ? g_bytes_get_size (item->unit->data) : 1;
}

/* The same values again. (transfer full) */
static DubIngestItem *
share (const DubIngestItem *item)
{
  DubIngestItem *copy = g_memdup2 (item, sizeof *item);

  if (copy->unit)
    dub_access_unit_ref (copy->unit);
  if (copy->pcm)
    dub_pcm_ref (copy->pcm);
  return copy;
}

/* item: (transfer full) */
static void
hand_on (DubTee *self, DubIngestItem *item)
{
  guint64 cost = cost_of (item);

  for (guint i = 0; i < self->outs->len; i++)
    dub_queue_push (g_ptr_array_index (self->outs, i), share (item), cost);
  dub_ingest_item_free (item);
}

static gboolean
on_ready (gpointer user_data)
{
  DubTee *self = user_data;
  DubIngestItem *item;

  g_mutex_lock (&self->lock);
  while ((item = dub_queue_pop (self->in)))
    hand_on (self, item);
  g_mutex_unlock (&self->lock);
  return G_SOURCE_REMOVE;
}

DubTee *
dub_tee_new (void)
{
  DubTee *self = g_new0 (DubTee, 1);

  g_mutex_init (&self->lock);
  self->in = dub_ingest_queue_new ();
  self->outs =
      g_ptr_array_new_with_free_func ((GDestroyNotify) dub_queue_unref);
  dub_queue_set_ready_func (self->in, on_ready, self, NULL);
  return self;
}

void
dub_tee_free (DubTee *self)
{
  if (!self)
    return;
  dub_queue_close (self->in);
  dub_queue_unref (self->in);
  g_ptr_array_unref (self->outs);
  g_mutex_clear (&self->lock);
  g_free (self);
}

DubQueue *
dub_tee_get_in (DubTee *self)
{
  return self->in;
}

DubQueue *
dub_tee_add (DubTee *self)
{
  DubQueue *queue = dub_ingest_queue_new ();

  g_ptr_array_add (self->outs, queue);
  return queue;
}
