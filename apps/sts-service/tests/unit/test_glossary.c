/* SPDX-License-Identifier: Apache-2.0 */
#include "translation/glossary.h"

#include <dubbing_common/error.h>
#include <glib/gstdio.h>

static const char file[] = "# names\n"
                           "Real Madrid\n"
                           "\n"
                           "[en-es]\n"
                           "goal keeper = portero\n"
                           "  a = b = c  \r\n"
                           "[*-de]\n"
                           "match=Spiel\n";

static void
assert_pick (const DubGlossary *glossary, const char *const *hints,
    const char *source, const char *target, const char *expected)
{
  g_autoptr (GString) all = g_string_new (NULL);
  DubGlossaryPick pick;

  dub_glossary_pick (glossary, hints, source, target, &pick);
  for (guint i = 0; pick.keep != NULL && pick.keep[i] != NULL; i++)
    g_string_append_printf (all, "%s;", pick.keep[i]);
  for (guint i = 0; pick.terms != NULL && pick.terms[i].from != NULL; i++)
    g_string_append_printf (
        all, "%s>%s;", pick.terms[i].from, pick.terms[i].to);
  g_assert_cmpstr (all->str, ==, expected);
  dub_glossary_pick_clear (&pick);
}

static void
test_pairs (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DubGlossary) glossary = dub_glossary_parse (file, &error);

  g_assert_no_error (error);
  assert_pick (glossary, NULL, "en-GB", "es-419",
      "Real Madrid;goal keeper>portero;a>b = c;");
  assert_pick (glossary, NULL, "fr", "de", "Real Madrid;match>Spiel;");
  assert_pick (glossary, NULL, "es", "en", "Real Madrid;");
  assert_pick (NULL, NULL, "es", "en", "");
}

static void
test_stream_hints (void)
{
  static const char *const hints[] = {"sports", "keep:Leeds",
      "keep:", "term:match = Partie", "term:none", "term:=x", "other", NULL};
  g_autoptr (DubGlossary) glossary = dub_glossary_parse (file, NULL);

  assert_pick (glossary, hints, "en", "de",
      "Leeds;Real Madrid;match>Partie;match>Spiel;");
  assert_pick (NULL, hints, "en", "de", "Leeds;match>Partie;");
}

/* A stream is from outside: what is too long is no term, and there are only so
 * many. */
static void
test_stream_hints_are_bounded (void)
{
  g_autofree char *large =
      g_strnfill (2 * DUB_GLOSSARY_MAX_TERM_BYTES + 1, 'x');
  g_autofree char *keep = g_strconcat ("keep:", large, NULL);
  g_autofree char *term = g_strconcat ("term:a=", large, NULL);
  const char *const long_hints[] = {keep, term, "keep:Leeds", NULL};
  const char **many = g_new0 (const char *, DUB_GLOSSARY_MAX_TERMS + 10);
  DubGlossaryPick pick;
  guint n = 0;

  assert_pick (NULL, long_hints, "en", "de", "Leeds;");
  for (guint i = 0; i < DUB_GLOSSARY_MAX_TERMS + 9; i++)
    many[i] = "term:a=b";
  dub_glossary_pick (NULL, many, "en", "de", &pick);
  while (pick.terms[n].from != NULL)
    n++;
  g_assert_cmpuint (n, ==, DUB_GLOSSARY_MAX_TERMS);
  dub_glossary_pick_clear (&pick);
  g_free (many);
}

static void
test_bad_files (void)
{
  static const struct {
    const char *text;
    DubErrorCode code;
    const char *line;
  } cases[] = {
      {"[en es]", DUB_ERROR_INVALID, "line 1"},
      {"a\n[en-es", DUB_ERROR_INVALID, "line 2"},
      {"[auto-es]", DUB_ERROR_INVALID, "line 1"},
      {"= b", DUB_ERROR_INVALID, "line 1"},
      {"a =", DUB_ERROR_INVALID, "line 1"},
      {"a \xff", DUB_ERROR_INVALID, "UTF-8"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (dub_glossary_parse (cases[i].text, &error));
    g_assert_error (error, DUB_ERROR, (gint) cases[i].code);
    g_assert_nonnull (g_strrstr (error->message, cases[i].line));
  }
}

static void
test_bounds (void)
{
  g_autoptr (GString) many = g_string_new (NULL);
  g_autofree char *large = g_strnfill (1000, 'x');
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) long_line = NULL;
  g_autoptr (GError) too_large = NULL;

  for (guint i = 0; i <= DUB_GLOSSARY_MAX_BYTES; i++)
    g_string_append_c (many, '\n');
  g_assert_null (dub_glossary_parse (many->str, &too_large));
  g_assert_error (too_large, DUB_ERROR, DUB_ERROR_LIMIT);
  g_string_truncate (many, 0);
  for (guint i = 0; i <= DUB_GLOSSARY_MAX_TERMS; i++)
    g_string_append_printf (many, "term %u\n", i);
  g_assert_null (dub_glossary_parse (many->str, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_LIMIT);
  g_assert_null (dub_glossary_parse (large, &long_line));
  g_assert_error (long_line, DUB_ERROR, DUB_ERROR_LIMIT);
}

static void
test_load (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) bad = NULL;
  g_autofree char *path = NULL;
  int fd = g_file_open_tmp ("glossary-XXXXXX", &path, NULL);

  g_assert_null (dub_glossary_load ("/invalid/glossary", &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND);
  g_assert_cmpint (fd, >=, 0);
  g_close (fd, NULL);
  g_assert_true (g_file_set_contents (path, "[x", -1, NULL));
  g_assert_null (dub_glossary_load (path, &bad));
  g_assert_error (bad, DUB_ERROR, DUB_ERROR_INVALID);
  g_assert_nonnull (g_strrstr (bad->message, path));
  g_unlink (path);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/glossary/pairs", test_pairs);
  g_test_add_func ("/sts/glossary/stream-hints", test_stream_hints);
  g_test_add_func (
      "/sts/glossary/stream-hints-are-bounded", test_stream_hints_are_bounded);
  g_test_add_func ("/sts/glossary/bad-files", test_bad_files);
  g_test_add_func ("/sts/glossary/bounds", test_bounds);
  g_test_add_func ("/sts/glossary/load", test_load);
  return g_test_run ();
}
