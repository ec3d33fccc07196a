/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

/*
 * One listener of server-sent events: a connection that was taken over from the
 * HTTP server, on which text goes out for as long as both ends like. What the
 * other end has not taken is kept, up to DUB_EVENT_STREAM_MAX bytes: one that
 * is slower is closed, so that it costs no memory and no other listener waits.
 *
 * Thread: the default main context. closed is called once, never from within
 * send (), and not after free ().
 */
G_BEGIN_DECLS

#define DUB_EVENT_STREAM_MAX (256 * 1024)

typedef struct _DubEventStream DubEventStream;

typedef void (*DubEventStreamClosed) (
    DubEventStream *stream, gpointer user_data);

DubEventStream *dub_event_stream_new (
    GIOStream *connection, DubEventStreamClosed closed, gpointer user_data);
/* Closes the connection; what waits is lost. */
void dub_event_stream_free (DubEventStream *self);

void dub_event_stream_send (
    DubEventStream *self, const char *text, gsize length);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubEventStream, dub_event_stream_free)

G_END_DECLS
