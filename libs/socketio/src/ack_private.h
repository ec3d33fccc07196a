/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_socketio/ack.h>

/* Both ends of acknowledgements, for client and server alike. On the thread of
 * the connection. */
G_BEGIN_DECLS

/* Consumes message; target is what was given to dub_sio_ack_new (). */
typedef void (*DubSioAnswerFunc) (
    gpointer target, gint64 id, DubSioMessage *message);

/* target (transfer full): released by unref once answered or dropped. */
DubSioAck *dub_sio_ack_new (
    gint64 id, DubSioAnswerFunc answer, gpointer target, GDestroyNotify unref);

/* Those that we wait for, by id. */
typedef struct _DubSioAckTable DubSioAckTable;

DubSioAckTable *dub_sio_ack_table_new (void);
/* Calls each that is left with NULL. */
void dub_sio_ack_table_free (DubSioAckTable *table);
/* Forgets them, calling nothing. */
void dub_sio_ack_table_clear (DubSioAckTable *table);
/* The id that the next one will have. */
gint64 dub_sio_ack_table_peek_id (DubSioAckTable *table);
/* The id to send. */
gint64 dub_sio_ack_table_add (
    DubSioAckTable *table, DubSioAckFunc func, gpointer user_data);
/* An id that nobody waits for is passed over. */
void dub_sio_ack_table_resolve (
    DubSioAckTable *table, gint64 id, DubSioMessage *answer);

G_END_DECLS
