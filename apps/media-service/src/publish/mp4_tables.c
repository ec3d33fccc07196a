/* SPDX-License-Identifier: Apache-2.0 */
#include "mp4_tables.h"

#include "mp4_box.h"

#define SOUND_SCALE 48000u
#define SOUND_CHANNELS 2
#define AAC_FRAME 1024

/* ---- what a track is ---- */

/* A stretch of nothing, then the media from a point on: times in
 * SOUND_SCALE, but for the point, which is in the track's own. */
typedef struct {
  guint64 gap, length;
  gint64 from;
} Edit;

typedef struct {
  guint32 number;
  gboolean is_video;
  guint32 scale;
  guint64 media_length; /* in scale */
  Edit edit;
  const GArray *samples;
} Track;

gint64
dub_mp4_ticks (gint64 ns, guint32 scale)
{
  gint64 whole = ns / DUB_NS_PER_S, rest = ns % DUB_NS_PER_S;

  if (rest < 0) {
    rest += DUB_NS_PER_S;
    whole--;
  }
  return whole * scale + (rest * scale + DUB_NS_PER_S / 2) / DUB_NS_PER_S;
}

static const DubMp4Sample *
sample_at (const GArray *samples, guint i)
{
  return &g_array_index (samples, DubMp4Sample, i);
}

static gint64
first_pts (const DubMp4Movie *self)
{
  gint64 first = sample_at (self->pictures, 0)->pts;

  /* Pictures that are decoded after the first may be shown before it. */
  for (guint i = 1; i < MIN (self->pictures->len, 32); i++)
    first = MIN (first, sample_at (self->pictures, i)->pts);
  return first;
}

static Track
video_track (const DubMp4Movie *self, gint64 zero_ns)
{
  const GArray *pictures = self->pictures;
  gint64 first_dts = sample_at (pictures, 0)->dts;
  gint64 end = sample_at (pictures, pictures->len - 1)->dts;
  gint64 zero = dub_mp4_ticks (zero_ns, DUB_MP4_VIDEO_SCALE);
  gint64 start = MAX (first_pts (self), zero);
  gint64 length = end - first_dts + self->last_duration;
  const gint64 ratio_up = SOUND_SCALE / 1000,
               ratio_down = DUB_MP4_VIDEO_SCALE / 1000;

  return (Track){.number = 1,
      .is_video = TRUE,
      .scale = DUB_MP4_VIDEO_SCALE,
      .media_length = (guint64) length,
      .samples = pictures,
      .edit = {.gap = (guint64) ((start - zero) * ratio_up / ratio_down),
          .length = (guint64) (length * ratio_up / ratio_down),
          .from = start - first_dts}};
}

static Track
sound_track (const DubMp4Movie *self, gint64 zero_ns, gint64 end_ns)
{
  gint64 first = dub_mp4_ticks (self->sound_first_ns, SOUND_SCALE);
  gint64 zero = dub_mp4_ticks (zero_ns, SOUND_SCALE);
  gint64 start = MAX (zero, first);
  gint64 held = (gint64) self->sound->len * AAC_FRAME;
  gint64 end = MIN (dub_mp4_ticks (end_ns, SOUND_SCALE), first + held);

  return (Track){.number = 2,
      .scale = SOUND_SCALE,
      .media_length = (guint64) held,
      .samples = self->sound,
      .edit = {.gap = (guint64) (start - zero),
          .length = (guint64) MAX (0, end - start),
          .from = start - first}};
}

static void
put_matrix (GByteArray *to)
{
  static const guint32 identity[] = {
      0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000};

  for (guint i = 0; i < G_N_ELEMENTS (identity); i++)
    dub_mp4_put_u32 (to, identity[i]);
}

/* ---- the tables ---- */

static void
put_mvhd (GByteArray *to, guint64 length)
{
  guint box = dub_mp4_full_box_begin (to, "mvhd", 0x1000000);

  dub_mp4_put_zeros (to, 16); /* made, changed */
  dub_mp4_put_u32 (to, SOUND_SCALE);
  dub_mp4_put_u64 (to, length);
  dub_mp4_put_u32 (to, 0x10000); /* rate */
  dub_mp4_put_u16 (to, 0x100);   /* volume */
  dub_mp4_put_zeros (to, 10);
  put_matrix (to);
  dub_mp4_put_zeros (to, 24);
  dub_mp4_put_u32 (to, 3); /* next track */
  dub_mp4_box_end (to, box);
}

static void
put_tkhd (GByteArray *to, const DubMp4Movie *self, const Track *track)
{
  guint box =
      dub_mp4_full_box_begin (to, "tkhd", 0x1000003); /* enabled, in movie */

  dub_mp4_put_zeros (to, 16);
  dub_mp4_put_u32 (to, track->number);
  dub_mp4_put_zeros (to, 4);
  dub_mp4_put_u64 (to, track->edit.gap + track->edit.length);
  dub_mp4_put_zeros (to, 12); /* reserved, layer, group */
  dub_mp4_put_u16 (to, track->is_video ? 0 : 0x100);
  dub_mp4_put_zeros (to, 2);
  put_matrix (to);
  dub_mp4_put_u32 (to, track->is_video ? self->width << 16 : 0);
  dub_mp4_put_u32 (to, track->is_video ? self->height << 16 : 0);
  dub_mp4_box_end (to, box);
}

static void
put_edit (GByteArray *to, guint64 length, gint64 from)
{
  dub_mp4_put_u64 (to, length);
  dub_mp4_put_u64 (to, (guint64) from);
  dub_mp4_put_u32 (to, 0x10000);
}

static void
put_edts (GByteArray *to, const Track *track)
{
  guint edts = dub_mp4_box_begin (to, "edts");
  guint elst = dub_mp4_full_box_begin (to, "elst", 0x1000000);

  dub_mp4_put_u32 (to, track->edit.gap > 0 ? 2 : 1);
  if (track->edit.gap > 0)
    put_edit (to, track->edit.gap, -1);
  put_edit (to, track->edit.length, track->edit.from);
  dub_mp4_box_end (to, elst);
  dub_mp4_box_end (to, edts);
}

static void
put_mdhd (GByteArray *to, const Track *track)
{
  guint box = dub_mp4_full_box_begin (to, "mdhd", 0x1000000);

  dub_mp4_put_zeros (to, 16);
  dub_mp4_put_u32 (to, track->scale);
  dub_mp4_put_u64 (to, track->media_length);
  dub_mp4_put_u16 (to, 0x55c4); /* "und" */
  dub_mp4_put_zeros (to, 2);
  dub_mp4_box_end (to, box);
}

static void
put_hdlr (GByteArray *to, const Track *track)
{
  guint box = dub_mp4_full_box_begin (to, "hdlr", 0);

  dub_mp4_put_zeros (to, 4);
  dub_mp4_put_text (to, track->is_video ? "vide" : "soun");
  dub_mp4_put_zeros (to, 12);
  dub_mp4_put_text (to, track->is_video ? "VideoHandler" : "SoundHandler");
  dub_mp4_put_zeros (to, 1);
  dub_mp4_box_end (to, box);
}

static void
put_media_header (GByteArray *to, const Track *track)
{
  guint box = dub_mp4_full_box_begin (
      to, track->is_video ? "vmhd" : "smhd", track->is_video ? 1 : 0);

  dub_mp4_put_zeros (to, track->is_video ? 8 : 4);
  dub_mp4_box_end (to, box);
}

static void
put_dinf (GByteArray *to)
{
  guint dinf = dub_mp4_box_begin (to, "dinf");
  guint dref = dub_mp4_full_box_begin (to, "dref", 0);
  guint url;

  dub_mp4_put_u32 (to, 1);
  url = dub_mp4_full_box_begin (to, "url ", 1); /* in this file */
  dub_mp4_box_end (to, url);
  dub_mp4_box_end (to, dref);
  dub_mp4_box_end (to, dinf);
}

static void
put_video_entry (GByteArray *to, const DubMp4Movie *self)
{
  gboolean is_h265 = self->codec == DUB_VIDEO_CODEC_H265;
  guint entry = dub_mp4_box_begin (to, is_h265 ? "hvc1" : "avc1");
  guint config;

  dub_mp4_put_zeros (to, 6);
  dub_mp4_put_u16 (to, 1); /* data reference */
  dub_mp4_put_zeros (to, 16);
  dub_mp4_put_u16 (to, self->width);
  dub_mp4_put_u16 (to, self->height);
  dub_mp4_put_u32 (to, 0x480000); /* 72 dpi */
  dub_mp4_put_u32 (to, 0x480000);
  dub_mp4_put_zeros (to, 4);
  dub_mp4_put_u16 (to, 1);    /* pictures a sample */
  dub_mp4_put_zeros (to, 32); /* name of the coder */
  dub_mp4_put_u16 (to, 24);   /* depth */
  dub_mp4_put_u16 (to, 0xffff);
  config = dub_mp4_box_begin (to, is_h265 ? "hvcC" : "avcC");
  dub_mp4_put_bytes (to, self->video_config);
  dub_mp4_box_end (to, config);
  dub_mp4_box_end (to, entry);
}

/* Descriptors of ISO 14496-1: a tag, a length (below 128 here), the rest. */
static void
put_esds (GByteArray *to, const DubMp4Movie *self)
{
  guint config = (guint) g_bytes_get_size (self->sound_config);
  guint box = dub_mp4_full_box_begin (to, "esds", 0);

  dub_mp4_put_u8 (to, 0x03); /* ES */
  dub_mp4_put_u8 (to, 3 + 2 + 13 + 2 + config + 3);
  dub_mp4_put_u16 (to, 2);
  dub_mp4_put_u8 (to, 0);
  dub_mp4_put_u8 (to, 0x04); /* decoder configuration */
  dub_mp4_put_u8 (to, 13 + 2 + config);
  dub_mp4_put_u8 (to, 0x40); /* MPEG-4 audio */
  dub_mp4_put_u8 (to, 0x15); /* audio stream */
  dub_mp4_put_zeros (to, 3);
  dub_mp4_put_u32 (to, self->bit_rate);
  dub_mp4_put_u32 (to, self->bit_rate);
  dub_mp4_put_u8 (to, 0x05); /* what the decoder needs */
  dub_mp4_put_u8 (to, config);
  dub_mp4_put_bytes (to, self->sound_config);
  dub_mp4_put_u8 (to, 0x06); /* SL configuration, predefined: MP4 */
  dub_mp4_put_u8 (to, 1);
  dub_mp4_put_u8 (to, 2);
  dub_mp4_box_end (to, box);
}

static void
put_sound_entry (GByteArray *to, const DubMp4Movie *self)
{
  guint entry = dub_mp4_box_begin (to, "mp4a");

  dub_mp4_put_zeros (to, 6);
  dub_mp4_put_u16 (to, 1); /* data reference */
  dub_mp4_put_zeros (to, 8);
  dub_mp4_put_u16 (to, SOUND_CHANNELS);
  dub_mp4_put_u16 (to, 16); /* bits */
  dub_mp4_put_zeros (to, 4);
  dub_mp4_put_u32 (to, SOUND_SCALE << 16);
  put_esds (to, self);
  dub_mp4_box_end (to, entry);
}

static void
put_stsd (GByteArray *to, const DubMp4Movie *self, const Track *track)
{
  guint box = dub_mp4_full_box_begin (to, "stsd", 0);

  dub_mp4_put_u32 (to, 1);
  if (track->is_video)
    put_video_entry (to, self);
  else
    put_sound_entry (to, self);
  dub_mp4_box_end (to, box);
}

static guint32
duration_of (const DubMp4Movie *self, const Track *track, guint i)
{
  if (!track->is_video)
    return AAC_FRAME;
  if (i + 1 == track->samples->len)
    return (guint32) self->last_duration;
  return (guint32) (sample_at (track->samples, i + 1)->dts -
                    sample_at (track->samples, i)->dts);
}

static void
put_times (GByteArray *to, const DubMp4Movie *self, const Track *track)
{
  guint box = dub_mp4_full_box_begin (to, "stts", 0);
  DubMp4Runs runs = dub_mp4_runs_begin (to);

  for (guint i = 0; i < track->samples->len; i++)
    dub_mp4_runs_add (&runs, duration_of (self, track, i));
  dub_mp4_runs_end (&runs);
  dub_mp4_box_end (to, box);
  if (!track->is_video)
    return;
  box = dub_mp4_full_box_begin (to, "ctts", 0);
  runs = dub_mp4_runs_begin (to);
  for (guint i = 0; i < track->samples->len; i++) {
    const DubMp4Sample *sample = sample_at (track->samples, i);

    dub_mp4_runs_add (&runs, (guint32) (sample->pts - sample->dts));
  }
  dub_mp4_runs_end (&runs);
  dub_mp4_box_end (to, box);
}

static void
put_keys (GByteArray *to, const Track *track)
{
  guint box = dub_mp4_full_box_begin (to, "stss", 0);
  guint count_at = to->len;
  guint32 count = 0;

  dub_mp4_put_u32 (to, 0);
  for (guint i = 0; i < track->samples->len; i++) {
    if (!sample_at (track->samples, i)->is_key)
      continue;
    dub_mp4_put_u32 (to, i + 1);
    count++;
  }
  dub_mp4_set_u32 (to, count_at, count);
  dub_mp4_box_end (to, box);
}

/* Each sample is a chunk of its own: the tables are a little longer, and say
 * where each one is without a rule. */
static void
put_places (GByteArray *to, const Track *track)
{
  guint box = dub_mp4_full_box_begin (to, "stsc", 0);

  dub_mp4_put_u32 (to, 1);
  dub_mp4_put_u32 (to, 1);
  dub_mp4_put_u32 (to, 1);
  dub_mp4_put_u32 (to, 1);
  dub_mp4_box_end (to, box);
  box = dub_mp4_full_box_begin (to, "stsz", 0);
  dub_mp4_put_u32 (to, 0);
  dub_mp4_put_u32 (to, track->samples->len);
  for (guint i = 0; i < track->samples->len; i++)
    dub_mp4_put_u32 (to, sample_at (track->samples, i)->size);
  dub_mp4_box_end (to, box);
  box = dub_mp4_full_box_begin (to, "co64", 0);
  dub_mp4_put_u32 (to, track->samples->len);
  for (guint i = 0; i < track->samples->len; i++)
    dub_mp4_put_u64 (to, sample_at (track->samples, i)->offset);
  dub_mp4_box_end (to, box);
}

static void
put_trak (GByteArray *to, const DubMp4Movie *self, const Track *track)
{
  guint trak = dub_mp4_box_begin (to, "trak");
  guint mdia, minf, stbl;

  put_tkhd (to, self, track);
  put_edts (to, track);
  mdia = dub_mp4_box_begin (to, "mdia");
  put_mdhd (to, track);
  put_hdlr (to, track);
  minf = dub_mp4_box_begin (to, "minf");
  put_media_header (to, track);
  put_dinf (to);
  stbl = dub_mp4_box_begin (to, "stbl");
  put_stsd (to, self, track);
  put_times (to, self, track);
  if (track->is_video)
    put_keys (to, track);
  put_places (to, track);
  dub_mp4_box_end (to, stbl);
  dub_mp4_box_end (to, minf);
  dub_mp4_box_end (to, mdia);
  dub_mp4_box_end (to, trak);
}

void
dub_mp4_tables_write (const DubMp4Movie *self, gint64 zero_ns,
    gint64 sound_end_ns, GByteArray *to)
{
  Track video = video_track (self, zero_ns);
  Track sound = sound_track (self, zero_ns, sound_end_ns);
  guint moov = dub_mp4_box_begin (to, "moov");

  put_mvhd (to, MAX (video.edit.gap + video.edit.length,
                    sound.edit.gap + sound.edit.length));
  put_trak (to, self, &video);
  put_trak (to, self, &sound);
  dub_mp4_box_end (to, moov);
}
