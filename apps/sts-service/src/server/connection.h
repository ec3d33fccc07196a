/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_socketio/server.h>
#include <sts_service/processor.h>

#include "session/session.h"
#include "simulations.h"
#include "stream_metrics.h"

/*
 * One client: its socket, its session, its timer, its metrics. The socket owns
 * it; each job in the processor holds a reference, since its answer may come
 * when the client has gone.
 */
G_BEGIN_DECLS

typedef struct _DubConnection DubConnection;

/* settings, processor, metrics and simulations are kept and live longer. */
DubConnection *dub_connection_new (DubSioSocket *socket,
    const DubSessionSettings *settings, DubProcessor *processor,
    DubStreamMetrics *metrics, DubSimulations *simulations);
DubConnection *dub_connection_ref (DubConnection *connection);
void dub_connection_unref (DubConnection *connection);
void dub_connection_receive (DubConnection *connection, DubSioMessage *message);
/* (nullable) before stream:init. */
const char *dub_connection_get_stream_id (DubConnection *connection);
void dub_connection_close_in (DubConnection *connection, guint delay_ms);
/* The socket is gone; nothing is emitted any more. */
void dub_connection_lost (DubConnection *connection, const char *reason);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubConnection, dub_connection_unref)

G_END_DECLS
