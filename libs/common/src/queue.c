/* SPDX-License-Identifier: Apache-2.0 */
#include "dubbing_common/queue.h"

typedef struct {
  gpointer item;
  guint64 cost;
} Entry;

struct _DubQueue {
  gatomicrefcount ref_count;

  /* immutable once the first item was pushed */
  char *name;
  guint max_items;  /* 0: no limit */
  guint64 max_cost; /* 0: no limit */
  DubQueueFull when_full;
  GDestroyNotify free_item;

  GMutex lock;
  /* protected by lock */
  GSourceFunc on_ready; /* immutable once it is set, as are the next two */
  gpointer ready_data;
  GDestroyNotify ready_destroy;
  GCond changed;
  GQueue entries;
  DubQueueStats stats;
  gboolean is_closed;
};

DubQueue *
dub_queue_new (const char *name, guint max_items, guint64 max_cost,
    DubQueueFull when_full, GDestroyNotify free_item)
{
  DubQueue *self;

  g_return_val_if_fail (name != NULL, NULL);
  g_return_val_if_fail (max_items > 0 || max_cost > 0, NULL);
  self = g_new0 (DubQueue, 1);
  g_atomic_ref_count_init (&self->ref_count);
  self->name = g_strdup (name);
  self->max_items = max_items;
  self->max_cost = max_cost;
  self->when_full = when_full;
  self->free_item = free_item;
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  g_queue_init (&self->entries);
  return self;
}

DubQueue *
dub_queue_ref (DubQueue *queue)
{
  g_return_val_if_fail (queue != NULL, NULL);
  g_atomic_ref_count_inc (&queue->ref_count);
  return queue;
}

static void
entry_free (DubQueue *self, Entry *entry)
{
  if (self->free_item != NULL && entry->item != NULL)
    self->free_item (entry->item);
  g_free (entry);
}

/* Called with no lock held: a free function may take its own. */
static void
entries_clear (DubQueue *self, GQueue *entries)
{
  Entry *entry;

  while ((entry = g_queue_pop_head (entries)) != NULL)
    entry_free (self, entry);
}

void
dub_queue_unref (DubQueue *queue)
{
  if (queue == NULL || !g_atomic_ref_count_dec (&queue->ref_count))
    return;
  entries_clear (queue, &queue->entries);
  if (queue->ready_destroy != NULL)
    queue->ready_destroy (queue->ready_data);
  g_cond_clear (&queue->changed);
  g_mutex_clear (&queue->lock);
  g_free (queue->name);
  g_free (queue);
}

void
dub_queue_set_ready_func (DubQueue *queue, GSourceFunc on_ready,
    gpointer user_data, GDestroyNotify destroy)
{
  gboolean has_items;

  g_return_if_fail (queue != NULL && on_ready != NULL);
  g_return_if_fail (queue->on_ready == NULL);
  g_mutex_lock (&queue->lock);
  queue->ready_data = user_data;
  queue->ready_destroy = destroy;
  queue->on_ready = on_ready;
  has_items = queue->stats.items > 0;
  g_mutex_unlock (&queue->lock);
  if (has_items)
    on_ready (user_data);
}

static gboolean
has_room_locked (DubQueue *self, guint64 cost)
{
  if (self->max_items > 0 && self->stats.items >= self->max_items)
    return FALSE;
  return self->max_cost == 0 || cost <= self->max_cost - self->stats.cost;
}

static Entry *
take_oldest_locked (DubQueue *self)
{
  Entry *entry = g_queue_pop_head (&self->entries);

  if (entry != NULL) {
    self->stats.items--;
    self->stats.cost -= entry->cost;
  }
  return entry;
}

/* FALSE: the item must be refused. What has to go is moved to dropped. An
 * item that would not fit into the empty queue pushes nobody out. */
static gboolean
make_room_locked (DubQueue *self, guint64 cost, GQueue *dropped)
{
  if (self->is_closed || (self->max_cost > 0 && cost > self->max_cost))
    return FALSE;
  if (has_room_locked (self, cost))
    return TRUE;
  if (self->when_full != DUB_QUEUE_DROP_OLDEST)
    return FALSE;
  while (!has_room_locked (self, cost))
    g_queue_push_tail (dropped, take_oldest_locked (self));
  return TRUE;
}

static gboolean
push_locked (DubQueue *self, Entry *entry, GQueue *dropped)
{
  if (!make_room_locked (self, entry->cost, dropped)) {
    g_queue_push_tail (dropped, entry);
    self->stats.dropped++;
    return FALSE;
  }
  self->stats.dropped += dropped->length;
  g_queue_push_tail (&self->entries, entry);
  self->stats.items++;
  self->stats.cost += entry->cost;
  self->stats.pushed++;
  g_cond_signal (&self->changed);
  return TRUE;
}

gboolean
dub_queue_push (DubQueue *queue, gpointer item, guint64 cost)
{
  g_autoptr (DubQueue) self = NULL;
  GQueue dropped = G_QUEUE_INIT;
  gboolean was_empty, is_in;
  GSourceFunc on_ready;
  Entry *entry;

  g_return_val_if_fail (queue != NULL && item != NULL, FALSE);
  /* on_ready may let the last other reference go. */
  self = dub_queue_ref (queue);
  entry = g_new (Entry, 1);
  *entry = (Entry){item, cost};
  g_mutex_lock (&self->lock);
  was_empty = self->stats.items == 0;
  is_in = push_locked (self, entry, &dropped);
  on_ready = self->on_ready;
  g_mutex_unlock (&self->lock);
  entries_clear (self, &dropped);
  if (is_in && was_empty && on_ready != NULL)
    on_ready (self->ready_data);
  return is_in;
}

static gpointer
entry_to_item (Entry *entry)
{
  gpointer item = entry != NULL ? entry->item : NULL;

  g_free (entry);
  return item;
}

gpointer
dub_queue_pop (DubQueue *queue)
{
  Entry *entry;

  g_return_val_if_fail (queue != NULL, NULL);
  g_mutex_lock (&queue->lock);
  entry = take_oldest_locked (queue);
  g_mutex_unlock (&queue->lock);
  return entry_to_item (entry);
}

static gboolean
wait_locked (DubQueue *self, gint64 timeout_us, gint64 end_us)
{
  if (timeout_us >= 0)
    return g_cond_wait_until (&self->changed, &self->lock, end_us);
  g_cond_wait (&self->changed, &self->lock);
  return TRUE;
}

gpointer
dub_queue_pop_wait (DubQueue *queue, gint64 timeout_us)
{
  gint64 end_us = g_get_monotonic_time () + MAX (timeout_us, 0);
  Entry *entry;

  g_return_val_if_fail (queue != NULL, NULL);
  g_mutex_lock (&queue->lock);
  while (queue->stats.items == 0 && !queue->is_closed)
    if (!wait_locked (queue, timeout_us, end_us))
      break;
  entry = take_oldest_locked (queue);
  g_mutex_unlock (&queue->lock);
  return entry_to_item (entry);
}

void
dub_queue_close (DubQueue *queue)
{
  g_return_if_fail (queue != NULL);
  g_mutex_lock (&queue->lock);
  queue->is_closed = TRUE;
  g_cond_broadcast (&queue->changed);
  g_mutex_unlock (&queue->lock);
}

gboolean
dub_queue_is_closed (DubQueue *queue)
{
  gboolean is_closed;

  g_return_val_if_fail (queue != NULL, TRUE);
  g_mutex_lock (&queue->lock);
  is_closed = queue->is_closed;
  g_mutex_unlock (&queue->lock);
  return is_closed;
}

void
dub_queue_get_stats (DubQueue *queue, DubQueueStats *ret_stats)
{
  g_return_if_fail (queue != NULL && ret_stats != NULL);
  g_mutex_lock (&queue->lock);
  *ret_stats = queue->stats;
  g_mutex_unlock (&queue->lock);
}
