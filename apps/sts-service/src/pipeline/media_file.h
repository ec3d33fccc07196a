/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/pcm.h>

G_BEGIN_DECLS

/*
 * The sound of a file of any kind that GStreamer reads, whole, as mono 16-bit
 * PCM. For the command line and tests: blocks, and holds an hour at most.
 * (transfer full) (nullable)
 */
DubPcm *dub_media_file_read (const char *path, guint rate_hz, GError **error);

/* Writes a WAV file. */
gboolean dub_media_file_write_wav (
    const char *path, DubPcm *pcm, GError **error);

G_END_DECLS
