/* SPDX-License-Identifier: Apache-2.0 */
#include "speech_detector.h"

#include "mono_resampler.h"

#include <dubbing_common/error.h>
#include <dubbing_common/queue.h>

#ifdef DUB_HAVE_SHERPA

#include <sherpa-onnx/c-api/c-api.h>
#include <string.h>

#define WINDOW 512 /* at 16 kHz */
#define RATE 16000
#define RATIO 3
/* Speech without one pause for so long is looked at more strictly; the
 * library keeps it all, and complains when it has no room. */
#define MAX_SPEECH_S 20
/* Blocks are handed over by the pair of windows, to wake the thread less. */
#define BATCH_FRAMES (2 * DUB_SPEECH_WINDOW)
#define MAX_BLOCKS 512
#define MAX_FRAMES (10 * 48000)

typedef struct _Block Block;
struct _Block {
  DubPcm *pcm;
  gint64 first_frame;
  Block *next;
};

struct _DubSpeechDetector {
  /* immutable */
  DubQueue *queue;
  DubSpeechMarkFunc on_mark;
  gpointer user_data;
  GThread *thread;

  /* the pushing thread only */
  Block *first, *last; /* not handed over yet */
  gsize pending_frames;

  /* the detector's thread only */
  const SherpaOnnxVoiceActivityDetector *vad;
  DubMonoResampler *resampler;
  gint64 next_frame;   /* position that continues the stream; -1: none */
  gint64 window_frame; /* position of the window being filled */
  float window[WINDOW];
  guint filled;
};

static void
block_free (gpointer data)
{
  Block *block = data;

  while (block) {
    Block *next = block->next;

    dub_pcm_unref (block->pcm);
    g_free (block);
    block = next;
  }
}

/* Silero's own hysteresis is what we want: it says "speech" from 0.5 on and
 * takes it back below 0.5 - 0.15. The durations are the segmenter's, so the
 * library's are as short as they can be; the segments that it collects are
 * thrown away. */
static const SherpaOnnxVoiceActivityDetector *
load (const char *model_path, GError **error)
{
  SherpaOnnxVadModelConfig config;
  const SherpaOnnxVoiceActivityDetector *vad;

  if (!g_file_test (model_path, G_FILE_TEST_IS_REGULAR)) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND,
        "the speech model %s is not there (scripts/fetch brings it)",
        model_path);
    return NULL;
  }
  memset (&config, 0, sizeof config);
  config.silero_vad.model = model_path;
  config.silero_vad.threshold = 0.5f;
  config.silero_vad.min_silence_duration = 0.001f;
  config.silero_vad.min_speech_duration = 0.001f;
  config.silero_vad.max_speech_duration = MAX_SPEECH_S;
  config.silero_vad.window_size = WINDOW;
  config.sample_rate = RATE;
  config.num_threads = 1;
  config.provider = "cpu";
  vad = SherpaOnnxCreateVoiceActivityDetector (&config, MAX_SPEECH_S + 2);
  if (!vad)
    g_set_error (error, DUB_ERROR, DUB_ERROR_ENGINE,
        "the speech model %s does not load", model_path);
  return vad;
}

static double
level_of (const float *samples)
{
  gint16 pcm[WINDOW];

  dub_pcm_f32_to_s16 (samples, pcm, WINDOW);
  return dub_pcm_rms_db (pcm, WINDOW);
}

static void
judge_window (DubSpeechDetector *self)
{
  gboolean is_speech;

  SherpaOnnxVoiceActivityDetectorAcceptWaveform (
      self->vad, self->window, WINDOW);
  is_speech = SherpaOnnxVoiceActivityDetectorDetected (self->vad) != 0;
  SherpaOnnxVoiceActivityDetectorClear (self->vad);
  self->on_mark (self->window_frame, DUB_SPEECH_WINDOW, is_speech,
      level_of (self->window), self->user_data);
  self->window_frame += DUB_SPEECH_WINDOW;
  self->filled = 0;
}

static void
start_afresh (DubSpeechDetector *self, gint64 first_frame)
{
  SherpaOnnxVoiceActivityDetectorReset (self->vad);
  dub_mono_resampler_reset (self->resampler);
  self->filled = 0;
  /* What comes out first was heard the resampler's delay earlier. */
  self->window_frame =
      first_frame - dub_mono_resampler_get_delay_frames (self->resampler);
}

static void
take_block (DubSpeechDetector *self, const Block *block)
{
  const float *samples;
  gsize n;

  if (block->first_frame != self->next_frame)
    start_afresh (self, block->first_frame);
  self->next_frame = block->first_frame + (gint64) block->pcm->frames;
  samples = dub_mono_resampler_push (self->resampler, block->pcm, &n);
  while (n > 0) {
    gsize part = MIN (n, WINDOW - self->filled);

    memcpy (self->window + self->filled, samples, part * sizeof *samples);
    self->filled += (guint) part;
    samples += part;
    n -= part;
    if (self->filled == WINDOW)
      judge_window (self);
  }
}

static gpointer
run (gpointer data)
{
  DubSpeechDetector *self = data;
  Block *block;

  while ((block = dub_queue_pop_wait (self->queue, -1))) {
    for (Block *each = block; each; each = each->next)
      take_block (self, each);
    block_free (block);
  }
  return NULL;
}

DubSpeechDetector *
dub_speech_detector_new (const char *model_path, DubSpeechMarkFunc on_mark,
    gpointer user_data, GError **error)
{
  DubSpeechDetector *self;
  const SherpaOnnxVoiceActivityDetector *vad = load (model_path, error);

  if (!vad)
    return NULL;
  self = g_new0 (DubSpeechDetector, 1);
  self->vad = vad;
  self->on_mark = on_mark;
  self->user_data = user_data;
  self->next_frame = -1;
  self->resampler = dub_mono_resampler_new (RATIO);
  self->queue = dub_queue_new (
      "speech", MAX_BLOCKS, MAX_FRAMES, DUB_QUEUE_DROP_OLDEST, block_free);
  self->thread = g_thread_new ("speech", run, self);
  return self;
}

void
dub_speech_detector_free (DubSpeechDetector *self)
{
  if (!self)
    return;
  block_free (self->first);
  dub_queue_close (self->queue);
  g_thread_join (self->thread);
  SherpaOnnxDestroyVoiceActivityDetector (self->vad);
  dub_mono_resampler_free (self->resampler);
  dub_queue_unref (self->queue);
  g_free (self);
}

void
dub_speech_detector_push (
    DubSpeechDetector *self, DubPcm *pcm, gint64 first_frame)
{
  Block *block = g_new (Block, 1);

  *block = (Block){.pcm = pcm, .first_frame = first_frame};
  self->pending_frames += pcm->frames;
  if (self->last)
    self->last->next = block;
  else
    self->first = block;
  self->last = block;
  if (self->pending_frames < BATCH_FRAMES)
    return;
  dub_queue_push (self->queue, self->first, self->pending_frames);
  self->first = self->last = NULL;
  self->pending_frames = 0;
}

guint64
dub_speech_detector_get_dropped (DubSpeechDetector *self)
{
  DubQueueStats stats;

  dub_queue_get_stats (self->queue, &stats);
  return stats.dropped;
}

#else

DubSpeechDetector *
dub_speech_detector_new (const char *model_path, DubSpeechMarkFunc on_mark,
    gpointer user_data, GError **error)
{
  g_set_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
      "this program was built without sherpa-onnx");
  return NULL;
}

void
dub_speech_detector_free (DubSpeechDetector *self)
{
}

void
dub_speech_detector_push (
    DubSpeechDetector *self, DubPcm *pcm, gint64 first_frame)
{
  dub_pcm_unref (pcm);
}

guint64
dub_speech_detector_get_dropped (DubSpeechDetector *self)
{
  return 0;
}

#endif
