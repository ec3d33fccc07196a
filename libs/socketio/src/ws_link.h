/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "eio_packet.h"
#include "ws_frame.h"

#include <gio/gio.h>

/*
 * One open WebSocket as both client and server use it: frames in, frames out,
 * and how many bytes the kernel has not taken yet.
 *
 * What a callback sends leaves together when the bytes that had come are dealt
 * with; what is sent otherwise leaves at once.
 *
 * On the thread of the main context that is the default one when it is made.
 * A callback may free or close the link.
 */
G_BEGIN_DECLS

typedef struct _DubWsLink DubWsLink;

typedef struct {
  void (*on_frame) (
      DubWsLink *link, gboolean is_binary, GBytes *bytes, gpointer user_data);
  /* Closed by the peer or broken; nothing comes after it. */
  void (*on_closed) (DubWsLink *link, gpointer user_data);
} DubWsHandlers;

typedef struct {
  gboolean is_client;
  gsize max_message;
  const DubWsHandlers *handlers; /* static */
  gpointer user_data;
} DubWsConfig;

/* stream: behind the handshake, which both sides have done; its input and
 * output are pollable. early: (nullable) bytes that came with the handshake's
 * end. No callback comes before the loop runs. */
DubWsLink *dub_ws_link_new (
    GIOStream *stream, const DubWsConfig *config, GBytes *early);
/* Cuts the connection: what is queued is lost. */
void dub_ws_link_free (DubWsLink *link);
/* Frees the link for the caller; what is queued and a close frame still leave,
 * and the connection ends with the peer's close frame or after 5 s. */
void dub_ws_link_close (DubWsLink *link, guint code);

/* Nothing happens on a closed one. */
void dub_ws_link_send (DubWsLink *link, const DubEioFrame *frame);
gsize dub_ws_link_get_queued_bytes (DubWsLink *link);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubWsLink, dub_ws_link_free)

G_END_DECLS
