/* SPDX-License-Identifier: Apache-2.0 */
#include "artifacts/artifacts.h"
#include "artifacts/store.h"
#include "echo/echo.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

static char *root; /* a folder of this run */

/* ---- the bench ------------------------------------------------------ */

/* (transfer full) */
static char *
path_of (const char *a, const char *b, const char *c)
{
  return g_build_filename (root, a, b, c, NULL);
}

static gboolean
is_there (const char *a, const char *b, const char *c)
{
  g_autofree char *path = path_of (a, b, c);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

/* (transfer full) */
static char *
read_text (const char *a, const char *b, const char *c)
{
  g_autofree char *path = path_of (a, b, c);
  char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  return text;
}

static void
remove_all (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name = NULL;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *child = g_build_filename (path, name, NULL);
    remove_all (child);
  }
  g_remove (path);
}

static void
begin (void)
{
  root = g_dir_make_tmp ("artifacts-XXXXXX", NULL);
  g_assert_nonnull (root);
}

static void
end (void)
{
  remove_all (root);
  g_clear_pointer (&root, g_free);
}

/* (transfer full) */
static DubJob *
job_of (const char *stream, const char *fragment, gsize bytes)
{
  DubJob *job = dub_job_new ();

  job->stream_id = g_strdup (stream);
  job->fragment_id = g_strdup (fragment);
  job->sequence_number = 7;
  job->sound.format = g_strdup ("pcm_s16le");
  job->sound.sample_rate_hz = 16000;
  job->sound.channels = 1;
  job->sound.data = g_bytes_new_take (g_malloc0 (bytes), bytes);
  return job;
}

/* (transfer full) */
static JsonObject *
word_of (const char *text, gint64 start_ms, gint64 end_ms)
{
  JsonObject *word = json_object_new ();

  json_object_set_string_member (word, "word", text);
  json_object_set_int_member (word, "start_time_ms", start_ms);
  json_object_set_int_member (word, "end_time_ms", end_ms);
  return word;
}

static DubResult *
result_of (DubResultStatus status)
{
  DubResult *result = dub_result_new ();
  static const char mp4[] = "\0\0\0\x1c"
                            "ftypM4A and then some";

  result->status = status;
  result->transcript = g_strdup ("Lo que se dijo.");
  result->words = json_array_new ();
  json_array_add_object_element (result->words, word_of ("Lo", 120, 300));
  result->asr_engine = g_strdup ("mock-asr");
  if (status == DUB_RESULT_FAILED) {
    result->error_code = g_strdup ("TIMEOUT");
    result->error_stage = g_strdup ("tts");
    return result;
  }
  result->translated_text = g_strdup ("What was said.");
  result->sound.format = g_strdup ("m4a");
  result->sound.data = g_bytes_new (mp4, sizeof mp4);
  return result;
}

/* ---- the tests ------------------------------------------------------ */

static void
test_safe_names (void)
{
  static const char *const same[] = {"a", "stream-1_b.c", "0123"};
  static const char *const bad[] = {
      "", ".", "..", "../../etc/passwd", "a/b", ".hidden", "a b", "ä", "a\nb"};

  for (guint i = 0; i < G_N_ELEMENTS (same); i++) {
    g_autofree char *name = dub_artifacts_safe_name (same[i]);
    g_assert_cmpstr (name, ==, same[i]);
  }
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autofree char *name = dub_artifacts_safe_name (bad[i]);
    g_assert_cmpuint (strlen (name), >, 10);
    g_assert_null (strchr (name, '/'));
    g_assert_true (name[0] != '.');
  }
  /* What is cut or changed stays apart. */
  g_autofree char *first = dub_artifacts_safe_name ("a/b");
  g_autofree char *second = dub_artifacts_safe_name ("a_b");
  g_autofree char *third = dub_artifacts_safe_name ("a\\b");
  g_assert_cmpstr (first, !=, second);
  g_assert_cmpstr (first, !=, third);
  g_autofree char *endless = g_strnfill (5000, 'x');
  g_autofree char *cut = dub_artifacts_safe_name (endless);
  g_assert_cmpuint (strlen (cut), <, 100);
}

static void
put (DubStore *store, const char *stream, const char *fragment, gsize bytes)
{
  g_autoptr (DubJob) job = job_of (stream, fragment, bytes);
  g_autoptr (DubResult) result = result_of (DUB_RESULT_SUCCESS);
  g_autoptr (DubRecord) record = dub_record_new (job, result);
  g_autoptr (GError) error = NULL;

  g_assert_true (dub_store_put (store, record, &error));
  g_assert_no_error (error);
}

static DubArtifactsOptions
limits (gint64 hours, gint64 count, gint64 mib)
{
  return (DubArtifactsOptions){TRUE, root, hours, count, mib};
}

static void
test_files (void)
{
  begin ();
  {
    DubArtifactsOptions options = limits (24, 10, 10);
    g_autoptr (DubStore) store = dub_store_new (&options);
    g_autofree char *text = NULL, *metadata = NULL, *wav = NULL, *path = NULL;
    GStatBuf info;

    put (store, "live", "f0", 3200);
    text = read_text ("live", "f0", "transcript.txt");
    g_assert_cmpstr (text, ==, "Lo que se dijo.");
    metadata = read_text ("live", "f0", "metadata.json");
    g_assert_nonnull (strstr (metadata, "\"status\" : \"success\""));
    g_assert_nonnull (strstr (metadata, "\"audio-dubbed-f0\""));
    g_assert_nonnull (strstr (metadata, "\"asr\" : \"mock-asr\""));
    g_assert_nonnull (strstr (metadata, "\"start_time_ms\" : 120"));
    g_assert_true (is_there ("live", "f0", "translation.txt"));
    g_assert_true (is_there ("live", "f0", "dubbed_audio.m4a"));
    /* Raw samples can be played, and only by their owner. */
    wav = read_text ("live", "f0", "original_audio.wav");
    g_assert_cmpmem (wav, 4, "RIFF", 4);
    g_assert_cmpmem (wav + 24, 4, "\x80\x3e\0\0", 4);
    path = path_of ("live", "f0", "original_audio.wav");
    g_assert_cmpint (g_stat (path, &info), ==, 0);
    g_assert_cmpint (info.st_size, ==, 3244);
    g_assert_cmpint (info.st_mode & 0777, ==, 0600);
    g_assert_false (is_there (".unfinished", NULL, NULL));
  }
  end ();
}

static void
test_failure_is_kept (void)
{
  begin ();
  {
    DubArtifactsOptions options = limits (24, 10, 10);
    g_autoptr (DubStore) store = dub_store_new (&options);
    g_autoptr (DubJob) job = job_of ("live", "f0", 100);
    g_autoptr (DubResult) result = result_of (DUB_RESULT_FAILED);
    g_autoptr (DubRecord) record = dub_record_new (job, result);
    g_autofree char *metadata = NULL;

    g_assert_true (dub_store_put (store, record, NULL));
    metadata = read_text ("live", "f0", "metadata.json");
    g_assert_nonnull (strstr (metadata, "\"code\" : \"TIMEOUT\""));
    g_assert_false (is_there ("live", "f0", "dubbed_audio.m4a"));
    g_assert_false (is_there ("live", "f0", "translation.txt"));
  }
  end ();
}

static void
test_count (void)
{
  begin ();
  {
    DubArtifactsOptions options = limits (24, 3, 10);
    g_autoptr (DubStore) store = dub_store_new (&options);

    for (guint i = 0; i < 5; i++) {
      g_autofree char *name = g_strdup_printf ("f%u", i);
      put (store, i < 2 ? "old" : "new", name, 100);
    }
    g_assert_cmpuint (dub_store_get_count (store), ==, 3);
    g_assert_false (is_there ("old", NULL, NULL));
    g_assert_true (is_there ("new", "f2", NULL));
    /* The same again is one. */
    put (store, "new", "f2", 200);
    g_assert_cmpuint (dub_store_get_count (store), ==, 3);
  }
  end ();
}

static void
test_bytes (void)
{
  begin ();
  {
    DubArtifactsOptions options = limits (24, 100, 1);
    g_autoptr (DubStore) store = dub_store_new (&options);

    for (guint i = 0; i < 6; i++) {
      g_autofree char *name = g_strdup_printf ("f%u", i);
      put (store, "live", name, 300 * 1024);
    }
    g_assert_cmpuint (dub_store_get_count (store), ==, 3);
    g_assert_false (is_there ("live", "f2", NULL));
    g_assert_true (is_there ("live", "f5", NULL));
  }
  end ();
}

/* Those of an earlier run count too; what a person put there stays. */
static void
test_age_and_restart (void)
{
  begin ();
  {
    DubArtifactsOptions options = limits (2, 100, 10);
    DubStore *store = dub_store_new (&options);
    gint64 now = g_get_real_time () / G_USEC_PER_SEC;
    g_autofree char *mine = NULL;

    put (store, "live", "f0", 100);
    put (store, "live", "f1", 100);
    dub_store_free (store);
    mine = path_of ("live", "f0", "notes.txt");
    g_assert_true (g_file_set_contents (mine, "mine", -1, NULL));
    store = dub_store_new (&options);
    g_assert_cmpuint (dub_store_get_count (store), ==, 2);
    dub_store_tidy (store, now + 3600);
    g_assert_cmpuint (dub_store_get_count (store), ==, 2);
    dub_store_tidy (store, now + 3 * 3600);
    g_assert_cmpuint (dub_store_get_count (store), ==, 0);
    g_assert_false (is_there ("live", "f1", NULL));
    g_assert_false (is_there ("live", "f0", "metadata.json"));
    g_assert_true (is_there ("live", "f0", "notes.txt"));
    dub_store_free (store);
  }
  end ();
}

static void
test_network_names_stay_inside (void)
{
  begin ();
  {
    g_autofree char *inside = g_build_filename (root, "inside", NULL);
    DubArtifactsOptions options = limits (24, 10, 10);
    g_autoptr (DubStore) store = NULL;

    options.dir = inside;
    store = dub_store_new (&options);
    put (store, "..", "../escaped", 100);
    g_assert_false (is_there ("escaped", NULL, NULL));
    g_assert_false (is_there ("metadata.json", NULL, NULL));
    g_assert_cmpuint (dub_store_get_count (store), ==, 1);
  }
  end ();
}

/* ---- behind a processor --------------------------------------------- */

static void
on_done (DubResult *result, gpointer user_data)
{
  (*(guint *) user_data)++;
  dub_result_free (result);
}

static void
run_echo (DubArtifactsOptions *options, DubMetrics *metrics, guint n)
{
  DubProcessor *self = dub_artifacts_processor_new (
      dub_echo_new (0), dub_artifacts_new (options, metrics));
  guint done = 0;

  g_assert_true (self->is_ready (self, NULL));
  g_assert_true (self->check (self, "es", "en", "default", NULL));
  for (guint i = 0; i < n; i++) {
    g_autofree char *name = g_strdup_printf ("f%u", i);
    self->submit (self, job_of ("live", name, 1000), on_done, &done);
  }
  while (done < n)
    g_main_context_iteration (NULL, TRUE);
  self->free (self);
}

static void
test_processor (void)
{
  begin ();
  {
    DubArtifactsOptions options = limits (24, 10, 10);

    run_echo (&options, NULL, 3);
    for (guint i = 0; i < 3; i++) {
      g_autofree char *name = g_strdup_printf ("f%u", i);
      g_assert_true (is_there ("live", name, "dubbed_audio.wav"));
    }
  }
  end ();
}

/* A disk that takes nothing costs no fragment. */
static void
test_no_disk (void)
{
  begin ();
  {
    g_autoptr (DubMetrics) metrics = dub_metrics_new ();
    g_autofree char *file = g_build_filename (root, "file", NULL);
    g_autofree char *below = g_build_filename (file, "below", NULL);
    g_autofree char *text = NULL;
    DubArtifactsOptions options = limits (24, 10, 10);

    g_assert_true (g_file_set_contents (file, "x", 1, NULL));
    options.dir = below;
    run_echo (&options, metrics, 3);
    text = dub_metrics_to_text (metrics);
    g_assert_nonnull (
        strstr (text, "sts_artifacts_dropped_total{reason=\"error\"} 3"));
  }
  end ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/artifacts/safe-names", test_safe_names);
  g_test_add_func ("/sts/artifacts/files", test_files);
  g_test_add_func ("/sts/artifacts/failure-is-kept", test_failure_is_kept);
  g_test_add_func ("/sts/artifacts/count", test_count);
  g_test_add_func ("/sts/artifacts/bytes", test_bytes);
  g_test_add_func ("/sts/artifacts/age-and-restart", test_age_and_restart);
  g_test_add_func ("/sts/artifacts/network-names-stay-inside",
      test_network_names_stay_inside);
  g_test_add_func ("/sts/artifacts/processor", test_processor);
  g_test_add_func ("/sts/artifacts/no-disk", test_no_disk);
  return g_test_run ();
}
