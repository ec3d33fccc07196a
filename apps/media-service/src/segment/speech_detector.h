/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/pcm.h>

/*
 * Finds speech with Silero's voice activity model (sherpa-onnx), in a thread
 * of its own, since a window costs what a block of the programme may not.
 *
 *   48 kHz stereo ─▶ queue ─▶ mono, 16 kHz ─▶ windows of 512 ─▶ marks
 *
 * Each window of 32 ms gives one mark: which media samples it covers and
 * whether they are speech. Speech begins above a probability of 0.5 and ends
 * below 0.35; how long it must last is the segmenter's to say. When the queue
 * is full the oldest sound is passed over: it gets no mark.
 *
 * push from one thread; on_mark comes from the detector's thread.
 */
G_BEGIN_DECLS

/* Of one mark, at 48 kHz. */
#define DUB_SPEECH_WINDOW 1536

typedef struct _DubSpeechDetector DubSpeechDetector;

/* [first_frame, first_frame + frames) in the positions given to push;
 * level_db: RMS of the window. */
typedef void (*DubSpeechMarkFunc) (gint64 first_frame, gint64 frames,
    gboolean is_speech, double level_db, gpointer user_data);

/* DUB_ERROR_UNSUPPORTED when built without sherpa-onnx, _NOT_FOUND without
 * the model, _ENGINE when it does not load. */
DubSpeechDetector *dub_speech_detector_new (const char *model_path,
    DubSpeechMarkFunc on_mark, gpointer user_data, GError **error);
/* Joins the thread; no mark comes after it. */
void dub_speech_detector_free (DubSpeechDetector *self);

/* pcm (transfer full): 48 kHz stereo; first_frame rises, and a jump forward
 * starts afresh. Never blocks. */
void dub_speech_detector_push (
    DubSpeechDetector *self, DubPcm *pcm, gint64 first_frame);
/* Sound that was passed over, in blocks. Any thread. */
guint64 dub_speech_detector_get_dropped (DubSpeechDetector *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubSpeechDetector, dub_speech_detector_free)

G_END_DECLS
