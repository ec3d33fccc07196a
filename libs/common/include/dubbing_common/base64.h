/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Base64 of RFC 4648, standard alphabet. Strict on the way out (padded, no
 * line breaks), lenient on white space on the way in, nothing else.
 *
 * Any thread.
 */
G_BEGIN_DECLS

/* (transfer full) */
char *dub_base64_encode (GBytes *bytes);

/*
 * Decodes length characters (-1: up to the NUL). DUB_ERROR_LIMIT when the
 * result would be larger than max_bytes, DUB_ERROR_INVALID at the first
 * character that does not belong. (transfer full) (nullable)
 */
GBytes *dub_base64_decode (
    const char *text, gssize length, gsize max_bytes, GError **error);

G_END_DECLS
