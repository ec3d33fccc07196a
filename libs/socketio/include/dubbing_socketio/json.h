/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>

/*
 * JSON text to json-glib's nodes and back, for text that strangers sent.
 *
 * json-glib's own reader recurses without a limit, takes more than RFC 8259
 * allows and goes through a scanner one character at a time; ours is strict,
 * bounded (DUB_SIO_JSON_MAX_DEPTH, DUB_SIO_JSON_MAX_VALUES: a node costs about
 * a hundred times the two bytes that ask for it) and copies plain runs whole.
 *
 * A NUL (\u0000) and a lone surrogate become U+FFFD, since json-glib's strings
 * end at the first NUL and are UTF-8. A whole number beyond 64 bits becomes a
 * double. The text must be valid UTF-8; it need not end with a NUL.
 *
 * Any thread.
 */
G_BEGIN_DECLS

#define DUB_SIO_JSON_MAX_DEPTH 64
#define DUB_SIO_JSON_MAX_VALUES (1u << 17)

/* DUB_ERROR_PROTOCOL or DUB_ERROR_LIMIT. (transfer full) (nullable) */
JsonNode *dub_sio_json_parse (const char *text, gsize length, GError **error);

/* Compact, UTF-8, NaN and infinity as null. */
void dub_sio_json_write (JsonNode *node, GString *to);

G_END_DECLS
