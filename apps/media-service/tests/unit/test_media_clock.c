/* SPDX-License-Identifier: Apache-2.0 */
#include "programme/media_clock.h"

#define MS DUB_NS_PER_MS
#define S DUB_NS_PER_S
#define WRAP ((G_GINT64_CONSTANT (1) << 32) * MS)

static DubMapResult last_result;

/* Maps and returns the media pts; -1 when nothing. */
static gint64
map (DubMediaClock *clock, DubTrack track, gint64 source_ns, gboolean is_key,
    gint64 passed_ns)
{
  DubStamp stamp = {.track = track,
      .order_ns = source_ns,
      .pts_ns = source_ns,
      .duration_ns = 20 * MS,
      .is_key = is_key};
  gint64 order_ns = 0, pts_ns = 0;

  last_result =
      dub_media_clock_map (clock, &stamp, passed_ns, &order_ns, &pts_ns);
  if (last_result == DUB_MAP_NONE)
    return -1;
  g_assert_cmpint (order_ns, ==, pts_ns);
  return pts_ns;
}

#define VIDEO(source, passed)                                                  \
  map (clock, DUB_TRACK_VIDEO, source, FALSE, passed)
#define KEY(source, passed) map (clock, DUB_TRACK_VIDEO, source, TRUE, passed)
#define SOUND(source, passed)                                                  \
  map (clock, DUB_TRACK_SOUND, source, FALSE, passed)

static void
test_starts_at_the_first_key_frame (void)
{
  g_autoptr (DubMediaClock) clock = dub_media_clock_new ();

  g_assert_cmpint (SOUND (5 * S, 0), ==, -1);
  g_assert_cmpint (VIDEO (5 * S, 0), ==, -1);
  g_assert_cmpint (KEY (5 * S + 40 * MS, 77), ==, 0);
  g_assert_cmpint (last_result, ==, DUB_MAP_EPOCH);
  g_assert_cmpint (SOUND (5 * S + 20 * MS, 0), ==, -20 * MS);
  g_assert_cmpint (last_result, ==, DUB_MAP_MOVED);
  g_assert_cmpint (SOUND (5 * S + 40 * MS, 0), ==, 0);
  g_assert_cmpint (last_result, ==, DUB_MAP_OK);
  g_assert_cmpint (VIDEO (5 * S + 80 * MS, 0), ==, 40 * MS);
}

static void
test_leaves_room_for_dts (void)
{
  g_autoptr (DubMediaClock) clock = dub_media_clock_new ();
  DubStamp stamp = {.track = DUB_TRACK_VIDEO,
      .order_ns = 7 * S,
      .pts_ns = 7 * S,
      .is_reordered = TRUE,
      .is_key = TRUE};
  gint64 order_ns, pts_ns;

  dub_media_clock_map (clock, &stamp, 0, &order_ns, &pts_ns);
  g_assert_cmpint (pts_ns, ==, DUB_MEDIA_REORDER_ROOM_NS);
  /* Pictures that step back by their reorder depth open nothing. */
  stamp.is_key = FALSE;
  stamp.order_ns = stamp.pts_ns = 7 * S + 400 * MS;
  g_assert_cmpint (dub_media_clock_map (clock, &stamp, 0, &order_ns, &pts_ns),
      ==, DUB_MAP_OK);
  stamp.order_ns = stamp.pts_ns = 7 * S + 100 * MS;
  g_assert_cmpint (dub_media_clock_map (clock, &stamp, 0, &order_ns, &pts_ns),
      ==, DUB_MAP_OK);
  g_assert_cmpint (pts_ns, ==, DUB_MEDIA_REORDER_ROOM_NS + 100 * MS);
}

static void
test_unwraps_32_bit_milliseconds (void)
{
  g_autoptr (DubMediaClock) clock = dub_media_clock_new ();
  gint64 start = WRAP - 100 * MS;

  g_assert_cmpint (KEY (start, 0), ==, 0);
  for (gint64 at = 20 * MS; at < 400 * MS; at += 20 * MS) {
    g_assert_cmpint (VIDEO ((start + at) % WRAP, at), ==, at);
    g_assert_cmpint (last_result, ==, DUB_MAP_OK);
    g_assert_cmpint (SOUND ((start + at) % WRAP, at), ==, at);
    g_assert_cmpint (last_result, !=, DUB_MAP_EPOCH);
  }
}

static void
test_unwraps_pts_apart_from_dts (void)
{
  g_autoptr (DubMediaClock) clock = dub_media_clock_new ();
  DubStamp stamp = {.track = DUB_TRACK_VIDEO,
      .order_ns = WRAP - 20 * MS,
      .pts_ns = 60 * MS,
      .is_key = TRUE};
  gint64 order_ns, pts_ns;

  dub_media_clock_map (clock, &stamp, 0, &order_ns, &pts_ns);
  g_assert_cmpint (order_ns, ==, 0);
  g_assert_cmpint (pts_ns, ==, 80 * MS);
}

typedef struct {
  const char *name;
  gint64 jump_ns;   /* of the source time, after 10 s */
  gint64 passed_ns; /* wall time that passed in between */
  DubMapResult expected;
  gint64 media_ns;
} JumpCase;

static const JumpCase jumps[] = {
    {"forward-1s-is-none", S, 40 * MS, DUB_MAP_OK, 11 * S},
    {"forward-over-1s", 1001 * MS, 40 * MS, DUB_MAP_EPOCH, 10 * S + 40 * MS},
    {"forward-an-hour", 3600 * S, 40 * MS, DUB_MAP_EPOCH, 10 * S + 40 * MS},
    {"back-100ms-is-none", -100 * MS, 40 * MS, DUB_MAP_OK, 9900 * MS},
    {"back-over-100ms", -101 * MS, 40 * MS, DUB_MAP_EPOCH, 10 * S + 40 * MS},
    {"back-to-0", -10 * S, 40 * MS, DUB_MAP_EPOCH, 10 * S + 40 * MS},
    {"never-before-the-last-frame", 5 * S, -3 * S, DUB_MAP_EPOCH,
        10 * S + 20 * MS},
    {"a-hole-that-really-lasted", 5 * S, 5 * S + 60 * MS, DUB_MAP_OK, 15 * S},
};

static void
test_jump (gconstpointer data)
{
  const JumpCase *c = data;
  g_autoptr (DubMediaClock) clock = dub_media_clock_new ();

  g_assert_cmpint (KEY (0, 0), ==, 0);
  for (gint64 at = 20 * MS; at <= 10 * S; at += 20 * MS)
    g_assert_cmpint (VIDEO (at, at), ==, at);
  g_assert_cmpint (
      VIDEO (10 * S + c->jump_ns, 10 * S + c->passed_ns), ==, c->media_ns);
  g_assert_cmpint (last_result, ==, c->expected);
}

/* Both tracks jump, the sound 100 ms of its packets later: what still comes in
 * the old time is mapped with the old offset, then both have the new one. */
static void
check_other_track (gint64 jump_ns)
{
  g_autoptr (DubMediaClock) clock = dub_media_clock_new ();
  gint64 now = 0, base = 20 * S, media_ns;

  KEY (base, 0);
  for (; now <= 10 * S; now += 20 * MS) {
    VIDEO (base + now, now);
    SOUND (base + now, now);
  }
  media_ns = KEY (base + now + jump_ns, now);
  g_assert_cmpint (last_result, ==, DUB_MAP_EPOCH);
  g_assert_cmpint (media_ns, ==, now);
  for (int i = 0; i < 5; i++, now += 20 * MS) {
    g_assert_cmpint (SOUND (base + now, now), ==, now);
    g_assert_cmpint (last_result, ==, DUB_MAP_OK);
    if (i > 0)
      g_assert_cmpint (VIDEO (base + now + jump_ns, now), ==, now);
    g_assert_cmpint (last_result, ==, DUB_MAP_OK);
  }
  g_assert_cmpint (SOUND (base + now + jump_ns, now), ==, now);
  g_assert_cmpint (last_result, ==, DUB_MAP_MOVED);
}

static void
test_other_track_goes_where_it_fits (void)
{
  check_other_track (5 * S);
  check_other_track (3600 * S);
  check_other_track (-500 * MS);
  check_other_track (-15 * S);
}

static void
test_hole_of_one_track_keeps_the_epoch (void)
{
  g_autoptr (DubMediaClock) clock = dub_media_clock_new ();

  KEY (0, 0);
  SOUND (0, 0);
  for (gint64 at = 20 * MS; at <= 10 * S; at += 20 * MS)
    VIDEO (at, at);
  /* 10 s without sound; late by 600 ms by the wall clock. */
  g_assert_cmpint (SOUND (10 * S, 10 * S + 600 * MS), ==, 10 * S);
  g_assert_cmpint (last_result, ==, DUB_MAP_OK);
}

static void
test_reset_waits_for_a_key_frame (void)
{
  g_autoptr (DubMediaClock) clock = dub_media_clock_new ();

  KEY (0, 0);
  for (gint64 at = 20 * MS; at <= S; at += 20 * MS)
    VIDEO (at, at);
  dub_media_clock_reset (clock);
  g_assert_cmpint (VIDEO (S + 20 * MS, 3 * S), ==, -1);
  g_assert_cmpint (SOUND (900 * S, 3 * S), ==, -1);
  g_assert_cmpint (KEY (901 * S, 4 * S), ==, 4 * S);
  g_assert_cmpint (last_result, ==, DUB_MAP_EPOCH);
  /* Sound from before the key frame belongs before it. */
  g_assert_cmpint (SOUND (900 * S, 4 * S), ==, 3 * S);
  g_assert_cmpint (last_result, ==, DUB_MAP_MOVED);
}

static void
test_request_opens_at_the_next_key_frame (void)
{
  g_autoptr (DubMediaClock) clock = dub_media_clock_new ();

  KEY (0, 0);
  SOUND (0, 0);
  for (gint64 at = 20 * MS; at <= S; at += 20 * MS) {
    VIDEO (at, at);
    SOUND (at, at);
  }
  dub_media_clock_request_epoch (clock, TRUE);
  g_assert_cmpint (VIDEO (S + 20 * MS, 13 * S), ==, S + 20 * MS);
  g_assert_cmpint (SOUND (S + 20 * MS, 13 * S), ==, S + 20 * MS);
  g_assert_cmpint (KEY (S + 40 * MS, 13 * S), ==, 13 * S);
  g_assert_cmpint (last_result, ==, DUB_MAP_EPOCH);
  /* The sound leaves the old epoch, too, though it would fit it. */
  g_assert_cmpint (SOUND (S + 60 * MS, 13 * S), ==, 13 * S + 20 * MS);
  g_assert_cmpint (last_result, ==, DUB_MAP_MOVED);
  dub_media_clock_request_epoch (clock, TRUE);
  dub_media_clock_request_epoch (clock, FALSE);
  g_assert_cmpint (KEY (S + 60 * MS, 90 * S), ==, 13 * S + 20 * MS);
}

/* A source whose tracks have nothing to do with each other: each keeps its own
 * offset, both at the time of arrival, and they do not throw each other out. */
static void
test_unrelated_tracks_live_apart (void)
{
  g_autoptr (DubMediaClock) clock = dub_media_clock_new ();

  KEY (1000 * S, 0);
  g_assert_cmpint (SOUND (50 * S, 10 * MS), ==, 20 * MS);
  g_assert_cmpint (last_result, ==, DUB_MAP_EPOCH);
  for (gint64 at = 20 * MS; at <= 5 * S; at += 20 * MS) {
    g_assert_cmpint (VIDEO (1000 * S + at, at), ==, at);
    g_assert_cmpint (last_result, ==, DUB_MAP_OK);
    g_assert_cmpint (SOUND (50 * S + at, at), ==, at + 20 * MS);
    g_assert_cmpint (last_result, ==, DUB_MAP_OK);
  }
}

/* More epochs than are remembered, by either track in turn. */
static void
test_many_epochs (void)
{
  g_autoptr (DubMediaClock) clock = dub_media_clock_new ();
  gint64 last = -1;

  KEY (0, 0);
  for (int i = 1; i < 200; i++) {
    gint64 source = (i * 7919 % 1000) * 100 * S;
    gint64 media_ns =
        i % 3 == 0 ? SOUND (source, i * S)
                   : map (clock, DUB_TRACK_VIDEO, source, i % 2 == 0, i * S);

    g_assert_cmpint (media_ns, >, last);
    last = media_ns;
  }
}

static gint64
key_with (DubMediaClock *clock, gint64 dts_ns, gint64 pts_ns, gint64 passed_ns)
{
  DubStamp stamp = {.track = DUB_TRACK_VIDEO,
      .order_ns = dts_ns,
      .pts_ns = pts_ns,
      .is_key = TRUE};
  gint64 media_ns = 0;

  dub_media_clock_map (clock, &stamp, passed_ns, &dts_ns, &media_ns);
  return media_ns;
}

/* A server that gives a reader's first key frame its pts as dts must not
 * shorten the delay: its pts is where it would have been. */
static void
test_key_that_lost_its_reordering (void)
{
  static const struct {
    gint64 dts_ms, pts_ms; /* of the key frame that comes after 10 s */
    gint64 media_ms;       /* where its pts must be */
  } table[] = {
      {5000, 5080, 10080}, {5000, 5000, 10080}, {5000, 5040, 10080},
      {5000, 5120, 10120}, /* more than before is taken as it is */
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (DubMediaClock) clock = dub_media_clock_new ();

    g_assert_cmpint (key_with (clock, 0, 0, 0), ==, 0);
    g_assert_cmpint (key_with (clock, S, S + 80 * MS, S), ==, S + 80 * MS);
    dub_media_clock_reset (clock);
    g_assert_cmpint (
        key_with (clock, table[i].dts_ms * MS, table[i].pts_ms * MS, 10 * S),
        ==, table[i].media_ms * MS);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/media-clock/starts-at-key-frame",
      test_starts_at_the_first_key_frame);
  g_test_add_func ("/media/media-clock/room-for-dts", test_leaves_room_for_dts);
  g_test_add_func (
      "/media/media-clock/unwraps", test_unwraps_32_bit_milliseconds);
  g_test_add_func (
      "/media/media-clock/unwraps-pts", test_unwraps_pts_apart_from_dts);
  for (gsize i = 0; i < G_N_ELEMENTS (jumps); i++) {
    g_autofree char *path =
        g_strdup_printf ("/media/media-clock/jump/%s", jumps[i].name);

    g_test_add_data_func (path, &jumps[i], test_jump);
  }
  g_test_add_func (
      "/media/media-clock/other-track", test_other_track_goes_where_it_fits);
  g_test_add_func ("/media/media-clock/hole-of-one-track",
      test_hole_of_one_track_keeps_the_epoch);
  g_test_add_func (
      "/media/media-clock/reset", test_reset_waits_for_a_key_frame);
  g_test_add_func (
      "/media/media-clock/request", test_request_opens_at_the_next_key_frame);
  g_test_add_func (
      "/media/media-clock/unrelated-tracks", test_unrelated_tracks_live_apart);
  g_test_add_func ("/media/media-clock/many-epochs", test_many_epochs);
  g_test_add_func ("/media/media-clock/key-that-lost-its-reordering",
      test_key_that_lost_its_reordering);
  return g_test_run ();
}
