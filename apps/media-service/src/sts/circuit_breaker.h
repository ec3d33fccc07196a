/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/clock.h>

/*
 * Whether a fragment may be sent to a speech service that keeps failing. Who
 * sends asks for a pass, and gives each pass back with what became of it,
 * exactly once.
 *
 *   state      what happens                               next
 *   ---------  -----------------------------------------  ---------
 *   closed     a failure, the 5th in a row                open
 *   closed     a success (the row begins anew), neutral   closed
 *   open       30 s have passed                           half-open
 *   open       the service is ready again after a loss    half-open
 *   open       anything of a pass from before             open
 *   half-open  one pass is given: the probe               half-open
 *   half-open  the probe succeeds                         closed
 *   half-open  the probe fails                            open
 *   half-open  the probe ends neutral; the next one asks  half-open
 *   half-open  anything of a pass from before             half-open
 *
 * A failure is a timeout, or an answer that says something about the service's
 * health. Neutral is what says nothing about it: bad input, a lost connection.
 *
 * Pure: the time is an argument. One owner.
 */
G_BEGIN_DECLS

#define DUB_BREAKER_FAILURES 5
#define DUB_BREAKER_OPEN_NS (30 * DUB_NS_PER_S)

/* The numbers are those of the metric. */
typedef enum {
  DUB_BREAKER_CLOSED = 0,
  DUB_BREAKER_HALF_OPEN = 1,
  DUB_BREAKER_OPEN = 2,
} DubBreakerState;
const char *dub_breaker_state_to_string (DubBreakerState state);

typedef enum {
  DUB_BREAKER_PASS_NONE = 0, /* do not send */
  DUB_BREAKER_PASS_ORDINARY,
  DUB_BREAKER_PASS_PROBE,
} DubBreakerPass;

typedef enum {
  DUB_BREAKER_RESULT_NEUTRAL = 0,
  DUB_BREAKER_RESULT_SUCCESS,
  DUB_BREAKER_RESULT_FAILURE,
} DubBreakerResult;

typedef struct {
  DubBreakerState state;
  guint row; /* failures since the last success */
  gint64 opened_ns;
  gboolean is_probing;
  guint64 n_failures, n_transitions; /* since the start */
  guint max_row;  /* failures that open it; 0: DUB_BREAKER_FAILURES */
  gint64 open_ns; /* how long; 0: DUB_BREAKER_OPEN_NS */
} DubCircuitBreaker;

/* All zero is a closed one. */
void dub_circuit_breaker_init (DubCircuitBreaker *self);

/* What a take would give, without taking it. */
DubBreakerPass dub_circuit_breaker_peek (
    DubCircuitBreaker *self, gint64 now_ns);
DubBreakerPass dub_circuit_breaker_take (
    DubCircuitBreaker *self, gint64 now_ns);
void dub_circuit_breaker_give_back (DubCircuitBreaker *self,
    DubBreakerPass pass, DubBreakerResult result, gint64 now_ns);
/* The service said that it is ready, after a loss. */
void dub_circuit_breaker_service_ready (DubCircuitBreaker *self);

G_END_DECLS
