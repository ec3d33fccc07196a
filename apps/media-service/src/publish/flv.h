/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <media_service/values.h>

/*
 * FLV tags (Adobe Flash Video File Format Specification, version 10.1, annex
 * E), as RTMP carries them: H.264 and AAC, and H.265 by Enhanced RTMP (hvc1),
 * which MediaMTX and many services take. We write them ourselves, not
 * with flvmux, so that times leave exactly as the programme gave them, new
 * codec data goes out where it is due, no clock and no wait is between the
 * programme and the socket, and one coded sound can feed several servers.
 *
 * Pure functions; any thread.
 */
G_BEGIN_DECLS

typedef enum {
  DUB_FLV_NONE = 0,
  DUB_FLV_SOUND = 8,
  DUB_FLV_VIDEO = 9,
  DUB_FLV_SCRIPT = 18,
} DubFlvType;

/* One tag without its header: what it is, when, and its bytes. */
typedef struct {
  gatomicrefcount ref_count;
  DubFlvType type;
  gint64 dts_ms;
  gboolean is_key;    /* a key frame */
  gboolean is_config; /* codec data: goes first on each connection */
  GBytes *body;
} DubFlvTag;

DubFlvTag *dub_flv_tag_ref (DubFlvTag *tag);
void dub_flv_tag_unref (DubFlvTag *tag);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubFlvTag, dub_flv_tag_unref)

/* A picture; unit's codec data is not in it. */
DubFlvTag *dub_flv_tag_new_video (const DubAccessUnit *unit);
/* codec_data: avcC or hvcC */
DubFlvTag *dub_flv_tag_new_video_config (
    DubVideoCodec codec, GBytes *codec_data, gint64 dts_ms);
gboolean dub_flv_tag_is_enhanced (const DubFlvTag *tag);
/* frame: one raw AAC frame */
DubFlvTag *dub_flv_tag_new_sound (GBytes *frame, gint64 pts_ns);
/* config: AudioSpecificConfig */
DubFlvTag *dub_flv_tag_new_sound_config (GBytes *config, gint64 dts_ms);
/* onMetaData: which codecs to wait for */
DubFlvTag *dub_flv_tag_new_metadata (DubVideoCodec codec, gint64 dts_ms);

/* Header, body and trailing size; the time is dts_ms - base_ms, modulo 2^32.
 * (transfer full) */
GBytes *dub_flv_tag_write (const DubFlvTag *tag, gint64 base_ms);

/* Nearest millisecond. */
gint64 dub_flv_ms (gint64 ns);

G_END_DECLS
