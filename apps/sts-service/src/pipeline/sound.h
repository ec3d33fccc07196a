/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "fit.h"
#include "loudness.h"

#include <sts_service/processor.h>

/*
 * The two stages of a fragment that compute on sound: what came in is made
 * ready for the recogniser and measured; what the synthesiser gave is brought
 * into the slot, to the loudness of the original, and into the form that the
 * peer wants.
 *
 * Blocking; any thread.
 */
G_BEGIN_DECLS

#define DUB_SOURCE_MAX_MS 30000

typedef struct {
  GBytes *samples;   /* mono float32 at 16 kHz */
  guint duration_ms; /* true, not as declared */
  guint onset_ms;    /* of the speech in it */
  guint speech_ms;   /* from the first to the last of it */
  double level_db;   /* dBFS of the whole */
  double lufs;
} DubSource;

/* What is said of pcm_s16le is believed; anything else is decoded by what is
 * in it. DUB_ERROR_INVALID, DUB_ERROR_LIMIT. source is zeroed by the caller. */
gboolean dub_source_read (
    const DubSound *sound, DubSource *source, GError **error);
void dub_source_clear (DubSource *source);

typedef struct {
  const float *speech; /* mono, trimmed; NULL: silence is wanted */
  gsize count;
  guint rate_hz;
  DubFitSlot slot;
  DubFitPlan plan;
  double target_lufs;
  const char *format; /* "pcm_s16le" or "m4a" */
  guint reply_rate_hz;
  guint reply_channels;
  /* Peers of the older design put what they get over the whole slot; ours
   * lower the original only where the dub sounds. */
  gboolean fill_slot;
} DubDubParams;

typedef struct {
  DubSound sound;
  guint speech_ms;
  DubLoudness loudness;
} DubDub;

/* dub is zeroed by the caller. */
gboolean dub_dub_make (const DubDubParams *params, DubDub *dub, GError **error);
void dub_dub_clear (DubDub *dub);

G_END_DECLS
