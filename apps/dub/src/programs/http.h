/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Asks one of our services, or the media server, one thing. The main thread;
 * blocks, at most three seconds. */
G_BEGIN_DECLS

/* The body, at most 1 MiB. token: (nullable), sent as Bearer. ret_status may
 * be NULL: then other than 200 is an error. (transfer full) (nullable) */
char *dub_http_get (
    const char *url, const char *token, guint *ret_status, GError **error);

G_END_DECLS
