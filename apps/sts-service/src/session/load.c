/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

DubLoadRule
dub_load_rule_default (gboolean is_echo)
{
  if (is_echo)
    return (DubLoadRule){0.5, 0.7, 0.9, 500, 1000};
  return (DubLoadRule){2, 4, 7, 500, 2000};
}

static gboolean
is_reached (double threshold, guint in_flight, guint max_inflight)
{
  double limit = threshold <= 1.0 ? threshold * max_inflight : threshold;

  return in_flight >= limit;
}

DubLoad
dub_load_rule_level (
    const DubLoadRule *rule, guint in_flight, guint max_inflight)
{
  if (in_flight == 0)
    return DUB_LOAD_NONE;
  if (is_reached (rule->high, in_flight, max_inflight))
    return DUB_LOAD_HIGH;
  if (is_reached (rule->medium, in_flight, max_inflight))
    return DUB_LOAD_MEDIUM;
  if (is_reached (rule->low, in_flight, max_inflight))
    return DUB_LOAD_LOW;
  return DUB_LOAD_NONE;
}

void
dub_load_rule_fill (
    const DubLoadRule *rule, DubLoad level, DubBackpressure *backpressure)
{
  backpressure->severity = level;
  backpressure->action = DUB_FLOW_NONE;
  backpressure->recommended_delay_ms = 0;
  if (level == DUB_LOAD_MEDIUM) {
    backpressure->action = DUB_FLOW_SLOW_DOWN;
    backpressure->recommended_delay_ms = rule->slow_down_ms;
  } else if (level == DUB_LOAD_HIGH) {
    backpressure->action = DUB_FLOW_PAUSE;
    backpressure->recommended_delay_ms = rule->pause_ms;
  }
}

gboolean
dub_load_is_due (DubLoad *level, DubLoad now, gboolean is_after_fragment)
{
  gboolean has_changed = *level != now;

  *level = now;
  return has_changed || (is_after_fragment && now >= DUB_LOAD_LOW);
}
