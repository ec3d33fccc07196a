/* SPDX-License-Identifier: Apache-2.0 */
#include "tts.h"

#include "engine/provider_list.h"

const DubTtsProvider *const dub_tts_providers[] = {&dub_tts_elevenlabs,
    &dub_tts_openai, &dub_tts_coqui, &dub_tts_piper, &dub_tts_kokoro,
    &dub_tts_espeak, &dub_tts_mock_tone, &dub_tts_mock_fixture,
    &dub_tts_mock_fail_once, NULL};

const DubTtsProvider *
dub_tts_provider_find (const char *name)
{
  return dub_provider_find ((gconstpointer const *) dub_tts_providers, name);
}

/* The built-in voices are always good: a test reads them. */
DubVoices *
dub_tts_settings_voices (const DubTtsSettings *settings)
{
  return settings->voices != NULL ? dub_voices_ref (settings->voices)
                                  : dub_voices_load (NULL, NULL);
}

const DubVoice *
dub_tts_find_voice (
    const DubTts *self, const DubVoices *voices, const DubTtsRequest *request)
{
  DubVoiceQuery query = {self->provider->name, request->language,
      request->voice, request->speaker};

  return dub_voices_find (voices, &query);
}
