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
