/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

const char *const dub_transcript_modes[] = {"auto", "off", NULL};

char *
dub_pipeline_models_dir (void)
{
  const char *cache = g_getenv ("DUBBING_CACHE_DIR");

  if (cache != NULL && *cache != '\0')
    return g_build_filename (cache, "models", NULL);
  return g_build_filename (
      g_get_user_cache_dir (), "live-broadcast-dubbing", "models", NULL);
}
