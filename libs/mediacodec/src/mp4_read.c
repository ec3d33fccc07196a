/* SPDX-License-Identifier: Apache-2.0 */
#include "mp4_read.h"

#include <dubbing_common/error.h>
#include <string.h>

/* A part of the file: what a box holds, or what is left of it. */
typedef struct {
  const guint8 *at;
  gsize left;
} Part;

/* The boxes of the sound track, as far as they were found. */
typedef struct {
  Part mvhd, mdhd, elst, stsd, stsz, stsc, chunks;
  gboolean has_wide_chunks; /* co64 */
  gboolean is_sound;
} Track;

static gboolean
invalid (GError **error, const char *what)
{
  g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID, "MP4: %s", what);
  return FALSE;
}

static gboolean
unsupported (GError **error, const char *what)
{
  g_set_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED, "MP4: %s", what);
  return FALSE;
}

static guint32
u32 (const guint8 *at)
{
  return (guint32) at[0] << 24 | (guint32) at[1] << 16 | (guint32) at[2] << 8 |
         at[3];
}

static guint64
u64 (const guint8 *at)
{
  return (guint64) u32 (at) << 32 | u32 (at + 4);
}

static gboolean
is_type (const guint8 *type, const char *name)
{
  return memcmp (type, name, 4) == 0;
}

/* The next box of part, which moves behind it; FALSE at its end. */
static gboolean
next_box (Part *part, const guint8 **ret_type, Part *ret_box)
{
  guint64 size;
  gsize head = 8;

  if (part->left < 8)
    return FALSE;
  size = u32 (part->at);
  if (size == 1) {
    if (part->left < 16)
      return FALSE;
    size = u64 (part->at + 8);
    head = 16;
  } else if (size == 0) {
    size = part->left;
  }
  if (size < head || size > part->left)
    return FALSE;
  *ret_type = part->at + 4;
  *ret_box = (Part){part->at + head, (gsize) size - head};
  part->at += size;
  part->left -= (gsize) size;
  return TRUE;
}

static gboolean
find_box (Part part, const char *name, Part *ret_box)
{
  const guint8 *type;
  Part box;

  while (next_box (&part, &type, &box))
    if (is_type (type, name)) {
      *ret_box = box;
      return TRUE;
    }
  return FALSE;
}

static gboolean
find_path (Part part, const char *const *names, Part *ret_box)
{
  for (guint i = 0; names[i] != NULL; i++)
    if (!find_box (part, names[i], &part))
      return FALSE;
  *ret_box = part;
  return TRUE;
}

/* --------------------------------------------------------------- tracks */

static void
read_trak (Part trak, Track *track)
{
  static const char *const elst[] = {"edts", "elst", NULL};
  static const char *const stbl_path[] = {"minf", "stbl", NULL};
  Part mdia, hdlr, stbl;

  if (!find_box (trak, "mdia", &mdia) || !find_box (mdia, "hdlr", &hdlr) ||
      hdlr.left < 12 || !is_type (hdlr.at + 8, "soun") ||
      !find_path (mdia, stbl_path, &stbl))
    return;
  track->is_sound = TRUE;
  find_box (mdia, "mdhd", &track->mdhd);
  find_path (trak, elst, &track->elst);
  find_box (stbl, "stsd", &track->stsd);
  find_box (stbl, "stsz", &track->stsz);
  find_box (stbl, "stsc", &track->stsc);
  track->has_wide_chunks = find_box (stbl, "co64", &track->chunks);
  if (!track->has_wide_chunks)
    find_box (stbl, "stco", &track->chunks);
}

static gboolean
find_track (Part file, Track *track, GError **error)
{
  const guint8 *type;
  Part moov, box;

  if (!find_box (file, "moov", &moov))
    return invalid (error, "no moov");
  if (find_box (moov, "mvex", &box))
    return unsupported (error, "fragments");
  find_box (moov, "mvhd", &track->mvhd);
  while (!track->is_sound && next_box (&moov, &type, &box))
    if (is_type (type, "trak"))
      read_trak (box, track);
  return track->is_sound || invalid (error, "no sound track");
}

/* ------------------------------------------------- codec and edit list */

/* A descriptor of ISO 14496-1: tag, length in groups of 7 bits, the rest. */
static gboolean
next_descriptor (Part *part, guint *ret_tag, Part *ret_inner)
{
  guint32 length = 0;
  guint i = 1;

  if (part->left < 2)
    return FALSE;
  do {
    if (i >= part->left || i > 4)
      return FALSE;
    length = length << 7 | (part->at[i] & 0x7F);
  } while (part->at[i++] & 0x80);
  if (length > part->left - i)
    return FALSE;
  *ret_tag = part->at[0];
  *ret_inner = (Part){part->at + i, length};
  part->at += i + length;
  part->left -= i + length;
  return TRUE;
}

static gboolean
find_descriptor (Part part, guint wanted, gsize skip, Part *ret_inner)
{
  guint tag;
  Part inner;

  while (next_descriptor (&part, &tag, &inner))
    if (tag == wanted && inner.left >= skip) {
      *ret_inner = (Part){inner.at + skip, inner.left - skip};
      return TRUE;
    }
  return FALSE;
}

static gboolean
read_config (const Track *track, DubMp4Sound *sound, GError **error)
{
  Part entries, entry, esds, es, decoder, config;
  const guint8 *type;
  guint object;

  if (track->stsd.left < 8)
    return invalid (error, "no sample description");
  entries = (Part){track->stsd.at + 8, track->stsd.left - 8};
  if (!next_box (&entries, &type, &entry))
    return invalid (error, "no sample description");
  if (!is_type (type, "mp4a") || entry.left < 28 ||
      (entry.at[8] << 8 | entry.at[9]) != 0)
    return unsupported (error, "not AAC");
  entry = (Part){entry.at + 28, entry.left - 28};
  if (!find_box (entry, "esds", &esds) || esds.left < 4)
    return unsupported (error, "not AAC");
  esds = (Part){esds.at + 4, esds.left - 4};
  if (!find_descriptor (esds, 3, 3, &es) ||
      !find_descriptor (es, 4, 13, &decoder))
    return invalid (error, "no decoder description");
  object = decoder.at[-13];
  if (object != 0x40 && object != 0x67)
    return unsupported (error, "not AAC");
  if (!find_descriptor (decoder, 5, 0, &config) || config.left < 2 ||
      config.left > 64)
    return invalid (error, "no AAC configuration");
  sound->config = g_bytes_new (config.at, config.left);
  return TRUE;
}

/* Units per second of mvhd and mdhd; 0 when there are none. */
static guint32
read_timescale (Part box)
{
  if (box.left < 4)
    return 0;
  if (box.at[0] == 1)
    return box.left >= 24 ? u32 (box.at + 20) : 0;
  return box.left >= 16 ? u32 (box.at + 12) : 0;
}

/* Of several edits, as of several gaps, only the first that shows media is
 * taken: these files are a few seconds of speech. */
static void
read_edits (const Track *track, DubMp4Sound *sound)
{
  guint movie = read_timescale (track->mvhd);
  gboolean is_wide = track->elst.left >= 8 && track->elst.at[0] == 1;
  gsize size = is_wide ? 20 : 12;
  guint32 n = track->elst.left >= 8 ? u32 (track->elst.at + 4) : 0;
  const guint8 *at = track->elst.at + 8;

  for (guint32 i = 0; i < n && (i + 1) * size <= track->elst.left - 8;
       i++, at += size) {
    guint64 duration = is_wide ? u64 (at) : u32 (at);
    gint64 start = is_wide ? (gint64) u64 (at + 8) : (gint32) u32 (at + 4);

    if (start < 0)
      continue;
    sound->skip = (guint64) start;
    if (duration > 0 && movie > 0 && duration < G_MAXUINT32)
      sound->keep = (duration * sound->timescale + movie / 2) / movie;
    return;
  }
}

/* -------------------------------------------------------------- samples */

typedef struct {
  GBytes *file;
  const Track *track;
  guint32 n_samples, n_chunks, n_runs;
  guint32 same_size; /* 0: each has its own */
} Tables;

static gboolean
read_tables (Tables *tables, GError **error)
{
  const Track *track = tables->track;
  gsize chunk_size = track->has_wide_chunks ? 8 : 4;

  if (track->stsz.left < 12 || track->stsc.left < 8 || track->chunks.left < 8)
    return invalid (error, "no sample tables");
  tables->same_size = u32 (track->stsz.at + 4);
  tables->n_samples = u32 (track->stsz.at + 8);
  tables->n_runs = u32 (track->stsc.at + 4);
  tables->n_chunks = u32 (track->chunks.at + 4);
  if ((tables->same_size == 0 &&
          tables->n_samples > (track->stsz.left - 12) / 4) ||
      tables->n_samples > g_bytes_get_size (tables->file) ||
      tables->n_runs > (track->stsc.left - 8) / 12 ||
      tables->n_chunks > (track->chunks.left - 8) / chunk_size)
    return invalid (error, "sample tables cut short");
  return TRUE;
}

static guint64
chunk_offset (const Tables *tables, guint32 chunk)
{
  const guint8 *at = tables->track->chunks.at + 8;

  return tables->track->has_wide_chunks ? u64 (at + 8 * (gsize) chunk)
                                        : u32 (at + 4 * (gsize) chunk);
}

static guint32
sample_size (const Tables *tables, guint32 sample)
{
  if (tables->same_size != 0)
    return tables->same_size;
  return u32 (tables->track->stsz.at + 12 + 4 * (gsize) sample);
}

static gboolean
take_chunk (const Tables *tables, guint32 chunk, guint32 n, DubMp4Sound *sound,
    GError **error)
{
  guint64 offset = chunk_offset (tables, chunk);
  gsize file_size = g_bytes_get_size (tables->file);

  while (n-- > 0 && sound->frames->len < tables->n_samples) {
    guint32 size = sample_size (tables, sound->frames->len);

    if (size == 0 || offset > file_size || size > file_size - offset)
      return invalid (error, "cut short");
    g_ptr_array_add (sound->frames,
        g_bytes_new_from_bytes (tables->file, (gsize) offset, size));
    offset += size;
  }
  return TRUE;
}

/* A run of stsc: from its first chunk to that of the next, so many samples a
 * chunk. */
static gboolean
take_samples (const Tables *tables, DubMp4Sound *sound, GError **error)
{
  const guint8 *at = tables->track->stsc.at + 8;

  for (guint32 run = 0; run < tables->n_runs; run++, at += 12) {
    guint32 first = u32 (at);
    guint32 n = u32 (at + 4);
    guint32 end =
        run + 1 < tables->n_runs ? u32 (at + 12) : tables->n_chunks + 1;

    if (first == 0 || end < first || end > tables->n_chunks + 1)
      return invalid (error, "bad chunk table");
    for (guint32 chunk = first; chunk < end; chunk++)
      if (!take_chunk (tables, chunk - 1, n, sound, error))
        return FALSE;
  }
  return sound->frames->len > 0 || invalid (error, "no samples");
}

void
dub_mp4_sound_clear (DubMp4Sound *sound)
{
  g_clear_pointer (&sound->config, g_bytes_unref);
  g_clear_pointer (&sound->frames, g_ptr_array_unref);
}

gboolean
dub_mp4_read (GBytes *file, DubMp4Sound *ret_sound, GError **error)
{
  Track track = {0};
  Tables tables = {.file = file, .track = &track};
  Part whole;

  whole.at = g_bytes_get_data (file, &whole.left);
  *ret_sound = (DubMp4Sound){.keep = G_MAXUINT64};
  ret_sound->frames =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  if (!find_track (whole, &track, error) ||
      !read_config (&track, ret_sound, error) || !read_tables (&tables, error))
    return FALSE;
  ret_sound->timescale = read_timescale (track.mdhd);
  if (ret_sound->timescale == 0)
    return invalid (error, "no timescale");
  read_edits (&track, ret_sound);
  return take_samples (&tables, ret_sound, error);
}
