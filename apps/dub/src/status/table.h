/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* media-service's list of streams as a table for people. Pure. */
G_BEGIN_DECLS

/* json: the answer to GET /v1/streams, of any origin. DUB_ERROR_INVALID when it
 * is none. (transfer full) (nullable) */
char *dub_status_table (const char *json, GError **error);

G_END_DECLS
