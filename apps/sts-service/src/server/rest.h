/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/metrics.h>
#include <libsoup/soup.h>
#include <sts_service/processor.h>

#include "session/session.h"

/*
 * POST /api/v1/sts/process: one fragment, without a stream, for one-off use.
 *
 *   { "source_language": "es", "target_language": "en",
 *     "voice_profile": "default", "timeout_ms": 20000,
 *     "audio": { "format": "wav", "sample_rate_hz": 48000, "channels": 1,
 *                "duration_ms": 3000, "data_base64": "..." } }
 *
 * Members are those of stream:init's config and of fragment:data, the answer
 * is that of fragment:processed with the names of the engines; a session of
 * its own checks and answers each request, so nothing is said twice. What
 * fails is answered as application/problem+json (RFC 9457) with code, stage
 * and retryable, which name the fault in the words of the protocol.
 *
 * With a key each request must bring it; without one the service listens on
 * loopback only, and so does this. Only application/json is taken, which a
 * page of another origin cannot send unasked.
 *
 * Main thread only, and it never blocks.
 */
G_BEGIN_DECLS

#define DUB_REST_PATH "/api/v1/sts/process"

typedef struct _DubRest DubRest;

/* FALSE: too many of that peer; it has been answered. */
typedef gboolean (*DubRestTimeFunc) (
    SoupServerMessage *message, gpointer user_data);
/* TRUE when header (nullable) brings the key, or none is needed. */
typedef gboolean (*DubRestAuthFunc) (const char *header, gpointer user_data);

typedef struct {
  const DubSessionSettings *session; /* lives longer */
  gsize max_body_bytes;
  guint max_requests; /* at a time; more get 429 */
  DubRestTimeFunc is_in_time;
  DubRestAuthFunc is_authorised;
  gpointer user_data;
} DubRestSettings;

/* processor lives longer; metrics: counts the answers. */
DubRest *dub_rest_new (const DubRestSettings *settings, SoupServer *soup,
    DubProcessor *processor, DubMetrics *metrics);
/* Who still waits is not answered; their connections end with the server. */
void dub_rest_free (DubRest *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubRest, dub_rest_free)

G_END_DECLS
