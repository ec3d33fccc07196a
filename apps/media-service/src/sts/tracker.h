/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <media_service/values.h>

#include "circuit_breaker.h"

/*
 * The fragments between the cut and the answer: which are on their way, which
 * wait for a place, and until when an answer is worth having.
 *
 *   push ──▶ waiting ──▶ in flight ──▶ take_answer ──▶ the slot of the dub
 *               │            │
 *               └────────────┴──▶ fallback, with the reason, exactly once
 *
 * Every fragment that is pushed ends exactly once: in take_answer or in
 * fallback.
 *
 * - At most the smaller of our limit and the server's are in flight.
 * - One that waits for a place is given up ("overload") when its deadline, less
 *   the time that 95 % of the answers take, has passed. Where there is a place
 *   it is sent as long as its deadline is ahead.
 * - One in flight is given up ("timeout") at its deadline, or fragment_timeout
 *   after it was sent.
 * - When the link is lost, all fall back at once ("disconnected"); what comes
 *   while there is no link falls back at once ("not_ready").
 * - Paused: nothing is sent, what waits goes on waiting.
 * - While the circuit breaker lets nothing through, what waits and what comes
 *   falls back at once ("breaker_open"). A timeout and an answer that says so
 *   are failures; what a lost link takes along is none.
 *
 * Pure: no clock, no thread. One owner. send and fallback must not call back.
 */
G_BEGIN_DECLS

typedef enum {
  DUB_TRACKER_LOST = 0, /* no link: fall back at once */
  DUB_TRACKER_READY,
  DUB_TRACKER_PAUSED,
} DubTrackerState;

typedef enum {
  DUB_FALLBACK_REASON_NONE = 0,
  DUB_FALLBACK_REASON_TIMEOUT,
  DUB_FALLBACK_REASON_FAILED, /* answered so, or with nothing we can use */
  DUB_FALLBACK_REASON_OVERLOAD,
  DUB_FALLBACK_REASON_DISCONNECTED,
  DUB_FALLBACK_REASON_NOT_READY,
  DUB_FALLBACK_REASON_GONE, /* its sound has left before it could be sent */
  DUB_FALLBACK_REASON_BREAKER_OPEN,
} DubFallbackReason;
const char *dub_fallback_reason_to_string (DubFallbackReason reason);

typedef enum {
  DUB_VERDICT_NONE = 0,
  DUB_VERDICT_ACCEPTED,
  DUB_VERDICT_LATE,      /* it had timed out or fallen back */
  DUB_VERDICT_DUPLICATE, /* it has been answered already */
  DUB_VERDICT_UNKNOWN,
} DubVerdict;

typedef struct {
  guint max_inflight;
  guint max_waiting;
  gint64 fragment_timeout_ns;
  guint breaker_failures; /* as in DubCircuitBreaker; 0: its own, as below */
  gint64 breaker_open_ns;
} DubTrackerParams;

typedef struct {
  /* fragment: (transfer full) of one reference */
  void (*send) (DubFragment *fragment, gpointer user_data);
  /* fragment: borrowed for the call */
  void (*fallback) (
      DubFragment *fragment, DubFallbackReason reason, gpointer user_data);
} DubTrackerFuncs;

typedef struct _DubTracker DubTracker;

DubTracker *dub_tracker_new (const DubTrackerParams *params,
    const DubTrackerFuncs *funcs, gpointer user_data);
void dub_tracker_free (DubTracker *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubTracker, dub_tracker_free)

/* fragment: (transfer full) */
void dub_tracker_push (DubTracker *self, DubFragment *fragment, gint64 now_ns);
/* max_inflight: the server's, 0 for no opinion; send_delay_ns: least time from
 * one send to the next */
void dub_tracker_set_state (DubTracker *self, DubTrackerState state,
    guint max_inflight, gint64 send_delay_ns, gint64 now_ns);
/* The fragment that this answers, on ACCEPTED; else NULL. result: what the
 * answer says about the service. (transfer full) */
DubFragment *dub_tracker_take_answer (DubTracker *self, const char *fragment_id,
    DubBreakerResult result, gint64 now_ns, DubVerdict *ret_verdict);
/* Does what is due: sends, gives up. Next time to call, or G_MAXINT64. */
gint64 dub_tracker_run (DubTracker *self, gint64 now_ns);

/* Where the first of those that wait or fly begins, in media time; G_MAXINT64
 * for none. */
gint64 dub_tracker_oldest_ns (const DubTracker *self);
guint dub_tracker_inflight (const DubTracker *self);
guint dub_tracker_waiting (const DubTracker *self);
/* Valid as long as the tracker. */
const DubCircuitBreaker *dub_tracker_breaker (const DubTracker *self);
/* Of the last answers; 1.5 s before there is any. */
gint64 dub_tracker_answer_p95_ns (const DubTracker *self);

G_END_DECLS
