/* SPDX-License-Identifier: Apache-2.0 */
#include "translation/languages.h"

static void
test_tags (void)
{
  static const struct {
    const char *text, *language, *script, *region;
  } cases[] = {
      {"es", "es", "", ""},
      {"spa", "es", "", ""},
      {"PT-br", "pt", "", "BR"},
      {"en_US", "en", "", "US"},
      {"zh-hant-tw", "zh", "Hant", "TW"},
      {"es-419", "es", "", "419"},
      {"yue", "yue", "", ""},
      {"xx", "xx", "", ""},
      {"ca-valencia", "ca", "", ""},
  };
  static const char *const bad[] = {"", "auto", "e", "12", "-en", NULL};

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    DubLanguageTag tag;
    g_assert_true (dub_language_parse (cases[i].text, &tag));
    g_assert_cmpstr (tag.language, ==, cases[i].language);
    g_assert_cmpstr (tag.script, ==, cases[i].script);
    g_assert_cmpstr (tag.region, ==, cases[i].region);
  }
  for (guint i = 0; bad[i] != NULL; i++) {
    DubLanguageTag tag;
    g_assert_false (dub_language_parse (bad[i], &tag));
  }
}

static void
test_equal (void)
{
  g_assert_true (dub_language_equal ("pt-BR", "pt"));
  g_assert_true (dub_language_equal ("spa", "es-MX"));
  g_assert_true (dub_language_equal ("auto", "auto"));
  g_assert_false (dub_language_equal ("es", "pt"));
  g_assert_false (dub_language_equal ("es", "est"));
  g_assert_false (dub_language_equal ("auto", "es"));
  g_assert_false (dub_language_equal (NULL, "es"));
}

static void
test_rows (void)
{
  g_assert_cmpstr (dub_language_iso3 ("en-GB"), ==, "eng");
  g_assert_cmpstr (dub_language_name ("zh-Hans"), ==, "Chinese");
  g_assert_null (dub_language_name ("xx"));
  g_assert_cmpfloat (
      dub_language_chars_per_s ("ja"), <, dub_language_chars_per_s ("es"));
  g_assert_true (dub_language_is_unspaced ("zh-TW"));
  g_assert_false (dub_language_is_unspaced ("ko"));
}

static void
test_script (void)
{
  static const struct {
    const char *tag, *text;
    gboolean fits;
  } cases[] = {
      {"es", "¿Qué tal, NASA?", TRUE},
      {"es", "что это такое", FALSE},
      {"ru", "матч HBO начался", TRUE},
      {"ja", "今日はいい天気です", TRUE},
      {"ja", "this is English", FALSE},
      {"zh", "今天天气很好", TRUE},
      {"ja", "NBAのLeBron James選手", TRUE},
      {"es", "привет, OK?", FALSE},
      {"ko", "오늘은", TRUE},
      {"ar", "مرحبا", TRUE},
      {"ar", "hello", FALSE},
      {"en", "24 - 17", TRUE},
      {"xx", "что", TRUE},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_true (dub_language_fits_script (cases[i].tag, cases[i].text) ==
                   cases[i].fits);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/languages/tags", test_tags);
  g_test_add_func ("/sts/languages/equal", test_equal);
  g_test_add_func ("/sts/languages/rows", test_rows);
  g_test_add_func ("/sts/languages/script", test_script);
  return g_test_run ();
}
