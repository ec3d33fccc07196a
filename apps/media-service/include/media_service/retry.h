/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * How long to wait before an attempt to reach our own media server again:
 * 0.25, 0.5 and 1 s, then every 2 s (design: ingest and publish).
 *
 * Any thread.
 */
static inline guint
dub_retry_wait_ms (guint attempt)
{
  return attempt < 3 ? 250u << attempt : 2000u;
}

/*
 * The same for a server of others: 1, 2, 4, 8, 16, then 30 s, each spread by a
 * quarter up and down, so that not all come back at once. chance: 0 to 1.
 *
 * Any thread.
 */
static inline guint
dub_retry_foreign_ms (guint attempt, double chance)
{
  double wait_ms = attempt < 5 ? 1000.0 * (1u << attempt) : 30000.0;

  return (guint) CLAMP (wait_ms * (0.75 + 0.5 * chance), 1000.0, 30000.0);
}
