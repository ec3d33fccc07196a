/* SPDX-License-Identifier: Apache-2.0 */
#include "tts/onnx_check.h"
#include "tts/phonemes.h"

#include <dubbing_common/error.h>
#include <glib/gstdio.h>
#include <string.h>

/* A ModelProto: ir_version, a graph that is stepped over, metadata_props. */
static void
put (GByteArray *out, guint field, const char *text, gsize length)
{
  guint8 head[2] = {(guint8) (field << 3 | 2), (guint8) length};

  g_assert_cmpuint (length, <, 128);
  g_byte_array_append (out, head, 2);
  g_byte_array_append (out, (const guint8 *) text, (guint) length);
}

static void
put_prop (GByteArray *out, const char *key, const char *value)
{
  g_autoptr (GByteArray) prop = g_byte_array_new ();

  put (prop, 1, key, strlen (key));
  put (prop, 2, value, strlen (value));
  put (out, 14, (const char *) prop->data, prop->len);
}

static GByteArray *
model (const char *type)
{
  GByteArray *out = g_byte_array_new ();

  g_byte_array_append (out, (const guint8 *) "\x08\x07", 2);
  put (out, 7, "a graph, which is stepped over", 30);
  put_prop (out, "model_type", type);
  put_prop (out, "comment", "piper");
  put_prop (out, "language", "English");
  put_prop (out, "voice", "en-us");
  put_prop (out, "has_espeak", "1");
  put_prop (out, "n_speakers", "1");
  put_prop (out, "sample_rate", "22050");
  return out;
}

static void
test_metadata (void)
{
  g_autoptr (GByteArray) file = model ("vits");
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) props =
      dub_onnx_read_metadata (file->data, file->len, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (g_hash_table_size (props), ==, 7);
  g_assert_cmpstr (g_hash_table_lookup (props, "voice"), ==, "en-us");
}

/* Cut anywhere, it is either shorter or refused, never read beyond. */
static void
test_cut_anywhere (void)
{
  g_autoptr (GByteArray) file = model ("vits");

  for (guint n = 0; n < file->len; n++) {
    g_autofree guint8 *part = g_memdup2 (file->data, n);
    g_autoptr (GHashTable) props = dub_onnx_read_metadata (part, n, NULL);
    if (props != NULL)
      g_assert_cmpuint (g_hash_table_size (props), <, 7);
  }
}

static void
test_broken_metadata (void)
{
  static const struct {
    const char *bytes;
    gsize length;
  } cases[] = {
      {"\x72\x7f", 2},                                  /* longer than all */
      {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 10}, /* no end */
      {"\x0b", 1},                                      /* a group */
      {"\x00\x00", 2},                                  /* field 0 */
      {"\x72\x03\x0a\x09\x41", 5},                      /* inside a prop */
      {"not an ONNX file", 16},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (dub_onnx_read_metadata (
        (const guint8 *) cases[i].bytes, cases[i].length, &error));
    g_assert_error (error, DUB_ERROR, DUB_ERROR_INVALID);
  }
}

static void
test_too_many_props (void)
{
  g_autoptr (GByteArray) file = g_byte_array_new ();
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < DUB_ONNX_MAX_PROPS + 1; i++) {
    g_autofree char *key = g_strdup_printf ("key%u", i);
    put_prop (file, key, "x");
  }
  g_assert_null (dub_onnx_read_metadata (file->data, file->len, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_LIMIT);
}

static void
check_file (const char *path, GByteArray *file, gint code, const char *says)
{
  g_autoptr (GError) error = NULL;
  guint rate_hz = 0;

  g_assert_true (g_file_set_contents (
      path, (const char *) file->data, (gssize) file->len, NULL));
  if (code == 0) {
    g_assert_true (dub_onnx_check_piper (path, &rate_hz, &error));
    g_assert_cmpuint (rate_hz, ==, 22050);
    return;
  }
  g_assert_false (dub_onnx_check_piper (path, &rate_hz, &error));
  g_assert_error (error, DUB_ERROR, code);
  g_assert_nonnull (strstr (error->message, path));
  g_assert_nonnull (strstr (error->message, says));
}

static void
test_piper_file (void)
{
  g_autofree char *folder = g_dir_make_tmp ("dub-voice-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "model.onnx", NULL);
  g_autoptr (GByteArray) good = model ("vits");
  g_autoptr (GByteArray) other = model ("kokoro");
  g_autoptr (GByteArray) bare = g_byte_array_new ();
  g_autoptr (GError) error = NULL;
  guint rate_hz = 0;

  g_assert_false (dub_onnx_check_piper (path, &rate_hz, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND);
  check_file (path, good, 0, "");
  check_file (path, other, DUB_ERROR_INVALID, "model_type=kokoro");
  g_byte_array_append (bare, (const guint8 *) "\x08\x07", 2);
  check_file (path, bare, DUB_ERROR_INVALID, "model_type=nothing");
  g_unlink (path);
  g_rmdir (folder);
}

static GByteArray *
kokoro_model (const char *count, const char *names)
{
  GByteArray *out = g_byte_array_new ();

  put_prop (out, "model_type", "kokoro");
  put_prop (out, "version", "2");
  put_prop (out, "voice", "en-us");
  put_prop (out, "has_espeak", "1");
  put_prop (out, "style_dim", "510,1,256");
  put_prop (out, "sample_rate", "24000");
  put_prop (out, "n_speakers", count);
  put_prop (out, "speaker_names", names);
  return out;
}

/* sherpa-onnx would read beyond a file of voices that is too short. */
static void
test_kokoro_files (void)
{
  static const struct {
    const char *count, *names;
    gsize styles;
    gint code;
    const char *says;
  } cases[] = {
      {"2", "af_a,ef_b", 2 * 522240, 0, ""},
      {"2", "af_a,ef_b", 2 * 522240 - 1, DUB_ERROR_INVALID, "2 voices"},
      {"2", "af_a", 2 * 522240, DUB_ERROR_INVALID, "n_speakers=2"},
      {"12", "a,b,c", 3 * 522240, DUB_ERROR_INVALID, "n_speakers=12"},
  };
  g_autofree char *folder = g_dir_make_tmp ("dub-voice-XXXXXX", NULL);
  g_autofree char *model = g_build_filename (folder, "model.onnx", NULL);
  g_autofree char *styles = g_build_filename (folder, "voices.bin", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GByteArray) file = kokoro_model (cases[i].count, cases[i].names);
    g_autofree char *bytes = g_malloc0 (cases[i].styles);
    g_autoptr (GError) error = NULL;
    g_auto (GStrv) names = NULL;
    gboolean ok;

    g_assert_true (g_file_set_contents (
        model, (const char *) file->data, (gssize) file->len, NULL));
    g_assert_true (
        g_file_set_contents (styles, bytes, (gssize) cases[i].styles, NULL));
    ok = dub_onnx_check_kokoro (model, styles, &names, &error);
    g_assert_cmpint (ok, ==, cases[i].code == 0);
    if (ok) {
      g_assert_cmpstr (names[1], ==, "ef_b");
      continue;
    }
    g_assert_error (error, DUB_ERROR, cases[i].code);
    g_assert_nonnull (strstr (error->message, cases[i].says));
  }
  g_unlink (styles);
  g_assert_false (
      dub_onnx_check_kokoro (model, styles, &(char **){NULL}, NULL));
  g_unlink (model);
  g_rmdir (folder);
}

/* "ç" is one symbol to Kokoro, a letter and a cedilla to Piper. */
static void
test_phonemes_form (void)
{
  g_autoptr (GHashTable) known = g_hash_table_new (NULL, NULL);
  g_autoptr (GArray) composed = g_array_new (FALSE, FALSE, sizeof (gunichar));
  g_autoptr (GArray) apart = g_array_new (FALSE, FALSE, sizeof (gunichar));

  g_hash_table_add (known, GUINT_TO_POINTER (0xe7));
  g_assert_cmpuint (dub_phonemes_append (composed, "\u00e7", 0, known), ==, 0);
  g_assert_cmpuint (composed->len, ==, 1);
  /* "ũ" is not one of its symbols; its parts are. */
  g_hash_table_add (known, GUINT_TO_POINTER ('u'));
  g_hash_table_add (known, GUINT_TO_POINTER (0x303));
  g_assert_cmpuint (dub_phonemes_append (composed, "\u0169", 0, known), ==, 0);
  g_assert_cmpuint (g_array_index (composed, gunichar, 1), ==, 'u');
  g_assert_cmpuint (composed->len, ==, 3);
  g_hash_table_add (known, GUINT_TO_POINTER ('c'));
  g_hash_table_add (known, GUINT_TO_POINTER (0x327));
  g_assert_cmpuint (dub_phonemes_append (apart, "\u00e7", 0, known), ==, 0);
  g_assert_cmpuint (apart->len, ==, 2);
}

static void
test_tokens (void)
{
  static const char good[] = "_ 0\n  3\na 14\nˈ 120\nts 200\n";
  static const char *const bad[] = {
      "a\n14 b\nx", "a \n", "a x\n", "a 1 2\n", "\n"};
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) tokens =
      dub_onnx_read_tokens (good, strlen (good), &error);

  g_assert_no_error (error);
  g_assert_cmpuint (g_hash_table_size (tokens), ==, 4);
  g_assert_true (g_hash_table_contains (tokens, GUINT_TO_POINTER (' ')));
  g_assert_true (g_hash_table_contains (tokens, GUINT_TO_POINTER (0x2c8)));
  for (guint i = 1; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) local = NULL;
    g_test_message ("%s", bad[i]);
    g_assert_null (dub_onnx_read_tokens (bad[i], strlen (bad[i]), &local));
    g_assert_error (local, DUB_ERROR, DUB_ERROR_INVALID);
  }
  g_assert_null (dub_onnx_read_tokens ("a\0b", 3, &error));
}

static char *
appended (const char *ipa, gunichar sign, guint *ret_unknown)
{
  static const char symbols[] = " abcdefghijklmnopqrstuvwxyzˈˌːəɪ.,?";
  g_autoptr (GHashTable) known = g_hash_table_new (NULL, NULL);
  g_autoptr (GArray) sentence = g_array_new (FALSE, FALSE, sizeof (gunichar));

  for (const char *p = symbols; *p != '\0'; p = g_utf8_next_char (p))
    g_hash_table_add (known, GUINT_TO_POINTER (g_utf8_get_char (p)));
  *ret_unknown = dub_phonemes_append (sentence, ipa, sign, known);
  return g_ucs4_to_utf8 ((const gunichar *) (void *) sentence->data,
      sentence->len, NULL, NULL, NULL);
}

static void
test_phonemes_append (void)
{
  static const struct {
    const char *ipa;
    const char *result;
    gunichar sign;
    guint unknown;
  } cases[] = {
      {"həlˈoʊ", "həlˈo.", '.', 1},
      {"(fr)bon(en) tɪ", "bon tɪ?", '?', 0},
      {"a_b^c$", "abc,", ',', 0},
      {"a\nb", "a b", 0, 0},
      {"", ".", '.', 0},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    guint unknown = 0;
    g_autofree char *got = appended (cases[i].ipa, cases[i].sign, &unknown);
    g_assert_cmpstr (got, ==, cases[i].result);
    g_assert_cmpuint (unknown, ==, cases[i].unknown);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/tts/onnx/metadata", test_metadata);
  g_test_add_func ("/sts/tts/onnx/cut-anywhere", test_cut_anywhere);
  g_test_add_func ("/sts/tts/onnx/broken-metadata", test_broken_metadata);
  g_test_add_func ("/sts/tts/onnx/too-many-props", test_too_many_props);
  g_test_add_func ("/sts/tts/onnx/piper-file", test_piper_file);
  g_test_add_func ("/sts/tts/onnx/kokoro-files", test_kokoro_files);
  g_test_add_func ("/sts/tts/onnx/tokens", test_tokens);
  g_test_add_func ("/sts/tts/phonemes/form", test_phonemes_form);
  g_test_add_func ("/sts/tts/phonemes/append", test_phonemes_append);
  return g_test_run ();
}
