/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "eio_session.h"

/*
 * Engine.IO v4 over HTTP: looks at each request of a path, finds or makes its
 * session, refuses what breaks the protocol.
 *
 * On the thread that owns the SoupServer's main context, which is the
 * thread-default one when the server is made.
 */
G_BEGIN_DECLS

typedef struct _DubEioServer DubEioServer;

void dub_eio_options_init (DubEioOptions *options);
/* handlers outlive the server. */
DubEioServer *dub_eio_server_new (const DubEioOptions *options,
    const DubEioHandlers *handlers, gpointer user_data);
/* Ends every session ("server shutting down") and leaves the SoupServers. */
void dub_eio_server_free (DubEioServer *server);
void dub_eio_server_attach (
    DubEioServer *server, SoupServer *soup, const char *path);
guint dub_eio_server_get_n_sessions (DubEioServer *server);
GMainContext *dub_eio_server_get_context (DubEioServer *server);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubEioServer, dub_eio_server_free)

G_END_DECLS
