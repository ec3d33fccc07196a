/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "manifest.h"

#include <media_service/values.h>

/*
 * The folder of one run, as capture.h draws it: assets whole or not at all, the
 * manifest of them, what may grow (log, captions), and all of it within its
 * bytes. A worker that goes on with the run of one that died finds its
 * manifest, and drops what is not as it was written.
 *
 * Calls wait for the disk. One thread.
 */
G_BEGIN_DECLS

typedef struct {
  const char *folder;
  const char *stream_id, *run_id, *instance_id; /* instance_id: (nullable) */
  const char *input_url, *output_url; /* (nullable); shown without keys */
  gint64 delay_ms;
  const char *mode;
  gboolean has_media;
  guint64 max_bytes; /* for all runs of the stream */
  gint64 max_age_s;  /* of the runs of any stream; 0: for ever */
} DubRunFolderOptions;

typedef struct _DubRunFolder DubRunFolder;

/* Touches nothing yet. */
DubRunFolder *dub_run_folder_new (const DubRunFolderOptions *options);
void dub_run_folder_free (DubRunFolder *self);

/* What an earlier process left: tmp/ is emptied, its manifest taken over,
 * damaged assets dropped; then old runs go. Before all else; may be called
 * again to let old runs go. FALSE: some could not be removed. */
gboolean dub_run_folder_tidy (DubRunFolder *self, GError **error);

typedef struct {
  guint64 number; /* of the fragment */
  gint64 start_ms, end_ms;
  const char *name; /* of the file: "in.wav" */
  GBytes *bytes;
} DubRunAsset;

/* A file of that name is replaced. ret_asset: (optional): as the manifest has
 * it; valid until the next call. */
gboolean dub_run_folder_write (DubRunFolder *self, const DubRunAsset *asset,
    const DubManifestAsset **ret_asset, GError **error);
/* latency: of no total, it stays what it was */
void dub_run_folder_set_status (DubRunFolder *self, const DubRunAsset *fragment,
    DubManifestStatus status, const DubManifestLatency *latency);
/* assets/alerts/<time>-<kind>.json */
gboolean dub_run_folder_alert (
    DubRunFolder *self, const char *kind, GBytes *json, GError **error);
/* To the end of a file of the run: logs, captions. */
gboolean dub_run_folder_append (DubRunFolder *self, const char *path,
    const char *head, const char *text, GError **error);

/* For the manifest; it is written by flush. */
void dub_run_folder_count (DubRunFolder *self, const char *name, gint64 by);
void dub_run_folder_note_error (
    DubRunFolder *self, const char *message, const char *path);
/* The manifest, where something is new; the one before it goes into
 * manifest.history when that is wanted. */
gboolean dub_run_folder_flush (
    DubRunFolder *self, gboolean keep_history, GError **error);
gboolean dub_run_folder_is_dirty (const DubRunFolder *self);
/* Of this run's assets. */
guint64 dub_run_folder_get_bytes (const DubRunFolder *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubRunFolder, dub_run_folder_free)

G_END_DECLS
