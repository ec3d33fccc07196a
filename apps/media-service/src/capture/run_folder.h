/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <media_service/values.h>

/*
 * The folder of one run, as capture.h draws it: writes assets whole or not at
 * all, keeps the manifest, and stays within its bytes.
 *
 * Calls wait for the disk. One thread.
 */
G_BEGIN_DECLS

typedef struct _DubRunFolder DubRunFolder;

/* Touches nothing yet. */
DubRunFolder *dub_run_folder_new (const char *folder, const char *stream_id,
    const char *run_id, guint64 max_bytes);
void dub_run_folder_free (DubRunFolder *self);

typedef struct {
  guint64 number; /* of the fragment */
  gint64 start_ms, end_ms;
  const char *name; /* of the file */
  GBytes *bytes;
} DubRunAsset;

/* The asset, then the manifest. A file of that name is replaced. */
gboolean dub_run_folder_write (
    DubRunFolder *self, const DubRunAsset *asset, GError **error);
/* Of this run's assets. */
guint64 dub_run_folder_get_bytes (const DubRunFolder *self);

/* answer: (nullable). (transfer full) */
GBytes *dub_run_fragment_json (
    const DubFragment *fragment, const DubAnswer *answer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubRunFolder, dub_run_folder_free)

G_END_DECLS
