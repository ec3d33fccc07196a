/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/pipeline.h"
#include "pipeline/resample.h"
#include "words.h"

#include <dubbing_common/clock.h>
#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The real voices in their real children, judged by ear: what they say is
 * recognised again. Each voice is skipped where its model is missing
 * (scripts/fetch); without Whisper's model all of it is.
 */

#define WAIT_S 120

static const char *engine_argv[] = {NULL, "engine", NULL};
static char *models;
static DubAsr *ear;

/* ---- waiting ------------------------------------------------------------- */

typedef struct {
  gboolean is_answered;
  GBytes *samples;
  guint rate_hz;
  char *text;
  GError *error;
} Answer;

static void
answer_clear (Answer *answer)
{
  g_clear_pointer (&answer->samples, g_bytes_unref);
  g_clear_pointer (&answer->text, g_free);
  g_clear_error (&answer->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Answer, answer_clear)

static void
on_spoken (
    GBytes *samples, guint rate_hz, const GError *error, gpointer user_data)
{
  Answer *answer = user_data;

  answer->is_answered = TRUE;
  answer->rate_hz = rate_hz;
  if (samples != NULL)
    answer->samples = g_bytes_ref (samples);
  else
    answer->error = g_error_copy (error);
}

static void
on_heard (const DubHeard *heard, const GError *error, gpointer user_data)
{
  Answer *answer = user_data;

  answer->is_answered = TRUE;
  if (heard != NULL)
    answer->text = g_strdup (heard->text);
  else
    answer->error = g_error_copy (error);
}

static void
wait_for (Answer *answer)
{
  while (!answer->is_answered)
    g_main_context_iteration (NULL, TRUE);
}

static gint64
in_time (void)
{
  return g_get_monotonic_time () * 1000 + WAIT_S * DUB_NS_PER_S;
}

static void
speak (DubTts *tts, const char *language, const char *profile, const char *text,
    Answer *answer)
{
  DubTtsRequest request = {.text = text,
      .language = language,
      .voice = profile,
      .speed = 1,
      .deadline_ns = in_time ()};

  tts->provider->synthesise (tts, &request, on_spoken, answer);
  wait_for (answer);
}

static char *
hear (const Answer *spoken, const char *language)
{
  gsize bytes = 0;
  const float *samples = g_bytes_get_data (spoken->samples, &bytes);
  g_autoptr (GArray) sound = dub_resample (
      samples, bytes / sizeof (float), spoken->rate_hz, DUB_ASR_RATE_HZ);
  g_autoptr (GBytes) heard =
      g_bytes_new (sound->data, sound->len * sizeof (float));
  DubAsrRequest request = {
      .samples = heard, .language = language, .deadline_ns = in_time ()};
  g_auto (Answer) answer = {FALSE};

  ear->provider->recognise (ear, &request, on_heard, &answer);
  wait_for (&answer);
  g_assert_no_error (answer.error);
  return g_steal_pointer (&answer.text);
}

static GHashTable *started; /* name -> DubTts: a model is loaded once */

static DubTts *
start_own (const char *engine)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DubVoices) voices = dub_voices_load (NULL, &error);
  DubTtsSettings settings = {.engine_argv = engine_argv,
      .models_dir = models,
      .threads = MAX (1, g_get_num_processors () - 1),
      .voices = voices};

  g_assert_no_error (error);
  return dub_tts_provider_find (engine)->create (&settings);
}

static DubTts *
start (const char *engine)
{
  DubTts *tts = g_hash_table_lookup (started, engine);

  if (tts != NULL)
    return tts;
  tts = start_own (engine);
  g_hash_table_insert (started, (char *) engine, tts);
  return tts;
}

static void
stop (gpointer data)
{
  DubTts *tts = data;

  tts->provider->free (tts);
}

/* ---- tests --------------------------------------------------------------- */

typedef struct {
  const char *engine;
  const char *language;
  const char *file; /* below the models' folder; NULL: none is needed */
  double share;     /* of the words, to be heard again */
  const char *text;
} Case;

#define KOKORO "kokoro-v1.0-int8/model.onnx"

static const Case cases[] = {
    {"piper", "en", "piper-en_US-joe-medium/model.onnx", 0.7,
        "The match has begun in front of a full stadium."},
    {"kokoro", "en", KOKORO, 0.7,
        "The match has begun in front of a full stadium."},
    {"kokoro", "es", KOKORO, 0.7,
        "El partido acaba de empezar en un estadio lleno."},
    {"kokoro", "fr", KOKORO, 0.6,
        "Le match vient de commencer dans un stade plein."},
    {"kokoro", "it", KOKORO, 0.6,
        "La partita è appena iniziata in uno stadio pieno."},
    {"kokoro", "pt", KOKORO, 0.6, "O jogo acaba de começar num estádio cheio."},
    {"espeak", "en", NULL, 0.4,
        "The match has begun in front of a full stadium."},
};

static gboolean
is_there (const char *file)
{
  g_autofree char *path = g_build_filename (models, file, NULL);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

/* The peak of what was said; nothing in it may be no number. */
static double
peak_of (GBytes *samples)
{
  gsize bytes = 0;
  const float *data = g_bytes_get_data (samples, &bytes);
  double peak = 0;

  for (gsize i = 0; i < bytes / sizeof (float); i++) {
    g_assert_true (isfinite (data[i]));
    peak = MAX (peak, fabs ((double) data[i]));
  }
  return peak;
}

static void
test_is_understood (gconstpointer data)
{
  const Case *c = data;
  DubTts *tts = NULL;
  g_auto (Answer) spoken = {FALSE};
  g_autofree char *heard = NULL;

  if (c->file != NULL && !is_there (c->file)) {
    g_test_skip ("its model is not here");
    return;
  }
  tts = start (c->engine);
  g_assert_true (tts->provider->has_voice (tts, c->language, "default"));
  g_assert_false (tts->provider->has_voice (tts, c->language, "nobody"));
  speak (tts, c->language, "default", c->text, &spoken);
  g_assert_no_error (spoken.error);
  g_assert_cmpfloat (peak_of (spoken.samples), >, 0.05);
  heard = hear (&spoken, c->language);
  g_test_message ("%s, %s: %s", c->engine, c->language, heard);
  g_assert_cmpfloat (words_shared (c->text, heard), >=, c->share);
}

/* What cannot be said is refused, and the child lives on. */
static void
test_refuses_in_the_child (void)
{
  DubTts *tts = start ("espeak");
  g_autofree char *long_text = g_strnfill (5000, 'a');
  g_auto (Answer) empty = {FALSE}, large = {FALSE}, good = {FALSE},
                  unknown = {FALSE};

  /* Not every language that it lists is one that it can read. */
  g_assert_true (tts->provider->has_voice (tts, "fi", "default"));
  g_assert_false (tts->provider->has_voice (tts, "zh-CN", "default"));
  g_assert_false (tts->provider->has_voice (tts, "xx", "default"));
  speak (tts, "en", "default", " \n", &empty);
  g_assert_error (empty.error, DUB_ERROR, DUB_ERROR_INVALID);
  speak (tts, "en", "default", long_text, &large);
  g_assert_error (large.error, DUB_ERROR, DUB_ERROR_LIMIT);
  speak (tts, "xx", "default", "Hello.", &unknown);
  g_assert_error (unknown.error, DUB_ERROR, DUB_ERROR_NOT_FOUND);
  speak (tts, "en", "default", "Hello.", &good);
  g_assert_no_error (good.error);
}

static double
seconds_at (DubTts *tts, double speed)
{
  DubTtsRequest request = {
      .text = "One and two and three and four and five and six.",
      .language = "en",
      .voice = "default",
      .speed = speed,
      .deadline_ns = in_time ()};
  g_auto (Answer) answer = {FALSE};

  tts->provider->synthesise (tts, &request, on_spoken, &answer);
  wait_for (&answer);
  g_assert_no_error (answer.error);
  return g_bytes_get_size (answer.samples) / 4.0 / answer.rate_hz;
}

/* A faster rate that is asked for is a shorter sound. */
static void
test_speed (gconstpointer engine)
{
  DubTts *tts = NULL;
  double normal, fast;

  if (g_str_equal (engine, "kokoro") && !is_there (KOKORO)) {
    g_test_skip ("its model is not here");
    return;
  }
  tts = start (engine);
  normal = seconds_at (tts, 1);
  fast = seconds_at (tts, 1.25);
  g_test_message ("%.2f s, %.2f s", normal, fast);
  g_assert_cmpfloat (fast, <, normal * 0.9);
  g_assert_cmpfloat (fast, >, normal * 0.65);
}

/* Freed while it speaks, and cancelled: done does not come, or once. */
static void
test_cancel_and_free (void)
{
  DubTts *tts = start_own ("espeak");
  DubTtsRequest request = {.text = "Hello.",
      .language = "en",
      .voice = "default",
      .speed = 1,
      .deadline_ns = in_time ()};
  g_auto (Answer) cancelled = {FALSE}, freed = {FALSE};
  guint64 id = tts->provider->synthesise (tts, &request, on_spoken, &cancelled);

  tts->provider->synthesise (tts, &request, on_spoken, &freed);
  tts->provider->cancel (tts, id);
  tts->provider->cancel (tts, id);
  tts->provider->free (tts);
  g_assert_false (cancelled.is_answered);
  g_assert_error (freed.error, DUB_ERROR, DUB_ERROR_DISCONNECTED);
}

static DubAsr *
start_ear (void)
{
  g_autofree char *model = g_build_filename (models, "ggml-base.bin", NULL);
  const DubAsrProvider *whisper = dub_asr_provider_find ("whisper");
  DubAsrSettings settings = {.engine_argv = engine_argv,
      .model = model,
      .threads = MAX (1, g_get_num_processors ())};

  return whisper->create (&settings);
}

static void
add_tests (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf (
        "/sts/voices/%s/%s", cases[i].engine, cases[i].language);
    g_test_add_data_func (path, &cases[i], test_is_understood);
  }
  g_test_add_data_func ("/sts/voices/speed/espeak", "espeak", test_speed);
  g_test_add_data_func ("/sts/voices/speed/kokoro", "kokoro", test_speed);
  g_test_add_func ("/sts/voices/refuses", test_refuses_in_the_child);
  g_test_add_func ("/sts/voices/cancel-and-free", test_cancel_and_free);
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  dub_log_init ("test", DUB_LOG_WARNING, DUB_LOG_TEXT);
  models = dub_pipeline_models_dir ();
  engine_argv[0] = getenv ("STS_SERVICE");
  if (engine_argv[0] == NULL || !is_there ("ggml-base.bin")) {
    printf ("1..0 # SKIP the models are not there (scripts/fetch)\n");
    return 0;
  }
  started = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, stop);
  ear = start_ear ();
  add_tests ();
  status = g_test_run ();
  g_hash_table_unref (started);
  ear->provider->free (ear);
  g_free (models);
  return status;
}
