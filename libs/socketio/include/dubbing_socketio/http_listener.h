/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <libsoup/soup.h>

/*
 * Takes connections for a SoupServer, in place of soup_server_listen (): the
 * listener of libsoup 3.2 (that of Debian 12) keeps a GSocket for each
 * connection that ever came, 340 bytes a health check, megabytes a day.
 *
 * It is also where strangers are held off, before a byte of theirs is read as
 * HTTP:
 *
 *   what                                       then
 *   max_connections, max_per_peer reached      the oldest that has yet to send
 *                                              its request is cut for the new
 *                                              one; if all have, the new one is
 *   no TLS, or no whole header, in header_ms   cut
 *   no whole body in body_ms after it          cut
 *   an answer that nobody takes for 60 s       cut, by the kernel
 *   a header of more than 64 KiB or so         cut, by libsoup
 *
 * How large a body may be is the server's own to say. A request that was
 * answered ends its connection; one that became a WebSocket is counted as long
 * as it lives, and its limits are those of its protocol.
 *
 * Thread: that of the default main context.
 */
G_BEGIN_DECLS

typedef struct _DubHttpListener DubHttpListener;

typedef struct {
  const char *host;             /* an IP address, or "localhost": 127.0.0.1 */
  guint port;                   /* 0: a free one */
  GTlsCertificate *certificate; /* (nullable): plain HTTP */
  guint max_connections;        /* 512 */
  guint max_per_peer;           /* 512; peers are addresses */
  guint header_ms;              /* 10000 */
  guint body_ms;                /* 60000 */
} DubHttpListenerOptions;
void dub_http_listener_options_init (DubHttpListenerOptions *options);

typedef struct {
  guint64 accepted;
  guint64 refused;   /* too many at once */
  guint64 timed_out; /* too slow */
  guint64 no_tls;    /* a handshake that failed */
  guint connections; /* now */
} DubHttpListenerStats;

/*
 * Listens at once. DUB_ERROR_INVALID: host is no address.
 * DUB_ERROR_UNAVAILABLE: the address is taken, or not one of this machine. Free
 * it before the server.
 */
DubHttpListener *dub_http_listener_new_full (
    SoupServer *server, const DubHttpListenerOptions *options, GError **error);
/* The same with what options_init () sets. */
DubHttpListener *dub_http_listener_new (
    SoupServer *server, const char *host, guint port, GError **error);
void dub_http_listener_free (DubHttpListener *listener);

guint dub_http_listener_get_port (DubHttpListener *listener);
void dub_http_listener_get_stats (
    DubHttpListener *listener, DubHttpListenerStats *ret_stats);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubHttpListener, dub_http_listener_free)

G_END_DECLS
