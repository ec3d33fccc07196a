/* SPDX-License-Identifier: Apache-2.0 */
#include "run_folder.h"

#include "asset_file.h"
#include "retention.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <glib/gstdio.h>
#include <string.h>

#define MANIFEST "manifest.json"
#define HISTORY "manifest.history"
#define MAX_HISTORY 16
#define MAX_LOG_BYTES (G_GUINT64_CONSTANT (8) << 20)

struct _DubRunFolder {
  char *folder, *stream_id, *run_id;
  char *path;
  guint64 max_bytes; /* for the stream */
  gint64 max_age_s;
  guint64 room; /* of max_bytes, what other runs leave to this one */
  DubManifest *manifest;
  guint n_written;  /* manifests, for their names in the history */
  gboolean is_open; /* what was there has been looked at */
  gboolean is_dirty;
};

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

static char *
shown (const char *url)
{
  return url ? dub_redact_url (url) : NULL;
}

DubRunFolder *
dub_run_folder_new (const DubRunFolderOptions *options)
{
  DubRunFolder *self = g_new0 (DubRunFolder, 1);
  g_autofree char *in = shown (options->input_url);
  g_autofree char *out = shown (options->output_url);
  DubManifestHead head = {
      .instance_id = options->instance_id ? options->instance_id : "none",
      .in = in,
      .out = out,
      .delay_ms = options->delay_ms,
      .mode = options->mode ? options->mode : "media",
      .has_media = options->has_media,
      .now_us = g_get_real_time (),
  };

  self->folder = g_strdup (options->folder);
  self->stream_id = safe_name (options->stream_id);
  self->run_id = safe_name (options->run_id);
  self->path = g_build_filename (
      options->folder, "streams", self->stream_id, "runs", self->run_id, NULL);
  self->max_bytes = options->max_bytes;
  self->room = options->max_bytes;
  self->max_age_s = options->max_age_s;
  head.stream_id = self->stream_id;
  head.run_id = self->run_id;
  self->manifest = dub_manifest_new (&head);
  return self;
}

void
dub_run_folder_free (DubRunFolder *self)
{
  if (!self)
    return;
  dub_manifest_free (self->manifest);
  g_free (self->folder);
  g_free (self->stream_id);
  g_free (self->run_id);
  g_free (self->path);
  g_free (self);
}

guint64
dub_run_folder_get_bytes (const DubRunFolder *self)
{
  return dub_manifest_get_bytes (self->manifest);
}

/* -- what an earlier process left ---------------------------------------- */

static void
drop_damaged (DubRunFolder *self, DubManifestFragment *fragment)
{
  for (guint i = fragment->assets->len; i-- > 0;) {
    DubManifestAsset *asset = g_ptr_array_index (fragment->assets, i);
    g_autofree char *place = g_build_filename (self->path, asset->path, NULL);

    if (dub_asset_file_is_whole (
            self->path, asset->path, asset->bytes, asset->sha256))
      continue;
    g_unlink (place);
    dub_manifest_add_error (self->manifest, g_get_real_time (), "asset",
        "not as it was written: dropped", asset->path);
    dub_manifest_count (self->manifest, "assetsDropped", 1);
    g_ptr_array_remove_index (fragment->assets, i);
  }
}

static void
take_over (DubRunFolder *self)
{
  g_autofree char *path = g_build_filename (self->path, MANIFEST, NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  gsize size;

  dub_asset_file_clear_tmp (self->path);
  if (!g_file_get_contents (path, &text, &size, NULL))
    return;
  self->is_dirty = TRUE;
  if (!dub_manifest_load (self->manifest, text, size, &error)) {
    dub_run_folder_note_error (self, error->message, MANIFEST);
    return;
  }
  for (guint i = 0; i < dub_manifest_get_n_fragments (self->manifest); i++)
    drop_damaged (self, dub_manifest_get_fragment (self->manifest, i));
}

/* Old runs keep half of the room at most: the new one needs some. */
gboolean
dub_run_folder_tidy (DubRunFolder *self, GError **error)
{
  DubRetention limits = {
      .folder = self->folder,
      .stream_id = self->stream_id,
      .run_id = self->run_id,
      .max_bytes = self->max_bytes / 2,
      .max_age_s = self->max_age_s,
      .now_s = g_get_real_time () / G_USEC_PER_SEC,
  };
  DubRetentionResult result;

  if (!self->is_open)
    take_over (self);
  self->is_open = TRUE;
  dub_retention_apply (&limits, &result);
  self->room = self->max_bytes - MIN (result.bytes, self->max_bytes / 2);
  if (result.n_failed == 0)
    return TRUE;
  g_set_error (error, DUB_ERROR, DUB_ERROR_UNAVAILABLE,
      "%u old runs could not be removed below %s", result.n_failed,
      self->folder);
  return FALSE;
}

/* -- writing ------------------------------------------------------------- */

static DubManifestFragment *
open_fragment (DubRunFolder *self, const DubRunAsset *asset)
{
  return dub_manifest_open_fragment (
      self->manifest, asset->number, asset->start_ms, asset->end_ms);
}

static void
drop_oldest (DubRunFolder *self)
{
  DubManifestFragment *oldest = dub_manifest_get_fragment (self->manifest, 0);
  g_autofree char *path =
      g_build_filename (self->path, "assets", "fragments", oldest->id, NULL);

  dub_asset_folder_walk (path, TRUE);
  dub_manifest_remove_fragment (self->manifest, 0);
  dub_manifest_count (self->manifest, "fragmentsDropped", 1);
}

static void
stay_within (DubRunFolder *self)
{
  while (dub_manifest_get_n_fragments (self->manifest) > 1 &&
         (dub_run_folder_get_bytes (self) > self->room ||
             dub_manifest_get_n_fragments (self->manifest) >
                 DUB_MANIFEST_MAX_FRAGMENTS))
    drop_oldest (self);
}

/* "in.wav" is "in-wav". (transfer full) */
static char *
kind_of (const char *name)
{
  return g_strdelimit (g_strdup (name), ".", '-');
}

/* Whole on the disk, and what the manifest says of it. (transfer none) */
static gboolean
write_listed (DubRunFolder *self, const char *path, GBytes *bytes,
    DubManifestAsset *ret_asset, GError **error)
{
  if (!self->is_open)
    dub_run_folder_tidy (self, NULL);
  if (!dub_asset_file_write (self->path, path, bytes, error)) {
    dub_run_folder_note_error (
        self, error && *error ? (*error)->message : "not written", path);
    return FALSE;
  }
  ret_asset->path = (char *) path;
  ret_asset->bytes = g_bytes_get_size (bytes);
  ret_asset->written_us = g_get_real_time ();
  self->is_dirty = TRUE;
  return TRUE;
}

gboolean
dub_run_folder_write (DubRunFolder *self, const DubRunAsset *asset,
    const DubManifestAsset **ret_asset, GError **error)
{
  DubManifestFragment *fragment = open_fragment (self, asset);
  g_autofree char *path =
      g_build_filename ("assets", "fragments", fragment->id, asset->name, NULL);
  g_autofree char *kind = kind_of (asset->name);
  g_autofree char *sum = NULL;
  g_autoptr (GError) local = NULL;
  DubManifestAsset listed = {.kind = kind};

  if (!write_listed (self, path, asset->bytes, &listed, &local)) {
    g_propagate_error (error, g_steal_pointer (&local));
    stay_within (self); /* a disk that fails for days must not cost memory */
    return FALSE;
  }
  sum = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, asset->bytes);
  listed.sha256 = sum;
  /* What was dropped meanwhile is listed anew. */
  fragment = open_fragment (self, asset);
  dub_manifest_note_asset (fragment, &listed);
  if (ret_asset)
    *ret_asset =
        g_ptr_array_index (fragment->assets, fragment->assets->len - 1);
  stay_within (self);
  return TRUE;
}

void
dub_run_folder_set_status (DubRunFolder *self, const DubRunAsset *fragment,
    DubManifestStatus status, const DubManifestLatency *latency)
{
  DubManifestFragment *listed = open_fragment (self, fragment);

  listed->status = status;
  if (latency->total_ms >= 0)
    listed->latency = *latency;
  self->is_dirty = TRUE;
}

gboolean
dub_run_folder_alert (
    DubRunFolder *self, const char *kind, GBytes *json, GError **error)
{
  g_autofree char *path = g_strdup_printf (
      "assets/alerts/%" G_GINT64_FORMAT "-%s.json", g_get_real_time (), kind);
  g_autofree char *sum = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, json);
  g_autoptr (GError) local = NULL;
  g_autofree char *gone = NULL;
  DubManifestAsset listed = {.kind = (char *) "alert-json", .sha256 = sum};

  if (!write_listed (self, path, json, &listed, &local)) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  gone = dub_manifest_note_alert (self->manifest, &listed);
  if (gone) {
    g_autofree char *place = g_build_filename (self->path, gone, NULL);

    g_unlink (place);
  }
  return TRUE;
}

gboolean
dub_run_folder_append (DubRunFolder *self, const char *path, const char *head,
    const char *text, GError **error)
{
  if (!self->is_open)
    dub_run_folder_tidy (self, NULL);
  return dub_asset_file_append (
      self->path, path, head, text, MAX_LOG_BYTES, error);
}

/* -- the manifest -------------------------------------------------------- */

void
dub_run_folder_count (DubRunFolder *self, const char *name, gint64 by)
{
  dub_manifest_count (self->manifest, name, by);
  self->is_dirty = TRUE;
}

void
dub_run_folder_note_error (
    DubRunFolder *self, const char *message, const char *path)
{
  dub_manifest_add_error (self->manifest, g_get_real_time (),
      path ? "asset" : "run", message, path);
  self->is_dirty = TRUE;
}

gboolean
dub_run_folder_is_dirty (const DubRunFolder *self)
{
  return self->is_dirty;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* Names begin with the time, so the first are the oldest. */
static void
bound_history (const char *folder)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  GDir *dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name (dir)))
    g_ptr_array_add (names, g_build_filename (folder, name, NULL));
  g_clear_pointer (&dir, g_dir_close);
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i + MAX_HISTORY < names->len; i++)
    g_unlink (g_ptr_array_index (names, i));
}

static gboolean
write_history (DubRunFolder *self, GBytes *json, GError **error)
{
  g_autofree char *path = g_strdup_printf ("%s/%" G_GINT64_FORMAT "-%04u.json",
      HISTORY, g_get_real_time (), self->n_written);
  g_autofree char *folder = g_build_filename (self->path, HISTORY, NULL);

  if (!dub_asset_file_write (self->path, path, json, error))
    return FALSE;
  bound_history (folder);
  return TRUE;
}

gboolean
dub_run_folder_flush (DubRunFolder *self, gboolean keep_history, GError **error)
{
  g_autoptr (GBytes) json =
      dub_manifest_to_json (self->manifest, g_get_real_time ());

  if (!self->is_open)
    dub_run_folder_tidy (self, NULL);
  if (!dub_asset_file_write (self->path, MANIFEST, json, error))
    return FALSE;
  self->n_written++;
  self->is_dirty = FALSE;
  return !keep_history || write_history (self, json, error);
}
