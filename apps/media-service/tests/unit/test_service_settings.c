/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/settings.h"

#include <glib/gstdio.h>
#include <string.h>

static char *folder;

typedef struct {
  const char *env[3];
  const char *address; /* host and port, or what the message must name */
  gboolean is_good;
} Case;

/* Nobody else reaches us unless there is a token. */
static const Case cases[] = {
    {{NULL}, "127.0.0.1 8080", TRUE}, {{"PORT=9"}, "127.0.0.1 9", TRUE},
    {{"API_TOKEN=12345678"}, "0.0.0.0 8080", TRUE},
    {{"ORCH_HTTP_ADDR=localhost:7"}, "localhost 7", TRUE},
    {{"ORCH_HTTP_ADDR=127.0.0.2"}, "127.0.0.2 8080", TRUE},
    {{"ORCH_HTTP_ADDR=[::1]:7"}, "::1 7", TRUE},
    {{"ORCH_HTTP_ADDR=0.0.0.0:7", "API_TOKEN=12345678"}, "0.0.0.0 7", TRUE},
    {{"ORCH_HTTP_ADDR=0.0.0.0:7"}, "API_TOKEN", FALSE},
    {{"ORCH_HTTP_ADDR=[::]:7"}, "API_TOKEN", FALSE},
    {{"ORCH_HTTP_ADDR=192.168.0.1"}, "API_TOKEN", FALSE},
    {{"ORCH_HTTP_ADDR=example.org", "API_TOKEN=12345678"}, "ORCH_HTTP_ADDR",
        FALSE},
    {{"API_TOKEN=short"}, "API_TOKEN", FALSE},
    {{"ORCH_GRACE_PERIOD=6m"}, "0s to 5m", FALSE},
    {{"ORCH_MAX_WORKERS=-1"}, "0 to 1000", FALSE},
    {{"WORKER_TARGET_LANGUAGES=en, pt-BR"}, "127.0.0.1 8080", TRUE},
    {{"WORKER_TARGET_LANGUAGES=en,en"}, "WORKER_TARGET_LANGUAGES", FALSE},
    {{"WORKER_TARGET_LANGUAGES=en,"}, "WORKER_TARGET_LANGUAGES", FALSE},
    {{"WORKER_TARGET_LANGUAGES=e/n"}, "\"e/n\" is no list", FALSE},
    {{"WORKER_TARGET_LANGUAGES=aa,bb,cc,dd,ee,ff,gg,hh,ii"}, "1 to 8", FALSE},
    {{"WORKER_TARGET_LANGUAGES=en,spanish"}, "spanish", FALSE},
    {{"WORKER_TARGET_LANGUAGE=spanish"}, "WORKER_TARGET_LANGUAGE: \"spanish\"",
        FALSE},
    {{"WORKER_TARGET_LANGUAGE=auto"}, "WORKER_TARGET_LANGUAGE", FALSE},
    {{"TARGET_LANGUAGE=spanish"}, "WORKER_TARGET_LANGUAGE", FALSE},
    {{"WORKER_SOURCE_LANGUAGE=klingon"}, "WORKER_SOURCE_LANGUAGE", FALSE},
    {{"WORKER_SOURCE_LANGUAGE=auto"}, "127.0.0.1 8080", TRUE},
    {{"ORCH_WORKER_COMMAND=/nope"}, "ORCH_WORKER_COMMAND: /nope", FALSE},
    {{"ORCH_WORKER_COMMAND=/etc/passwd"}, "ORCH_WORKER_COMMAND", FALSE},
    {{"ORCH_WORKER_COMMAND=sh"}, "127.0.0.1 8080", TRUE},
    {{"CAPTURE=media"}, "CAPTURE_DIR", FALSE},
    {{"CAPTURE=off"}, "127.0.0.1 8080", TRUE},
    {{"CAPTURE=media", "CAPTURE_DIR=/proc/none"}, "CAPTURE_DIR: /proc/none",
        FALSE},
    {{"CAPTURE=media", "SEGMENT_DIR=/etc/passwd/a"}, "CAPTURE_DIR", FALSE},
    {{"CAPTURE_DIR=/proc/none"}, "127.0.0.1 8080", TRUE},
    {{"RUNTIME_DIR=/proc/none"}, "RUNTIME_DIR", FALSE},
    {{"RUNTIME_DIR=/tmp"}, "RUNTIME_DIR", FALSE}, /* others may write there */
};

static gboolean
load (DubServiceSettings *settings, const Case *c, GError **error)
{
  g_autofree char *runtime = g_strconcat ("RUNTIME_DIR=", folder, NULL);
  char *environment[] = {NULL, NULL, NULL, NULL};
  int n = 0;

  for (; n < 3 && c->env[n] != NULL; n++)
    environment[n] = (char *) c->env[n];
  if (n == 0 || !g_str_has_prefix (environment[0], "RUNTIME_DIR="))
    environment[n] = runtime;
  return dub_service_settings_load (settings, NULL, NULL, environment, error);
}

static void
test_address (gconstpointer data)
{
  const Case *c = data;
  DubServiceSettings settings = {0};
  g_autoptr (GError) error = NULL;
  g_autofree char *host = NULL;
  g_autofree char *address = NULL;
  guint port;

  g_assert_cmpint (load (&settings, c, &error), ==, c->is_good);
  if (!c->is_good) {
    g_assert_nonnull (strstr (error->message, c->address));
    return;
  }
  dub_service_settings_get_address (&settings, &host, &port);
  address = g_strdup_printf ("%s %u", host, port);
  g_assert_cmpstr (address, ==, c->address);
  dub_service_settings_clear (&settings);
}

static void
test_api_url (void)
{
  static const Case usual = {{NULL}, NULL, TRUE};
  static const Case other = {{"MEDIAMTX_RTMP_PORT=1936"}, NULL, TRUE};
  static const Case v6 = {{"MEDIAMTX_HOST=::1"}, NULL, TRUE};
  DubServiceSettings s = {0};

  g_assert_true (load (&s, &usual, NULL));
  g_assert_cmpstr (s.mediamtx_api_url, ==, "http://127.0.0.1:9997");
  dub_service_settings_clear (&s);
  g_assert_true (load (&s, &v6, NULL));
  g_assert_cmpstr (s.mediamtx_api_url, ==, "http://[::1]:9997");
  dub_service_settings_clear (&s);
  /* The list of another server would end our streams. */
  g_assert_true (load (&s, &other, NULL));
  g_assert_null (s.mediamtx_api_url);
  dub_service_settings_clear (&s);
}

/* The file in the repository is what the table makes. */
static void
test_env_example (void)
{
  g_autofree char *made =
      dub_config_env_example (dub_service_options (), "media-service");
  g_autofree char *kept = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (g_getenv ("ENV_EXAMPLE"), &kept, NULL, &error);
  g_assert_no_error (error);
  if (strcmp (made, kept) != 0)
    g_error ("apps/media-service/.env.example is not what "
             "`media-service --print-env` prints");
}

typedef struct {
  const char *environment[4]; /* ended by NULL */
  const char *name, *value;   /* NULL: not set */
} AliasCase;

/* Ours wins; of old names the first in the table. */
static const AliasCase alias_cases[] = {
    {{"SOURCE_LANGUAGE=es"}, "WORKER_SOURCE_LANGUAGE", "es"},
    {{"SOURCE_LANGUAGE=es", "WORKER_SOURCE_LANGUAGE=de"},
        "WORKER_SOURCE_LANGUAGE", "de"},
    {{"SOURCE_LANGUAGE=es", "WORKER_SOURCE_LANG=fr"}, "WORKER_SOURCE_LANGUAGE",
        "fr"},
    {{"SOURCE_LANGUAGE="}, "WORKER_SOURCE_LANGUAGE", NULL},
    {{"TARGET_LANGUAGE=es"}, "WORKER_TARGET_LANGUAGE", "es"},
    {{"WORKER_TARGET_LANG=es", "TARGET_LANGUAGE=de"}, "WORKER_TARGET_LANGUAGE",
        "es"},
    {{"WORKER_TTS_VOICE=joe"}, "WORKER_VOICE_PROFILE", "joe"},
    {{"MAX_CONCURRENT_STREAMS=3"}, "ORCH_MAX_WORKERS", "3"},
    {{"MAX_CONCURRENT_STREAMS=3", "ORCH_MAX_WORKERS=4"}, "ORCH_MAX_WORKERS",
        "4"},
    {{"SEGMENT_DIR=/a"}, "CAPTURE_DIR", "/a"},
    {{"SEGMENT_DIR=/a", "WORKER_SEGMENT_DIR=/b"}, "CAPTURE_DIR", "/b"},
    {{"MEDIAMTX_RTMP_URL=rtmp://media:2935"}, "MEDIAMTX_HOST", "media"},
    {{"MEDIAMTX_RTMP_URL=rtmp://media:2935"}, "MEDIAMTX_RTMP_PORT", "2935"},
    {{"MEDIAMTX_RTMP_URL=rtmp://media"}, "MEDIAMTX_RTMP_PORT", NULL},
    {{"MEDIAMTX_RTMP_URL=rtmp://media:1", "MEDIAMTX_HOST=other"},
        "MEDIAMTX_HOST", "other"},
    {{"MEDIAMTX_RTSP_URL=rtsp://media:9554"}, "MEDIAMTX_RTSP_PORT", "9554"},
    {{"MEDIAMTX_RTMP_URL=nonsense"}, "MEDIAMTX_HOST", NULL},
    {{"ORCH_MEDIAMTX_HOST=media"}, "MEDIAMTX_HOST", "media"},
    {{"WORKER_STS_SERVICE_URL=http://x"}, "STS_SERVICE_URL", "http://x"},
    {{"STS_API_KEY=abcdefgh"}, "STS_TOKEN", "abcdefgh"},
};

static void
test_aliases (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (alias_cases); i++) {
    const AliasCase *c = &alias_cases[i];
    g_auto (GStrv) environment =
        dub_service_environment (g_strdupv ((char **) c->environment));

    g_assert_cmpstr (g_environ_getenv (environment, c->name), ==, c->value);
  }
}

/* They reach the settings. */
static void
test_alias_is_used (void)
{
  static const Case c = {
      {"MAX_CONCURRENT_STREAMS=3", "TARGET_LANGUAGE=es"}, NULL, TRUE};
  DubServiceSettings settings = {0};
  g_autoptr (GError) error = NULL;

  g_assert_true (load (&settings, &c, &error));
  g_assert_cmpint (settings.max_workers, ==, 3);
  g_assert_cmpstr (settings.target_language, ==, "es");
  dub_service_settings_clear (&settings);
}

/* Several win over the one, also where that has an older name. */
static void
test_languages (void)
{
  static const Case several = {
      {"WORKER_TARGET_LANGUAGES= en ,es", "TARGET_LANGUAGE=de"}, NULL, TRUE};
  static const Case one = {{"WORKER_TARGET_LANGUAGES="}, NULL, TRUE};
  DubServiceSettings settings = {0};
  g_autoptr (GError) error = NULL;

  g_assert_true (load (&settings, &several, &error));
  g_assert_cmpstr (settings.target_languages, ==, "en,es");
  dub_service_settings_clear (&settings);
  g_assert_true (load (&settings, &one, &error));
  g_assert_null (settings.target_languages);
  dub_service_settings_clear (&settings);
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("dub-settings-XXXXXX", NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path =
        g_strdup_printf ("/media/service-settings/%" G_GSIZE_FORMAT, i);

    g_test_add_data_func (path, &cases[i], test_address);
  }
  g_test_add_func ("/media/service-settings/api-url", test_api_url);
  g_test_add_func ("/media/service-settings/env-example", test_env_example);
  g_test_add_func ("/media/service-settings/aliases", test_aliases);
  g_test_add_func ("/media/service-settings/alias-is-used", test_alias_is_used);
  g_test_add_func ("/media/service-settings/languages", test_languages);
  result = g_test_run ();
  g_rmdir (folder);
  g_free (folder);
  return result;
}
