/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>

/*
 * Reading an engine's JSON answer: bounded, and by paths like
 * "choices.0.message.content". Pure functions; any thread.
 */
G_BEGIN_DECLS

/* DUB_ERROR_PROTOCOL: no JSON, or no UTF-8. (transfer full) (nullable) */
JsonNode *dub_http_json_parse (GBytes *body, GError **error);

/* What is at that path; a number is an index. NULL where the answer is of
 * another shape. root: (nullable) */
JsonNode *dub_http_json_get (JsonNode *root, const char *path);
/* A string there, else NULL. Owned by root. */
const char *dub_http_json_get_string (JsonNode *root, const char *path);

/* object (transfer full) as a node. (transfer full) */
JsonNode *dub_http_json_take (JsonObject *object);
/* (transfer full) */
GBytes *dub_http_json_to_bytes (JsonNode *node);

G_END_DECLS
