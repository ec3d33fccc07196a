/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Who asks, where a reverse proxy stands between: by the header X-Forwarded-For
 * of proxies that the operator has named, and of nobody else, since anyone can
 * write one. Pure, and immutable once made.
 *
 * A proxy adds the address that it was asked from at the end of the header. It
 * is read from there: addresses of named proxies are passed over, the first
 * other one is who asks. What stands before it is his own word.
 *
 * Any thread.
 */
G_BEGIN_DECLS

#define DUB_MAX_PROXIES 64
/* Longer headers are not read. */
#define DUB_MAX_FORWARDED 2048

typedef struct _DubProxies DubProxies;

/* list: (nullable): addresses and networks, "127.0.0.1, 10.0.0.0/8, ::1". NULL
 * with DUB_ERROR_INVALID when one of them is neither. */
DubProxies *dub_proxies_parse (const char *list, GError **error);
void dub_proxies_free (DubProxies *proxies);

/* The address that asks, as text. proxies: (nullable): there are none. peer:
 * (nullable): who holds the connection.
 * forwarded: (nullable): the header's values, in order, joined by commas.
 * (transfer full) */
char *dub_proxies_client (
    DubProxies *proxies, const char *peer, const char *forwarded);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubProxies, dub_proxies_free)

G_END_DECLS
