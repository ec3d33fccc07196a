/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_contracts/simulation.h>

/*
 * Echo mode: which rule of config:error_simulation a fragment meets.
 * nth: how many fragments the session has accepted, this one included.
 * The first rule that matches, by value and type; one with a count is used up.
 * (transfer none) (nullable)
 */
G_BEGIN_DECLS

const DubErrorRule *dub_error_simulation_meet (DubErrorSimulation *simulation,
    guint64 sequence_number, const char *fragment_id, guint64 nth);

G_END_DECLS
