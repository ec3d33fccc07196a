/* SPDX-License-Identifier: Apache-2.0 */
#include "asr/word_times.h"

#define RATE 16000

/* Loud from start to end in each pair of seconds; (transfer full) */
static float *
sound (double seconds, const double *pairs, guint n_pairs)
{
  float *samples = g_new0 (float, (gsize) (seconds * RATE));

  for (guint p = 0; p < n_pairs; p++)
    for (gsize i = (gsize) (pairs[2 * p] * RATE);
         i < (gsize) (pairs[2 * p + 1] * RATE); i++)
      samples[i] = i % 16 < 8 ? 0.3f : -0.3f;
  return samples;
}

static gint64
time_of (JsonArray *words, guint n, const char *member)
{
  return json_object_get_int_member (
      json_array_get_object_element (words, n), member);
}

static const char *
text_of (JsonArray *words, guint n)
{
  return json_object_get_string_member (
      json_array_get_object_element (words, n), "word");
}

static void
test_pause_lies_between_words (void)
{
  const double pairs[] = {1, 2, 3.5, 4.5};
  g_autofree float *samples = sound (5, pairs, 2);
  g_autoptr (JsonArray) words =
      dub_word_times_estimate ("one two  six ten", samples, 5 * RATE, RATE);
  const gint64 starts[] = {1000, 1500, 3500, 4000};
  const gint64 ends[] = {1500, 2000, 4000, 4500};

  g_assert_nonnull (words);
  g_assert_cmpuint (json_array_get_length (words), ==, 4);
  for (guint i = 0; i < 4; i++) {
    g_assert_cmpint (time_of (words, i, "start_time_ms"), ==, starts[i]);
    g_assert_cmpint (time_of (words, i, "end_time_ms"), ==, ends[i]);
  }
  g_assert_cmpstr (text_of (words, 2), ==, "six");
}

static void
test_longer_words_take_longer (void)
{
  const double pairs[] = {0, 1};
  g_autofree float *samples = sound (1, pairs, 1);
  g_autoptr (JsonArray) words =
      dub_word_times_estimate ("a seventeen", samples, RATE, RATE);

  g_assert_cmpint (time_of (words, 0, "end_time_ms"), ==, 100);
  g_assert_cmpint (time_of (words, 1, "start_time_ms"), ==, 100);
  g_assert_cmpint (time_of (words, 1, "end_time_ms"), ==, 1000);
}

static void
test_scripts_without_spaces (void)
{
  const double pairs[] = {0, 1};
  g_autofree float *samples = sound (1, pairs, 1);
  g_autoptr (JsonArray) words =
      dub_word_times_estimate ("你好。OK", samples, RATE, RATE);

  g_assert_cmpuint (json_array_get_length (words), ==, 3);
  g_assert_cmpstr (text_of (words, 0), ==, "你");
  g_assert_cmpstr (text_of (words, 1), ==, "好。");
  g_assert_cmpstr (text_of (words, 2), ==, "OK");
}

/* More words than frames: each has its place all the same. */
static void
test_no_time_for_so_many (void)
{
  g_autofree float *samples = sound (0.02, NULL, 0);
  g_autoptr (JsonArray) words =
      dub_word_times_estimate ("a b c d e f", samples, RATE / 50, RATE);

  g_assert_cmpuint (json_array_get_length (words), ==, 6);
  for (guint i = 0; i < 6; i++) {
    g_assert_cmpint (time_of (words, i, "start_time_ms"), <,
        time_of (words, i, "end_time_ms"));
    g_assert_cmpint (time_of (words, i, "end_time_ms"), <=, 20);
  }
}

static void
test_nothing_to_place (void)
{
  g_autofree float *samples = sound (1, NULL, 0);
  g_autoptr (GString) many = g_string_new (NULL);

  for (guint i = 0; i <= DUB_WORD_TIMES_MAX; i++)
    g_string_append (many, "a ");
  g_assert_null (dub_word_times_estimate ("  ", samples, RATE, RATE));
  g_assert_null (dub_word_times_estimate (NULL, samples, RATE, RATE));
  g_assert_null (dub_word_times_estimate ("a", samples, 0, RATE));
  g_assert_null (dub_word_times_estimate ("\xff", samples, RATE, RATE));
  g_assert_null (dub_word_times_estimate (many->str, samples, RATE, RATE));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/word-times/pause-lies-between-words",
      test_pause_lies_between_words);
  g_test_add_func ("/sts/word-times/longer-words-take-longer",
      test_longer_words_take_longer);
  g_test_add_func (
      "/sts/word-times/scripts-without-spaces", test_scripts_without_spaces);
  g_test_add_func (
      "/sts/word-times/no-time-for-so-many", test_no_time_for_so_many);
  g_test_add_func ("/sts/word-times/nothing-to-place", test_nothing_to_place);
  return g_test_run ();
}
