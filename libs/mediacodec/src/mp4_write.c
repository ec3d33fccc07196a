/* SPDX-License-Identifier: Apache-2.0 */
#include "mp4_write.h"

#include <string.h>

/* Boxes nest: each writes its length when it is closed. */

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
  put_u16 (to, value & 0xFFFF);
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

  if (size > 0)
    g_byte_array_append (to, data, (guint) size);
}

/* Where it begins, for box_end (). */
static guint
box_begin (GByteArray *to, const char *type)
{
  guint at = to->len;

  put_u32 (to, 0);
  put_text (to, type);
  return at;
}

/* A box with version and flags. */
static guint
full_box_begin (GByteArray *to, const char *type, guint32 flags)
{
  guint at = box_begin (to, type);

  put_u32 (to, flags);
  return at;
}

static void
set_u32 (GByteArray *to, guint at, guint32 value)
{
  to->data[at] = (guint8) (value >> 24);
  to->data[at + 1] = (guint8) (value >> 16);
  to->data[at + 2] = (guint8) (value >> 8);
  to->data[at + 3] = (guint8) value;
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

static void
put_ftyp (GByteArray *to)
{
  guint box = box_begin (to, "ftyp");

  put_text (to, "M4A ");
  put_u32 (to, 0x200);
  put_text (to, "M4A isomiso2");
  box_end (to, box);
}

/* The movie counts in samples, so that the edit list is exact. It is said to be
 * longer than its edits by what they skip: GStreamer's qtdemux stops there in
 * the track's own time, and would leave out the last frames. */
static void
put_mvhd (GByteArray *to, const DubMp4Track *track)
{
  guint box = full_box_begin (to, "mvhd", 0);

  put_zeros (to, 8); /* made, changed */
  put_u32 (to, track->rate_hz);
  put_u32 (to, (guint32) track->n_samples + track->delay);
  put_u32 (to, 0x10000); /* rate */
  put_u16 (to, 0x100);   /* volume */
  put_zeros (to, 10);
  put_matrix (to);
  put_zeros (to, 24);
  put_u32 (to, 2); /* next track */
  box_end (to, box);
}

static void
put_tkhd (GByteArray *to, const DubMp4Track *track)
{
  guint box = full_box_begin (to, "tkhd", 3); /* enabled, in movie */

  put_zeros (to, 8);
  put_u32 (to, 1); /* track */
  put_zeros (to, 4);
  put_u32 (to, (guint32) track->n_samples);
  put_zeros (to, 8);
  put_u16 (to, 0);     /* layer */
  put_u16 (to, 1);     /* alternate group */
  put_u16 (to, 0x100); /* volume */
  put_zeros (to, 2);
  put_matrix (to);
  put_zeros (to, 8); /* no picture */
  box_end (to, box);
}

static void
put_edts (GByteArray *to, const DubMp4Track *track)
{
  guint edts = box_begin (to, "edts");
  guint elst = full_box_begin (to, "elst", 0);

  put_u32 (to, 1);
  put_u32 (to, (guint32) track->n_samples);
  put_u32 (to, track->delay);
  put_u32 (to, 0x10000);
  box_end (to, elst);
  box_end (to, edts);
}

static void
put_mdhd (GByteArray *to, const DubMp4Track *track)
{
  guint box = full_box_begin (to, "mdhd", 0);

  put_zeros (to, 8);
  put_u32 (to, track->rate_hz);
  put_u32 (to, track->frames->len * DUB_AAC_FRAME);
  put_u16 (to, 0x55C4); /* "und" */
  put_zeros (to, 2);
  box_end (to, box);
}

static void
put_hdlr (GByteArray *to)
{
  guint box = full_box_begin (to, "hdlr", 0);

  put_zeros (to, 4);
  put_text (to, "soun");
  put_zeros (to, 12);
  put_text (to, "SoundHandler");
  put_zeros (to, 1);
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

/* Descriptors of ISO 14496-1: a tag, a length (below 128 here), the rest. */
static void
put_esds (GByteArray *to, const DubMp4Track *track)
{
  guint config = (guint) g_bytes_get_size (track->config);
  guint box = full_box_begin (to, "esds", 0);

  put_u8 (to, 0x03); /* ES */
  put_u8 (to, 3 + 2 + 13 + 2 + config + 3);
  put_u16 (to, 1);
  put_u8 (to, 0);
  put_u8 (to, 0x04); /* decoder configuration */
  put_u8 (to, 13 + 2 + config);
  put_u8 (to, 0x40); /* MPEG-4 audio */
  put_u8 (to, 0x15); /* audio stream */
  put_zeros (to, 3);
  put_u32 (to, track->bit_rate);
  put_u32 (to, track->bit_rate);
  put_u8 (to, 0x05); /* what the decoder needs */
  put_u8 (to, config);
  put_bytes (to, track->config);
  put_u8 (to, 0x06); /* SL configuration, predefined: MP4 */
  put_u8 (to, 1);
  put_u8 (to, 2);
  box_end (to, box);
}

static void
put_stsd (GByteArray *to, const DubMp4Track *track)
{
  guint stsd = full_box_begin (to, "stsd", 0);
  guint mp4a;

  put_u32 (to, 1);
  mp4a = box_begin (to, "mp4a");
  put_zeros (to, 6);
  put_u16 (to, 1); /* data reference */
  put_zeros (to, 8);
  put_u16 (to, track->channels);
  put_u16 (to, 16); /* bits */
  put_zeros (to, 4);
  put_u16 (to, track->rate_hz <= G_MAXUINT16 ? track->rate_hz : 0);
  put_u16 (to, 0);
  put_esds (to, track);
  box_end (to, mp4a);
  box_end (to, stsd);
}

/* One chunk holds all. Its offset is set when it is known: the answer is where
 * it goes. */
static guint
put_tables (GByteArray *to, const DubMp4Track *track)
{
  guint box, offset_at;

  box = full_box_begin (to, "stts", 0);
  put_u32 (to, 1);
  put_u32 (to, track->frames->len);
  put_u32 (to, DUB_AAC_FRAME);
  box_end (to, box);

  box = full_box_begin (to, "stsc", 0);
  put_u32 (to, 1);
  put_u32 (to, 1);
  put_u32 (to, track->frames->len);
  put_u32 (to, 1);
  box_end (to, box);

  box = full_box_begin (to, "stsz", 0);
  put_u32 (to, 0);
  put_u32 (to, track->frames->len);
  for (guint i = 0; i < track->frames->len; i++)
    put_u32 (
        to, (guint32) g_bytes_get_size (g_ptr_array_index (track->frames, i)));
  box_end (to, box);

  box = full_box_begin (to, "stco", 0);
  put_u32 (to, 1);
  offset_at = to->len;
  put_u32 (to, 0);
  box_end (to, box);
  return offset_at;
}

static guint
put_minf (GByteArray *to, const DubMp4Track *track)
{
  guint minf = box_begin (to, "minf");
  guint smhd = full_box_begin (to, "smhd", 0);
  guint stbl, offset_at;

  put_zeros (to, 4);
  box_end (to, smhd);
  put_dinf (to);
  stbl = box_begin (to, "stbl");
  put_stsd (to, track);
  offset_at = put_tables (to, track);
  box_end (to, stbl);
  box_end (to, minf);
  return offset_at;
}

static guint
put_moov (GByteArray *to, const DubMp4Track *track)
{
  guint moov = box_begin (to, "moov");
  guint trak, mdia, offset_at;

  put_mvhd (to, track);
  trak = box_begin (to, "trak");
  put_tkhd (to, track);
  put_edts (to, track);
  mdia = box_begin (to, "mdia");
  put_mdhd (to, track);
  put_hdlr (to);
  offset_at = put_minf (to, track);
  box_end (to, mdia);
  box_end (to, trak);
  box_end (to, moov);
  return offset_at;
}

GBytes *
dub_mp4_write (const DubMp4Track *track)
{
  GByteArray *to = g_byte_array_new ();
  guint offset_at, mdat;

  put_ftyp (to);
  offset_at = put_moov (to, track);
  mdat = box_begin (to, "mdat");
  set_u32 (to, offset_at, to->len);
  for (guint i = 0; i < track->frames->len; i++)
    put_bytes (to, g_ptr_array_index (track->frames, i));
  box_end (to, mdat);
  return g_byte_array_free_to_bytes (to);
}
