/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/engine_child.h"

/*
 * The inside of the child "moonshine": a Moonshine model through sherpa-onnx.
 * English only, and it does not tell how sure it is.
 *
 * load:      { "folder": path of encoder_model.ort, decoder_model_merged.ort
 *              and tokens.txt, "threads": n }
 * recognise: {} + mono float32 at 16 kHz, at most 30 s
 * result:    { "text" }
 *
 * In a build without sherpa-onnx load says so.
 */
G_BEGIN_DECLS

#define DUB_MOONSHINE_RATE_HZ 16000
#define DUB_MOONSHINE_MAX_MS 30000

extern const DubEngineKind dub_moonshine_engine;

G_END_DECLS
