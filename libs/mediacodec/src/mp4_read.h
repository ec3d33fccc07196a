/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * The AAC track of an MP4 that is wholly in memory, wherever its moov is, and
 * what its edit list leaves out. GStreamer 1.22's qtdemux ends such a file too
 * early by as much as the edit list skips at its beginning, one frame or two.
 *
 * Bounded by the bytes that are there; pure; any thread.
 */
G_BEGIN_DECLS

typedef struct {
  GBytes *config;    /* AudioSpecificConfig */
  GPtrArray *frames; /* of GBytes, which share the file's memory */
  guint timescale;   /* of skip and keep, per second */
  guint64 skip;      /* before the first sample that counts */
  guint64 keep;      /* of those that count; G_MAXUINT64: all */
} DubMp4Sound;

void dub_mp4_sound_clear (DubMp4Sound *sound);

/* DUB_ERROR_INVALID when it is broken; DUB_ERROR_UNSUPPORTED when it is no
 * plain AAC: fragments, another codec. ret_sound is to be cleared. */
gboolean dub_mp4_read (GBytes *file, DubMp4Sound *ret_sound, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DubMp4Sound, dub_mp4_sound_clear)

G_END_DECLS
