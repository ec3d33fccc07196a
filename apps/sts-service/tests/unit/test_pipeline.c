/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/pipeline.h"
#include "pipeline/stretch.h"

#include "jobs.h"

#include <dubbing_common/error.h>
#include <dubbing_mediacodec/mediacodec.h>
#include <gst/gst.h>
#include <string.h>

/* The pipeline with engines that say what the test tells them. */

#define RATE JOB_RATE

typedef struct {
  const char *text;       /* of the first answer */
  const char *transcript; /* of the second */
  double no_speech, logprob;
  gint error;           /* a DubErrorCode, 0: none */
  double speech_s;      /* of the synthesiser, at rate 1 */
  gboolean is_stuck;    /* the recogniser never answers */
  guint transcript_ms;  /* how long it takes for a second answer */
  const char *language; /* what it sounds like; NULL: "es" */
  double sure, asked;   /* of that language, and of the one asked for */
  /* what was asked */
  char *asked_language;
  gboolean translated;
  guint recognised, transcribed, synthesised, cancelled;
  double last_rate;
  char *said, *speaker;
  guint max_chars; /* of the translation */
} Script;

static Script script;

/* ---- engines ----------------------------------------------------------- */

typedef struct {
  DubAsrDoneFunc heard;
  DubTtsDoneFunc spoken;
  gpointer user_data;
  gboolean translate;
  double rate;
} Call;

static gboolean
on_hear (gpointer data)
{
  Call *call = data;
  DubHeard heard = {script.text,
      script.language != NULL ? script.language : "es", script.no_speech,
      script.logprob, script.sure, script.asked};
  g_autoptr (GError) error = NULL;

  if (!call->translate)
    heard.text = script.transcript;
  if (script.error != 0)
    error = g_error_new_literal (DUB_ERROR, script.error, "as the test said");
  call->heard (error == NULL ? &heard : NULL, error, call->user_data);
  return G_SOURCE_REMOVE;
}

static guint64
mock_recognise (DubAsr *self, const DubAsrRequest *request, DubAsrDoneFunc done,
    gpointer user_data)
{
  Call *call = g_new0 (Call, 1);

  script.recognised++;
  g_free (script.asked_language);
  script.asked_language = g_strdup (request->language);
  script.transcribed += !request->translate;
  g_assert_cmpint (
      request->gives_way, ==, script.translated && !request->translate);
  script.translated |= request->translate;
  *call = (Call){
      .heard = done, .user_data = user_data, .translate = request->translate};
  if (script.is_stuck) {
    g_free (call);
    return 77;
  }
  return g_timeout_add_full (G_PRIORITY_DEFAULT,
      request->gives_way ? script.transcript_ms : 0, on_hear, call, g_free);
}

static void
mock_asr_cancel (DubAsr *self, guint64 id)
{
  script.cancelled++;
  if (!script.is_stuck)
    g_source_remove ((guint) id);
}

static gboolean
mock_ready (DubAsr *self, GError **error)
{
  return TRUE;
}

static gboolean
mock_knows (DubAsr *self, const char *language)
{
  return g_strv_contains (
      (const char *const[]){"es", "en", "auto", NULL}, language);
}

static gboolean
mock_translates (DubAsr *self, const char *language)
{
  return g_str_equal (language, "en");
}

static gboolean
mock_idle (DubAsr *self)
{
  return TRUE;
}

static void
mock_asr_free (DubAsr *self)
{
}

static const DubAsrProvider asr_provider = {"mock", NULL, mock_asr_free,
    mock_ready, mock_knows, mock_translates, mock_recognise, mock_asr_cancel,
    mock_idle};

static gboolean
on_speak (gpointer data)
{
  g_autofree Call *call = data;
  g_autoptr (GArray) sound =
      signal_silence (22050, 0.4 + script.speech_s / call->rate);
  g_autoptr (GBytes) bytes = NULL;

  signal_add_tone (
      sound, 22050, 0.2, 0.2 + script.speech_s / call->rate, 250, 0.3);
  bytes = g_bytes_new (sound->data, sound->len * sizeof (float));
  call->spoken (bytes, 22050, NULL, call->user_data);
  return G_SOURCE_REMOVE;
}

static guint64
mock_synthesise (DubTts *self, const DubTtsRequest *request,
    DubTtsDoneFunc done, gpointer user_data)
{
  Call *call = g_new0 (Call, 1);

  script.synthesised++;
  script.last_rate = request->speed;
  g_free (script.said);
  script.said = g_strdup (request->text);
  g_free (script.speaker);
  script.speaker = g_strdup (request->speaker);
  *call = (Call){.spoken = done,
      .user_data = user_data,
      .rate = self->max_speed > 0 ? MIN (request->speed, self->max_speed)
                                  : request->speed};
  return g_idle_add (on_speak, call);
}

static void
mock_tts_cancel (DubTts *self, guint64 id)
{
  script.cancelled++;
}

static gboolean
mock_tts_ready (DubTts *self, GError **error)
{
  return TRUE;
}

static gboolean
mock_has_voice (DubTts *self, const char *language, const char *voice)
{
  return g_str_equal (language, "en") && g_str_equal (voice, "default");
}

static void
mock_tts_free (DubTts *self)
{
}

static const DubTtsProvider tts_provider = {"mock", NULL, mock_tts_free,
    mock_tts_ready, mock_has_voice, mock_synthesise, mock_tts_cancel};

/* Says it as it was heard, and remembers what was asked. */
static guint64
note_and_translate (DubTranslator *self, const DubTranslationRequest *request,
    DubTranslatedFunc done, gpointer user_data)
{
  script.max_chars = request->hints.max_chars;
  return dub_translator_identity.translate (self, request, done, user_data);
}

static DubTranslator *
translator (void)
{
  static DubTranslatorProvider provider;
  DubTranslator *self = dub_translator_identity.create (NULL);

  provider = dub_translator_identity;
  provider.translate = note_and_translate;
  self->provider = &provider;
  return self;
}

static DubAsr mock_asr = {&asr_provider};
static DubTts mock_tts = {&tts_provider};

/* ---- the bench --------------------------------------------------------- */

static DubProcessor *
pipeline (DubTranscriptMode transcript)
{
  DubPipelineSettings settings = {
      .asr = {.timeout_ms = 5000,
          .max_no_speech = 0.6,
          .min_mean_logprob = -1.7},
      .translation = {.timeout_ms = 5000,
          .normalises = TRUE,
          .removes_speakers = TRUE},
      .tts = {.timeout_ms = 5000},
      .transcript = (int) transcript,
  };

  g_free (script.said);
  g_free (script.speaker);
  g_free (script.asked_language);
  script = (Script){.text = "What was said in the hall.",
      .transcript = "Lo que se oyó.",
      .logprob = -0.4,
      .no_speech = 0.1,
      .speech_s = 1.5};
  return dub_pipeline_new_with (
      &settings, NULL, &mock_asr, translator (), &mock_tts);
}

static DubJob *
job (double amplitude)
{
  return job_new (3, amplitude, 30000);
}

static void
on_done (DubResult *result, gpointer user_data)
{
  DubResult **to = user_data;

  g_assert_null (*to);
  *to = result;
}

/* (transfer full) */
static DubResult *
run (DubProcessor *processor, DubJob *work)
{
  DubResult *result = NULL;

  processor->submit (processor, work, on_done, &result);
  g_assert_null (result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return result;
}

static double
first_sound_s (const DubSound *sound)
{
  gsize bytes = 0;
  const gint16 *samples = g_bytes_get_data (sound->data, &bytes);

  for (gsize i = 0; i < bytes / 2; i++)
    if (ABS (samples[i]) > 100)
      return i / (double) sound->channels / sound->sample_rate_hz;
  return -1;
}

static void
test_dubs (void)
{
  DubProcessor *self = pipeline (DUB_TRANSCRIPT_AUTO);
  g_autoptr (DubResult) result = run (self, job (0.2));

  g_assert_cmpint (result->status, ==, DUB_RESULT_SUCCESS);
  g_assert_true (script.translated);
  g_assert_cmpstr (result->translated_text, ==, "What was said in the hall.");
  g_assert_cmpstr (result->transcript, ==, "Lo que se oyó.");
  g_assert_cmpuint (script.synthesised, ==, 1);
  g_assert_cmpstr (result->sound.format, ==, "pcm_s16le");
  g_assert_cmpuint (result->sound.channels, ==, 2);
  g_assert_cmpuint (result->sound.sample_rate_hz, ==, RATE);
  /* The dub begins where the speech began, without its own silence. */
  g_assert_cmpfloat_with_epsilon (first_sound_s (&result->sound), 0.5, 0.03);
  g_assert_cmpint (ABS ((int) result->dubbed_duration_ms - 1500), <=, 60);
  g_assert_cmpint (ABS ((int) result->original_duration_ms - 2400), <=, 30);
  g_assert_cmpfloat (result->duration_variance_percent, ==, 0);
  g_assert_cmpfloat_with_epsilon (result->speed_ratio, 1, 0.001);
  self->free (self);
}

/* A label is for choosing the voice. */
static void
test_takes_labels_off (void)
{
  DubProcessor *self = pipeline (DUB_TRANSCRIPT_AUTO);
  g_autoptr (DubResult) result = NULL;

  script.text = "Alice: It was said in the hall!!!";
  result = run (self, job (0.2));
  g_assert_cmpstr (result->translated_text, ==, "It was said in the hall!");
  g_assert_cmpstr (script.said, ==, "It was said in the hall!");
  g_assert_cmpstr (script.speaker, ==, "Alice");
  self->free (self);
}

static void
test_no_transcript_when_off (void)
{
  DubProcessor *self = pipeline (DUB_TRANSCRIPT_OFF);
  g_autoptr (DubResult) result = run (self, job (0.2));

  g_assert_cmpuint (script.transcribed, ==, 0);
  g_assert_null (result->transcript);
  self->free (self);
}

/* The programme does not wait for the text of what was said; who has time
 * does. */
static void
test_late_transcript (void)
{
  DubProcessor *self = pipeline (DUB_TRANSCRIPT_AUTO);
  g_autoptr (DubResult) live = NULL;
  g_autoptr (DubResult) patient = NULL;

  script.transcript_ms = 2000;
  live = run (self, job_new (3, 0.2, 8000));
  g_assert_cmpint (live->status, ==, DUB_RESULT_SUCCESS);
  g_assert_null (live->transcript);
  g_assert_cmpuint (live->total_ms, <, 2000);
  patient = run (self, job_new (3, 0.2, 12100));
  g_assert_cmpstr (patient->transcript, ==, "Lo que se oyó.");
  self->free (self);
}

/* Into its own language there is nothing to translate. */
static void
test_same_language (void)
{
  DubProcessor *self = pipeline (DUB_TRANSCRIPT_AUTO);
  DubJob *work = job (0.2);
  g_autoptr (DubResult) result = NULL;

  g_free (work->source_language);
  work->source_language = g_strdup ("en-GB");
  result = run (self, work);
  g_assert_false (script.translated);
  g_assert_cmpuint (script.recognised, ==, 1);
  g_assert_cmpstr (result->transcript, ==, result->translated_text);
  self->free (self);
}

static DubJob *
job_for_the_translator (guint room_ms)
{
  DubJob *work = job (0.2);

  g_free (work->source_language);
  work->source_language = g_strdup ("en-GB");
  work->room_ms = room_ms;
  return work;
}

/* What fits into the speech and the pause after it; and what comes back is
 * made tidy, as it is when the recogniser translates. */
static void
test_asks_the_translator (void)
{
  DubProcessor *self = pipeline (DUB_TRANSCRIPT_OFF);
  g_autoptr (DubResult) result = NULL;

  script.transcript = "Bob: Well!!! It was said  in the hall.";
  result = run (self, job_for_the_translator (0));
  g_assert_cmpstr (
      result->translated_text, ==, "Well! It was said in the hall.");
  g_assert_cmpstr (script.speaker, ==, "Bob");
  /* 2.4 s at 15 letters, and 1.3 times that. */
  g_assert_cmpint (ABS ((int) script.max_chars - 47), <=, 1);
  dub_result_free (run (self, job_for_the_translator (1000)));
  g_assert_cmpint (ABS ((int) script.max_chars - 66), <=, 1);
  self->free (self);
}

static double
level_db (const DubSound *sound)
{
  gsize bytes = 0;
  const gint16 *samples = g_bytes_get_data (sound->data, &bytes);
  double sum = 1;

  for (gsize i = 0; i < bytes / 2; i++)
    sum += (double) samples[i] * samples[i];
  return 10 * log10 (sum);
}

/* Who whispers is dubbed in a whisper. */
static void
test_as_loud_as_the_source (void)
{
  DubProcessor *self = pipeline (DUB_TRANSCRIPT_OFF);
  g_autoptr (DubResult) loud = run (self, job (0.2));
  g_autoptr (DubResult) soft = run (self, job (0.02));

  g_assert_cmpfloat_with_epsilon (
      level_db (&loud->sound) - level_db (&soft->sound), 20, 0.5);
  self->free (self);
}

/* 2.8 s for 2.5: asked for again, faster. 4.2 s: and stretched. */
static void
test_too_long (void)
{
  DubProcessor *self = pipeline (DUB_TRANSCRIPT_OFF);
  g_autoptr (DubResult) faster = NULL;
  g_autoptr (DubResult) stretched = NULL;
  g_autoptr (DubResult) refused = NULL;

  script.speech_s = 2.8;
  faster = run (self, job (0.2));
  g_assert_cmpuint (script.synthesised, ==, 2);
  g_assert_cmpfloat (script.last_rate, >, 1.1);
  g_assert_cmpint (faster->status, ==, DUB_RESULT_SUCCESS);
  g_assert_cmpfloat_with_epsilon (faster->speed_ratio, 1.12, 0.04);
  if (g_str_equal (dub_stretch_name (), "none")) {
    self->free (self);
    g_test_skip ("this build cannot stretch");
    return;
  }
  script.speech_s = 3.8;
  stretched = run (self, job (0.2));
  g_assert_cmpint (stretched->status, ==, DUB_RESULT_SUCCESS);
  g_assert_cmpfloat_with_epsilon (stretched->speed_ratio, 1.53, 0.05);
  g_assert_cmpuint (stretched->dubbed_duration_ms, <=, 2560);
  script.speech_s = 6;
  refused = run (self, job (0.2));
  g_assert_cmpint (refused->status, ==, DUB_RESULT_FAILED);
  g_assert_cmpstr (refused->error_code, ==, "DURATION_MISMATCH_EXCEEDED");
  g_assert_cmpstr (refused->error_stage, ==, "tts");
  g_assert_false (refused->is_retryable);
  g_assert_null (refused->sound.data);
  self->free (self);
}

/* 2.65 s for 2.5: the stretch does it, and costs no second synthesis; unless
 * nobody waits. */
static void
test_little_too_long (void)
{
  DubProcessor *self = pipeline (DUB_TRANSCRIPT_OFF);
  g_autoptr (DubResult) live = NULL;
  g_autoptr (DubResult) file = NULL;

  if (g_str_equal (dub_stretch_name (), "none")) {
    self->free (self);
    g_test_skip ("this build cannot stretch");
    return;
  }
  script.speech_s = 2.65;
  script.text = "1881"; /* nothing is expected of its length */
  live = run (self, job_new (3, 0.2, 8000));
  g_assert_cmpuint (script.synthesised, ==, 1);
  g_assert_cmpint (live->status, ==, DUB_RESULT_SUCCESS);
  g_assert_cmpfloat_with_epsilon (live->speed_ratio, 1.06, 0.03);
  g_assert_cmpuint (live->dubbed_duration_ms, <=, 2560);
  file = run (self, job_new (3, 0.2, 30000));
  g_assert_cmpuint (script.synthesised, ==, 3);
  g_assert_cmpfloat (script.last_rate, >, 1.03);
  self->free (self);
}

/* The second time it is known how long the voice takes. */
static void
test_learns_the_length (void)
{
  DubProcessor *self = pipeline (DUB_TRANSCRIPT_OFF);
  g_autoptr (DubResult) first = NULL;
  g_autoptr (DubResult) second = NULL;

  script.speech_s = 2.8;
  first = run (self, job (0.2));
  g_assert_cmpuint (script.synthesised, ==, 2);
  second = run (self, job (0.2));
  g_assert_cmpuint (script.synthesised, ==, 3);
  /* Not from words whose letters say nothing of their length. */
  script.text = "1881";
  script.speech_s = 1;
  dub_result_free (run (self, job (0.2)));
  g_assert_cmpfloat (script.last_rate, ==, 1);
  script.text = "What was said in the hall.";
  script.speech_s = 2.8;
  g_clear_pointer (&second, dub_result_free);
  second = run (self, job (0.2));
  g_assert_cmpuint (script.synthesised, ==, 5);
  g_assert_cmpfloat_with_epsilon (script.last_rate, 1.12, 0.04);
  g_assert_cmpfloat_with_epsilon (
      second->speed_ratio, first->speed_ratio, 0.03);
  self->free (self);
}

/* The pause after the slot may be used, and some of it is cut. */
static void
test_room_and_cut (void)
{
  DubProcessor *self = pipeline (DUB_TRANSCRIPT_OFF);
  DubJob *work = job (0.2);
  g_autoptr (DubResult) roomy = NULL;
  g_autoptr (DubResult) cut = NULL;

  if (g_str_equal (dub_stretch_name (), "none")) {
    dub_job_free (work);
    self->free (self);
    g_test_skip ("this build cannot stretch");
    return;
  }
  script.speech_s = 5;
  work->room_ms = 1000;
  roomy = run (self, work);
  g_assert_cmpint (roomy->status, ==, DUB_RESULT_SUCCESS);
  g_assert_cmpuint (roomy->sound.duration_ms, >, 3000);
  script.speech_s = 4.7;
  cut = run (self, job (0.2));
  g_assert_cmpint (cut->status, ==, DUB_RESULT_PARTIAL);
  g_assert_cmpfloat (cut->duration_variance_percent, >, 10);
  g_assert_cmpuint (cut->dubbed_duration_ms, <=, 2520);
  self->free (self);
}

static void
expect_failure (DubResult *result, const char *stage, const char *code,
    gboolean is_retryable)
{
  g_assert_cmpint (result->status, ==, DUB_RESULT_FAILED);
  g_assert_cmpstr (result->error_stage, ==, stage);
  g_assert_cmpstr (result->error_code, ==, code);
  g_assert_cmpint (result->is_retryable, ==, is_retryable);
  g_assert_null (result->sound.data);
}

static void
test_no_speech (void)
{
  DubProcessor *self = pipeline (DUB_TRANSCRIPT_AUTO);
  static const char *const texts[] = {"", "[Music]", "(applause) ♪"};
  g_autoptr (DubResult) silent = NULL;
  g_autoptr (DubResult) guessed = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (DubResult) result = NULL;
    script.text = texts[i];
    result = run (self, job (0.2));
    expect_failure (result, "asr", "NO_SPEECH", FALSE);
  }
  /* Digital silence is not even listened to. */
  script.recognised = 0;
  silent = run (self, job (0));
  expect_failure (silent, "asr", "NO_SPEECH", FALSE);
  g_assert_cmpuint (script.recognised, ==, 0);
  script.text = "The next day.";
  script.logprob = -3;
  guessed = run (self, job (0.2));
  expect_failure (guessed, "asr", "NO_SPEECH", FALSE);
  g_assert_cmpuint (script.synthesised, ==, 0);
  self->free (self);
}

static void
test_wrong_language (void)
{
  DubProcessor *self = pipeline (DUB_TRANSCRIPT_OFF);
  g_autoptr (DubResult) wrong = NULL;
  g_autoptr (DubResult) right = NULL;

  script.language = "de";
  script.sure = 0.97;
  script.asked = 0.01;
  wrong = run (self, job (0.2));
  expect_failure (wrong, "asr", "NO_SPEECH", FALSE);
  g_assert_nonnull (strstr (wrong->error_message, "wrong_language"));
  script.sure = 0.6;
  right = run (self, job (0.2));
  g_assert_cmpint (right->status, ==, DUB_RESULT_SUCCESS);
  self->free (self);
}

static DubJob *
job_of_unknown_language (void)
{
  DubJob *made = job (0.2);

  g_free (made->source_language);
  made->source_language = g_strdup ("auto");
  return made;
}

/* Found out once, used from then on; never wrong. */
static void
test_finds_the_language (void)
{
  static const char *const expected[] = {"auto", "auto", "es", "es"};
  DubProcessor *self = pipeline (DUB_TRANSCRIPT_OFF);

  script.sure = 0.8;
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++) {
    g_autoptr (DubResult) result = run (self, job_of_unknown_language ());
    g_assert_cmpint (result->status, ==, DUB_RESULT_SUCCESS);
    g_assert_cmpstr (script.asked_language, ==, expected[i]);
  }
  self->free (self);
}

static void
test_engine_errors (void)
{
  static const struct {
    const char *code;
    gint error;
    gboolean is_retryable;
  } cases[] = {
      {"MODEL_ERROR", DUB_ERROR_ENGINE, TRUE},
      {"MODEL_ERROR", DUB_ERROR_UNAVAILABLE, TRUE},
      {"TIMEOUT", DUB_ERROR_TIMEOUT, TRUE},
      {"QUEUE_FULL", DUB_ERROR_OVERLOADED, TRUE},
      {"ASR_FAILED", DUB_ERROR_INVALID, FALSE},
  };
  DubProcessor *self = pipeline (DUB_TRANSCRIPT_AUTO);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (DubResult) result = NULL;
    script.error = cases[i].error;
    result = run (self, job (0.2));
    expect_failure (result, "asr", cases[i].code, cases[i].is_retryable);
    g_assert_cmpstr (result->error_message, ==, "as the test said");
  }
  self->free (self);
}

static void
test_deadline (void)
{
  DubProcessor *self = pipeline (DUB_TRANSCRIPT_AUTO);
  DubJob *work = job (0.2);
  g_autoptr (DubResult) result = NULL;

  work->deadline_ns = g_get_monotonic_time () * 1000 - 1;
  result = run (self, work);
  expect_failure (result, "pipeline", "TIMEOUT", TRUE);
  g_assert_cmpuint (script.recognised, ==, 0);
  self->free (self);
}

static void
test_bad_sound (void)
{
  DubProcessor *self = pipeline (DUB_TRANSCRIPT_AUTO);
  DubJob *odd = job (0.2);
  DubJob *channels = job (0.2);
  g_autoptr (DubResult) first = NULL;
  g_autoptr (DubResult) second = NULL;

  g_bytes_unref (odd->sound.data);
  odd->sound.data = g_bytes_new ("abc", 3);
  first = run (self, odd);
  expect_failure (first, "asr", "INVALID_AUDIO_FORMAT", FALSE);
  channels->sound.channels = 7;
  second = run (self, channels);
  expect_failure (second, "asr", "INVALID_AUDIO_FORMAT", FALSE);
  self->free (self);
}

static void
code_as_m4a (DubJob *work)
{
  g_autoptr (DubPcm) pcm =
      dub_pcm_new (g_bytes_ref (work->sound.data), RATE, 1, 0);
  g_autoptr (GError) error = NULL;

  g_bytes_unref (work->sound.data);
  work->sound.data = dub_mediacodec_encode_m4a (pcm, 128000, &error);
  g_assert_no_error (error);
  g_free (work->sound.format);
  work->sound.format = g_strdup ("m4a");
  g_free (work->reply_format);
  work->reply_format = g_strdup ("m4a");
}

/* A peer of the older design gets MP4 that fills the slot, speech or not. */
static void
test_m4a (void)
{
  static const char *const texts[] = {"What was said in the hall.", "[Music]"};
  DubProcessor *self = pipeline (DUB_TRANSCRIPT_OFF);

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    DubJob *work = job (0.2);
    g_autoptr (DubResult) result = NULL;
    g_autoptr (DubPcm) pcm = NULL;
    g_autoptr (GError) error = NULL;

    code_as_m4a (work);
    script.text = texts[i];
    result = run (self, work);
    g_assert_cmpstr (result->error_message, ==, NULL);
    g_assert_cmpint (result->status, ==, DUB_RESULT_SUCCESS);
    g_assert_cmpstr (result->sound.format, ==, "m4a");
    g_assert_cmpuint (result->sound.channels, ==, 2);
    g_assert_cmpint (ABS ((int) result->sound.duration_ms - 3000), <=, 30);
    g_assert_cmpstr (result->translated_text, ==,
        i == 0 ? "What was said in the hall." : "");
    g_assert_cmpmem (
        (const char *) g_bytes_get_data (result->sound.data, NULL) + 4, 4,
        "ftyp", 4);
    pcm = dub_mediacodec_decode (
        result->sound.data, "m4a", RATE, 2, 10000, &error);
    g_assert_no_error (error);
    g_assert_cmpint (
        ABS (dub_pcm_duration_ns (pcm) / DUB_NS_PER_MS - 3000), <=, 30);
    g_assert_cmpint (
        dub_pcm_rms_db (pcm->samples, pcm->frames * 2) > -60, ==, i == 0);
  }
  self->free (self);
}

static void
test_check (void)
{
  static const struct {
    const char *source, *target, *voice;
    gint code;
  } cases[] = {
      {"es", "en", "default", 0},
      {"auto", "en", "default", 0},
      {"xx", "en", "default", DUB_ERROR_UNSUPPORTED},
      {"es", "ja", "default", DUB_ERROR_UNSUPPORTED},
      {"es", "es", "default", DUB_ERROR_UNSUPPORTED},
      {"es", "en", "nobody", DUB_ERROR_NOT_FOUND},
  };
  DubProcessor *self = pipeline (DUB_TRANSCRIPT_AUTO);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    gboolean ok = self->check (
        self, cases[i].source, cases[i].target, cases[i].voice, &error);
    g_assert_cmpint (ok, ==, cases[i].code == 0);
    if (!ok)
      g_assert_error (error, DUB_ERROR, cases[i].code);
  }
  self->free (self);
}

/* What nobody waits for any more gives its place to others. */
static void
test_cancel (void)
{
  DubProcessor *self = pipeline (DUB_TRANSCRIPT_AUTO);
  DubResult *results[2] = {NULL, NULL};

  script.is_stuck = TRUE;
  self->submit (self, job (0.2), on_done, &results[0]);
  self->submit (self, job (0.2), on_done, &results[1]);
  while (script.recognised < 2)
    g_main_context_iteration (NULL, TRUE);
  self->cancel (self, &results[1]);
  self->cancel (self, &results[1]);
  g_assert_null (results[0]);
  g_assert_nonnull (results[1]);
  g_assert_cmpint (results[1]->status, ==, DUB_RESULT_FAILED);
  g_assert_cmpuint (script.cancelled, ==, 1);
  self->free (self);
  dub_result_free (results[0]);
  dub_result_free (results[1]);
}

/* Every job is answered, even by a pipeline that ends. */
static void
test_free_while_busy (void)
{
  DubProcessor *self = pipeline (DUB_TRANSCRIPT_AUTO);
  DubResult *results[2] = {NULL, NULL};

  script.is_stuck = TRUE;
  self->submit (self, job (0.2), on_done, &results[0]);
  while (script.recognised == 0)
    g_main_context_iteration (NULL, TRUE);
  self->submit (self, job (0.2), on_done, &results[1]);
  self->free (self);
  for (guint i = 0; i < 2; i++) {
    g_assert_nonnull (results[i]);
    g_assert_cmpint (results[i]->status, ==, DUB_RESULT_FAILED);
    g_assert_true (results[i]->is_retryable);
    dub_result_free (results[i]);
  }
  g_assert_cmpuint (script.cancelled, ==, 1);
  /* What a thread still has is put away when it comes back. */
  for (guint i = 0; i < 100; i++) {
    g_main_context_iteration (NULL, FALSE);
    g_usleep (1000);
  }
}

/* The text stays as it was translated; the voice gets it as it is said. */
static void
test_reads_as_spoken (void)
{
  DubProcessor *self = pipeline (DUB_TRANSCRIPT_OFF);
  g_autoptr (DubResult) result = NULL;
  g_autoptr (DubResult) nothing = NULL;

  script.text = "Dr. Ruiz won 5 km from home.";
  result = run (self, job (0.2));
  g_assert_cmpstr (result->translated_text, ==, script.text);
  g_assert_cmpstr (script.said, ==, "Doctor Ruiz won 5 kilometres from home.");
  script.text = "… \342\200\224 …";
  script.synthesised = 0;
  nothing = run (self, job (0.2));
  expect_failure (nothing, "asr", "NO_SPEECH", FALSE);
  g_assert_cmpuint (script.synthesised, ==, 0);
  self->free (self);
}

/* What a recogniser wrote over and over is said once. */
static void
test_says_once (void)
{
  DubProcessor *self = pipeline (DUB_TRANSCRIPT_OFF);
  g_autoptr (DubResult) result = NULL;

  script.no_speech = 0.01;
  script.logprob = -0.5;
  script.text = "I hope not to have failed you. I hope not to have failed you. "
                "I hope not";
  result = run (self, job (0.2));
  g_assert_cmpstr (script.said, ==, "I hope not to have failed you.");
  g_assert_cmpstr (result->translated_text, ==, script.said);
  self->free (self);
}

/* Who cannot speak faster is not asked twice, and the speed is the true one. */
static void
test_fixed_speed (void)
{
  DubProcessor *self = pipeline (DUB_TRANSCRIPT_OFF);
  g_autoptr (DubResult) first = NULL;
  g_autoptr (DubResult) second = NULL;

  if (g_str_equal (dub_stretch_name (), "none")) {
    self->free (self);
    g_test_skip ("this build cannot stretch");
    return;
  }
  mock_tts.max_speed = 1;
  script.speech_s = 2.8;
  first = run (self, job (0.2));
  g_assert_cmpuint (script.synthesised, ==, 1);
  g_assert_cmpfloat (first->speed_ratio, >, 1.05);
  /* By now it is known to be too long, and asked for faster; in vain. */
  second = run (self, job (0.2));
  g_assert_cmpuint (script.synthesised, ==, 2);
  g_assert_cmpfloat_with_epsilon (
      second->speed_ratio, first->speed_ratio, 0.02);
  mock_tts.max_speed = 0;
  self->free (self);
}

static void
test_threads (void)
{
  static const struct {
    guint n_asked, n_cores, recogniser, others;
  } table[] = {{0, 0, 1, 1}, {0, 1, 1, 1}, {0, 2, 2, 1}, {0, 3, 2, 2},
      {0, 8, 7, 7}, {3, 2, 3, 3}};

  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    DubPipelineSettings settings = {.engine_threads = table[i].n_asked};

    g_assert_cmpuint (dub_pipeline_threads (&settings, TRUE, table[i].n_cores),
        ==, table[i].recogniser);
    g_assert_cmpuint (dub_pipeline_threads (&settings, FALSE, table[i].n_cores),
        ==, table[i].others);
  }
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  g_test_add_func ("/sts/pipeline/dubs", test_dubs);
  g_test_add_func ("/sts/pipeline/threads", test_threads);
  g_test_add_func ("/sts/pipeline/takes-labels-off", test_takes_labels_off);
  g_test_add_func (
      "/sts/pipeline/no-transcript-when-off", test_no_transcript_when_off);
  g_test_add_func ("/sts/pipeline/late-transcript", test_late_transcript);
  g_test_add_func ("/sts/pipeline/same-language", test_same_language);
  g_test_add_func (
      "/sts/pipeline/asks-the-translator", test_asks_the_translator);
  g_test_add_func (
      "/sts/pipeline/as-loud-as-the-source", test_as_loud_as_the_source);
  g_test_add_func ("/sts/pipeline/too-long", test_too_long);
  g_test_add_func ("/sts/pipeline/little-too-long", test_little_too_long);
  g_test_add_func ("/sts/pipeline/learns-the-length", test_learns_the_length);
  g_test_add_func ("/sts/pipeline/room-and-cut", test_room_and_cut);
  g_test_add_func ("/sts/pipeline/no-speech", test_no_speech);
  g_test_add_func ("/sts/pipeline/wrong-language", test_wrong_language);
  g_test_add_func ("/sts/pipeline/finds-the-language", test_finds_the_language);
  g_test_add_func ("/sts/pipeline/engine-errors", test_engine_errors);
  g_test_add_func ("/sts/pipeline/deadline", test_deadline);
  g_test_add_func ("/sts/pipeline/bad-sound", test_bad_sound);
  g_test_add_func ("/sts/pipeline/m4a", test_m4a);
  g_test_add_func ("/sts/pipeline/check", test_check);
  g_test_add_func ("/sts/pipeline/cancel", test_cancel);
  g_test_add_func ("/sts/pipeline/free-while-busy", test_free_while_busy);
  g_test_add_func ("/sts/pipeline/reads-as-spoken", test_reads_as_spoken);
  g_test_add_func ("/sts/pipeline/says-once", test_says_once);
  g_test_add_func ("/sts/pipeline/fixed-speed", test_fixed_speed);
  status = g_test_run ();
  g_free (script.said);
  return status;
}
