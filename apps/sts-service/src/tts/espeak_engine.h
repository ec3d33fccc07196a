/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/engine_child.h"

/*
 * The inside of the child "espeak": espeak-ng speaks itself. It is the voice
 * of last resort, of every language, at next to no cost. The library is one
 * per process and not reentrant: hence a child.
 *
 * load:       { }
 * ready:      { "rate_hz": n }
 * synthesise: { "text", "speed": 1.0, "voice": "es+f3", "pitch": semitones }
 * result:     { "rate_hz" } + mono float32
 *
 * In a build without espeak-ng load says so.
 */
G_BEGIN_DECLS

extern const DubEngineKind dub_espeak_engine;

/*
 * For the service: what the child is to be asked for, for a name, a language
 * tag or a part of its path ("fr-fr+f3" → "roa/fr+f3"; the library itself knows
 * only some of its own tags as names). Variants, behind the +, are not looked
 * at. Asks the library once and lets go of it again. Main thread.
 * (transfer full) (nullable)
 */
char *dub_espeak_find_voice (const char *name);

G_END_DECLS
