/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <libsoup/soup.h>

/*
 * Takes connections for a SoupServer, in place of soup_server_listen (): the
 * listener of libsoup 3.2 (that of Debian 12) keeps a GSocket for each
 * connection that ever came, 340 bytes a health check, megabytes a day.
 *
 * Thread: that of the default main context.
 */
G_BEGIN_DECLS

typedef struct _DubHttpListener DubHttpListener;

/*
 * Listens at once. host: an IP address, or "localhost" for 127.0.0.1; port 0:
 * a free one. DUB_ERROR_INVALID: host is none. DUB_ERROR_UNAVAILABLE: the
 * address is taken, or not one of this machine. Free it before the server.
 */
DubHttpListener *dub_http_listener_new (
    SoupServer *server, const char *host, guint port, GError **error);
void dub_http_listener_free (DubHttpListener *listener);

guint dub_http_listener_get_port (DubHttpListener *listener);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubHttpListener, dub_http_listener_free)

G_END_DECLS
