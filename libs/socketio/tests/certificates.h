/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <glib/gstdio.h>

/*
 * An authority of the test's own and what it has signed, made by openssl:
 *   ca.pem       the authority
 *   good.pem     localhost and 127.0.0.1
 *   other.pem    other.example
 *   expired.pem  as good, until yesterday
 *   self.pem     as good, signed by itself
 * Each of the four holds its key too.
 */

static inline gboolean
certificates_run (const char *folder, const char *command)
{
  g_autofree char *script =
      g_strdup_printf ("set -e; cd '%s'; %s", folder, command);
  const char *argv[] = {"sh", "-c", script, NULL};
  int status = -1;

  return g_spawn_sync (NULL, (char **) argv, NULL,
             G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL |
                 G_SPAWN_STDOUT_TO_DEV_NULL,
             NULL, NULL, NULL, NULL, &status, NULL) &&
         status == 0;
}

/* NULL where there is no openssl. (transfer full) */
static inline char *
certificates_new (void)
{
  static const char make[] =
      "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test-ca "
      "-keyout ca.key -out ca.pem\n"
      "sign () {\n"
      "  openssl req -newkey rsa:2048 -nodes -subj \"/CN=$2\" -keyout $1.key "
      "-out $1.csr\n"
      "  echo \"subjectAltName=$3\" >ext\n"
      "  openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key "
      "-CAcreateserial -days $4 -extfile ext -out $1.crt\n"
      "  cat $1.crt $1.key >$1.pem\n"
      "}\n"
      "sign good localhost DNS:localhost,IP:127.0.0.1 2\n"
      "sign other other.example DNS:other.example 2\n"
      "sign expired localhost DNS:localhost,IP:127.0.0.1 -1\n"
      "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost "
      "-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout self.key "
      "-out self.crt\n"
      "cat self.crt self.key >self.pem\n";
  char *folder = g_dir_make_tmp ("dub-tls-XXXXXX", NULL);

  if (certificates_run (folder, make))
    return folder;
  g_clear_pointer (&folder, g_free);
  return NULL;
}

static inline void
certificates_free (char *folder)
{
  g_assert_true (certificates_run (folder, "rm -f *"));
  g_rmdir (folder);
  g_free (folder);
}
