/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>
#include <libsoup/soup.h>

/*
 * Answers of the HTTP API. A failure is a problem detail (RFC 9457,
 * application/problem+json) whose "code" is stable, for programs; "detail" is
 * for people and may change.
 *
 * Thread: the default main context.
 */
G_BEGIN_DECLS

/* text: (transfer full) */
void dub_answer_text (
    SoupServerMessage *message, guint status, const char *type, char *text);
/* object: (transfer full) */
void dub_answer_json (
    SoupServerMessage *message, guint status, JsonObject *object);
/* {name: value}; (transfer full) */
JsonObject *dub_json_object_of (const char *name, const char *value);

/* code: not_found, method_not_allowed, unauthorized, too_large, ... */
void dub_answer_problem (SoupServerMessage *message, guint status,
    const char *code, const char *detail);
/* The same, with what is wrong in which member: pointer is a JSON pointer. */
void dub_answer_invalid (
    SoupServerMessage *message, const char *pointer, const char *detail);

G_END_DECLS
