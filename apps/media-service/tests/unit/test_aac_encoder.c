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

static DubAacEncoder *
new_encoder (Frames *frames)
{
  DubAacEncoderHandlers handlers = {.on_frame = on_frame, .on_error = on_error};
  g_autoptr (GError) error = NULL;
  DubAacEncoder *encoder;

  *frames = (Frames){.times = g_array_new (FALSE, FALSE, sizeof (gint64))};
  g_mutex_init (&frames->lock);
  encoder = dub_aac_encoder_new (160000, &handlers, frames, &error);
  g_assert_no_error (error);
  return encoder;
}

static void
free_encoder (DubAacEncoder *encoder, Frames *frames)
{
  dub_aac_encoder_free (encoder);
  g_array_unref (frames->times);
  g_mutex_clear (&frames->lock);
}

/* As fast as it goes. */
static void
push_blocks (DubAacEncoder *encoder, gint64 start_ns, guint n, gsize size)
{
  for (guint i = 0; i < n; i++)
    g_assert_true (dub_aac_encoder_push (
        encoder, dub_pcm_new_silence (size, RATE, 2,
                     start_ns + dub_frames_to_ns ((gint64) (i * size), RATE))));
}

/* start_ns: of the first sample, were it not for gaps. */
static void
assert_time (DubAacEncoder *encoder, Frames *frames, guint i, gint64 start_ns)
{
  gint64 pts_ns = g_array_index (frames->times, gint64, i);
  gint64 delay_ns =
      dub_frames_to_ns (dub_aac_encoder_get_delay_frames (encoder), RATE);
  gint64 expected =
      start_ns + dub_frames_to_ns (i * DUB_AAC_FRAME, RATE) - delay_ns;

  g_assert_cmpint (ABS (pts_ns - expected), <, 30000);
}

/* The frames sound where their samples were: the delay is taken off. */
static void
test_times (void)
{
  Frames frames;
  DubAacEncoder *encoder = new_encoder (&frames);
  const gint64 start_ns = 5 * DUB_NS_PER_S;

  g_assert_cmpuint (
      g_bytes_get_size (dub_aac_encoder_get_config (encoder)), >=, 2);
  g_assert_cmpuint (dub_aac_encoder_get_delay_frames (encoder), >=, 500);
  g_assert_cmpuint (dub_aac_encoder_get_delay_frames (encoder), <=, 4096);
  g_test_message ("%s: %u samples late", dub_aac_encoder_get_name (encoder),
      dub_aac_encoder_get_delay_frames (encoder));

  push_blocks (encoder, start_ns, 40, 1000);
  wait_for_frames (&frames, 36);
  for (guint i = 0; i < 36; i++)
    assert_time (encoder, &frames, i, start_ns);
  free_encoder (encoder, &frames);
}

/* While it got no CPU, all that comes waits for it: half a minute is what the
 * programme may be behind. */
static void
test_burst (void)
{
  Frames frames;
  DubAacEncoder *encoder = new_encoder (&frames);
  const guint n_blocks = 30 * RATE / 2048;

  push_blocks (encoder, DUB_NS_PER_S, n_blocks, 2048);
  g_assert_cmpint (dub_aac_encoder_get_waiting_ns (encoder), >, DUB_NS_PER_S);
  wait_for_frames (&frames, 2 * n_blocks - 3);
  for (guint i = 0; i < 2 * n_blocks - 3; i++)
    assert_time (encoder, &frames, i, DUB_NS_PER_S);
  g_assert_cmpint (
      dub_aac_encoder_get_waiting_ns (encoder), <, 100 * DUB_NS_PER_MS);
  free_encoder (encoder, &frames);
}

/* A gap in the times is where the sound has it, however much waits. */
static void
test_gap (void)
{
  Frames frames;
  DubAacEncoder *encoder = new_encoder (&frames);
  const gint64 gap_ns = 300 * DUB_NS_PER_MS, start_ns = DUB_NS_PER_S;
  const guint size = 2048, n = 20;
  gint64 edge = n * size + dub_aac_encoder_get_delay_frames (encoder);

  push_blocks (encoder, start_ns, n, size);
  push_blocks (
      encoder, start_ns + dub_frames_to_ns (n * size, RATE) + gap_ns, n, size);
  wait_for_frames (&frames, 4 * n - 3);
  for (guint i = 0; i < 4 * n - 3; i++)
    assert_time (encoder, &frames, i,
        i * DUB_AAC_FRAME < edge ? start_ns : start_ns + gap_ns);
  free_encoder (encoder, &frames);
}

/* Without end it does not take: what is too much is refused. */
static void
test_full (void)
{
  Frames frames;
  DubAacEncoder *encoder = new_encoder (&frames);
  guint n = 0;

  while (n < 600 && dub_aac_encoder_push (encoder,
                        dub_pcm_new_silence (RATE, RATE, 2, n * DUB_NS_PER_S)))
    n++;
  g_assert_cmpuint (n, >=, 40);
  g_assert_cmpuint (n, <, 600);
  free_encoder (encoder, &frames);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/publish/aac-encoder/times", test_times);
  g_test_add_func ("/media/publish/aac-encoder/burst", test_burst);
  g_test_add_func ("/media/publish/aac-encoder/gap", test_gap);
  g_test_add_func ("/media/publish/aac-encoder/full", test_full);
  return g_test_run ();
}
