/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/loudness.h"
#include "pipeline/media_file.h"
#include "pipeline/pipeline.h"
#include "words.h"

#include <dubbing_common/clock.h>
#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <dubbing_common/pcm.h>
#include <gst/gst.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * The whole chain with the real engines on real speech. Judged by what is
 * heard: the dub is recognised again and its words are compared.
 *
 * Needs the models (scripts/fetch); without them all of it is skipped.
 */

#define RATE 48000
/* What is heard again must not depend on how busy the machine is. */
#define ENOUGH_MS 300000

static char *program; /* sts-service, for its engine children */
static char *speech_path;
static DubProcessor *chain;
static DubPcm *speech;

/* ---- jobs -------------------------------------------------------------- */

static void
on_done (DubResult *result, gpointer user_data)
{
  DubResult **to = user_data;

  g_assert_null (*to);
  *to = result;
}

static DubJob *
job_of (GBytes *samples, const char *from, const char *to)
{
  DubJob *job = dub_job_new ();

  job->stream_id = g_strdup ("test");
  job->fragment_id = g_uuid_string_random ();
  job->source_language = g_strdup (from);
  job->target_language = g_strdup (to);
  job->voice_profile = g_strdup ("default");
  job->sound.format = g_strdup ("pcm_s16le");
  job->sound.sample_rate_hz = RATE;
  job->sound.channels = 1;
  job->sound.data = g_bytes_ref (samples);
  job->deadline_ns = g_get_monotonic_time () * 1000 + ENOUGH_MS * DUB_NS_PER_MS;
  job->reply_format = g_strdup ("pcm_s16le");
  job->reply_rate_hz = RATE;
  job->reply_channels = 1;
  return job;
}

static GBytes *
cut (double from_s, double to_s)
{
  g_autoptr (DubPcm) part = dub_pcm_slice (
      speech, (gsize) (from_s * RATE), (gsize) ((to_s - from_s) * RATE));

  return g_bytes_new (part->samples, part->frames * 2);
}

static DubResult *
run (DubJob *job)
{
  DubResult *result = NULL;

  chain->submit (chain, job, on_done, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return result;
}

static gboolean
on_tick (gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

/* Ready within a minute, or the test ends with the reason. */
static void
wait_until_ready (void)
{
  gint64 give_up = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;
  guint tick = g_timeout_add (20, on_tick, NULL);
  g_autoptr (GError) error = NULL;

  while (!chain->is_ready (chain, &error)) {
    if (g_get_monotonic_time () > give_up)
      g_error ("not ready: %s", error->message);
    g_clear_error (&error);
    g_main_context_iteration (NULL, TRUE);
  }
  g_source_remove (tick);
}

/* ---- tests ------------------------------------------------------------- */

static DubLoudness
loudness_of (GBytes *bytes)
{
  gsize length = g_bytes_get_size (bytes) / 2;
  g_autofree float *samples = g_new (float, length);

  dub_pcm_s16_to_f32 (g_bytes_get_data (bytes, NULL), samples, length);
  return dub_loudness_measure (samples, length, 1, RATE);
}

/* What the dub says is recognised again; it is as loud as the original. */
static void
test_speaks_what_it_heard (void)
{
  const double starts[] = {14.4, 32.9, 52.5};
  guint said = 0, shared = 0;

  for (guint i = 0; i < G_N_ELEMENTS (starts); i++) {
    g_autoptr (GBytes) original = cut (starts[i], starts[i] + 5);
    g_autoptr (DubResult) dub = run (job_of (original, "es", "en"));
    g_autoptr (DubResult) again = NULL;

    g_test_message ("%u ms: %s", dub->total_ms,
        dub->translated_text != NULL ? dub->translated_text
                                     : dub->error_message);
    if (dub->status == DUB_RESULT_FAILED) {
      g_assert_cmpstr (dub->error_code, ==, "NO_SPEECH");
      continue;
    }
    g_assert_cmpfloat_with_epsilon (
        loudness_of (dub->sound.data).lufs, loudness_of (original).lufs, 1);
    g_assert_cmpfloat (loudness_of (dub->sound.data).true_peak_db, <=, -0.9);
    again = run (job_of (dub->sound.data, "en", "en"));
    g_test_message ("heard again: %s", again->transcript);
    g_assert_nonnull (again->transcript);
    said++;
    shared += words_shared (dub->translated_text, again->transcript) >= 0.7;
  }
  g_assert_cmpuint (said, >=, 2);
  g_assert_cmpuint (shared, ==, said);
}

/* Each word of the transcript has its place, in order and in the sound, and
 * none lies in the second of silence that we put before it. */
static void
test_tells_when_words_were_said (void)
{
  g_autoptr (GBytes) original = cut (14.4, 19.4);
  g_autoptr (DubResult) dub = run (job_of (original, "es", "en"));
  g_autofree guint8 *silence = g_malloc0 (RATE * 2);
  g_autoptr (GByteArray) later = g_byte_array_new ();
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (DubResult) again = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  gint64 last_ms = 0;

  g_assert_nonnull (dub->sound.data);
  g_byte_array_append (later, silence, RATE * 2);
  g_byte_array_append (later, g_bytes_get_data (dub->sound.data, NULL),
      (guint) g_bytes_get_size (dub->sound.data));
  bytes = g_byte_array_free_to_bytes (g_steal_pointer (&later));
  again = run (job_of (bytes, "en", "en"));
  g_assert_nonnull (again->words);
  g_assert_cmpuint (json_array_get_length (again->words), >=, 3);
  for (guint i = 0; i < json_array_get_length (again->words); i++) {
    JsonObject *word = json_array_get_object_element (again->words, i);
    gint64 start_ms = json_object_get_int_member (word, "start_time_ms");
    gint64 end_ms = json_object_get_int_member (word, "end_time_ms");

    g_test_message ("%" G_GINT64_FORMAT " to %" G_GINT64_FORMAT ": %s",
        start_ms, end_ms, json_object_get_string_member (word, "word"));
    g_assert_cmpint (start_ms, >=, last_ms);
    g_assert_cmpint (end_ms, >, start_ms);
    g_assert_cmpint (start_ms, >=, 950);
    last_ms = start_ms;
    g_string_append_printf (text, "%s%s", text->len > 0 ? " " : "",
        json_object_get_string_member (word, "word"));
  }
  g_assert_cmpint (last_ms, <, (gint64) g_bytes_get_size (bytes) * 500 / RATE);
  g_assert_cmpstr (text->str, ==, again->transcript);
}

/* What came before must not change what is heard. */
static void
test_hears_the_same_again (void)
{
  const double starts[] = {5, 9.8, 28.1, 62.2};
  char *first[G_N_ELEMENTS (starts)] = {NULL};

  for (guint round = 0; round < 2; round++)
    for (guint i = 0; i < G_N_ELEMENTS (starts); i++) {
      guint at = round == 0 ? i : G_N_ELEMENTS (starts) - 1 - i;
      g_autoptr (GBytes) original = cut (starts[at], starts[at] + 4.7);
      g_autoptr (DubResult) dub = run (job_of (original, "es", "en"));
      const char *text =
          dub->error_code != NULL ? dub->error_message : dub->translated_text;

      g_test_message ("%g: %s", starts[at], text);
      if (round == 0)
        first[at] = g_strdup (text);
      else
        g_assert_cmpstr (text, ==, first[at]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (starts); i++)
    g_free (first[i]);
}

static GBytes *
noise (double seconds, double amplitude, double hum_hz)
{
  gsize n = (gsize) (seconds * RATE);
  gint16 *samples = g_new (gint16, n);
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);

  for (gsize i = 0; i < n; i++) {
    double hum = sin (2 * G_PI * hum_hz * i / RATE);
    samples[i] = (gint16) (amplitude * 32000 *
                           (hum_hz > 0 ? 0.7 * hum + 0.1 * (i / RATE % 3)
                                       : g_rand_double_range (rand, -1, 1)));
  }
  return g_bytes_new_take (samples, n * 2);
}

static void
test_says_nothing_without_speech (void)
{
  const double amplitudes[] = {0, 0.02, 0.3};
  const double hums[] = {0, 220, 1000};

  for (guint i = 0; i < G_N_ELEMENTS (amplitudes); i++)
    for (guint j = 0; j < G_N_ELEMENTS (hums); j++) {
      g_autoptr (GBytes) sound = noise (5, amplitudes[i], hums[j]);
      g_autoptr (DubResult) result = run (job_of (sound, "es", "en"));

      g_test_message ("%g %g: %s", amplitudes[i], hums[j],
          result->error_message != NULL ? result->error_message
                                        : result->translated_text);
      g_assert_cmpstr (result->error_code, ==, "NO_SPEECH");
      g_assert_false (result->is_retryable);
    }
}

/* Of our own children, the one whose command line ends in kind. 0: none. */
static pid_t
child_of_kind (const char *kind)
{
  g_autofree char *path =
      g_strdup_printf ("/proc/self/task/%d/children", (int) getpid ());
  g_autofree char *text = NULL;
  g_auto (GStrv) pids = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return 0;
  pids = g_strsplit (g_strstrip (text), " ", -1);
  for (guint i = 0; pids[i] != NULL; i++) {
    g_autofree char *file = g_strdup_printf ("/proc/%s/cmdline", pids[i]);
    g_autofree char *line = NULL;
    gsize length = 0;

    if (g_file_get_contents (file, &line, &length, NULL) &&
        length > strlen (kind) &&
        g_str_equal (line + length - strlen (kind) - 1, kind))
      return (pid_t) g_ascii_strtoll (pids[i], NULL, 10);
  }
  return 0;
}

typedef struct {
  pid_t pid;
  int number;
} Strike;

static gboolean
on_strike (gpointer user_data)
{
  Strike *strike = user_data;

  kill (strike->pid, strike->number);
  return G_SOURCE_REMOVE;
}

static void
expect_next_to_succeed (pid_t before, const char *kind)
{
  g_autoptr (GBytes) original = cut (32.9, 37.9);
  g_autoptr (DubResult) next = run (job_of (original, "es", "en"));

  g_assert_cmpstr (next->error_message, ==, NULL);
  g_assert_cmpint (next->status, ==, DUB_RESULT_SUCCESS);
  g_assert_cmpint (child_of_kind (kind), !=, before);
}

/* Killed in the middle of a fragment: that one fails, the next one does not. */
static void
test_killed_child (gconstpointer kind)
{
  Strike strike = {child_of_kind (kind), SIGKILL};
  g_autoptr (GBytes) original = cut (14.4, 19.4);
  g_autoptr (DubResult) result = NULL;

  g_assert_cmpint (strike.pid, >, 0);
  /* Stopped first, so that the work cannot be done before the end comes. */
  kill (strike.pid, SIGSTOP);
  g_timeout_add (g_str_equal (kind, "piper") ? 8000 : 1500, on_strike, &strike);
  result = run (job_of (original, "es", "en"));
  g_assert_cmpint (result->status, ==, DUB_RESULT_FAILED);
  g_assert_cmpstr (result->error_code, ==, "MODEL_ERROR");
  g_assert_cmpstr (
      result->error_stage, ==, g_str_equal (kind, "piper") ? "tts" : "asr");
  g_assert_true (result->is_retryable);
  expect_next_to_succeed (strike.pid, kind);
}

/* Hangs: its fragment is given up at the deadline, the child is killed 2 s
 * later, the next one succeeds. */
static void
test_hanging_child (void)
{
  pid_t pid = child_of_kind ("whisper");
  g_autoptr (GBytes) original = cut (14.4, 19.4);
  DubJob *job = job_of (original, "es", "en");
  g_autoptr (DubResult) result = NULL;

  kill (pid, SIGSTOP);
  job->deadline_ns = g_get_monotonic_time () * 1000 + 2 * DUB_NS_PER_S;
  result = run (job);
  g_assert_cmpstr (result->error_code, ==, "TIMEOUT");
  g_assert_true (result->is_retryable);
  g_assert_cmpint (kill (pid, 0), ==, 0);
  expect_next_to_succeed (pid, "whisper");
}

/* ---- set-up ------------------------------------------------------------ */

static gboolean
has_models (void)
{
  g_autofree char *folder = dub_pipeline_models_dir ();
  g_autofree char *model = g_build_filename (folder, "ggml-base.bin", NULL);
  g_autofree char *voice =
      g_build_filename (folder, "piper-en_US-joe-medium", "model.onnx", NULL);

  return g_file_test (model, G_FILE_TEST_EXISTS) &&
         g_file_test (voice, G_FILE_TEST_EXISTS);
}

static void
start_chain (void)
{
  const char *argv[] = {program, "engine", NULL};
  DubPipelineSettings settings = {
      .asr = {.provider = (char *) "whisper",
          .model = (char *) "ggml-base.bin",
          .timeout_ms = ENOUGH_MS,
          .max_no_speech = 0.6,
          .min_mean_logprob = -1.7,
          .word_times = TRUE},
      .translation = {.provider = (char *) "identity", .timeout_ms = 30000},
      .tts = {.provider = (char *) "piper",
          .voice = (char *) "piper-en_US-joe-medium",
          .timeout_ms = 30000},
      .transcript = DUB_TRANSCRIPT_OFF,
      .engine_argv = argv,
  };
  g_autoptr (GError) error = NULL;

  chain = dub_pipeline_new (&settings, NULL, &error);
  g_assert_no_error (error);
  wait_until_ready ();
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int status;

  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  dub_log_init ("test", DUB_LOG_WARNING, DUB_LOG_TEXT);
  program = getenv ("STS_SERVICE");
  speech_path = getenv ("STS_TEST_SPEECH");
  if (program == NULL || speech_path == NULL || !has_models ()) {
    printf ("1..0 # SKIP the models are not there (scripts/fetch)\n");
    return 0;
  }
  speech = dub_media_file_read (speech_path, RATE, &error);
  g_assert_no_error (error);
  start_chain ();
  g_test_add_func (
      "/sts/chain/speaks-what-it-heard", test_speaks_what_it_heard);
  g_test_add_func (
      "/sts/chain/hears-the-same-again", test_hears_the_same_again);
  g_test_add_func (
      "/sts/chain/tells-when-words-were-said", test_tells_when_words_were_said);
  g_test_add_func ("/sts/chain/says-nothing-without-speech",
      test_says_nothing_without_speech);
  g_test_add_data_func (
      "/sts/chain/killed-recogniser", "whisper", test_killed_child);
  g_test_add_data_func (
      "/sts/chain/killed-synthesiser", "piper", test_killed_child);
  g_test_add_func ("/sts/chain/hanging-recogniser", test_hanging_child);
  status = g_test_run ();
  chain->free (chain);
  dub_pcm_unref (speech);
  return status;
}
