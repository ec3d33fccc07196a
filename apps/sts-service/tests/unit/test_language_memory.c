/* SPDX-License-Identifier: Apache-2.0 */
#include "asr/language_memory.h"

typedef struct {
  const char *language;
  double probability;
  const char *then; /* what the next fragment is recognised in */
} Step;

static void
check (const Step *steps)
{
  g_autoptr (DubLanguageMemory) memory = dub_language_memory_new ();

  g_assert_cmpstr (dub_language_memory_get (memory, "a"), ==, "auto");
  for (guint i = 0; steps[i].language != NULL; i++) {
    dub_language_memory_add (
        memory, "a", steps[i].language, steps[i].probability);
    g_test_message ("step %u: %s", i, steps[i].language);
    g_assert_cmpstr (dub_language_memory_get (memory, "a"), ==, steps[i].then);
  }
}

static void
test_settles (void)
{
  static const Step two_sure[] = {
      {"es", 0.8, "auto"}, {"es", 0.75, "es"}, {NULL}};
  static const Step one_certain[] = {{"es", 0.97, "es"}, {NULL}};
  static const Step unsure_between[] = {{"es", 0.8, "auto"},
      {"es", 0.4, "auto"}, {"es", 0.8, "auto"}, {"es", 0.8, "es"}, {NULL}};
  static const Step other_between[] = {{"es", 0.8, "auto"}, {"gl", 0.8, "auto"},
      {"es", 0.8, "auto"}, {"es", 0.8, "es"}, {NULL}};

  check (two_sure);
  check (one_certain);
  check (unsure_between);
  check (other_between);
}

static void
test_changes (void)
{
  static const Step slip[] = {{"es", 0.99, "es"}, {"gl", 0.9, "es"},
      {"gl", 0.99, "es"}, {"es", 0.9, "es"}, {"gl", 0.99, "es"}, {NULL}};
  static const Step speaker[] = {{"es", 0.99, "es"}, {"de", 0.9, "es"},
      {"de", 0.9, "es"}, {"de", 0.9, "de"}, {"es", 0.99, "de"}, {NULL}};
  static const Step unsure[] = {{"es", 0.99, "es"}, {"de", 0.6, "es"},
      {"de", 0.6, "es"}, {"de", 0.6, "es"}, {"de", 0.6, "es"}, {NULL}};

  check (slip);
  check (speaker);
  check (unsure);
}

static void
test_bounded (void)
{
  g_autoptr (DubLanguageMemory) memory = dub_language_memory_new ();

  dub_language_memory_add (memory, "kept", "es", 1);
  dub_language_memory_add (memory, "oldest", "de", 1);
  for (guint i = 0; i < DUB_LANGUAGE_MEMORY_STREAMS - 1; i++) {
    g_autofree char *name = g_strdup_printf ("stream-%u", i);
    g_assert_cmpstr (dub_language_memory_get (memory, "kept"), ==, "es");
    dub_language_memory_add (memory, name, "en", 1);
    g_assert_cmpstr (dub_language_memory_get (memory, name), ==, "en");
  }
  g_assert_cmpstr (dub_language_memory_get (memory, "kept"), ==, "es");
  g_assert_cmpstr (dub_language_memory_get (memory, "oldest"), ==, "auto");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/asr/language-memory/settles", test_settles);
  g_test_add_func ("/sts/asr/language-memory/changes", test_changes);
  g_test_add_func ("/sts/asr/language-memory/bounded", test_bounded);
  return g_test_run ();
}
