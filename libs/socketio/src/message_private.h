/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_socketio/message.h>

/* What the packet layer sees of a message. Any thread, like the message. */
G_BEGIN_DECLS

/* root (transfer full): the array as it came, event name first when is_event;
 * attachments (transfer full) (nullable): of GBytes. */
DubSioMessage *dub_sio_message_new_received (
    JsonNode *root, gboolean is_event, GPtrArray *attachments);
/* The whole array, event name first. (transfer none) */
JsonNode *dub_sio_message_get_root (DubSioMessage *message);
/* Of GBytes. (transfer none) */
GPtrArray *dub_sio_message_get_attachments (DubSioMessage *message);

/* The number of the attachment that node stands for; FALSE when node is no
 * placeholder. A broken one (no or odd number) gives G_MAXINT64. */
gboolean dub_sio_placeholder_read (JsonNode *node, gint64 *ret_number);

G_END_DECLS
