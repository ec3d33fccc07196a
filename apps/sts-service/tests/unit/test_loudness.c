/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/loudness.h"

#include "signals.h"

#define RATE 48000

/* Bursts with pauses, as speech has them. */
static GArray *
bursts (double amplitude)
{
  GArray *sound = signal_silence (RATE, 4);

  for (guint i = 0; i < 6; i++) {
    double at = 0.2 + 0.6 * i;

    signal_add_tone (sound, RATE, at, at + 0.4, 300, amplitude);
    signal_add_tone (sound, RATE, at, at + 0.005, 900, amplitude * 9);
  }
  return sound;
}

/* EBU Tech 3341: a 1 kHz sine at -23 dBFS in both channels is -23 LUFS; so is
 * it in the one channel that we take for both. */
static void
test_measures_a_sine (void)
{
  g_autoptr (GArray) sound = signal_silence (RATE, 4);
  DubLoudness loudness;

  signal_add_tone (sound, RATE, 0, 4, 1000, pow (10, -23.0 / 20));
  loudness = dub_loudness_measure (signal_data (sound), sound->len, 1, RATE);
  g_assert_cmpfloat_with_epsilon (loudness.lufs, -23, 0.1);
  g_assert_cmpfloat_with_epsilon (loudness.true_peak_db, -23, 0.2);
}

static void
test_pauses_do_not_count (void)
{
  g_autoptr (GArray) dense = signal_silence (RATE, 4);
  g_autoptr (GArray) sparse = signal_silence (RATE, 8);
  DubLoudness a, b;

  signal_add_tone (dense, RATE, 0, 4, 500, 0.2);
  signal_add_tone (sparse, RATE, 0, 2, 500, 0.2);
  signal_add_tone (sparse, RATE, 6, 8, 500, 0.2);
  a = dub_loudness_measure (signal_data (dense), dense->len, 1, RATE);
  b = dub_loudness_measure (signal_data (sparse), sparse->len, 1, RATE);
  g_assert_cmpfloat_with_epsilon (a.lufs, b.lufs, 0.6);
}

static void
test_matches (void)
{
  const double targets[] = {-38, -30, -23, -18, -14};
  const double amplitudes[] = {0.01, 0.1, 0.45};

  for (guint i = 0; i < G_N_ELEMENTS (targets); i++)
    for (guint j = 0; j < G_N_ELEMENTS (amplitudes); j++) {
      g_autoptr (GArray) sound = bursts (amplitudes[j]);
      DubLoudness reached, measured;

      reached = dub_loudness_match (
          (float *) (void *) sound->data, sound->len, 1, RATE, targets[i]);
      measured =
          dub_loudness_measure (signal_data (sound), sound->len, 1, RATE);
      g_test_message ("%g from %g: %.2f LUFS, %.2f dBTP", targets[i],
          amplitudes[j], measured.lufs, measured.true_peak_db);
      g_assert_cmpfloat_with_epsilon (reached.lufs, measured.lufs, 0.01);
      g_assert_cmpfloat_with_epsilon (measured.lufs, targets[i], 1);
      g_assert_cmpfloat (measured.true_peak_db, <=, DUB_LOUDNESS_MAX_TRUE_PEAK);
    }
}

static void
test_impossible_targets_are_held (void)
{
  g_autoptr (GArray) loud = bursts (0.1);
  g_autoptr (GArray) soft = bursts (0.1);
  g_autoptr (GArray) nothing = signal_silence (RATE, 1);
  DubLoudness reached;

  reached =
      dub_loudness_match ((float *) (void *) loud->data, loud->len, 1, RATE, 3);
  g_assert_cmpfloat (reached.lufs, <=, -9);
  g_assert_cmpfloat (reached.true_peak_db, <=, DUB_LOUDNESS_MAX_TRUE_PEAK);
  reached = dub_loudness_match (
      (float *) (void *) soft->data, soft->len, 1, RATE, DUB_LOUDNESS_SILENT);
  g_assert_cmpfloat (reached.lufs, >=, -44);
  reached = dub_loudness_match (
      (float *) (void *) nothing->data, nothing->len, 1, RATE, -20);
  g_assert_cmpfloat (reached.lufs, ==, DUB_LOUDNESS_SILENT);
}

/* One word is shorter than a block of the measurement. */
static void
test_short_speech (void)
{
  g_autoptr (GArray) sound = signal_silence (RATE, 0.25);
  DubLoudness reached;

  signal_add_tone (sound, RATE, 0, 0.25, 300, 0.05);
  reached = dub_loudness_match (
      (float *) (void *) sound->data, sound->len, 1, RATE, -20);
  g_assert_cmpfloat_with_epsilon (reached.lufs, -20, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func (
      "/sts/pipeline/loudness/measures-a-sine", test_measures_a_sine);
  g_test_add_func (
      "/sts/pipeline/loudness/pauses-do-not-count", test_pauses_do_not_count);
  g_test_add_func ("/sts/pipeline/loudness/matches", test_matches);
  g_test_add_func ("/sts/pipeline/loudness/impossible-targets-are-held",
      test_impossible_targets_are_held);
  g_test_add_func ("/sts/pipeline/loudness/short-speech", test_short_speech);
  return g_test_run ();
}
