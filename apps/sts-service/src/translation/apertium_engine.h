/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/engine_child.h"

/*
 * The child "apertium": keeps the programs of one language pair running, as a
 * mode file names them, and sends one sentence after the other through them.
 * No shell stands between, and each program dies with this child.
 *
 *   load      { "mode": file }
 *   translate { "text" }  →  { "text" }
 *
 * When one of the programs has died there is nothing to be saved: the child
 * ends too and the service starts the next.
 */
G_BEGIN_DECLS

extern const DubEngineKind dub_apertium_engine;

G_END_DECLS
