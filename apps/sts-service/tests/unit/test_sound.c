/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/sound.h"
#include "pipeline/stretch.h"

#include <dubbing_common/pcm.h>
#include <math.h>
#include <string.h>

/*
 * What a dub is, judged by its samples: where it begins, how long it is, how
 * loud, how it ends, and at what pitch. The speech is made up: words of a
 * voiced sound, 90 ms apart.
 */

#define REPLY_HZ 48000
#define VOICE_HZ 24000
#define PITCH_HZ 180.0
#define GAP_MS 90
#define RUNS 60

/* Words of 150 to 450 ms. (transfer full) */
static float *
speech (GRand *rand, double ms, double amplitude, gsize *ret_count)
{
  gsize count = (gsize) (ms * VOICE_HZ / 1000), at = 0;
  float *samples = g_new0 (float, count + 1);

  while (at < count) {
    gsize word = (gsize) (g_rand_double_range (rand, 0.15, 0.45) * VOICE_HZ);
    for (gsize i = 0; i < word && at + i < count; i++) {
      double shape = sin (G_PI * i / word);
      double t = (double) (at + i) / VOICE_HZ;
      double voiced = 0;
      for (guint k = 1; k <= 12; k++)
        voiced += sin (2 * G_PI * PITCH_HZ * k * t) / k;
      samples[at + i] = (float) (amplitude * 0.4 * shape * voiced);
    }
    at += word + VOICE_HZ * GAP_MS / 1000;
  }
  *ret_count = count;
  return samples;
}

typedef struct {
  DubDubParams params;
  DubDub dub;
  const gint16 *samples;
  gsize count;
  guint lead; /* samples before the onset */
} Made;

static Made
make (const float *samples, gsize count, DubFitSlot slot, double target_lufs)
{
  DubFitLimits limits;
  Made made = {.params = {.speech = samples,
                   .count = count,
                   .rate_hz = VOICE_HZ,
                   .slot = slot,
                   .target_lufs = target_lufs,
                   .format = "pcm_s16le",
                   .reply_rate_hz = REPLY_HZ,
                   .reply_channels = 1}};
  g_autoptr (GError) error = NULL;
  gsize bytes = 0;

  dub_fit_limits_init (&limits);
  made.params.plan = dub_fit_plan (&slot, &limits, count * 1000.0 / VOICE_HZ);
  g_assert_true (dub_dub_make (&made.params, &made.dub, &error));
  g_assert_no_error (error);
  made.samples = g_bytes_get_data (made.dub.sound.data, &bytes);
  made.count = bytes / 2;
  made.lead = (guint) (slot.onset_ms * REPLY_HZ / 1000);
  return made;
}

static double
peak_between (const Made *made, gsize from, gsize to)
{
  int peak = 0;

  for (gsize i = from; i < MIN (to, made->count); i++)
    peak = MAX (peak, ABS ((int) made->samples[i]));
  return peak / 32768.0;
}

static gsize
samples_of (double ms)
{
  return (gsize) (ms * REPLY_HZ / 1000);
}

/* Nothing before the onset, and speech right behind it. */
static void
check_onset (const Made *made)
{
  g_assert_cmpfloat (peak_between (made, 0, made->lead), ==, 0);
  g_assert_cmpfloat (
      peak_between (made, made->lead, made->lead + samples_of (150)), >, 0.001);
}

/* Never beyond slot and pause; when it fits, all of it. */
static void
check_length (const Made *made, const DubFitSlot *slot)
{
  const DubFitPlan *plan = &made->params.plan;
  double whole = MAX (slot->slot_ms - slot->onset_ms, 100) + slot->room_ms;
  double ms = made->dub.speech_ms;

  g_assert_cmpfloat (ms, <=, whole + 30);
  if (plan->over_percent <= 0)
    g_assert_cmpfloat_with_epsilon (ms, plan->stretched_ms, 30);
  else
    g_assert_cmpfloat (ms, >, plan->keep_ms - 650);
  g_assert_cmpuint (made->count, ==,
      made->lead + made->dub.speech_ms * (REPLY_HZ / 1000) +
          (made->count - made->lead) % (REPLY_HZ / 1000));
}

/* In its slot, as the original was measured. */
static void
check_loudness (const Made *made, double target)
{
  gsize slot = samples_of (made->params.slot.slot_ms);
  gsize count = MAX (made->count, slot);
  g_autofree float *heard = g_new0 (float, count);
  DubLoudness loudness;

  dub_pcm_s16_to_f32 (made->samples, heard, made->count);
  loudness = dub_loudness_measure (heard, count, 1, REPLY_HZ);
  g_assert_cmpfloat (loudness.true_peak_db, <=, -1.0 + 0.05);
  g_assert_cmpfloat_with_epsilon (loudness.lufs, target, 0.5);
}

/* No click: the last samples lie far below the speech. */
static void
check_end (const Made *made)
{
  double peak = peak_between (made, made->lead, made->count);

  g_assert_cmpfloat (
      peak_between (made, made->count - 2, made->count), <, 0.1 * peak);
  g_assert_cmpfloat (
      peak_between (made, made->lead, made->lead + 2), <, 0.1 * peak);
}

static void
test_random (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (11);
  guint cut = 0, stretched = 0, plain = 0;

  for (guint i = 0; i < RUNS; i++) {
    double slot_ms = g_rand_double_range (rand, 1000, 6000);
    DubFitSlot slot = {slot_ms, g_rand_double_range (rand, 0, slot_ms / 3),
        g_rand_double_range (rand, 0, 1500)};
    double space = slot.slot_ms - slot.onset_ms;
    double target = g_rand_double_range (rand, -35, -16);
    gsize count = 0;
    g_autofree float *samples =
        speech (rand, g_rand_double_range (rand, 0.4, 1.9) * space,
            g_rand_double_range (rand, 0.02, 0.9), &count);
    Made made = make (samples, count, slot, target);

    cut += made.params.plan.over_percent > 0;
    stretched += made.params.plan.stretch > 1;
    plain += made.params.plan.stretch == 1;
    check_onset (&made);
    check_length (&made, &slot);
    check_loudness (&made, target);
    check_end (&made);
    dub_dub_clear (&made.dub);
  }
  /* All three ways were gone. */
  g_test_message ("%u as it came, %u stretched, %u cut", plain, stretched, cut);
  g_assert_cmpuint (MIN (MIN (cut, stretched), plain), >, 3);
}

/* (transfer full) */
static GBytes *
laid_at (const float *speech, gsize count, double onset_ms, double slot_ms)
{
  gsize onset = (gsize) (onset_ms * VOICE_HZ / 1000);
  gsize all = (gsize) (slot_ms * VOICE_HZ / 1000);
  gint16 *samples = g_new0 (gint16, all);

  dub_pcm_f32_to_s16 (speech, samples + onset, count);
  return g_bytes_new_take (samples, all * sizeof *samples);
}

static double
energy_of (const gint16 *samples, gsize count, guint rate_hz)
{
  double sum = 0;

  for (gsize i = 0; i < count; i++)
    sum += (double) samples[i] * samples[i];
  return sum / rate_hz;
}

/* What was said so loud is so loud when it is said again in the same place,
 * however short it is and wherever it stands. */
static void
test_as_loud_as_the_original (void)
{
  static const double slots[][3] = {/* onset, speech, slot */
      {0, 300, 1000}, {200, 300, 1000}, {700, 300, 1000}, {200, 600, 1100},
      {1000, 1000, 2000}, {0, 1500, 5000}, {2000, 2500, 5000}};

  for (guint i = 0; i < G_N_ELEMENTS (slots); i++) {
    g_autoptr (GRand) rand = g_rand_new_with_seed (i);
    DubFitSlot slot = {slots[i][2], slots[i][0], 0};
    gsize count = 0;
    g_autofree float *samples = speech (rand, slots[i][1], 0.2, &count);
    g_autoptr (GBytes) original =
        laid_at (samples, count, slot.onset_ms, slot.slot_ms);
    DubSource source = {NULL};
    DubSound sound = {.format = (char *) "pcm_s16le",
        .sample_rate_hz = VOICE_HZ,
        .channels = 1,
        .data = original};
    double wanted = energy_of (g_bytes_get_data (original, NULL),
        g_bytes_get_size (original) / 2, VOICE_HZ);
    Made made;

    g_assert_true (dub_source_read (&sound, &source, NULL));
    for (gsize n = 0; n < count; n++)
      samples[n] *= 0.2f;
    made = make (samples, count, slot, source.lufs);
    g_test_message (
        "%.0f ms at %.0f of %.0f", slots[i][1], slots[i][0], slots[i][2]);
    g_assert_cmpfloat_with_epsilon (
        10 * log10 (energy_of (made.samples, made.count, REPLY_HZ) / wanted), 0,
        0.2);
    dub_dub_clear (&made.dub);
    dub_source_clear (&source);
  }
}

/* The strongest period between 60 and 400 Hz. */
static double
pitch_of (const gint16 *samples, gsize count)
{
  double best = -1, pitch = 0;

  for (guint lag = REPLY_HZ / 400; lag <= REPLY_HZ / 60; lag++) {
    double sum = 0, energy = 1;
    for (gsize i = 0; i + lag < count; i++) {
      sum += (double) samples[i] * samples[i + lag];
      energy += (double) samples[i + lag] * samples[i + lag];
    }
    if (sum / sqrt (energy) > best) {
      best = sum / sqrt (energy);
      pitch = (double) REPLY_HZ / lag;
    }
  }
  return pitch;
}

/* As fast as it gets, and still the same voice. */
static void
test_keeps_pitch (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);
  DubFitSlot slot = {2000, 0, 0};
  gsize count = 0;
  g_autofree float *samples = speech (rand, 2600, 0.3, &count);
  Made made;

  if (g_str_equal (dub_stretch_name (), "none")) {
    g_test_skip ("this build does not stretch");
    return;
  }
  made = make (samples, count, slot, -20);
  g_assert_cmpfloat_with_epsilon (made.params.plan.stretch, 1.3, 0.001);
  g_assert_cmpfloat_with_epsilon (
      pitch_of (made.samples, MIN (made.count, REPLY_HZ)), PITCH_HZ, 4);
  dub_dub_clear (&made.dub);
}

/* What has to be cut is cut between two words. */
static void
test_cuts_between_words (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (6);

  for (guint i = 0; i < 10; i++) {
    DubFitSlot slot = {3000, 0, 0};
    gsize count = 0;
    g_autofree float *samples = speech (rand, 3900 * 1.15, 0.3, &count);
    Made made = make (samples, count, slot, -20);
    double peak = peak_between (&made, 0, made.count);

    g_assert_cmpint (made.params.plan.tier, ==, DUB_FIT_PARTIAL);
    /* Before the fade of 25 ms it is quiet already. */
    g_assert_cmpfloat (peak_between (&made, made.count - samples_of (35),
                           made.count - samples_of (25)),
        <, 0.35 * peak);
    dub_dub_clear (&made.dub);
  }
}

/* Peers of the older design get the whole slot. */
static void
test_fills_the_slot (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (8);
  gsize count = 0;
  g_autofree float *samples = speech (rand, 800, 0.3, &count);
  DubDubParams params = {.speech = samples,
      .count = count,
      .rate_hz = VOICE_HZ,
      .slot = {3000, 500, 0},
      .target_lufs = -20,
      .format = "pcm_s16le",
      .reply_rate_hz = REPLY_HZ,
      .reply_channels = 2,
      .fill_slot = TRUE};
  DubFitLimits limits;
  DubDub dub = {.speech_ms = 0};
  g_autoptr (GError) error = NULL;

  dub_fit_limits_init (&limits);
  params.plan = dub_fit_plan (&params.slot, &limits, 800);
  g_assert_true (dub_dub_make (&params, &dub, &error));
  g_assert_cmpuint (dub.sound.duration_ms, ==, 3000);
  g_assert_cmpuint (g_bytes_get_size (dub.sound.data), ==, REPLY_HZ * 3 * 4);
  /* Of speech, not of padding. */
  g_assert_cmpint (ABS ((int) dub.speech_ms - 800), <=, 20);
  dub_dub_clear (&dub);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/pipeline/sound/random", test_random);
  g_test_add_func ("/sts/pipeline/sound/as-loud-as-the-original",
      test_as_loud_as_the_original);
  g_test_add_func ("/sts/pipeline/sound/keeps-pitch", test_keeps_pitch);
  g_test_add_func (
      "/sts/pipeline/sound/cuts-between-words", test_cuts_between_words);
  g_test_add_func ("/sts/pipeline/sound/fills-the-slot", test_fills_the_slot);
  return g_test_run ();
}
