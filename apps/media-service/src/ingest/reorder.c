/* SPDX-License-Identifier: Apache-2.0 */
#define GST_USE_UNSTABLE_API
#include "reorder.h"

#include <gst/codecparsers/gsth264parser.h>
#include <gst/codecparsers/gsth265parser.h>

/* More than either standard allows is nonsense. */
#define MAX_REORDER 16
#define MAX_SETS 64
#define AVCC_FIRST_SET 6
#define HVCC_FIRST_ARRAY 23

/* The bytes of a set behind its two bytes of length; NULL when cut off. */
static const guint8 *
next_set (const guint8 **at, const guint8 *end, gsize *ret_size)
{
  const guint8 *set = *at + 2;

  if (end - *at < 2)
    return NULL;
  *ret_size = (gsize) ((*at)[0] << 8 | (*at)[1]);
  if (*ret_size == 0 || *ret_size > (gsize) (end - set))
    return NULL;
  *at = set + *ret_size;
  return set;
}

/* Annex B, as the parsers take it. */
static GByteArray *
with_start_code (const guint8 *set, gsize size)
{
  static const guint8 code[4] = {0, 0, 0, 1};
  GByteArray *nal = g_byte_array_new ();

  g_byte_array_append (nal, code, sizeof code);
  g_byte_array_append (nal, set, (guint) size);
  return nal;
}

static guint
from_h264 (const guint8 *set, gsize size)
{
  g_autoptr (GByteArray) bytes = with_start_code (set, size);
  GstH264NalParser *parser = gst_h264_nal_parser_new ();
  GstH264NalUnit nal;
  GstH264SPS sps = {0};
  guint n = 0;

  if (gst_h264_parser_identify_nalu_unchecked (
          parser, bytes->data, 0, bytes->len, &nal) == GST_H264_PARSER_OK &&
      nal.type == GST_H264_NAL_SPS &&
      gst_h264_parser_parse_sps (parser, &nal, &sps) == GST_H264_PARSER_OK) {
    if (sps.vui_parameters_present_flag &&
        sps.vui_parameters.bitstream_restriction_flag)
      n = sps.vui_parameters.num_reorder_frames;
    gst_h264_sps_clear (&sps);
  }
  gst_h264_nal_parser_free (parser);
  return n;
}

static guint
from_h265 (const guint8 *set, gsize size)
{
  g_autoptr (GByteArray) bytes = with_start_code (set, size);
  g_autofree GstH265SPS *sps = g_new0 (GstH265SPS, 1);
  GstH265Parser *parser = gst_h265_parser_new ();
  GstH265NalUnit nal;
  guint n = 0;

  if (gst_h265_parser_identify_nalu_unchecked (
          parser, bytes->data, 0, bytes->len, &nal) == GST_H265_PARSER_OK &&
      nal.type == GST_H265_NAL_SPS &&
      gst_h265_parser_parse_sps (parser, &nal, sps, TRUE) ==
          GST_H265_PARSER_OK &&
      sps->max_sub_layers_minus1 < GST_H265_MAX_SUB_LAYERS)
    n = sps->max_num_reorder_pics[sps->max_sub_layers_minus1];
  gst_h265_parser_free (parser);
  return n;
}

/* hvcC: arrays of sets, each with its type and number. */
static guint
search_hvcc (const guint8 *at, const guint8 *end)
{
  const guint8 *set;
  gsize size;

  while (end - at >= 3) {
    guint type = at[0] & 0x3f;
    guint n = MIN ((guint) (at[1] << 8 | at[2]), MAX_SETS);

    at += 3;
    for (; n > 0; n--) {
      set = next_set (&at, end, &size);
      if (!set)
        return 0;
      if (type == GST_H265_NAL_SPS)
        return from_h265 (set, size);
    }
  }
  return 0;
}

guint
dub_reorder_from_codec_data (DubVideoCodec codec, GBytes *codec_data)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (codec_data, &size);
  const guint8 *at = data + AVCC_FIRST_SET;
  const guint8 *set;
  gsize set_size;
  guint n = 0;

  if (size <= HVCC_FIRST_ARRAY && codec == DUB_VIDEO_CODEC_H265)
    return 0;
  if (codec == DUB_VIDEO_CODEC_H265)
    n = search_hvcc (data + HVCC_FIRST_ARRAY, data + size);
  else if (size > AVCC_FIRST_SET &&
           (set = next_set (&at, data + size, &set_size)))
    n = from_h264 (set, set_size);
  return n <= MAX_REORDER ? n : 0;
}
