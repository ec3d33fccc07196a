/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/capture.h"
#include "capture/run_folder.h"
#include "capture/wav.h"

#include <dubbing_common/log.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <utime.h>

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
      .target_language = "en",
      .has_log = TRUE,
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

/* (transfer full) */
static JsonObject *
read_object (Folder *f, const char *name)
{
  g_autofree char *path = in_run (f, name);
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;

  json_parser_load_from_file (parser, path, &error);
  g_assert_no_error (error);
  return json_node_dup_object (json_parser_get_root (parser));
}

static char *
read_text (Folder *f, const char *name, gsize *ret_size)
{
  g_autofree char *path = in_run (f, name);
  g_autoptr (GError) error = NULL;
  char *text = NULL;

  g_file_get_contents (path, &text, ret_size, &error);
  g_assert_no_error (error);
  return text;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* The files of a folder, sorted, with blanks between. (transfer full) */
static char *
list_at (const char *path)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  GDir *dir = g_dir_open (path, 0, NULL);
  const char *each;

  while (dir && (each = g_dir_read_name (dir)))
    g_ptr_array_add (names, g_strdup (each));
  g_clear_pointer (&dir, g_dir_close);
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  return g_strjoinv (" ", (char **) names->pdata);
}

static char *
list (Folder *f, const char *name)
{
  g_autofree char *path = in_run (f, name);

  return list_at (path);
}

static void
note (DubCapture *capture, DubCaptureNoteType type, const DubFragment *of,
    const char *detail, gint64 media_ns)
{
  DubCaptureNote value = {type, of ? of->id : NULL, detail, media_ns};

  dub_capture_note (capture, &value);
}

#define FOLDER_7 "assets/fragments/000007-35000-36000"

/* One fragment from its cut to its dub's end. */
static void
keep_one (Folder *f, DubCaptureMode mode)
{
  g_autoptr (DubFragment) fragment = new_fragment (7, RATE);
  g_autoptr (DubAnswer) answer =
      dub_answer_new (fragment->id, DUB_ANSWER_SUCCESS);
  DubCapture *capture = new_capture (f, mode);

  answer->pcm = dub_pcm_new_silence (RATE / 2, RATE, 2, 0);
  answer->transcript = g_strdup ("buenos <dias>\n\n00:01 --> 00:02");
  answer->translated_text = g_strdup ("good \"day\"");
  answer->times = (DubStageTimes){700, 0, 300};
  dub_capture_segment (capture, fragment);
  note (capture, DUB_CAPTURE_NOTE_SENT, fragment, NULL, 0);
  dub_capture_answer (capture, answer);
  note (capture, DUB_CAPTURE_NOTE_STARTED, fragment, NULL,
      36 * DUB_NS_PER_S + 500 * DUB_NS_PER_MS);
  note (capture, DUB_CAPTURE_NOTE_HEARD, fragment, NULL, 0);
  note (capture, DUB_CAPTURE_NOTE_ALERT, NULL, "breaker-open", DUB_NS_PER_S);
  dub_capture_free (capture);
}

/* A dub that comes is kept beside its segment; everything is in the manifest.
 */
static void
test_segment_and_answer (Folder *f, gconstpointer data)
{
  g_autofree char *files = NULL;
  g_autofree char *said = NULL;
  g_autofree char *timing = NULL;
  g_autofree char *sound = NULL;
  g_autofree char *sum = NULL;
  g_autofree char *manifest = NULL;
  gsize size;

  keep_one (f, DUB_CAPTURE_MEDIA);
  files = list (f, FOLDER_7);
  g_assert_cmpstr (files, ==, "in.wav out.wav stt.json timing.json tts.json");
  sound = read_text (f, FOLDER_7 "/out.wav", &size);
  g_assert_cmpuint (size, ==, 44 + RATE / 2 * 4);
  said = read_text (f, FOLDER_7 "/tts.json", NULL);
  g_assert_nonnull (strstr (said, "good \\\"day\\\""));
  timing = read_text (f, FOLDER_7 "/timing.json", NULL);
  g_assert_nonnull (strstr (timing, "\"outcome\" : \"heard\""));
  g_assert_nonnull (strstr (timing, "\"heardPtsNs\" : 36500000000"));
  g_assert_nonnull (strstr (timing, "roundTripMs"));
  sum = g_compute_checksum_for_data (
      G_CHECKSUM_SHA256, (const guchar *) sound, size);
  manifest = read_text (f, "manifest.json", NULL);
  g_assert_nonnull (strstr (manifest, sum));
}

/* The keys that a reader of run bundles asks for. */
static void
test_manifest (Folder *f, gconstpointer data)
{
  static const char *const members[] = {"schemaVersion", "streamId", "runId",
      "instanceId", "createdAt", "updatedAt", "streamPaths", "pipeline",
      "capture", "fragments", "counters", "errors"};
  g_autoptr (JsonObject) manifest = NULL;
  g_autofree char *alerts = NULL;
  g_autofree char *history = NULL;
  g_autofree char *tmp = NULL;
  JsonObject *fragment, *asset;

  keep_one (f, DUB_CAPTURE_DEBUG);
  manifest = read_object (f, "manifest.json");
  for (gsize i = 0; i < G_N_ELEMENTS (members); i++)
    g_assert_true (json_object_has_member (manifest, members[i]));
  fragment = json_array_get_object_element (
      json_object_get_array_member (manifest, "fragments"), 0);
  g_assert_cmpstr (json_object_get_string_member (fragment, "fragmentId"), ==,
      "000007-35000-36000");
  g_assert_cmpstr (
      json_object_get_string_member (fragment, "status"), ==, "processed");
  g_assert_cmpint (
      json_object_get_int_member (
          json_object_get_object_member (fragment, "time"), "endMs"),
      ==, 36000);
  g_assert_cmpuint (
      json_array_get_length (json_object_get_array_member (fragment, "assets")),
      ==, 6);
  asset = json_array_get_object_element (
      json_object_get_array_member (fragment, "assets"), 0);
  g_assert_cmpstr (json_object_get_string_member (asset, "kind"), ==, "in-wav");
  g_assert_true (json_object_has_member (asset, "writtenAt"));
  alerts = list (f, "assets/alerts");
  g_assert_true (g_str_has_suffix (alerts, "-breaker-open.json"));
  history = list (f, "manifest.history");
  g_assert_true (g_str_has_suffix (history, ".json"));
  tmp = list (f, "tmp");
  g_assert_cmpstr (tmp, ==, "");
}

/* As the service told it, and the whole as we measured it; again after another
 * worker has gone on with the run. */
static void
test_latency (Folder *f, gconstpointer data)
{
  for (guint i = 0; i < 2; i++) {
    g_autoptr (JsonObject) manifest = NULL;
    JsonObject *latency;

    if (i == 0)
      keep_one (f, DUB_CAPTURE_METADATA);
    else
      dub_capture_free (new_capture (f, DUB_CAPTURE_METADATA));
    manifest = read_object (f, "manifest.json");
    latency = json_object_get_object_member (
        json_array_get_object_element (
            json_object_get_array_member (manifest, "fragments"), 0),
        "latency");
    g_assert_cmpint (json_object_get_int_member (latency, "sttMs"), ==, 700);
    g_assert_cmpint (
        json_object_get_int_member (latency, "translateMs"), ==, 0);
    g_assert_cmpint (json_object_get_int_member (latency, "ttsMs"), ==, 300);
    g_assert_cmpint (json_object_get_int_member (latency, "totalMs"), >=, 0);
  }
}

/* A service that does not tell leaves no invented figure. */
static void
test_latency_untold (Folder *f, gconstpointer data)
{
  g_autoptr (DubFragment) fragment = new_fragment (7, RATE);
  g_autoptr (DubAnswer) answer =
      dub_answer_new (fragment->id, DUB_ANSWER_SUCCESS);
  DubCapture *capture = new_capture (f, DUB_CAPTURE_METADATA);
  g_autofree char *manifest = NULL;

  dub_capture_segment (capture, fragment);
  note (capture, DUB_CAPTURE_NOTE_SENT, fragment, NULL, 0);
  dub_capture_answer (capture, answer);
  note (capture, DUB_CAPTURE_NOTE_DROPPED, fragment, "late", 0);
  dub_capture_free (capture);
  manifest = read_text (f, "manifest.json", NULL);
  g_assert_nonnull (strstr (manifest, "totalMs"));
  g_assert_null (strstr (manifest, "sttMs"));
}

static DubPcm *
noise (guint seed, gsize frames, guint channels)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  gsize size = frames * channels * sizeof (gint16);
  guint8 *bytes = g_malloc (size);

  for (gsize i = 0; i < size; i++)
    bytes[i] = (guint8) g_rand_int (random);
  return dub_pcm_new (g_bytes_new_take (bytes, size), RATE, channels, 0);
}

static void
check_wav (Folder *f, const char *name, const DubPcm *pcm)
{
  g_autofree char *path = g_build_filename (FOLDER_7, name, NULL);
  gsize size, wanted;
  g_autofree char *text = read_text (f, path, &size);
  const char *samples = g_bytes_get_data (pcm->bytes, &wanted);
  guint16 channels;
  guint32 rate;

  memcpy (&channels, text + 22, sizeof channels);
  memcpy (&rate, text + 24, sizeof rate);
  g_assert_cmpuint (GUINT16_FROM_LE (channels), ==, pcm->channels);
  g_assert_cmpuint (GUINT32_FROM_LE (rate), ==, pcm->rate_hz);
  g_assert_cmpmem (text + 44, size - 44, samples, wanted);
}

/* Read back, each sample is the one that was sent, or that came. */
static void
test_samples (Folder *f, gconstpointer data)
{
  g_autoptr (DubFragment) fragment = new_fragment (7, RATE);
  g_autoptr (DubAnswer) answer =
      dub_answer_new (fragment->id, DUB_ANSWER_SUCCESS);
  DubCapture *capture = new_capture (f, DUB_CAPTURE_MEDIA);
  gint64 pts_ns = fragment->pcm->pts_ns;

  dub_pcm_unref (fragment->pcm);
  fragment->pcm = noise (1, RATE, 1);
  fragment->pcm->pts_ns = pts_ns;
  answer->pcm = noise (2, RATE / 2, 2);
  dub_capture_segment (capture, fragment);
  note (capture, DUB_CAPTURE_NOTE_SENT, fragment, NULL, 0);
  dub_capture_answer (capture, answer);
  note (capture, DUB_CAPTURE_NOTE_HEARD, fragment, NULL, 0);
  dub_capture_free (capture);
  check_wav (f, "in.wav", fragment->pcm);
  check_wav (f, "out.wav", answer->pcm);
}

/* What was heard at its own time, what was said at the dub's; no text can be
 * taken for a time. */
static void
test_captions (Folder *f, gconstpointer data)
{
  g_autofree char *original = NULL;
  g_autofree char *dub = NULL;

  keep_one (f, DUB_CAPTURE_METADATA);
  original = read_text (f, "captions.original.vtt", NULL);
  dub = read_text (f, "captions.en.vtt", NULL);
  g_assert_cmpstr (original, ==,
      "WEBVTT\n\n00:00:35.000 --> 00:00:36.000\n"
      "buenos &lt;dias&gt;  00:01 --&gt; 00:02\n\n");
  g_assert_cmpstr (
      dub, ==, "WEBVTT\n\n00:00:36.500 --> 00:00:37.000\ngood \"day\"\n\n");
}

static void
test_metadata_has_no_sound (Folder *f, gconstpointer data)
{
  g_autofree char *files = NULL;

  keep_one (f, DUB_CAPTURE_METADATA);
  files = list (f, FOLDER_7);
  g_assert_cmpstr (files, ==, "stt.json timing.json tts.json");
}

static void
test_log (Folder *f, gconstpointer data)
{
  g_autofree char *log = NULL;
  DubCapture *capture;

  dub_log_init ("test", DUB_LOG_INFO, DUB_LOG_JSON);
  capture = new_capture (f, DUB_CAPTURE_METADATA);
  dub_log_fields (DUB_LOG_INFO, "topic", NULL, "first");
  dub_log_fields (DUB_LOG_DEBUG, "topic", NULL, "unseen");
  dub_log_fields (DUB_LOG_WARNING, "topic", NULL, "second");
  dub_capture_free (capture);
  dub_log_fields (DUB_LOG_INFO, "topic", NULL, "after it");
  log = read_text (f, "logs/worker.log", NULL);
  g_assert_nonnull (strstr (log, "first"));
  g_assert_nonnull (strstr (strstr (log, "first"), "second"));
  g_assert_null (strstr (log, "unseen"));
  g_assert_null (strstr (log, "after it"));
}

static DubRunFolder *
new_folder (Folder *f, const char *run_id, gint64 max_age_s)
{
  DubRunFolderOptions options = {.folder = f->path,
      .stream_id = "_._demo",
      .run_id = run_id,
      .max_bytes = 1 << 20,
      .max_age_s = max_age_s};

  return dub_run_folder_new (&options);
}

static void
write_one (DubRunFolder *run, guint number, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 (size), size);
  DubRunAsset asset = {.number = number, .name = "in.wav", .bytes = bytes};
  g_autoptr (GError) error = NULL;

  dub_run_folder_write (run, &asset, NULL, &error);
  g_assert_no_error (error);
  dub_run_folder_flush (run, FALSE, &error);
  g_assert_no_error (error);
}

/* Less than half a megabyte each, and room for two: the oldest go. */
static void
test_oldest_go (Folder *f, gconstpointer data)
{
  g_autoptr (DubRunFolder) run = new_folder (f, "run", 0);
  g_autofree char *names = NULL;
  g_autofree char *manifest = NULL;

  for (guint i = 0; i < 10; i++) {
    write_one (run, i, 400000);
    g_assert_cmpuint (dub_run_folder_get_bytes (run), <=, 1 << 20);
  }
  names = list (f, "assets/fragments");
  g_assert_cmpstr (names, ==, "000008-0-0 000009-0-0");
  manifest = read_text (f, "manifest.json", NULL);
  g_assert_nonnull (strstr (manifest, "000009-0-0"));
  g_assert_null (strstr (manifest, "000007-0-0"));
  g_assert_nonnull (strstr (manifest, "\"fragmentsDropped\" : 8"));
}

/* What an earlier run left counts, and goes before ours does. */
static void
test_old_runs_go_first (Folder *f, gconstpointer data)
{
  g_autofree char *runs =
      g_build_filename (f->path, "streams", "_._demo", "runs", NULL);
  g_autofree char *names = NULL;

  for (guint i = 0; i < 4; i++) {
    g_autofree char *id = g_strdup_printf ("run-%u", i);
    g_autoptr (DubRunFolder) run = new_folder (f, id, 0);

    write_one (run, 1, 300000);
  }
  names = list_at (runs);
  /* half of the room is one old run; the last is the fourth's own */
  g_assert_cmpuint (strlen (names), ==, strlen ("run-2 run-3"));
  g_assert_nonnull (strstr (names, "run-3"));
}

static void
make_old (const char *run_path, gint64 age_s)
{
  g_autofree char *path = g_build_filename (run_path, "manifest.json", NULL);
  gint64 then = g_get_real_time () / G_USEC_PER_SEC - age_s;
  struct utimbuf times = {then, then};

  g_assert_cmpint (g_utime (path, &times), ==, 0);
}

/* Of other streams as well, but never the one that runs. */
static void
test_age (Folder *f, gconstpointer data)
{
  static const char *const runs[] = {"_._demo/runs/old", "_._demo/runs/young",
      "_._demo/runs/run", "other/runs/old"};
  gboolean stays[] = {FALSE, TRUE, TRUE, FALSE};
  g_autoptr (DubRunFolder) run = new_folder (f, "run", 7 * 86400);

  for (guint i = 0; i < G_N_ELEMENTS (runs); i++) {
    g_auto (GStrv) parts = g_strsplit (runs[i], "/", 3);
    DubRunFolderOptions options = {.folder = f->path,
        .stream_id = parts[0],
        .run_id = parts[2],
        .max_bytes = 1 << 20};
    g_autoptr (DubRunFolder) made = dub_run_folder_new (&options);
    g_autofree char *path =
        g_build_filename (f->path, "streams", runs[i], NULL);

    write_one (made, 1, 1000);
    make_old (path, stays[i] && i != 2 ? 6 * 86400 : 8 * 86400);
  }
  g_assert_true (dub_run_folder_tidy (run, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (runs); i++) {
    g_autofree char *path =
        g_build_filename (f->path, "streams", runs[i], NULL);

    g_assert_cmpint (g_file_test (path, G_FILE_TEST_IS_DIR), ==, stays[i]);
  }
}

/* A worker goes on with the run of one that died: what it had written is still
 * listed, what is damaged is not, and no half file is left. */
static void
test_goes_on (Folder *f, gconstpointer data)
{
  g_autoptr (DubRunFolder) first = new_folder (f, "run", 0);
  g_autofree char *damaged = in_run (f, "assets/fragments/000002-0-0/in.wav");
  g_autofree char *half = in_run (f, "tmp/.tmp.0badf00d.in.wav");
  g_autofree char *tmp = NULL;
  g_autofree char *manifest = NULL;

  write_one (first, 1, 1000);
  write_one (first, 2, 1000);
  g_assert_true (g_file_set_contents (damaged, "short", -1, NULL));
  g_assert_true (g_file_set_contents (half, "half", -1, NULL));
  {
    g_autoptr (DubRunFolder) second = new_folder (f, "run", 0);

    write_one (second, 3, 1000);
    g_assert_cmpuint (dub_run_folder_get_bytes (second), ==, 2000);
  }
  tmp = list (f, "tmp");
  g_assert_cmpstr (tmp, ==, "");
  g_assert_false (g_file_test (damaged, G_FILE_TEST_EXISTS));
  manifest = read_text (f, "manifest.json", NULL);
  g_assert_nonnull (strstr (manifest, "fragments/000001-0-0/in.wav"));
  g_assert_nonnull (strstr (manifest, "fragments/000003-0-0/in.wav"));
  g_assert_nonnull (strstr (manifest, "not as it was written"));
  g_assert_nonnull (strstr (manifest, "\"assetsDropped\" : 1"));
}

/* Somebody else's file in place of ours: nothing of it is believed. */
static void
test_bad_manifest (Folder *f, gconstpointer data)
{
  g_autofree char *deep = g_strnfill (200000, '[');
  static const char outside[] =
      "{\"runId\":\"run\",\"fragments\":[{\"seq\":1,\"time\":{\"startMs\":0,"
      "\"endMs\":0},\"assets\":[{\"kind\":\"in-wav\",\"path\":"
      "\"assets/../../../../victim\",\"sha256\":\"0\",\"bytes\":1}]}]}";
  const char *texts[] = {"", "[]", "{", deep, "{\"runId\":\"other\"}", outside};
  g_autofree char *victim = g_build_filename (f->path, "victim", NULL);

  g_assert_true (g_file_set_contents (victim, "x", 1, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (DubRunFolder) run = new_folder (f, "run", 0);
    g_autofree char *path = in_run (f, "manifest.json");
    g_autofree char *folder = g_path_get_dirname (path);

    g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
    g_assert_true (g_file_set_contents (path, texts[i], -1, NULL));
    write_one (run, 5, 10);
    g_assert_cmpuint (dub_run_folder_get_bytes (run), ==, 10);
    g_assert_true (g_file_test (victim, G_FILE_TEST_EXISTS));
  }
}

/* The disk takes nothing of that size (as a full one does not), then does. */
static void
test_disk_fails (Folder *f, gconstpointer data)
{
  struct rlimit before, small = {20000, RLIM_INFINITY};
  DubCapture *capture = new_capture (f, DUB_CAPTURE_MEDIA);
  g_autofree char *files = NULL;
  g_autofree char *tmp = NULL;
  g_autofree char *manifest = NULL;
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
  files = list (f, "assets/fragments/000000-0-1000");
  g_assert_cmpstr (files, ==, "timing.json"); /* no half file */
  tmp = list (f, "tmp");
  g_assert_cmpstr (tmp, ==, "");
  manifest = read_text (f, "manifest.json", NULL);
  g_assert_nonnull (strstr (manifest, "\"writesFailed\" : 3"));
  g_assert_nonnull (strstr (manifest, "\"scope\" : \"asset\""));
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
  g_test_add ("/media/capture/manifest", Folder, NULL, set_up, test_manifest,
      tear_down);
  g_test_add (
      "/media/capture/latency", Folder, NULL, set_up, test_latency, tear_down);
  g_test_add ("/media/capture/latency-untold", Folder, NULL, set_up,
      test_latency_untold, tear_down);
  g_test_add (
      "/media/capture/samples", Folder, NULL, set_up, test_samples, tear_down);
  g_test_add ("/media/capture/captions", Folder, NULL, set_up, test_captions,
      tear_down);
  g_test_add ("/media/capture/log", Folder, NULL, set_up, test_log, tear_down);
  g_test_add ("/media/capture/age", Folder, NULL, set_up, test_age, tear_down);
  g_test_add (
      "/media/capture/goes-on", Folder, NULL, set_up, test_goes_on, tear_down);
  g_test_add ("/media/capture/bad-manifest", Folder, NULL, set_up,
      test_bad_manifest, tear_down);
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
