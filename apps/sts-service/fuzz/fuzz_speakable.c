/* SPDX-License-Identifier: Apache-2.0 */
#include "tts/speakable.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* Translators are strangers: whatever they say becomes text that is bounded,
 * tidy, and empty only when nothing in it can be said. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const char *const languages[] = {"en", "es", "fr", "de", "pt-BR", "x"};
  g_autofree char *text = NULL;
  g_autofree char *spoken = NULL;

  if (size < 1 || size > 4096)
    return 0;
  text = g_strndup ((const char *) data + 1, size - 1);
  spoken = dub_speakable (text, languages[data[0] % G_N_ELEMENTS (languages)]);
  g_assert (g_utf8_validate (spoken, -1, NULL));
  g_assert (strlen (spoken) <= size * 24);
  g_assert (strstr (spoken, "  ") == NULL);
  return 0;
}
