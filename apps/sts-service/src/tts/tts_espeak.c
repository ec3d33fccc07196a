/* SPDX-License-Identifier: Apache-2.0 */
#include "engine_voice.h"
#include "espeak_engine.h"

#include "engine/command.h"

#include <dubbing_common/error.h>
#include <string.h>

/* The provider "espeak": the service's side of the child of that name. */

typedef struct {
  DubTts base;
  DubEngineClient *engine;
  DubVoices *voices;
} EspeakTts;

static DubTts *
espeak_create (const DubTtsSettings *settings)
{
  EspeakTts *self = g_new0 (EspeakTts, 1);
  g_autoptr (JsonObject) load = json_object_new ();

  self->base.provider = &dub_tts_espeak;
  self->voices = dub_tts_settings_voices (settings);
  self->engine = dub_engine_command_start (&(DubEngineCommand){
      settings->engine_argv, "espeak", load, settings->metrics});
  return &self->base;
}

static void
espeak_destroy (DubTts *base)
{
  EspeakTts *self = (EspeakTts *) base;

  dub_engine_client_free (self->engine);
  dub_voices_unref (self->voices);
  g_free (self);
}

static gboolean
espeak_is_ready (DubTts *base, GError **error)
{
  return dub_engine_client_is_ready (((EspeakTts *) base)->engine, error);
}

/* What it takes for letters there are none: it spells signs in English, or
 * reads consonants only. */
static gboolean
can_read (const char *tag)
{
  static const char *const illegible[] = {"zh", "cmn", "ja", "he", "my", NULL};
  g_autofree char *base = g_strndup (tag, strcspn (tag, "-"));

  return !g_strv_contains (illegible, base);
}

/* espeak-ng's own name: the file's, or the language with as much of its tag as
 * espeak-ng knows. (transfer full) (nullable) */
static char *
name_of (const DubVoice *voice, const char *language)
{
  g_autofree char *tag = g_ascii_strdown (language, -1);

  if (*voice->voice != '\0')
    return dub_espeak_find_voice (voice->voice);
  g_strdelimit (tag, "_", '-');
  if (!can_read (tag))
    return NULL;
  for (;;) {
    char *dash = strrchr (tag, '-');
    char *name = dub_espeak_find_voice (tag);
    if (name != NULL)
      return name;
    if (dash == NULL)
      return NULL;
    *dash = '\0';
  }
}

static char *
find_name (
    EspeakTts *self, const DubTtsRequest *request, const DubVoice **ret_voice)
{
  *ret_voice = dub_tts_find_voice (&self->base, self->voices, request);
  return *ret_voice != NULL ? name_of (*ret_voice, request->language) : NULL;
}

static gboolean
espeak_has_voice (DubTts *base, const char *language, const char *profile)
{
  DubTtsRequest request = {.language = language, .voice = profile};
  const DubVoice *voice = NULL;
  g_autofree char *name = find_name ((EspeakTts *) base, &request, &voice);

  return name != NULL;
}

static gboolean
espeak_check_voice (DubTts *base, const DubVoice *voice, GError **error)
{
  g_autofree char *name = NULL;

  if (g_str_equal (voice->language, "*") && *voice->voice == '\0')
    return TRUE;
  name = name_of (voice, voice->language);
  if (name == NULL)
    g_set_error_literal (
        error, DUB_ERROR, DUB_ERROR_NOT_FOUND, "espeak-ng has no such voice");
  return name != NULL;
}

static guint64
espeak_synthesise (DubTts *base, const DubTtsRequest *request,
    DubTtsDoneFunc done, gpointer user_data)
{
  EspeakTts *self = (EspeakTts *) base;
  JsonObject *header = json_object_new ();
  const DubVoice *voice = NULL;
  g_autofree char *name = find_name (self, request, &voice);

  /* A voice that is not there is the child's to refuse. */
  json_object_set_string_member (
      header, "voice", name != NULL ? name : request->language);
  json_object_set_double_member (
      header, "pitch", voice != NULL ? voice->pitch : 0);
  return dub_engine_voice_ask (
      self->engine, header, request, voice, done, user_data);
}

static void
espeak_cancel (DubTts *base, guint64 id)
{
  dub_engine_voice_cancel (((EspeakTts *) base)->engine, id);
}

static gboolean
espeak_is_installed (const DubTtsSettings *settings)
{
  return dub_espeak_engine.handle != NULL;
}

const DubTtsProvider dub_tts_espeak = {
    .name = "espeak",
    .create = espeak_create,
    .free = espeak_destroy,
    .is_ready = espeak_is_ready,
    .has_voice = espeak_has_voice,
    .synthesise = espeak_synthesise,
    .cancel = espeak_cancel,
    .is_installed = espeak_is_installed,
    .check_voice = espeak_check_voice,
};
