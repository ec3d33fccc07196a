/* SPDX-License-Identifier: Apache-2.0 */
#include "mock_pool.h"

#include <dubbing_common/error.h>

const char *const dub_mock_failures[] = {
    "timeout", "memory_error", "invalid_audio", "unknown", NULL};

static const DubErrorCode failure_codes[] = {
    DUB_ERROR_TIMEOUT, DUB_ERROR_ENGINE, DUB_ERROR_INVALID, DUB_ERROR_PROTOCOL};

typedef struct {
  DubMockPool *pool;
  guint64 id;
  gint64 deadline_us;
  gint64 due_us; /* 0: it waits */
  DubMockDoneFunc done;
  gpointer call;
  GSource *timer;
} Item;

struct _DubMockPool {
  DubMockOptions options;
  GList *items; /* by deadline */
  guint running;
  guint64 last_id;
};

DubMockPool *
dub_mock_pool_new (const DubMockOptions *options)
{
  DubMockPool *self = g_new0 (DubMockPool, 1);

  if (options != NULL)
    self->options = *options;
  self->options.slots = MAX (self->options.slots, 1);
  return self;
}

/* (transfer full): the call */
static gpointer
item_end (Item *item)
{
  DubMockPool *self = item->pool;
  gpointer call = item->call;

  self->items = g_list_remove (self->items, item);
  self->running -= item->due_us != 0;
  g_source_destroy (item->timer);
  g_source_unref (item->timer);
  g_free (item);
  return call;
}

void
dub_mock_pool_free (DubMockPool *self, GDestroyNotify free_call)
{
  if (self == NULL)
    return;
  while (self->items != NULL)
    free_call (item_end (self->items->data));
  g_free (self);
}

static void
start_some (DubMockPool *self)
{
  for (GList *l = self->items; l != NULL && self->running < self->options.slots;
       l = l->next) {
    Item *item = l->data;

    if (item->due_us != 0)
      continue;
    self->running++;
    item->due_us = g_get_monotonic_time () + self->options.latency_ms * 1000;
    g_source_set_ready_time (
        item->timer, MIN (item->due_us, item->deadline_us));
  }
}

/* (transfer full) (nullable) */
static GError *
outcome_of (const Item *item)
{
  const DubMockOptions *options = &item->pool->options;

  if (item->due_us == 0 || item->due_us > item->deadline_us)
    return g_error_new_literal (
        DUB_ERROR, DUB_ERROR_TIMEOUT, "the mock engine had no time for it");
  if (g_random_int_range (0, 100) >= options->failure_percent)
    return NULL;
  return g_error_new (DUB_ERROR, failure_codes[options->failure],
      "the mock engine fails: %s", dub_mock_failures[options->failure]);
}

static gboolean
on_timer (gpointer user_data)
{
  Item *item = user_data;
  DubMockPool *self = item->pool;
  DubMockDoneFunc done = item->done;
  g_autoptr (GError) error = outcome_of (item);
  gpointer call = item_end (item);

  start_some (self);
  done (error, call);
  return G_SOURCE_REMOVE;
}

static int
compare_deadlines (gconstpointer a, gconstpointer b)
{
  const Item *x = a, *y = b;

  return (x->deadline_us > y->deadline_us) - (x->deadline_us < y->deadline_us);
}

guint64
dub_mock_pool_begin (
    DubMockPool *self, gint64 deadline_ns, DubMockDoneFunc done, gpointer call)
{
  Item *item = g_new0 (Item, 1);

  *item = (Item){.pool = self,
      .id = ++self->last_id,
      .deadline_us = deadline_ns / 1000,
      .done = done,
      .call = call,
      .timer = g_timeout_source_new (0)};
  g_source_set_ready_time (item->timer, item->deadline_us);
  g_source_set_callback (item->timer, on_timer, item, NULL);
  g_source_attach (item->timer, g_main_context_get_thread_default ());
  self->items = g_list_insert_sorted (self->items, item, compare_deadlines);
  start_some (self);
  return item->id;
}

gpointer
dub_mock_pool_cancel (DubMockPool *self, guint64 id)
{
  for (GList *l = self->items; l != NULL; l = l->next) {
    Item *item = l->data;
    gpointer call;

    if (item->id != id)
      continue;
    call = item_end (item);
    start_some (self);
    return call;
  }
  return NULL;
}

guint
dub_mock_pool_get_depth (DubMockPool *self)
{
  return g_list_length (self->items);
}
