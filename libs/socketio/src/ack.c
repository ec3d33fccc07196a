/* SPDX-License-Identifier: Apache-2.0 */
#include "ack_private.h"

struct _DubSioAck {
  gint64 id;
  DubSioAnswerFunc answer;
  gpointer target;
  GDestroyNotify unref;
};

typedef struct {
  DubSioAckFunc func;
  gpointer user_data;
} Waiting;

struct _DubSioAckTable {
  GHashTable *waiting; /* gint64 -> Waiting */
  gint64 next_id;
};

DubSioAck *
dub_sio_ack_new (
    gint64 id, DubSioAnswerFunc answer, gpointer target, GDestroyNotify unref)
{
  DubSioAck *ack = g_new (DubSioAck, 1);

  *ack = (DubSioAck){id, answer, target, unref};
  return ack;
}

void
dub_sio_ack_send (DubSioAck *ack, DubSioMessage *message)
{
  g_return_if_fail (ack != NULL);
  g_return_if_fail (message != NULL);
  g_return_if_fail (dub_sio_message_get_event (message) == NULL);

  ack->answer (ack->target, ack->id, message);
  dub_sio_ack_unref (ack);
}

void
dub_sio_ack_unref (DubSioAck *ack)
{
  if (ack == NULL)
    return;
  ack->unref (ack->target);
  g_free (ack);
}

DubSioAckTable *
dub_sio_ack_table_new (void)
{
  DubSioAckTable *table = g_new0 (DubSioAckTable, 1);

  table->waiting =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  return table;
}

void
dub_sio_ack_table_free (DubSioAckTable *table)
{
  g_autoptr (GList) left = NULL;

  if (table == NULL)
    return;
  left = g_hash_table_get_values (table->waiting);
  for (GList *l = left; l != NULL; l = l->next) {
    Waiting *waiting = l->data;

    waiting->func (NULL, waiting->user_data);
  }
  g_hash_table_unref (table->waiting);
  g_free (table);
}

void
dub_sio_ack_table_clear (DubSioAckTable *table)
{
  g_hash_table_remove_all (table->waiting);
}

gint64
dub_sio_ack_table_peek_id (DubSioAckTable *table)
{
  return table->next_id;
}

gint64
dub_sio_ack_table_add (
    DubSioAckTable *table, DubSioAckFunc func, gpointer user_data)
{
  Waiting *waiting = g_new (Waiting, 1);
  gint64 id = table->next_id++;

  *waiting = (Waiting){func, user_data};
  g_hash_table_insert (table->waiting, g_memdup2 (&id, sizeof id), waiting);
  return id;
}

void
dub_sio_ack_table_resolve (
    DubSioAckTable *table, gint64 id, DubSioMessage *answer)
{
  gpointer key = NULL;
  Waiting *waiting = NULL;

  if (!g_hash_table_steal_extended (
          table->waiting, &id, &key, (gpointer *) &waiting))
    return;
  g_free (key);
  waiting->func (answer, waiting->user_data);
  g_free (waiting);
}
