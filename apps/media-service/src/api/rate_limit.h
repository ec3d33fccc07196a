/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * A token bucket: rate requests a second on average, burst at once. Pure: time
 * comes in. One thread.
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

G_END_DECLS
