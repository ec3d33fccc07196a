/* SPDX-License-Identifier: Apache-2.0 */
#include "tts/speakable.h"

#include <string.h>

typedef struct {
  const char *language;
  const char *text;
  const char *spoken;
} Case;

static const Case cases[] = {
    /* signs */
    {"en", "He said — it is on — go", "He said, it is on, go"},
    {"en", "He said - it is on -- go", "He said, it is on, go"},
    {"en", "well-known, -5 and F-16", "well-known, -5 and F-16"},
    {"en", "a\302\240b\tc\n\nd  e ", "a b c d e"},
    {"en", "wow!!! what???", "wow! what?"},
    {"en", "wait...", "wait..."},
    {"fr", "il dit – oui", "il dit, oui"},
    {"ru", "♪ *да* #1 ♪", "да 1"},
    {"en", "hello \360\237\230\200 there", "hello there"},
    {"ar", "\342\200\217مرحبا", "مرحبا"},
    /* abbreviations: case and the edges of words count */
    {"en", "The NBA's MVP is Dr. Smith Jr.",
        "The N B A's M V P is Doctor Smith Junior"},
    {"en", "APIs, nba, DR. No and snba", "APIs, nba, DR. No and snba"},
    {"en", "A PhD vs. an MBA", "A P H D versus an M B A"},
    {"en-GB", "Mr.Bean", "MisterBean"},
    {"es", "El Sr. Ruiz y la Dra. Paz", "El señor Ruiz y la doctora Paz"},
    {"es", "en EE. UU. y la NBA", "en Estados Unidos y la NBA"},
    {"de", "Dr. Kohl, z. B. hier", "Doktor Kohl, zum Beispiel hier"},
    {"it", "la Sig.ra e il Sig. Rossi", "la signora e il signor Rossi"},
    /* money and units */
    {"en", "$20, $1 and £1,000.50", "20 dollars, 1 dollar and 1,000.50 pounds"},
    {"en", "$1.5 million", "$1.5 million"},
    {"en", "35 km/h, 5kg, 1 km",
        "35 kilometres per hour, 5 kilograms, 1 kilometre"},
    {"en", "20°C", "20 degrees Celsius"},
    {"en", "5 kgs and 3 km2", "5 kgs and 3 km2"},
    {"es", "35 km/h por 20 €", "35 kilómetros por hora por 20 euros"},
    {"pt-BR", "R$5 a 90 km/h", "5 reais a 90 quilómetros por hora"},
    {"ru", "$20", "$20"},
    {"en", "50 % at 8:30, 1,000 of them", "50 % at 8:30, 1,000 of them"},
    /* scores and years */
    {"en", "They won 3-2, and 21–14 (102 - 98).",
        "They won 3 to 2, and 21 to 14 (102 to 98)."},
    {"es", "Ganaron 3-2.", "Ganaron 3 a 2."},
    {"fr", "Ils gagnent 3-2.", "Ils gagnent 3 à 2."},
    {"de", "Sie siegen 3-2, 1914–1918", "Sie siegen 3 zu 2, 1914 bis 1918"},
    {"it", "Vincono 3-2, dal 1914-1918", "Vincono 3 a 2, dal 1914 al 1918"},
    {"pt-BR", "Venceram por 3-2.", "Venceram por 3 a 2."},
    {"en", "From 2020-2025.", "From 2020 to 2025."},
    {"en", "2026-01-02, 555-1234, 1-800-555, 9-1-1, 3-2.5, 10-4th, B-52",
        "2026-01-02, 555-1234, 1-800-555, 9-1-1, 3-2.5, 10-4th, B-52"},
    {"en", "2.5-3, 2,000-3,000, 8:30-9", "2.5-3, 2,000-3,000, 8:30-9"},
    {"fi", "Voitto 3-2.", "Voitto 3-2."},
    /* nothing to say */
    {"en", "", ""},
    {"en", " \t…", ""},
    {"en", "♪ ♪ -- !", ""},
    {"en", "\xff\xfe", ""},
};

static void
test_cases (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *got = dub_speakable (cases[i].text, cases[i].language);

    g_test_message ("case %u", i);
    g_assert_cmpstr (got, ==, cases[i].spoken);
  }
}

/* What is fit to be said is not changed again. */
static void
test_settles (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *once = dub_speakable (cases[i].text, cases[i].language);
    g_autofree char *twice = dub_speakable (once, cases[i].language);

    g_assert_cmpstr (twice, ==, once);
  }
}

/* Whatever comes in, what goes out is text, bounded, and empty or sayable. */
static void
test_random (void)
{
  static const char *const pieces[] = {"1", "21", "-", "–", "—", "$", " km/h",
      "NBA", "Dr.", " ", "\xff", "…", "♪", "é", "*", ",", ".", "kg", "€", "\n"};
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);
  static const char *const languages[] = {"en", "es", "pt-BR", "xx", ""};

  for (guint i = 0; i < 4000; i++) {
    g_autoptr (GString) text = g_string_new (NULL);
    guint n = (guint) g_rand_int_range (rand, 0, 12);
    g_autofree char *out = NULL;

    for (guint j = 0; j < n; j++)
      g_string_append (
          text, pieces[g_rand_int_range (rand, 0, G_N_ELEMENTS (pieces))]);
    out = dub_speakable (text->str, languages[i % G_N_ELEMENTS (languages)]);
    g_assert_true (g_utf8_validate (out, -1, NULL));
    g_assert_cmpuint (strlen (out), <=, text->len * 24);
    g_assert_null (strstr (out, "  "));
    g_assert_true (
        *out == '\0' || (*out != ' ' && out[strlen (out) - 1] != ' '));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/tts/speakable/cases", test_cases);
  g_test_add_func ("/sts/tts/speakable/settles", test_settles);
  g_test_add_func ("/sts/tts/speakable/random", test_random);
  return g_test_run ();
}
