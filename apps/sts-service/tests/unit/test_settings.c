/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include <dubbing_common/error.h>
#include <string.h>

/* The file that people copy says what the table says. */
static void
test_env_example (void)
{
  g_autofree char *file = NULL;
  g_autofree char *table =
      dub_config_env_example (dub_sts_options, "sts-service");
  g_autoptr (GError) error = NULL;

  g_file_get_contents (DUB_ENV_EXAMPLE, &file, NULL, &error);
  g_assert_no_error (error);
  if (g_strcmp0 (file, table) != 0)
    g_error (".env.example is not what `sts-service --print-env` prints");
}

static void
test_address (void)
{
  static const struct {
    const char *host;
    const char *echo_host;
    gint64 port, echo_port;
    const char *key;
    gboolean is_echo;
    const char *found; /* NULL: refused */
    guint16 found_port;
  } table[] = {
      {NULL, NULL, 8000, 0, NULL, FALSE, "127.0.0.1", 8000},
      {NULL, NULL, 8000, 0, "k", FALSE, "0.0.0.0", 8000},
      {NULL, NULL, 8000, 0, "", FALSE, "127.0.0.1", 8000},
      {"127.0.0.2", NULL, 1, 0, NULL, FALSE, "127.0.0.2", 1},
      {"::1", NULL, 1, 0, NULL, FALSE, "::1", 1},
      {"localhost", NULL, 1, 0, NULL, FALSE, "localhost", 1},
      {"0.0.0.0", NULL, 1, 0, NULL, FALSE, NULL, 0},
      {"0.0.0.0", NULL, 1, 0, "", FALSE, NULL, 0},
      {"10.1.2.3", NULL, 1, 0, NULL, FALSE, NULL, 0},
      {"somewhere", NULL, 1, 0, NULL, FALSE, NULL, 0},
      {"0.0.0.0", NULL, 1, 0, "k", FALSE, "0.0.0.0", 1},
      {"0.0.0.0", "127.0.0.1", 1, 3000, NULL, TRUE, "127.0.0.1", 3000},
      {"127.0.0.1", "0.0.0.0", 1, 3000, NULL, FALSE, "127.0.0.1", 1},
      {"127.0.0.1", NULL, 1, 0, NULL, TRUE, "127.0.0.1", 1},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    DubStsSettings settings = {
        .host = (char *) table[i].host,
        .echo_host = (char *) table[i].echo_host,
        .port = table[i].port,
        .echo_port = table[i].echo_port,
        .api_key = (char *) table[i].key,
    };
    g_autofree char *host = NULL;
    g_autoptr (GError) error = NULL;
    guint16 port = 0;

    g_assert_cmpint (dub_sts_settings_find_address (
                         &settings, table[i].is_echo, &host, &port, &error),
        ==, table[i].found != NULL);
    g_assert_cmpstr (host, ==, table[i].found);
    g_assert_cmpuint (port, ==, table[i].found_port);
    if (!table[i].found)
      g_assert_error (error, DUB_ERROR, DUB_ERROR_INVALID);
  }
}

static void
test_languages (void)
{
  static const struct {
    const char *source, *target;
    const char *named; /* NULL: good */
  } table[] = {
      {"auto", "en", NULL},
      {"es-419", "pt_BR", NULL},
      {"klingon", "en", "SOURCE_LANGUAGE: \"klingon\""},
      {"auto", "spanish", "TARGET_LANGUAGE: \"spanish\""},
      {"auto", "auto", "TARGET_LANGUAGE"},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    DubStsSettings settings = {.source_language = (char *) table[i].source,
        .target_language = (char *) table[i].target};
    g_autoptr (GError) error = NULL;

    g_assert_cmpint (
        dub_sts_settings_check (&settings, &error), ==, table[i].named == NULL);
    if (table[i].named) {
      g_assert_error (error, DUB_ERROR, DUB_ERROR_INVALID);
      g_assert_nonnull (strstr (error->message, table[i].named));
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/settings/env-example", test_env_example);
  g_test_add_func ("/sts/settings/address", test_address);
  g_test_add_func ("/sts/settings/languages", test_languages);
  return g_test_run ();
}
