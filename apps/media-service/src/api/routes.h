/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../orchestrator/orchestrator.h"
#include "event_hub.h"

#include "server.h"

#include <dubbing_common/rate_limit.h>
#include <dubbing_socketio/http_listener.h>
#include <libsoup/soup.h>

/*
 * What the files of routes share: the server's members and the handlers that
 * its table names. A handler answers at once, or pauses the message and
 * answers later; it never waits. Only files of this folder include this.
 *
 * Thread: the default main context.
 */
G_BEGIN_DECLS

/* Each has its own limit: a flood of one kind leaves the others alone. */
typedef enum {
  DUB_GROUP_OPEN = 0, /* no token is needed, or none was right */
  DUB_GROUP_READ,
  DUB_GROUP_WRITE,
  DUB_GROUP_HOOK,
  DUB_N_GROUPS,
} DubRouteGroup;

struct _DubApiServer {
  const DubServiceSettings *settings;
  DubOrchestrator *orchestrator;
  DubMetrics *metrics;
  DubMetric *hooks, *hook_seconds;
  SoupServer *server;
  DubHttpListener *listener;
  DubEventHub *events;
  DubRateLimit limits[DUB_N_GROUPS];
  gboolean is_stopping;
};

/* stream_id: what stood at {id}, checked; NULL where the route has none. */
typedef void (*DubApiHandler) (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id);

/* hook_routes.c: MediaMTX's events, with their own older bodies. */
void dub_hook_routes_init (DubApiServer *self);
void dub_route_ready (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id);
void dub_route_not_ready (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id);
void dub_route_on_ready (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id);
void dub_route_on_not_ready (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id);

/* info_routes.c: about the service itself. */
void dub_route_root (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id);
void dub_route_health (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id);
void dub_route_health_ready (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id);
void dub_route_metrics (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id);

/* doc_routes.c: openapi.json and a page that shows it. */
void dub_route_doc (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id);

/* page_routes.c: the operators' page, and what it must know. */
void dub_route_page_file (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id);
void dub_route_config (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id);

/* stream_routes.c */
void dub_route_list (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id);
void dub_route_create (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id);
void dub_route_get (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id);
void dub_route_change (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id);
void dub_route_delete (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id);
void dub_route_start (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id);
void dub_route_stop (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id);
void dub_route_restart (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id);
void dub_route_history (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id);

/* event_routes.c */
void dub_route_events (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id);

G_END_DECLS
