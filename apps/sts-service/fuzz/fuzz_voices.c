/* SPDX-License-Identifier: Apache-2.0 */
#include "tts/voices.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* What is taken can be asked for; what is not has a reason with a line. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DubVoices) voices =
      dub_voices_parse ("f", (const char *) data, size, &error);

  g_assert ((voices == NULL) == (error != NULL));
  if (voices == NULL) {
    g_assert (g_str_has_prefix (error->message, "f, line "));
    return 0;
  }
  g_assert (dub_voices_count (voices) <= DUB_VOICES_MAX);
  for (guint i = 0; i < dub_voices_count (voices); i++) {
    const DubVoice *voice = dub_voices_get (voices, i);
    DubVoiceQuery query = {
        voice->engine, voice->language, voice->profile, NULL};

    g_assert (voice->speed >= 0.5 && voice->speed <= 2);
    g_assert (dub_voices_find (voices, &query) != NULL);
  }
  return 0;
}
