/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * How much may be asked in a time. Pure: time comes in. One thread.
 *
 * A DubRateLimit is a token bucket: rate requests a second on average, burst at
 * once. DubPeerLimits holds one for each peer (an address, as text), of at most
 * DUB_MAX_PEERS: when there are more, those are forgotten that have been quiet
 * long enough to have all their tokens back, and if nobody has, who comes new
 * shares one bucket with all that come new.
 */
G_BEGIN_DECLS

typedef struct {
  double rate, burst; /* rate 0: no limit */
  double tokens;
  gint64 last_us;
} DubRateLimit;

/* Full. */
void dub_rate_limit_init (DubRateLimit *self, double rate, double burst);
/* FALSE: too many; *ret_wait_s is then when the next may come, at least 1. */
gboolean dub_rate_limit_take (
    DubRateLimit *self, gint64 now_us, guint *ret_wait_s);

#define DUB_MAX_PEERS 4096

typedef struct _DubPeerLimits DubPeerLimits;

DubPeerLimits *dub_peer_limits_new (double rate, double burst);
void dub_peer_limits_free (DubPeerLimits *self);
/* As dub_rate_limit_take () of that peer. */
gboolean dub_peer_limits_take (
    DubPeerLimits *self, const char *peer, gint64 now_us, guint *ret_wait_s);
guint dub_peer_limits_count (DubPeerLimits *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubPeerLimits, dub_peer_limits_free)

G_END_DECLS
