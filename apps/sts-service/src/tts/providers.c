/* SPDX-License-Identifier: Apache-2.0 */
#include "tts.h"

const DubTtsProvider *const dub_tts_providers[] = {&dub_tts_piper, NULL};

const DubTtsProvider *
dub_tts_provider_find (const char *name)
{
  for (guint i = 0; dub_tts_providers[i] != NULL; i++)
    if (g_strcmp0 (name, dub_tts_providers[i]->name) == 0)
      return dub_tts_providers[i];
  return NULL;
}
