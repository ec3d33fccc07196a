/* SPDX-License-Identifier: Apache-2.0 */
#include "tts/tts.h"
#include "wait.h"

#include <dubbing_common/clock.h>
#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <glib/gstdio.h>
#include <string.h>

/* The stage: its providers, and a list of them as one. Real voices are heard in
 * tests/integration/test_voices.c. */

typedef struct {
  guint answers;
  gsize samples;
  guint rate_hz;
  const char *engine;
  GError *error;
  DubTts *tts;
} Spoken;

static void
on_spoken (
    GBytes *samples, guint rate_hz, const GError *error, gpointer user_data)
{
  Spoken *spoken = user_data;

  spoken->answers++;
  spoken->rate_hz = rate_hz;
  spoken->engine = spoken->tts->engine;
  spoken->samples =
      samples != NULL ? g_bytes_get_size (samples) / sizeof (float) : 0;
  g_clear_error (&spoken->error);
  if (error != NULL)
    spoken->error = g_error_copy (error);
}

static DubTts *
new_tts (const char *names, GError **error)
{
  return dub_tts_chain_new (names, &(DubTtsSettings){.threads = 1}, error);
}

static DubTtsRequest
request_of (const char *text, double speed)
{
  return (DubTtsRequest){.text = text,
      .language = "en",
      .voice = "default",
      .speed = speed,
      .deadline_ns = g_get_monotonic_time () * 1000 + 60 * DUB_NS_PER_S};
}

static void
say (DubTts *tts, const char *text, double speed, Spoken *spoken)
{
  DubTtsRequest request = request_of (text, speed);
  guint answers = spoken->answers;

  spoken->tts = tts;
  g_assert_cmpuint (
      tts->provider->synthesise (tts, &request, on_spoken, spoken), >, 0);
  WAIT_FOR (spoken->answers > answers);
}

static void
test_providers (void)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; dub_tts_providers[i] != NULL; i++) {
    const DubTtsProvider *provider = dub_tts_providers[i];

    g_assert_true (g_hash_table_add (names, (gpointer) provider->name));
    g_assert_true (dub_tts_provider_find (provider->name) == provider);
    g_assert_true (provider->create && provider->free && provider->is_ready);
    g_assert_true (provider->has_voice && provider->synthesise);
    g_assert_nonnull (provider->cancel);
  }
  g_assert_true (g_hash_table_contains (names, "piper"));
  g_assert_null (dub_tts_provider_find ("parrot"));
}

/* Twice as fast is half as long. */
static void
test_speed (void)
{
  g_autoptr (GError) error = NULL;
  DubTts *tts = new_tts ("mock-fixed-tone-v1", &error);
  Spoken spoken = {0};
  gsize normal;

  g_assert_no_error (error);
  say (tts, "one two three four five six", 1, &spoken);
  g_assert_no_error (spoken.error);
  g_assert_cmpuint (spoken.rate_hz, >, 0);
  normal = spoken.samples;
  g_assert_cmpuint (normal, >, spoken.rate_hz / 2);
  say (tts, "one two three four five six", 2, &spoken);
  g_assert_cmpint (ABS ((int) (2 * spoken.samples) - (int) normal), <=, 2);
  tts->provider->free (tts);
}

static void
test_next_of_the_list_speaks (void)
{
  g_autoptr (GError) error = NULL;
  DubTts *tts = new_tts ("mock-fail-once-v1,mock-fixed-tone-v1", &error);
  Spoken spoken = {0};

  g_assert_no_error (error);
  say (tts, "hello there", 1, &spoken);
  g_assert_no_error (spoken.error);
  g_assert_cmpuint (spoken.samples, >, 0);
  g_assert_cmpstr (spoken.engine, ==, "mock-fixed-tone-v1");
  tts->provider->free (tts);
}

static void
test_error_none_is_left (void)
{
  g_autoptr (GError) error = NULL;
  DubTts *tts = new_tts ("mock-fail-once-v1", &error);
  Spoken spoken = {0};

  g_assert_no_error (error);
  say (tts, "hello there", 1, &spoken);
  g_assert_error (spoken.error, DUB_ERROR, DUB_ERROR_ENGINE);
  g_assert_cmpuint (spoken.samples, ==, 0);
  g_clear_error (&spoken.error);
  tts->provider->free (tts);
}

static void
test_error_unknown_provider (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (new_tts ("parrot", &error));
  g_assert_nonnull (error);
  g_assert_nonnull (strstr (error->message, "parrot"));
}

static void
test_cancel_is_silent (void)
{
  DubTts *tts = new_tts ("mock-fixed-tone-v1", NULL);
  DubTtsRequest request = request_of ("never heard", 1);
  Spoken spoken = {.tts = tts};
  guint64 id = tts->provider->synthesise (tts, &request, on_spoken, &spoken);

  tts->provider->cancel (tts, id);
  wait_ms (50);
  g_assert_cmpuint (spoken.answers, ==, 0);
  tts->provider->free (tts);
}

/* ---- a voices file of one's own, checked at start ------------------------ */

/* (transfer full) (nullable) */
static DubTts *
new_with_file (const char *names, const char *text, GError **error)
{
  static const char *const no_engine[] = {"/bin/false", NULL};
  g_autofree char *path = NULL;
  DubTtsOptions options = {NULL};
  DubTts *tts = NULL;

  g_assert_true (
      g_close (g_file_open_tmp ("voices-XXXXXX", &path, NULL), NULL));
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  options.voices_file = path;
  tts = dub_tts_chain_new (names,
      &(DubTtsSettings){.engine_argv = no_engine,
          .models_dir = "/invalid",
          .threads = 1,
          .options = &options},
      error);
  g_unlink (path);
  return tts;
}

static void
test_file_is_checked (void)
{
  static const struct {
    const char *names, *text, *message; /* NULL: it is good */
  } cases[] = {
      {"coqui", "languages: { en: [{ engine: coqui }] }", NULL},
      /* A voice that its engine does not have. */
      {"piper", "languages:\n  en:\n    - { engine: piper, voice: joe }\n",
          "line 3: en, voice 'joe'"},
      {"coqui,piper",
          "languages:\n  en: [{ engine: coqui }]\nprofiles:\n  anna:\n"
          "    en:\n      - { engine: piper, voice: ann }\n",
          "line 6: en, voice 'ann'"},
      /* Voices that nobody is asked for: well, when others are. */
      {"coqui",
          "languages: { en: [{ engine: coqui }], "
          "es: [{ engine: piper, voice: joe }] }",
          NULL},
      {"coqui",
          "languages: { es: [{ engine: piper, voice: joe }, "
          "{ engine: coqui }] }",
          NULL},
      {"coqui", "languages: { es: [{ engine: piper, voice: joe }] }",
          "none of its voices is one of coqui"},
      {"mock", "languages: { es: [{ engine: piper, voice: joe }] }", NULL},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    DubTts *tts = new_with_file (cases[i].names, cases[i].text, &error);

    g_test_message ("case %u", i);
    if (cases[i].message == NULL) {
      g_assert_no_error (error);
      tts->provider->free (tts);
      continue;
    }
    g_assert_null (tts);
    g_assert_nonnull (error);
    g_assert_nonnull (strstr (error->message, cases[i].message));
  }
}

static void
keep_warnings (DubLogLevel level, const char *line, gpointer user_data)
{
  if (level == DUB_LOG_WARNING)
    g_string_append (user_data, line);
}

/* One line for all, with the lines of the file. */
static void
test_who_is_not_spoken_is_told (void)
{
  g_autoptr (GString) warnings = g_string_new (NULL);
  DubTts *tts = NULL;

  dub_log_set_sink (keep_warnings, warnings);
  tts = new_with_file ("coqui",
      "languages:\n  en: [{ engine: coqui }]\n"
      "  es: [{ engine: piper, voice: joe }]\nprofiles:\n"
      "  anna: { en: [{ engine: kokoro, voice: af_heart }] }\n",
      NULL);
  dub_log_set_sink (NULL, NULL);
  g_assert_nonnull (tts);
  g_assert_nonnull (
      strstr (warnings->str, "nobody here speaks es (line 3), en (line 5)"));
  tts->provider->free (tts);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/tts/providers", test_providers);
  g_test_add_func ("/sts/tts/speed", test_speed);
  g_test_add_func ("/sts/tts/next-of-the-list", test_next_of_the_list_speaks);
  g_test_add_func ("/sts/tts/error-none-is-left", test_error_none_is_left);
  g_test_add_func ("/sts/tts/error-unknown", test_error_unknown_provider);
  g_test_add_func ("/sts/tts/cancel", test_cancel_is_silent);
  g_test_add_func ("/sts/tts/file-is-checked", test_file_is_checked);
  g_test_add_func (
      "/sts/tts/who-is-not-spoken-is-told", test_who_is_not_spoken_is_told);
  return g_test_run ();
}
