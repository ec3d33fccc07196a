/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * The smallest MP4 that everyone reads: one AAC track, moov before mdat, brand
 * "M4A ", an edit list that leaves out the encoder's delay and what fills the
 * last frame. GStreamer's muxer would need a temporary file for the order and
 * cannot set the brand.
 *
 * Pure; any thread.
 */
G_BEGIN_DECLS

#define DUB_AAC_FRAME 1024

typedef struct {
  guint rate_hz;
  guint channels;
  guint bit_rate;
  GBytes *config;    /* AudioSpecificConfig */
  guint delay;       /* samples before the first one that counts */
  gsize n_samples;   /* of a channel, that count */
  GPtrArray *frames; /* of GBytes, each an access unit of 1024 samples */
} DubMp4Track;

/* (transfer full) */
GBytes *dub_mp4_write (const DubMp4Track *track);

G_END_DECLS
