/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <libsoup/soup.h>

#include "../orchestrator/settings.h"

/*
 * Who may ask for what: the one place of media-service that looks at tokens.
 *
 *   access   what opens it
 *   open     nothing: health, and the page without its data
 *   api      API_TOKEN
 *   metrics  METRICS_TOKEN or API_TOKEN
 *   hook     HOOK_TOKEN or API_TOKEN
 *
 * Where none of those that open it is set, it is open; then the service listens
 * on loopback alone (settings.h), and only to requests that name this machine:
 * a name that a stranger's web site has made to mean 127.0.0.1 is refused, as
 * is, whatever the token, a browser's request from a page of another site.
 *
 * Any thread.
 */
G_BEGIN_DECLS

typedef enum {
  DUB_ACCESS_OPEN = 0,
  DUB_ACCESS_API,
  DUB_ACCESS_METRICS,
  DUB_ACCESS_HOOK,
} DubAccess;

/* 0 when the request may go on; else the status that refuses it (401, 403), and
 * why. Adds the header that a 401 must have. */
guint dub_guard_check (const DubServiceSettings *settings,
    SoupServerMessage *message, DubAccess access, const char **ret_why);

/* For tests: the same by value. host, origin, authorization: the headers
 * (nullable). */
guint dub_guard_judge (const DubServiceSettings *settings, DubAccess access,
    const char *const headers[3], const char **ret_why);

G_END_DECLS
