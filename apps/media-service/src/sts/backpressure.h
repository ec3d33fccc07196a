/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_contracts/backpressure.h>

/*
 * What the speech service asks of us, and when we stop obeying: a known server
 * says "pause" and never "none" again. So a pause ends by itself when nothing
 * of ours is in flight there, or after DUB_BACKPRESSURE_MAX_PAUSE_MS; a wish to
 * slow down is forgotten after DUB_BACKPRESSURE_MAX_SLOW_MS. Each event
 * replaces the last.
 *
 * Pure: the time is an argument.
 */
G_BEGIN_DECLS

#define DUB_BACKPRESSURE_MAX_PAUSE_MS 10000
#define DUB_BACKPRESSURE_MAX_SLOW_MS 30000

typedef struct {
  DubFlow action;
  guint delay_ms;  /* between fragments; 0 unless slowed down */
  gint64 until_ns; /* when it is forgotten */
} DubBackpressureState;

void dub_backpressure_state_apply (DubBackpressureState *state,
    const DubBackpressure *backpressure, gint64 now_ns);
/* TRUE when something has changed. */
gboolean dub_backpressure_state_update (
    DubBackpressureState *state, guint in_flight, gint64 now_ns);
/* G_MAXINT64: never. */
gint64 dub_backpressure_state_wake_ns (const DubBackpressureState *state);

G_END_DECLS
