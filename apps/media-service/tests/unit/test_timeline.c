/* SPDX-License-Identifier: Apache-2.0 */
#include "programme_rig.h"

#define MS RIG_MS
#define S RIG_S
#define RATE ((gint64) RIG_RATE)
#define DELAY (8 * S)

static const RigPicture *
picture_at (const Rig *rig, guint i)
{
  g_assert_cmpuint (i, <, rig->pictures->len);
  return &g_array_index (rig->pictures, RigPicture, i);
}

/* The first picture of that number that left. */
static const RigPicture *
picture_of (const Rig *rig, guint64 number)
{
  for (guint i = 0; i < rig->pictures->len; i++)
    if (picture_at (rig, i)->number == number)
      return picture_at (rig, i);
  g_error ("picture %" G_GUINT64_FORMAT " did not leave", number);
}

/* All that were sent have left, once, at their times. */
static void
check_all_left (const Rig *rig, guint n)
{
  rig_check_video (rig);
  g_assert_cmpuint (rig->pictures->len, >=, n);
  for (guint i = 0; i < n; i++) {
    g_assert_cmpuint (picture_at (rig, i)->number, ==, i);
    g_assert_cmpint (picture_at (rig, i)->dts_ns, ==, i * 40 * MS);
    g_assert_cmpint (
        picture_at (rig, i)->left_ns, ==, RIG_START + DELAY + i * 40 * MS);
  }
}

/* ---- stalls ---- */

static void
test_short_stall_is_not_seen (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  rig_play (rig, 20 * S);
  rig_idle (rig, 7900 * MS);
  rig_burst (rig, 7900 * MS);
  rig_play (rig, 20 * S);
  check_all_left (rig, 39 * 25);
  rig_check_sound (rig, 0, 39 * RATE, 0);
  g_assert_cmpint (rig_stats (rig).holds, ==, 0);
  g_assert_cmpint (rig_stats (rig).epochs, ==, 1);
}

/* 12 s are missing, then all comes at once: what has its time behind it is
 * dropped, and the rest is where it was. */
static void
test_what_comes_too_late_is_dropped (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  const RigEvent *begin, *end;

  rig_play (rig, 20 * S);
  rig_idle (rig, 11980 * MS);
  rig_burst (rig, 11980 * MS);
  rig_play (rig, 20 * S);
  rig_check_video (rig);
  rig_check_sound (rig, 0, 20 * RATE, 0);
  rig_check_silence (rig, 20 * RATE, 24 * RATE);
  rig_check_sound (rig, 24 * RATE + 2048, 43 * RATE, 0);
  g_assert_cmpint (rig_check_sync (rig), >, 38 * 25);
  /* pictures of [20 s, 24 s) are late: the key frame at 24 s is not */
  g_assert_cmpint (picture_of (rig, 600)->pts_ns, ==, 24 * S + 80 * MS);
  g_assert_cmpint (rig_stats (rig).video_dropped_late, ==, 100);
  g_assert_cmpint (rig_stats (rig).epochs, ==, 1);
  g_assert_cmpint (rig_count (rig, DUB_EVENT_VIDEO_DROPPED), ==, 1);
  g_assert_cmpint (rig_count (rig, DUB_EVENT_SOUND_DROPPED), ==, 1);
  begin = rig_event (rig, DUB_EVENT_HOLD_BEGIN, 0);
  end = rig_event (rig, DUB_EVENT_HOLD_END, 0);
  g_assert_cmpint (begin->media_ns, ==, 20 * S + 40 * MS);
  g_assert_cmpint (end->media_ns, >, begin->media_ns);
  g_assert_cmpint (rig_stats (rig).holds, ==, 1);
  /* the last key frame (19 s) again at 21.04 s, 22.04 s, 23.04 s */
  g_assert_cmpint (rig_stats (rig).video_repeated, ==, 3);
  g_assert_false (rig_stats (rig).is_holding);
}

/* The source has stopped for 12 s and goes on where it was: it is late for
 * good, so it goes on as a new epoch, at the same delay. */
static void
test_late_for_2s_opens_an_epoch (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  const RigPicture *first;

  rig_play (rig, 20 * S);
  rig_idle (rig, 12 * S);
  rig_play (rig, 30 * S); /* pictures 500 … arrive 12 s late */
  rig_check_video (rig);
  g_assert_cmpint (rig_stats (rig).epochs, ==, 2);
  /* 500 arrives at 32 s; the first key frame 2 s later is 550 */
  first = picture_of (rig, 550);
  g_assert_cmpint (first->left_ns, ==, RIG_START + 34 * S + DELAY);
  g_assert_cmpint (first->dts_ns, ==, 34 * S);
  g_assert_cmpint (rig_event (rig, DUB_EVENT_EPOCH, 0)->media_ns, ==, 34 * S);
  g_assert_cmpint (picture_of (rig, 700)->left_ns, ==,
      RIG_START + DELAY + 12 * S + 700 * 40 * MS);
  rig_check_sound (rig, 0, 20 * RATE, 0);
  rig_check_silence (rig, 20 * RATE, 34 * RATE - 2000);
  rig_check_sound (rig, 34 * RATE + 2000, 53 * RATE, -12 * RATE);
  g_assert_cmpint (rig_check_sync (rig), >, 37 * 25);
}

/* What was held back for 14 s comes at three times the pace, as from a worker
 * that had no CPU: late for longer than 2 s, and the delay is what it was. */
static void
test_backlog_needs_no_epoch (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  rig_play (rig, 20 * S);
  rig_idle (rig, 14 * S);
  for (guint i = 0; i < 70; i++) {
    rig_play (rig, 100 * MS);
    rig_burst (rig, 200 * MS);
  }
  rig_play (rig, 20 * S);
  rig_check_video (rig);
  g_assert_cmpint (rig_stats (rig).epochs, ==, 1);
  g_assert_cmpint (
      picture_of (rig, 1300)->left_ns, ==, RIG_START + DELAY + 1300 * 40 * MS);
  g_assert_cmpint (rig_check_sync (rig), >, 30 * 25);
}

/* A worker that gets a little CPU now and then takes one late picture after the
 * other, each later than the last, and then all that was held back. */
static void
test_late_and_later_needs_no_epoch (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  rig_play (rig, 20 * S);
  rig_idle (rig, 9 * S);
  for (guint i = 0; i < 60; i++) {
    rig_burst (rig, 40 * MS);
    rig_idle (rig, 200 * MS);
  }
  rig_burst (rig, 18600 * MS);
  rig_play (rig, 20 * S);
  rig_check_video (rig);
  g_assert_cmpint (rig_stats (rig).epochs, ==, 1);
  g_assert_cmpint (
      picture_of (rig, 1200)->left_ns, ==, RIG_START + DELAY + 1200 * 40 * MS);
}

/* Late by the same each time is late for good, also where it comes in pieces.
 */
static void
test_late_in_pieces_opens_an_epoch (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  rig_play (rig, 20 * S);
  rig_idle (rig, 10 * S);
  for (guint i = 0; i < 14; i++) {
    rig_idle (rig, 3 * S);
    rig_burst (rig, 3 * S);
  }
  rig_check_video (rig);
  g_assert_cmpint (rig_stats (rig).epochs, ==, 2);
  /* No more in pieces, so 3 s earlier than before. */
  rig_play (rig, 20 * S);
  g_assert_cmpint (rig_stats (rig).epochs, ==, 3);
}

static void
test_in_time_again_needs_no_epoch (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  rig_play (rig, 20 * S);
  rig_idle (rig, 12 * S);
  rig_play (rig, 3 * S + 999 * MS); /* late, and an epoch is asked for … */
  rig_burst (rig, 9 * S - 999 * MS);
  rig_play (rig, 20 * S);
  rig_check_video (rig);
  g_assert_cmpint (rig_check_sync (rig), >, 30 * 25);
}

/* The key frames of the last 10 s left a delay after they came. */
static void
check_delay (const Rig *rig, gint64 tolerance_ns)
{
  gint64 newest = rig->picture - 1 - DELAY / (40 * MS);
  gint64 shift_ns = rig->now_ns - rig->sent_ns;

  for (gint64 n = (newest - 10 * 25) / 25 * 25; n <= newest; n += 25) {
    gint64 came_ns = shift_ns + n * 40 * MS;
    gint64 off_ns = picture_of (rig, (guint64) n)->left_ns - came_ns - DELAY;

    g_assert_cmpint (ABS (off_ns), <, tolerance_ns);
  }
}

/* Late for good, it seemed, and an epoch was opened; then all that was held
 * back came after all, at once or faster than it is shown. What is less than a
 * second is left to the departure clock, which follows up to 30 ms meanwhile.
 */
static void
test_backlog_after_an_epoch_adds_no_delay (void)
{
  const struct {
    gint64 more_ms, tolerance_ms;
  } cases[] = {{12000, 50}, {100, 1050}, {25, 1050}};

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (Rig) rig = rig_new (NULL);
    gint64 rest_ms = 12000;

    rig_play (rig, 20 * S);
    rig_idle (rig, 12 * S);
    rig_play (rig, 10 * S);
    g_assert_cmpint (rig_stats (rig).epochs, ==, 2);
    for (; rest_ms > 0; rest_ms -= cases[i].more_ms) {
      rig_burst (rig, cases[i].more_ms * MS);
      rig_play (rig, 100 * MS);
    }
    rig_play (rig, 60 * S);
    rig_check_video (rig);
    check_delay (rig, cases[i].tolerance_ms * MS);
    g_assert_cmpuint (rig_stats (rig).video_dropped_early, >=, 10 * 25);
    g_assert_cmpuint (rig_stats (rig).video_dropped_early, <=, 15 * 25);
    g_assert_cmpint (rig_stats (rig).holds, ==, 1);
    g_assert_cmpint (rig_check_sync (rig), >, 40 * 25);
  }
}

/* A server that keeps a few seconds sends them at once to who comes. */
static void
test_burst_after_a_connection_adds_no_delay (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  rig_play (rig, 20 * S);
  for (guint i = 0; i < 5; i++) {
    rig_idle (rig, 5 * S);
    rig_reconnect (rig, 100 * S);
    rig_burst (rig, 5 * S);
    rig_play (rig, 40 * S);
    rig_check_video (rig);
    check_delay (rig, 50 * MS);
  }
  g_assert_cmpuint (rig_stats (rig).video_dropped_early, <=, 5 * 6 * 25);
  g_assert_cmpint (rig_stats (rig).holds, ==, 0);
  g_assert_cmpint (rig_check_sync (rig), >, 160 * 25);
}

/* Less than a second is left to the departure clock. */
static void
test_little_too_early_loses_nothing (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  rig_play (rig, 20 * S);
  rig_idle (rig, 5 * S);
  rig_reconnect (rig, 100 * S);
  rig_burst (rig, 900 * MS);
  rig_play (rig, 20 * S);
  g_assert_cmpuint (rig_stats (rig).video_dropped_early, ==, 0);
  g_assert_cmpint (rig_stats (rig).epochs, ==, 2);
}

/* ---- jumps, wraps, connections ---- */

static void
check_jump (gint64 jump_ns, guint n_epochs)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  rig_play (rig, 20 * S + 360 * MS); /* in the middle of a GOP */
  rig_jump (rig, jump_ns);
  rig_play (rig, 30 * S);
  check_all_left (rig, 40 * 25);
  g_assert_cmpint (rig_stats (rig).epochs, ==, n_epochs);
  /* One offset for both, taken at the picture: the sound follows it. */
  rig_check_sound (rig, 0, 41 * RATE, 0);
  g_assert_cmpint (rig_check_sync (rig), >=, 40 * 25);
}

static void
test_jumps_are_not_seen (void)
{
  check_jump (0, 1);
  check_jump (3600 * S, 2);
  check_jump (-3500 * S, 2);
  check_jump (-2 * S, 2);
  check_jump (5 * S, 2);
}

/* The source is 3 s behind when its times jump in the middle of a GOP: the new
 * epoch is at the full delay, 3 s on. A key frame repeated in that hole would
 * take the rest of the GOP with it. */
static void
test_hole_in_a_gop_repeats_nothing (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  rig_play (rig, 20 * S);
  rig_idle (rig, 3 * S);
  rig_play (rig, 10 * S + 360 * MS);
  rig_jump (rig, 3600 * S);
  rig_play (rig, 20 * S);
  rig_check_video (rig);
  for (guint i = 0; i < 40 * 25; i++)
    g_assert_cmpuint (picture_at (rig, i)->number, ==, i);
  g_assert_cmpint (rig_stats (rig).video_repeated, ==, 0);
  g_assert_cmpint (rig_stats (rig).epochs, ==, 2);
  g_assert_cmpint (rig_check_sync (rig), >=, 38 * 25);
}

static void
test_wrap_is_not_seen (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  rig->is_rtmp = TRUE;
  rig->base_ns = (G_GINT64_CONSTANT (1) << 32) * MS - 15 * S;
  rig_play (rig, 40 * S);
  check_all_left (rig, 31 * 25);
  rig_check_sound (rig, 0, 31 * RATE, 0);
  g_assert_cmpint (rig_stats (rig).epochs, ==, 1);
}

static void
check_reconnect (gint64 gap_ns, gint64 base_ns, guint n_repeated)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  gint64 gap = dub_ns_to_frames (gap_ns, RIG_RATE);

  rig_play (rig, 20 * S);
  dub_programme_source_lost (rig->programme, rig->now_ns);
  g_assert_true (rig_stats (rig).is_source_lost);
  rig_idle (rig, gap_ns);
  rig_reconnect (rig, base_ns);
  g_assert_false (rig_stats (rig).is_source_lost);
  rig_play (rig, 30 * S);
  rig_check_video (rig);
  g_assert_cmpint (rig_stats (rig).epochs, ==, 2);
  g_assert_cmpint (rig_stats (rig).video_repeated, ==, n_repeated);
  g_assert_cmpint (
      picture_of (rig, 500)->left_ns, ==, RIG_START + 20 * S + gap_ns + DELAY);
  rig_check_sound (rig, 0, 20 * RATE, 0);
  rig_check_silence (rig, 20 * RATE, 20 * RATE + gap);
  rig_check_sound (rig, 20 * RATE + gap, 41 * RATE + gap, -gap);
  g_assert_cmpint (rig_check_sync (rig), >=, 41 * 25);
}

static void
test_reconnect_goes_on_at_the_same_delay (void)
{
  check_reconnect (500 * MS, 0, 0);
  check_reconnect (3 * S, 77 * S, 2);
  check_reconnect (25 * S, 3600 * S, 24);
}

/* Old and new connection overlap: nothing goes back. */
static void
test_reconnect_without_a_gap (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  rig_play (rig, 10 * S);
  rig_burst (rig, 2 * S);
  rig_reconnect (rig, 5 * S);
  rig_play (rig, 30 * S);
  rig_check_video (rig);
  /* 300 starts after the end of 299, though less time has passed */
  g_assert_cmpint (
      picture_of (rig, 300)->dts_ns, >, picture_of (rig, 299)->dts_ns);
  g_assert_cmpint (rig_check_sync (rig), >, 30 * 25);
}

/* ---- losses ---- */

static void
check_loss (DubSourceLoss mode, guint n_repeated, gint64 sound_s)
{
  DubProgrammeParams params;
  g_autoptr (Rig) rig = NULL;

  dub_programme_params_init (&params);
  params.source_loss = mode;
  rig = rig_new (&params);
  rig_play (rig, 20 * S);
  dub_programme_source_lost (rig->programme, rig->now_ns);
  rig_idle (rig, 30 * S); /* empty after 8 s */
  g_assert_cmpint (rig_stats (rig).video_repeated, ==, n_repeated);
  g_assert_cmpint (ABS (rig->sound->len / 2 - sound_s * RATE), <=, 2048);
  for (guint i = 0; i < n_repeated; i++) {
    const RigPicture *picture = picture_at (rig, 500 + i);

    g_assert_cmpuint (picture->number, ==, 475);
    g_assert_true (picture->is_key);
    g_assert_cmpint (picture->pts_ns, ==, 20 * S + 40 * MS + (i + 1) * S);
  }
  rig_reconnect (rig, 0);
  /* The sound of a closed output begins again with a hole before it. */
  if (mode == DUB_SOURCE_LOSS_CLOSE) {
    g_assert_cmpint (rig_count (rig, DUB_EVENT_DRAINED), ==, 1);
    g_array_set_size (rig->sound, 0);
  }
  rig_play (rig, 20 * S);
  rig_check_video (rig);
  rig_check_sound (rig, 50 * RATE, 61 * RATE, -30 * RATE);
  g_assert_cmpint (rig_count (rig, DUB_EVENT_HOLD_BEGIN), ==,
      mode == DUB_SOURCE_LOSS_CLOSE ? 0 : 1);
}

static void
test_source_loss (void)
{
  check_loss (DUB_SOURCE_LOSS_HOLD, 21, 42);
  check_loss (DUB_SOURCE_LOSS_SILENCE, 0, 42);
  check_loss (DUB_SOURCE_LOSS_CLOSE, 0, 20);
}

/* ---- one track alone ---- */

static void
test_hole_in_the_sound_is_silent (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  const RigEvent *gap;

  rig_play (rig, 10 * S);
  rig->is_mute = TRUE;
  rig_play (rig, 5 * S);
  rig->is_mute = FALSE;
  rig_play (rig, 20 * S);
  check_all_left (rig, 26 * 25);
  rig_check_sound (rig, 0, 10 * RATE, 0);
  rig_check_silence (rig, 10 * RATE, 15 * RATE);
  rig_check_sound (rig, 15 * RATE, 26 * RATE, 0);
  gap = rig_event (rig, DUB_EVENT_SOUND_GAP, 0);
  g_assert_cmpint (gap->media_ns, ==, 10 * S);
  g_assert_cmpint (gap->duration_ns, ==, 5 * S);
  g_assert_cmpint (rig_stats (rig).sound_gaps, ==, 1);
  g_assert_cmpint (rig_stats (rig).sound_frames_silent, ==, 5 * RATE);
  g_assert_cmpint (rig_stats (rig).epochs, ==, 1);
}

static void
test_sound_goes_on_without_pictures (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  rig_play (rig, 10 * S);
  rig->is_blind = TRUE;
  rig_play (rig, 15 * S);
  rig->is_blind = FALSE;
  rig_play (rig, 20 * S);
  rig_check_video (rig);
  rig_check_sound (rig, 0, 36 * RATE, 0);
  g_assert_cmpint (rig_stats (rig).holds, ==, 0);
  g_assert_cmpint (rig_stats (rig).video_repeated, ==, 0);
  g_assert_cmpint (rig_check_sync (rig), >, 20 * 25);
}

static void
test_no_sound_at_all (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  rig->is_mute = TRUE;
  rig_play (rig, 20 * S);
  check_all_left (rig, 12 * 25);
  rig_check_silence (rig, 0, 11 * RATE);
  g_assert_cmpint (rig_stats (rig).holds, ==, 0);
}

/* ---- codec data, key frames, limits ---- */

static void
test_codec_data_goes_out_where_it_changes (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  rig_play (rig, 5 * S);
  rig->config = "another one";
  rig_play (rig, 20 * S);
  for (guint i = 0; i < rig->pictures->len; i++)
    g_assert_cmpint (picture_at (rig, i)->has_config, ==, i == 0 || i == 125);
}

static void
test_too_much_sound_is_refused (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  rig_burst (rig, 70 * S);
  g_assert_cmpint (
      rig_stats (rig).sound_buffered_ns, <=, DUB_PROGRAMME_MAX_SOUND_NS);
  g_assert_cmpstr (
      rig_event (rig, DUB_EVENT_SOUND_DROPPED, 0)->detail, ==, "full");
  rig_idle (rig, 70 * S);
  rig_check_sound (rig, 0, 60 * RATE - 2000, 0);
  rig_check_silence (rig, 60 * RATE, 61 * RATE);
}

static void
test_too_many_pictures_are_refused (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  rig->is_mute = TRUE;
  rig_burst (rig, 400 * S);
  g_assert_cmpuint (
      rig_stats (rig).video_units, ==, DUB_PROGRAMME_MAX_VIDEO_UNITS);
  g_assert_cmpuint (rig_stats (rig).video_dropped_full, ==,
      400 * 25 - DUB_PROGRAMME_MAX_VIDEO_UNITS);
  rig_idle (rig, 420 * S);
  rig_check_video (rig);
}

static void
test_too_many_bytes_are_refused (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 (32 << 20), 32 << 20);

  for (int i = 0; i < 10; i++)
    dub_programme_push_video (rig->programme,
        dub_access_unit_new (DUB_VIDEO_CODEC_H264, g_bytes_ref (bytes), NULL,
            i * 40 * MS, i * 40 * MS, TRUE),
        rig->now_ns);
  g_assert_cmpuint (rig_stats (rig).video_units, ==, 8);
  g_assert_cmpuint (rig_stats (rig).video_dropped_full, ==, 2);
  g_assert_cmpuint (
      rig_stats (rig).video_buffered_bytes, ==, DUB_PROGRAMME_MAX_VIDEO_BYTES);
}

/* ---- dubs in a row ---- */

/* Six segments of about 1.1 s each, 1.6 s apart, all answered with length_ms
 * of sound. */
static Rig *
rig_with_row (gint64 length_ms)
{
  Rig *rig = rig_new (NULL);

  dub_programme_set_sts (rig->programme, DUB_STS_READY, 0, 0, rig->now_ns);
  for (guint i = 0; i < 6; i++) {
    gint64 at = i * 50 * RIG_WINDOW;

    rig_play (rig, 1600 * MS);
    rig_speak (rig, at, at + 30 * RIG_WINDOW, TRUE);
    rig_speak (rig, at + 30 * RIG_WINDOW, at + 49 * RIG_WINDOW, FALSE);
    rig_speak (rig, at + 49 * RIG_WINDOW, at + 50 * RIG_WINDOW, FALSE);
    g_assert_cmpuint (rig->fragments->len, ==, i + 1);
    rig_answer (rig, i, dub_ns_to_frames (length_ms * MS, RIG_RATE), 10000);
  }
  rig_play (rig, 40 * S);
  return rig;
}

static void
test_dubs_wait_for_one_another (void)
{
  g_autoptr (Rig) rig = rig_with_row (1800);
  gint64 end_ns = 0;

  g_assert_cmpint (rig_count (rig, DUB_EVENT_DUB_HEARD), ==, 6);
  for (guint i = 0; i < 6; i++) {
    const RigEvent *started = rig_event (rig, DUB_EVENT_DUB_STARTED, i);

    g_assert_cmpint (started->media_ns, >=, end_ns - 1);
    g_assert_cmpint (started->lag_ns, <=, 1500 * MS);
    end_ns = started->media_ns + started->duration_ns;
  }
  g_assert_cmpint (
      rig_event (rig, DUB_EVENT_DUB_STARTED, 5)->lag_ns, >, 500 * MS);
}

static void
test_lag_is_bounded (void)
{
  g_autoptr (Rig) rig = rig_with_row (3000);
  DubProgrammeStats stats = rig_stats (rig);

  g_assert_cmpint (stats.dubs_dropped_lag, >, 0);
  g_assert_cmpint (stats.dubs_heard + stats.dubs_dropped_lag, ==, 6);
  for (guint i = 0; i < rig_count (rig, DUB_EVENT_DUB_STARTED); i++)
    g_assert_cmpint (
        rig_event (rig, DUB_EVENT_DUB_STARTED, i)->lag_ns, <=, 1500 * MS);
  g_assert_cmpstr (
      rig_event (rig, DUB_EVENT_DUB_DROPPED, 0)->detail, ==, "lag");
}

int
main (int argc, char **argv)
{
  static const RigTest tests[] = {
      {"short-stall", test_short_stall_is_not_seen},
      {"too-late", test_what_comes_too_late_is_dropped},
      {"late-for-2s", test_late_for_2s_opens_an_epoch},
      {"backlog", test_backlog_needs_no_epoch},
      {"backlog-after-epoch", test_backlog_after_an_epoch_adds_no_delay},
      {"burst-after-connection", test_burst_after_a_connection_adds_no_delay},
      {"little-too-early", test_little_too_early_loses_nothing},
      {"late-and-later", test_late_and_later_needs_no_epoch},
      {"late-in-pieces", test_late_in_pieces_opens_an_epoch},
      {"in-time-again", test_in_time_again_needs_no_epoch},
      {"jumps", test_jumps_are_not_seen},
      {"hole-in-a-gop", test_hole_in_a_gop_repeats_nothing},
      {"wrap", test_wrap_is_not_seen},
      {"reconnect", test_reconnect_goes_on_at_the_same_delay},
      {"reconnect-without-a-gap", test_reconnect_without_a_gap},
      {"source-loss", test_source_loss},
      {"hole-in-the-sound", test_hole_in_the_sound_is_silent},
      {"sound-without-pictures", test_sound_goes_on_without_pictures},
      {"no-sound-at-all", test_no_sound_at_all},
      {"codec-data", test_codec_data_goes_out_where_it_changes},
      {"too-much-sound", test_too_much_sound_is_refused},
      {"too-many-pictures", test_too_many_pictures_are_refused},
      {"too-many-bytes", test_too_many_bytes_are_refused},
      {"dubs-wait", test_dubs_wait_for_one_another},
      {"lag-is-bounded", test_lag_is_bounded},
  };

  g_test_init (&argc, &argv, NULL);
  rig_add_tests ("/media/timeline/", tests, G_N_ELEMENTS (tests));
  return g_test_run ();
}
