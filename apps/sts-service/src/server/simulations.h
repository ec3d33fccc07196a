/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_contracts/simulation.h>

/*
 * Echo mode: what a test asks for streams that are not its own, by name or for
 * all ("*"). Failures hold for every session of the stream, now and later,
 * until others are asked for; a disconnect is for those that are there.
 *
 * Owner's thread only.
 */
G_BEGIN_DECLS

typedef struct _DubConnection DubConnection;
typedef struct _DubSimulations DubSimulations;

DubSimulations *dub_simulations_new (void);
void dub_simulations_free (DubSimulations *self);

/* connection: borrowed until it is removed */
void dub_simulations_add (DubSimulations *self, DubConnection *connection);
void dub_simulations_remove (DubSimulations *self, DubConnection *connection);

/* simulation (transfer full); its stream_id is set. Of too many streams the
 * newest is refused. */
void dub_simulations_set (DubSimulations *self, DubErrorSimulation *simulation);
/* By name, else what was asked for all. (transfer none) (nullable) */
DubErrorSimulation *dub_simulations_find (
    DubSimulations *self, const char *stream_id);
void dub_simulations_disconnect (
    DubSimulations *self, const DubSimulateDisconnect *simulate);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubSimulations, dub_simulations_free)

G_END_DECLS
