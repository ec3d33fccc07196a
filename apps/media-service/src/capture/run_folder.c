/* SPDX-License-Identifier: Apache-2.0 */
#include "run_folder.h"

#include <dubbing_common/error.h>
#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>

#define SCHEMA_VERSION "1.0"
#define MAX_FRAGMENTS 4096
#define MAX_DEPTH 8

typedef struct {
  char *name, *sha256;
  guint64 size;
} Asset;

typedef struct {
  guint64 number;
  gint64 start_ms, end_ms;
  char *name; /* of its folder */
  GPtrArray *assets;
} Fragment;

struct _DubRunFolder {
  char *stream_id, *run_id;
  char *runs_path; /* of all runs of the stream */
  char *path;
  guint64 max_bytes;
  guint64 bytes;
  GQueue fragments;   /* Fragment, oldest first */
  gboolean is_tidied; /* old runs were looked at */
};

static void
asset_free (gpointer data)
{
  Asset *asset = data;

  g_free (asset->name);
  g_free (asset->sha256);
  g_free (asset);
}

static void
fragment_free (gpointer data)
{
  Fragment *fragment = data;

  g_ptr_array_unref (fragment->assets);
  g_free (fragment->name);
  g_free (fragment);
}

/* Ids may be what somebody called a stream; none leaves the folder.
 * (transfer full) */
static char *
safe_name (const char *id)
{
  char *name = g_strdup (*id ? id : "_");

  g_strcanon (name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-", '_');
  if (name[0] == '.')
    name[0] = '_';
  return name;
}

DubRunFolder *
dub_run_folder_new (const char *folder, const char *stream_id,
    const char *run_id, guint64 max_bytes)
{
  DubRunFolder *self = g_new0 (DubRunFolder, 1);

  self->stream_id = safe_name (stream_id);
  self->run_id = safe_name (run_id);
  self->runs_path =
      g_build_filename (folder, "streams", self->stream_id, "runs", NULL);
  self->path = g_build_filename (self->runs_path, self->run_id, NULL);
  self->max_bytes = max_bytes;
  g_queue_init (&self->fragments);
  return self;
}

void
dub_run_folder_free (DubRunFolder *self)
{
  if (!self)
    return;
  g_queue_clear_full (&self->fragments, fragment_free);
  g_free (self->stream_id);
  g_free (self->run_id);
  g_free (self->runs_path);
  g_free (self->path);
  g_free (self);
}

guint64
dub_run_folder_get_bytes (const DubRunFolder *self)
{
  return self->bytes;
}

/* -- room ---------------------------------------------------------------- */

/* Its files' sizes; with is_removing it is gone afterwards. Links are never
 * followed. */
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

typedef struct {
  char *path;
  gint64 changed;
  guint64 bytes;
} Run;

static void
run_clear (gpointer data)
{
  g_free (((Run *) data)->path);
}

static int
compare_runs (gconstpointer a, gconstpointer b)
{
  gint64 first = ((const Run *) a)->changed, other = ((const Run *) b)->changed;

  return (first > other) - (first < other);
}

/* The stream's other runs, oldest first. (transfer full) */
static GArray *
list_old_runs (const DubRunFolder *self)
{
  GArray *runs = g_array_new (FALSE, FALSE, sizeof (Run));
  GDir *folder = g_dir_open (self->runs_path, 0, NULL);
  const char *name;

  g_array_set_clear_func (runs, run_clear);
  while (folder && (name = g_dir_read_name (folder))) {
    Run run = {.path = g_build_filename (self->runs_path, name, NULL)};
    GStatBuf info;

    if (g_str_equal (name, self->run_id) || g_lstat (run.path, &info) != 0 ||
        !S_ISDIR (info.st_mode)) {
      g_free (run.path);
      continue;
    }
    run.changed = info.st_mtime;
    run.bytes = walk (run.path, FALSE, 0);
    g_array_append_val (runs, run);
  }
  g_clear_pointer (&folder, g_dir_close);
  g_array_sort (runs, compare_runs);
  return runs;
}

/* Old runs keep half of the room at most: the new one needs some. */
static void
tidy_old_runs (DubRunFolder *self)
{
  g_autoptr (GArray) runs = list_old_runs (self);
  guint64 total = 0;

  self->is_tidied = TRUE;
  for (guint i = 0; i < runs->len; i++)
    total += g_array_index (runs, Run, i).bytes;
  for (guint i = 0; i < runs->len && total > self->max_bytes / 2; i++) {
    walk (g_array_index (runs, Run, i).path, TRUE, 0);
    total -= g_array_index (runs, Run, i).bytes;
  }
  self->max_bytes -= MIN (total, self->max_bytes / 2);
}

static void
drop_oldest (DubRunFolder *self)
{
  Fragment *oldest = g_queue_pop_head (&self->fragments);
  g_autofree char *path =
      g_build_filename (self->path, "assets", "fragments", oldest->name, NULL);

  for (guint i = 0; i < oldest->assets->len; i++)
    self->bytes -= ((Asset *) g_ptr_array_index (oldest->assets, i))->size;
  walk (path, TRUE, 0);
  fragment_free (oldest);
}

/* -- writing ------------------------------------------------------------- */

static gboolean
write_file (const char *path, GBytes *bytes, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);

  if (g_mkdir_with_parents (folder, 0700) != 0) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_UNAVAILABLE, "%s: %s", folder,
        g_strerror (errno));
    return FALSE;
  }
  /* Beside it, synced, renamed; a failure leaves nothing behind. */
  return g_file_set_contents_full (path, g_bytes_get_data (bytes, NULL),
      (gssize) g_bytes_get_size (bytes),
      G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600,
      error);
}

static Fragment *
open_fragment (DubRunFolder *self, const DubRunAsset *asset)
{
  Fragment *fragment;

  for (GList *l = self->fragments.tail; l; l = l->prev)
    if (((Fragment *) l->data)->number == asset->number)
      return l->data;
  fragment = g_new0 (Fragment, 1);
  fragment->number = asset->number;
  fragment->start_ms = asset->start_ms;
  fragment->end_ms = asset->end_ms;
  fragment->name = g_strdup_printf ("%06" G_GUINT64_FORMAT "-%" G_GINT64_FORMAT
                                    "-%" G_GINT64_FORMAT,
      asset->number, asset->start_ms, asset->end_ms);
  fragment->assets = g_ptr_array_new_with_free_func (asset_free);
  g_queue_push_tail (&self->fragments, fragment);
  return fragment;
}

static void
note_asset (DubRunFolder *self, Fragment *fragment, const DubRunAsset *from)
{
  Asset *asset = NULL;

  for (guint i = 0; i < fragment->assets->len && !asset; i++) {
    Asset *each = g_ptr_array_index (fragment->assets, i);

    asset = g_str_equal (each->name, from->name) ? each : NULL;
  }
  if (!asset) {
    asset = g_new0 (Asset, 1);
    asset->name = g_strdup (from->name);
    g_ptr_array_add (fragment->assets, asset);
  }
  self->bytes += g_bytes_get_size (from->bytes) - asset->size;
  asset->size = g_bytes_get_size (from->bytes);
  g_free (asset->sha256);
  asset->sha256 = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, from->bytes);
}

static void
add_assets (JsonBuilder *json, const Fragment *fragment)
{
  json_builder_set_member_name (json, "assets");
  json_builder_begin_array (json);
  for (guint i = 0; i < fragment->assets->len; i++) {
    const Asset *asset = g_ptr_array_index (fragment->assets, i);
    g_autofree char *path = g_build_filename (
        "assets", "fragments", fragment->name, asset->name, NULL);

    json_builder_begin_object (json);
    json_builder_set_member_name (json, "path");
    json_builder_add_string_value (json, path);
    json_builder_set_member_name (json, "bytes");
    json_builder_add_int_value (json, (gint64) asset->size);
    json_builder_set_member_name (json, "sha256");
    json_builder_add_string_value (json, asset->sha256);
    json_builder_end_object (json);
  }
  json_builder_end_array (json);
}

static void
add_fragment (JsonBuilder *json, const Fragment *fragment)
{
  json_builder_begin_object (json);
  json_builder_set_member_name (json, "fragmentId");
  json_builder_add_string_value (json, fragment->name);
  json_builder_set_member_name (json, "seq");
  json_builder_add_int_value (json, (gint64) fragment->number);
  json_builder_set_member_name (json, "startMs");
  json_builder_add_int_value (json, fragment->start_ms);
  json_builder_set_member_name (json, "endMs");
  json_builder_add_int_value (json, fragment->end_ms);
  add_assets (json, fragment);
  json_builder_end_object (json);
}

/* Takes the builder. (transfer full) */
static GBytes *
to_bytes (JsonBuilder *json)
{
  g_autoptr (JsonNode) root = json_builder_get_root (json);
  char *text = json_to_string (root, TRUE);

  g_object_unref (json);
  return g_bytes_new_take (text, strlen (text));
}

static gboolean
write_manifest (DubRunFolder *self, GError **error)
{
  g_autofree char *path = g_build_filename (self->path, "manifest.json", NULL);
  JsonBuilder *json = json_builder_new ();
  g_autoptr (GBytes) bytes = NULL;

  json_builder_begin_object (json);
  json_builder_set_member_name (json, "schemaVersion");
  json_builder_add_string_value (json, SCHEMA_VERSION);
  json_builder_set_member_name (json, "streamId");
  json_builder_add_string_value (json, self->stream_id);
  json_builder_set_member_name (json, "runId");
  json_builder_add_string_value (json, self->run_id);
  json_builder_set_member_name (json, "fragments");
  json_builder_begin_array (json);
  for (GList *l = self->fragments.head; l; l = l->next)
    add_fragment (json, l->data);
  json_builder_end_array (json);
  json_builder_end_object (json);
  bytes = to_bytes (json);
  return write_file (path, bytes, error);
}

/* A disk that fails for days must not cost memory. */
static void
forget_if_empty (DubRunFolder *self, Fragment *fragment)
{
  if (fragment->assets->len > 0)
    return;
  g_queue_remove (&self->fragments, fragment);
  fragment_free (fragment);
}

gboolean
dub_run_folder_write (
    DubRunFolder *self, const DubRunAsset *asset, GError **error)
{
  Fragment *fragment = open_fragment (self, asset);
  g_autofree char *path = g_build_filename (
      self->path, "assets", "fragments", fragment->name, asset->name, NULL);

  if (!self->is_tidied)
    tidy_old_runs (self);
  if (!write_file (path, asset->bytes, error)) {
    forget_if_empty (self, fragment);
    return FALSE;
  }
  note_asset (self, fragment, asset);
  while (
      self->fragments.length > 1 &&
      (self->bytes > self->max_bytes || self->fragments.length > MAX_FRAGMENTS))
    drop_oldest (self);
  return write_manifest (self, error);
}

/* -- what is said of a fragment ------------------------------------------ */

static void
add_text (JsonBuilder *json, const char *name, const char *value)
{
  if (!value)
    return;
  json_builder_set_member_name (json, name);
  json_builder_add_string_value (json, value);
}

static void
add_answer (JsonBuilder *json, const DubAnswer *answer)
{
  static const char *const names[] = {"none", "success", "partial", "failed"};

  add_text (json, "status", names[answer->status]);
  add_text (json, "transcript", answer->transcript);
  add_text (json, "translatedText", answer->translated_text);
  add_text (json, "errorCode", answer->error_code);
  if (!answer->pcm)
    return;
  json_builder_set_member_name (json, "dubbedMs");
  json_builder_add_int_value (
      json, dub_pcm_duration_ns (answer->pcm) / DUB_NS_PER_MS);
}

GBytes *
dub_run_fragment_json (const DubFragment *fragment, const DubAnswer *answer)
{
  JsonBuilder *json = json_builder_new ();

  json_builder_begin_object (json);
  add_text (json, "id", fragment->id);
  json_builder_set_member_name (json, "seq");
  json_builder_add_int_value (json, (gint64) fragment->number);
  json_builder_set_member_name (json, "ptsNs");
  json_builder_add_int_value (json, fragment->pcm->pts_ns);
  json_builder_set_member_name (json, "durationMs");
  json_builder_add_int_value (
      json, dub_pcm_duration_ns (fragment->pcm) / DUB_NS_PER_MS);
  add_text (json, "cut", dub_cut_reason_to_string (fragment->reason));
  if (answer)
    add_answer (json, answer);
  else
    add_text (json, "status", "received");
  json_builder_end_object (json);
  return to_bytes (json);
}
