/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

/*
 * The proxies that the environment names, as curl reads them: https_proxy,
 * http_proxy, all_proxy, no_proxy, in small letters or (but for http_proxy) in
 * capitals. This machine is never reached through one. GLib's own way asks the
 * desktop's settings and libproxy, which a service has no use for.
 */
G_BEGIN_DECLS

/* environment: as from g_get_environ (). (transfer full) (nullable): none is
 * named. */
GProxyResolver *dub_http_proxy_new (char **environment);

G_END_DECLS
