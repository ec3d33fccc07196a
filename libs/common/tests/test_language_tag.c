/* SPDX-License-Identifier: Apache-2.0 */
#include <dubbing_common/error.h>
#include <dubbing_common/language_tag.h>
#include <string.h>

static void
test_tags (void)
{
  static const char *const good[] = {
      "en", "spa", "pt-BR", "en_US", "zh-Hant-TW", "es-419"};
  static const char *const bad[] = {"", "e", "spanish", "klingon", "auto", "e1",
      "en-", "-en", "en--US", "en us", "../es", "en-abcdefghi", "\303\244b"};

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_true (dub_language_tag_is_valid (good[i]));
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_test_message ("%s", bad[i]);
    g_assert_false (dub_language_tag_is_valid (bad[i]));
  }
  g_assert_false (dub_language_tag_is_valid (NULL));
}

static void
test_check (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (dub_language_tag_check ("FROM", "auto", TRUE, NULL));
  g_assert_true (dub_language_tag_check ("FROM", NULL, FALSE, NULL));
  g_assert_false (dub_language_tag_check ("FROM", "auto", FALSE, NULL));
  g_assert_false (dub_language_tag_check ("FROM", "spanish", TRUE, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "FROM: \"spanish\" is no"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/common/language-tag/tags", test_tags);
  g_test_add_func ("/common/language-tag/check", test_check);
  return g_test_run ();
}
