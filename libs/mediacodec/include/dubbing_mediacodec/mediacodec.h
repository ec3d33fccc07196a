/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/pcm.h>

/*
 * Short coded sound to PCM and back, for peers that do not take PCM: real MP4
 * ("m4a": ftyp, moov before mdat, AAC-LC), ADTS, MP3, WAV and raw samples. What
 * the bytes are is seen in the bytes; the label only decides about raw ones.
 *
 * Calls block (tens of milliseconds) and run their own small GStreamer
 * pipeline; any thread but one that must not wait. gst_init () comes first.
 */
G_BEGIN_DECLS

/* label: "m4a", "aac", "wav", "pcm_s16le", "pcm_f32le", ... as declared;
 * rate_hz and channels are used for raw samples only. DUB_ERROR_LIMIT beyond
 * max_ms of sound, DUB_ERROR_INVALID for what does not decode.
 * (transfer full) (nullable) */
DubPcm *dub_mediacodec_decode (GBytes *bytes, const char *label, guint rate_hz,
    guint channels, guint max_ms, GError **error);

/* AAC-LC in MP4, with the encoder's delay cut by an edit list or trimmed, so
 * that decoding gives the same number of frames within one AAC frame.
 * (transfer full) (nullable) */
GBytes *dub_mediacodec_encode_m4a (DubPcm *pcm, guint bit_rate, GError **error);

/* Rate and channels changed with GStreamer's audio resampler.
 * (transfer full) (nullable) */
DubPcm *dub_mediacodec_convert (
    DubPcm *pcm, guint rate_hz, guint channels, GError **error);

G_END_DECLS
