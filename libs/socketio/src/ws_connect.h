/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <libsoup/soup.h>

/*
 * A client's way to an open WebSocket: TCP, TLS for wss, the HTTP handshake.
 * Redirections and proxies that ask for a password are not followed.
 *
 * On the thread of the thread-default main context.
 */
G_BEGIN_DECLS

/* headers: NULL-terminated pairs. callback comes once, cancelled or not. */
void dub_ws_connect_async (GUri *uri, const char *const *headers,
    GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);

/* *ret_status: of the HTTP answer, 0 when there was none. *ret_early: bytes
 * behind the handshake. (transfer full) (nullable) */
GIOStream *dub_ws_connect_finish (GAsyncResult *result, guint *ret_status,
    GBytes **ret_early, GError **error);

G_END_DECLS
