/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/metrics.h>
#include <dubbing_common/proxies.h>
#include <gio/gio.h>
#include <sts_service/processor.h>

#include "session/session.h"

/*
 * The network side of sts-service: Socket.IO on /socket.io/ and /ws/sts, one
 * session per connection, and for operators GET /health, /health/ready and
 * /metrics.
 *
 * Each peer (an address) may ask for so much a second: over that its requests
 * and handshakes get 429 with Retry-After, before anything else of them is
 * looked at.
 *
 * Runs on the main context of the thread that made it and never blocks it: an
 * ack leaves before a processor has seen the fragment.
 */
G_BEGIN_DECLS

typedef struct {
  const char *host;
  guint16 port;                 /* 0: any free one */
  const char *service_name;     /* of /health: "echo-sts", "full-sts-service" */
  const char *api_key;          /* (nullable) */
  const char *metrics_token;    /* (nullable): for /metrics and nothing else */
  GTlsCertificate *certificate; /* (nullable): plain HTTP */
  gsize max_message_bytes;
  guint max_connections;
  guint requests_per_s; /* of one address; 0: no limit */
  DubProxies *proxies;  /* (nullable): whose word for an address counts */
  guint ping_interval_ms;
  guint ping_timeout_ms;
  DubSessionSettings session;
} DubStsServerSettings;

typedef struct _DubStsServer DubStsServer;

/* settings are kept, not copied; processor (transfer none) must live longer.
 * Listens at once. (nullable) */
DubStsServer *dub_sts_server_new (const DubStsServerSettings *settings,
    DubProcessor *processor, DubMetrics *metrics, GError **error);
/* Closes every connection. */
void dub_sts_server_free (DubStsServer *server);
guint16 dub_sts_server_get_port (DubStsServer *server);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubStsServer, dub_sts_server_free)

G_END_DECLS
