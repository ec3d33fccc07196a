/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <media_service/values.h>

/*
 * What stands in an MP4 file beside its media: where each picture and each
 * frame of sound is, and when. Pure; any thread.
 */
G_BEGIN_DECLS

/* Counts each frame rate in use exactly, 24000/1001 included. */
#define DUB_MP4_VIDEO_SCALE 360000

typedef struct {
  guint64 offset;
  guint32 size;
  gint64 dts, pts; /* in DUB_MP4_VIDEO_SCALE; of sound unused */
  gboolean is_key;
} DubMp4Sample;

typedef struct {
  GArray *pictures; /* DubMp4Sample, in decode order */
  DubVideoCodec codec;
  GBytes *video_config;
  guint width, height;
  gint64 last_duration; /* of the newest picture, in DUB_MP4_VIDEO_SCALE */

  GArray *sound; /* DubMp4Sample, of 1024 samples at 48 kHz each */
  GBytes *sound_config;
  guint bit_rate;
  gint64 sound_first_ns; /* media time of the first sample */
} DubMp4Movie;

/* In scale, nearest. */
gint64 dub_mp4_ticks (gint64 ns, guint32 scale);

/* Appends the box moov. zero_ns: the media time at which the file starts; the
 * sound is heard from there to sound_end_ns. Both tracks have samples. */
void dub_mp4_tables_write (const DubMp4Movie *self, gint64 zero_ns,
    gint64 sound_end_ns, GByteArray *to);

G_END_DECLS
