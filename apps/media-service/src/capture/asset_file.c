/* SPDX-License-Identifier: Apache-2.0 */
#include "asset_file.h"

#include <dubbing_common/error.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_DEPTH 8
/* What is read back to be compared, at once. */
#define READ_SIZE ((gsize) 64 << 10)

static gboolean
fail (GError **error, const char *path)
{
  int code = errno;

  g_set_error (error, DUB_ERROR, DUB_ERROR_UNAVAILABLE, "%s: %s", path,
      g_strerror (code));
  return FALSE;
}

static gboolean
make_folder_of (const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);

  return g_mkdir_with_parents (folder, 0700) == 0 || fail (error, folder);
}

static gboolean
write_all (int fd, const char *data, gsize size)
{
  while (size > 0) {
    gssize n = write (fd, data, size);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return FALSE;
    data += n;
    size -= (gsize) n;
  }
  return TRUE;
}

/* The new name is on the disk only when its folder is. */
static void
sync_folder_of (const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd < 0)
    return;
  fsync (fd);
  close (fd);
}

/* Made, filled and synced. (nullable) */
static char *
write_temporary (const char *run_path, const char *path, GBytes *bytes)
{
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *file =
      g_strdup_printf (".tmp.%08x.%s", g_random_int (), name);
  g_autofree char *tmp = g_build_filename (run_path, "tmp", file, NULL);
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);
  int fd = open (tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  gboolean is_good = fd >= 0 && write_all (fd, data, size) && fsync (fd) == 0;
  int code = errno;

  if (fd >= 0)
    close (fd);
  if (is_good)
    return g_steal_pointer (&tmp);
  g_unlink (tmp);
  errno = code;
  return NULL;
}

gboolean
dub_asset_file_write (
    const char *run_path, const char *path, GBytes *bytes, GError **error)
{
  g_autofree char *place = g_build_filename (run_path, path, NULL);
  g_autofree char *tmp_folder = g_build_filename (run_path, "tmp", "x", NULL);
  g_autofree char *tmp = NULL;

  if (!make_folder_of (tmp_folder, error) || !make_folder_of (place, error))
    return FALSE;
  tmp = write_temporary (run_path, path, bytes);
  if (!tmp)
    return fail (error, path);
  if (g_rename (tmp, place) != 0) {
    fail (error, path);
    g_unlink (tmp);
    return FALSE;
  }
  sync_folder_of (place);
  return TRUE;
}

static void
rotate (const char *place, guint64 max_bytes)
{
  g_autofree char *old = g_strconcat (place, ".1", NULL);
  GStatBuf info;

  if (g_stat (place, &info) == 0 && (guint64) info.st_size >= max_bytes)
    g_rename (place, old);
}

gboolean
dub_asset_file_append (const char *run_path, const char *path, const char *head,
    const char *text, guint64 max_bytes, GError **error)
{
  g_autofree char *place = g_build_filename (run_path, path, NULL);
  gboolean is_good;
  off_t size;
  int fd;

  if (!make_folder_of (place, error))
    return FALSE;
  rotate (place, max_bytes);
  fd = open (place, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0)
    return fail (error, path);
  size = lseek (fd, 0, SEEK_END);
  is_good = (size > 0 || !head || write_all (fd, head, strlen (head))) &&
            write_all (fd, text, strlen (text));
  if (!is_good) {
    fail (error, path);
    /* Half a line would spoil the next one. */
    if (size >= 0 && ftruncate (fd, size) != 0)
      g_unlink (place);
  }
  close (fd);
  return is_good;
}

static gboolean
sum_file (const char *place, guint64 *ret_size, char **ret_sum)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree guchar *buffer = g_malloc (READ_SIZE);
  int fd = open (place, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  gssize n = -1;

  *ret_size = 0;
  while (fd >= 0 && (n = read (fd, buffer, READ_SIZE)) > 0) {
    g_checksum_update (sum, buffer, n);
    *ret_size += (guint64) n;
  }
  if (fd >= 0)
    close (fd);
  *ret_sum = g_strdup (g_checksum_get_string (sum));
  return n == 0;
}

gboolean
dub_asset_file_is_whole (
    const char *run_path, const char *path, guint64 bytes, const char *sha256)
{
  g_autofree char *place = g_build_filename (run_path, path, NULL);
  g_autofree char *sum = NULL;
  guint64 size;

  return sum_file (place, &size, &sum) && size == bytes &&
         g_strcmp0 (sum, sha256) == 0;
}

void
dub_asset_file_clear_tmp (const char *run_path)
{
  g_autofree char *tmp = g_build_filename (run_path, "tmp", NULL);

  dub_asset_folder_walk (tmp, TRUE);
}

static guint64
walk (const char *path, gboolean is_removing, guint depth)
{
  GDir *folder = g_dir_open (path, 0, NULL);
  const char *name;
  guint64 bytes = 0;

  while (folder && depth < MAX_DEPTH && (name = g_dir_read_name (folder))) {
    g_autofree char *inner = g_build_filename (path, name, NULL);
    GStatBuf info;

    if (g_lstat (inner, &info) != 0)
      continue;
    if (S_ISDIR (info.st_mode))
      bytes += walk (inner, is_removing, depth + 1);
    else
      bytes += (guint64) info.st_size;
    if (is_removing && !S_ISDIR (info.st_mode))
      g_unlink (inner);
  }
  g_clear_pointer (&folder, g_dir_close);
  if (is_removing)
    g_rmdir (path);
  return bytes;
}

guint64
dub_asset_folder_walk (const char *path, gboolean is_removing)
{
  return walk (path, is_removing, 0);
}
