/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/aac_encoder.h"

#include <dubbing_common/clock.h>
#include <gst/gst.h>

#define RATE 48000

typedef struct {
  GMutex lock;
  GArray *times;
  guint64 bytes;
} Frames;

static void
on_frame (GBytes *frame, gint64 pts_ns, gpointer user_data)
{
  Frames *frames = user_data;

  g_mutex_lock (&frames->lock);
  g_array_append_val (frames->times, pts_ns);
  frames->bytes += g_bytes_get_size (frame);
  g_mutex_unlock (&frames->lock);
}

static void
on_error (const GError *error, gpointer user_data)
{
  g_error ("%s", error->message);
}

static void
wait_for_frames (Frames *frames, guint n)
{
  gint64 end = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;
  guint length = 0;

  while (length < n && g_get_monotonic_time () < end) {
    g_mutex_lock (&frames->lock);
    length = frames->times->len;
    g_mutex_unlock (&frames->lock);
    g_usleep (2000);
  }
  g_assert_cmpuint (length, >=, n);
}

/* The frames sound where their samples were: the delay is taken off. */
static void
test_times (void)
{
  DubAacEncoderHandlers handlers = {.on_frame = on_frame, .on_error = on_error};
  g_autoptr (GError) error = NULL;
  Frames frames = {.times = g_array_new (FALSE, FALSE, sizeof (gint64))};
  g_autoptr (DubAacEncoder) encoder = NULL;
  const gint64 start_ns = 5 * DUB_NS_PER_S;
  gint64 delay_ns;

  g_mutex_init (&frames.lock);
  encoder = dub_aac_encoder_new (160000, &handlers, &frames, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (
      g_bytes_get_size (dub_aac_encoder_get_config (encoder)), >=, 2);
  g_assert_cmpuint (dub_aac_encoder_get_delay_frames (encoder), >=, 500);
  g_assert_cmpuint (dub_aac_encoder_get_delay_frames (encoder), <=, 4096);
  g_test_message ("%s: %u samples late", dub_aac_encoder_get_name (encoder),
      dub_aac_encoder_get_delay_frames (encoder));

  for (guint i = 0; i < 40; i++)
    g_assert_true (dub_aac_encoder_push (
        encoder, dub_pcm_new_silence (1000, RATE, 2,
                     start_ns + dub_frames_to_ns (i * 1000, RATE))));
  wait_for_frames (&frames, 36);
  delay_ns =
      dub_frames_to_ns (dub_aac_encoder_get_delay_frames (encoder), RATE);
  for (guint i = 0; i < 36; i++) {
    gint64 pts_ns = g_array_index (frames.times, gint64, i);
    gint64 expected = start_ns + dub_frames_to_ns (i * 1024, RATE) - delay_ns;

    g_assert_cmpint (ABS (pts_ns - expected), <, 30000);
  }
  g_clear_pointer (&encoder, dub_aac_encoder_free);
  g_array_unref (frames.times);
  g_mutex_clear (&frames.lock);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/publish/aac-encoder/times", test_times);
  return g_test_run ();
}
