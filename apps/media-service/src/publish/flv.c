/* SPDX-License-Identifier: Apache-2.0 */
#include "flv.h"

#include <string.h>

#define HEADER_SIZE 11
#define TRAILER_SIZE 4

#define CODEC_AVC 7
#define CODEC_AAC 10
#define FRAME_KEY 1
#define FRAME_INTER 2
#define PACKET_CONFIG 0
#define PACKET_DATA 1
/* Enhanced RTMP: this bit says that the packet's type stands in the first byte,
 * and the codec's four letters follow. */
#define EXTENDED 0x80
#define FOURCC_HEVC 0x68766331 /* "hvc1" */
#define MAX_PREFIX 8
/* AAC, "44 kHz, 16 bit, stereo": the fixed byte of every AAC tag; the real
 * rate is in the AudioSpecificConfig. */
#define SOUND_HEADER 0xaf

#define AMF_NUMBER 0
#define AMF_BOOLEAN 1
#define AMF_STRING 2
#define AMF_ECMA_ARRAY 8
#define AMF_END 9

gint64
dub_flv_ms (gint64 ns)
{
  const gint64 half = DUB_NS_PER_MS / 2;

  return (ns >= 0 ? ns + half : ns - half) / DUB_NS_PER_MS;
}

static void
put_be24 (guint8 *to, guint32 value)
{
  to[0] = (guint8) (value >> 16);
  to[1] = (guint8) (value >> 8);
  to[2] = (guint8) value;
}

/* A tag of prefix and payload. */
static DubFlvTag *
tag_new (DubFlvType type, gint64 dts_ms, const guint8 *prefix,
    gsize prefix_size, GBytes *payload)
{
  DubFlvTag *tag = g_new0 (DubFlvTag, 1);
  gsize size = 0;
  const guint8 *data = payload ? g_bytes_get_data (payload, &size) : NULL;
  guint8 *body = g_malloc (prefix_size + size);

  memcpy (body, prefix, prefix_size);
  if (size > 0)
    memcpy (body + prefix_size, data, size);
  g_atomic_ref_count_init (&tag->ref_count);
  tag->type = type;
  tag->dts_ms = dts_ms;
  tag->body = g_bytes_new_take (body, prefix_size + size);
  return tag;
}

DubFlvTag *
dub_flv_tag_ref (DubFlvTag *tag)
{
  g_atomic_ref_count_inc (&tag->ref_count);
  return tag;
}

void
dub_flv_tag_unref (DubFlvTag *tag)
{
  if (!tag || !g_atomic_ref_count_dec (&tag->ref_count))
    return;
  g_bytes_unref (tag->body);
  g_free (tag);
}

/* What stands before the data of a video tag; how long that is. */
static gsize
put_video_prefix (guint8 *to, DubVideoCodec codec, guint8 frame, guint8 packet)
{
  if (codec == DUB_VIDEO_CODEC_H265) {
    guint32 fourcc = GUINT32_TO_BE (FOURCC_HEVC);

    to[0] = (guint8) (EXTENDED | frame << 4 | packet);
    memcpy (to + 1, &fourcc, sizeof fourcc);
    return 1 + sizeof fourcc;
  }
  to[0] = (guint8) (frame << 4 | CODEC_AVC);
  to[1] = packet;
  return 2;
}

DubFlvTag *
dub_flv_tag_new_video (const DubAccessUnit *unit)
{
  gint64 pts_ms = dub_flv_ms (unit->pts_ns);
  gint64 dts_ms =
      unit->dts_ns == DUB_TIME_NONE ? pts_ms : dub_flv_ms (unit->dts_ns);
  guint8 prefix[MAX_PREFIX];
  gsize size = put_video_prefix (
      prefix, unit->codec, unit->is_key ? FRAME_KEY : FRAME_INTER, PACKET_DATA);
  DubFlvTag *tag;

  put_be24 (prefix + size, (guint32) (pts_ms - dts_ms));
  tag = tag_new (DUB_FLV_VIDEO, dts_ms, prefix, size + 3, unit->data);
  tag->is_key = unit->is_key;
  return tag;
}

DubFlvTag *
dub_flv_tag_new_video_config (
    DubVideoCodec codec, GBytes *codec_data, gint64 dts_ms)
{
  guint8 prefix[MAX_PREFIX] = {0};
  gsize size = put_video_prefix (prefix, codec, FRAME_KEY, PACKET_CONFIG);
  DubFlvTag *tag;

  /* The older form has a time here, too. */
  if (codec != DUB_VIDEO_CODEC_H265)
    size += 3;
  tag = tag_new (DUB_FLV_VIDEO, dts_ms, prefix, size, codec_data);
  tag->is_config = TRUE;
  return tag;
}

gboolean
dub_flv_tag_is_enhanced (const DubFlvTag *tag)
{
  const guint8 *body = g_bytes_get_data (tag->body, NULL);

  return tag->type == DUB_FLV_VIDEO && (body[0] & EXTENDED) != 0;
}

DubFlvTag *
dub_flv_tag_new_sound (GBytes *frame, gint64 pts_ns)
{
  static const guint8 prefix[2] = {SOUND_HEADER, PACKET_DATA};

  return tag_new (
      DUB_FLV_SOUND, dub_flv_ms (pts_ns), prefix, sizeof prefix, frame);
}

DubFlvTag *
dub_flv_tag_new_sound_config (GBytes *config, gint64 dts_ms)
{
  static const guint8 prefix[2] = {SOUND_HEADER, PACKET_CONFIG};
  DubFlvTag *tag =
      tag_new (DUB_FLV_SOUND, dts_ms, prefix, sizeof prefix, config);

  tag->is_config = TRUE;
  return tag;
}

static void
put_name (GByteArray *to, const char *name)
{
  gsize length = strlen (name);
  guint8 size[2] = {(guint8) (length >> 8), (guint8) length};

  g_byte_array_append (to, size, sizeof size);
  g_byte_array_append (to, (const guint8 *) name, (guint) length);
}

static void
put_byte (GByteArray *to, guint8 value)
{
  g_byte_array_append (to, &value, 1);
}

static void
put_number (GByteArray *to, const char *name, double value)
{
  guint64 bits;

  memcpy (&bits, &value, sizeof bits);
  bits = GUINT64_TO_BE (bits);
  put_name (to, name);
  put_byte (to, AMF_NUMBER);
  g_byte_array_append (to, (const guint8 *) &bits, sizeof bits);
}

static void
put_boolean (GByteArray *to, const char *name, gboolean value)
{
  put_name (to, name);
  put_byte (to, AMF_BOOLEAN);
  put_byte (to, value ? 1 : 0);
}

DubFlvTag *
dub_flv_tag_new_metadata (DubVideoCodec codec, gint64 dts_ms)
{
  static const guint8 five[4] = {0, 0, 0, 5};
  static const guint8 end[3] = {0, 0, AMF_END};
  g_autoptr (GByteArray) script = g_byte_array_new ();
  DubFlvTag *tag;

  put_byte (script, AMF_STRING);
  put_name (script, "onMetaData");
  put_byte (script, AMF_ECMA_ARRAY);
  g_byte_array_append (script, five, sizeof five);
  put_number (script, "videocodecid",
      codec == DUB_VIDEO_CODEC_H265 ? FOURCC_HEVC : CODEC_AVC);
  put_number (script, "audiocodecid", CODEC_AAC);
  put_number (script, "audiosamplerate", DUB_PROGRAMME_RATE_HZ);
  put_number (script, "audiosamplesize", 16);
  put_boolean (script, "stereo", TRUE);
  g_byte_array_append (script, end, sizeof end);
  tag = tag_new (DUB_FLV_SCRIPT, dts_ms, script->data, script->len, NULL);
  tag->is_config = TRUE;
  return tag;
}

GBytes *
dub_flv_tag_write (const DubFlvTag *tag, gint64 base_ms)
{
  gsize size;
  const guint8 *body = g_bytes_get_data (tag->body, &size);
  guint32 time = (guint32) (tag->dts_ms - base_ms);
  guint32 total = GUINT32_TO_BE ((guint32) (size + HEADER_SIZE));
  guint8 *out = g_malloc (HEADER_SIZE + size + TRAILER_SIZE);

  out[0] = (guint8) tag->type;
  put_be24 (out + 1, (guint32) size);
  put_be24 (out + 4, time & 0xffffff);
  out[7] = (guint8) (time >> 24);
  put_be24 (out + 8, 0); /* stream id, always 0 */
  memcpy (out + HEADER_SIZE, body, size);
  memcpy (out + HEADER_SIZE + size, &total, TRAILER_SIZE);
  return g_bytes_new_take (out, HEADER_SIZE + size + TRAILER_SIZE);
}
