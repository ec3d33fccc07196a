/* SPDX-License-Identifier: Apache-2.0 */
#include "engine_voice.h"
#include "kokoro_engine.h"
#include "onnx_check.h"
#include "phonemes.h"

#include "engine/command.h"

#include <dubbing_common/error.h>
#include <string.h>

/* The provider "kokoro": the service's side of the child of that name. */

#define FOLDER "kokoro-v1.0-int8"
#define ENOUGH_CORES 4

/* The first letter of a voice says its language. */
static const struct {
  char letter;
  const char *espeak_voice;
} tongues[] = {
    {'a', "en-us"},
    {'b', "en-gb"},
    {'e', "es"},
    {'f', "fr"},
    {'h', "hi"},
    {'i', "it"},
    {'j', "ja"},
    {'p', "pt-br"},
    {'z', "cmn"},
};

typedef struct {
  DubTts base;
  DubEngineClient *engine;
  DubVoices *voices;
  char **speakers; /* NULL: the model is not there, or not what it should be */
} KokoroTts;

static DubTts *
kokoro_create (const DubTtsSettings *settings)
{
  KokoroTts *self = g_new0 (KokoroTts, 1);
  g_autoptr (JsonObject) load = json_object_new ();
  g_autofree char *folder =
      g_build_filename (settings->models_dir, FOLDER, NULL);
  g_autofree char *model = g_build_filename (folder, "model.onnx", NULL);
  g_autofree char *styles = g_build_filename (folder, "voices.bin", NULL);
  g_autofree char *tokens = g_build_filename (folder, "tokens.txt", NULL);

  self->base.provider = &dub_tts_kokoro;
  self->voices = dub_tts_settings_voices (settings);
  dub_onnx_check_kokoro (model, styles, &self->speakers, NULL);
  json_object_set_string_member (load, "model", model);
  json_object_set_string_member (load, "voices", styles);
  json_object_set_string_member (load, "tokens", tokens);
  json_object_set_int_member (load, "threads", settings->threads);
  self->engine = dub_engine_command_start (&(DubEngineCommand){
      settings->engine_argv, "kokoro", load, settings->metrics});
  return &self->base;
}

static void
kokoro_destroy (DubTts *base)
{
  KokoroTts *self = (KokoroTts *) base;

  dub_engine_client_free (self->engine);
  dub_voices_unref (self->voices);
  g_strfreev (self->speakers);
  g_free (self);
}

static gboolean
kokoro_is_ready (DubTts *base, GError **error)
{
  return dub_engine_client_is_ready (((KokoroTts *) base)->engine, error);
}

static gboolean
has_speaker (const KokoroTts *self, const char *name)
{
  return self->speakers != NULL &&
         g_strv_contains ((const char *const *) self->speakers, name);
}

/* In another language than its own a voice reads like a tourist: allowed, but
 * with the phonemes that it knows best. */
static const char *
espeak_voice_of (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (tongues); i++)
    if (name[0] == tongues[i].letter)
      return tongues[i].espeak_voice;
  return "en-us";
}

static gboolean
kokoro_has_voice (DubTts *base, const char *language, const char *profile)
{
  KokoroTts *self = (KokoroTts *) base;
  DubTtsRequest request = {.language = language, .voice = profile};
  const DubVoice *voice = dub_tts_find_voice (base, self->voices, &request);

  return voice != NULL && has_speaker (self, voice->voice);
}

static gboolean
kokoro_check_voice (DubTts *base, const DubVoice *voice, GError **error)
{
  KokoroTts *self = (KokoroTts *) base;

  /* Without its model it is never ready, and is_ready says why. */
  if (self->speakers == NULL || has_speaker (self, voice->voice))
    return TRUE;
  g_set_error_literal (
      error, DUB_ERROR, DUB_ERROR_NOT_FOUND, "Kokoro has no such voice");
  return FALSE;
}

static guint64
kokoro_synthesise (DubTts *base, const DubTtsRequest *request,
    DubTtsDoneFunc done, gpointer user_data)
{
  KokoroTts *self = (KokoroTts *) base;
  const DubVoice *voice = dub_tts_find_voice (base, self->voices, request);
  const char *name = voice != NULL ? voice->voice : request->language;
  JsonObject *header = json_object_new ();

  json_object_set_string_member (header, "voice", name);
  json_object_set_string_member (
      header, "espeak_voice", espeak_voice_of (name));
  return dub_engine_voice_ask (
      self->engine, header, request, voice, done, user_data);
}

static void
kokoro_cancel (DubTts *base, guint64 id)
{
  dub_engine_voice_cancel (((KokoroTts *) base)->engine, id);
}

/* Two cores are as fast as speech with it, which is too slow for a chain: it
 * is there for who names it (docs/quality.md). */
static gboolean
kokoro_is_installed (const DubTtsSettings *settings)
{
  g_autofree char *model =
      g_build_filename (settings->models_dir, FOLDER, "model.onnx", NULL);

  return dub_kokoro_engine.handle != NULL && dub_phonemes_exist () &&
         g_get_num_processors () >= ENOUGH_CORES &&
         g_file_test (model, G_FILE_TEST_IS_REGULAR);
}

const DubTtsProvider dub_tts_kokoro = {
    .name = "kokoro",
    .create = kokoro_create,
    .free = kokoro_destroy,
    .is_ready = kokoro_is_ready,
    .has_voice = kokoro_has_voice,
    .synthesise = kokoro_synthesise,
    .cancel = kokoro_cancel,
    .is_installed = kokoro_is_installed,
    .check_voice = kokoro_check_voice,
};
