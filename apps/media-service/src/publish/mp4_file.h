/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <media_service/values.h>

/*
 * Writes one MP4 file: a track of coded pictures as they came, and one of AAC.
 *
 *   ftyp | mdat: pictures and sound as they are given | moov: where and when
 *
 * Edit lists make both tracks start where they should to the sample: the
 * pictures' reordering and the sound coder's lead-in are cut by them.
 *
 * Not locked; one thread at a time. Nothing is kept of what was written but
 * the tables, some 20 bytes for each picture and frame of sound.
 */
G_BEGIN_DECLS

typedef struct _DubMp4File DubMp4File;

/* config: AudioSpecificConfig of 48 kHz stereo. The file is made anew. */
DubMp4File *dub_mp4_file_new (
    const char *path, GBytes *config, guint bit_rate, GError **error);
/* What was not finished is removed: path itself is only ever a whole file. */
void dub_mp4_file_free (DubMp4File *self);

/* In decode order, media time; the first has codec data. Codec data that
 * changes is DUB_ERROR_UNSUPPORTED: one file has one. */
gboolean dub_mp4_file_add_video (
    DubMp4File *self, const DubAccessUnit *unit, GError **error);
/* One raw frame of 1024 samples. pts_ns: when its first sample is heard, the
 * first ones below 0; each follows the one before. */
gboolean dub_mp4_file_add_sound (
    DubMp4File *self, GBytes *frame, gint64 pts_ns, GError **error);

/* Writes the tables and closes. zero_ns: the media time at which the file
 * starts; the sound is heard from there to sound_end_ns. */
gboolean dub_mp4_file_finish (
    DubMp4File *self, gint64 zero_ns, gint64 sound_end_ns, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubMp4File, dub_mp4_file_free)

G_END_DECLS
