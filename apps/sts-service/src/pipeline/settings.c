/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include <dubbing_common/paths.h>

const char *const dub_devices[] = {"auto", "cpu", "cuda", NULL};
const char *const dub_transcript_modes[] = {"auto", "off", NULL};

char *
dub_pipeline_models_dir (void)
{
  return dub_models_dir ();
}
