/* SPDX-License-Identifier: Apache-2.0 */
#include "tts/voices.h"
#include <dubbing_common/yaml_tree.h>

#include <dubbing_common/error.h>
#include <string.h>

/* ---- the tree ----------------------------------------------------------- */

static void
test_tree (void)
{
  static const char text[] = "a: 1\n"
                             "b:\n"
                             "  - x\n"
                             "  - { c: \"two words\" }\n";
  g_autoptr (GError) error = NULL;
  g_autoptr (DubYamlNode) root = dub_yaml_parse (text, strlen (text), &error);
  const DubYamlNode *b = NULL, *second = NULL;

  g_assert_no_error (error);
  g_assert_cmpint (root->kind, ==, DUB_YAML_MAP);
  g_assert_cmpstr (dub_yaml_get (root, "a")->text, ==, "1");
  b = dub_yaml_get (root, "b");
  g_assert_cmpint (b->kind, ==, DUB_YAML_LIST);
  g_assert_cmpuint (b->values->len, ==, 2);
  second = g_ptr_array_index (b->values, 1);
  g_assert_cmpuint (second->line, ==, 4);
  g_assert_cmpstr (dub_yaml_get (second, "c")->text, ==, "two words");
  g_assert_null (dub_yaml_get (root, "c"));
  g_assert_null (dub_yaml_get (b, "c"));
  g_assert_null (dub_yaml_get (NULL, "c"));
}

static void
test_tree_refuses (void)
{
  static const struct {
    const char *text;
    const char *says;
  } cases[] = {
      {"", "line 1: the file is empty"},
      {"# only a comment\n", "the file is empty"},
      {"a: &x 1\nb: *x\n", "line 1: anchors are not taken"},
      {"b: *x\n", "aliases are not taken"},
      {"a: !!int 1\n", "tags are not taken"},
      {"a: [1, 2\n", "no YAML"},
      {"a: 1\nb: 2\na: 3\n", "line 3: a key given twice"},
      {"[a]: 1\n", "a key that is no text"},
      {"a: 1\n---\nb: 2\n", "more than one document"},
      {"a: \"\\0\"\n", "text with a zero"},
      {"\xff\xfe", "no YAML"},
      {"a: [[[[[[[[1]]]]]]]]\n", "nested too deep"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (
        dub_yaml_parse (cases[i].text, strlen (cases[i].text), &error));
    g_assert_cmpint ((int) error->domain, ==, (int) DUB_ERROR);
    g_test_message ("%s", error->message);
    g_assert_nonnull (strstr (error->message, cases[i].says));
  }
}

static void
test_tree_limits (void)
{
  g_autoptr (GString) many = g_string_new ("[");
  g_autoptr (GString) wide = g_string_new ("a: ");
  g_autofree char *large = g_strnfill (DUB_YAML_MAX_BYTES + 1, ' ');
  const char *texts[3] = {NULL};

  for (guint i = 0; i <= DUB_YAML_MAX_NODES; i++)
    g_string_append (many, "1, ");
  g_string_append (many, "1]");
  for (guint i = 0; i <= DUB_YAML_MAX_TEXT; i++)
    g_string_append_c (wide, 'x');
  texts[0] = many->str;
  texts[1] = wide->str;
  texts[2] = large;
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (dub_yaml_parse (texts[i], strlen (texts[i]), &error));
    g_assert_error (error, DUB_ERROR, DUB_ERROR_LIMIT);
  }
}

/* ---- the voices --------------------------------------------------------- */

static const char file[] =
    "languages:\n"
    "  en:\n"
    "    - { engine: piper, voice: joe }\n"
    "    - { engine: kokoro, voice: af_heart, speed: 1.1 }\n"
    "  pt-BR: [{ engine: kokoro, voice: pf_dora }]\n"
    "  es:\n"
    "    - { engine: kokoro, voice: ef_dora }\n"
    "    - { engine: kokoro, voice: em_alex }\n"
    "    - { engine: espeak, voice: es+f3, pitch: -2.5 }\n"
    "    - { engine: elevenlabs, voice: id, model: m, stability: 0,\n"
    "        similarity_boost: 0.75 }\n"
    "  '*': [{ engine: espeak }]\n"
    "profiles:\n"
    "  anna: { es: [{ engine: kokoro, voice: ef_anna }] }\n"
    "speakers:\n"
    "  SPEAKER_01: anna\n";

static DubVoices *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  DubVoices *voices = dub_voices_parse ("v.yaml", text, strlen (text), &error);

  g_assert_no_error (error);
  return voices;
}

static void
test_find (void)
{
  static const struct {
    DubVoiceQuery query;
    const char *voice; /* NULL: none */
  } cases[] = {
      {{"kokoro", "en", NULL, NULL}, "af_heart"},
      {{"kokoro", "en-GB", "default", NULL}, "af_heart"},
      {{"kokoro", "EN_us", "", NULL}, "af_heart"},
      {{"piper", "en", "default", NULL}, "joe"},
      {{"piper", "es", "default", NULL}, NULL},
      {{"kokoro", "es", "default", NULL}, "ef_dora"},
      {{"kokoro", "pt", "default", NULL}, NULL},
      {{"kokoro", "pt_br", "default", NULL}, "pf_dora"},
      {{"espeak", "en", "default", NULL}, ""},
      {{"espeak", "fi", "default", NULL}, ""},
      {{"espeak", "es", "default", NULL}, "es+f3"},
      {{"kokoro", "fi", "default", NULL}, NULL},
      {{"kokoro", "es", "anna", NULL}, "ef_anna"},
      {{"kokoro", "en", "anna", NULL}, NULL},
      {{"kokoro", "es", "nobody", NULL}, NULL},
      {{"kokoro", "es", "default", "SPEAKER_01"}, "ef_anna"},
      {{"kokoro", "en", "default", "SPEAKER_01"}, "af_heart"},
      {{"kokoro", "es", "default", "SPEAKER_02"}, "ef_dora"},
      {{"espeak", "x", "default", NULL}, ""},
  };
  g_autoptr (DubVoices) voices = parse (file);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    const DubVoice *voice = dub_voices_find (voices, &cases[i].query);
    g_test_message ("case %u", i);
    g_assert_cmpstr (voice != NULL ? voice->voice : NULL, ==, cases[i].voice);
  }
}

static void
test_members (void)
{
  g_autoptr (DubVoices) voices = parse (file);
  DubVoiceQuery query = {"elevenlabs", "es", NULL, NULL};
  const DubVoice *voice = dub_voices_find (voices, &query);

  g_assert_cmpuint (dub_voices_count (voices), ==, 9);
  g_assert_cmpstr (voice->model, ==, "m");
  g_assert_cmpfloat (voice->stability, ==, 0); /* said, and not left out */
  g_assert_cmpfloat (voice->similarity, ==, 0.75);
  g_assert_cmpuint (voice->line, ==, 10);
  query.engine = "espeak";
  voice = dub_voices_find (voices, &query);
  g_assert_cmpfloat (voice->pitch, ==, -2.5);
  g_assert_cmpfloat (voice->speed, ==, 1);
  g_assert_cmpfloat (voice->stability, <, 0);
  query = (DubVoiceQuery){"kokoro", "en", NULL, NULL};
  g_assert_cmpfloat (dub_voices_find (voices, &query)->speed, ==, 1.1);
  g_assert_true (dub_voices_has_profile (voices, "anna"));
  g_assert_true (dub_voices_has_profile (voices, "default"));
  g_assert_false (dub_voices_has_profile (voices, "nobody"));
}

/* What is wrong is named with its line. */
static void
test_refuses (void)
{
  static const struct {
    const char *text;
    const char *says;
  } cases[] = {
      {"[]", "v.yaml, line 1: a map is wanted here, not a list"},
      {"voices: {}", "'voices' is none of"},
      {"profiles: {}", "there are no languages"},
      {"languages: []", "a map is wanted"},
      {"languages:\n  english voice: []", "is no language tag"},
      {"languages:\n  es: []", "line 2: es has no voice"},
      {"languages:\n  es: [x]", "a map is wanted here, not text"},
      {"languages:\n  es: [{ voice: x }]", "without an engine"},
      {"languages:\n  es:\n    - { engine: acme, voice: x }",
          "line 3: there is no engine 'acme'"},
      {"languages:\n  es: [{ engine: kokoro }]", "es: which voice of kokoro?"},
      {"languages:\n  es: [{ engine: kokoro, voice: [a] }]", "text is wanted"},
      {"languages:\n  es: [{ engine: kokoro, voice: a, pitch: 2 }]",
          "engine kokoro takes no 'pitch'"},
      {"languages:\n  es: [{ engine: espeak, pitch: 13 }]", "from -12 to 12"},
      {"languages:\n  es: [{ engine: espeak, speed: 0 }]", "from 0.5 to 2"},
      {"languages:\n  es: [{ engine: espeak, speed: nan }]", "from 0.5 to 2"},
      {"languages:\n  es: [{ engine: espeak, speed: 1x }]", "from 0.5 to 2"},
      {"languages:\n  es: [{ engine: espeak, speed: '' }]", "from 0.5 to 2"},
      {"languages:\n  es: [{ engine: espeak }]\nprofiles:\n  default: {}",
          "is what languages: says"},
      {"languages:\n  es: [{ engine: espeak }]\nspeakers:\n  A: b",
          "line 4: there is no profile 'b'"},
      {"languages:\n  es: [{ engine: espeak }]\nspeakers:\n  A: [b]",
          "text is wanted"},
      {"languages: *x", "v.yaml, line 1: aliases"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (dub_voices_parse (
        "v.yaml", cases[i].text, strlen (cases[i].text), &error));
    g_test_message ("%s", error->message);
    g_assert_error (error, DUB_ERROR, DUB_ERROR_INVALID);
    g_assert_nonnull (strstr (error->message, cases[i].says));
    g_assert_true (g_str_has_prefix (error->message, "v.yaml, line "));
  }
}

static void
test_too_many (void)
{
  g_autoptr (GString) text = g_string_new ("languages:\n  es:\n");
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i <= DUB_VOICES_MAX; i++)
    g_string_append (text, "    - { engine: espeak }\n");
  g_assert_null (dub_voices_parse ("v", text->str, text->len, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "line 1027"));
}

static void
test_built_in (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DubVoices) voices = dub_voices_load (NULL, &error);
  DubVoiceQuery query = {"piper", "en", NULL, NULL};

  g_assert_no_error (error);
  g_assert_cmpstr (
      dub_voices_find (voices, &query)->voice, ==, "piper-en_US-joe-medium");
  query = (DubVoiceQuery){"espeak", "fi", NULL, NULL};
  g_assert_nonnull (dub_voices_find (voices, &query));
  g_assert_null (dub_voices_load ("/nowhere/v.yaml", &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, "/nowhere/v.yaml"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/tts/yaml-tree/nodes", test_tree);
  g_test_add_func ("/sts/tts/yaml-tree/refuses", test_tree_refuses);
  g_test_add_func ("/sts/tts/yaml-tree/limits", test_tree_limits);
  g_test_add_func ("/sts/tts/voices/find", test_find);
  g_test_add_func ("/sts/tts/voices/members", test_members);
  g_test_add_func ("/sts/tts/voices/refuses", test_refuses);
  g_test_add_func ("/sts/tts/voices/too-many", test_too_many);
  g_test_add_func ("/sts/tts/voices/built-in", test_built_in);
  return g_test_run ();
}
