/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/metrics.h>
#include <json-glib/json-glib.h>

#include "settings.h"

/*
 * Keeps one worker per stream, as publishers come and go. Each stream's
 * decisions are a DubStream's (stream.h); here they meet processes, control
 * sockets and timers. Nothing here waits: starts and stops are ordered and
 * their ends come as events.
 *
 * A worker is a process in its own session that is told its settings on its
 * standard input and listens at RUNTIME_DIR/<stream>.sock. It outlives us, so
 * at start we look there for workers that run already.
 *
 * Thread: the default main context.
 */
G_BEGIN_DECLS

typedef struct _DubOrchestrator DubOrchestrator;

/* settings and metrics must live as long. */
DubOrchestrator *dub_orchestrator_new (
    const DubServiceSettings *settings, DubMetrics *metrics);
/* Leaves workers that still run alone. */
void dub_orchestrator_free (DubOrchestrator *self);

/* Takes over the workers that run. */
void dub_orchestrator_adopt (DubOrchestrator *self);

/* A publisher came or went. source_id, query: (nullable). FALSE with
 * DUB_ERROR_OVERLOADED: there are ORCH_MAX_WORKERS streams already; with
 * DUB_ERROR_UNAVAILABLE: all is being stopped. An old or repeated event is no
 * failure. */
gboolean dub_orchestrator_ready (DubOrchestrator *self, const char *stream_id,
    const char *source_id, const char *query, GError **error);
void dub_orchestrator_not_ready (
    DubOrchestrator *self, const char *stream_id, const char *source_id);

typedef struct {
  char *stream_id;
  char *query; /* of its publisher; NULL: not known */
} DubPresent;

/* The streams whose publisher is there, as the media server itself says:
 * starts what an event was lost for, ends what has no publisher. */
void dub_orchestrator_reconcile (
    DubOrchestrator *self, const DubPresent *streams, gsize n_streams);

/* Stops all; done is called when no worker is left. */
void dub_orchestrator_stop_all (
    DubOrchestrator *self, GDestroyNotify done, gpointer user_data);

/* Of all workers that run: their last exposition each, and NULL. Brings our
 * own gauges up to date, so call it before those are written.
 * (transfer container) */
const char **dub_orchestrator_get_metrics (DubOrchestrator *self);
/* One object per stream. (transfer full) */
JsonArray *dub_orchestrator_list (DubOrchestrator *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubOrchestrator, dub_orchestrator_free)

G_END_DECLS
