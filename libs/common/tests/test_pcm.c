/* SPDX-License-Identifier: Apache-2.0 */
#include "dubbing_common/clock.h"
#include "dubbing_common/pcm.h"

#include <math.h>
#include <string.h>

static DubPcm *
make (const gint16 *samples, gsize count, guint channels, gint64 pts_ns)
{
  return dub_pcm_new (
      g_bytes_new (samples, count * sizeof *samples), 48000, channels, pts_ns);
}

static void
test_new (void)
{
  const gint16 samples[] = {1, 2, 3, 4, 5, 6};
  g_autoptr (DubPcm) pcm = make (samples, 6, 2, 77);
  g_autoptr (DubPcm) empty = make (samples, 0, 2, DUB_TIME_NONE);

  g_assert_cmpuint (pcm->frames, ==, 3);
  g_assert_cmpint (pcm->samples[5], ==, 6);
  g_assert_cmpint (pcm->pts_ns, ==, 77);
  g_assert_cmpint (dub_pcm_duration_ns (pcm), ==, 62500);
  g_assert_cmpuint (empty->frames, ==, 0);
  g_assert_cmpint (dub_pcm_duration_ns (empty), ==, 0);
}

/* Audio that follows a header in a message may start anywhere. */
static void
test_unaligned (void)
{
  g_autoptr (GBytes) message = g_bytes_new ("x\x01\x00\x02\x00", 5);
  g_autoptr (DubPcm) pcm = NULL;

  pcm = dub_pcm_new (g_bytes_new_from_bytes (message, 1, 4), 8000, 1, 0);
  g_assert_cmpuint ((guintptr) pcm->samples % 2, ==, 0);
  g_assert_cmpint (pcm->samples[0], ==, 1);
  g_assert_cmpint (pcm->samples[1], ==, 2);
}

static void
test_slice (void)
{
  const gint16 samples[] = {1, 2, 3, 4, 5, 6};
  DubPcm *pcm = make (samples, 6, 2, DUB_NS_PER_S);
  g_autoptr (DubPcm) slice = dub_pcm_slice (pcm, 1, 2);
  g_autoptr (DubPcm) end = dub_pcm_slice (pcm, 3, 0);
  g_autoptr (DubPcm) timeless = NULL;

  g_assert_true (slice->samples == pcm->samples + 2);
  g_assert_cmpuint (slice->frames, ==, 2);
  g_assert_cmpint (slice->pts_ns, ==, DUB_NS_PER_S + 20833);
  g_assert_cmpuint (end->frames, ==, 0);
  dub_pcm_unref (pcm);
  g_assert_cmpint (slice->samples[3], ==, 6); /* the memory is still there */
  pcm = make (samples, 6, 2, DUB_TIME_NONE);
  timeless = dub_pcm_slice (pcm, 2, 1);
  g_assert_true (timeless->pts_ns == DUB_TIME_NONE);
  dub_pcm_unref (pcm);
}

static void
test_channels (void)
{
  const gint16 samples[] = {10, 20, -10, -21, 32767, 32767, -32768, -32768};
  const gint16 mono[] = {15, -16, 32767, -32768};
  g_autoptr (DubPcm) stereo = make (samples, 8, 2, 5);
  g_autoptr (DubPcm) one = dub_pcm_to_channels (stereo, 1);
  g_autoptr (DubPcm) two = dub_pcm_to_channels (one, 2);
  g_autoptr (DubPcm) same = dub_pcm_to_channels (two, 2);

  g_assert_cmpmem (one->samples, sizeof mono, mono, sizeof mono);
  g_assert_cmpint (one->pts_ns, ==, 5);
  g_assert_cmpuint (two->frames, ==, 4);
  g_assert_cmpint (two->samples[2], ==, -16);
  g_assert_cmpint (two->samples[3], ==, -16);
  g_assert_true (same == two);
}

static void
test_silence (void)
{
  g_autoptr (DubPcm) pcm = dub_pcm_new_silence (480, 48000, 2, 0);

  for (gsize i = 0; i < 960; i++)
    g_assert_cmpint (pcm->samples[i], ==, 0);
  g_assert_cmpint (dub_pcm_duration_ns (pcm), ==, 10 * DUB_NS_PER_MS);
}

static void
test_rms (void)
{
  gint16 sine[4800];
  const gint16 full[] = {-32768, -32768};
  const gint16 least[] = {1, 0, 0, 0, 0, 0, 0, 0, 0, 0};

  for (gsize i = 0; i < G_N_ELEMENTS (sine); i++)
    sine[i] = (gint16) lrint (32767 * sin (2 * G_PI * 100 * (double) i / 4800));
  g_assert_cmpfloat_with_epsilon (
      dub_pcm_rms_db (sine, G_N_ELEMENTS (sine)), -3.01, 0.005);
  g_assert_cmpfloat (dub_pcm_rms_db (full, 2), ==, 0.0);
  g_assert_cmpfloat (dub_pcm_rms_db (full, 0), ==, -100.0);
  g_assert_cmpfloat (dub_pcm_rms_db ((gint16[4]){0}, 4), ==, -100.0);
  g_assert_cmpfloat (dub_pcm_rms_db (least, G_N_ELEMENTS (least)), ==, -100.0);
}

typedef struct {
  gint64 frames;
  guint rate_hz;
  gint64 ns;
} TimeCase;

static void
test_times (void)
{
  static const TimeCase cases[] = {
      {0, 48000, 0},
      {1, 48000, 20833},
      {3, 48000, 62500},
      {-1, 48000, -20834}, /* floor, also below zero */
      {48000, 48000, DUB_NS_PER_S},
      {1, 3, 333333333},
      {G_GINT64_CONSTANT (48000) * 86400 * 365, 48000,
          DUB_NS_PER_S * 86400 * 365},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    const TimeCase *c = &cases[i];

    g_assert_cmpint (dub_frames_to_ns (c->frames, c->rate_hz), ==, c->ns);
    g_assert_cmpint (dub_ns_to_frames (c->ns, c->rate_hz), ==, c->frames);
  }
  g_assert_cmpint (dub_ns_to_frames (10416, 48000), ==, 0);
  g_assert_cmpint (dub_ns_to_frames (10417, 48000), ==, 1);
}

static void
test_times_round_trip (void)
{
  static const guint rates[] = {8000, 11025, 16000, 22050, 44100, 48000, 96000};

  for (gsize i = 0; i < G_N_ELEMENTS (rates); i++) {
    for (int n = 0; n < 2000; n++) {
      gint64 frames = (gint64) g_test_rand_int () * 256 + n;
      gint64 ns = dub_frames_to_ns (frames, rates[i]);

      g_assert_cmpint (dub_ns_to_frames (ns, rates[i]), ==, frames);
    }
  }
}

static void
test_float (void)
{
  const float from[] = {
      0.0f, 1.0f, -1.0f, 2.0f, -3.0f, NAN, INFINITY, -INFINITY, 0.5f};
  const gint16 expected[] = {
      0, 32767, -32768, 32767, -32768, 0, 32767, -32768, 16384};
  gint16 to[G_N_ELEMENTS (from)];

  dub_pcm_f32_to_s16 (from, to, G_N_ELEMENTS (from));
  g_assert_cmpmem (to, sizeof to, expected, sizeof expected);
}

static void
test_float_round_trip (void)
{
  for (int value = G_MININT16; value <= G_MAXINT16; value++) {
    gint16 in = (gint16) value, out = 0;
    float middle = 0;

    dub_pcm_s16_to_f32 (&in, &middle, 1);
    dub_pcm_f32_to_s16 (&middle, &out, 1);
    g_assert_cmpint (in, ==, out);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/common/pcm/new", test_new);
  g_test_add_func ("/common/pcm/unaligned", test_unaligned);
  g_test_add_func ("/common/pcm/slice", test_slice);
  g_test_add_func ("/common/pcm/channels", test_channels);
  g_test_add_func ("/common/pcm/silence", test_silence);
  g_test_add_func ("/common/pcm/rms", test_rms);
  g_test_add_func ("/common/pcm/times", test_times);
  g_test_add_func ("/common/pcm/times-round-trip", test_times_round_trip);
  g_test_add_func ("/common/pcm/float", test_float);
  g_test_add_func ("/common/pcm/float-round-trip", test_float_round_trip);
  return g_test_run ();
}
