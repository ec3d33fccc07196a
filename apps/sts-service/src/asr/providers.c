/* SPDX-License-Identifier: Apache-2.0 */
#include "asr.h"

const DubAsrProvider *const dub_asr_providers[] = {&dub_asr_whisper, NULL};

const DubAsrProvider *
dub_asr_provider_find (const char *name)
{
  for (guint i = 0; dub_asr_providers[i] != NULL; i++)
    if (g_strcmp0 (name, dub_asr_providers[i]->name) == 0)
      return dub_asr_providers[i];
  return NULL;
}
