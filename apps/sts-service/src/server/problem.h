/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_contracts/wire_error.h>
#include <libsoup/soup.h>

/*
 * Answers in JSON, and what failed as application/problem+json (RFC 9457),
 * with code, stage and retryable in the words of the protocol.
 *
 * Main thread only.
 */
G_BEGIN_DECLS

#define DUB_JSON_TYPE "application/json"
/* libsoup has no name for it. */
#define DUB_HTTP_TOO_MANY_REQUESTS 429

typedef struct {
  guint status;
  const char *code, *stage, *detail; /* stage: (nullable) */
  gboolean is_retryable;
  guint retry_after_s; /* of what is retryable; 0: 1 */
} DubProblem;

/* object (transfer full) */
void dub_answer_json (SoupServerMessage *message, guint status,
    const char *type, JsonObject *object);
void dub_answer_problem (SoupServerMessage *message, const DubProblem *problem);
void dub_answer_wire_error (
    SoupServerMessage *message, const DubWireError *error);

/* The HTTP status for a code of the protocol (3.8). */
guint dub_problem_status_for (const char *code, gboolean is_retryable);

G_END_DECLS
