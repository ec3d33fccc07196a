/* SPDX-License-Identifier: Apache-2.0 */
#include "words.h"

#include "pipeline/pipeline.h"

#include <gio/gio.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * The second recogniser, through the program, on real speech.
 */

#define SAID                                                                   \
  "And so my fellow Americans, ask not what your country can do for you, ask " \
  "what you can do for your country."

static const char *program, *speech;

/* What it prints, its errors too. (transfer full) */
static char *
transcribe (const char *language, const char *models_dir, int *status)
{
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
      G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE);
  g_autoptr (GSubprocess) child = NULL;
  g_autoptr (GError) error = NULL;
  char *text = NULL;

  g_subprocess_launcher_setenv (launcher, "ASR_PROVIDER", "moonshine", TRUE);
  if (models_dir != NULL)
    g_subprocess_launcher_setenv (launcher, "MODELS_DIR", models_dir, TRUE);
  child = g_subprocess_launcher_spawn (launcher, &error, program, "transcribe",
      speech, "--language", language, NULL);
  g_assert_no_error (error);
  g_subprocess_communicate_utf8 (child, NULL, NULL, &text, NULL, &error);
  g_assert_no_error (error);
  *status = g_subprocess_get_exit_status (child);
  return text;
}

static gboolean
has_model (void)
{
  g_autofree char *folder = dub_pipeline_models_dir ();
  g_autofree char *tokens =
      g_build_filename (folder, "moonshine-tiny-en", "tokens.txt", NULL);

  return g_file_test (tokens, G_FILE_TEST_EXISTS);
}

static void
test_hears_english (void)
{
  int status = -1;
  g_autofree char *text = NULL;

  if (!has_model ()) {
    g_test_skip ("the model is not there (scripts/fetch checks)");
    return;
  }
  text = transcribe ("en-US", NULL, &status);
  g_test_message ("%s", text);
  g_assert_cmpint (status, ==, 0);
  g_assert_cmpfloat (words_shared (SAID, text), >=, 0.8);
}

static void
test_knows_english_only (void)
{
  int status = 0;
  g_autofree char *text = transcribe ("es", NULL, &status);

  g_test_message ("%s", text);
  g_assert_cmpint (status, !=, 0);
}

static void
test_missing_model_is_named (void)
{
  int status = 0;
  g_autofree char *text = transcribe ("en", "/nonexistent", &status);

  g_assert_cmpint (status, !=, 0);
  g_assert_nonnull (strstr (text, "/nonexistent/moonshine-tiny-en"));
  g_assert_nonnull (strstr (text, "scripts/fetch moonshine-tiny-en"));
}

/* It was never ready: the trial fragment was of no language. */
static void
test_serves_a_chain (void)
{
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE);
  g_autoptr (GSubprocess) child = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  if (!has_model ()) {
    g_test_skip ("the model is not there (scripts/fetch checks)");
    return;
  }
  g_subprocess_launcher_setenv (launcher, "ASR_PROVIDER", "moonshine", TRUE);
  g_subprocess_launcher_setenv (launcher, "TTS_PROVIDER", "mock", TRUE);
  child = g_subprocess_launcher_spawn (launcher, &error, program, "fragment",
      speech, "--from", "en", "--to", "en", "--deadline-ms", "60000", NULL);
  g_assert_no_error (error);
  g_subprocess_communicate_utf8 (child, NULL, NULL, &text, NULL, &error);
  g_assert_no_error (error);
  g_test_message ("%s", text);
  g_assert_cmpint (g_subprocess_get_exit_status (child), ==, 0);
  g_assert_nonnull (strstr (text, "country"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  program = getenv ("STS_SERVICE");
  speech = getenv ("STS_TEST_ENGLISH");
  if (program == NULL || speech == NULL) {
    printf ("1..0 # SKIP no sts-service\n");
    return 0;
  }
  g_test_add_func ("/sts/moonshine/hears-english", test_hears_english);
  g_test_add_func ("/sts/moonshine/serves-a-chain", test_serves_a_chain);
  g_test_add_func (
      "/sts/moonshine/knows-english-only", test_knows_english_only);
  g_test_add_func (
      "/sts/moonshine/missing-model-is-named", test_missing_model_is_named);
  return g_test_run ();
}
