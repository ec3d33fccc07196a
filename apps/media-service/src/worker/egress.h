/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../publish/publish.h"

#include <json-glib/json-glib.h>

/*
 * The extra destinations of a stream: each an output of its own beside the
 * main one, with its own connection, queue and retries. Nothing that happens
 * to one is felt by another, by the stream's own output, or by the worker's
 * life; it is told by log, status and metrics, with its key left out.
 *
 *   EGRESS_DESTINATIONS ─▶ egress ─▶ dub_publish_add () of its language
 *
 * Main thread only.
 */
G_BEGIN_DECLS

/* Bytes of what is told of a failure; a server says a part of it. */
#define DUB_EGRESS_MAX_ERROR 512

typedef struct _DubEgress DubEgress;

typedef struct {
  /* Where a language is published; NULL language: the stream's first. NULL:
   * there is none of it. */
  DubPublish *(*find) (const char *language, gpointer user_data);
  /* All of them have ended, after dub_egress_expect_end (). */
  void (*on_ended) (gpointer user_data);
} DubEgressHandlers;

/* handlers is copied. */
DubEgress *dub_egress_new (const char *stream_id,
    const DubEgressHandlers *handlers, gpointer user_data);
/* Before the publishers that it found. */
void dub_egress_free (DubEgress *self);

/* What is to be from now on, as in destinations.h. Those that stay the same
 * stay connected. A failure changes nothing. */
gboolean dub_egress_set (DubEgress *self, const char *json, GError **error);

/* The publishers have been told to finish. */
void dub_egress_expect_end (DubEgress *self);
gboolean dub_egress_has_ended (const DubEgress *self);

/* [{"name", "language", "url" (redacted), "state": "waiting", "running" or
 * "stopped", "connections", "bytes", "last_error"}]; language and last_error
 * are left out where there is none. last_error is that of the last failure,
 * also while the destination runs again; it goes with the destination.
 * (transfer full) */
JsonArray *dub_egress_describe (DubEgress *self);
/* Each second. */
void dub_egress_update_metrics (DubEgress *self);
/* The egress_forwarder_ families, labels stream_id and destination.
 * (transfer full) */
char *dub_egress_metrics_to_text (DubEgress *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubEgress, dub_egress_free)

G_END_DECLS
