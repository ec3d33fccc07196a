/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include <dubbing_common/error.h>
#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <sys/stat.h>

/* A folder being written; it is none of a stream, whose names begin with no
 * dot. */
#define UNFINISHED ".unfinished"
#define DIR_MODE 0700
#define FILE_MODE 0600

typedef struct {
  char *path;
  gint64 unix_s;
  guint64 bytes;
} Entry;

struct _DubStore {
  char *dir;
  gint64 max_age_s;
  guint max_count;
  guint64 max_bytes;
  GQueue entries; /* of Entry, the oldest first */
  guint64 bytes;
};

static void
entry_free (gpointer data)
{
  Entry *entry = data;

  g_free (entry->path);
  g_free (entry);
}

/* ---- removing ------------------------------------------------------- */

/* Our names only: what a person put there stays, and then so does the folder.
 */
static void
remove_folder (const char *path)
{
  g_autofree char *parent = g_path_get_dirname (path);

  for (guint i = 0; dub_record_names[i] != NULL; i++) {
    g_autofree char *file = g_build_filename (path, dub_record_names[i], NULL);
    g_unlink (file);
  }
  g_rmdir (path);
  g_rmdir (parent); /* when it was the stream's last */
}

static void
remove_oldest (DubStore *self)
{
  Entry *entry = g_queue_pop_head (&self->entries);

  remove_folder (entry->path);
  self->bytes -= entry->bytes;
  entry_free (entry);
}

static gboolean
is_over (const DubStore *self, gint64 unix_s)
{
  const Entry *oldest = g_queue_peek_head ((GQueue *) &self->entries);

  return oldest != NULL &&
         (g_queue_get_length ((GQueue *) &self->entries) > self->max_count ||
             self->bytes > self->max_bytes ||
             oldest->unix_s + self->max_age_s < unix_s);
}

void
dub_store_tidy (DubStore *store, gint64 unix_s)
{
  while (is_over (store, unix_s))
    remove_oldest (store);
}

/* ---- what is there from before -------------------------------------- */

static int
compare_entries (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const Entry *x = a, *y = b;

  /* Of the same second the one that was there is the older one. */
  return x->unix_s > y->unix_s ? 1 : -1;
}

static void
remember (DubStore *self, const char *path, gint64 unix_s, guint64 bytes)
{
  Entry *entry = g_new (Entry, 1);

  *entry = (Entry){g_strdup (path), unix_s, bytes};
  g_queue_insert_sorted (&self->entries, entry, compare_entries, NULL);
  self->bytes += bytes;
}

static guint64
size_of (const char *path)
{
  guint64 bytes = 0;

  for (guint i = 0; dub_record_names[i] != NULL; i++) {
    g_autofree char *file = g_build_filename (path, dub_record_names[i], NULL);
    GStatBuf info;
    if (g_lstat (file, &info) == 0)
      bytes += (guint64) info.st_size;
  }
  return bytes;
}

typedef void (*EachFunc) (DubStore *self, const char *path);

/* Each folder in a folder, links not followed. */
static void
each_folder (DubStore *self, const char *path, EachFunc func)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name = NULL;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *child = g_build_filename (path, name, NULL);
    GStatBuf info;
    if (name[0] != '.' && g_lstat (child, &info) == 0 && S_ISDIR (info.st_mode))
      func (self, child);
  }
}

static void
take_fragment (DubStore *self, const char *path)
{
  GStatBuf info;

  if (g_lstat (path, &info) == 0)
    remember (self, path, info.st_mtime, size_of (path));
}

static void
take_stream (DubStore *self, const char *path)
{
  each_folder (self, path, take_fragment);
}

DubStore *
dub_store_new (const DubArtifactsOptions *options)
{
  DubStore *self = g_new0 (DubStore, 1);
  g_autofree char *unfinished = NULL;

  self->dir = g_strdup (options->dir);
  self->max_age_s = options->retention_hours * 3600;
  self->max_count = (guint) options->max_count;
  self->max_bytes = (guint64) options->max_mib << 20;
  g_queue_init (&self->entries);
  unfinished = g_build_filename (self->dir, UNFINISHED, NULL);
  remove_folder (unfinished);
  each_folder (self, self->dir, take_stream);
  dub_store_tidy (self, g_get_real_time () / G_USEC_PER_SEC);
  return self;
}

void
dub_store_free (DubStore *store)
{
  if (store == NULL)
    return;
  g_queue_clear_full (&store->entries, entry_free);
  g_free (store->dir);
  g_free (store);
}

guint
dub_store_get_count (DubStore *store)
{
  return g_queue_get_length (&store->entries);
}

/* ---- writing -------------------------------------------------------- */

static gboolean
make_folder (const char *path, GError **error)
{
  if (g_mkdir_with_parents (path, DIR_MODE) == 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
      "the folder '%s' cannot be made: %s", path, g_strerror (errno));
  return FALSE;
}

static gboolean
write_bytes (GOutputStream *out, GBytes *bytes, GError **error)
{
  return bytes == NULL ||
         g_output_stream_write_all (out, g_bytes_get_data (bytes, NULL),
             g_bytes_get_size (bytes), NULL, NULL, error);
}

static gboolean
write_file (const char *folder, const DubRecordFile *file, GError **error)
{
  g_autofree char *path = g_build_filename (folder, file->name, NULL);
  g_autoptr (GFile) place = g_file_new_for_path (path);
  g_autoptr (GFileOutputStream) out =
      g_file_create (place, G_FILE_CREATE_PRIVATE, NULL, error);

  return out != NULL &&
         write_bytes (G_OUTPUT_STREAM (out), file->head, error) &&
         write_bytes (G_OUTPUT_STREAM (out), file->data, error) &&
         g_output_stream_close (G_OUTPUT_STREAM (out), NULL, error);
}

static gboolean
write_files (const char *folder, const DubRecord *record, GError **error)
{
  if (!make_folder (folder, error))
    return FALSE;
  for (guint i = 0; i < record->files->len; i++)
    if (!write_file (folder, g_ptr_array_index (record->files, i), error))
      return FALSE;
  return TRUE;
}

/* The same fragment again: the newer one stays. */
static void
forget (DubStore *self, const char *path)
{
  for (GList *l = self->entries.head; l != NULL; l = l->next) {
    Entry *entry = l->data;

    if (!g_str_equal (entry->path, path))
      continue;
    self->bytes -= entry->bytes;
    g_queue_delete_link (&self->entries, l);
    entry_free (entry);
    break;
  }
  remove_folder (path);
}

static gboolean
put_in_place (DubStore *self, const char *unfinished, const DubRecord *record,
    GError **error)
{
  g_autofree char *stream = g_build_filename (self->dir, record->stream, NULL);
  g_autofree char *path = g_build_filename (stream, record->fragment, NULL);

  forget (self, path);
  if (!make_folder (stream, error))
    return FALSE;
  if (g_rename (unfinished, path) != 0) {
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
        "'%s' cannot be put in place: %s", path, g_strerror (errno));
    return FALSE;
  }
  remember (self, path, g_get_real_time () / G_USEC_PER_SEC, record->bytes);
  return TRUE;
}

gboolean
dub_store_put (DubStore *store, const DubRecord *record, GError **error)
{
  g_autofree char *unfinished = g_build_filename (store->dir, UNFINISHED, NULL);

  if (!write_files (unfinished, record, error) ||
      !put_in_place (store, unfinished, record, error)) {
    remove_folder (unfinished);
    return FALSE;
  }
  dub_store_tidy (store, g_get_real_time () / G_USEC_PER_SEC);
  return TRUE;
}
