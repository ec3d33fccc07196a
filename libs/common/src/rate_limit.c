/* SPDX-License-Identifier: Apache-2.0 */
#include <dubbing_common/rate_limit.h>

#include <math.h>

void
dub_rate_limit_init (DubRateLimit *self, double rate, double burst)
{
  *self = (DubRateLimit){.rate = rate, .burst = burst, .tokens = burst};
}

gboolean
dub_rate_limit_take (DubRateLimit *self, gint64 now_us, guint *ret_wait_s)
{
  double passed_s = (double) (now_us - self->last_us) / G_USEC_PER_SEC;

  if (self->rate <= 0)
    return TRUE;
  if (self->last_us != 0 && passed_s > 0)
    self->tokens = MIN (self->burst, self->tokens + passed_s * self->rate);
  self->last_us = now_us;
  if (self->tokens >= 1) {
    self->tokens -= 1;
    return TRUE;
  }
  *ret_wait_s = (guint) MAX (1, ceil ((1 - self->tokens) / self->rate));
  return FALSE;
}

struct _DubPeerLimits {
  double rate, burst;
  GHashTable *peers; /* address -> DubRateLimit */
  DubRateLimit rest; /* of those that have no place */
};

DubPeerLimits *
dub_peer_limits_new (double rate, double burst)
{
  DubPeerLimits *self = g_new0 (DubPeerLimits, 1);

  self->rate = rate;
  self->burst = burst;
  self->peers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  dub_rate_limit_init (&self->rest, rate, burst);
  return self;
}

void
dub_peer_limits_free (DubPeerLimits *self)
{
  if (self == NULL)
    return;
  g_hash_table_unref (self->peers);
  g_free (self);
}

/* A bucket that is full again is as good as a new one. */
static gboolean
is_full_again (gpointer key, gpointer value, gpointer user_data)
{
  const DubRateLimit *limit = value;
  const gint64 *now_us = user_data;
  double passed_s = (double) (*now_us - limit->last_us) / G_USEC_PER_SEC;

  return limit->tokens + passed_s * limit->rate >= limit->burst;
}

/* Going through them all costs as much as 4096 requests do, so at most one in
 * a second does it. */
static DubRateLimit *
find_place (DubPeerLimits *self, const char *peer, gint64 now_us)
{
  DubRateLimit *limit = NULL;

  if (g_hash_table_size (self->peers) >= DUB_MAX_PEERS &&
      now_us - self->rest.last_us >= G_USEC_PER_SEC)
    g_hash_table_foreach_remove (self->peers, is_full_again, &now_us);
  if (g_hash_table_size (self->peers) >= DUB_MAX_PEERS)
    return &self->rest;
  limit = g_new (DubRateLimit, 1);
  dub_rate_limit_init (limit, self->rate, self->burst);
  g_hash_table_insert (self->peers, g_strdup (peer), limit);
  return limit;
}

gboolean
dub_peer_limits_take (
    DubPeerLimits *self, const char *peer, gint64 now_us, guint *ret_wait_s)
{
  DubRateLimit *limit = g_hash_table_lookup (self->peers, peer);

  if (self->rate <= 0)
    return TRUE;
  if (limit == NULL)
    limit = find_place (self, peer, now_us);
  return dub_rate_limit_take (limit, now_us, ret_wait_s);
}

guint
dub_peer_limits_count (DubPeerLimits *self)
{
  return g_hash_table_size (self->peers);
}
