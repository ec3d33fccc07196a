/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/engine_child.h"

/*
 * The inside of the child "kokoro": Kokoro-82M with all its voices through
 * sherpa-onnx, fed with phonemes of espeak-ng.
 *
 * load:       { "model": path, "voices": path, "tokens": path, "threads": n }
 * ready:      { "rate_hz": n }
 * synthesise: { "text", "speed": 1.0, "voice": "ef_dora",
 *               "espeak_voice": "es" }
 * result:     { "rate_hz", "unknown" } + mono float32
 *
 * In a build without sherpa-onnx load says so.
 */
G_BEGIN_DECLS

extern const DubEngineKind dub_kokoro_engine;

G_END_DECLS
