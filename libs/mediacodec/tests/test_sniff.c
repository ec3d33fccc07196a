/* SPDX-License-Identifier: Apache-2.0 */
#include "mp4_write.h"
#include "sniff.h"

#include <dubbing_common/error.h>
#include <string.h>

typedef struct {
  const char *bytes;
  gsize size;
  const char *label;
  DubSoundKind kind;
} Case;

#define BYTES(text) text, sizeof (text) - 1

static const Case cases[] = {
    {BYTES ("\0\0\0\x1c"
            "ftypM4A "),
        NULL, DUB_SOUND_MP4},
    {BYTES ("\0\0\0\x1c"
            "ftypM4A "),
        "pcm_s16le", DUB_SOUND_MP4},
    {BYTES ("\0\0\0\x1c"
            "ftyp"),
        NULL, DUB_SOUND_UNKNOWN},
    {BYTES ("RIFF\0\0\0\0WAVE"), "m4a", DUB_SOUND_WAV},
    {BYTES ("RIFF\0\0\0\0AVI "), "m4a", DUB_SOUND_UNKNOWN},
    {BYTES ("\xff\xf1\x4c\x80\x01\x3f\xfc"), "m4a", DUB_SOUND_ADTS},
    {BYTES ("\xff\xf9\x4c\x80\x01\x3f\xfc\xde\x02\xff\xf9"), "m4a",
        DUB_SOUND_ADTS},
    {BYTES ("\xff\xf9\x4c\x80\x01\x3f\xfc\xde\x02\0\0"), "m4a",
        DUB_SOUND_UNKNOWN},
    {BYTES ("\xff\xf1\x4c\x80\x01\x3f\xfc"), "pcm_s16le", DUB_SOUND_S16LE},
    {BYTES ("\xff\xf1\x4c\x80\x01\x3f"), "m4a", DUB_SOUND_UNKNOWN},
    {BYTES ("\xff\xf1\x7c\x80\x01\x3f\xfc"), "m4a", DUB_SOUND_UNKNOWN},
    {BYTES ("\xff\xf1\x4c\x80\x00\x1f\xfc"), "m4a", DUB_SOUND_UNKNOWN},
    {BYTES ("abcd"), "pcm_f32le", DUB_SOUND_F32LE},
    {BYTES ("abcd"), "pcm_s24le", DUB_SOUND_UNKNOWN},
    {BYTES ("\xff\xfb\x90\x44"), "mp3", DUB_SOUND_MP3},
    {BYTES ("\xff\xf3\x44\xc4"), NULL, DUB_SOUND_MP3},
    {BYTES ("\xff\xfb\xf0\x44"), "mp3", DUB_SOUND_UNKNOWN},
    {BYTES ("\xff\xfd\x90\x44"), "mp3", DUB_SOUND_UNKNOWN}, /* layer II */
    {BYTES ("\xff\xfb\x90\x44"), "pcm_s16le", DUB_SOUND_S16LE},
    {BYTES ("ID3\4\0\0\0\0\0\0"), NULL, DUB_SOUND_MP3},
    {BYTES ("ID3"), NULL, DUB_SOUND_UNKNOWN},
    {BYTES (""), NULL, DUB_SOUND_UNKNOWN},
};

static void
test_kinds (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GBytes) bytes = g_bytes_new (cases[i].bytes, cases[i].size);

    g_test_message ("case %u", i);
    g_assert_cmpint (
        dub_sound_sniff (bytes, cases[i].label), ==, cases[i].kind);
  }
}

/* fmt chunk of that coding, then an odd chunk to step over, then data. */
static GBytes *
make_wav (guint tag, guint channels, guint bits, const char *data, gsize size)
{
  GByteArray *wav = g_byte_array_new ();
  guint8 fmt[] = {'R', 'I', 'F', 'F', 0xff, 0xff, 0xff, 0xff, 'W', 'A', 'V',
      'E', 'f', 'm', 't', ' ', 16, 0, 0, 0, (guint8) tag, (guint8) (tag >> 8),
      (guint8) channels, 0, 0x40, 0x1f, 0, 0, 0, 0, 0, 0, 0, 0, (guint8) bits,
      0, 'L', 'I', 'S', 'T', 3, 0, 0, 0, 'a', 'b', 'c', 0, 'd', 'a', 't', 'a',
      0xff, 0xff, 0xff, 0xff};

  g_byte_array_append (wav, fmt, sizeof fmt);
  g_byte_array_append (wav, (const guint8 *) data, (guint) size);
  return g_byte_array_free_to_bytes (wav);
}

static void
expect_samples (GBytes *wav, const gint16 *samples, gsize n)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DubPcm) pcm = dub_wav_read (wav, 1000, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (pcm->rate_hz, ==, 8000);
  g_assert_cmpmem (
      pcm->samples, pcm->frames * pcm->channels * 2, samples, n * 2);
}

static void
test_wav (void)
{
  static const gint16 both[] = {0x0201, -2};
  static const gint16 eight[] = {-32768, 0, 127 * 256};
  static const gint16 half[] = {16384};
  g_autoptr (GBytes) s16 = make_wav (1, 2, 16,
      BYTES ("\1\2\xfe\xff"
             "x"));
  g_autoptr (GBytes) s24 = make_wav (1, 1, 24, BYTES ("x\1\2x\xfe\xff"));
  g_autoptr (GBytes) u8 = make_wav (1, 1, 8, BYTES ("\0\x80\xff"));
  g_autoptr (GBytes) f32 = make_wav (3, 1, 32, BYTES ("\0\0\0\x3f"));

  expect_samples (s16, both, 2);
  expect_samples (s24, both, 2);
  expect_samples (u8, eight, 3);
  expect_samples (f32, half, 1);
}

static void
test_wav_refused (void)
{
  g_autoptr (GBytes) law = make_wav (6, 1, 8, BYTES ("abcd"));
  g_autoptr (GBytes) none = make_wav (1, 0, 16, BYTES ("abcd"));
  g_autoptr (GBytes) twelve = make_wav (1, 1, 12, BYTES ("abcd"));
  g_autoptr (GBytes) fine = make_wav (1, 1, 8, BYTES ("abcdefghi"));
  g_autoptr (GBytes) cut = g_bytes_new_from_bytes (fine, 0, 40);
  g_autoptr (GError) error = NULL;

  g_assert_null (dub_wav_read (law, 1000, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  g_assert_null (dub_wav_read (none, 1000, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_INVALID);
  g_clear_error (&error);
  g_assert_null (dub_wav_read (twelve, 1000, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  g_assert_null (dub_wav_read (cut, 1000, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_INVALID);
  g_clear_error (&error);
  /* 9 frames of 8000 Hz are longer than 1 ms. */
  g_assert_null (dub_wav_read (fine, 1, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_LIMIT);
}

static void
test_raw (void)
{
  g_autoptr (GBytes) bytes = g_bytes_new (BYTES ("\1\2\3\4\5\6\7"));
  g_autoptr (GError) error = NULL;
  g_autoptr (DubPcm) pcm =
      dub_raw_read (bytes, DUB_SOUND_S16LE, 48000, 1, 1000, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (pcm->frames, ==, 3);
  g_assert_cmpint (pcm->samples[2], ==, 0x0605);
  g_assert_null (dub_raw_read (bytes, DUB_SOUND_S16LE, 0, 1, 1000, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_INVALID);
}

static void
test_mp4_begins (void)
{
  g_autoptr (GBytes) config = g_bytes_new ("\x11\x90", 2);
  g_autoptr (GPtrArray) frames =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  DubMp4Track track = {48000, 2, 128000, config, 1600, 1000, frames};
  g_autoptr (GBytes) mp4 = NULL;
  const guint8 *data;
  gsize size;

  g_ptr_array_add (frames, g_bytes_new ("frame", 5));
  mp4 = dub_mp4_write (&track);
  data = g_bytes_get_data (mp4, &size);
  g_assert_cmpmem (data, 28,
      "\0\0\0\x1c"
      "ftypM4A \0\0\2\0M4A isomiso2",
      28);
  g_assert_cmpmem (data + 32, 4, "moov", 4);
  g_assert_cmpmem (data + size - 9, 9, "mdatframe", 9);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mediacodec/sniff/kinds", test_kinds);
  g_test_add_func ("/mediacodec/sniff/wav", test_wav);
  g_test_add_func ("/mediacodec/sniff/wav-refused", test_wav_refused);
  g_test_add_func ("/mediacodec/sniff/raw", test_raw);
  g_test_add_func ("/mediacodec/mp4/begins", test_mp4_begins);
  return g_test_run ();
}
