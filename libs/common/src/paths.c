/* SPDX-License-Identifier: Apache-2.0 */
#include <dubbing_common/paths.h>

char *
dub_cache_dir (void)
{
  const char *folder = g_getenv ("DUBBING_CACHE_DIR");

  if (folder != NULL && *folder != '\0')
    return g_strdup (folder);
  return g_build_filename (
      g_get_user_cache_dir (), "live-broadcast-dubbing", NULL);
}

char *
dub_models_dir (void)
{
  g_autofree char *folder = dub_cache_dir ();

  return g_build_filename (folder, "models", NULL);
}
