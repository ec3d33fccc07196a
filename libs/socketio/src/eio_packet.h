/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Engine.IO v4 on the wire. A frame is what one WebSocket frame carries: text
 * that begins with the packet's type, or bytes. A polling body is several
 * frames with 0x1E between them, bytes as "b" and base64.
 *
 * Pure; any thread.
 */
G_BEGIN_DECLS

typedef enum {
  DUB_EIO_OPEN = 0,
  DUB_EIO_CLOSE = 1,
  DUB_EIO_PING = 2,
  DUB_EIO_PONG = 3,
  DUB_EIO_MESSAGE = 4,
  DUB_EIO_UPGRADE = 5,
  DUB_EIO_NOOP = 6,
} DubEioType;

/* In a polling body. Out: python-engineio refuses more. In: the JavaScript
 * client sends what it has, bounded by maxPayload alone. */
#define DUB_EIO_MAX_PACKETS_OUT 16
#define DUB_EIO_MAX_PACKETS_IN 4096

typedef struct {
  gboolean is_binary;
  GBytes *bytes; /* text: with its type */
} DubEioFrame;

DubEioFrame *dub_eio_frame_new (gboolean is_binary, GBytes *bytes);
/* text: type and data, such as "6" or "2probe". */
DubEioFrame *dub_eio_frame_new_text (const char *text);
void dub_eio_frame_free (DubEioFrame *frame);
gsize dub_eio_frame_get_size (const DubEioFrame *frame);

typedef struct {
  DubEioType type;
  gboolean is_binary; /* then type is DUB_EIO_MESSAGE */
  GBytes *data;       /* without the type */
} DubEioPacket;

void dub_eio_packet_free (DubEioPacket *packet);

/* DUB_ERROR_PROTOCOL. (transfer full) (nullable) */
DubEioPacket *dub_eio_packet_decode (
    gboolean is_binary, GBytes *frame, GError **error);

/* A body of POST: valid UTF-8, 1 to DUB_EIO_MAX_PACKETS_IN packets, all or none
 * of them. (transfer full) (nullable) (element-type DubEioPacket) */
GPtrArray *dub_eio_payload_decode (GBytes *body, GError **error);

/* Takes up to DUB_EIO_MAX_PACKETS_OUT frames from the head of frames, no more
 * once the body has reached soft_limit bytes. (transfer full) */
GBytes *dub_eio_payload_encode (GQueue *frames, gsize soft_limit);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubEioFrame, dub_eio_frame_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubEioPacket, dub_eio_packet_free)

G_END_DECLS
