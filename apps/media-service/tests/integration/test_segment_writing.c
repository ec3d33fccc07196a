/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

/*
 * Segments on disk, from the real worker between ffmpeg and MediaMTX, dubbed by
 * the echo service. The speech is a tone that comes and goes, found by its
 * loudness, so no model is needed.
 */

typedef struct {
  Rig rig;
  char *mediamtx_program, *ffmpeg_program, *folder, *taps;
  guint rtmp_port, sts_port;
  Program *worker;
  guint wanted;
} Fixture;

static void
start_mediamtx (Fixture *f)
{
  g_autofree char *path = rig_path (&f->rig, "mediamtx.yml");
  g_autofree char *text = g_strdup_printf ("rtmpAddress: 127.0.0.1:%u\n"
                                           "rtsp: no\nhls: no\nwebrtc: no\n"
                                           "srt: no\napi: no\n"
                                           "paths:\n  all_others:\n",
      f->rtmp_port);
  const char *argv[] = {f->mediamtx_program, path, NULL};

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  rig_start (&f->rig, "mediamtx", argv);
}

static void
start_echo (Fixture *f)
{
  g_autofree char *port = g_strdup_printf ("%u", f->sts_port);
  const char *argv[] = {g_getenv ("STS_SERVICE"), "echo", NULL};

  rig_set (&f->rig, "PORT", port);
  rig_start (&f->rig, "echo", argv);
}

static gboolean
echo_answers (gpointer user_data)
{
  g_autofree char *url = g_strdup_printf (
      "http://127.0.0.1:%u/health", ((Fixture *) user_data)->sts_port);

  return http_call ("GET", url, NULL, NULL, NULL) == 200;
}

/* 2 s of tone, 1.5 s of nothing. */
static void
start_publisher (Fixture *f)
{
  g_autofree char *url =
      g_strdup_printf ("rtmp://127.0.0.1:%u/live/cap/in", f->rtmp_port);
  const char *argv[] = {f->ffmpeg_program, "-v", "error", "-nostdin", "-re",
      "-f", "lavfi", "-i", "testsrc2=s=160x90:r=25", "-f", "lavfi", "-i",
      "aevalsrc=0.3*sin(2*PI*440*t)*lt(mod(t\\,3.5)\\,2):s=48000", "-t", "120",
      "-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-c:a", "aac",
      "-ac", "2", "-f", "flv", url, NULL};

  rig_start (&f->rig, "publisher", argv);
}

static void
start_worker (Fixture *f)
{
  g_autofree char *in =
      g_strdup_printf ("rtmp://127.0.0.1:%u/live/cap/in", f->rtmp_port);
  g_autofree char *out =
      g_strdup_printf ("rtmp://127.0.0.1:%u/live/cap/out", f->rtmp_port);
  g_autofree char *sts = g_strdup_printf ("http://127.0.0.1:%u", f->sts_port);
  const char *argv[] = {g_getenv ("MEDIA_WORKER"), NULL};

  rig_set (&f->rig, "INPUT_URL", in);
  rig_set (&f->rig, "OUTPUT_URL", out);
  rig_set (&f->rig, "STS_SERVICE_URL", sts);
  rig_set (&f->rig, "TAP_DIR", f->taps);
  rig_set (&f->rig, "STREAM_ID", "cap");
  rig_set (&f->rig, "RUN_ID", "run");
  rig_set (&f->rig, "VAD", "level");
  rig_set (&f->rig, "LOG_LEVEL", "debug");
  rig_set (&f->rig, "OUTPUT_DELAY_MS", "6000");
  rig_set (&f->rig, "CAPTURE", "media");
  rig_set (&f->rig, "CAPTURE_DIR", f->folder);
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
  f->folder = rig_path (&f->rig, "capture");
  f->taps = rig_path (&f->rig, "taps");
  f->rtmp_port = free_port ();
  f->sts_port = free_port ();
  start_mediamtx (f);
  start_echo (f);
  rig_wait (&f->rig, "echo answers", echo_answers, f);
  start_publisher (f);
  return TRUE;
}

static void
tear_down (Fixture *f)
{
  g_free (f->mediamtx_program);
  g_free (f->ffmpeg_program);
  g_free (f->folder);
  g_free (f->taps);
  if (f->rig.folder != NULL)
    rig_clear (&f->rig);
}

static char *
in_run (Fixture *f, const char *name)
{
  return g_build_filename (f->folder, "streams/cap/runs/run", name, NULL);
}

/* (nullable) */
static JsonObject *
read_manifest (Fixture *f)
{
  g_autofree char *path = in_run (f, "manifest.json");
  g_autoptr (JsonParser) parser = json_parser_new ();

  if (!json_parser_load_from_file (parser, path, NULL))
    return NULL;
  return json_node_dup_object (json_parser_get_root (parser));
}

static JsonArray *
assets_of (JsonArray *fragments, guint i)
{
  return json_object_get_array_member (
      json_array_get_object_element (fragments, i), "assets");
}

/* Two segments with their dubs: original, dub, and three of text. */
static gboolean
has_two_dubs (gpointer user_data)
{
  Fixture *f = user_data;
  g_autoptr (JsonObject) manifest = read_manifest (f);
  JsonArray *fragments;

  g_assert_true (f->worker->is_running);
  if (manifest == NULL)
    return FALSE;
  fragments = json_object_get_array_member (manifest, "fragments");
  return json_array_get_length (fragments) >= 2 &&
         json_array_get_length (assets_of (fragments, 0)) == 5 &&
         json_array_get_length (assets_of (fragments, 1)) == 5;
}

/* As long and as whole as the manifest says. */
static void
check_asset (Fixture *f, JsonObject *fragment, JsonObject *asset)
{
  const char *name = json_object_get_string_member (asset, "path");
  g_autofree char *path = in_run (f, name);
  g_autofree char *data = NULL;
  g_autofree char *sum = NULL;
  JsonObject *time = json_object_get_object_member (fragment, "time");
  gint64 ms = json_object_get_int_member (time, "endMs") -
              json_object_get_int_member (time, "startMs");
  gsize size;

  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  g_assert_cmpuint (size, ==, json_object_get_int_member (asset, "bytes"));
  sum = g_compute_checksum_for_data (
      G_CHECKSUM_SHA256, (const guchar *) data, size);
  g_assert_cmpstr (sum, ==, json_object_get_string_member (asset, "sha256"));
  if (g_str_has_suffix (name, "in.wav")) {
    gint64 held_ms = (gint64) (size - 44) / (48 * 2);

    g_assert_cmpmem (data, 4, "RIFF", 4);
    g_assert_cmpint (ABS (held_ms - ms), <=, 1);
    g_assert_cmpint (held_ms, >=, 1000);
    g_assert_cmpint (held_ms, <=, 3000);
  }
}

static void
test_segments_and_dubs (void)
{
  Fixture f;
  g_autoptr (JsonObject) manifest = NULL;
  JsonArray *fragments;

  if (!set_up (&f))
    return;
  start_worker (&f);
  rig_wait (&f.rig, "two segments and their dubs", has_two_dubs, &f);
  program_kill (f.worker, SIGTERM);
  manifest = read_manifest (&f);
  fragments = json_object_get_array_member (manifest, "fragments");
  for (guint i = 0; i < json_array_get_length (fragments); i++) {
    JsonObject *fragment = json_array_get_object_element (fragments, i);
    JsonArray *assets = assets_of (fragments, i);

    g_assert_cmpint (json_object_get_int_member (fragment, "seq"), ==, i);
    for (guint k = 0; k < json_array_get_length (assets); k++)
      check_asset (&f, fragment, json_array_get_object_element (assets, k));
  }
  tear_down (&f);
}

static gboolean
has_pictures_out (gpointer user_data)
{
  Fixture *f = user_data;
  g_autofree char *path = g_build_filename (f->taps, "video_out.csv", NULL);
  g_autofree char *text = NULL;
  guint n = 0;

  g_assert_true (f->worker->is_running);
  if (!g_file_get_contents (path, &text, NULL, NULL))
    return FALSE;
  for (const char *p = text; *p != '\0'; p++)
    n += *p == '\n';
  return n >= f->wanted;
}

static guint
count_text (const char *text, const char *wanted)
{
  guint n = 0;

  for (const char *p = text; (p = strstr (p, wanted)) != NULL; p++)
    n++;
  return n;
}

/* The folder cannot be made: programme and dub go on as if nothing were; one
 * line of log says what is wrong. */
static void
test_no_disk (void)
{
  Fixture f;
  g_autofree char *log = NULL;

  if (!set_up (&f))
    return;
  g_assert_true (g_file_set_contents (f.folder, "in the way", -1, NULL));
  start_worker (&f);
  f.wanted = 12 * 25;
  rig_wait (&f.rig, "12 s of pictures", has_pictures_out, &f);
  program_kill (f.worker, SIGTERM);
  log = program_log (f.worker);
  g_assert_cmpuint (count_text (log, "segments cannot be kept"), ==, 1);
  g_assert_cmpuint (count_text (log, "dub_started"), >=, 2);
  tear_down (&f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func (
      "/media/segment-writing/segments-and-dubs", test_segments_and_dubs);
  g_test_add_func ("/media/segment-writing/no-disk", test_no_disk);
  return g_test_run ();
}
