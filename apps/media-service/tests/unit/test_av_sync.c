/* SPDX-License-Identifier: Apache-2.0 */
#include "programme_rig.h"

/*
 * The sound of a picture that was kept is within 10 ms of where it was,
 * whatever the times of the source look like. EBU R37 allows +40/-60 ms.
 */

#define MS RIG_MS
#define S RIG_S
#define RATE ((gint64) RIG_RATE)
#define WRAP ((G_GINT64_CONSTANT (1) << 32) * MS)

typedef struct {
  const char *name;
  gint64 base_ns;
  gint64 jitter_ns;
  gboolean is_rtmp, has_no_dts;
  gint64 jump_ns; /* each 10 s */
} Case;

static const Case cases[] = {
    {"exact", 0, 0, FALSE, FALSE, 0},
    {"whole-ms", 12345, 0, TRUE, FALSE, 0},
    {"jitter", 0, 200 * MS, TRUE, FALSE, 0},
    {"no-dts", 7 * S, 0, FALSE, TRUE, 0},
    {"no-dts-with-jitter", 7 * S, 100 * MS, TRUE, TRUE, 0},
    {"wrap", WRAP - 33 * S, 50 * MS, TRUE, FALSE, 0},
    {"jumps-forward", 0, 0, TRUE, FALSE, 4000 * S},
    {"jumps-back", 3000000 * S, 0, TRUE, FALSE, -700 * MS},
    {"jumps-with-jitter", 3000000 * S, 80 * MS, TRUE, FALSE, -5 * S},
};

static void
test_source (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (Rig) rig = rig_new (NULL);

  rig->base_ns = c->base_ns;
  rig->jitter_ns = c->jitter_ns;
  rig->is_rtmp = c->is_rtmp;
  rig->has_no_dts = c->has_no_dts;
  for (int i = 0; i < 12; i++) {
    rig_play (rig, 10 * S);
    rig_jump (rig, c->jump_ns);
  }
  rig_check_video (rig);
  /* 8 s are in the delay; beside a jump nothing is asked */
  g_assert_cmpint (rig_check_sync (rig), >, 100 * 25);
  if (c->jump_ns == 0)
    g_assert_cmpint (rig_stats (rig).epochs, ==, 1);
  else
    g_assert_cmpint (rig_stats (rig).epochs, ==, 12);
}

/* Connections that come and go, with times that have nothing in common. */
static void
test_reconnections (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  rig->is_rtmp = TRUE;
  rig->jitter_ns = 40 * MS;
  for (int i = 0; i < 20; i++) {
    rig_play (rig, g_test_rand_int_range (3000, 20000) * MS);
    dub_programme_source_lost (rig->programme, rig->now_ns);
    rig_idle (rig, g_test_rand_int_range (10, 12000) * MS);
    rig_reconnect (rig, g_test_rand_int_range (0, 4000000) * S);
  }
  rig_play (rig, 20 * S);
  rig_check_video (rig);
  g_assert_cmpint (rig_stats (rig).epochs, ==, 21);
  g_assert_cmpint (rig_check_sync (rig), >, 1000);
}

/* A sound card that runs 300 ppm off against the pictures: the sound is bent
 * to its pts before it is 10 ms away. */
static void
check_card (gint64 ppm)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  gint64 worst = 0;

  rig->is_mute = TRUE;
  for (gint64 i = 0; i < 600 * 48; i++) {
    gint64 source = dub_frames_to_ns (i * 1000, RIG_RATE);
    gint64 pts_ns = source + source / 1000000 * ppm;

    rig_play (rig, MAX (1, RIG_START + pts_ns - rig->now_ns));
    dub_programme_push_sound (rig->programme,
        dub_pcm_new_silence (1000, RIG_RATE, 2, rig->base_ns + pts_ns),
        rig->now_ns);
    worst = MAX (worst,
        ABS (rig->heard_end - 1000 - dub_ns_to_frames (pts_ns, RIG_RATE)));
  }
  g_assert_cmpint (worst, <=, RATE / 100);
  g_assert_cmpint (rig_stats (rig).sound_resampled_frames, >, 0);
  g_assert_cmpint (rig_stats (rig).sound_gaps, ==, 0);
  g_assert_cmpint (rig_stats (rig).sound_overlaps, ==, 0);
}

static void
test_sound_card_off_the_pictures (void)
{
  check_card (300);
  check_card (-300);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path =
        g_strdup_printf ("/media/av-sync/%s", cases[i].name);

    g_test_add_data_func (path, &cases[i], test_source);
  }
  g_test_add_func ("/media/av-sync/reconnections", test_reconnections);
  g_test_add_func (
      "/media/av-sync/sound-card", test_sound_card_off_the_pictures);
  return g_test_run ();
}
