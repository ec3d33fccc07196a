/* SPDX-License-Identifier: Apache-2.0 */
#include "translation/text_rules.h"

#include <string.h>

typedef struct {
  const char *language, *text, *expected;
} Case;

static void
check (const Case *cases, guint n)
{
  for (guint i = 0; i < n; i++) {
    g_autofree char *out =
        dub_text_normalise (cases[i].text, cases[i].language);
    g_autofree char *again = dub_text_normalise (out, cases[i].language);

    g_assert_cmpstr (out, ==, cases[i].expected);
    g_assert_cmpstr (again, ==, out);
  }
}

static void
test_normalise (void)
{
  static const Case cases[] = {
      {"en", "1:54   REMAINING IN THE HALF", "1:54 remaining in the half"},
      {"en", "3:45 PM today", "3:45 pm today"},
      {"en", "6:15 AM, 7:20 ET", "6:15 am, 7:20 ET"},
      {"en", "1:30 Monday", "1:30 Monday"},
      {"en", "At 3:45 NBA TV", "At 3:45 nba tv"},
      {"en", "At 3:45 NBA news", "At 3:45 NBA news"},
      {"ru", "В 12:30 МОСКОВСКОГО ВРЕМЕНИ", "В 12:30 московского времени"},
      {"en", "TEN-YARD-LINE", "TEN YARD LINE"},
      {"en", "15-12, self-aware, X-ray", "15-12, self-aware, X-ray"},
      {"en", "Lakers vs. Celtics", "Lakers versus Celtics"},
      {"en", "Lakers VS Celtics, canvas", "Lakers versus Celtics, canvas"},
      {"es", "Madrid vs Barça", "Madrid contra Barça"},
      {"de", "Bayern vs. BVB", "Bayern gegen BVB"},
      {"fi", "HJK vs. KuPS", "HJK vs. KuPS"},
      {"en", "He revs it, vsync", "He revs it, vsync"},
      {"en", "$50 and $5 million", "50 dollars and 5 million dollars"},
      {"en", "$1,234.50.", "1,234.50 dollars."},
      {"es", "Cuesta 50 € o $3 millones",
          "Cuesta 50 euros o 3 millones dólares"},
      {"de", "50 % der 20€", "50 Prozent der 20 Euro"},
      {"en", "a 50% share", "a 50 percent share"},
      {"es", "50% y £5 & más", "50 por ciento y 5 libras y más"},
      {"fr", "50 % & 5 £ vs 3 €", "50 pour cent et 5 livres contre 3 euros"},
      {"it", "50% & £5 vs. 3€", "50 per cento e 5 sterline contro 3 euro"},
      {"pt", "50% & £5 vs. R @ S", "50 por cento e 5 libras contra R arroba S"},
      {"de", "A & B für £5", "A und B für 5 Pfund"},
      {"en", "Simon & Garfunkel, R&D", "Simon and Garfunkel, R&D"},
      {"en", "Jets @ Bills, a@b.com", "Jets at Bills, a@b.com"},
      {"ja", "50%の$", "50%の$"},
      {"en", "NBA news", "NBA news"},
      {"en", "  two \n lines ", "two lines"},
      {"en", "", ""},
      {"xx", "100% & more", "100% & more"},
      {"en", "cafe\u0301", "caf\u00e9"},
  };

  check (cases, G_N_ELEMENTS (cases));
}

static void
test_tidy (void)
{
  static const char *const cases[][2] = {
      {"What?!?!! No!!! So......", "What?! No! So..."},
      {"It is 3-2 for “Leeds” — yes…", "It is 3-2 for “Leeds” — yes…"},
      {"«\u00a0Oui\u00a0»", "« Oui »"},
      {"今天 天气  很好！！", "今天天气很好！"},
      {"リーズ は NBA です", "リーズは NBA です"},
      {"오늘은 비가", "오늘은 비가"},
      {"สวัสดี ครับ", "สวัสดี ครับ"},
      {"مرحبا   بكم", "مرحبا بكم"},
      {"zero\u200bwidth \n", "zerowidth"},
      {"", ""},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *out = dub_text_tidy (cases[i][0]);
    g_autofree char *again = dub_text_tidy (out);

    g_assert_cmpstr (out, ==, cases[i][1]);
    g_assert_cmpstr (again, ==, out);
  }
}

static void
test_speaker (void)
{
  static const struct {
    const char *text, *speaker, *rest;
  } cases[] = {
      {"Alice: Hello", "Alice", "Hello"},
      {">> Bob: Hi: there", "Bob", "Hi: there"},
      {">>Bob: Hi", "Bob", "Hi"},
      {"José: Hola", "José", "Hola"},
      {"Анна: Привет", "Анна", "Привет"},
      {"Score: 3", NULL, "Score: 3"},
      {"Today: rain", NULL, "Today: rain"},
      {"Alice:hi", NULL, "Alice:hi"},
      {"BOB: hi", NULL, "BOB: hi"},
      {"Mary Ann: hi", NULL, "Mary Ann: hi"},
      {"I said: Alice: no", NULL, "I said: Alice: no"},
      {"Alice: ", NULL, "Alice: "},
      {"", NULL, ""},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *speaker = NULL;
    g_autofree char *rest = dub_text_take_speaker (cases[i].text, &speaker);
    g_assert_cmpstr (speaker, ==, cases[i].speaker);
    g_assert_cmpstr (rest, ==, cases[i].rest);
  }
}

/* What a model writes may be any bytes. */
static void
test_any_bytes (void)
{
  g_autofree char *a = dub_text_normalise ("\xff $5 \xc3", "en");
  g_autofree char *b = dub_text_tidy ("3-2 \xff");
  g_autofree char *c = dub_text_take_speaker ("Alice: \xff", NULL);

  g_assert_true (g_utf8_validate (a, -1, NULL));
  g_assert_true (g_utf8_validate (b, -1, NULL));
  g_assert_true (g_utf8_validate (c, -1, NULL));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/text-rules/normalise", test_normalise);
  g_test_add_func ("/sts/text-rules/tidy", test_tidy);
  g_test_add_func ("/sts/text-rules/speaker", test_speaker);
  g_test_add_func ("/sts/text-rules/any-bytes", test_any_bytes);
  return g_test_run ();
}
