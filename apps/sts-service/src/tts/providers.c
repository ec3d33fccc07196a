/* SPDX-License-Identifier: Apache-2.0 */
#include "tts.h"

#include <dubbing_common/error.h>

const DubTtsProvider *const dub_tts_providers[] = {
    &dub_tts_piper, &dub_tts_kokoro, &dub_tts_espeak, NULL};

const DubTtsProvider *
dub_tts_provider_find (const char *name)
{
  for (guint i = 0; dub_tts_providers[i] != NULL; i++)
    if (g_strcmp0 (name, dub_tts_providers[i]->name) == 0)
      return dub_tts_providers[i];
  return NULL;
}

DubTts *
dub_tts_start (const char *name, const DubTtsSettings *settings, GError **error)
{
  const DubTtsProvider *provider = dub_tts_provider_find (name);
  const char *file =
      settings->options != NULL ? settings->options->voices_file : NULL;
  DubTts *self = NULL;

  if (provider == NULL) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND,
        "TTS_PROVIDER=%s: this build has no provider of that name", name);
    return NULL;
  }
  self = provider->create (settings);
  /* Of the built-in file not everything need be installed. */
  if (file == NULL || *file == '\0' ||
      dub_tts_check_voices (self, settings->voices, error))
    return self;
  provider->free (self);
  return NULL;
}

gboolean
dub_tts_check_voices (DubTts *self, const DubVoices *voices, GError **error)
{
  for (guint i = 0; i < dub_voices_count (voices); i++) {
    const DubVoice *voice = dub_voices_get (voices, i);
    g_autoptr (GError) local = NULL;

    if (self->provider->check_voice == NULL ||
        !g_str_equal (voice->engine, self->provider->name) ||
        self->provider->check_voice (self, voice, &local))
      continue;
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "%s, line %u: %s, voice '%s': %s", dub_voices_name (voices),
        voice->line, voice->language, voice->voice, local->message);
    return FALSE;
  }
  return TRUE;
}

const DubVoice *
dub_tts_find_voice (
    const DubTts *self, const DubVoices *voices, const DubTtsRequest *request)
{
  DubVoiceQuery query = {self->provider->name, request->language,
      request->voice, request->speaker};

  return dub_voices_find (voices, &query);
}
