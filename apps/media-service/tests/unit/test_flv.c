/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/flv.h"

#include <string.h>

static void
assert_bytes (GBytes *bytes, const guint8 *expected, gsize size)
{
  gsize length;
  const guint8 *data = g_bytes_get_data (bytes, &length);

  g_assert_cmpmem (data, length, expected, size);
}

static void
test_picture (void)
{
  static const guint8 data[] = {0, 0, 0, 2, 0x65, 0x88};
  static const guint8 expected[] = {
      9,
      0,
      0,
      11, /* video, 11 bytes of body */
      0x02,
      0x03,
      0x04,
      0x01, /* 0x01020304 ms: the high byte comes last */
      0,
      0,
      0, /* stream */
      0x17,
      1,
      0,
      0,
      80, /* key frame, AVC, data, 80 ms to its pts */
      0,
      0,
      0,
      2,
      0x65,
      0x88, /* untouched */
      0,
      0,
      0,
      22,
  };
  gint64 dts_ns = G_GINT64_CONSTANT (0x01020304) * DUB_NS_PER_MS;
  g_autoptr (DubAccessUnit) unit = dub_access_unit_new (DUB_VIDEO_CODEC_H264,
      g_bytes_new_static (data, sizeof data), NULL, dts_ns + 80 * DUB_NS_PER_MS,
      dts_ns, TRUE);
  g_autoptr (DubFlvTag) tag = dub_flv_tag_new_video (unit);
  g_autoptr (GBytes) written = dub_flv_tag_write (tag, 0);

  g_assert_true (tag->is_key);
  g_assert_false (tag->is_config);
  assert_bytes (written, expected, sizeof expected);
}

static void
test_inter_picture (void)
{
  g_autoptr (DubAccessUnit) unit =
      dub_access_unit_new (DUB_VIDEO_CODEC_H264, g_bytes_new_static ("x", 1),
          NULL, 40 * DUB_NS_PER_MS, 40 * DUB_NS_PER_MS, FALSE);
  g_autoptr (DubFlvTag) tag = dub_flv_tag_new_video (unit);
  const guint8 *body = g_bytes_get_data (tag->body, NULL);

  g_assert_false (tag->is_key);
  g_assert_cmphex (body[0], ==, 0x27);
  g_assert_cmphex (body[4], ==, 0);
}

static void
test_times (void)
{
  g_autoptr (GBytes) frame = g_bytes_new_static ("aac", 3);
  g_autoptr (DubFlvTag) tag =
      dub_flv_tag_new_sound (frame, 21 * DUB_NS_PER_MS + 333333);
  g_autoptr (GBytes) written = NULL;
  const guint8 *bytes;

  g_assert_cmpint (tag->dts_ms, ==, 21);
  g_assert_cmpint (dub_flv_ms (499999), ==, 0);
  g_assert_cmpint (dub_flv_ms (500000), ==, 1);
  g_assert_cmpint (dub_flv_ms (-500000), ==, -1);

  /* A renewed connection counts from its own start. */
  tag->dts_ms = G_GINT64_CONSTANT (0x100000005);
  written = dub_flv_tag_write (tag, G_GINT64_CONSTANT (0x100000000));
  bytes = g_bytes_get_data (written, NULL);
  g_assert_cmpint (bytes[6], ==, 5);
  g_assert_cmpint (bytes[7], ==, 0);
}

static void
test_config (void)
{
  static const guint8 avcc[] = {1, 0x64, 0, 0x1f};
  static const guint8 expected_video[] = {0x17, 0, 0, 0, 0, 1, 0x64, 0, 0x1f};
  static const guint8 expected_sound[] = {0xaf, 0, 0x11, 0x90};
  g_autoptr (GBytes) video = g_bytes_new_static (avcc, sizeof avcc);
  g_autoptr (GBytes) sound = g_bytes_new_static (expected_sound + 2, 2);
  g_autoptr (DubFlvTag) video_tag =
      dub_flv_tag_new_video_config (DUB_VIDEO_CODEC_H264, video, 7);
  g_autoptr (DubFlvTag) sound_tag = dub_flv_tag_new_sound_config (sound, 7);

  g_assert_true (video_tag->is_config && sound_tag->is_config);
  assert_bytes (video_tag->body, expected_video, sizeof expected_video);
  assert_bytes (sound_tag->body, expected_sound, sizeof expected_sound);
}

static void
test_metadata (void)
{
  g_autoptr (DubFlvTag) tag =
      dub_flv_tag_new_metadata (DUB_VIDEO_CODEC_H264, 0);
  gsize size;
  const guint8 *body = g_bytes_get_data (tag->body, &size);
  static const guint8 start[] = "\x02\x00\x0aonMetaData\x08\x00\x00\x00\x05"
                                "\x00\x0cvideocodecid\x00\x40\x1c\x00";

  g_assert_cmpint (tag->type, ==, DUB_FLV_SCRIPT);
  g_assert_cmpmem (body, sizeof start - 1, start, sizeof start - 1);
  g_assert_cmpmem (body + size - 3, 3, "\0\0\x09", 3);
}

/* Enhanced RTMP, version 1: type in the first byte, then the four letters. */
static void
test_h265 (void)
{
  static const guint8 expected[] = {
      0x91, 'h', 'v', 'c', '1', 0, 0, 80, 0, 0, 0, 2, 0x26, 0x01};
  static const guint8 expected_config[] = {0x90, 'h', 'v', 'c', '1', 1, 0x21};
  static const guint8 fourcc[] = {
      0x00, 0x41, 0xda, 0x1d, 0x98, 0xcc, 0x40, 0x00, 0x00};
  static const guint8 data[] = {0, 0, 0, 2, 0x26, 0x01};
  static const guint8 hvcc[] = {1, 0x21};
  g_autoptr (DubAccessUnit) unit = dub_access_unit_new (DUB_VIDEO_CODEC_H265,
      g_bytes_new_static (data, sizeof data), NULL, 80 * DUB_NS_PER_MS, 0,
      TRUE);
  g_autoptr (GBytes) codec_data = g_bytes_new_static (hvcc, sizeof hvcc);
  g_autoptr (DubFlvTag) tag = dub_flv_tag_new_video (unit);
  g_autoptr (DubFlvTag) config =
      dub_flv_tag_new_video_config (DUB_VIDEO_CODEC_H265, codec_data, 7);
  g_autoptr (DubFlvTag) metadata =
      dub_flv_tag_new_metadata (DUB_VIDEO_CODEC_H265, 0);

  assert_bytes (tag->body, expected, sizeof expected);
  assert_bytes (config->body, expected_config, sizeof expected_config);
  g_assert_true (tag->is_key && dub_flv_tag_is_enhanced (tag));
  g_assert_true (config->is_config && dub_flv_tag_is_enhanced (config));
  g_assert_false (dub_flv_tag_is_enhanced (metadata));
  g_assert_nonnull (memmem (g_bytes_get_data (metadata->body, NULL),
      g_bytes_get_size (metadata->body), fourcc, sizeof fourcc));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/publish/flv/picture", test_picture);
  g_test_add_func ("/media/publish/flv/inter-picture", test_inter_picture);
  g_test_add_func ("/media/publish/flv/times", test_times);
  g_test_add_func ("/media/publish/flv/config", test_config);
  g_test_add_func ("/media/publish/flv/metadata", test_metadata);
  g_test_add_func ("/media/publish/flv/h265", test_h265);
  return g_test_run ();
}
