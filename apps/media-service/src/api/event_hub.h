/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../orchestrator/orchestrator.h"

#include <gio/gio.h>

/*
 * All that happens to streams, for all who listen: what the orchestrator tells
 * is numbered, kept in a ring of the last DUB_EVENT_RING, and sent to each
 * listener as a server-sent event. One that comes back with the number of the
 * last event that it saw gets what it missed, as far as the ring reaches; a new
 * one gets the state of each stream.
 *
 * Thread: the default main context.
 */
G_BEGIN_DECLS

#define DUB_EVENT_RING 256
#define DUB_EVENT_MAX_LISTENERS 32

typedef struct _DubEventHub DubEventHub;

/* Watches the orchestrator, which must live as long. */
DubEventHub *dub_event_hub_new (DubOrchestrator *orchestrator);
void dub_event_hub_free (DubEventHub *self);

gboolean dub_event_hub_is_full (DubEventHub *self);
/* stream_id (nullable): of that stream only. last_id (nullable): as the
 * listener gave it. Sends the head of the answer as well. */
void dub_event_hub_add (DubEventHub *self, GIOStream *connection,
    const char *stream_id, const char *last_id);

/* What the orchestrator's watch is told; for tests. */
void dub_event_hub_take (DubEventHub *self, const char *stream_id,
    const char *event, JsonObject *data);
guint dub_event_hub_get_n_listeners (DubEventHub *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubEventHub, dub_event_hub_free)

G_END_DECLS
