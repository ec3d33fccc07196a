/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/engine_child.h"

/*
 * The inside of the child "piper": one Piper voice through sherpa-onnx, fed
 * with phonemes of espeak-ng.
 *
 * load:       { "model": path, "tokens": path, "espeak_voice": "en-us",
 *               "threads": n }
 * ready:      { "rate_hz": n }
 * synthesise: { "text", "speed": 1.0 }
 * result:     { "rate_hz", "unknown": code points that the voice lacks }
 *             + mono float32
 *
 * In a build without sherpa-onnx load says so.
 */
G_BEGIN_DECLS

extern const DubEngineKind dub_piper_engine;

G_END_DECLS
