/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/pcm.h>

/*
 * Finds what is loud: the loudness gate (VAD=level), for comparison and for
 * builds without sherpa-onnx. Music and crowds count as speech for it.
 *
 * Each interval (100 ms) gives one mark: its level is the RMS of its loudest
 * channel in dBFS, clamped to [-100, 0], and it is speech unless that is below
 * the threshold; digital silence never is. How long a pause must last is the
 * segmenter's to say.
 *
 * Pure: no clock, no thread; one owner. on_mark is called within push.
 */
G_BEGIN_DECLS

typedef struct _DubLevelDetector DubLevelDetector;

/* As DubSpeechMarkFunc. */
typedef void (*DubLevelMarkFunc) (gint64 first_frame, gint64 frames,
    gboolean is_speech, double level_db, gpointer user_data);

DubLevelDetector *dub_level_detector_new (double threshold_db,
    gint64 interval_ns, DubLevelMarkFunc on_mark, gpointer user_data);
void dub_level_detector_free (DubLevelDetector *self);

/* pcm (transfer full); first_frame rises, and a jump starts a new interval: the
 * part of one before it gets its mark. */
void dub_level_detector_push (
    DubLevelDetector *self, DubPcm *pcm, gint64 first_frame);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubLevelDetector, dub_level_detector_free)

G_END_DECLS
