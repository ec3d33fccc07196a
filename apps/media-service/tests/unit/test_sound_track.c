/* SPDX-License-Identifier: Apache-2.0 */
#include "programme/sound_track.h"

#include <dubbing_common/clock.h>
#include <math.h>

#define RATE 48000
#define BLOCK 1024
#define MS DUB_NS_PER_MS
#define S DUB_NS_PER_S

/* A block of a 1 kHz sine that starts at frame first. */
static DubPcm *
sine (gint64 first, gsize frames, gint64 pts_ns)
{
  gint16 *samples = g_new (gint16, frames * 2);

  for (gsize i = 0; i < frames; i++)
    samples[2 * i] = samples[2 * i + 1] = (gint16) lrint (
        10000 * sin (2 * G_PI * 1000 * (double) (first + (gint64) i) / RATE));
  return dub_pcm_new (g_bytes_new_take (samples, frames * 4), RATE, 2, pts_ns);
}

static DubSoundPlacement
push (DubSoundTrack *track, gint64 first, gint64 pts_ns)
{
  DubSoundPlacement placement;

  dub_sound_track_push (track, sine (first, BLOCK, pts_ns), &placement);
  return placement;
}

/* Rounded to milliseconds, as RTMP does it: nothing is touched. */
static void
test_rounded_pts_leave_the_samples (void)
{
  g_autoptr (DubSoundTrack) track = dub_sound_track_new (RATE, 2);

  for (gint64 i = 0; i < 5000; i++) {
    gint64 pts_ns = dub_frames_to_ns (i * BLOCK, RATE) / MS * MS;
    g_autoptr (DubPcm) expected = sine (i * BLOCK, BLOCK, 0);
    DubSoundPlacement placement = push (track, i * BLOCK, pts_ns);
    g_autoptr (DubPcm) pcm = placement.pcm;

    g_assert_cmpint (placement.first_frame, ==, i * BLOCK);
    g_assert_cmpint (placement.resampled_frames, ==, 0);
    g_assert_cmpmem (pcm->samples, BLOCK * 4, expected->samples, BLOCK * 4);
  }
}

/* pts that run ppm off against the samples: the residual stays bounded, by at
 * most 0.1 % of resampling. */
static void
check_drift (gint64 ppm, gboolean is_touched)
{
  g_autoptr (DubSoundTrack) track = dub_sound_track_new (RATE, 2);
  gint64 resampled = 0, in_a_second = 0;

  for (gint64 i = 0; i < 20000; i++) {
    gint64 ns = dub_frames_to_ns (i * BLOCK, RATE);
    gint64 pts_ns = ns + ns / 1000000 * ppm;
    DubSoundPlacement placement = push (track, i * BLOCK, pts_ns);
    gint64 residual = dub_ns_to_frames (pts_ns, RATE) - placement.first_frame;

    g_assert_cmpint (placement.gap_frames, ==, 0);
    g_assert_cmpint (placement.overlap_frames, ==, 0);
    g_assert_cmpint (ABS (residual), <=, RATE * 8 / 1000);
    resampled += placement.resampled_frames;
    in_a_second += ABS (placement.resampled_frames);
    if (i % 47 == 46) {
      g_assert_cmpint (in_a_second, <=, 49);
      in_a_second = 0;
    }
    dub_pcm_unref (placement.pcm);
  }
  if (!is_touched)
    g_assert_cmpint (resampled, ==, 0);
  else if (ppm > 0)
    g_assert_cmpint (resampled, >, 0);
  else
    g_assert_cmpint (resampled, <, 0);
}

static void
test_drift_is_resampled_away (void)
{
  check_drift (0, FALSE);
  check_drift (10, FALSE); /* 4.3 ms in the end: left */
  check_drift (100, TRUE);
  check_drift (-100, TRUE);
  check_drift (900, TRUE);
  check_drift (-900, TRUE);
}

typedef struct {
  const char *name;
  gint64 off_ms; /* of the 100th block and all after it */
  gint64 gap, overlap, first;
  gboolean is_resampled; /* in the end */
} StepCase;

#define AT (100 * BLOCK)
static const StepCase steps[] = {
    {"below-5ms", 4, 0, 0, AT, FALSE},
    {"back-below-5ms", -4, 0, 0, AT, FALSE},
    {"30ms", 30, 0, 0, AT, TRUE},
    {"back-30ms", -30, 0, 0, AT, TRUE},
    {"40ms", 40, 0, 0, AT, TRUE},
    {"gap", 41, 41 * 48, 0, AT + 41 * 48, FALSE},
    {"gap-of-a-minute", 60000, 60000 * 48, 0, AT + 60000 * 48, FALSE},
    {"overlap", -41, 0, BLOCK, AT, FALSE},
};

static void
test_step (gconstpointer data)
{
  const StepCase *c = data;
  g_autoptr (DubSoundTrack) track = dub_sound_track_new (RATE, 2);
  gint64 resampled = 0, residual = 0;

  for (gint64 i = 0; i < 8000; i++) {
    gint64 pts_ns =
        dub_frames_to_ns (i * BLOCK, RATE) + (i >= 100 ? c->off_ms * MS : 0);
    DubSoundPlacement placement = push (track, i * BLOCK, pts_ns);

    resampled += placement.resampled_frames;
    residual = dub_ns_to_frames (pts_ns, RATE) - placement.first_frame;
    if (i == 100) {
      g_assert_cmpint (placement.gap_frames, ==, c->gap);
      g_assert_cmpint (placement.overlap_frames, ==, c->overlap);
      g_assert_cmpint (placement.first_frame, ==, c->first);
    } else {
      g_assert_cmpint (placement.gap_frames, ==, 0);
    }
    dub_pcm_unref (placement.pcm);
  }
  g_assert_cmpint (resampled != 0, ==, c->is_resampled);
  if (c->is_resampled) /* to within 0.5 ms */
    g_assert_cmpint (ABS (residual), <=, 24);
}

/* 100 ms sent twice: what sounds is each of them once. */
static void
test_overlap_is_cut_within_a_block (void)
{
  g_autoptr (DubSoundTrack) track = dub_sound_track_new (RATE, 2);
  gint64 at = 0, end = 0;

  for (int i = 0; i < 100; i++, at += BLOCK)
    dub_pcm_unref (push (track, at, dub_frames_to_ns (at, RATE)).pcm);
  end = at;
  for (at -= 4800; at < end + 10 * BLOCK; at += BLOCK) {
    DubSoundPlacement placement = push (track, at, dub_frames_to_ns (at, RATE));
    g_autoptr (DubPcm) pcm = placement.pcm;

    if (pcm == NULL)
      continue;
    g_assert_cmpint (placement.first_frame, ==, at + placement.overlap_frames);
    g_assert_cmpint (pcm->frames, ==, BLOCK - placement.overlap_frames);
  }
  g_assert_cmpint (dub_sound_track_next_frame (track), ==, at);
}

static void
test_before_media_time_is_dropped (void)
{
  g_autoptr (DubSoundTrack) track = dub_sound_track_new (RATE, 2);
  DubSoundPlacement placement = push (track, 0, -S);

  g_assert_null (placement.pcm);
  g_assert_cmpint (placement.overlap_frames, ==, BLOCK);
  placement = push (track, BLOCK, -10 * MS);
  g_assert_cmpint (placement.first_frame, ==, 0);
  g_assert_cmpint (placement.pcm->frames, ==, BLOCK - 480);
  dub_pcm_unref (placement.pcm);
}

static void
test_epoch_begins_where_it_says (void)
{
  static const gint64 offs_ms[] = {4, -4, 6, -6, 39, -39};

  for (gsize k = 0; k < G_N_ELEMENTS (offs_ms); k++) {
    g_autoptr (DubSoundTrack) track = dub_sound_track_new (RATE, 2);
    gint64 off = ABS (offs_ms[k]) < 5 ? 0 : offs_ms[k] * 48;

    for (gint64 i = 0; i < 30; i++) {
      gint64 pts_ns = dub_frames_to_ns (i * BLOCK, RATE);
      DubSoundPlacement placement;

      if (i == 10)
        dub_sound_track_realign (track);
      placement =
          push (track, i * BLOCK, pts_ns + (i >= 10 ? offs_ms[k] * MS : 0));
      g_assert_cmpint (placement.resampled_frames, ==, 0);
      if (i == 10)
        g_assert_cmpint (placement.gap_frames - placement.overlap_frames, ==,
            off < -BLOCK ? -BLOCK : off);
      if (i >= 12)
        g_assert_cmpint (placement.first_frame, ==, i * BLOCK + off);
      g_clear_pointer (&placement.pcm, dub_pcm_unref);
    }
  }
}

/* The stretched sine is still one: no step at the borders of blocks. */
static void
test_resampling_is_smooth (void)
{
  g_autoptr (DubSoundTrack) track = dub_sound_track_new (RATE, 2);
  double largest = 0;
  gint16 last = 0;
  gint64 resampled = 0;

  for (gint64 i = 0; i < 2000; i++) {
    gint64 pts_ns = dub_frames_to_ns (i * BLOCK, RATE) + (i > 9 ? 30 * MS : 0);
    DubSoundPlacement placement = push (track, i * BLOCK, pts_ns);
    g_autoptr (DubPcm) pcm = placement.pcm;

    resampled += placement.resampled_frames;
    for (gsize f = 0; f < pcm->frames; f++) {
      largest = MAX (largest, fabs ((double) pcm->samples[2 * f] - last));
      g_assert_cmpint (pcm->samples[2 * f], ==, pcm->samples[2 * f + 1]);
      last = pcm->samples[2 * f];
    }
  }
  g_assert_cmpint (resampled, >, 1000);
  /* The steepest step of the sine itself is 1309. */
  g_assert_cmpfloat (largest, <, 1400);
}

static void
test_empty_block (void)
{
  g_autoptr (DubSoundTrack) track = dub_sound_track_new (RATE, 2);
  DubSoundPlacement placement;

  dub_sound_track_push (track, dub_pcm_new_silence (0, RATE, 2, S), &placement);
  g_assert_null (placement.pcm);
  g_assert_cmpint (dub_sound_track_next_frame (track), ==, 0);
}

/* Sound that says it is 20 ms later: seen at once in the mean, corrected as one
 * run, and gone from the mean when it is. */
static void
test_offset_is_told (void)
{
  g_autoptr (DubSoundTrack) track = dub_sound_track_new (RATE, 2);
  double most = 0;
  guint runs = 0;

  for (gint64 i = 0; i < 5000; i++) {
    gint64 pts_ns = dub_frames_to_ns (i * BLOCK, RATE) + (i > 50 ? 20 * MS : 0);
    DubSoundPlacement placement = push (track, i * BLOCK, pts_ns);

    g_clear_pointer (&placement.pcm, dub_pcm_unref);
    runs += placement.has_begun_correction;
    most = MAX (most, dub_sound_track_offset_frames (track));
  }
  g_assert_cmpfloat (most, >, RATE * 0.010);
  g_assert_cmpfloat (most, <, RATE * 0.021);
  g_assert_cmpuint (runs, ==, 1);
  g_assert_cmpfloat (
      ABS (dub_sound_track_offset_frames (track)), <, RATE * 0.001);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/sound-track/rounded-pts-leave-the-samples",
      test_rounded_pts_leave_the_samples);
  g_test_add_func (
      "/media/sound-track/drift-is-resampled", test_drift_is_resampled_away);
  for (gsize i = 0; i < G_N_ELEMENTS (steps); i++) {
    g_autofree char *path =
        g_strdup_printf ("/media/sound-track/step/%s", steps[i].name);

    g_test_add_data_func (path, &steps[i], test_step);
  }
  g_test_add_func ("/media/sound-track/overlap-within-a-block",
      test_overlap_is_cut_within_a_block);
  g_test_add_func ("/media/sound-track/before-media-time",
      test_before_media_time_is_dropped);
  g_test_add_func (
      "/media/sound-track/resampling-is-smooth", test_resampling_is_smooth);
  g_test_add_func ("/media/sound-track/epoch", test_epoch_begins_where_it_says);
  g_test_add_func ("/media/sound-track/empty-block", test_empty_block);
  g_test_add_func ("/media/sound-track/offset-is-told", test_offset_is_told);
  return g_test_run ();
}
