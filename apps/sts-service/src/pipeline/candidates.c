/* SPDX-License-Identifier: Apache-2.0 */
#include "candidates.h"

#include "asr/asr.h"
#include "translation/languages.h"

#include <dubbing_common/paths.h>
#include <string.h>

/* A folder with more than this is none of ours. */
#define MAX_FOUND 64

#define BASE "ggml-base.bin"
#define SERVERS "docs/internals/http-engines.md"

/* The better first. Figures of work are those of Whisper's authors, against
 * base. */
static const DubCandidate recognisers[] = {
    {DUB_STAGE_RECOGNITION, "whisper", "ggml-large-v3.bin", "*",
        "scripts/fetch whisper-large-v3", "hears best; 20 times base's work",
        .translates = TRUE},
    {DUB_STAGE_RECOGNITION, "whisper", "ggml-large-v3-q5_0.bin", "*",
        "scripts/fetch whisper-large-v3-q5_0",
        "the same in a third of the "
        "memory",
        .translates = TRUE},
    {DUB_STAGE_RECOGNITION, "whisper", "ggml-large-v3-turbo.bin", "*",
        "scripts/fetch whisper-large-v3-turbo",
        "hears nearly as well, 10 times base's work; does not translate"},
    {DUB_STAGE_RECOGNITION, "whisper", "ggml-large-v3-turbo-q5_0.bin", "*",
        "scripts/fetch whisper-large-v3-turbo-q5_0",
        "the same in a third of the memory"},
    {DUB_STAGE_RECOGNITION, "whisper", "ggml-medium.bin", "*",
        "scripts/fetch whisper-medium", "hears better; 10 times base's work",
        .translates = TRUE},
    {DUB_STAGE_RECOGNITION, "whisper", "ggml-small.bin", "*",
        "scripts/fetch whisper-small", "hears better; 3 times base's work",
        .translates = TRUE},
    {DUB_STAGE_RECOGNITION, "whisper", BASE, "*", "scripts/fetch whisper-base",
        .translates = TRUE},
    {DUB_STAGE_RECOGNITION, "whisper", "ggml-tiny.bin", "*",
        "scripts/fetch whisper-tiny", "hears less well; half of base's work",
        .translates = TRUE},
    {DUB_STAGE_RECOGNITION, "moonshine", "moonshine-tiny-en", "en",
        "scripts/fetch moonshine-tiny-en", "English; only when it is named"},
};

static const DubCandidate translators[] = {
    {DUB_STAGE_TRANSLATION, "deepl", NULL, "*", "DEEPL_AUTH_KEY", SERVERS,
        .is_remote = TRUE},
    {DUB_STAGE_TRANSLATION, "libretranslate", NULL, "*", "LIBRETRANSLATE_URL",
        SERVERS, .is_remote = TRUE},
    {DUB_STAGE_TRANSLATION, "openai", NULL, "*", "OPENAI_TRANSLATION_URL",
        SERVERS, .is_remote = TRUE},
    {DUB_STAGE_TRANSLATION, "apertium", "eng-spa.mode", "en-es",
        "apt-get install apertium-eng-spa"},
    {DUB_STAGE_TRANSLATION, "apertium", "spa-eng.mode", "es-en",
        "apt-get install apertium-eng-spa"},
};

static const DubCandidate voices[] = {
    {DUB_STAGE_SYNTHESIS, "elevenlabs", NULL, "*", "ELEVENLABS_API_KEY",
        SERVERS, .is_remote = TRUE},
    {DUB_STAGE_SYNTHESIS, "openai", NULL, "*", "OPENAI_SPEECH_URL", SERVERS,
        .is_remote = TRUE},
    {DUB_STAGE_SYNTHESIS, "coqui", NULL, "*", "COQUI_URL", SERVERS,
        .is_remote = TRUE},
    {DUB_STAGE_SYNTHESIS, "kokoro", "kokoro-v1.0-int8", "en es fr hi it pt",
        "scripts/fetch kokoro"},
    {DUB_STAGE_SYNTHESIS, "piper", "piper-en_US-joe-medium", "en",
        "scripts/fetch piper-joe"},
};

static const DubCandidate last_voice = {DUB_STAGE_SYNTHESIS, "espeak", NULL,
    "*", "apt-get install libespeak-ng-dev, and build again"};

static void
candidate_free (gpointer data)
{
  DubCandidate *self = data;

  g_free ((char *) self->model);
  g_free ((char *) self->languages);
  g_free (self);
}

static DubCandidate *
add (GPtrArray *list, const DubCandidate *candidate)
{
  DubCandidate *copy = g_memdup2 (candidate, sizeof *candidate);

  copy->model = g_strdup (candidate->model);
  copy->languages = g_strdup (candidate->languages);
  g_ptr_array_add (list, copy);
  return copy;
}

static void
add_all (GPtrArray *list, const DubCandidate *all, gsize count)
{
  for (gsize i = 0; i < count; i++)
    add (list, &all[i]);
}

static gboolean
has_model (const GPtrArray *list, const char *model)
{
  for (guint i = 0; i < list->len; i++)
    if (g_strcmp0 (((DubCandidate *) list->pdata[i])->model, model) == 0)
      return TRUE;
  return FALSE;
}

static int
by_name (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Its files with that prefix and suffix which are in no list yet, by name.
 * (transfer full) */
static GPtrArray *
unlisted (const GPtrArray *list, const char *folder, const char *prefix,
    const char *suffix)
{
  GPtrArray *found = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name = NULL;

  while (dir != NULL && found->len < MAX_FOUND &&
         (name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_prefix (name, prefix) && g_str_has_suffix (name, suffix) &&
        !has_model (list, name))
      g_ptr_array_add (found, g_strdup (name));
  g_ptr_array_sort (found, by_name);
  return found;
}

/* Whisper of other sizes and precisions; what ends in ".en" hears English. */
static void
add_found_recognisers (GPtrArray *list, const char *models)
{
  g_autoptr (GPtrArray) names = unlisted (list, models, "ggml-", ".bin");

  for (guint i = 0; i < names->len; i++) {
    const char *name = names->pdata[i];
    gboolean is_english = strstr (name, ".en") != NULL;

    add (
        list, &(DubCandidate){DUB_STAGE_RECOGNITION, "whisper", name,
                  is_english ? "en" : "*", "scripts/fetch",
                  .translates = !is_english && strstr (name, "turbo") == NULL});
  }
}

/* "piper-de_DE-thorsten-medium" speaks "de". */
static void
add_found_voices (GPtrArray *list, const char *models)
{
  g_autoptr (GPtrArray) names = unlisted (list, models, "piper-", "");

  for (guint i = 0; i < names->len; i++) {
    const char *name = names->pdata[i];
    const char *language = name + strlen ("piper-");
    g_autofree char *code = g_strndup (language, strcspn (language, "_-"));

    if (*code != '\0')
      add (list, &(DubCandidate){DUB_STAGE_SYNTHESIS, "piper", name, code,
                     "scripts/fetch"});
  }
}

/* "spa-eng_US.mode" is "es-en"; NULL for a mode that is no pair of languages.
 * (transfer full) (nullable) */
static char *
pair_of (const char *mode)
{
  g_autofree char *name = g_strndup (mode, strlen (mode) - strlen (".mode"));
  g_auto (GStrv) sides = g_strsplit (name, "-", -1);
  DubLanguageTag source, target;

  if (g_strv_length (sides) != 2 || !dub_language_parse (sides[0], &source) ||
      !dub_language_parse (sides[1], &target))
    return NULL;
  return g_strdup_printf ("%s-%s", source.language, target.language);
}

static void
add_found_pairs (GPtrArray *list, const char *modes)
{
  g_autoptr (GPtrArray) names = unlisted (list, modes, "", ".mode");

  for (guint i = 0; i < names->len; i++) {
    g_autofree char *pair = pair_of (names->pdata[i]);

    if (pair != NULL)
      add (list, &(DubCandidate){DUB_STAGE_TRANSLATION, "apertium",
                     names->pdata[i], pair, "apt-get install"});
  }
}

GPtrArray *
dub_candidates_new (const DubPipelineSettings *settings)
{
  GPtrArray *list = g_ptr_array_new_with_free_func (candidate_free);
  g_autofree char *models = settings->models_dir != NULL
                                ? g_strdup (settings->models_dir)
                                : dub_models_dir ();
  const char *modes = settings->translation.apertium_modes_dir;

  add_all (list, recognisers, G_N_ELEMENTS (recognisers));
  add_found_recognisers (list, models);
  add_all (list, translators, G_N_ELEMENTS (translators));
  if (modes != NULL)
    add_found_pairs (list, modes);
  add_all (list, voices, G_N_ELEMENTS (voices));
  add_found_voices (list, models);
  add (list, &last_voice);
  return list;
}
