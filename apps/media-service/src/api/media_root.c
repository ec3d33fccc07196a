/* SPDX-License-Identifier: Apache-2.0 */
#include "media_root.h"

#include <dubbing_common/error.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

gboolean
dub_media_root_is_file (const char *url)
{
  return g_ascii_strncasecmp (url, "file:", strlen ("file:")) == 0;
}

/* "/srv/media" holds "/srv/media/a" and not "/srv/media-2/a". */
static gboolean
holds (const char *folder, const char *path)
{
  gsize length = strlen (folder);

  while (length > 0 && folder[length - 1] == '/')
    length--;
  return strncmp (path, folder, length) == 0 && path[length] == '/';
}

char *
dub_media_root_resolve (const char *root, const char *url, GError **error)
{
  g_autofree char *host = NULL;
  g_autofree char *path = g_filename_from_uri (url, &host, NULL);
  char folder[PATH_MAX], file[PATH_MAX];

  if (root == NULL) {
    g_set_error_literal (error, DUB_ERROR, DUB_ERROR_INVALID,
        "input_url: files are played when MEDIA_ROOT says from which folder");
    return NULL;
  }
  if (path == NULL || (host != NULL && *host != '\0') ||
      realpath (root, folder) == NULL || realpath (path, file) == NULL ||
      !holds (folder, file) || !g_file_test (file, G_FILE_TEST_IS_REGULAR)) {
    g_set_error_literal (error, DUB_ERROR, DUB_ERROR_INVALID,
        "input_url: there is no such file below MEDIA_ROOT");
    return NULL;
  }
  return g_filename_to_uri (file, NULL, error);
}
