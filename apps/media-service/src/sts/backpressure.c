/* SPDX-License-Identifier: Apache-2.0 */
#include "backpressure.h"

#include <dubbing_common/clock.h>

static guint
default_delay_ms (DubLoad severity)
{
  if (severity == DUB_LOAD_HIGH)
    return 1000;
  return severity == DUB_LOAD_LOW ? 100 : 500;
}

void
dub_backpressure_state_apply (DubBackpressureState *state,
    const DubBackpressure *backpressure, gint64 now_ns)
{
  guint delay_ms = backpressure->recommended_delay_ms;

  *state = (DubBackpressureState){.action = backpressure->action};
  switch (backpressure->action) {
    case DUB_FLOW_SLOW_DOWN:
      state->delay_ms =
          delay_ms ? delay_ms : default_delay_ms (backpressure->severity);
      state->until_ns = now_ns + DUB_BACKPRESSURE_MAX_SLOW_MS * DUB_NS_PER_MS;
      break;
    case DUB_FLOW_PAUSE:
      state->until_ns = now_ns + DUB_BACKPRESSURE_MAX_PAUSE_MS * DUB_NS_PER_MS;
      break;
    case DUB_FLOW_NONE:
    default:
      break;
  }
}

gboolean
dub_backpressure_state_update (
    DubBackpressureState *state, guint in_flight, gint64 now_ns)
{
  gboolean is_idle_pause = state->action == DUB_FLOW_PAUSE && in_flight == 0;

  if (state->action == DUB_FLOW_NONE)
    return FALSE;
  if (!is_idle_pause && now_ns < state->until_ns)
    return FALSE;
  *state = (DubBackpressureState){.action = DUB_FLOW_NONE};
  return TRUE;
}

gint64
dub_backpressure_state_wake_ns (const DubBackpressureState *state)
{
  return state->action == DUB_FLOW_NONE ? G_MAXINT64 : state->until_ns;
}
