/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "frame.h"

#include <dubbing_common/metrics.h>

/*
 * The service's side of one engine child: it starts the child, keeps it, and
 * asks it one thing at a time.
 *
 *   request → queue → child → done        first the one that is due first
 *                       │ dies, or is kill_after_ms past a deadline
 *                       └→ SIGKILL, its request fails, the next child starts
 *
 * A library that hangs or ends its process costs the fragment it was given
 * and the time to load the model again, nothing else: what waits in the queue
 * goes to the next child.
 *
 * When a child does not even load, its requests fail at once with what it
 * said, until one loads.
 *
 * A request whose deadline passes gets DUB_ERROR_TIMEOUT at that moment,
 * wherever it is. done is called exactly once, never from inside
 * dub_engine_client_request (), and not at all after cancel.
 *
 * Everything on the thread-default main context of the creating thread;
 * nothing blocks.
 */
G_BEGIN_DECLS

typedef enum {
  DUB_ENGINE_NONE = 0,
  DUB_ENGINE_STARTING, /* spawned, loading its model */
  DUB_ENGINE_READY,
  DUB_ENGINE_WAITING, /* died; a new one starts after a pause */
  DUB_ENGINE_STOPPED, /* being freed */
} DubEngineState;
const char *dub_engine_state_to_string (DubEngineState state);

typedef struct {
  const char *name;        /* "whisper": in messages */
  const char *const *argv; /* of the child; fd 3 is its socket */
  JsonObject *load;        /* its settings, for the "load" frame */
  guint load_timeout_ms;   /* 60000: a model on a cold disk */
  guint kill_after_ms;     /* 2000: past a deadline */
  guint backoff_min_ms;    /* 250; doubles with each start that fails */
  guint backoff_max_ms;    /* 10000 */
  DubMetrics *metrics;     /* (nullable) */
  guint max_queue;         /* 64 requests; then DUB_ERROR_OVERLOADED */
} DubEngineClientSettings;
void dub_engine_client_settings_init (DubEngineClientSettings *settings);

typedef struct _DubEngineClient DubEngineClient;

/* Starts the first child at once. Cannot fail: a child that does not start is
 * tried again, and is_ready says why. */
DubEngineClient *dub_engine_client_new (
    const DubEngineClientSettings *settings);
/* Kills the child. Requests that wait get DUB_ERROR_DISCONNECTED now. */
void dub_engine_client_free (DubEngineClient *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubEngineClient, dub_engine_client_free)

/* The answer, or NULL and why (DUB_ERROR_TIMEOUT, DUB_ERROR_ENGINE: the child
 * failed or died on it, DUB_ERROR_OVERLOADED, ...). */
typedef void (*DubEngineDoneFunc) (
    const DubFrame *answer, const GError *error, gpointer user_data);

/* frame (transfer full). deadline_ns: CLOCK_MONOTONIC. Returns its id. */
guint64 dub_engine_client_request (DubEngineClient *self, DubFrame *frame,
    gint64 deadline_ns, DubEngineDoneFunc done, gpointer user_data);
/* Gives back the request's user_data, or NULL for an id that was answered. A
 * request that the child already works on is finished there and its answer
 * thrown away. */
gpointer dub_engine_client_cancel (DubEngineClient *self, guint64 id);

DubEngineState dub_engine_client_get_state (DubEngineClient *self);
gboolean dub_engine_client_is_ready (DubEngineClient *self, GError **error);
/* What the child said of itself when it was ready. (nullable) */
const DubFrame *dub_engine_client_get_hello (DubEngineClient *self);
/* Requests that wait or are worked on. */
guint dub_engine_client_get_depth (DubEngineClient *self);
/* Children that were lost after they had been ready. */
guint dub_engine_client_get_restarts (DubEngineClient *self);
/* Of the child that lives; 0: none. For tests and metrics. */
int dub_engine_client_get_pid (DubEngineClient *self);

G_END_DECLS
