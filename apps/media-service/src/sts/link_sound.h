/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/pcm.h>
#include <dubbing_contracts/audio.h>
#include <gio/gio.h>

/*
 * The coding of sound for peers that do not take PCM. Both calls do their work
 * in a thread of GLib's pool and call back on the caller's main context.
 */
G_BEGIN_DECLS

/* TRUE when this needs no thread: PCM s16le as we want it. */
gboolean dub_link_sound_is_ready_pcm (const DubAudio *audio);
/* The PCM of such an audio. Time of the first frame unknown.
 * (transfer full) (nullable) */
DubPcm *dub_link_sound_take_pcm (const DubAudio *audio, GError **error);

/* pcm (transfer none) */
void dub_link_sound_encode (
    DubPcm *pcm, GAsyncReadyCallback callback, gpointer user_data);
/* M4A. (transfer full) (nullable) */
GBytes *dub_link_sound_encode_finish (GAsyncResult *result, GError **error);

/* audio (transfer full) */
void dub_link_sound_decode (
    DubAudio *audio, GAsyncReadyCallback callback, gpointer user_data);
/* 48 kHz, 1 or 2 channels, not empty. (transfer full) (nullable) */
DubPcm *dub_link_sound_decode_finish (GAsyncResult *result, GError **error);

G_END_DECLS
