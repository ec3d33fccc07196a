/* SPDX-License-Identifier: Apache-2.0 */
#include "translation/apertium_text.h"

#include <dubbing_common/error.h>
#include <string.h>

static void
test_escape (void)
{
  static const char *const cases[][2] = {
      {"Hello world", "Hello world.[]"},
      {" It is here. ", "It is here.[]"},
      {"Who?", "Who?[]"},
      {"Wait…", "Wait…[]"},
      {"a@b [x] ^y$ 1/2 <b> {c} \\",
          "a\\@b \\[x\\] \\^y\\$ 1\\/2 \\<b\\> \\{c\\} \\\\.[]"},
      {"two\nlines\x01", "two lines .[]"},
      {"", ".[]"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *escaped = dub_apertium_escape (cases[i][0]);
    g_assert_cmpstr (escaped, ==, cases[i][1]);
  }
}

typedef struct {
  const char *answer;
  const char *text;
  const char *expected; /* NULL: not the format */
} UnescapeCase;

static void
test_unescape (void)
{
  static const UnescapeCase cases[] = {
      {"Hola Mundo.[]", "Hello world.", "Hola Mundo."},
      {"No sé.[]", "I do not know", "No sé"},
      {" Puntuó  24 puntos.[]", "He scored 24 points.", "Puntuó 24 puntos."},
      {"El *foobar @sing #ser *ñu.[]", "x.", "El foobar sing ser ñu."},
      {"2 * 3 #1 a*b \\@ \\[x\\].[]", "x.", "2 * 3 #1 a*b @ [x]."},
      {"[<i>]ahora[</i>].[]", "x.", "ahora."},
      {"Marcador: *Lakers 102.[]", "score", "Marcador: Lakers 102"},
      {"¿Quién?[]", "Who?", "¿Quién?"},
      {"^unfinished$", "x", NULL},
      {"half [", "x", NULL},
      {"end\\", "x", NULL},
      {"bad \xff", "x", NULL},
      {"", "x", ""},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *plain = dub_apertium_unescape (
        cases[i].answer, strlen (cases[i].answer), cases[i].text);
    g_assert_cmpstr (plain, ==, cases[i].expected);
  }
  g_assert_null (dub_apertium_unescape ("a\0b", 3, "x"));
}

static void
test_mode (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) steps = dub_apertium_parse_mode (
      "lt-proc '/a b.bin' | apertium-tagger -g $2 '/t.prob' | cat |\n"
      " /usr/bin/lt-proc $1 '/g.bin'\n",
      &error);
  static const char *const expected[] = {"lt-proc -z /a b.bin",
      "apertium-tagger -z -g /t.prob", "cat", "/usr/bin/lt-proc -z -g /g.bin"};
  static const char *const bad[] = {"", "| cat", "cat |", "lt-proc 'open"};

  g_assert_no_error (error);
  g_assert_cmpuint (steps->len, ==, G_N_ELEMENTS (expected));
  for (guint i = 0; i < steps->len; i++) {
    g_autofree char *line = g_strjoinv (" ", g_ptr_array_index (steps, i));
    g_assert_cmpstr (line, ==, expected[i]);
  }
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) refused = NULL;
    g_assert_null (dub_apertium_parse_mode (bad[i], &refused));
    g_assert_error (refused, DUB_ERROR, DUB_ERROR_INVALID);
  }
}

static void
test_pick (void)
{
  static const char *const modes[] = {"eng-spa", "spa-eng", "spa-eng_US",
      "es-pt", "es-pt_BR", "cat-spa_valencia", "swe-dan", "eng-spa-tagger",
      "README", NULL};
  static const char *const cases[][3] = {
      {"en", "es", "eng-spa"},
      {"en-GB", "es-419", "eng-spa"},
      {"es", "en", "spa-eng"},
      {"es", "en-US", "spa-eng_US"},
      {"es", "en-GB", "spa-eng"},
      {"spa", "pt-BR", "es-pt_BR"},
      {"es", "pt", "es-pt"},
      {"ca", "es", "cat-spa_valencia"},
      {"de", "es", NULL},
      {"auto", "es", "eng-spa"},
      {"auto", "ja", NULL},
      {"da", "sv", NULL},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpstr (
        dub_apertium_pick (modes, cases[i][0], cases[i][1]), ==, cases[i][2]);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/apertium-text/escape", test_escape);
  g_test_add_func ("/sts/apertium-text/unescape", test_unescape);
  g_test_add_func ("/sts/apertium-text/mode", test_mode);
  g_test_add_func ("/sts/apertium-text/pick", test_pick);
  return g_test_run ();
}
