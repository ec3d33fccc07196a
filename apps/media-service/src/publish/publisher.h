/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "flv.h"

/*
 * Sends FLV tags to one RTMP server and keeps at it.
 *
 *   appsrc ! rtmp2sink sync=false        (the programme paces, not the sink)
 *
 * Each connection is a new pipeline. It begins at a key frame, with metadata
 * and codec data before it, so a connection is made when a key frame comes; a
 * lost one is tried again at the first key frame after 0.25, 0.5 and 1 s, then
 * 2 s, and at a server of others after 1 to 30 s; one that lasted less than 5 s
 * does not end the loss before it, since a server may refuse so. More than
 * max_waiting_ms of stream that the socket did not take is a loss. What cannot
 * be sent is dropped: the programme never waits.
 *
 * new, finish and free on the owner's thread (the thread-default main context
 * of dub_publisher_new ()), where on_state is called. push from any thread.
 */
G_BEGIN_DECLS

typedef enum {
  DUB_PUBLISHER_STATE_NONE = 0,
  DUB_PUBLISHER_IDLE,    /* waits for the first key frame */
  DUB_PUBLISHER_RUNNING, /* the server takes what is sent */
  DUB_PUBLISHER_WAITING, /* lost; error says why */
  DUB_PUBLISHER_ENDED,   /* finished: all was taken, or the time was up */
} DubPublisherState;
const char *dub_publisher_state_to_string (DubPublisherState state);

typedef void (*DubPublisherStateFunc) (
    DubPublisherState state, const GError *error, gpointer user_data);

typedef struct {
  gint64 lost_since_ns; /* DUB_TIME_NONE while all is well */
  guint64 tags_sent, tags_dropped, bytes_sent;
  guint n_connections;
  gint64 waiting_ms; /* of stream, not yet taken by the socket */
  gint64 connect_ms; /* the last connection took to be made; 0: none yet */
} DubPublisherStats;

typedef struct _DubPublisher DubPublisher;

/* DUB_ERROR_INVALID or _UNSUPPORTED for a URL that is not rtmp or rtmps. */
DubPublisher *dub_publisher_new (const char *url, gboolean is_foreign,
    DubPublisherStateFunc on_state, gpointer user_data, GError **error);
gboolean dub_publisher_check_url (const char *url, GError **error);
void dub_publisher_free (DubPublisher *self);

/* Any thread, never blocks. tag (transfer none). Tags of codec data are kept
 * for the connections to come. */
void dub_publisher_push (DubPublisher *self, DubFlvTag *tag);

/* Sends what is left and tells the server that this is all; ENDED follows,
 * after timeout_ms at the latest. */
void dub_publisher_finish (DubPublisher *self, guint timeout_ms);
/* Any thread. */
void dub_publisher_get_stats (DubPublisher *self, DubPublisherStats *ret_stats);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubPublisher, dub_publisher_free)

G_END_DECLS
