/* SPDX-License-Identifier: Apache-2.0 */
#include "translation.h"

#include "engine/provider_list.h"

const char *const dub_formalities[] = {"default", "formal", "informal", NULL};
const char *const dub_http_schemes[] = {"http", "https", NULL};
const char *const dub_deepl_models[] = {
    "prefer_quality_optimized", "quality_optimized", "latency_optimized", NULL};
const char *const dub_deepl_english[] = {"EN-US", "EN-GB", NULL};
const char *const dub_deepl_portuguese[] = {"PT-PT", "PT-BR", NULL};

const DubTranslatorProvider *const dub_translator_providers[] = {
    &dub_translator_identity, &dub_translator_deepl,
    &dub_translator_libretranslate, &dub_translator_openai,
    &dub_translator_apertium, &dub_translator_mock_identity,
    &dub_translator_mock_latency, &dub_translator_mock_failing,
    &dub_translator_mock_dictionary, NULL};

const DubTranslatorProvider *
dub_translator_provider_find (const char *name)
{
  return dub_provider_find (
      (gconstpointer const *) dub_translator_providers, name);
}
