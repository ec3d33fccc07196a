/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "eio_packet.h"

#include <libsoup/soup.h>

/*
 * One open WebSocket as both client and server use it: frames in, frames out,
 * and how many bytes of ours the peer has not taken yet.
 *
 * libsoup queues without a limit and does not tell how much; so the bytes
 * given to it are counted, and those that TCP has acknowledged (TCP_INFO) are
 * taken off. Where the stream is no TCP socket the answer is 0.
 *
 * On the thread of the main context that the connection was made in. A
 * callback may free or close the link.
 */
G_BEGIN_DECLS

typedef struct _DubWsLink DubWsLink;

typedef struct {
  void (*on_frame) (
      DubWsLink *link, gboolean is_binary, GBytes *bytes, gpointer user_data);
  /* Closed by the peer or broken; nothing comes after it. */
  void (*on_closed) (DubWsLink *link, gpointer user_data);
} DubWsHandlers;

/* Takes its own reference of connection. */
DubWsLink *dub_ws_link_new (SoupWebsocketConnection *connection,
    gsize max_payload, const DubWsHandlers *handlers, gpointer user_data);
/* Cuts the connection: what is queued is lost. */
void dub_ws_link_free (DubWsLink *link);
/* Frees the link; what is queued and a close frame still leave, and the TCP
 * connection ends after the peer's close frame or libsoup's 5 s. */
void dub_ws_link_close (DubWsLink *link, gushort code, const char *reason);

/* Nothing happens on a closed one. */
void dub_ws_link_send (DubWsLink *link, const DubEioFrame *frame);
gsize dub_ws_link_get_queued_bytes (DubWsLink *link);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubWsLink, dub_ws_link_free)

G_END_DECLS
