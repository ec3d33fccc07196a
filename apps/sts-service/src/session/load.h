/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_contracts/backpressure.h>

/*
 * When to tell a worker that it sends too much. A threshold up to 1 is a share
 * of the session's max_inflight, above it a count of fragments.
 *
 * An event is due when the level changes, up or down, and the last one is
 * always "none", so that no worker stays paused. In echo mode one is due after
 * every fragment from level low on, as test suites expect of that mode.
 *
 * Pure; not thread-safe.
 */
G_BEGIN_DECLS

typedef struct {
  double low, medium, high; /* rising */
  guint slow_down_ms;
  guint pause_ms;
} DubLoadRule;

/* Shares 0.5, 0.7, 0.9 in echo mode; counts 2, 4, 7 otherwise. */
DubLoadRule dub_load_rule_default (gboolean is_echo);
DubLoad dub_load_rule_level (
    const DubLoadRule *rule, guint in_flight, guint max_inflight);
/* Fills severity, action and delay for a level. */
void dub_load_rule_fill (
    const DubLoadRule *rule, DubLoad level, DubBackpressure *backpressure);

/* TRUE when an event is due. level: the last one told; is updated. */
gboolean dub_load_is_due (
    DubLoad *level, DubLoad now, gboolean is_after_fragment);

G_END_DECLS
