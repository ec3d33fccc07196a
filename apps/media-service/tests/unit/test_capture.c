/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/capture.h"
#include "capture/run_folder.h"
#include "capture/wav.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#define RATE 48000

typedef struct {
  char *path;
} Folder;

static void
remove_tree (const char *path)
{
  GDir *folder = g_dir_open (path, 0, NULL);
  const char *name;

  while (folder && (name = g_dir_read_name (folder))) {
    g_autofree char *inner = g_build_filename (path, name, NULL);

    remove_tree (inner);
  }
  g_clear_pointer (&folder, g_dir_close);
  g_remove (path);
}

static void
set_up (Folder *f, gconstpointer data)
{
  f->path = g_dir_make_tmp ("dub-capture-XXXXXX", NULL);
  g_assert_nonnull (f->path);
}

static void
tear_down (Folder *f, gconstpointer data)
{
  remove_tree (f->path);
  g_free (f->path);
}

static DubFragment *
new_fragment (guint64 number, gsize frames)
{
  return dub_fragment_new (number,
      dub_pcm_new_silence (frames, RATE, 1, (gint64) number * 5 * DUB_NS_PER_S),
      DUB_CUT_SILENCE, 0, 0);
}

static DubCapture *
new_capture (Folder *f, DubCaptureMode mode)
{
  DubCaptureOptions options = {.mode = mode,
      .folder = f->path,
      .stream_id = "../demo",
      .run_id = "run",
      .max_bytes = 1 << 20};

  return dub_capture_new (&options);
}

static char *
in_run (Folder *f, const char *name)
{
  return g_build_filename (
      f->path, "streams", "_._demo", "runs", "run", name, NULL);
}

static void
test_wav (void)
{
  static const gint16 samples[] = {1, -2, 300, -400};
  static const guint8 expected[] = {'R', 'I', 'F', 'F', 44, 0, 0, 0, 'W', 'A',
      'V', 'E', 'f', 'm', 't', ' ', 16, 0, 0, 0, 1, 0, 2, 0, 0x80, 0xbb, 0, 0,
      0, 0xee, 2, 0, 4, 0, 16, 0, 'd', 'a', 't', 'a', 8, 0, 0, 0, 1, 0, 0xfe,
      0xff, 0x2c, 1, 0x70, 0xfe};
  g_autoptr (DubPcm) pcm =
      dub_pcm_new (g_bytes_new (samples, sizeof samples), RATE, 2, 0);
  g_autoptr (GBytes) wav = dub_wav_new (pcm);

  g_assert_cmpmem (g_bytes_get_data (wav, NULL), g_bytes_get_size (wav),
      expected, sizeof expected);
}

/* A dub that comes is kept beside its segment; everything is in the manifest.
 */
static void
test_segment_and_answer (Folder *f, gconstpointer data)
{
  g_autoptr (DubFragment) fragment = new_fragment (7, RATE);
  g_autoptr (DubAnswer) answer =
      dub_answer_new (fragment->id, DUB_ANSWER_SUCCESS);
  g_autofree char *manifest = in_run (f, "manifest.json");
  g_autofree char *dub =
      in_run (f, "assets/fragments/000007-35000-36000/out.wav");
  g_autofree char *json =
      in_run (f, "assets/fragments/000007-35000-36000/fragment.json");
  g_autofree char *text = NULL;
  g_autofree char *said = NULL;
  g_autofree char *sound = NULL;
  g_autofree char *sum = NULL;
  gsize size;
  DubCapture *capture = new_capture (f, DUB_CAPTURE_MEDIA);

  answer->pcm = dub_pcm_new_silence (RATE / 2, RATE, 2, 0);
  answer->translated_text = g_strdup ("good \"day\"");
  dub_capture_segment (capture, fragment);
  dub_capture_answer (capture, answer);
  dub_capture_free (capture);
  g_assert_true (g_file_get_contents (manifest, &text, NULL, NULL));
  g_assert_true (g_file_get_contents (dub, &sound, &size, NULL));
  g_assert_true (g_file_get_contents (json, &said, NULL, NULL));
  g_assert_cmpuint (size, ==, 44 + RATE / 2 * 4);
  g_assert_nonnull (strstr (said, "good \\\"day\\\""));
  g_assert_nonnull (strstr (said, "\"success\""));
  sum = g_compute_checksum_for_data (
      G_CHECKSUM_SHA256, (const guchar *) sound, size);
  g_assert_nonnull (strstr (text, sum));
  g_assert_nonnull (strstr (text, "in.wav"));
}

static void
test_metadata_has_no_sound (Folder *f, gconstpointer data)
{
  g_autoptr (DubFragment) fragment = new_fragment (0, RATE);
  g_autofree char *sound = in_run (f, "assets/fragments/000000-0-1000/in.wav");
  g_autofree char *json =
      in_run (f, "assets/fragments/000000-0-1000/fragment.json");
  DubCapture *capture = new_capture (f, DUB_CAPTURE_METADATA);

  dub_capture_segment (capture, fragment);
  dub_capture_free (capture);
  g_assert_true (g_file_test (json, G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test (sound, G_FILE_TEST_EXISTS));
}

/* Half a megabyte each, and room for one: the oldest go. */
static void
test_oldest_go (Folder *f, gconstpointer data)
{
  g_autoptr (DubRunFolder) run =
      dub_run_folder_new (f->path, "_._demo", "run", 1 << 20);
  g_autofree char *fragments = in_run (f, "assets/fragments");
  g_autofree char *manifest = in_run (f, "manifest.json");
  g_autofree char *text = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 (400000), 400000);
  GDir *folder;
  guint n = 0;

  for (guint i = 0; i < 10; i++) {
    DubRunAsset asset = {.number = i, .name = "in.wav", .bytes = bytes};

    g_assert_true (dub_run_folder_write (run, &asset, NULL));
    g_assert_cmpuint (dub_run_folder_get_bytes (run), <=, 1 << 20);
  }
  folder = g_dir_open (fragments, 0, NULL);
  while (g_dir_read_name (folder))
    n++;
  g_dir_close (folder);
  g_assert_cmpuint (n, ==, 2);
  g_assert_true (g_file_get_contents (manifest, &text, NULL, NULL));
  g_assert_nonnull (strstr (text, "000009-0-0"));
  g_assert_null (strstr (text, "000007-0-0"));
}

/* What an earlier run left counts, and goes before ours does. */
static void
test_old_runs_go_first (Folder *f, gconstpointer data)
{
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 (300000), 300000);
  DubRunAsset asset = {.number = 1, .name = "in.wav", .bytes = bytes};

  for (guint i = 0; i < 4; i++) {
    g_autofree char *id = g_strdup_printf ("run-%u", i);
    g_autoptr (DubRunFolder) run =
        dub_run_folder_new (f->path, "_._demo", id, 1 << 20);

    g_assert_true (dub_run_folder_write (run, &asset, NULL));
  }
  {
    g_autofree char *runs =
        g_build_filename (f->path, "streams", "_._demo", "runs", NULL);
    GDir *folder = g_dir_open (runs, 0, NULL);
    guint n = 0;

    while (g_dir_read_name (folder))
      n++;
    g_dir_close (folder);
    /* half of the room is one old run; the last is the fourth's own */
    g_assert_cmpuint (n, ==, 2);
  }
}

/* The disk takes nothing of that size (as a full one does not), then does. */
static void
test_disk_fails (Folder *f, gconstpointer data)
{
  struct rlimit before, small = {20000, RLIM_INFINITY};
  DubCapture *capture = new_capture (f, DUB_CAPTURE_MEDIA);
  g_autofree char *folder = in_run (f, "assets/fragments/000000-0-1000");
  DubCaptureStats stats;

  signal (SIGXFSZ, SIG_IGN);
  getrlimit (RLIMIT_FSIZE, &before);
  small.rlim_max = before.rlim_max;
  setrlimit (RLIMIT_FSIZE, &small);
  for (guint i = 0; i < 3; i++) {
    g_autoptr (DubFragment) fragment = new_fragment (i, RATE);

    dub_capture_segment (capture, fragment);
  }
  do
    dub_capture_get_stats (capture, &stats);
  while (stats.failed + stats.written < 6);
  setrlimit (RLIMIT_FSIZE, &before);
  /* the sound of each fails, its text is small enough */
  g_assert_cmpuint (stats.failed, ==, 3);
  g_assert_cmpuint (stats.written, ==, 3);
  dub_capture_free (capture);
  {
    GDir *dir = g_dir_open (folder, 0, NULL);

    g_assert_cmpstr (g_dir_read_name (dir), ==, "fragment.json");
    g_assert_null (g_dir_read_name (dir)); /* no half file */
    g_dir_close (dir);
  }
}

/* A file stands where the folder should be: nothing is kept, nothing waits. */
static void
test_no_folder (Folder *f, gconstpointer data)
{
  g_autofree char *in_the_way = g_build_filename (f->path, "streams", NULL);
  DubCapture *capture;
  DubCaptureStats stats;

  g_assert_true (g_file_set_contents (in_the_way, "x", 1, NULL));
  capture = new_capture (f, DUB_CAPTURE_MEDIA);
  for (guint i = 0; i < 200; i++) {
    g_autoptr (DubFragment) fragment = new_fragment (i, RATE);

    dub_capture_segment (capture, fragment);
  }
  do
    dub_capture_get_stats (capture, &stats);
  while (stats.failed + 2 * stats.dropped < 400);
  g_assert_cmpuint (stats.written, ==, 0);
  dub_capture_free (capture);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/capture/wav", test_wav);
  g_test_add ("/media/capture/segment-and-answer", Folder, NULL, set_up,
      test_segment_and_answer, tear_down);
  g_test_add ("/media/capture/metadata-has-no-sound", Folder, NULL, set_up,
      test_metadata_has_no_sound, tear_down);
  g_test_add ("/media/capture/oldest-go", Folder, NULL, set_up, test_oldest_go,
      tear_down);
  g_test_add ("/media/capture/old-runs-go-first", Folder, NULL, set_up,
      test_old_runs_go_first, tear_down);
  g_test_add ("/media/capture/disk-fails", Folder, NULL, set_up,
      test_disk_fails, tear_down);
  g_test_add ("/media/capture/no-folder", Folder, NULL, set_up, test_no_folder,
      tear_down);
  return g_test_run ();
}
