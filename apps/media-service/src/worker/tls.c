/* SPDX-License-Identifier: Apache-2.0 */
#include "tls.h"

#include <dubbing_common/error.h>
#include <gio/gio.h>

gboolean
dub_tls_use_ca_file (const char *path, GError **error)
{
  g_autoptr (GTlsDatabase) database = NULL;
  g_autoptr (GError) cause = NULL;
  g_autofree char *absolute = NULL;

  if (!path || !*path)
    return TRUE;
  absolute = g_canonicalize_filename (path, NULL);
  database = g_tls_file_database_new (absolute, &cause);
  if (!database) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID, "TLS_CA_FILE=%s: %s",
        path, cause->message);
    return FALSE;
  }
  g_tls_backend_set_default_database (g_tls_backend_get_default (), database);
  return TRUE;
}
