/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/reorder.h"
#include "ingest/track_align.h"

#define MS DUB_NS_PER_MS
#define FRAME (40 * MS)
#define AAC 21333333

/* A publisher that sends each picture at its dts and each sound at its pts,
 * plus jitter; the receiver's clocks of both tracks start anywhere. */
typedef struct {
  const char *name;
  guint bframes;
  guint delay; /* of the encoder, in pictures */
  guint told;  /* by its parameter set */
  guint skip;  /* pictures missed at the start: joined within a group */
  guint jitter_ms;
  gint64 sound_start_ns;
} Case;

static const Case cases[] = {
    {"no-b-frames", 0, 0, 0, 0, 0, 5 * DUB_NS_PER_S},
    {"b-frames", 2, 1, 1, 0, 0, 123456789},
    {"b-frames-not-told", 2, 1, 0, 0, 0, 123456789},
    {"delay-beyond-the-order", 2, 2, 2, 0, 0, -7 * DUB_NS_PER_S},
    {"joined-at-a-b-frame", 2, 1, 1, 2, 0, 0},
    {"joined-at-a-p-frame", 2, 2, 2, 4, 0, 0},
    {"jitter", 2, 2, 2, 1, 30, 777 * MS},
};

/* Display place of the i-th picture in decode order: I0 P3 B1 B2 P6 B4 B5. */
static guint
place_of (guint i, guint bframes)
{
  guint group = bframes + 1;

  if (i == 0 || bframes == 0)
    return i;
  return (i - 1) % group == 0 ? i + bframes : i - 1;
}

static gint64
late (const Case *c)
{
  return c->jitter_ms == 0
             ? 0
             : g_test_rand_int_range (0, (gint32) c->jitter_ms) * MS;
}

static void
test_shift (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (DubTrackAlign) align = dub_track_align_new ();
  const gint64 start_ns = 1000 * DUB_NS_PER_S;
  gint64 shift_ns = 0, true_shift_ns = -c->sound_start_ns;
  gint64 at_ns = start_ns;
  guint picture = c->skip, sound = 0;
  gboolean is_known = FALSE;

  dub_track_align_set_reorder (align, c->told);
  while (!is_known) {
    gint64 dts_ns = ((gint64) picture - (gint64) c->delay) * FRAME;
    gint64 sound_ns = (gint64) sound * AAC;

    g_assert_cmpint (at_ns - start_ns, <, 4 * DUB_NS_PER_S);
    if (dts_ns < sound_ns) {
      at_ns = start_ns + dts_ns + late (c);
      dub_track_align_push_picture (
          align, place_of (picture++, c->bframes) * FRAME, at_ns);
    } else {
      at_ns = start_ns + sound_ns + late (c);
      dub_track_align_push_sound (align, sound_ns + c->sound_start_ns, at_ns);
      sound++;
    }
    is_known = dub_track_align_decide (align, at_ns, &shift_ns);
  }
  g_assert_cmpint (
      ABS (shift_ns - true_shift_ns), <=, c->jitter_ms == 0 ? 0 : 8 * MS);
}

static void
test_one_track_alone (void)
{
  g_autoptr (DubTrackAlign) align = dub_track_align_new ();
  gint64 shift_ns = -1;

  g_assert_false (dub_track_align_decide (align, 99 * DUB_NS_PER_S, &shift_ns));
  dub_track_align_push_sound (align, 0, 0);
  g_assert_false (dub_track_align_decide (align, DUB_NS_PER_S, &shift_ns));
  g_assert_cmpint (shift_ns, ==, -1);
  g_assert_true (dub_track_align_decide (align, 2 * DUB_NS_PER_S, &shift_ns));
  g_assert_cmpint (shift_ns, ==, 0);
}

/* Codec data of real encoders. */
static void
test_reorder (void)
{
  /* x264 --bframes 2, pyramid: max_num_reorder_frames 2 */
  static const guint8 avcc[] = {0x01, 0x64, 0x00, 0x0c, 0xff, 0xe1, 0x00, 0x1a,
      0x67, 0x64, 0x00, 0x0c, 0xac, 0xd9, 0x41, 0x41, 0x9f, 0x9f, 0x01, 0x10,
      0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0x20, 0xf1, 0x42,
      0x99, 0x60, 0x01, 0x00, 0x04, 0x68, 0xef, 0x8f, 0xcb, 0xfd, 0xf8, 0xf8,
      0x00};
  /* x265 --bframes 2: sps_max_num_reorder_pics 2 */
  static const guint8 hvcc[] = {0x01, 0x01, 0x60, 0x00, 0x00, 0x00, 0x90, 0x00,
      0x00, 0x00, 0x00, 0x00, 0x3c, 0xf0, 0x00, 0xfc, 0xfd, 0xf8, 0xf8, 0x00,
      0x00, 0x0f, 0x03, 0xa0, 0x00, 0x01, 0x00, 0x18, 0x40, 0x01, 0x0c, 0x01,
      0xff, 0xff, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03,
      0x00, 0x00, 0x03, 0x00, 0x3c, 0x95, 0x90, 0x09, 0xa1, 0x00, 0x01, 0x00,
      0x2b, 0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00,
      0x00, 0x03, 0x00, 0x00, 0x03, 0x00, 0x3c, 0xa0, 0x0a, 0x08, 0x0b, 0x9f,
      0x79, 0x65, 0x64, 0x92, 0x4c, 0xaf, 0x01, 0x68, 0x08, 0x00, 0x00, 0x03,
      0x00, 0x08, 0x00, 0x00, 0x03, 0x00, 0xc8, 0x40, 0xa2, 0x00, 0x01, 0x00,
      0x07, 0x44, 0x01, 0xc1, 0x72, 0xb4, 0x62, 0x40};
  g_autoptr (GBytes) h264 = g_bytes_new_static (avcc, sizeof avcc);
  g_autoptr (GBytes) h265 = g_bytes_new_static (hvcc, sizeof hvcc);

  g_assert_cmpuint (
      dub_reorder_from_codec_data (DUB_VIDEO_CODEC_H264, h264), ==, 2);
  g_assert_cmpuint (
      dub_reorder_from_codec_data (DUB_VIDEO_CODEC_H265, h265), ==, 2);
  /* Cut anywhere it says nothing, or the same. */
  for (gsize i = 0; i < sizeof avcc; i++) {
    g_autoptr (GBytes) cut = g_bytes_new (avcc, i);

    g_assert_cmpuint (
        dub_reorder_from_codec_data (DUB_VIDEO_CODEC_H264, cut), <=, 2);
  }
  for (gsize i = 0; i < sizeof hvcc; i++) {
    g_autoptr (GBytes) cut = g_bytes_new (hvcc, i);

    g_assert_cmpuint (
        dub_reorder_from_codec_data (DUB_VIDEO_CODEC_H265, cut), <=, 2);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path =
        g_strdup_printf ("/media/ingest/track-align/%s", cases[i].name);

    g_test_add_data_func (path, &cases[i], test_shift);
  }
  g_test_add_func (
      "/media/ingest/track-align/one-track-alone", test_one_track_alone);
  g_test_add_func ("/media/ingest/reorder", test_reorder);
  return g_test_run ();
}
