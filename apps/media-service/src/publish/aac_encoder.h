/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/pcm.h>

/*
 * 48 kHz stereo PCM to raw AAC-LC frames of 1024 samples, each with the media
 * time at which a decoder sounds it. An encoder is late by a constant number
 * of samples (1024 for libav, 1600 for voaacenc); it is measured once with a
 * click, and taken off the times.
 *
 * push and finish on one thread; on_frame and on_error come from the encoder's
 * own streaming thread.
 */
G_BEGIN_DECLS

#define DUB_AAC_FRAME 1024

typedef struct _DubAacEncoder DubAacEncoder;

typedef struct {
  /* frame: (transfer none); pts_ns may be a little below the first sound's */
  void (*on_frame) (GBytes *frame, gint64 pts_ns, gpointer user_data);
  /* The encoder is broken and gives nothing any more. */
  void (*on_error) (const GError *error, gpointer user_data);
} DubAacEncoderHandlers;

/* Blocks some tens of milliseconds for the measurement. gst_init () first. */
DubAacEncoder *dub_aac_encoder_new (guint bit_rate,
    const DubAacEncoderHandlers *handlers, gpointer user_data, GError **error);
/* No callback runs after it. */
void dub_aac_encoder_free (DubAacEncoder *self);

/* What a decoder must know; known from the start. (transfer none) */
GBytes *dub_aac_encoder_get_config (DubAacEncoder *self);
guint dub_aac_encoder_get_delay_frames (DubAacEncoder *self);
const char *dub_aac_encoder_get_name (DubAacEncoder *self);

/* pcm (transfer full): 48 kHz stereo that follows the last without a gap; if
 * it does not, the times of the frames follow it within a frame. Never blocks;
 * FALSE when more than 40 s wait to be coded (pcm is dropped). */
gboolean dub_aac_encoder_push (DubAacEncoder *self, DubPcm *pcm);
/* How much waits to be coded, with what an encoder always keeps back: below
 * 100 ms where there is CPU. 0: it is broken. The pushing thread. */
gint64 dub_aac_encoder_get_waiting_ns (DubAacEncoder *self);

/* The same, and waits until less than 1 s is to be coded: for files. */
gboolean dub_aac_encoder_push_wait (DubAacEncoder *self, DubPcm *pcm);
/* Nothing follows: waits until all that was pushed has been coded. FALSE when
 * that takes more than 5 s, or the encoder is broken. */
gboolean dub_aac_encoder_finish (DubAacEncoder *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubAacEncoder, dub_aac_encoder_free)

G_END_DECLS
