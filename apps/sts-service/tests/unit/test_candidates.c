/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/candidates.h"

#include <glib/gstdio.h>
#include <string.h>

/* What lies in the folders is measured too, each as what it can do. */

typedef struct {
  char *folder;
  DubPipelineSettings settings;
  GPtrArray *list;
} Fixture;

static const char *const files[] = {"ggml-small.en.bin", "ggml-base-q5_1.bin",
    "ggml-large-v3-turbo-q8_0.bin", "ggml-base.bin.part", "silero_vad.onnx",
    "piper-de_DE-thorsten-medium", "spa-cat.mode", "eng-spa-debug.mode",
    "spa-eng_US.mode", "README"};

static void
set_up (Fixture *f, gconstpointer data)
{
  f->folder = g_dir_make_tmp ("candidates-XXXXXX", NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree char *path = g_build_filename (f->folder, files[i], NULL);

    g_assert_true (g_file_set_contents (path, "", 0, NULL));
  }
  f->settings.models_dir = f->folder;
  f->settings.translation.apertium_modes_dir = f->folder;
  f->list = dub_candidates_new (&f->settings);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree char *path = g_build_filename (f->folder, files[i], NULL);

    g_unlink (path);
  }
  g_rmdir (f->folder);
  g_free (f->folder);
  g_ptr_array_unref (f->list);
}

/* (nullable) */
static const DubCandidate *
find (const Fixture *f, const char *provider, const char *model)
{
  for (guint i = 0; i < f->list->len; i++) {
    const DubCandidate *candidate = f->list->pdata[i];

    if (g_str_equal (candidate->provider, provider) &&
        g_strcmp0 (candidate->model, model) == 0)
      return candidate;
  }
  return NULL;
}

static void
expect (const Fixture *f, const char *provider, const char *model,
    const char *languages, gboolean translates)
{
  const DubCandidate *found = find (f, provider, model);

  g_assert_nonnull (found);
  g_assert_cmpstr (found->languages, ==, languages);
  g_assert_cmpint (found->translates, ==, translates);
}

static void
test_finds (Fixture *f, gconstpointer data)
{
  expect (f, "whisper", "ggml-base.bin", "*", TRUE);
  expect (f, "whisper", "ggml-small.en.bin", "en", FALSE);
  expect (f, "whisper", "ggml-base-q5_1.bin", "*", TRUE);
  expect (f, "whisper", "ggml-large-v3-turbo-q8_0.bin", "*", FALSE);
  expect (f, "piper", "piper-de_DE-thorsten-medium", "de", FALSE);
  expect (f, "apertium", "spa-cat.mode", "es-ca", FALSE);
  expect (f, "apertium", "spa-eng_US.mode", "es-en", FALSE);
  g_assert_null (find (f, "whisper", "ggml-base.bin.part"));
  g_assert_null (find (f, "apertium", "eng-spa-debug.mode"));
}

static void
test_installed (Fixture *f, gconstpointer data)
{
  static char key[] = "k";
  g_autoptr (GError) missing = NULL;
  g_autoptr (GError) unset = NULL;
  const DubCandidate *deepl = find (f, "deepl", NULL);

  g_assert_false (dub_candidate_is_installed (
      find (f, "whisper", "ggml-tiny.bin"), &f->settings, &missing));
  g_assert_nonnull (strstr (missing->message, "ggml-tiny.bin"));
  g_assert_false (dub_candidate_is_installed (deepl, &f->settings, &unset));
  g_assert_cmpstr (unset->message, ==, "DEEPL_AUTH_KEY is not set");
  f->settings.translation.deepl_key = key;
  g_assert_true (dub_candidate_is_installed (deepl, &f->settings, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, func)                                                        \
  g_test_add ("/sts/candidates/" path, Fixture, NULL, set_up, func, tear_down)
  ADD ("finds", test_finds);
  ADD ("installed", test_installed);
  return g_test_run ();
}
