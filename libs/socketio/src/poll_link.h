/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "eio_packet.h"

#include <libsoup/soup.h>

/*
 * A client's Engine.IO session over HTTP long-polling, for where WebSocket is
 * blocked: one GET waits for packets, one POST at a time takes them away.
 *
 * On the thread of the main context that is the default one when it is made.
 * A callback may free or close the link.
 */
G_BEGIN_DECLS

typedef struct _DubPollLink DubPollLink;

typedef struct {
  void (*on_packet) (
      DubPollLink *link, const DubEioPacket *packet, gpointer user_data);
  /* It is over; nothing comes after it. status: HTTP's, 0 when there was no
   * answer. error: never NULL */
  void (*on_closed) (
      DubPollLink *link, guint status, const GError *error, gpointer user_data);
} DubPollHandlers;

typedef struct {
  GUri *uri;                       /* of Engine.IO, as for a WebSocket */
  const char *const *headers;      /* NULL-terminated pairs */
  gsize max_body;                  /* of one answer, in bytes */
  const DubPollHandlers *handlers; /* static */
  gpointer user_data;
} DubPollConfig;

/* Asks for a session at once. No callback comes before the loop runs. */
DubPollLink *dub_poll_link_new (const DubPollConfig *config);
/* What is queued is lost. */
void dub_poll_link_free (DubPollLink *link);
/* Frees the link for the caller; what is queued still leaves, and a word that
 * this was all. */
void dub_poll_link_close (DubPollLink *link);

void dub_poll_link_send (DubPollLink *link, const DubEioFrame *frame);
gsize dub_poll_link_get_queued_bytes (DubPollLink *link);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubPollLink, dub_poll_link_free)

G_END_DECLS
