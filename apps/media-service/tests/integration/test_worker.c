/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/*
 * The real worker between a real publisher (ffmpeg) and the real MediaMTX,
 * judged by its taps: what came in against what left. Without ffmpeg or
 * MediaMTX the test is skipped.
 */

#define RATE 48000
#define SIZE_A "320x180"
#define SIZE_B "352x288"
#define SIZE_C "176x144"

typedef struct {
  gint64 pts_ns, dts_ns;
  gboolean is_key;
  char hash[41];
} Unit;

typedef struct {
  Rig rig;
  guint rtmp_port;
  char *mediamtx_program, *ffmpeg_program;
  Program *mediamtx, *publisher, *worker;
  guint wanted; /* pictures out */
} Fixture;

/* -- the programs -------------------------------------------------------- */

static void
start_mediamtx (Fixture *f)
{
  g_autofree char *settings =
      g_strdup_printf ("rtsp: no\nrtmpAddress: 127.0.0.1:%u\n", f->rtmp_port);

  f->mediamtx = rig_start_mediamtx (&f->rig, f->mediamtx_program, settings);
}

/* Endless, with B-frames; each size has its own parameter sets. */
static void
start_publisher (Fixture *f, const char *size)
{
  g_autofree char *url =
      g_strdup_printf ("rtmp://127.0.0.1:%u/live/it/in", f->rtmp_port);
  g_autofree char *picture = g_strdup_printf ("testsrc2=s=%s:r=25", size);
  const char *argv[] = {f->ffmpeg_program, "-v", "error", "-re", "-f", "lavfi",
      "-i", picture, "-f", "lavfi", "-i", "sine=440:r=44100", "-t", "300",
      "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "25", "-c:a",
      "aac", "-ac", "2", "-f", "flv", url, NULL};

  f->publisher = rig_start (&f->rig, "publisher", argv);
}

static void
start_worker (Fixture *f)
{
  g_autofree char *taps = rig_path (&f->rig, "taps");
  g_autofree char *runtime = rig_path (&f->rig, "run");
  g_autofree char *in =
      g_strdup_printf ("rtmp://127.0.0.1:%u/live/it/in", f->rtmp_port);
  g_autofree char *out =
      g_strdup_printf ("rtmp://127.0.0.1:%u/live/it/out", f->rtmp_port);
  const char *argv[] = {g_getenv ("MEDIA_WORKER"), NULL};

  rig_set (&f->rig, "TAP_DIR", taps);
  rig_set (&f->rig, "RUNTIME_DIR", runtime);
  rig_set (&f->rig, "INPUT_URL", in);
  rig_set (&f->rig, "OUTPUT_URL", out);
  rig_set (&f->rig, "STREAM_ID", "it");
  rig_set (&f->rig, "OUTPUT_DELAY_MS", "3000");
  rig_set (&f->rig, "SKIP_STS_CONNECTION", "true");
  f->worker = rig_start (&f->rig, "worker", argv);
}

static gboolean
set_up (Fixture *f)
{
  memset (f, 0, sizeof *f);
  f->mediamtx_program = rig_find_mediamtx ();
  f->ffmpeg_program = g_find_program_in_path ("ffmpeg");
  if (f->mediamtx_program == NULL || f->ffmpeg_program == NULL) {
    g_test_skip ("ffmpeg or MediaMTX is not there");
    return FALSE;
  }
  rig_init (&f->rig);
  f->rtmp_port = free_port ();
  start_mediamtx (f);
  start_publisher (f, SIZE_A);
  start_worker (f);
  return TRUE;
}

static void
tear_down (Fixture *f)
{
  g_free (f->mediamtx_program);
  g_free (f->ffmpeg_program);
  if (f->rig.folder != NULL)
    rig_clear (&f->rig);
}

/* -- the taps ------------------------------------------------------------ */

static char **
read_lines (Fixture *f, const char *name)
{
  g_autofree char *taps = rig_path (&f->rig, "taps");
  g_autofree char *path = g_strdup_printf ("%s/%s.csv", taps, name);
  g_autofree char *text = NULL;
  char *last;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return g_new0 (char *, 1);
  /* The last line may be half written. */
  last = strrchr (text, '\n');
  if (last != NULL)
    *last = '\0';
  else
    *text = '\0';
  return g_strsplit (text, "\n", -1);
}

static GArray *
read_units (Fixture *f, const char *name)
{
  g_auto (GStrv) lines = read_lines (f, name);
  GArray *units = g_array_new (FALSE, TRUE, sizeof (Unit));

  for (guint i = 0; lines[i] != NULL && *lines[i] != '\0'; i++) {
    g_auto (GStrv) cells = g_strsplit (lines[i], ",", 5);
    Unit unit = {0};

    g_assert_cmpuint (g_strv_length (cells), ==, 5);
    unit.pts_ns = g_ascii_strtoll (cells[0], NULL, 10);
    unit.dts_ns = g_ascii_strtoll (cells[1], NULL, 10);
    unit.is_key = *cells[2] == '1';
    g_strlcpy (unit.hash, cells[4], sizeof unit.hash);
    g_array_append_val (units, unit);
  }
  return units;
}

static gboolean
has_enough_out (gpointer user_data)
{
  Fixture *f = user_data;
  g_auto (GStrv) lines = read_lines (f, "video_out");

  g_assert_true (f->worker->is_running);
  return g_strv_length (lines) >= f->wanted;
}

/* The newest picture that left came in after the first `wanted` ones. */
static gboolean
has_new_source_out (gpointer user_data)
{
  Fixture *f = user_data;
  g_autoptr (GArray) in = read_units (f, "video_in");
  g_autoptr (GArray) out = read_units (f, "video_out");
  const Unit *last;

  g_assert_true (f->worker->is_running);
  if (out->len == 0)
    return FALSE;
  last = &g_array_index (out, Unit, out->len - 1);
  for (guint i = f->wanted; i < in->len; i++)
    if (strcmp (g_array_index (in, Unit, i).hash, last->hash) == 0)
      return TRUE;
  return FALSE;
}

static guint
count_in (Fixture *f)
{
  g_auto (GStrv) lines = read_lines (f, "video_in");

  return g_strv_length (lines);
}

/* -- what must be so, whatever happened ---------------------------------- */

static void
check_video (GArray *in, GArray *out)
{
  g_autoptr (GHashTable) known = g_hash_table_new (g_str_hash, g_str_equal);
  gint64 last_dts_ns = -1;

  for (guint i = 0; i < in->len; i++)
    g_hash_table_add (known, g_array_index (in, Unit, i).hash);
  g_assert_cmpuint (out->len, >, 0);
  g_assert_true (g_array_index (out, Unit, 0).is_key);
  for (guint i = 0; i < out->len; i++) {
    const Unit *unit = &g_array_index (out, Unit, i);

    g_assert_true (g_hash_table_contains (known, unit->hash));
    g_assert_cmpint (unit->dts_ns, >, last_dts_ns);
    g_assert_cmpint (unit->pts_ns, >=, unit->dts_ns);
    last_dts_ns = unit->dts_ns;
  }
}

static void
check_sound (Fixture *f)
{
  g_auto (GStrv) lines = read_lines (f, "sound_out");
  gint64 frames = 0;

  g_assert_cmpuint (g_strv_length (lines), >, 50);
  for (guint i = 0; lines[i] != NULL; i++) {
    g_auto (GStrv) cells = g_strsplit (lines[i], ",", 3);
    double expected = (double) frames * 1e9 / RATE;
    double pts_ns = g_ascii_strtod (cells[0], NULL);

    g_assert_cmpfloat (fabs (pts_ns - expected), <, 100);
    frames += g_ascii_strtoll (cells[1], NULL, 10);
  }
}

static void
end_worker (Fixture *f)
{
  program_kill (f->worker, SIGTERM);
  program_wait (f->worker);
  g_assert_true (WIFEXITED (f->worker->status));
  g_assert_cmpint (WEXITSTATUS (f->worker->status), ==, 0);
}

/* Every picture from the first key frame on leaves once, in order, with the
 * distances that it came with. */
static void
check_untouched (GArray *in, GArray *out)
{
  guint first = 0;

  while (strcmp (g_array_index (in, Unit, first).hash,
             g_array_index (out, Unit, 0).hash) != 0)
    g_assert_cmpuint (++first, <, in->len);
  for (guint i = 0; i < out->len; i++) {
    const Unit *came = &g_array_index (in, Unit, first + i);
    const Unit *left = &g_array_index (out, Unit, i);

    g_assert_cmpuint (first + i, <, in->len);
    g_assert_cmpstr (left->hash, ==, came->hash);
    g_assert_cmpint (left->is_key, ==, came->is_key);
    g_assert_cmpint (left->pts_ns - g_array_index (out, Unit, 0).pts_ns, ==,
        came->pts_ns - g_array_index (in, Unit, first).pts_ns);
    g_assert_cmpint (left->dts_ns - g_array_index (out, Unit, 0).dts_ns, ==,
        came->dts_ns - g_array_index (in, Unit, first).dts_ns);
  }
}

static void
test_pass_through (void)
{
  Fixture f;
  g_autoptr (GArray) in = NULL;
  g_autoptr (GArray) out = NULL;

  if (!set_up (&f)) {
    tear_down (&f);
    return;
  }
  f.wanted = 150;
  rig_wait (&f.rig, "pictures at the output", has_enough_out, &f);
  end_worker (&f);
  in = read_units (&f, "video_in");
  out = read_units (&f, "video_out");
  check_video (in, out);
  check_untouched (in, out);
  check_sound (&f);
  tear_down (&f);
}

/* Source and media server go and come back, with another picture size: the
 * same worker goes on, on the same timeline. */
static void
test_comes_back (void)
{
  Fixture f;
  g_autoptr (GArray) in = NULL;
  g_autoptr (GArray) out = NULL;

  if (!set_up (&f)) {
    tear_down (&f);
    return;
  }
  f.wanted = 25;
  rig_wait (&f.rig, "pictures at the output", has_enough_out, &f);

  program_kill (f.publisher, SIGKILL);
  program_wait (f.publisher);
  f.wanted = count_in (&f);
  start_publisher (&f, SIZE_B);
  rig_wait (&f.rig, "the second source", has_new_source_out, &f);

  program_kill (f.mediamtx, SIGKILL);
  program_wait (f.mediamtx);
  program_kill (f.publisher, SIGKILL);
  program_wait (f.publisher);
  f.wanted = count_in (&f);
  start_mediamtx (&f);
  start_publisher (&f, SIZE_C);
  rig_wait (&f.rig, "the third source", has_new_source_out, &f);

  end_worker (&f);
  in = read_units (&f, "video_in");
  out = read_units (&f, "video_out");
  check_video (in, out);
  check_sound (&f);
  tear_down (&f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/it/worker/pass-through", test_pass_through);
  g_test_add_func ("/media/it/worker/comes-back", test_comes_back);
  return g_test_run ();
}
