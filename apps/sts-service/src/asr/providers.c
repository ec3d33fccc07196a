/* SPDX-License-Identifier: Apache-2.0 */
#include "asr.h"

#include "engine/provider_list.h"

const DubAsrProvider *const dub_asr_providers[] = {
    &dub_asr_whisper, &dub_asr_moonshine, &dub_asr_mock, NULL};

const DubAsrProvider *
dub_asr_provider_find (const char *name)
{
  return dub_provider_find ((gconstpointer const *) dub_asr_providers, name);
}
