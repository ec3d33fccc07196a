/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/engine_child.h"
#include "translation/apertium_engine.h"
#include "translation/translation.h"

#include <dubbing_common/clock.h>
#include <dubbing_common/error.h>
#include <glib/gstdio.h>
#include <string.h>

/*
 * The provider "apertium" with its children: on mode files of our own, whose
 * programs do as a broken Apertium might, and on the real one where it is
 * installed. This program is its own engine child.
 */

#define LONG_MS 30000

typedef struct {
  char *dir;
  DubTranslator *translator;
  gboolean is_done;
  DubTranslationHints hints;
  char *text;
  GError *error;
} Fixture;

static void
put_mode (Fixture *f, const char *name, const char *pipeline)
{
  g_autofree char *path = g_build_filename (f->dir, name, NULL);

  g_assert_true (g_file_set_contents (path, pipeline, -1, NULL));
}

static void
start (Fixture *f, const char *dir)
{
  static const char *const argv[] = {"/proc/self/exe", "engine", NULL};
  DubTranslationOptions options = {.apertium_modes_dir = (char *) dir};

  f->translator = dub_translator_apertium.create (
      &(DubTranslatorSettings){.engine_argv = argv, .options = &options});
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->dir = g_dir_make_tmp ("modes-XXXXXX", NULL);
  put_mode (f, "eng-spa.mode", "cat | cat");
  put_mode (f, "eng-deu.mode", "true");
  put_mode (f, "eng-fra.mode", "no-such-program-anywhere");
  /* Says each thing twice, and so answers what was not asked. */
  put_mode (f, "eng-ita.mode",
      "awk 'BEGIN { RS=ORS=\"\\0\" } { print; "
      "print; fflush () }'");
  put_mode (f, "eng-por.mode", "yes");
  put_mode (f, "eng-cat.mode",
      "awk 'BEGIN { RS=ORS=\"\\0\" } /hang/ "
      "{ system (\"sleep 9\") } { print; fflush () "
      "}'");
  /* What it is told: nothing, half an answer and no more, half an answer and
   * the end, an answer in two pieces. */
  put_mode (f, "eng-glg.mode",
      "awk 'BEGIN { RS=ORS=\"\\0\" } "
      "/nothing/ { $0 = \"\" } "
      "/half/ { printf \"Half of wh\"; fflush (); system (\"sleep 9\") } "
      "/end/ { printf \"The en\"; fflush (); exit } "
      "/pieces/ { printf \"In two \"; fflush (); system (\"sleep 0.1\") } "
      "{ print; fflush () }'");
  put_mode (f, "eng-nld.mode",
      "awk 'BEGIN { RS=ORS=\"\\0\" } { print; fflush () } "
      "/more/ { system (\"sleep 0.1\"); print \"Unasked.\"; fflush () }'");
  put_mode (f, "eng-dan.mode",
      "awk 'BEGIN { RS=ORS=\"\\0\" } "
      "{ gsub (/ZQ[0-9]X/, \"\"); print; fflush () }'");
  start (f, f->dir);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  GDir *dir = g_dir_open (f->dir, 0, NULL);
  const char *name;

  f->translator->provider->free (f->translator);
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (f->dir, name, NULL);
    g_unlink (path);
  }
  g_dir_close (dir);
  g_rmdir (f->dir);
  g_free (f->dir);
  g_free (f->text);
  g_clear_error (&f->error);
}

static void
on_translated (const char *text, const GError *error, gpointer user_data)
{
  Fixture *f = user_data;

  f->is_done = TRUE;
  g_free (f->text);
  f->text = g_strdup (text);
  g_clear_error (&f->error);
  f->error = error != NULL ? g_error_copy (error) : NULL;
}

static guint64
ask (Fixture *f, const char *target, const char *text, guint deadline_ms)
{
  DubTranslationRequest request = {.text = text,
      .source = "en",
      .target = target,
      .hints = f->hints,
      .deadline_ns = g_get_monotonic_time () * 1000 +
                     (gint64) deadline_ms * DUB_NS_PER_MS};

  f->is_done = FALSE;
  return f->translator->provider->translate (
      f->translator, &request, on_translated, f);
}

static void
translate (Fixture *f, const char *target, const char *text, guint deadline_ms)
{
  ask (f, target, text, deadline_ms);
  g_assert_false (f->is_done);
  while (!f->is_done)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_passes_text (Fixture *f, gconstpointer data)
{
  static const char *const texts[] = {"Hello.", "a [b] $5 ^ {x} <y> \\ @ /",
      "no stop at the end", "¿Ñandú? 今日"};

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    translate (f, "es", texts[i], LONG_MS);
    g_assert_no_error (f->error);
    g_assert_cmpstr (f->text, ==, texts[i]);
  }
}

static void
test_knows_its_pairs (Fixture *f, gconstpointer data)
{
  const DubTranslatorProvider *provider = f->translator->provider;

  g_assert_true (provider->supports (f->translator, "en-GB", "es-419"));
  g_assert_false (provider->supports (f->translator, "es", "en"));
  g_assert_true (provider->supports (f->translator, "auto", "es"));
  g_assert_false (provider->supports (f->translator, "auto", "en"));
  translate (f, "ja", "Hello.", LONG_MS);
  g_assert_error (f->error, DUB_ERROR, DUB_ERROR_UNSUPPORTED);
}

/* Each costs its own request; the other pairs go on. */
static void
test_survives_broken_programs (Fixture *f, gconstpointer data)
{
  static const char *const broken[] = {"de", "fr", "it", "pt"};

  for (guint i = 0; i < G_N_ELEMENTS (broken); i++) {
    translate (f, broken[i], "Hello.", LONG_MS);
    g_assert_nonnull (f->error);
    g_assert_true (dub_error_is_retryable (f->error));
    /* At once, and not when it has said "y" for half a minute. */
    g_assert_false (g_error_matches (f->error, DUB_ERROR, DUB_ERROR_TIMEOUT));
    translate (f, "es", "Hello.", LONG_MS);
    g_assert_cmpstr (f->text, ==, "Hello.");
  }
}

static void
test_ends_at_the_deadline (Fixture *f, gconstpointer data)
{
  translate (f, "ca", "Hello.", LONG_MS);
  g_assert_cmpstr (f->text, ==, "Hello.");
  translate (f, "ca", "You hang.", 200);
  g_assert_error (f->error, DUB_ERROR, DUB_ERROR_TIMEOUT);
  /* Its child is killed 2 s later and the next one answers. */
  translate (f, "ca", "Back.", LONG_MS);
  g_assert_cmpstr (f->text, ==, "Back.");
}

/* Costs its own request; the next one is answered. */
static void
assert_costs_itself_only (Fixture *f, const char *text, DubErrorCode code)
{
  translate (f, "gl", "Before.", LONG_MS);
  g_assert_cmpstr (f->text, ==, "Before.");
  translate (f, "gl", text, 500);
  g_assert_null (f->text);
  g_assert_error (f->error, DUB_ERROR, (gint) code);
  g_assert_true (dub_error_is_retryable (f->error));
  translate (f, "gl", "After.", LONG_MS);
  g_assert_no_error (f->error);
  g_assert_cmpstr (f->text, ==, "After.");
}

static void
test_answers_nothing (Fixture *f, gconstpointer data)
{
  assert_costs_itself_only (f, "Say nothing.", DUB_ERROR_ENGINE);
}

/* The half is no answer, now or to the next one. */
static void
test_answers_half (Fixture *f, gconstpointer data)
{
  assert_costs_itself_only (f, "Say half.", DUB_ERROR_TIMEOUT);
}

static void
test_ends_in_the_middle (Fixture *f, gconstpointer data)
{
  assert_costs_itself_only (f, "Say it and end.", DUB_ERROR_ENGINE);
}

/* What comes a moment later, unasked, is not the answer to what is asked next.
 */
static void
test_says_more_than_asked (Fixture *f, gconstpointer data)
{
  translate (f, "nl", "Say more.", LONG_MS);
  g_assert_cmpstr (f->text, ==, "Say more.");
  g_usleep (400 * 1000);
  translate (f, "nl", "Next.", LONG_MS);
  g_assert_null (f->text);
  g_assert_true (dub_error_is_retryable (f->error));
  translate (f, "nl", "After.", LONG_MS);
  g_assert_cmpstr (f->text, ==, "After.");
}

static void
test_answers_in_pieces (Fixture *f, gconstpointer data)
{
  translate (f, "gl", "pieces.", LONG_MS);
  g_assert_no_error (f->error);
  g_assert_cmpstr (f->text, ==, "In two pieces.");
}

static void
test_refuses_long_texts (Fixture *f, gconstpointer data)
{
  g_autofree char *text = g_strnfill (9000, 'a');

  translate (f, "es", text, LONG_MS);
  g_assert_error (f->error, DUB_ERROR, DUB_ERROR_LIMIT);
}

static void
test_cancel (Fixture *f, gconstpointer data)
{
  guint64 id = ask (f, "es", "Never heard.", LONG_MS);

  f->translator->provider->cancel (f->translator, id);
  f->translator->provider->cancel (f->translator, id);
  g_assert_false (f->is_done);
  translate (f, "es", "Heard.", LONG_MS);
  g_assert_cmpstr (f->text, ==, "Heard.");
}

static void
test_says_when_there_is_none (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (f->translator->provider->is_ready (f->translator, NULL));
  f->translator->provider->free (f->translator);
  start (f, "/invalid");
  g_assert_false (f->translator->provider->is_ready (f->translator, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND);
}

static void
test_keeps_terms (Fixture *f, gconstpointer data)
{
  static const DubGlossaryEntry glossary[] = {{"keeper", "portero"}, {NULL}};

  f->hints.glossary = glossary;
  translate (f, "es", "The keeper has the ball.", LONG_MS);
  g_assert_no_error (f->error);
  g_assert_cmpstr (f->text, ==, "The portero has the ball.");
}

/* One that does not come back must not be left out in silence. */
static void
test_tells_when_a_term_is_lost (Fixture *f, gconstpointer data)
{
  static const char *const keep[] = {"Leeds", NULL};

  f->hints.keep = keep;
  translate (f, "da", "For Leeds!", LONG_MS);
  g_assert_null (f->text);
  g_assert_error (f->error, DUB_ERROR, DUB_ERROR_ENGINE);
}

/* The real one: figures and names stay, marks do not. */
static void
test_real (Fixture *f, gconstpointer data)
{
  static const char *const cases[][2] = {
      {"I do not know.", "No sé."},
      {"He scored 24 points", "Puntuó 24 puntos"},
      {"Final score: Lakers 102, Celtics 98.",
          "Marcador final: Lakers 102, Celtics 98."},
      {"We saw Golden State yesterday.", "Vimos Golden State ayer."},
  };
  static const char *const keep[] = {"Golden State", NULL};

  if (!g_file_test (
          "/usr/share/apertium/modes/eng-spa.mode", G_FILE_TEST_EXISTS)) {
    g_test_skip ("apertium-eng-spa is not installed");
    return;
  }
  f->translator->provider->free (f->translator);
  start (f, "/usr/share/apertium/modes");
  f->hints.keep = keep;
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    translate (f, "es", cases[i][0], LONG_MS);
    g_assert_no_error (f->error);
    g_assert_cmpstr (f->text, ==, cases[i][1]);
  }
}

int
main (int argc, char *argv[])
{
  if (argc > 2 && g_str_equal (argv[1], "engine"))
    return dub_engine_child_run (&dub_apertium_engine, 3);
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func)                                                        \
  g_test_add ("/sts/apertium/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("passes-text", test_passes_text);
  ADD ("knows-its-pairs", test_knows_its_pairs);
  ADD ("survives-broken-programs", test_survives_broken_programs);
  ADD ("ends-at-the-deadline", test_ends_at_the_deadline);
  ADD ("answers-nothing", test_answers_nothing);
  ADD ("answers-half", test_answers_half);
  ADD ("ends-in-the-middle", test_ends_in_the_middle);
  ADD ("answers-in-pieces", test_answers_in_pieces);
  ADD ("says-more-than-asked", test_says_more_than_asked);
  ADD ("refuses-long-texts", test_refuses_long_texts);
  ADD ("cancel", test_cancel);
  ADD ("keeps-terms", test_keeps_terms);
  ADD ("tells-when-a-term-is-lost", test_tells_when_a_term_is_lost);
  ADD ("says-when-there-is-none", test_says_when_there_is_none);
  ADD ("real", test_real);
  return g_test_run ();
}
