/* SPDX-License-Identifier: Apache-2.0 */
#include "translation/shield.h"

static const char *const keep[] = {"Real Madrid", "Real", "C++", "ñu", NULL};
static const DubGlossaryEntry glossary[] = {
    {"goal keeper", "portero"}, {"皇马", "Real Madrid"}, {NULL}};
static const char *const no_terms[] = {"", NULL};

typedef struct {
  const char *source, *text;
  DubShieldStyle style;
  const char *shielded; /* NULL: nothing to shield */
  const char *translated, *restored;
} Case;

static void
test_cases (void)
{
  static const Case cases[] = {
      {"en", "Ask real madrid now", DUB_SHIELD_WORD, "Ask ZQ0X now",
          "Pregunta a ZQ0X ya", "Pregunta a real madrid ya"},
      {"en", "Real? Realism!", DUB_SHIELD_WORD, "ZQ0X? Realism!",
          "¿zq0x? ¡Realismo!", "¿Real? ¡Realismo!"},
      {"en", "The Goal Keeper of Real Madrid", DUB_SHIELD_WORD,
          "The ZQ0X of ZQ1X", "El ZQ0X del ZQ1X", "El portero del Real Madrid"},
      {"en", "ZQ1X was lost by Real", DUB_SHIELD_WORD, "ZQ1X was lost by ZQ0X",
          "perdido", NULL},
      {"en", "We use C++ and ÑU", DUB_SHIELD_WORD, "We use ZQ0X and ZQ1X",
          "ZQ1X y ZQ0X", "ÑU y C++"},
      {"zh", "今天皇马赢了", DUB_SHIELD_WORD, "今天ZQ0X赢了", "Today ZQ0X won",
          "Today Real Madrid won"},
      {"en", "Realism and reality", DUB_SHIELD_WORD, NULL, NULL, NULL},
      {"en", "R&D < Real", DUB_SHIELD_XML, "R&amp;D &lt; <k>Real</k>",
          "I+D &lt; <k>Real</k>", "I+D < Real"},
      {"en", "a goal keeper", DUB_SHIELD_XML, "a <k>portero</k>",
          "un <k>portero</k> &amp;lt;", "un portero &lt;"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    const Case *c = &cases[i];
    DubTranslationRequest request = {.text = c->text,
        .source = c->source,
        .hints = {.keep = keep, .glossary = glossary}};
    g_autoptr (DubShield) shield = dub_shield_new (&request, c->style);
    g_autofree char *restored = NULL;

    if (c->shielded == NULL) {
      g_assert_null (shield);
      continue;
    }
    g_assert_cmpstr (dub_shield_get_text (shield), ==, c->shielded);
    restored = dub_shield_restore (shield, c->translated);
    g_assert_cmpstr (restored, ==, c->restored);
  }
}

static void
test_no_terms (void)
{
  DubTranslationRequest request = {.text = "Hello", .source = "en"};

  g_assert_null (dub_shield_new (&request, DUB_SHIELD_WORD));
  request.hints.keep = no_terms;
  g_assert_null (dub_shield_new (&request, DUB_SHIELD_WORD));
}

/* A list that covers everything does not make a text of made-up words. */
static void
test_is_bounded (void)
{
  DubTranslationRequest request = {.source = "en", .hints = {.keep = keep}};
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (DubShield) shield = NULL;
  g_autofree char *restored = NULL;

  for (guint i = 0; i < 100; i++)
    g_string_append (text, "Real ");
  request.text = text->str;
  shield = dub_shield_new (&request, DUB_SHIELD_WORD);
  restored = dub_shield_restore (shield, dub_shield_get_text (shield));
  g_assert_cmpstr (restored, ==, text->str);
  g_assert_nonnull (g_strrstr (dub_shield_get_text (shield), "ZQ31X"));
  g_assert_null (g_strrstr (dub_shield_get_text (shield), "ZQ32X"));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/shield/cases", test_cases);
  g_test_add_func ("/sts/shield/no-terms", test_no_terms);
  g_test_add_func ("/sts/shield/is-bounded", test_is_bounded);
  return g_test_run ();
}
