/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/clock.h>

/*
 * What is to happen with one stream, as pure logic: events come in with their
 * time, orders go out through the functions below, and tick () is called when
 * next_ns () says so. No process, socket or clock here.
 *
 *            ready            media comes in
 *     idle ────────▶ starting ────────────▶ running
 *      ▲              │  ▲  │  worker died     │ │
 *      │              │  └──┼──────────────────┘ │
 *      │     stopped ◀┘     ▼                    │
 *      └──────┴◀──────── stopping ◀──────────────┘ grace over, operator
 *
 * A worker that dies is started again: at once, then after 1, 2, 4 ... 30 s;
 * after 6 times in 10 minutes the stream is degraded: it is tried each minute
 * only, until a new publisher or an operator starts it afresh.
 *
 * A publisher that goes has the grace period to return; then its session, and
 * with it the timeline, goes on. Events may come late, twice or out of order:
 * a not-ready of another source than the current one is an old one.
 *
 * One thread. Orders are given from within the calls; the functions must not
 * call back into the stream.
 */
G_BEGIN_DECLS

typedef enum {
  DUB_STREAM_NONE = 0,
  DUB_STREAM_IDLE,
  DUB_STREAM_STARTING, /* a worker was ordered, or waits to be ordered again */
  DUB_STREAM_RUNNING,
  DUB_STREAM_STOPPING, /* a worker was told to end, and has not yet */
  DUB_STREAM_STOPPED,
} DubStreamState;
const char *dub_stream_state_to_string (DubStreamState state);

typedef struct _DubStream DubStream;

typedef struct {
  /* From the start on there is a worker, until worker_exited () is called,
   * also when it could not even be started. */
  void (*start) (DubStream *stream, gpointer user_data);
  void (*stop) (DubStream *stream, gpointer user_data); /* in order */
  void (*kill) (DubStream *stream, gpointer user_data); /* it did not */
  void (*reconnect) (DubStream *stream, gpointer user_data);
  void (*changed) (DubStream *stream, DubStreamState from, DubStreamState to,
      gpointer user_data);
} DubStreamFuncs;

typedef struct {
  gint64 grace_ns;
  gint64 stop_timeout_ns;
} DubStreamParams;

/* funcs is not copied. */
DubStream *dub_stream_new (const DubStreamParams *params,
    const DubStreamFuncs *funcs, gpointer user_data);
void dub_stream_free (DubStream *stream);

/* source_id: (nullable): unknown. FALSE: an old event that changes nothing. */
gboolean dub_stream_ready (
    DubStream *stream, const char *source_id, gint64 now_ns);
gboolean dub_stream_not_ready (
    DubStream *stream, const char *source_id, gint64 now_ns);
/* An operator's, or our own end: no grace. */
void dub_stream_stop (DubStream *stream, gint64 now_ns);
/* Ends the worker and starts another (its settings have changed). */
void dub_stream_replace (DubStream *stream, gint64 now_ns);
/* A worker was found that already runs. Idle streams only. */
void dub_stream_adopt (DubStream *stream, gint64 now_ns);

void dub_stream_worker_running (DubStream *stream, gint64 now_ns);
void dub_stream_worker_exited (DubStream *stream, gint64 now_ns);

/* When to call tick () next, DUB_TIME_NONE: never. */
gint64 dub_stream_next_ns (DubStream *stream);
void dub_stream_tick (DubStream *stream, gint64 now_ns);

DubStreamState dub_stream_get_state (DubStream *stream);
gboolean dub_stream_is_degraded (DubStream *stream, gint64 now_ns);
gboolean dub_stream_in_grace (DubStream *stream);
/* Since the session began. */
guint dub_stream_get_restarts (DubStream *stream);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubStream, dub_stream_free)

G_END_DECLS
