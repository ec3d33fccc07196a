/* SPDX-License-Identifier: Apache-2.0 */
#include "segment/speech_detector.h"

#include <dubbing_common/clock.h>
#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <math.h>
#include <string.h>

/*
 * The real model on real speech: VAD_MODEL names it, DUB_TEST_SPEECH a file of
 * someone who reads aloud. Without either the test is skipped.
 */

#define RATE 48000
#define BLOCK 1024
#define LEAD_S 2

typedef struct {
  GMutex lock;
  GCond cond;
  GArray *marks; /* of gboolean */
  gint64 next_frame;
} Heard;

static void
on_mark (gint64 first_frame, gint64 frames, gboolean is_speech, double level_db,
    gpointer user_data)
{
  Heard *heard = user_data;

  g_mutex_lock (&heard->lock);
  if (heard->next_frame != G_MININT64)
    g_assert_cmpint (first_frame, ==, heard->next_frame);
  heard->next_frame = first_frame + frames;
  g_array_append_val (heard->marks, is_speech);
  g_cond_signal (&heard->cond);
  g_mutex_unlock (&heard->lock);
}

static void
wait_for_marks (Heard *heard, guint n)
{
  gint64 end = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;

  g_mutex_lock (&heard->lock);
  while (heard->marks->len < n)
    g_assert_true (g_cond_wait_until (&heard->cond, &heard->lock, end));
  g_mutex_unlock (&heard->lock);
}

/* All marks of samples, in order, without hole. */
static GArray *
listen (const gint16 *samples, gsize frames)
{
  g_autoptr (GError) error = NULL;
  Heard heard = {.marks = g_array_new (FALSE, FALSE, sizeof (gboolean)),
      .next_frame = G_MININT64};
  g_autoptr (DubSpeechDetector) detector = NULL;

  g_mutex_init (&heard.lock);
  g_cond_init (&heard.cond);
  detector =
      dub_speech_detector_new (g_getenv ("VAD_MODEL"), on_mark, &heard, &error);
  g_assert_no_error (error);
  for (gsize at = 0; at + BLOCK <= frames; at += BLOCK) {
    dub_speech_detector_push (detector,
        dub_pcm_new (g_bytes_new (samples + 2 * at, BLOCK * 4), RATE, 2,
            dub_frames_to_ns ((gint64) at, RATE)),
        (gint64) at);
    /* No faster than it can listen: what is too much is passed over. */
    if (at >= 4 * RATE)
      wait_for_marks (&heard, (guint) ((at - 4 * RATE) / DUB_SPEECH_WINDOW));
  }
  wait_for_marks (&heard, (guint) (frames / DUB_SPEECH_WINDOW) - 1);
  g_clear_pointer (&detector, dub_speech_detector_free);
  g_mutex_clear (&heard.lock);
  g_cond_clear (&heard.cond);
  return heard.marks;
}

static double
speech_share (GArray *marks, gsize from, gsize to)
{
  gsize n = 0;

  to = MIN (to, marks->len);
  for (gsize i = from; i < to; i++)
    n += g_array_index (marks, gboolean, i) ? 1 : 0;
  return (double) n / (double) (to - from);
}

/* Seconds of silence, then the file. */
static GArray *
load_speech (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (
      "filesrc name=f ! decodebin ! audioconvert ! audioresample ! "
      "audio/x-raw,format=S16LE,rate=48000,channels=2 ! "
      "appsink name=s sync=false",
      &error);
  g_autoptr (GstElement) file = NULL;
  g_autoptr (GstElement) sink = NULL;
  GArray *samples = g_array_new (FALSE, TRUE, sizeof (gint16));
  GstSample *sample;

  g_assert_no_error (error);
  file = gst_bin_get_by_name (GST_BIN (pipeline), "f");
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "s");
  g_object_set (file, "location", path, NULL);
  g_array_set_size (samples, LEAD_S * RATE * 2);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while ((sample = gst_app_sink_pull_sample (GST_APP_SINK (sink)))) {
    GstMapInfo map;

    gst_buffer_map (gst_sample_get_buffer (sample), &map, GST_MAP_READ);
    g_array_append_vals (samples, map.data, (guint) (map.size / 2));
    gst_buffer_unmap (gst_sample_get_buffer (sample), &map);
    gst_sample_unref (sample);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return samples;
}

static gboolean
has (const char *variable)
{
  const char *path = g_getenv (variable);

#ifndef DUB_HAVE_SHERPA
  path = NULL;
#endif
  if (path && g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  g_test_skip (variable);
  return FALSE;
}

static void
test_speech (void)
{
  g_autoptr (GArray) samples = NULL;
  g_autoptr (GArray) marks = NULL;
  const gsize lead = LEAD_S * RATE / DUB_SPEECH_WINDOW;

  if (!has ("VAD_MODEL") || !has ("DUB_TEST_SPEECH"))
    return;
  samples = load_speech (g_getenv ("DUB_TEST_SPEECH"));
  marks = listen ((const gint16 *) (gpointer) samples->data,
      MIN (samples->len / 2, 30 * RATE));
  g_test_message ("%u windows, %.2f speech", marks->len,
      speech_share (marks, lead, marks->len));
  g_assert_cmpfloat (speech_share (marks, 0, lead), ==, 0);
  /* Someone who reads aloud speaks most of the time, and pauses. */
  g_assert_cmpfloat (speech_share (marks, lead, marks->len), >, 0.6);
  g_assert_cmpfloat (speech_share (marks, lead, marks->len), <, 0.98);
}

static void
test_no_speech (void)
{
  const gsize frames = 10 * RATE;
  g_autofree gint16 *samples = g_new (gint16, frames * 2);
  g_autoptr (GArray) marks = NULL;
  guint32 seed = 1;

  if (!has ("VAD_MODEL"))
    return;
  /* A chord and noise. */
  for (gsize i = 0; i < frames; i++) {
    double t = (double) i / RATE;
    double chord = sin (2 * G_PI * 220 * t) + sin (2 * G_PI * 277.2 * t) +
                   sin (2 * G_PI * 329.6 * t);

    seed = seed * 1664525u + 1013904223u;
    samples[2 * i] = samples[2 * i + 1] =
        (gint16) (3000 * chord + (double) (seed >> 22));
  }
  marks = listen (samples, frames);
  g_assert_cmpfloat (speech_share (marks, 0, marks->len), <, 0.02);
}

static void
test_no_model (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (
      dub_speech_detector_new ("/invalid/model.onnx", on_mark, NULL, &error));
  g_assert_nonnull (error);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/segment/speech-detector/speech", test_speech);
  g_test_add_func ("/media/segment/speech-detector/no-speech", test_no_speech);
  g_test_add_func ("/media/segment/speech-detector/no-model", test_no_model);
  return g_test_run ();
}
