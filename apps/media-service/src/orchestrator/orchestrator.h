/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/metrics.h>
#include <json-glib/json-glib.h>

#include "settings.h"
#include "stream_settings.h"

/*
 * Keeps one worker per stream, as publishers come and go and operators say.
 * Each stream's decisions are a DubStream's (stream.h); here they meet
 * processes, control sockets and timers. Nothing here waits: starts and stops
 * are ordered and their ends come as events.
 *
 * A worker is a process in its own session that is told its settings on its
 * standard input and listens at RUNTIME_DIR/<stream>.sock. It outlives us, so
 * at start we look there for workers that run already. What a worker cannot
 * tell (what operators said) is kept beside it, in <stream>.json.
 *
 * Thread: the default main context.
 */
G_BEGIN_DECLS

typedef struct _DubOrchestrator DubOrchestrator;

/* More are not kept in mind, whether they run or not. */
#define DUB_MAX_STREAMS 1000

/* Who brought the stream here. */
typedef enum {
  DUB_ORIGIN_NONE = 0,
  DUB_ORIGIN_HOOK,
  DUB_ORIGIN_API,
  DUB_ORIGIN_FILE,
} DubOrigin;

/* What became of an operator's order. */
typedef enum {
  DUB_ORDER_NONE = 0,
  DUB_ORDER_DONE,
  DUB_ORDER_LIVE,      /* a change that the running worker took */
  DUB_ORDER_RESTART,   /* a change that another worker is started for */
  DUB_ORDER_NEXT,      /* a change for the next worker, as none runs */
  DUB_ORDER_NOT_FOUND, /* there is no such stream */
  DUB_ORDER_EXISTS,
  DUB_ORDER_MAX_WORKERS,
  DUB_ORDER_MAX_STREAMS,
  DUB_ORDER_STOPPING, /* all is being stopped */
} DubOrder;

/* "state" (Stream), "figures", "segment", "gone": data is (transfer none). */
typedef void (*DubWatch) (const char *stream_id, const char *event,
    JsonObject *data, gpointer user_data);
typedef void (*DubChanged) (DubOrder order, gpointer user_data);

/* What the service itself says to every stream. (transfer full) */
DubStreamSettings *dub_orchestrator_defaults (
    const DubServiceSettings *settings);
/* settings and metrics must live as long. */
DubOrchestrator *dub_orchestrator_new (
    const DubServiceSettings *settings, DubMetrics *metrics);
/* Leaves workers that still run alone. */
void dub_orchestrator_free (DubOrchestrator *self);

/* One who is told all that happens; NULL: nobody any more. */
void dub_orchestrator_watch (
    DubOrchestrator *self, DubWatch watch, gpointer user_data);

/* Asks the media server what a stream has, for INGEST=auto, before a worker is
 * started for it. look answers by dub_orchestrator_looked (), from a later turn
 * of the loop; without an answer the worker is started half a second later. */
typedef void (*DubLook) (const char *stream_id, gpointer user_data);
void dub_orchestrator_set_look (
    DubOrchestrator *self, DubLook look, gpointer user_data);
/* is_known: FALSE: there was no good answer; what was known before counts. */
void dub_orchestrator_looked (DubOrchestrator *self, const char *stream_id,
    gboolean is_known, gboolean is_h265);

/* Takes over the workers that run, and starts again what an operator wanted. */
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
  gboolean is_h265;
} DubPresent;

/* The streams whose publisher is there, as the media server itself says:
 * starts what an event was lost for, ends what has no publisher. */
void dub_orchestrator_reconcile (
    DubOrchestrator *self, const DubPresent *streams, gsize n_streams);

/* Operators. */

/* settings: the API's layer (transfer full). starts: at once, else when a
 * publisher comes. */
DubOrder dub_orchestrator_create (DubOrchestrator *self, const char *stream_id,
    DubStreamSettings *settings, gboolean starts);
DubOrder dub_orchestrator_start (DubOrchestrator *self, const char *stream_id);
/* At once, and not again for the publisher that is there. */
DubOrder dub_orchestrator_stop (DubOrchestrator *self, const char *stream_id);
/* Also one that is degraded. */
DubOrder dub_orchestrator_restart (
    DubOrchestrator *self, const char *stream_id);
/* Stops it and forgets what operators said of it. */
DubOrder dub_orchestrator_delete (DubOrchestrator *self, const char *stream_id);
/* The API's layer of a stream as it is now. (transfer full) (nullable) */
DubStreamSettings *dub_orchestrator_get_layer (
    DubOrchestrator *self, const char *stream_id);
/* All layers, with keys; NULL id: what a new stream is told.
 * (transfer full) (nullable) */
DubStreamSettings *dub_orchestrator_get_effective (
    DubOrchestrator *self, const char *stream_id);
/* All layers as they would be with this one as the API's, whether or not there
 * is such a stream yet. (transfer full) */
DubStreamSettings *dub_orchestrator_foresee (DubOrchestrator *self,
    const char *stream_id, const DubStreamSettings *layer);
/* Another layer in its place (transfer full); done is called once, at once or
 * within a second. */
void dub_orchestrator_change (DubOrchestrator *self, const char *stream_id,
    DubStreamSettings *settings, DubChanged done, gpointer user_data);
/* The layers of STREAMS_FILE: id -> DubStreamSettings (transfer full). Streams
 * with an input_url of their own are started, those that it no longer names
 * stopped. */
void dub_orchestrator_set_file (DubOrchestrator *self, GHashTable *streams);

/* Stops all; done is called when no worker is left. */
void dub_orchestrator_stop_all (
    DubOrchestrator *self, GDestroyNotify done, gpointer user_data);

/* Of all workers that run: their last exposition each, and NULL. Brings our
 * own gauges up to date, so call it before those are written.
 * (transfer container) */
const char **dub_orchestrator_get_metrics (DubOrchestrator *self);
/* One object per stream. (transfer full) */
JsonArray *dub_orchestrator_list (DubOrchestrator *self);
/* (transfer full) (nullable) each */
JsonObject *dub_orchestrator_get (DubOrchestrator *self, const char *stream_id);
/* StreamSettings of a stream about which nothing is said. (transfer full) */
JsonObject *dub_orchestrator_get_defaults (DubOrchestrator *self);
JsonObject *dub_orchestrator_get_history (
    DubOrchestrator *self, const char *stream_id);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubOrchestrator, dub_orchestrator_free)

G_END_DECLS
