/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Files of a run that are there whole or not at all: written into tmp/ of the
 * run's folder, synced, then renamed to their place, whose folder is synced
 * too. A failure leaves nothing behind.
 *
 * Calls wait for the disk. One thread.
 */
G_BEGIN_DECLS

/* path: of the file, below run_path; its folders are made.
 * DUB_ERROR_UNAVAILABLE with the system's words. */
gboolean dub_asset_file_write (
    const char *run_path, const char *path, GBytes *bytes, GError **error);
/* For logs, which grow: text goes to the end; a file that has reached max_bytes
 * becomes NAME.1 first. head: of a new file (nullable). */
gboolean dub_asset_file_append (const char *run_path, const char *path,
    const char *head, const char *text, guint64 max_bytes, GError **error);
/* Is it there as it was written? */
gboolean dub_asset_file_is_whole (
    const char *run_path, const char *path, guint64 bytes, const char *sha256);
/* What an earlier process left unfinished. */
void dub_asset_file_clear_tmp (const char *run_path);

/* Its files' sizes; with is_removing it is gone afterwards. Links are never
 * followed. */
guint64 dub_asset_folder_walk (const char *path, gboolean is_removing);

G_END_DECLS
