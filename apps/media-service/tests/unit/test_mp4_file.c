/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/mp4_file.h"

#include <dubbing_common/error.h>
#include <glib/gstdio.h>
#include <string.h>

#define MS DUB_NS_PER_MS
#define CONFIG "\1\144\0\36 the parameter sets"

typedef struct {
  char *folder, *path;
  DubMp4File *file;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) config = g_bytes_new_static ("\x11\x90", 2);

  f->folder = g_dir_make_tmp ("dub-mp4-XXXXXX", NULL);
  f->path = g_build_filename (f->folder, "out.mp4", NULL);
  f->file = dub_mp4_file_new (f->path, config, 160000, NULL);
  g_assert_nonnull (f->file);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  dub_mp4_file_free (f->file);
  g_unlink (f->path);
  g_assert_cmpint (g_rmdir (f->folder), ==, 0); /* nothing else is left */
  g_free (f->path);
  g_free (f->folder);
}

/* Picture i of 25 a second, shown two pictures later. */
static gboolean
add_picture (Fixture *f, int i, const char *config, GError **error)
{
  g_autofree char *text = g_strdup_printf ("picture %d", i);
  g_autoptr (DubAccessUnit) unit = dub_access_unit_new (DUB_VIDEO_CODEC_H264,
      g_bytes_new (text, strlen (text)),
      config != NULL ? g_bytes_new (config, strlen (config)) : NULL,
      (i + 2) * 40 * MS, i * 40 * MS, i == 0);

  unit->width = 640;
  unit->height = 360;
  return dub_mp4_file_add_video (f->file, unit, error);
}

static void
add_sound (Fixture *f, int i)
{
  g_autofree char *text = g_strdup_printf ("sound %d", i);
  g_autoptr (GBytes) frame = g_bytes_new (text, strlen (text));
  gint64 first = i * 1024 - 1600;

  g_assert_true (dub_mp4_file_add_sound (f->file, frame,
      first >= 0 ? dub_frames_to_ns (first, 48000)
                 : -dub_frames_to_ns (-first, 48000),
      NULL));
}

static guint64
number_at (const guint8 *at, guint bytes)
{
  guint64 value = 0;

  for (guint i = 0; i < bytes; i++)
    value = value << 8 | at[i];
  return value;
}

/* The content of the box of that type that comes nth, wherever it is nested. */
static const guint8 *
find_box (const char *data, gsize length, const char *type, guint nth)
{
  for (gsize i = 4; i + 4 < length; i++)
    if (memcmp (data + i, type, 4) == 0 && nth-- == 0)
      return (const guint8 *) data + i + 4;
  g_assert_not_reached ();
}

static void
make (Fixture *f, char **ret_data, gsize *ret_length)
{
  for (int i = 0; i < 10; i++)
    g_assert_true (add_picture (f, i, i == 0 ? CONFIG : NULL, NULL));
  for (int i = 0; i < 25; i++)
    add_sound (f, i);
  /* The first picture is shown at 80 ms, and is the start of the file. */
  g_assert_true (dub_mp4_file_finish (f->file, 80 * MS, 480 * MS, NULL));
  g_assert_true (g_file_get_contents (f->path, ret_data, ret_length, NULL));
}

/* Each sample is where the tables say, as it was given. */
static void
test_samples (Fixture *f, gconstpointer user_data)
{
  g_autofree char *data = NULL;
  gsize length = 0;
  const guint8 *sizes, *places;

  make (f, &data, &length);
  for (guint track = 0; track < 2; track++) {
    guint n = track == 0 ? 10 : 25;

    sizes = find_box (data, length, "stsz", track);
    places = find_box (data, length, "co64", track);
    g_assert_cmpuint (number_at (sizes + 8, 4), ==, n);
    for (guint i = 0; i < n; i++) {
      g_autofree char *text =
          g_strdup_printf (track == 0 ? "picture %u" : "sound %u", i);

      g_assert_cmpuint (number_at (sizes + 12 + 4 * i, 4), ==, strlen (text));
      g_assert_cmpmem (data + number_at (places + 8 + 8 * i, 8), strlen (text),
          text, strlen (text));
    }
  }
}

/* The pictures start with the first that is shown; of the sound, the coder's
 * lead-in and what came before that picture are cut. */
static void
test_edits (Fixture *f, gconstpointer user_data)
{
  g_autofree char *data = NULL;
  gsize length = 0;
  const guint8 *video, *sound;

  make (f, &data, &length);
  video = find_box (data, length, "elst", 0);
  sound = find_box (data, length, "elst", 1);
  g_assert_cmpuint (number_at (video + 4, 4), ==, 1);
  g_assert_cmpuint (number_at (video + 8, 8), ==, 400 * 48);
  g_assert_cmpuint (number_at (video + 16, 8), ==, 80 * 360);
  g_assert_cmpuint (number_at (sound + 8, 8), ==, 400 * 48);
  g_assert_cmpuint (number_at (sound + 16, 8), ==, 80 * 48 + 1600);
}

static void
test_times (Fixture *f, gconstpointer user_data)
{
  g_autofree char *data = NULL;
  gsize length = 0;
  const guint8 *stts, *ctts, *stss;

  make (f, &data, &length);
  stts = find_box (data, length, "stts", 0);
  ctts = find_box (data, length, "ctts", 0);
  stss = find_box (data, length, "stss", 0);
  g_assert_cmpuint (number_at (stts + 4, 4), ==, 1); /* one run */
  g_assert_cmpuint (number_at (stts + 8, 4), ==, 10);
  g_assert_cmpuint (number_at (stts + 12, 4), ==, 40 * 360);
  g_assert_cmpuint (number_at (ctts + 12, 4), ==, 80 * 360);
  g_assert_cmpuint (number_at (stss + 4, 4), ==, 1);
  g_assert_cmpuint (number_at (stss + 8, 4), ==, 1);
}

/* What is not finished is not there. */
static void
test_half (Fixture *f, gconstpointer user_data)
{
  g_assert_true (add_picture (f, 0, CONFIG, NULL));
  add_sound (f, 0);
  g_clear_pointer (&f->file, dub_mp4_file_free);
  g_assert_false (g_file_test (f->path, G_FILE_TEST_EXISTS));
}

static void
test_nothing_written (Fixture *f, gconstpointer user_data)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (dub_mp4_file_finish (f->file, 0, 0, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_INVALID);
}

static void
test_change_of_format (Fixture *f, gconstpointer user_data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (add_picture (f, 0, CONFIG, NULL));
  g_assert_true (add_picture (f, 1, CONFIG, NULL));
  g_assert_false (add_picture (f, 2, "others", &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED);
}

static void
test_no_folder (void)
{
  g_autoptr (GBytes) config = g_bytes_new_static ("\x11\x90", 2);
  g_autoptr (GError) error = NULL;

  g_assert_null (
      dub_mp4_file_new ("/no/such/folder/x.mp4", config, 160000, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_LIMIT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func)                                                        \
  g_test_add ("/media/mp4-file/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("samples", test_samples);
  ADD ("edits", test_edits);
  ADD ("times", test_times);
  ADD ("half", test_half);
  ADD ("nothing-written", test_nothing_written);
  ADD ("change-of-format", test_change_of_format);
  g_test_add_func ("/media/mp4-file/no-folder", test_no_folder);
  return g_test_run ();
}
