/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * When to connect again: after 2, 4, then every 8 s, each shortened by up to a
 * fifth at random, so that many workers do not come back in one moment and
 * none comes later than its step says. Begins anew once a connection was good.
 *
 * Pure: chance is an argument.
 */
G_BEGIN_DECLS

typedef struct {
  guint failures;
} DubReconnection;

/* chance: any 32 random bits. The wait before the next attempt. */
guint dub_reconnection_next_ms (DubReconnection *reconnect, guint32 chance);
void dub_reconnection_reset (DubReconnection *reconnect);

G_END_DECLS
