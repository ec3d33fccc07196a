/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

/*
 * The arguments of one Socket.IO event or acknowledgement: a JSON array whose
 * binary parts are kept beside it as attachments, each in its place held by a
 * placeholder object, as on the wire (Socket.IO protocol, revision 5).
 *
 * Immutable once it was handed to emit or received; reference-counted.
 * Any thread, one at a time while it is being filled.
 */
G_BEGIN_DECLS

typedef struct _DubSioMessage DubSioMessage;

/* event: NULL for an acknowledgement. */
DubSioMessage *dub_sio_message_new (const char *event);
DubSioMessage *dub_sio_message_ref (DubSioMessage *message);
void dub_sio_message_unref (DubSioMessage *message);

const char *dub_sio_message_get_event (DubSioMessage *message);
guint dub_sio_message_get_n_args (DubSioMessage *message);
/* (transfer none) (nullable) */
JsonNode *dub_sio_message_get_arg (DubSioMessage *message, guint index);
/* node (transfer full) */
void dub_sio_message_add_arg (DubSioMessage *message, JsonNode *node);
/* A node to put anywhere inside an argument; bytes (transfer none). */
JsonNode *dub_sio_message_add_binary (DubSioMessage *message, GBytes *bytes);
/* The attachment that node is the placeholder of; NULL when it is none.
 * (transfer none) (nullable) */
GBytes *dub_sio_message_get_binary (DubSioMessage *message, JsonNode *node);
/* Copies every argument of from; its attachments are shared. */
void dub_sio_message_add_args_of (DubSioMessage *message, DubSioMessage *from);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubSioMessage, dub_sio_message_unref)

G_END_DECLS
