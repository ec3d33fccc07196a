/* SPDX-License-Identifier: Apache-2.0 */
#include "translation.h"

const DubTranslatorProvider *const dub_translator_providers[] = {
    &dub_translator_identity, NULL};

const DubTranslatorProvider *
dub_translator_provider_find (const char *name)
{
  for (guint i = 0; dub_translator_providers[i] != NULL; i++)
    if (g_strcmp0 (name, dub_translator_providers[i]->name) == 0)
      return dub_translator_providers[i];
  return NULL;
}
