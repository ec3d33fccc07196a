/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>

/*
 * JSON objects as they come from outside, read by the bounded reader of
 * dubbing_socketio. Messages never quote the text, which may hold keys.
 *
 * Any thread.
 */
G_BEGIN_DECLS

/* One object of at most max_bytes (length -1: up to the NUL).
 * DUB_ERROR_LIMIT or DUB_ERROR_INVALID. (transfer full) (nullable) */
JsonObject *dub_json_object_parse (
    const char *text, gssize length, gsize max_bytes, GError **error);

/* On one line, without the newline. (transfer full) */
char *dub_json_object_to_line (JsonObject *object);

/* The string of a member, NULL when it is missing or something else.
 * (transfer none) (nullable) */
const char *dub_json_object_get_text (JsonObject *object, const char *name);

G_END_DECLS
