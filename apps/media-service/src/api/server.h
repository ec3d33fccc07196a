/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../orchestrator/orchestrator.h"

/*
 * The HTTP side of media-service: MediaMTX's events, the list of streams,
 * health and metrics. Every answer is made at once from what is known; nothing
 * waits for a worker.
 *
 *   POST /v1/mediamtx/events/ready | not-ready     422 for a bad body
 *   POST /hooks/mediamtx/on-ready | on-not-ready   400 for a bad body
 *   GET  /v1/streams
 *   GET  /metrics
 *   GET  /health  /health/live  /health/ready  /   never need the token
 *
 * Thread: the default main context.
 */
G_BEGIN_DECLS

typedef struct _DubApiServer DubApiServer;

/* All three must live as long. Listens at once; DUB_ERROR_UNAVAILABLE names
 * the address that is taken. */
DubApiServer *dub_api_server_new (const DubServiceSettings *settings,
    DubOrchestrator *orchestrator, DubMetrics *metrics, GError **error);
void dub_api_server_free (DubApiServer *self);

/* The port that is listened on. */
guint dub_api_server_get_port (DubApiServer *self);
/* From now on /health/ready says 503. */
void dub_api_server_set_stopping (DubApiServer *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubApiServer, dub_api_server_free)

G_END_DECLS
