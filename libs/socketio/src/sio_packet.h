/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "message_private.h"

/*
 * Socket.IO v5 packets:
 *
 *   type [attachments "-"] [namespace ","] [acknowledgement id] [JSON]
 *
 * A decoder is fed what Engine.IO's message packets carry and gives whole
 * packets: a binary one is whole when its attachments have come.
 *
 * Pure; any thread, one decoder on one.
 */
G_BEGIN_DECLS

typedef enum {
  DUB_SIO_CONNECT = 0,
  DUB_SIO_DISCONNECT = 1,
  DUB_SIO_EVENT = 2,
  DUB_SIO_ACK = 3,
  DUB_SIO_CONNECT_ERROR = 4,
  DUB_SIO_BINARY_EVENT = 5,
  DUB_SIO_BINARY_ACK = 6,
} DubSioType;

#define DUB_SIO_MAX_NAMESPACE 256
#define DUB_SIO_NO_ID (-1)

typedef struct {
  DubSioType type; /* of a binary packet: DUB_SIO_EVENT or DUB_SIO_ACK */
  char *name_space;
  gint64 id;              /* DUB_SIO_NO_ID: none */
  JsonNode *payload;      /* CONNECT and CONNECT_ERROR; (nullable) */
  DubSioMessage *message; /* EVENT and ACK */
} DubSioPacket;

void dub_sio_packet_free (DubSioPacket *packet);

typedef struct _DubSioDecoder DubSioDecoder;

/* max_bytes: text and attachments of one message together. */
DubSioDecoder *dub_sio_decoder_new (guint max_attachments, gsize max_bytes);
void dub_sio_decoder_free (DubSioDecoder *decoder);

/*
 * FALSE with DUB_ERROR_PROTOCOL or DUB_ERROR_LIMIT: the connection is to be
 * closed. TRUE: *ret_packet (transfer full) is NULL while attachments of the
 * packet are still to come.
 */
gboolean dub_sio_decoder_feed (DubSioDecoder *decoder, gboolean is_binary,
    GBytes *data, DubSioPacket **ret_packet, GError **error);

/* A text frame for Engine.IO, its message type '4' in front. payload
 * (nullable). (transfer full) */
GBytes *dub_sio_encode (DubSioType type, const char *name_space, gint64 id,
    guint n_attachments, JsonNode *payload);
/* An event or, with an id and no event name, an acknowledgement. The
 * attachments follow it as they are. (transfer full) */
GBytes *dub_sio_encode_message (
    const char *name_space, gint64 id, DubSioMessage *message);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubSioPacket, dub_sio_packet_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubSioDecoder, dub_sio_decoder_free)

G_END_DECLS
