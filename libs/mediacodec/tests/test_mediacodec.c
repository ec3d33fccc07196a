/* SPDX-License-Identifier: Apache-2.0 */
#include <dubbing_common/clock.h>
#include <dubbing_common/error.h>
#include <dubbing_mediacodec/mediacodec.h>
#include <gst/gst.h>
#include <math.h>
#include <string.h>

/* Speech-like: a few tones whose strength moves, so that it is alike with
 * itself at one place only. */
static DubPcm *
make_sound (guint ms, guint rate_hz, guint channels)
{
  gsize frames = (gsize) ms * rate_hz / 1000;
  gint16 *samples = g_new (gint16, frames * channels);

  for (gsize i = 0; i < frames; i++) {
    double t = (double) i / rate_hz;
    double strength = 0.5 + 0.5 * sin (2 * G_PI * (1.3 + t) * t);
    double value = strength * (6000 * sin (2 * G_PI * 220 * t) +
                                  4000 * sin (2 * G_PI * 731 * t + t * t) +
                                  2000 * sin (2 * G_PI * 1523 * t));

    for (guint c = 0; c < channels; c++)
      samples[i * channels + c] = (gint16) (c == 0 ? value : value / 2);
  }
  return dub_pcm_new (
      g_bytes_new_take (samples, frames * channels * sizeof *samples), rate_hz,
      channels, DUB_TIME_NONE);
}

/* Correlation of the first channels, b moved by lag. */
static double
alike (DubPcm *a, DubPcm *b, gssize lag)
{
  double ab = 0, aa = 0, bb = 0;

  for (gssize i = 0; i < (gssize) a->frames; i++) {
    gssize j = i + lag;
    double x, y;

    if (j < 0 || j >= (gssize) b->frames)
      continue;
    x = a->samples[i * (gssize) a->channels];
    y = b->samples[j * (gssize) b->channels];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa > 0 && bb > 0 ? ab / sqrt (aa * bb) : 0;
}

static gssize
best_lag (DubPcm *a, DubPcm *b, gssize reach)
{
  gssize best = 0;
  double most = -1;

  for (gssize lag = -reach; lag <= reach; lag++) {
    double now = alike (a, b, lag);

    if (now > most) {
      most = now;
      best = lag;
    }
  }
  return best;
}

static void
check_round_trip (guint ms, guint rate_hz, guint channels)
{
  g_autoptr (DubPcm) pcm = make_sound (ms, rate_hz, channels);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) m4a = dub_mediacodec_encode_m4a (pcm, 128000, &error);
  g_autoptr (DubPcm) back = NULL;
  const guint8 *data;

  g_assert_no_error (error);
  data = g_bytes_get_data (m4a, NULL);
  g_assert_cmpmem (data, 12,
      "\0\0\0\x1c"
      "ftypM4A ",
      12);
  g_assert_cmpmem (data + 32, 4, "moov", 4);
  back = dub_mediacodec_decode (m4a, "m4a", 0, 0, 30000, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (back->rate_hz, ==, rate_hz);
  g_assert_cmpuint (back->channels, ==, channels);
  g_test_message ("%u ms %u Hz %u: %" G_GSIZE_FORMAT " -> %" G_GSIZE_FORMAT
                  " lag %d, %.4f",
      ms, rate_hz, channels, pcm->frames, back->frames,
      (int) best_lag (pcm, back, 40), alike (pcm, back, 0));
  g_assert_cmpint (ABS ((gssize) back->frames - (gssize) pcm->frames), <=, 1);
  if (ms >= 200) {
    g_assert_cmpint (best_lag (pcm, back, 40), ==, 0);
    g_assert_cmpfloat (alike (pcm, back, 0), >, 0.98);
  }
}

static void
test_round_trip (void)
{
  check_round_trip (1000, 48000, 2);
  check_round_trip (1000, 48000, 1);
  check_round_trip (1000, 44100, 2);
  check_round_trip (700, 24000, 1);
  check_round_trip (700, 16000, 1);
  check_round_trip (5, 48000, 2);
  check_round_trip (6000, 48000, 2);
}

/* The first difference between two sounds would be a click: the end of the
 * sound is there, too. */
static void
test_end_is_kept (void)
{
  g_autoptr (DubPcm) pcm = make_sound (1001, 48000, 1);
  g_autoptr (DubPcm) tail = dub_pcm_slice (pcm, pcm->frames - 4800, 4800);
  g_autoptr (GBytes) m4a = dub_mediacodec_encode_m4a (pcm, 128000, NULL);
  g_autoptr (DubPcm) back =
      dub_mediacodec_decode (m4a, "m4a", 0, 0, 30000, NULL);
  g_autoptr (DubPcm) back_tail = dub_pcm_slice (
      back, pcm->frames - 4800, back->frames - pcm->frames + 4800);

  g_assert_cmpfloat (alike (tail, back_tail, 0), >, 0.98);
}

/* ADTS frames made of the m4a's access units, as old peers send them. */
static GBytes *
make_adts (GBytes *m4a)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (m4a, &size);
  const guint8 *stsz = memmem (data, size, "stsz", 4);
  const guint8 *mdat = memmem (data, size, "mdat", 4);
  GByteArray *adts = g_byte_array_new ();
  const guint8 *unit = mdat + 4;
  guint n = GUINT32_FROM_BE (*(const guint32 *) (gconstpointer) (stsz + 12));

  for (guint i = 0; i < n; i++) {
    guint32 big, length;
    guint8 head[7];

    memcpy (&big, stsz + 16 + 4 * i, 4);
    length = GUINT32_FROM_BE (big);
    head[0] = 0xFF;
    head[1] = 0xF1;
    head[2] = 0x40 | 3 << 2; /* LC, 48000 */
    head[3] = (guint8) (2 << 6 | (length + 7) >> 11);
    head[4] = (guint8) ((length + 7) >> 3);
    head[5] = (guint8) ((length + 7) << 5 | 0x1F);
    head[6] = 0xFC;
    g_byte_array_append (adts, head, 7);
    g_byte_array_append (adts, unit, length);
    unit += length;
  }
  return g_byte_array_free_to_bytes (adts);
}

static void
test_adts (void)
{
  g_autoptr (DubPcm) pcm = make_sound (1000, 48000, 2);
  g_autoptr (GBytes) m4a = dub_mediacodec_encode_m4a (pcm, 128000, NULL);
  g_autoptr (GBytes) adts = make_adts (m4a);
  g_autoptr (GError) error = NULL;
  g_autoptr (DubPcm) back =
      dub_mediacodec_decode (adts, "m4a", 0, 0, 30000, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (back->rate_hz, ==, 48000);
  g_assert_cmpuint (back->channels, ==, 2);
  /* Nothing tells of the encoder's delay here: it is there, and no more. */
  g_assert_cmpuint (back->frames, >=, pcm->frames);
  g_assert_cmpuint (back->frames, <=, pcm->frames + 4 * 1024);
  g_assert_cmpfloat (alike (pcm, back, best_lag (pcm, back, 2100)), >, 0.98);
}

static void
expect_refused (GBytes *bytes, const char *label, DubErrorCode code)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DubPcm) pcm =
      dub_mediacodec_decode (bytes, label, 48000, 2, 2000, &error);

  g_assert_null (pcm);
  g_assert_error (error, DUB_ERROR, (gint) code);
}

static GBytes *
overwritten (GBytes *bytes, gsize from, guint32 seed)
{
  gsize size;
  guint8 *data = g_bytes_unref_to_data (g_bytes_ref (bytes), &size);
  guint8 *copy = g_memdup2 (data, size);

  for (gsize i = from; i < size; i++) {
    seed = seed * 1664525 + 1013904223;
    copy[i] = (guint8) (seed >> 24);
  }
  g_free (data);
  return g_bytes_new_take (copy, size);
}

static void
test_refused (void)
{
  g_autoptr (DubPcm) pcm = make_sound (3000, 48000, 2);
  g_autoptr (GBytes) m4a = dub_mediacodec_encode_m4a (pcm, 128000, NULL);
  g_autoptr (GBytes) adts = make_adts (m4a);
  g_autoptr (GBytes) nothing = g_bytes_new (NULL, 0);
  g_autoptr (GBytes) garbage = overwritten (m4a, 0, 1);
  g_autoptr (GBytes) head_only = overwritten (m4a, 12, 2);
  g_autoptr (GBytes) cut_head = g_bytes_new_from_bytes (m4a, 0, 200);
  g_autoptr (GBytes) adts_head = g_bytes_new_from_bytes (adts, 0, 7);

  expect_refused (nothing, "m4a", DUB_ERROR_INVALID);
  expect_refused (garbage, "m4a", DUB_ERROR_INVALID);
  expect_refused (head_only, "m4a", DUB_ERROR_INVALID);
  expect_refused (cut_head, "m4a", DUB_ERROR_INVALID);
  expect_refused (adts_head, "m4a", DUB_ERROR_INVALID);
  expect_refused (m4a, "m4a", DUB_ERROR_LIMIT);
  expect_refused (adts, "m4a", DUB_ERROR_LIMIT);
}

/* Cut or overwritten anywhere, the call ends: with less sound or an error. */
static void
test_damaged (void)
{
  g_autoptr (DubPcm) pcm = make_sound (500, 48000, 2);
  g_autoptr (GBytes) m4a = dub_mediacodec_encode_m4a (pcm, 128000, NULL);
  g_autoptr (GBytes) adts = make_adts (m4a);
  GBytes *const both[] = {m4a, adts};

  for (guint i = 0; i < 40; i++) {
    GBytes *whole = both[i % 2];
    gsize size = g_bytes_get_size (whole);
    gsize at = 8 + (gsize) i * (size - 8) / 40;
    g_autoptr (GBytes) cut = g_bytes_new_from_bytes (whole, 0, at);
    g_autoptr (GBytes) torn = overwritten (whole, at, i);
    g_autoptr (DubPcm) from_cut =
        dub_mediacodec_decode (cut, "m4a", 48000, 2, 2000, NULL);
    g_autoptr (GError) error = NULL;
    g_autoptr (DubPcm) from_torn =
        dub_mediacodec_decode (torn, "m4a", 48000, 2, 2000, &error);

    g_assert_false (g_error_matches (error, DUB_ERROR, DUB_ERROR_TIMEOUT));
    g_assert_true ((from_torn == NULL) == (error != NULL));
    if (from_cut != NULL)
      g_assert_cmpuint (from_cut->frames, <=, pcm->frames + 4 * 1024);
  }
}

static void
test_raw_and_wav (void)
{
  g_autoptr (DubPcm) pcm = make_sound (100, 48000, 2);
  g_autoptr (GError) error = NULL;
  g_autoptr (DubPcm) back =
      dub_mediacodec_decode (pcm->bytes, "pcm_s16le", 48000, 2, 1000, &error);

  g_assert_no_error (error);
  g_assert_cmpmem (
      back->samples, back->frames * 4, pcm->samples, pcm->frames * 4);
}

static void
test_unsupported (void)
{
  g_autoptr (DubPcm) odd = make_sound (100, 10000, 1);
  g_autoptr (DubPcm) empty = dub_pcm_new_silence (0, 48000, 2, DUB_TIME_NONE);
  g_autoptr (GError) error = NULL;

  g_assert_null (dub_mediacodec_encode_m4a (odd, 128000, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  g_assert_null (dub_mediacodec_encode_m4a (empty, 128000, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_INVALID);
}

static void
check_convert (
    guint from_hz, guint from_channels, guint to_hz, guint to_channels)
{
  g_autoptr (DubPcm) pcm = make_sound (1000, from_hz, from_channels);
  g_autoptr (GError) error = NULL;
  g_autoptr (DubPcm) there =
      dub_mediacodec_convert (pcm, to_hz, to_channels, &error);
  g_autoptr (DubPcm) expected = make_sound (1000, to_hz, 1);

  g_assert_no_error (error);
  g_assert_cmpuint (there->rate_hz, ==, to_hz);
  g_assert_cmpuint (there->channels, ==, to_channels);
  g_assert_cmpuint (there->frames, ==, to_hz);
  g_assert_cmpint (best_lag (expected, there, 20), ==, 0);
  g_assert_cmpfloat (alike (expected, there, 0), >, 0.999);
}

static void
test_convert (void)
{
  check_convert (48000, 2, 16000, 1);
  check_convert (22050, 1, 48000, 2);
  check_convert (16000, 1, 48000, 2);
  check_convert (44100, 2, 48000, 2);
  check_convert (48000, 2, 48000, 1);
  check_convert (48000, 1, 48000, 2);
}

static gpointer
encode_in_thread (gpointer pcm)
{
  return dub_mediacodec_encode_m4a (pcm, 128000, NULL);
}

static void
test_threads (void)
{
  g_autoptr (DubPcm) pcm = make_sound (300, 48000, 2);
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("encode", encode_in_thread, pcm);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++) {
    g_autoptr (GBytes) m4a = g_thread_join (threads[i]);

    g_assert_nonnull (m4a);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  g_test_add_func ("/mediacodec/threads", test_threads);
  g_test_add_func ("/mediacodec/round-trip", test_round_trip);
  g_test_add_func ("/mediacodec/end-is-kept", test_end_is_kept);
  g_test_add_func ("/mediacodec/adts", test_adts);
  g_test_add_func ("/mediacodec/refused", test_refused);
  g_test_add_func ("/mediacodec/damaged", test_damaged);
  g_test_add_func ("/mediacodec/raw", test_raw_and_wav);
  g_test_add_func ("/mediacodec/unsupported", test_unsupported);
  g_test_add_func ("/mediacodec/convert", test_convert);
  return g_test_run ();
}
