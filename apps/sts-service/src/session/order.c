/* SPDX-License-Identifier: Apache-2.0 */
#include "order.h"

/* Refused numbers wait too; a peer that sends nothing else must not fill the
 * memory. Beyond it they are forgotten and the gap is skipped by time. */
#define MAX_REFUSED 64

typedef struct {
  guint64 number;
  gpointer item; /* NULL: refused */
  gint64 since_ns;
} Held;

struct _DubOrder {
  gint64 gap_timeout_ns;
  gint64 base_timeout_ns;
  GDestroyNotify free_item;
  guint64 next;
  gboolean has_begun;
  GQueue held;      /* of Held, rising by number, equal ones by arrival */
  GArray *expected; /* of guint64 */
  guint refused;
  guint64 skipped;
};

DubOrder *
dub_order_new (
    gint64 gap_timeout_ns, gint64 base_timeout_ns, GDestroyNotify free_item)
{
  DubOrder *self = g_new0 (DubOrder, 1);

  self->gap_timeout_ns = gap_timeout_ns;
  self->base_timeout_ns = base_timeout_ns;
  self->free_item = free_item;
  g_queue_init (&self->held);
  self->expected = g_array_new (FALSE, FALSE, sizeof (guint64));
  return self;
}

void
dub_order_free (DubOrder *order)
{
  Held *held;

  if (!order)
    return;
  while ((held = g_queue_pop_head (&order->held))) {
    if (held->item && order->free_item)
      order->free_item (held->item);
    g_free (held);
  }
  g_array_unref (order->expected);
  g_free (order);
}

void
dub_order_expect (DubOrder *order, guint64 number)
{
  g_array_append_val (order->expected, number);
}

static void
forget_expected (DubOrder *order, guint64 number)
{
  for (guint i = 0; i < order->expected->len; i++) {
    if (g_array_index (order->expected, guint64, i) != number)
      continue;
    g_array_remove_index_fast (order->expected, i);
    return;
  }
}

static void
insert_held (DubOrder *order, Held *held)
{
  GList *after = order->held.tail;

  while (after && ((Held *) after->data)->number > held->number)
    after = after->prev;
  if (after)
    g_queue_insert_after (&order->held, after, held);
  else
    g_queue_push_head (&order->held, held);
}

void
dub_order_put (DubOrder *order, guint64 number, gpointer item, gint64 now_ns)
{
  Held *held;

  if (item)
    forget_expected (order, number);
  else if (number < order->next || order->refused >= MAX_REFUSED)
    return;
  else
    order->refused++;
  held = g_new0 (Held, 1);
  held->number = number;
  held->item = item;
  held->since_ns = now_ns;
  insert_held (order, held);
}

/* Is the work on a lower number still going on? */
static gboolean
is_waiting_for_work (DubOrder *order, guint64 number)
{
  for (guint i = 0; i < order->expected->len; i++)
    if (g_array_index (order->expected, guint64, i) < number)
      return TRUE;
  return FALSE;
}

/* When the head may go out. */
static gint64
head_due_ns (DubOrder *order, const Held *head)
{
  if (head->number <= order->next)
    return G_MININT64;
  if (!order->has_begun && !is_waiting_for_work (order, head->number))
    return head->since_ns + MIN (order->base_timeout_ns, order->gap_timeout_ns);
  return head->since_ns + order->gap_timeout_ns;
}

static gpointer
take_head (DubOrder *order)
{
  Held *head = g_queue_pop_head (&order->held);
  gpointer item = head->item;

  if (head->number > order->next && order->has_begun)
    order->skipped += head->number - order->next;
  if (head->number >= order->next)
    order->next = head->number + 1;
  if (!item)
    order->refused--;
  order->has_begun = TRUE;
  g_free (head);
  return item;
}

gpointer
dub_order_pop (DubOrder *order, gint64 now_ns)
{
  const Held *head;
  gpointer item = NULL;

  while (!item && (head = g_queue_peek_head (&order->held))) {
    if (head_due_ns (order, head) > now_ns)
      return NULL;
    item = take_head (order);
  }
  return item;
}

gint64
dub_order_wake_ns (DubOrder *order)
{
  const Held *head = g_queue_peek_head (&order->held);

  return head ? head_due_ns (order, head) : G_MAXINT64;
}

guint
dub_order_get_held (DubOrder *order)
{
  return order->held.length - order->refused;
}

guint64
dub_order_get_skipped (DubOrder *order)
{
  return order->skipped;
}
