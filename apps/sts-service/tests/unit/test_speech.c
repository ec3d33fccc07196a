/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/resample.h"
#include "pipeline/speech.h"
#include "pipeline/stretch.h"

#include "signals.h"

#define RATE 16000

static double
to_s (gsize samples)
{
  return samples / (double) RATE;
}

/* Speech from 0.6 to 2.1 s, in silence, in a room, and over a bed that is only
 * 10 dB softer. */
static void
test_find (void)
{
  const double rooms[] = {0, 0.001, 0.01, 0.11};

  for (guint i = 0; i < G_N_ELEMENTS (rooms); i++) {
    g_autoptr (GArray) sound = signal_silence (RATE, 3);
    DubSpan span;

    signal_add_tone (sound, RATE, 0.6, 2.1, 220, 0.3);
    signal_add_noise (sound, 1, rooms[i]);
    span = dub_speech_find (signal_data (sound), sound->len, RATE);
    g_assert_cmpfloat_with_epsilon (to_s (span.start), 0.6, 0.02);
    g_assert_cmpfloat_with_epsilon (to_s (span.end), 2.1, 0.02);
  }
}

static void
test_find_what_fills_all (void)
{
  g_autoptr (GArray) sound = signal_silence (RATE, 2);
  DubSpan span;

  signal_add_noise (sound, 1, 0.2);
  span = dub_speech_find (signal_data (sound), sound->len, RATE);
  g_assert_cmpuint (span.start, ==, 0);
  g_assert_cmpuint (span.end, ==, sound->len);
}

static void
test_find_nothing (void)
{
  g_autoptr (GArray) silence = signal_silence (RATE, 2);
  g_autoptr (GArray) click = signal_silence (RATE, 2);
  DubSpan span;

  span = dub_speech_find (signal_data (silence), silence->len, RATE);
  g_assert_cmpuint (span.end, ==, span.start);
  signal_add_tone (click, RATE, 1.0, 1.01, 2000, 0.5);
  span = dub_speech_find (signal_data (click), click->len, RATE);
  g_assert_cmpuint (span.end, ==, span.start);
  span = dub_speech_find (signal_data (silence), 20, RATE);
  g_assert_cmpuint (span.end, ==, span.start);
}

static void
test_trim (void)
{
  g_autoptr (GArray) sound = signal_silence (RATE, 2);
  DubSpan span;

  signal_add_tone (sound, RATE, 0.3, 1.5, 200, 0.4);
  span = dub_speech_trim (signal_data (sound), sound->len, RATE);
  g_assert_cmpfloat_with_epsilon (to_s (span.start), 0.29, 0.005);
  g_assert_cmpfloat_with_epsilon (to_s (span.end), 1.53, 0.005);
}

static void
test_word_end (void)
{
  g_autoptr (GArray) sound = signal_silence (RATE, 3);
  gsize end;

  signal_add_tone (sound, RATE, 0, 1.7, 200, 0.4);
  signal_add_tone (sound, RATE, 1.8, 3, 200, 0.4);
  end = dub_speech_word_end (signal_data (sound), sound->len, 2 * RATE, RATE);
  g_assert_cmpfloat (to_s (end), >=, 1.7);
  g_assert_cmpfloat (to_s (end), <=, 1.8);
  /* What fits is kept whole. */
  end = dub_speech_word_end (signal_data (sound), sound->len, 3 * RATE, RATE);
  g_assert_cmpuint (end, ==, sound->len);
  /* Without a pause it is at most the limit, and at least most of it. */
  end = dub_speech_word_end (signal_data (sound), RATE, RATE - 1000, RATE);
  g_assert_cmpuint (end, <=, RATE - 1000);
  g_assert_cmpuint (end, >=, RATE / 3);
}

static double
frequency_of (GArray *sound, guint rate_hz)
{
  guint crossings = 0;
  gsize from = sound->len / 4, to = sound->len * 3 / 4;

  for (gsize i = from; i + 1 < to; i++)
    crossings +=
        (signal_data (sound)[i] < 0) != (signal_data (sound)[i + 1] < 0);
  return crossings / 2.0 / ((to - from) / (double) rate_hz);
}

static void
test_stretch (void)
{
  const double speeds[] = {0.9, 1.0, 1.1, 1.3};

  if (g_str_equal (dub_stretch_name (), "none")) {
    g_test_skip ("this build cannot stretch");
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS (speeds); i++) {
    g_autoptr (GArray) sound = signal_silence (22050, 3);
    g_autoptr (GArray) out = NULL;

    signal_add_tone (sound, 22050, 0, 3, 220, 0.4);
    out = dub_stretch (signal_data (sound), sound->len, 22050, speeds[i], NULL);
    g_assert_cmpfloat_with_epsilon (out->len / 22050.0, 3 / speeds[i], 0.03);
    /* The pitch stays. */
    g_assert_cmpfloat_with_epsilon (frequency_of (out, 22050), 220, 3);
  }
}

/* An impulse stays where it was, to a sample, and the length is exact. */
static void
test_resample (void)
{
  const guint rates[][2] = {{22050, 48000}, {48000, 16000}, {44100, 16000},
      {24000, 48000}, {48000, 48000}};

  for (guint i = 0; i < G_N_ELEMENTS (rates); i++) {
    guint from = rates[i][0], to = rates[i][1];
    g_autoptr (GArray) sound = signal_silence (from, 1);
    g_autoptr (GArray) out = NULL;
    gsize highest = 0;

    g_array_index (sound, float, from / 2) = 1;
    out = dub_resample (signal_data (sound), sound->len, from, to);
    g_assert_cmpuint (out->len, ==, to);
    for (gsize j = 0; j < out->len; j++)
      if (signal_data (out)[j] > signal_data (out)[highest])
        highest = j;
    g_assert_cmpint (ABS ((gint64) highest - (gint64) to / 2), <=, 2);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/pipeline/speech/find", test_find);
  g_test_add_func (
      "/sts/pipeline/speech/find-what-fills-all", test_find_what_fills_all);
  g_test_add_func ("/sts/pipeline/speech/find-nothing", test_find_nothing);
  g_test_add_func ("/sts/pipeline/speech/trim", test_trim);
  g_test_add_func ("/sts/pipeline/speech/word-end", test_word_end);
  g_test_add_func ("/sts/pipeline/speech/stretch", test_stretch);
  g_test_add_func ("/sts/pipeline/speech/resample", test_resample);
  return g_test_run ();
}
