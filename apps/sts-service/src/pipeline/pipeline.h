/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "settings.h"

#include "asr/asr.h"
#include "translation/translation.h"
#include "tts/tts.h"

#include <dubbing_common/metrics.h>
#include <sts_service/processor.h>

/*
 * The processor that translates speech:
 *
 *   read → recognise (and translate) → translate → synthesise → fit → reply
 *   lane   child "whisper"             provider    child "piper"  lane
 *
 * Each stage has its own queue and its own deadline, never later than the
 * job's; a job whose time has passed is dropped where it stands, with
 * TIMEOUT. Jobs overtake one another; the session puts them in order.
 *
 * What is no speech (guards.h) is answered for our own peers, which ask for
 * pcm_s16le, as failed / NO_SPEECH, not retryable: the original stays as it
 * is. Peers of the older design get what they expect, success with empty
 * texts and silence.
 *
 * Main thread only.
 */
G_BEGIN_DECLS

/* Starts the engines. DUB_ERROR_NOT_FOUND for a provider that is not in this
 * build; a model that is missing shows in is_ready. metrics: (nullable).
 * (transfer full) (nullable) */
DubProcessor *dub_pipeline_new (
    const DubPipelineSettings *settings, DubMetrics *metrics, GError **error);

/* The same with engines that were made elsewhere: for tests. asr, translator,
 * tts (transfer full). */
DubProcessor *dub_pipeline_new_with (const DubPipelineSettings *settings,
    DubMetrics *metrics, DubAsr *asr, DubTranslator *translator, DubTts *tts);

/* Only its synthesiser: for a command that speaks. (transfer full) */
DubTts *dub_pipeline_start_tts (
    const DubPipelineSettings *settings, DubMetrics *metrics, GError **error);

/* What this build can do, a line per stage, with the licence where it binds
 * the binary. (transfer full) */
char *dub_pipeline_features (void);

G_END_DECLS
