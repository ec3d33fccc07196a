/* SPDX-License-Identifier: Apache-2.0 */
#include "programme/mixer.h"

#include <dubbing_common/clock.h>
#include <math.h>

#define RATE 48000
#define BLOCK 1024
#define SPAN (BLOCK + DUB_MIXER_LOOK_AHEAD)
#define MS DUB_NS_PER_MS

/* A programme of so many blocks, mixed block by block as the timeline does. */
typedef struct {
  int n_frames;
  gint16 *original; /* stereo, with look-ahead at the end */
  float *dub;
  float *target;
  gboolean *has_dub; /* per frame */
  gint16 *out;
} Tape;

static Tape *
tape_new (int n_blocks)
{
  Tape *tape = g_new0 (Tape, 1);

  tape->n_frames = n_blocks * BLOCK;
  tape->original = g_new0 (gint16, (tape->n_frames + SPAN) * 2);
  tape->dub = g_new0 (float, (tape->n_frames + SPAN) * 2);
  tape->target = g_new0 (float, tape->n_frames + SPAN);
  tape->has_dub = g_new0 (gboolean, tape->n_frames + SPAN);
  tape->out = g_new0 (gint16, tape->n_frames * 2);
  for (int i = 0; i < tape->n_frames + SPAN; i++)
    tape->target[i] = 1.0f;
  return tape;
}

static void
tape_free (Tape *tape)
{
  g_free (tape->original);
  g_free (tape->dub);
  g_free (tape->target);
  g_free (tape->has_dub);
  g_free (tape->out);
  g_free (tape);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Tape, tape_free)

static void
tape_set_original (Tape *tape, double hz, double peak)
{
  for (int i = 0; i < tape->n_frames + SPAN; i++)
    tape->original[2 * i] = tape->original[2 * i + 1] =
        (gint16) lrint (peak * sin (2 * G_PI * hz * i / RATE));
}

static void
tape_set_dub (Tape *tape, int from, int to, double hz, double peak, double gain)
{
  for (int i = from; i < to; i++) {
    tape->dub[2 * i] = tape->dub[2 * i + 1] =
        (float) (peak * sin (2 * G_PI * hz * i / RATE + 0.6));
    tape->has_dub[i] = TRUE;
    tape->target[i] = (float) gain;
  }
}

static void
tape_mix (Tape *tape)
{
  g_autoptr (DubMixer) mixer = dub_mixer_new (RATE, BLOCK, 50 * MS, 300 * MS);

  for (int at = 0; at < tape->n_frames; at += BLOCK) {
    DubMixerInput input = {
        .original = tape->original + at * 2, .target = tape->target + at};

    for (int i = 0; i < SPAN; i++) {
      if (!tape->has_dub[at + i])
        continue;
      if (input.dub == NULL)
        input.dub_from = i;
      input.dub = tape->dub + at * 2;
      input.dub_to = i + 1;
    }
    dub_mixer_run (mixer, &input, tape->out + at * 2);
  }
  g_assert_true (dub_mixer_is_idle (mixer));
}

/* Band-limited, eight times oversampled with a long window: independent of the
 * filter of the mixer. */
static double
true_peak (const gint16 *samples, int n_frames)
{
  double peak = 0;

  for (int i = 32; i < n_frames - 32; i++) {
    for (int p = 0; p < 8; p++) {
      double sum = 0;

      if (ABS (samples[2 * i]) < 20000 && ABS (samples[2 * i + 2]) < 20000)
        continue;
      for (int k = -31; k <= 32; k++) {
        double x = k - p / 8.0;
        double window = 0.5 + 0.5 * cos (G_PI * x / 33);

        sum += samples[2 * (i + k)] * window *
               (fabs (x) < 1e-9 ? 1.0 : sin (G_PI * x) / (G_PI * x));
      }
      peak = MAX (peak, fabs (sum));
    }
  }
  return peak;
}

static void
test_untouched_without_dub (void)
{
  g_autoptr (Tape) tape = tape_new (20);

  for (int i = 0; i < (tape->n_frames + SPAN) * 2; i++)
    tape->original[i] = (gint16) g_test_rand_int_range (-32768, 32768);
  tape_mix (tape);
  g_assert_cmpmem (
      tape->out, tape->n_frames * 4, tape->original, tape->n_frames * 4);
}

/* A dub of 500 ms at 1 s over a steady original of 1000. */
static void
test_envelope (void)
{
  static const double gains[] = {0.125892541, 0.0};

  for (gsize g = 0; g < G_N_ELEMENTS (gains); g++) {
    g_autoptr (Tape) tape = tape_new (100);
    int from = RATE, to = RATE * 3 / 2;

    for (int i = 0; i < (tape->n_frames + SPAN) * 2; i++)
      tape->original[i] = 10000;
    tape_set_dub (tape, from, to, 0, 0, gains[g]);
    for (int i = from; i < to; i++)
      tape->dub[2 * i] = tape->dub[2 * i + 1] = 0;
    tape_mix (tape);
    for (int i = 0; i <= from; i++)
      g_assert_cmpint (tape->out[2 * i], ==, 10000);
    for (int i = from + 1; i < from + RATE / 20; i++)
      g_assert_cmpint (tape->out[2 * i], <=, tape->out[2 * i - 2]);
    g_assert_cmpint (ABS (tape->out[2 * (from + RATE / 40)] -
                          (int) lrint (10000 * (1 + gains[g]) / 2)),
        <=, 2);
    for (int i = from + RATE / 20 + 1; i < to; i++)
      g_assert_cmpint (tape->out[2 * i], ==, (int) lrint (10000 * gains[g]));
    g_assert_cmpint (ABS (tape->out[2 * (to + RATE * 3 / 20)] -
                          (int) lrint (10000 * (1 + gains[g]) / 2)),
        <=, 2);
    for (int i = to + RATE * 3 / 10 + 2; i < tape->n_frames; i++)
      g_assert_cmpint (tape->out[2 * i], ==, 10000);
  }
}

static void
test_quiet_dub_is_added_as_it_is (void)
{
  g_autoptr (Tape) tape = tape_new (60);

  tape_set_dub (tape, 5000, 40000, 440, 8000, 0.0);
  tape_mix (tape);
  for (int i = 0; i < tape->n_frames; i++)
    g_assert_cmpint (tape->out[2 * i], ==, (int) lrintf (tape->dub[2 * i]));
}

/* A dub that would clip, on an original that is loud: held below -1 dBTP where
 * the dub sounds, sample for sample elsewhere. */
static void
check_limit (double original_hz, double dub_hz, double dub_peak)
{
  g_autoptr (Tape) tape = tape_new (100);
  int from = 30000, to = 60000;
  double ceiling = 32768 * pow (10, -1.0 / 20);

  tape_set_original (tape, original_hz, 32000);
  tape_set_dub (tape, from, to, dub_hz, dub_peak, 0.125);
  tape_mix (tape);
  g_assert_cmpfloat (
      true_peak (tape->out + 2 * (from + 2400), to - from - 2400), <=,
      ceiling + 30);
  g_assert_cmpmem (tape->out, (from / 64 * 64 - DUB_MIXER_LOOK_AHEAD) * 4,
      tape->original, (from / 64 * 64 - DUB_MIXER_LOOK_AHEAD) * 4);
  for (int i = to + RATE * 3 / 10 + 2; i < tape->n_frames; i++)
    g_assert_cmpint (tape->out[2 * i], ==, tape->original[2 * i]);
}

static void
test_limits_true_peak (void)
{
  check_limit (300, 1000, 32000);
  check_limit (300, 11990, 32000); /* peaks between the samples */
  check_limit (997, 12010, 40000);
  check_limit (60, 150, 60000);
}

static void
test_limiter_does_not_pump_below_the_ceiling (void)
{
  g_autoptr (Tape) tape = tape_new (60);

  tape_set_dub (tape, 5000, 40000, 440, 22000, 0.0);
  tape_mix (tape);
  for (int i = 0; i < tape->n_frames; i++)
    g_assert_cmpint (tape->out[2 * i], ==, (int) lrintf (tape->dub[2 * i]));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func (
      "/media/mixer/untouched-without-dub", test_untouched_without_dub);
  g_test_add_func ("/media/mixer/envelope", test_envelope);
  g_test_add_func ("/media/mixer/quiet-dub", test_quiet_dub_is_added_as_it_is);
  g_test_add_func ("/media/mixer/limits-true-peak", test_limits_true_peak);
  g_test_add_func ("/media/mixer/does-not-pump",
      test_limiter_does_not_pump_below_the_ceiling);
  return g_test_run ();
}
