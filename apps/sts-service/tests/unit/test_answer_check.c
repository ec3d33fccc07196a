/* SPDX-License-Identifier: Apache-2.0 */
#include "translation/answer_check.h"

#include <dubbing_common/error.h>

static void
test_tidy (void)
{
  static const char *const cases[][3] = {
      {"  Hola,\n\n mundo \t", "Hello, world", "Hola, mundo"},
      {"\"Hola\"", "Hello", "Hola"},
      {"«Hola»", "Hello", "Hola"},
      {"\"Hola\"", "\"Hello\"", "\"Hola\""},
      {"<think>The user\nwants Spanish.</think>\n\nHola", "Hello", "Hola"},
      {"wants Spanish.</think>Hola", "Hello", "Hola"},
      {"<think>for ever", "Hello", "<think>for ever"},
      {"\"", "Hello", "\""},
      {"", "Hello", ""},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *tidy = dub_answer_tidy (cases[i][0], cases[i][1]);
    g_assert_cmpstr (tidy, ==, cases[i][2]);
  }
}

#define LINES(text) text text text text text

typedef struct {
  const char *source, *target, *text, *answer;
  gboolean is_good;
} CheckCase;

static void
test_check (void)
{
  static const char prompt[] = "You interpret a live broadcast from English "
                               "into Spanish. Keep every name.";
  static const CheckCase cases[] = {
      {"en", "es", "It is raining in Leeds.", "Llueve en Leeds.", TRUE},
      {"en", "es", "It is raining.", "", FALSE},
      {"en", "ja", "It is raining in Leeds.", "It rains in Leeds town.", FALSE},
      {"en", "ja", "It is raining in Leeds.", "リーズは雨です。", TRUE},
      {"ja", "en", "リーズは雨です。",
          "It is raining in Leeds, and that will last.", TRUE},
      {"en", "es", "It is raining in Leeds.", "it is raining in leeds.", FALSE},
      {"en", "es", "Leeds, Real Madrid", "Leeds, Real Madrid", TRUE},
      {"en", "en-GB", "It is raining in Leeds.", "It is raining in Leeds.",
          TRUE},
      /* A sign of Chinese is a word of English, and the other way round. */
      {"zh", "en", LINES ("今天下雨了我们去"),
          LINES ("It is raining today, so we are off to town. "), TRUE},
      {"en", "zh", LINES ("It is raining."),
          LINES ("今天下雨了我们去今天下雨了我们去今天下雨了我们去回家看书"),
          FALSE},
      {"en", "es", "Yes.",
          "Claro que sí. Aquí tiene la traducción que pidió, y si desea algo "
          "más no dude en pedirlo.",
          FALSE},
      {"en", "es", "It is raining in Leeds this morning.",
          "Sure! You interpret a live broadcast from English into Spanish.",
          FALSE},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    DubTranslationRequest request = {.text = cases[i].text,
        .source = cases[i].source,
        .target = cases[i].target};
    g_autoptr (GError) error = NULL;

    g_assert_true (dub_answer_check (cases[i].answer, &request, prompt,
                       &error) == cases[i].is_good);
    if (!cases[i].is_good)
      g_assert_error (error, DUB_ERROR, DUB_ERROR_ENGINE);
  }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/answer-check/tidy", test_tidy);
  g_test_add_func ("/sts/answer-check/check", test_check);
  return g_test_run ();
}
