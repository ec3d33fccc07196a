/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <libsoup/soup.h>

/*
 * One request and its answer over libsoup, the answer bounded while it is
 * read. libsoup calls back even after a cancel, so an exchange outlives the
 * one who began it: it is let go of by its end or by abandon, and frees
 * itself.
 *
 * Everything on the thread-default main context of the starting thread.
 */
G_BEGIN_DECLS

typedef struct _DubHttpExchange DubHttpExchange;

/* The whole answer, whatever its status, or NULL and why: DUB_ERROR_LIMIT, or
 * what GIO, TLS or libsoup said. */
typedef void (*DubHttpExchangeFunc) (SoupMessage *message, GBytes *body,
    const GError *error, gpointer user_data);

/* message (transfer full). max_bytes: of an answer below 300; of others a
 * beginning is enough. done is called once, later. (transfer none): until
 * done, or abandon. */
DubHttpExchange *dub_http_exchange_start (SoupSession *session,
    SoupMessage *message, gsize max_bytes, DubHttpExchangeFunc done,
    gpointer user_data);
/* done will not be called. */
void dub_http_exchange_abandon (DubHttpExchange *self);

G_END_DECLS
