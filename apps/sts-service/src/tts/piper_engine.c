/* SPDX-License-Identifier: Apache-2.0 */
#include "piper_engine.h"

#include "onnx_check.h"
#include "phonemes.h"
#include "sherpa_voice.h"

#include <string.h>

/* What Piper's own configuration files have for almost every voice. */
#define NOISE_SCALE 0.667f
#define NOISE_SCALE_W 0.8f

static DubSherpaVoice *
open_voice (const DubFrame *settings, guint rate_hz, GError **error)
{
  SherpaOnnxOfflineTtsConfig config;

  memset (&config, 0, sizeof config);
  config.model.vits.model = dub_frame_get_string (settings, "model", "");
  config.model.vits.tokens = dub_frame_get_string (settings, "tokens", "");
  config.model.vits.noise_scale = NOISE_SCALE;
  config.model.vits.noise_scale_w = NOISE_SCALE_W;
  config.model.vits.length_scale = 1;
  config.model.num_threads =
      (int32_t) CLAMP (dub_frame_get_int (settings, "threads", 1), 1, 64);
  config.max_num_sentences = 1;
  return dub_sherpa_voice_new (
      &config, config.model.vits.tokens, rate_hz, error);
}

static gpointer
piper_load (const DubFrame *settings, JsonObject *ready, GError **error)
{
  const char *espeak_voice =
      dub_frame_get_string (settings, "espeak_voice", "en-us");
  guint rate_hz = 0;
  g_autoptr (DubSherpaVoice) voice = NULL;

  if (!dub_onnx_check_piper (
          dub_frame_get_string (settings, "model", ""), &rate_hz, error) ||
      !dub_phonemes_open (espeak_voice, error))
    return NULL;
  voice = open_voice (settings, rate_hz, error);
  if (voice == NULL || !dub_sherpa_voice_warm_up (voice, error))
    return NULL;
  json_object_set_int_member (ready, "rate_hz", rate_hz);
  return g_steal_pointer (&voice);
}

static DubFrame *
piper_handle (gpointer state, const DubFrame *request, GError **error)
{
  return dub_sherpa_voice_answer (state, request, 0, error);
}

static void
piper_unload (gpointer state)
{
  dub_sherpa_voice_free (state);
}

const DubEngineKind dub_piper_engine = {
    .kind = "piper",
    .load = piper_load,
    .handle = piper_handle,
    .unload = piper_unload,
};
