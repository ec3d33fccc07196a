/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "measure.h"

/*
 * Which engines there are or could be on this machine, for `sts-service
 * measure`: those that scripts/fetch and apt bring, whatever else of their kind
 * lies in the models' and modes' folders (other sizes of Whisper, other voices
 * of Piper, other pairs of Apertium), and the servers that the settings name.
 * In each stage the better come first.
 *
 * Reads two folders; main thread.
 */
G_BEGIN_DECLS

/* (element-type DubCandidate) (transfer container); the elements' texts go with
 * it. */
GPtrArray *dub_candidates_new (const DubPipelineSettings *settings);

G_END_DECLS
