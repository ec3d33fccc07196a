/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * WebSocket frames (RFC 6455), without extensions.
 *
 * We read them ourselves because of what libsoup 3.2 does with large ones: it
 * reads 1 KiB at a time, copies each message several times, queues without
 * telling how much, and bounds one frame but not the message that is made of
 * many. Here bytes go from the socket to where the message stays.
 *
 *   for (;;) {
 *     dub_ws_reader_get_space (reader, &space, &size);
 *     n = read (fd, space, size);
 *     dub_ws_reader_advance (reader, n);
 *     while (dub_ws_reader_next (reader, &event, &error) && event.type != NONE)
 *       ...
 *   }
 *
 * Pure; any thread, one reader on one.
 */
G_BEGIN_DECLS

typedef enum {
  DUB_WS_NONE = 0, /* more bytes are needed */
  DUB_WS_TEXT,     /* valid UTF-8 */
  DUB_WS_BINARY,
  DUB_WS_PING,
  DUB_WS_PONG,
  DUB_WS_CLOSE,
} DubWsType;

typedef struct {
  DubWsType type;
  GBytes *data; /* (transfer full); NULL with DUB_WS_NONE */
} DubWsEvent;

/* What to close with. */
#define DUB_WS_CLOSE_NORMAL 1000
#define DUB_WS_CLOSE_PROTOCOL 1002
#define DUB_WS_CLOSE_BAD_DATA 1007
#define DUB_WS_CLOSE_POLICY 1008
#define DUB_WS_CLOSE_TOO_LARGE 1009

typedef struct _DubWsReader DubWsReader;

/* is_client: which side we are; frames that come are then not masked. */
DubWsReader *dub_ws_reader_new (gboolean is_client, gsize max_message);
void dub_ws_reader_free (DubWsReader *reader);

/* Where the next bytes go; never none. */
void dub_ws_reader_get_space (
    DubWsReader *reader, guint8 **ret_space, gsize *ret_size);
void dub_ws_reader_advance (DubWsReader *reader, gsize n);
/* FALSE: the peer broke the protocol; *ret_close_code says how. */
gboolean dub_ws_reader_next (
    DubWsReader *reader, DubWsEvent *ret_event, guint *ret_close_code);

#define DUB_WS_MAX_HEADER 14

/* mask: (nullable) 4 bytes, of a client. Returns the length. */
gsize dub_ws_write_header (guint8 to[DUB_WS_MAX_HEADER], DubWsType type,
    gsize length, const guint8 *mask);
/* In place; offset: of data in the payload. Its own inverse. */
void dub_ws_mask (
    guint8 *data, gsize length, const guint8 mask[4], gsize offset);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubWsReader, dub_ws_reader_free)

G_END_DECLS
