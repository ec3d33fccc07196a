/* SPDX-License-Identifier: Apache-2.0 */
#include "mp4_file.h"

#include <dubbing_common/error.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Counts each frame rate in use exactly, 24000/1001 included. */
#define VIDEO_SCALE 360000
#define SOUND_SCALE 48000
#define SOUND_CHANNELS 2
#define AAC_FRAME 1024
#define WRITE_BUFFER (1 << 20)

typedef struct {
  guint64 offset;
  guint32 size;
  gint64 dts, pts; /* in VIDEO_SCALE; of sound unused */
  gboolean is_key;
} Sample;

struct _DubMp4File {
  char *path;
  char *part; /* its name until it is whole */
  FILE *file;
  guint64 at; /* where the next byte goes */
  guint64 mdat_at;

  GArray *pictures; /* Sample */
  DubVideoCodec codec;
  GBytes *video_config;
  guint width, height;
  gint64 last_duration; /* of the newest picture, in VIDEO_SCALE */

  GArray *sound; /* Sample */
  GBytes *sound_config;
  guint bit_rate;
  gint64 sound_first_ns;
};

/* ---- boxes ---- */

static void
put_u8 (GByteArray *to, guint value)
{
  guint8 byte = (guint8) value;

  g_byte_array_append (to, &byte, 1);
}

static void
put_u16 (GByteArray *to, guint value)
{
  put_u8 (to, value >> 8);
  put_u8 (to, value);
}

static void
put_u32 (GByteArray *to, guint32 value)
{
  put_u16 (to, value >> 16);
  put_u16 (to, value & 0xffff);
}

static void
put_u64 (GByteArray *to, guint64 value)
{
  put_u32 (to, (guint32) (value >> 32));
  put_u32 (to, (guint32) value);
}

static void
put_zeros (GByteArray *to, guint n)
{
  while (n-- > 0)
    put_u8 (to, 0);
}

static void
put_text (GByteArray *to, const char *text)
{
  g_byte_array_append (to, (const guint8 *) text, (guint) strlen (text));
}

static void
put_bytes (GByteArray *to, GBytes *bytes)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  g_byte_array_append (to, data, (guint) size);
}

static guint
box_begin (GByteArray *to, const char *type)
{
  guint at = to->len;

  put_u32 (to, 0);
  put_text (to, type);
  return at;
}

static guint
full_box_begin (GByteArray *to, const char *type, guint32 version_flags)
{
  guint at = box_begin (to, type);

  put_u32 (to, version_flags);
  return at;
}

static void
set_u32 (GByteArray *to, guint at, guint32 value)
{
  value = GUINT32_TO_BE (value);
  memcpy (to->data + at, &value, sizeof value);
}

static void
box_end (GByteArray *to, guint at)
{
  set_u32 (to, at, to->len - at);
}

static void
put_matrix (GByteArray *to)
{
  static const guint32 identity[] = {
      0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000};

  for (guint i = 0; i < G_N_ELEMENTS (identity); i++)
    put_u32 (to, identity[i]);
}

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

static gint64
ticks (gint64 ns, guint32 scale)
{
  gint64 whole = ns / DUB_NS_PER_S, rest = ns % DUB_NS_PER_S;

  if (rest < 0) {
    rest += DUB_NS_PER_S;
    whole--;
  }
  return whole * scale + (rest * scale + DUB_NS_PER_S / 2) / DUB_NS_PER_S;
}

static const Sample *
sample_at (const GArray *samples, guint i)
{
  return &g_array_index (samples, Sample, i);
}

static gint64
first_pts (const DubMp4File *self)
{
  gint64 first = sample_at (self->pictures, 0)->pts;

  /* Pictures that are decoded after the first may be shown before it. */
  for (guint i = 1; i < MIN (self->pictures->len, 32); i++)
    first = MIN (first, sample_at (self->pictures, i)->pts);
  return first;
}

static Track
video_track (const DubMp4File *self, gint64 zero_ns)
{
  const GArray *pictures = self->pictures;
  gint64 first_dts = sample_at (pictures, 0)->dts;
  gint64 end = sample_at (pictures, pictures->len - 1)->dts;
  gint64 zero = ticks (zero_ns, VIDEO_SCALE);
  gint64 start = MAX (first_pts (self), zero);
  gint64 length = end - first_dts + self->last_duration;
  const gint64 ratio_up = SOUND_SCALE / 1000, ratio_down = VIDEO_SCALE / 1000;

  return (Track){.number = 1,
      .is_video = TRUE,
      .scale = VIDEO_SCALE,
      .media_length = (guint64) length,
      .samples = pictures,
      .edit = {.gap = (guint64) ((start - zero) * ratio_up / ratio_down),
          .length = (guint64) (length * ratio_up / ratio_down),
          .from = start - first_dts}};
}

static Track
sound_track (const DubMp4File *self, gint64 zero_ns, gint64 end_ns)
{
  gint64 first = ticks (self->sound_first_ns, SOUND_SCALE);
  gint64 zero = ticks (zero_ns, SOUND_SCALE);
  gint64 start = MAX (zero, first);
  gint64 held = (gint64) self->sound->len * AAC_FRAME;
  gint64 end = MIN (ticks (end_ns, SOUND_SCALE), first + held);

  return (Track){.number = 2,
      .scale = SOUND_SCALE,
      .media_length = (guint64) held,
      .samples = self->sound,
      .edit = {.gap = (guint64) (start - zero),
          .length = (guint64) MAX (0, end - start),
          .from = start - first}};
}

/* ---- the tables ---- */

static void
put_mvhd (GByteArray *to, guint64 length)
{
  guint box = full_box_begin (to, "mvhd", 0x1000000);

  put_zeros (to, 16); /* made, changed */
  put_u32 (to, SOUND_SCALE);
  put_u64 (to, length);
  put_u32 (to, 0x10000); /* rate */
  put_u16 (to, 0x100);   /* volume */
  put_zeros (to, 10);
  put_matrix (to);
  put_zeros (to, 24);
  put_u32 (to, 3); /* next track */
  box_end (to, box);
}

static void
put_tkhd (GByteArray *to, const DubMp4File *self, const Track *track)
{
  guint box = full_box_begin (to, "tkhd", 0x1000003); /* enabled, in movie */

  put_zeros (to, 16);
  put_u32 (to, track->number);
  put_zeros (to, 4);
  put_u64 (to, track->edit.gap + track->edit.length);
  put_zeros (to, 12); /* reserved, layer, group */
  put_u16 (to, track->is_video ? 0 : 0x100);
  put_zeros (to, 2);
  put_matrix (to);
  put_u32 (to, track->is_video ? self->width << 16 : 0);
  put_u32 (to, track->is_video ? self->height << 16 : 0);
  box_end (to, box);
}

static void
put_edit (GByteArray *to, guint64 length, gint64 from)
{
  put_u64 (to, length);
  put_u64 (to, (guint64) from);
  put_u32 (to, 0x10000);
}

static void
put_edts (GByteArray *to, const Track *track)
{
  guint edts = box_begin (to, "edts");
  guint elst = full_box_begin (to, "elst", 0x1000000);

  put_u32 (to, track->edit.gap > 0 ? 2 : 1);
  if (track->edit.gap > 0)
    put_edit (to, track->edit.gap, -1);
  put_edit (to, track->edit.length, track->edit.from);
  box_end (to, elst);
  box_end (to, edts);
}

static void
put_mdhd (GByteArray *to, const Track *track)
{
  guint box = full_box_begin (to, "mdhd", 0x1000000);

  put_zeros (to, 16);
  put_u32 (to, track->scale);
  put_u64 (to, track->media_length);
  put_u16 (to, 0x55c4); /* "und" */
  put_zeros (to, 2);
  box_end (to, box);
}

static void
put_hdlr (GByteArray *to, const Track *track)
{
  guint box = full_box_begin (to, "hdlr", 0);

  put_zeros (to, 4);
  put_text (to, track->is_video ? "vide" : "soun");
  put_zeros (to, 12);
  put_text (to, track->is_video ? "VideoHandler" : "SoundHandler");
  put_zeros (to, 1);
  box_end (to, box);
}

static void
put_media_header (GByteArray *to, const Track *track)
{
  guint box = full_box_begin (
      to, track->is_video ? "vmhd" : "smhd", track->is_video ? 1 : 0);

  put_zeros (to, track->is_video ? 8 : 4);
  box_end (to, box);
}

static void
put_dinf (GByteArray *to)
{
  guint dinf = box_begin (to, "dinf");
  guint dref = full_box_begin (to, "dref", 0);
  guint url;

  put_u32 (to, 1);
  url = full_box_begin (to, "url ", 1); /* in this file */
  box_end (to, url);
  box_end (to, dref);
  box_end (to, dinf);
}

static void
put_video_entry (GByteArray *to, const DubMp4File *self)
{
  gboolean is_h265 = self->codec == DUB_VIDEO_CODEC_H265;
  guint entry = box_begin (to, is_h265 ? "hvc1" : "avc1");
  guint config;

  put_zeros (to, 6);
  put_u16 (to, 1); /* data reference */
  put_zeros (to, 16);
  put_u16 (to, self->width);
  put_u16 (to, self->height);
  put_u32 (to, 0x480000); /* 72 dpi */
  put_u32 (to, 0x480000);
  put_zeros (to, 4);
  put_u16 (to, 1);    /* pictures a sample */
  put_zeros (to, 32); /* name of the coder */
  put_u16 (to, 24);   /* depth */
  put_u16 (to, 0xffff);
  config = box_begin (to, is_h265 ? "hvcC" : "avcC");
  put_bytes (to, self->video_config);
  box_end (to, config);
  box_end (to, entry);
}

/* Descriptors of ISO 14496-1: a tag, a length (below 128 here), the rest. */
static void
put_esds (GByteArray *to, const DubMp4File *self)
{
  guint config = (guint) g_bytes_get_size (self->sound_config);
  guint box = full_box_begin (to, "esds", 0);

  put_u8 (to, 0x03); /* ES */
  put_u8 (to, 3 + 2 + 13 + 2 + config + 3);
  put_u16 (to, 2);
  put_u8 (to, 0);
  put_u8 (to, 0x04); /* decoder configuration */
  put_u8 (to, 13 + 2 + config);
  put_u8 (to, 0x40); /* MPEG-4 audio */
  put_u8 (to, 0x15); /* audio stream */
  put_zeros (to, 3);
  put_u32 (to, self->bit_rate);
  put_u32 (to, self->bit_rate);
  put_u8 (to, 0x05); /* what the decoder needs */
  put_u8 (to, config);
  put_bytes (to, self->sound_config);
  put_u8 (to, 0x06); /* SL configuration, predefined: MP4 */
  put_u8 (to, 1);
  put_u8 (to, 2);
  box_end (to, box);
}

static void
put_sound_entry (GByteArray *to, const DubMp4File *self)
{
  guint entry = box_begin (to, "mp4a");

  put_zeros (to, 6);
  put_u16 (to, 1); /* data reference */
  put_zeros (to, 8);
  put_u16 (to, SOUND_CHANNELS);
  put_u16 (to, 16); /* bits */
  put_zeros (to, 4);
  put_u32 (to, SOUND_SCALE << 16);
  put_esds (to, self);
  box_end (to, entry);
}

static void
put_stsd (GByteArray *to, const DubMp4File *self, const Track *track)
{
  guint box = full_box_begin (to, "stsd", 0);

  put_u32 (to, 1);
  if (track->is_video)
    put_video_entry (to, self);
  else
    put_sound_entry (to, self);
  box_end (to, box);
}

/* Runs of equal values, as stts and ctts want them. */
typedef struct {
  GByteArray *to;
  guint count_at;
  guint32 runs, length, value;
} Runs;

static Runs
runs_begin (GByteArray *to)
{
  Runs runs = {.to = to, .count_at = to->len};

  put_u32 (to, 0);
  return runs;
}

static void
runs_flush (Runs *runs)
{
  if (runs->length == 0)
    return;
  put_u32 (runs->to, runs->length);
  put_u32 (runs->to, runs->value);
  runs->runs++;
  runs->length = 0;
}

static void
runs_add (Runs *runs, guint32 value)
{
  if (value != runs->value)
    runs_flush (runs);
  runs->value = value;
  runs->length++;
}

static void
runs_end (Runs *runs)
{
  runs_flush (runs);
  set_u32 (runs->to, runs->count_at, runs->runs);
}

static guint32
duration_of (const DubMp4File *self, const Track *track, guint i)
{
  if (!track->is_video)
    return AAC_FRAME;
  if (i + 1 == track->samples->len)
    return (guint32) self->last_duration;
  return (guint32) (sample_at (track->samples, i + 1)->dts -
                    sample_at (track->samples, i)->dts);
}

static void
put_times (GByteArray *to, const DubMp4File *self, const Track *track)
{
  guint box = full_box_begin (to, "stts", 0);
  Runs runs = runs_begin (to);

  for (guint i = 0; i < track->samples->len; i++)
    runs_add (&runs, duration_of (self, track, i));
  runs_end (&runs);
  box_end (to, box);
  if (!track->is_video)
    return;
  box = full_box_begin (to, "ctts", 0);
  runs = runs_begin (to);
  for (guint i = 0; i < track->samples->len; i++) {
    const Sample *sample = sample_at (track->samples, i);

    runs_add (&runs, (guint32) (sample->pts - sample->dts));
  }
  runs_end (&runs);
  box_end (to, box);
}

static void
put_keys (GByteArray *to, const Track *track)
{
  guint box = full_box_begin (to, "stss", 0);
  guint count_at = to->len;
  guint32 count = 0;

  put_u32 (to, 0);
  for (guint i = 0; i < track->samples->len; i++) {
    if (!sample_at (track->samples, i)->is_key)
      continue;
    put_u32 (to, i + 1);
    count++;
  }
  set_u32 (to, count_at, count);
  box_end (to, box);
}

/* Each sample is a chunk of its own: the tables are a little longer, and say
 * where each one is without a rule. */
static void
put_places (GByteArray *to, const Track *track)
{
  guint box = full_box_begin (to, "stsc", 0);

  put_u32 (to, 1);
  put_u32 (to, 1);
  put_u32 (to, 1);
  put_u32 (to, 1);
  box_end (to, box);
  box = full_box_begin (to, "stsz", 0);
  put_u32 (to, 0);
  put_u32 (to, track->samples->len);
  for (guint i = 0; i < track->samples->len; i++)
    put_u32 (to, sample_at (track->samples, i)->size);
  box_end (to, box);
  box = full_box_begin (to, "co64", 0);
  put_u32 (to, track->samples->len);
  for (guint i = 0; i < track->samples->len; i++)
    put_u64 (to, sample_at (track->samples, i)->offset);
  box_end (to, box);
}

static void
put_trak (GByteArray *to, const DubMp4File *self, const Track *track)
{
  guint trak = box_begin (to, "trak");
  guint mdia, minf, stbl;

  put_tkhd (to, self, track);
  put_edts (to, track);
  mdia = box_begin (to, "mdia");
  put_mdhd (to, track);
  put_hdlr (to, track);
  minf = box_begin (to, "minf");
  put_media_header (to, track);
  put_dinf (to);
  stbl = box_begin (to, "stbl");
  put_stsd (to, self, track);
  put_times (to, self, track);
  if (track->is_video)
    put_keys (to, track);
  put_places (to, track);
  box_end (to, stbl);
  box_end (to, minf);
  box_end (to, mdia);
  box_end (to, trak);
}

static void
put_moov (
    GByteArray *to, const DubMp4File *self, gint64 zero_ns, gint64 sound_end_ns)
{
  Track video = video_track (self, zero_ns);
  Track sound = sound_track (self, zero_ns, sound_end_ns);
  guint moov = box_begin (to, "moov");

  put_mvhd (to, MAX (video.edit.gap + video.edit.length,
                    sound.edit.gap + sound.edit.length));
  put_trak (to, self, &video);
  put_trak (to, self, &sound);
  box_end (to, moov);
}

/* ---- the file ---- */

static gboolean
fail (const DubMp4File *self, GError **error)
{
  g_set_error (error, DUB_ERROR, DUB_ERROR_LIMIT, "%s cannot be written: %s",
      self->path, g_strerror (errno));
  return FALSE;
}

static gboolean
write_all (DubMp4File *self, gconstpointer data, gsize size, GError **error)
{
  if (size > 0 && fwrite (data, 1, size, self->file) != size)
    return fail (self, error);
  self->at += size;
  return TRUE;
}

/* mdat has a length of 64 bits, which is set in the end. */
static gboolean
begin_file (DubMp4File *self, GError **error)
{
  g_autoptr (GByteArray) head = g_byte_array_new ();
  guint ftyp = box_begin (head, "ftyp");

  put_text (head, "isom");
  put_u32 (head, 0x200);
  put_text (head, "isomiso2avc1mp41");
  box_end (head, ftyp);
  self->mdat_at = head->len;
  put_u32 (head, 1);
  put_text (head, "mdat");
  put_u64 (head, 0);
  return write_all (self, head->data, head->len, error);
}

DubMp4File *
dub_mp4_file_new (
    const char *path, GBytes *config, guint bit_rate, GError **error)
{
  g_autoptr (DubMp4File) self = g_new0 (DubMp4File, 1);

  self->path = g_strdup (path);
  self->part = g_strconcat (path, ".part", NULL);
  self->pictures = g_array_new (FALSE, FALSE, sizeof (Sample));
  self->sound = g_array_new (FALSE, FALSE, sizeof (Sample));
  self->sound_config = g_bytes_ref (config);
  self->bit_rate = bit_rate;
  self->file = fopen (self->part, "wbe");
  if (self->file == NULL) {
    fail (self, error);
    return NULL;
  }
  setvbuf (self->file, NULL, _IOFBF, WRITE_BUFFER);
  return begin_file (self, error) ? g_steal_pointer (&self) : NULL;
}

void
dub_mp4_file_free (DubMp4File *self)
{
  if (self == NULL)
    return;
  if (self->file != NULL) {
    fclose (self->file);
    remove (self->part);
  }
  g_clear_pointer (&self->pictures, g_array_unref);
  g_clear_pointer (&self->sound, g_array_unref);
  g_clear_pointer (&self->video_config, g_bytes_unref);
  g_clear_pointer (&self->sound_config, g_bytes_unref);
  g_free (self->path);
  g_free (self->part);
  g_free (self);
}

static gboolean
add (DubMp4File *self, GArray *samples, Sample sample, GBytes *bytes,
    GError **error)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);

  sample.offset = self->at;
  sample.size = (guint32) size;
  if (!write_all (self, data, size, error))
    return FALSE;
  g_array_append_val (samples, sample);
  return TRUE;
}

static gboolean
take_config (DubMp4File *self, const DubAccessUnit *unit, GError **error)
{
  if (unit->codec_data == NULL)
    return TRUE;
  if (self->video_config == NULL) {
    self->video_config = g_bytes_ref (unit->codec_data);
    self->codec = unit->codec;
    self->width = unit->width & 0xffff;
    self->height = unit->height & 0xffff;
    return TRUE;
  }
  if (g_bytes_equal (self->video_config, unit->codec_data))
    return TRUE;
  g_set_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
      "the video changes its format in the middle; one MP4 track has one");
  return FALSE;
}

gboolean
dub_mp4_file_add_video (
    DubMp4File *self, const DubAccessUnit *unit, GError **error)
{
  Sample sample = {.dts = ticks (unit->dts_ns, VIDEO_SCALE),
      .pts = ticks (unit->pts_ns, VIDEO_SCALE),
      .is_key = unit->is_key};

  if (!take_config (self, unit, error))
    return FALSE;
  if (self->pictures->len > 0)
    self->last_duration =
        sample.dts - sample_at (self->pictures, self->pictures->len - 1)->dts;
  if (unit->duration_ns > 0)
    self->last_duration = ticks (unit->duration_ns, VIDEO_SCALE);
  return add (self, self->pictures, sample, unit->data, error);
}

gboolean
dub_mp4_file_add_sound (
    DubMp4File *self, GBytes *frame, gint64 pts_ns, GError **error)
{
  if (self->sound->len == 0)
    self->sound_first_ns = pts_ns;
  return add (self, self->sound, (Sample){.is_key = TRUE}, frame, error);
}

static gboolean
set_mdat_length (DubMp4File *self, guint64 length, GError **error)
{
  guint64 big_endian = GUINT64_TO_BE (length);

  if (fseeko (self->file, (off_t) self->mdat_at + 8, SEEK_SET) != 0 ||
      fwrite (&big_endian, sizeof big_endian, 1, self->file) != 1)
    return fail (self, error);
  return TRUE;
}

gboolean
dub_mp4_file_finish (
    DubMp4File *self, gint64 zero_ns, gint64 sound_end_ns, GError **error)
{
  g_autoptr (GByteArray) moov = g_byte_array_new ();
  guint64 mdat_length = self->at - self->mdat_at;
  FILE *file;

  if (self->pictures->len == 0 || self->sound->len == 0 ||
      self->video_config == NULL) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "%s: there was nothing to write", self->path);
    return FALSE;
  }
  put_moov (moov, self, zero_ns, sound_end_ns);
  if (!write_all (self, moov->data, moov->len, error) ||
      !set_mdat_length (self, mdat_length, error))
    return FALSE;
  file = g_steal_pointer (&self->file);
  if (fclose (file) == 0 && rename (self->part, self->path) == 0)
    return TRUE;
  fail (self, error);
  remove (self->part);
  return FALSE;
}
