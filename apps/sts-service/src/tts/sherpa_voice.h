/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/frame.h"

#include <sherpa-onnx/c-api/c-api.h>

/*
 * What the children "piper" and "kokoro" share: phonemes of espeak-ng through
 * one network of sherpa-onnx, sentence by sentence, to the frame that answers.
 *
 * request:    { "text", "speed": 1.0, "deadline_ns" }
 * result:     { "rate_hz", "unknown": code points that the voice lacks }
 *             + mono float32
 *
 * One thread, the child's. Its files are checked before (onnx_check.h), since
 * sherpa-onnx ends the process over some that are not what it wants.
 */
G_BEGIN_DECLS

typedef struct _DubSherpaVoice DubSherpaVoice;

/* tokens_path: the table of symbols that config names too. */
DubSherpaVoice *dub_sherpa_voice_new (const SherpaOnnxOfflineTtsConfig *config,
    const char *tokens_path, guint rate_hz, GError **error);
void dub_sherpa_voice_free (DubSherpaVoice *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubSherpaVoice, dub_sherpa_voice_free)

/* What the first use builds, built at once. */
gboolean dub_sherpa_voice_warm_up (DubSherpaVoice *self, GError **error);

/* In the language that dub_phonemes_open () was last told; speaker is the
 * number of one in the model. (transfer full) (nullable) */
DubFrame *dub_sherpa_voice_answer (DubSherpaVoice *self,
    const DubFrame *request, guint speaker, GError **error);

G_END_DECLS
