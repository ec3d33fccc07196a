/* SPDX-License-Identifier: Apache-2.0 */
#include "mp4_file.h"

#include "mp4_box.h"
#include "mp4_tables.h"

#include <dubbing_common/error.h>
#include <errno.h>
#include <stdio.h>

#define WRITE_BUFFER (1 << 20)

struct _DubMp4File {
  char *path;
  char *part; /* its name until it is whole */
  FILE *file;
  guint64 at; /* where the next byte goes */
  guint64 mdat_at;
  DubMp4Movie movie;
};

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
  guint ftyp = dub_mp4_box_begin (head, "ftyp");

  dub_mp4_put_text (head, "isom");
  dub_mp4_put_u32 (head, 0x200);
  dub_mp4_put_text (head, "isomiso2avc1mp41");
  dub_mp4_box_end (head, ftyp);
  self->mdat_at = head->len;
  dub_mp4_put_u32 (head, 1);
  dub_mp4_put_text (head, "mdat");
  dub_mp4_put_u64 (head, 0);
  return write_all (self, head->data, head->len, error);
}

DubMp4File *
dub_mp4_file_new (
    const char *path, GBytes *config, guint bit_rate, GError **error)
{
  g_autoptr (DubMp4File) self = g_new0 (DubMp4File, 1);

  self->path = g_strdup (path);
  self->part = g_strconcat (path, ".part", NULL);
  self->movie.pictures = g_array_new (FALSE, FALSE, sizeof (DubMp4Sample));
  self->movie.sound = g_array_new (FALSE, FALSE, sizeof (DubMp4Sample));
  self->movie.sound_config = g_bytes_ref (config);
  self->movie.bit_rate = bit_rate;
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
  g_clear_pointer (&self->movie.pictures, g_array_unref);
  g_clear_pointer (&self->movie.sound, g_array_unref);
  g_clear_pointer (&self->movie.video_config, g_bytes_unref);
  g_clear_pointer (&self->movie.sound_config, g_bytes_unref);
  g_free (self->path);
  g_free (self->part);
  g_free (self);
}

static gboolean
add (DubMp4File *self, GArray *samples, DubMp4Sample sample, GBytes *bytes,
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
  if (self->movie.video_config == NULL) {
    self->movie.video_config = g_bytes_ref (unit->codec_data);
    self->movie.codec = unit->codec;
    self->movie.width = unit->width & 0xffff;
    self->movie.height = unit->height & 0xffff;
    return TRUE;
  }
  if (g_bytes_equal (self->movie.video_config, unit->codec_data))
    return TRUE;
  g_set_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
      "the video changes its format in the middle; one MP4 track has one");
  return FALSE;
}

gboolean
dub_mp4_file_add_video (
    DubMp4File *self, const DubAccessUnit *unit, GError **error)
{
  DubMp4Sample sample = {
      .dts = dub_mp4_ticks (unit->dts_ns, DUB_MP4_VIDEO_SCALE),
      .pts = dub_mp4_ticks (unit->pts_ns, DUB_MP4_VIDEO_SCALE),
      .is_key = unit->is_key};

  if (!take_config (self, unit, error))
    return FALSE;
  if (self->movie.pictures->len > 0)
    self->movie.last_duration =
        sample.dts - g_array_index (self->movie.pictures, DubMp4Sample,
                         self->movie.pictures->len - 1)
                         .dts;
  if (unit->duration_ns > 0)
    self->movie.last_duration =
        dub_mp4_ticks (unit->duration_ns, DUB_MP4_VIDEO_SCALE);
  return add (self, self->movie.pictures, sample, unit->data, error);
}

gboolean
dub_mp4_file_add_sound (
    DubMp4File *self, GBytes *frame, gint64 pts_ns, GError **error)
{
  if (self->movie.sound->len == 0)
    self->movie.sound_first_ns = pts_ns;
  return add (
      self, self->movie.sound, (DubMp4Sample){.is_key = TRUE}, frame, error);
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

  if (self->movie.pictures->len == 0 || self->movie.sound->len == 0 ||
      self->movie.video_config == NULL) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "%s: there was nothing to write", self->path);
    return FALSE;
  }
  dub_mp4_tables_write (&self->movie, zero_ns, sound_end_ns, moov);
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
