/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/pcm.h>

/*
 * What bytes of sound are, seen in the bytes; and the reading of those that
 * need no decoder. Labels of peers are wrong as a rule (ADTS is called "m4a"),
 * so they count only where the bytes say nothing.
 *
 * Pure; any thread.
 */
G_BEGIN_DECLS

typedef enum {
  DUB_SOUND_UNKNOWN = 0,
  DUB_SOUND_MP4,
  DUB_SOUND_ADTS,
  DUB_SOUND_WAV,
  DUB_SOUND_S16LE,
  DUB_SOUND_F32LE,
  DUB_SOUND_MP3,
} DubSoundKind;

/* label: (nullable) */
DubSoundKind dub_sound_sniff (GBytes *bytes, const char *label);
const char *dub_sound_kind_to_string (DubSoundKind kind);

/* PCM of 8, 16, 24, 32 bits or 32-bit float, 1 to 8 channels. A data chunk
 * that is cut short or says no length gives what is there. DUB_ERROR_INVALID,
 * DUB_ERROR_UNSUPPORTED, DUB_ERROR_LIMIT. (transfer full) (nullable) */
DubPcm *dub_wav_read (GBytes *bytes, guint max_ms, GError **error);

/* DUB_SOUND_S16LE or DUB_SOUND_F32LE; a last frame that is cut is left out. */
DubPcm *dub_raw_read (GBytes *bytes, DubSoundKind kind, guint rate_hz,
    guint channels, guint max_ms, GError **error);

#define DUB_SOUND_MIN_RATE 4000
#define DUB_SOUND_MAX_RATE 384000
#define DUB_SOUND_MAX_CHANNELS 8

/* DUB_ERROR_INVALID beyond the three above. */
gboolean dub_sound_check_format (guint rate_hz, guint channels, GError **error);
/* DUB_ERROR_LIMIT when frames last longer than max_ms. */
gboolean dub_sound_check_length (
    gsize frames, guint rate_hz, guint max_ms, GError **error);

G_END_DECLS
