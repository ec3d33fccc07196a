/* SPDX-License-Identifier: Apache-2.0 */
#include "retention.h"

#include "asset_file.h"

#include <glib/gstdio.h>

typedef struct {
  char *path;
  gint64 changed_s;
  guint64 bytes;
  gboolean is_of_stream;
} Run;

static void
run_clear (gpointer data)
{
  g_free (((Run *) data)->path);
}

static int
compare_runs (gconstpointer a, gconstpointer b)
{
  gint64 first = ((const Run *) a)->changed_s;
  gint64 other = ((const Run *) b)->changed_s;

  return (first > other) - (first < other);
}

/* Of the manifest; of the folder where there is none. 0: it is no run. */
static gint64
changed_s (const char *run_path)
{
  g_autofree char *manifest =
      g_build_filename (run_path, "manifest.json", NULL);
  GStatBuf info;

  if (g_lstat (run_path, &info) != 0 || !S_ISDIR (info.st_mode))
    return 0;
  g_lstat (manifest, &info);
  return info.st_mtime;
}

static void
add_runs (const DubRetention *limits, const char *stream, GArray *runs)
{
  g_autofree char *folder =
      g_build_filename (limits->folder, "streams", stream, "runs", NULL);
  gboolean is_ours = g_str_equal (stream, limits->stream_id);
  GDir *dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name (dir))) {
    Run run = {
        .path = g_build_filename (folder, name, NULL), .is_of_stream = is_ours};

    run.changed_s = changed_s (run.path);
    if (run.changed_s == 0 || (is_ours && g_str_equal (name, limits->run_id))) {
      g_free (run.path);
      continue;
    }
    if (is_ours)
      run.bytes = dub_asset_folder_walk (run.path, FALSE);
    g_array_append_val (runs, run);
  }
  g_clear_pointer (&dir, g_dir_close);
}

/* Of all streams, oldest first. (transfer full) */
static GArray *
list_runs (const DubRetention *limits)
{
  GArray *runs = g_array_new (FALSE, FALSE, sizeof (Run));
  g_autofree char *folder = g_build_filename (limits->folder, "streams", NULL);
  GDir *dir = g_dir_open (folder, 0, NULL);
  const char *name;

  g_array_set_clear_func (runs, run_clear);
  while (dir && (name = g_dir_read_name (dir)))
    add_runs (limits, name, runs);
  g_clear_pointer (&dir, g_dir_close);
  g_array_sort (runs, compare_runs);
  return runs;
}

/* FALSE: some of it is still there. */
static gboolean
remove_run (const char *path)
{
  static const char *const order[] = {
      "assets", "logs", "tmp", "manifest.history", NULL};

  for (guint i = 0; order[i]; i++) {
    g_autofree char *part = g_build_filename (path, order[i], NULL);

    dub_asset_folder_walk (part, TRUE);
    if (g_file_test (part, G_FILE_TEST_EXISTS))
      return FALSE;
  }
  dub_asset_folder_walk (path, TRUE);
  return !g_file_test (path, G_FILE_TEST_EXISTS);
}

void
dub_retention_apply (const DubRetention *limits, DubRetentionResult *ret_result)
{
  g_autoptr (GArray) runs = list_runs (limits);
  guint64 total = 0;

  *ret_result = (DubRetentionResult){0};
  for (guint i = 0; i < runs->len; i++)
    total += g_array_index (runs, Run, i).bytes;
  for (guint i = 0; i < runs->len; i++) {
    const Run *run = &g_array_index (runs, Run, i);
    gboolean is_old = limits->max_age_s > 0 &&
                      limits->now_s - run->changed_s > limits->max_age_s;

    if (!is_old && !(run->is_of_stream && total > limits->max_bytes))
      continue;
    if (remove_run (run->path)) {
      ret_result->n_removed++;
      total -= run->bytes;
    } else {
      ret_result->n_failed++;
    }
  }
  ret_result->bytes = total;
}
