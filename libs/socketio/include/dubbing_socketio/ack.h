/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_socketio/message.h>

/*
 * Acknowledgements, both ways and on both sides.
 *
 * On the thread of the connection that it belongs to.
 */
G_BEGIN_DECLS

/* The peer waits for an answer: it is given once, now or later, or dropped.
 * An answer to a connection that has ended goes nowhere. */
typedef struct _DubSioAck DubSioAck;

/* Consumes ack; message (transfer full), without an event name. */
void dub_sio_ack_send (DubSioAck *ack, DubSioMessage *message);
/* Drops it unanswered. */
void dub_sio_ack_unref (DubSioAck *ack);

/* The peer's answer to ours. answer: (nullable) (transfer none), NULL when the
 * connection ended first. */
typedef void (*DubSioAckFunc) (DubSioMessage *answer, gpointer user_data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubSioAck, dub_sio_ack_unref)

G_END_DECLS
