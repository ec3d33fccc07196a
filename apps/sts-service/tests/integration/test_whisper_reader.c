/* SPDX-License-Identifier: Apache-2.0 */
/* The reader beside whisper_full (), on real speech. */
#include "asr/whisper_reader.h"

#include "pipeline/media_file.h"
#include "pipeline/pipeline.h"

#include <dubbing_common/error.h>
#include <dubbing_common/pcm.h>
#include <gst/gst.h>
#include <stdio.h>
#include <string.h>

#define RATE_HZ 16000
#define PIECE (4 * RATE_HZ)
#define AUDIO_CTX 512
#define MAX_TOKENS 60

static struct whisper_context *context;
static float *speech;
static gsize speech_frames;

typedef struct {
  gsize at_s;
  gboolean is_translation;
  const char *prompt;
} Case;

/* As whisper_full () hears it: (transfer full). */
static char *
full (const Case *c)
{
  struct whisper_full_params params =
      whisper_full_default_params (WHISPER_SAMPLING_GREEDY);
  g_autoptr (GString) text = g_string_new (NULL);

  params.n_threads = 2;
  params.language = "es";
  params.translate = c->is_translation;
  params.initial_prompt = c->prompt;
  params.audio_ctx = AUDIO_CTX;
  params.max_tokens = MAX_TOKENS;
  params.temperature_inc = 0;
  params.no_context = true;
  params.no_timestamps = true;
  params.single_segment = true;
  params.suppress_nst = true;
  params.no_speech_thold = 2;
  params.print_progress = false;
  g_assert_cmpint (
      whisper_full (context, params, speech + c->at_s * RATE_HZ, PIECE), ==, 0);
  for (int i = 0; i < whisper_full_n_segments (context); i++)
    g_string_append (text, whisper_full_get_segment_text (context, i));
  return g_strdup (text->str);
}

static void
check (DubWhisperReader *reader, const Case *c)
{
  DubWhisperReading reading = {.language = "es",
      .is_translation = c->is_translation,
      .prompt = c->prompt,
      .max_tokens = MAX_TOKENS,
      .threads = 2,
      .deadline_ns = G_MAXINT64};
  g_auto (DubWhisperRead) read = {NULL};
  g_autoptr (GError) error = NULL;
  g_autofree char *wanted = full (c);

  dub_whisper_reader_read (reader, &reading, &read, &error);
  g_assert_no_error (error);
  g_test_message ("%s", read.text->str);
  g_assert_cmpuint (strlen (wanted), >, 10);
  g_assert_cmpstr (read.text->str, ==, wanted);
  g_assert_cmpint (read.tokens, >, 3);
}

static void
test_as_whisper_full (void)
{
  static const Case cases[] = {
      {24, FALSE, NULL},
      {24, TRUE, NULL},
      {33, FALSE, NULL},
      {52, TRUE, NULL},
      {33, FALSE, "Una carta de 1881."},
      {33, TRUE, "A letter, of Pedro Antonio de Alarcón."},
  };
  g_autoptr (DubWhisperReader) reader = dub_whisper_reader_new (context);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    check (reader, &cases[i]);
}

/* A prompt of any length leaves room for text, and text stays in its room. */
static void
test_long_prompt (void)
{
  g_autoptr (GString) prompt = g_string_new (NULL);
  g_autoptr (DubWhisperReader) reader = dub_whisper_reader_new (context);
  Case c = {33, FALSE, NULL};
  DubWhisperReading reading = {.language = "es",
      .max_tokens = 100000,
      .threads = 1,
      .deadline_ns = G_MAXINT64};

  g_free (full (&c));
  for (guint words = 150; words <= 1200; words *= 2) {
    g_auto (DubWhisperRead) read = {NULL};
    g_autoptr (GError) error = NULL;

    while (prompt->len < words * 6)
      g_string_append (prompt, "Madrid ");
    reading.prompt = prompt->str;
    dub_whisper_reader_read (reader, &reading, &read, &error);
    g_assert_no_error (error);
    g_assert_cmpint (read.tokens, >, 0);
    g_assert_cmpint (read.tokens, <, whisper_n_text_ctx (context));
  }
}

static void
test_deadline (void)
{
  g_autoptr (DubWhisperReader) reader = dub_whisper_reader_new (context);
  DubWhisperReading reading = {
      .language = "es", .max_tokens = MAX_TOKENS, .threads = 1};
  g_auto (DubWhisperRead) read = {NULL};
  g_autoptr (GError) error = NULL;

  reading.deadline_ns = g_get_monotonic_time () * 1000;
  g_assert_false (dub_whisper_reader_read (reader, &reading, &read, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_TIMEOUT);
}

static gboolean
load (void)
{
  g_autofree char *folder = dub_pipeline_models_dir ();
  g_autofree char *model = g_build_filename (folder, "ggml-base.bin", NULL);
  g_autoptr (DubPcm) pcm = NULL;
  struct whisper_context_params params = whisper_context_default_params ();

  if (!g_file_test (model, G_FILE_TEST_EXISTS))
    return FALSE;
  pcm = dub_media_file_read (g_getenv ("STS_TEST_SPEECH"), RATE_HZ, NULL);
  g_assert_nonnull (pcm);
  speech_frames = pcm->frames;
  g_assert_cmpuint (speech_frames, >, 60 * RATE_HZ);
  speech = g_new (float, speech_frames);
  for (gsize i = 0; i < speech_frames; i++)
    speech[i] = (float) pcm->samples[i] / 32768;
  params.use_gpu = false;
  params.flash_attn = true;
  context = whisper_init_from_file_with_params (model, params);
  g_assert_nonnull (context);
  return TRUE;
}

static void
no_log (enum ggml_log_level level, const char *text, void *user_data)
{
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  whisper_log_set (no_log, NULL);
  if (!load ()) {
    printf ("1..0 # SKIP no model: make setup\n");
    return 0;
  }
  g_test_add_func ("/sts/whisper-reader/as-whisper-full", test_as_whisper_full);
  g_test_add_func ("/sts/whisper-reader/long-prompt", test_long_prompt);
  g_test_add_func ("/sts/whisper-reader/deadline", test_deadline);
  status = g_test_run ();
  whisper_free (context);
  g_free (speech);
  return status;
}
