/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http_engine.h"

#include <dubbing_common/clock.h>
#include <glib/gstdio.h>
#include <libsoup/soup.h>

/* A server whose certificate nobody signed is not spoken to. Not among the unit
 * tests: LeakSanitizer ends over the threads of the TLS library. */

#define LONG_MS 15000

/* NULL where there is no openssl. */
static GTlsCertificate *
make_certificate (void)
{
  g_autofree char *dir = g_dir_make_tmp ("http-engine-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "both.pem", NULL);
  const char *argv[] = {"openssl", "req", "-x509", "-newkey", "rsa:2048",
      "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", path, "-out",
      path, NULL};
  GTlsCertificate *certificate = NULL;

  if (g_spawn_sync (NULL, (char **) argv, NULL,
          G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, NULL,
          NULL, NULL, NULL))
    certificate = g_tls_certificate_new_from_file (path, NULL);
  g_remove (path);
  g_rmdir (dir);
  return certificate;
}

static void
on_done (const DubHttpAnswer *answer, const GError *error, gpointer user_data)
{
  GError **to = user_data;

  g_assert_null (answer);
  *to = g_error_copy (error);
}

static void
test_verifies_certificates (void)
{
  g_autoptr (GTlsCertificate) certificate = make_certificate ();
  g_autoptr (SoupServer) server =
      soup_server_new ("tls-certificate", certificate, NULL);
  DubHttpEngineSettings settings;
  g_autoptr (DubHttpEngine) engine = NULL;
  g_autoptr (GError) error = NULL;
  DubHttpRequest request = {.method = "GET",
      .deadline_ns = g_get_monotonic_time () * 1000 + LONG_MS * DUB_NS_PER_MS};
  g_autofree char *url = NULL;
  GSList *uris;

  if (certificate == NULL) {
    g_test_skip ("no openssl to make a certificate with");
    return;
  }
  g_assert_true (
      soup_server_listen_local (server, 0, SOUP_SERVER_LISTEN_HTTPS, NULL));
  uris = soup_server_get_uris (server);
  url = g_uri_to_string (uris->data);
  request.url = url;
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
  dub_http_engine_settings_init (&settings);
  settings.name = "https";
  engine = dub_http_engine_new (&settings);
  dub_http_engine_request (engine, &request, on_done, &error);
  while (error == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_error (error, DUB_ERROR, DUB_ERROR_PROTOCOL);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func (
      "/sts/https/verifies-certificates", test_verifies_certificates);
  return g_test_run ();
}
