/* SPDX-License-Identifier: Apache-2.0 */
#include "circuit_breaker.h"

const char *
dub_breaker_state_to_string (DubBreakerState state)
{
  static const char *const names[] = {"closed", "half-open", "open"};

  return state < G_N_ELEMENTS (names) ? names[state] : "none";
}

void
dub_circuit_breaker_init (DubCircuitBreaker *self)
{
  *self = (DubCircuitBreaker){.state = DUB_BREAKER_CLOSED};
}

static guint
max_row (const DubCircuitBreaker *self)
{
  return self->max_row > 0 ? self->max_row : DUB_BREAKER_FAILURES;
}

static gint64
open_ns (const DubCircuitBreaker *self)
{
  return self->open_ns > 0 ? self->open_ns : DUB_BREAKER_OPEN_NS;
}

static void
set_state (DubCircuitBreaker *self, DubBreakerState state, gint64 now_ns)
{
  self->state = state;
  self->n_transitions++;
  self->row = 0;
  self->is_probing = FALSE;
  if (state == DUB_BREAKER_OPEN)
    self->opened_ns = now_ns;
}

DubBreakerPass
dub_circuit_breaker_peek (DubCircuitBreaker *self, gint64 now_ns)
{
  if (self->state == DUB_BREAKER_OPEN &&
      now_ns - self->opened_ns >= open_ns (self))
    set_state (self, DUB_BREAKER_HALF_OPEN, now_ns);
  if (self->state == DUB_BREAKER_CLOSED)
    return DUB_BREAKER_PASS_ORDINARY;
  if (self->state == DUB_BREAKER_HALF_OPEN && !self->is_probing)
    return DUB_BREAKER_PASS_PROBE;
  return DUB_BREAKER_PASS_NONE;
}

DubBreakerPass
dub_circuit_breaker_take (DubCircuitBreaker *self, gint64 now_ns)
{
  DubBreakerPass pass = dub_circuit_breaker_peek (self, now_ns);

  if (pass == DUB_BREAKER_PASS_PROBE)
    self->is_probing = TRUE;
  return pass;
}

static void
note_ordinary (DubCircuitBreaker *self, DubBreakerResult result, gint64 now_ns)
{
  if (self->state != DUB_BREAKER_CLOSED)
    return;
  if (result == DUB_BREAKER_RESULT_SUCCESS)
    self->row = 0;
  else if (result == DUB_BREAKER_RESULT_FAILURE &&
           ++self->row >= max_row (self))
    set_state (self, DUB_BREAKER_OPEN, now_ns);
}

static void
note_probe (DubCircuitBreaker *self, DubBreakerResult result, gint64 now_ns)
{
  self->is_probing = FALSE;
  if (result == DUB_BREAKER_RESULT_SUCCESS)
    set_state (self, DUB_BREAKER_CLOSED, now_ns);
  else if (result == DUB_BREAKER_RESULT_FAILURE)
    set_state (self, DUB_BREAKER_OPEN, now_ns);
}

void
dub_circuit_breaker_give_back (DubCircuitBreaker *self, DubBreakerPass pass,
    DubBreakerResult result, gint64 now_ns)
{
  if (result == DUB_BREAKER_RESULT_FAILURE)
    self->n_failures++;
  if (pass == DUB_BREAKER_PASS_PROBE)
    note_probe (self, result, now_ns);
  else
    note_ordinary (self, result, now_ns);
}

void
dub_circuit_breaker_service_ready (DubCircuitBreaker *self)
{
  if (self->state == DUB_BREAKER_OPEN)
    set_state (self, DUB_BREAKER_HALF_OPEN, 0);
}
