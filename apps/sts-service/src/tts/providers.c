/* SPDX-License-Identifier: Apache-2.0 */
#include "tts.h"

#include "engine/provider_list.h"

const DubTtsProvider *const dub_tts_providers[] = {&dub_tts_piper,
    &dub_tts_mock_tone, &dub_tts_mock_fixture, &dub_tts_mock_fail_once, NULL};

const DubTtsProvider *
dub_tts_provider_find (const char *name)
{
  return dub_provider_find ((gconstpointer const *) dub_tts_providers, name);
}
