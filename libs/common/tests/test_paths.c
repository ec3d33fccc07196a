/* SPDX-License-Identifier: Apache-2.0 */
#include <dubbing_common/paths.h>

static void
test_given (void)
{
  g_autofree char *cache = NULL, *models = NULL;

  g_setenv ("DUBBING_CACHE_DIR", "/some/where", TRUE);
  cache = dub_cache_dir ();
  models = dub_models_dir ();
  g_assert_cmpstr (cache, ==, "/some/where");
  g_assert_cmpstr (models, ==, "/some/where/models");
}

/* An empty value is an unset one. */
static void
test_users_cache (void)
{
  g_autofree char *models = NULL;
  g_autofree char *wanted = g_build_filename (
      g_get_user_cache_dir (), "live-broadcast-dubbing", "models", NULL);

  g_setenv ("DUBBING_CACHE_DIR", "", TRUE);
  models = dub_models_dir ();
  g_assert_cmpstr (models, ==, wanted);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/common/paths/given", test_given);
  g_test_add_func ("/common/paths/users-cache", test_users_cache);
  return g_test_run ();
}
