/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

/* Asks one of our services, or the media server, one thing. The main thread;
 * blocks, at most three seconds. */
G_BEGIN_DECLS

/* The body, at most 1 MiB. token: (nullable), sent as Bearer. ret_status may
 * be NULL: then other than 200 is an error. (transfer full) (nullable) */
char *dub_http_get (
    const char *url, const char *token, guint *ret_status, GError **error);

typedef struct {
  const char *method, *url;
  const char *token, *body; /* (nullable); body is JSON */
} DubHttpRequest;

/* The same with any method; whatever the status, its body.
 * (transfer full) (nullable) */
char *dub_http_call (
    const DubHttpRequest *request, guint *ret_status, GError **error);

/* Does one of our services say that it is well, at path below url? name: in the
 * name that it gives itself; what else answers on its port is no service of
 * ours. FALSE: error says who answers there, and what. */
gboolean dub_http_is_service (
    const char *url, const char *path, const char *name, GError **error);

/* Is body what a service with name in its name says of its health? Pure. */
gboolean dub_http_names_service (const char *body, const char *name);

/* The "reason" in what a service says of its health. Pure. (transfer full)
 * (nullable) */
char *dub_http_reason (const char *body);

/* An answer that goes on, such as events, without a limit of time; other than
 * 200 is an error. (transfer full) (nullable) */
GInputStream *dub_http_open (
    const char *url, const char *token, GError **error);

G_END_DECLS
