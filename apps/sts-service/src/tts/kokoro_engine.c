/* SPDX-License-Identifier: Apache-2.0 */
#include "kokoro_engine.h"

#include "onnx_check.h"
#include "phonemes.h"
#include "sherpa_voice.h"

#include <dubbing_common/error.h>
#include <string.h>

#define RATE_HZ 24000

typedef struct {
  DubSherpaVoice *voice;
  char **speakers;
} Kokoro;

static void
kokoro_unload (gpointer state)
{
  Kokoro *self = state;

  dub_sherpa_voice_free (self->voice);
  g_strfreev (self->speakers);
  g_free (self);
}

static DubSherpaVoice *
open_voice (const DubFrame *settings, GError **error)
{
  SherpaOnnxOfflineTtsConfig config;

  memset (&config, 0, sizeof config);
  config.model.kokoro.model = dub_frame_get_string (settings, "model", "");
  config.model.kokoro.voices = dub_frame_get_string (settings, "voices", "");
  config.model.kokoro.tokens = dub_frame_get_string (settings, "tokens", "");
  config.model.kokoro.length_scale = 1;
  config.model.num_threads =
      (int32_t) CLAMP (dub_frame_get_int (settings, "threads", 1), 1, 64);
  config.max_num_sentences = 1;
  return dub_sherpa_voice_new (
      &config, config.model.kokoro.tokens, RATE_HZ, error);
}

static gpointer
kokoro_load (const DubFrame *settings, JsonObject *ready, GError **error)
{
  Kokoro *self = g_new0 (Kokoro, 1);

  if (dub_onnx_check_kokoro (dub_frame_get_string (settings, "model", ""),
          dub_frame_get_string (settings, "voices", ""), &self->speakers,
          error) &&
      dub_phonemes_open ("en-us", error) &&
      (self->voice = open_voice (settings, error)) != NULL &&
      dub_sherpa_voice_warm_up (self->voice, error)) {
    json_object_set_int_member (ready, "rate_hz", RATE_HZ);
    return self;
  }
  kokoro_unload (self);
  return NULL;
}

static gint
find_speaker (const Kokoro *self, const char *name)
{
  for (gint i = 0; self->speakers[i] != NULL; i++)
    if (g_str_equal (self->speakers[i], name))
      return i;
  return -1;
}

static DubFrame *
kokoro_handle (gpointer state, const DubFrame *request, GError **error)
{
  Kokoro *self = state;
  const char *name = dub_frame_get_string (request, "voice", "");
  gint speaker = find_speaker (self, name);

  if (speaker < 0) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND,
        "Kokoro has no voice '%s'", name);
    return NULL;
  }
  if (!dub_phonemes_open (
          dub_frame_get_string (request, "espeak_voice", "en-us"), error))
    return NULL;
  return dub_sherpa_voice_answer (self->voice, request, (guint) speaker, error);
}

const DubEngineKind dub_kokoro_engine = {
    .kind = "kokoro",
    .load = kokoro_load,
    .handle = kokoro_handle,
    .unload = kokoro_unload,
};
