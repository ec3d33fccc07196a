/* SPDX-License-Identifier: Apache-2.0 */
#include "segment/segmenter.h"

#define RATE 48000
#define WINDOW 1536 /* 32 ms */
#define MS(x) ((gint64) (x) *RATE / 1000)

typedef struct {
  DubSegment segments[512];
  int n;
} Seen;

static void
on_segment (const DubSegment *segment, gpointer user_data)
{
  Seen *seen = user_data;

  g_assert_cmpint (seen->n, <, (int) G_N_ELEMENTS (seen->segments));
  seen->segments[seen->n++] = *segment;
}

static DubSegmenter *
segmenter_new (gint64 max_ms, Seen *seen)
{
  DubSegmenterParams params;

  dub_segmenter_params_init (&params, RATE);
  params.max_frames = MS (max_ms);
  return dub_segmenter_new (&params, on_segment, seen);
}

/* Speech in the picture of windows: 's' speech, '.' none, 'q' quiet speech. */
static void
push_windows (DubSegmenter *segmenter, gint64 first, const char *picture)
{
  for (int i = 0; picture[i] != '\0'; i++)
    dub_segmenter_push (segmenter, first + i * WINDOW, WINDOW,
        picture[i] != '.', picture[i] == 's' ? -20 : -45);
}

static gint64
push_run (DubSegmenter *segmenter, gint64 first, char kind, int n)
{
  g_autofree char *picture = g_strnfill (n, kind);

  push_windows (segmenter, first, picture);
  return first + (gint64) n * WINDOW;
}

typedef struct {
  const char *name;
  gint64 max_ms;
  /* runs of windows: kind, count */
  struct {
    char kind;
    int n;
  } runs[8];
  /* expected, in frames */
  int n;
  struct {
    gint64 first, end;
    DubCutReason reason;
  } segments[4];
} Case;

#define W(n) ((gint64) (n) *WINDOW)

static const Case cases[] = {
    {"silence", 5000, {{'.', 200}}, 0, {}},
    {"one-sentence", 5000, {{'.', 50}, {'s', 60}, {'.', 40}}, 1,
        {{W (50) - MS (200), W (110) + MS (100), DUB_CUT_SILENCE}}},
    /* its onset reaches before the first sample */
    {"at-the-start", 5000, {{'s', 60}, {'.', 40}}, 1,
        {{0, W (60) + MS (100), DUB_CUT_SILENCE}}},
    {"click-of-32ms", 5000, {{'.', 50}, {'s', 1}, {'.', 60}}, 0, {}},
    {"64ms-counts", 5000, {{'.', 50}, {'s', 2}, {'.', 60}}, 1,
        {{W (50) - MS (200), W (50) - MS (200) + MS (1000), DUB_CUT_SILENCE}}},
    {"pause-of-390ms-joins", 5000,
        {{'.', 50}, {'s', 40}, {'.', 12}, {'s', 40}, {'.', 40}}, 1,
        {{W (50) - MS (200), W (142) + MS (100), DUB_CUT_SILENCE}}},
    {"pause-of-416ms-cuts", 5000,
        {{'.', 50}, {'s', 40}, {'.', 13}, {'s', 40}, {'.', 40}}, 2,
        {{W (50) - MS (200), W (90) + MS (100), DUB_CUT_SILENCE},
            {W (103) - MS (200), W (143) + MS (100), DUB_CUT_SILENCE}}},
    {"short-is-widened", 5000, {{'.', 50}, {'s', 10}, {'.', 60}}, 1,
        {{W (50) - MS (200), W (50) + MS (800), DUB_CUT_SILENCE}}},
    /* the second word comes 416 ms after the first, within its first second */
    {"short-joins-what-follows", 5000,
        {{'.', 50}, {'s', 9}, {'.', 13}, {'s', 20}, {'.', 60}}, 1,
        {{W (50) - MS (200), W (92) + MS (100), DUB_CUT_SILENCE}}},
    {"eos-is-below-min", 5000, {{'.', 50}, {'s', 20}}, 0, {}},
    {"eos-in-speech", 5000, {{'.', 50}, {'s', 60}}, 1,
        {{W (50) - MS (200), W (110), DUB_CUT_EOS}}},
    {"eos-in-pause", 5000, {{'.', 50}, {'s', 60}, {'.', 5}}, 1,
        {{W (50) - MS (200), W (110) + MS (100), DUB_CUT_EOS}}},
    /* 2 s at most; quietest at the middle of window 100, in the last second */
    {"forced-at-the-quietest", 2000,
        {{'.', 50}, {'s', 50}, {'q', 1}, {'s', 20}, {'.', 40}}, 2,
        {{W (50) - MS (200), W (100) + WINDOW / 2, DUB_CUT_MAX_DURATION},
            {W (100) + WINDOW / 2, W (100) + WINDOW / 2 + MS (1000),
                DUB_CUT_SILENCE}}},
    /* the pause has begun but is not over when the limit is reached */
    {"forced-in-the-pause", 2000, {{'.', 50}, {'s', 52}, {'.', 40}}, 1,
        {{W (50) - MS (200), W (102) + MS (100), DUB_CUT_MAX_DURATION}}},
};

static void
test_case (gconstpointer data)
{
  const Case *c = data;
  Seen seen = {0};
  g_autoptr (DubSegmenter) segmenter = segmenter_new (c->max_ms, &seen);
  gint64 at = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (c->runs) && c->runs[i].n > 0; i++)
    at = push_run (segmenter, at, c->runs[i].kind, c->runs[i].n);
  dub_segmenter_flush (segmenter);
  g_assert_cmpint (seen.n, ==, c->n);
  for (int i = 0; i < c->n; i++) {
    const DubSegment *s = &seen.segments[i];

    g_assert_cmpint (s->first_frame, ==, c->segments[i].first);
    g_assert_cmpint (s->first_frame + s->frames, ==, c->segments[i].end);
    g_assert_cmpint (s->reason, ==, c->segments[i].reason);
  }
}

static void
test_tells_the_room (void)
{
  Seen seen = {0};
  g_autoptr (DubSegmenter) segmenter = segmenter_new (5000, &seen);
  gint64 at = push_run (segmenter, 0, '.', 50);

  at = push_run (segmenter, at, 's', 60);
  push_run (segmenter, at, '.', 13);
  g_assert_cmpint (seen.n, ==, 1);
  g_assert_cmpint (seen.segments[0].room_frames, ==, W (13) - MS (100));
}

/* Ten minutes without a pause: no sample lost, none twice, none too long. */
static void
test_forced_cuts_lose_nothing (void)
{
  static const gint64 limits_ms[] = {1500, 2000, 5000, 27000};

  for (gsize l = 0; l < G_N_ELEMENTS (limits_ms); l++) {
    Seen seen = {0};
    g_autoptr (DubSegmenter) segmenter = segmenter_new (limits_ms[l], &seen);

    for (int i = 0; i < 18750; i++)
      dub_segmenter_push (
          segmenter, W (i), WINDOW, TRUE, -g_test_rand_double_range (0, 60));
    dub_segmenter_flush (segmenter);
    g_assert_cmpint (seen.n, >=, 20);
    for (int i = 0; i < seen.n; i++) {
      const DubSegment *s = &seen.segments[i];
      gint64 end =
          i > 0 ? seen.segments[i - 1].first_frame + seen.segments[i - 1].frames
                : 0;

      g_assert_cmpint (s->first_frame, ==, end);
      g_assert_cmpint (s->frames, <=, MS (limits_ms[l]));
      g_assert_cmpint (s->frames, >=, MS (1000));
    }
  }
}

/* The same level everywhere: the limit is used as it is, to the sample. */
static void
test_limit_is_exact (void)
{
  Seen seen = {0};
  g_autoptr (DubSegmenter) segmenter = NULL;
  DubSegmenterParams params;

  dub_segmenter_params_init (&params, RATE);
  params.max_frames = MS (2000) + 7;
  params.search_frames = 1;
  segmenter = dub_segmenter_new (&params, on_segment, &seen);
  push_run (segmenter, 0, 's', 1000);
  g_assert_cmpint (seen.n, ==, 15);
  for (int i = 0; i < seen.n; i++)
    g_assert_cmpint (seen.segments[i].frames, ==, MS (2000) + 7);
}

static void
test_memory_limit_has_its_own_reason (void)
{
  Seen seen = {0};
  g_autoptr (DubSegmenter) segmenter = NULL;
  DubSegmenterParams params;

  dub_segmenter_params_init (&params, RATE);
  params.memory_frames = MS (3000);
  segmenter = dub_segmenter_new (&params, on_segment, &seen);
  push_run (segmenter, 0, 's', 200);
  g_assert_cmpint (seen.n, >=, 1);
  g_assert_cmpint (seen.segments[0].reason, ==, DUB_CUT_MEMORY_LIMIT);
  g_assert_cmpint (seen.segments[0].frames, <=, MS (3000));
}

static void
test_hole_ends_a_segment (void)
{
  Seen seen = {0};
  g_autoptr (DubSegmenter) segmenter = segmenter_new (5000, &seen);
  gint64 at = push_run (segmenter, 0, '.', 50);

  at = push_run (segmenter, at, 's', 60);
  push_run (segmenter, at + 10 * RATE, 's', 60);
  g_assert_cmpint (seen.n, ==, 1);
  g_assert_cmpint (seen.segments[0].reason, ==, DUB_CUT_SILENCE);
  g_assert_cmpint (seen.segments[0].frames, ==, W (60) + MS (300));
  dub_segmenter_flush (segmenter);
  g_assert_cmpint (seen.n, ==, 2);
  g_assert_cmpint (seen.segments[1].first_frame, ==, at + 10 * RATE - MS (200));
}

static void
test_old_windows_are_ignored (void)
{
  Seen seen = {0};
  g_autoptr (DubSegmenter) segmenter = segmenter_new (5000, &seen);
  gint64 at = push_run (segmenter, 0, '.', 50);

  push_run (segmenter, 0, 's', 40);
  dub_segmenter_push (segmenter, at, 0, TRUE, 0);
  push_run (segmenter, at, '.', 40);
  dub_segmenter_flush (segmenter);
  g_assert_cmpint (seen.n, ==, 0);
}

static void
test_fixed (void)
{
  Seen seen = {0};
  g_autoptr (DubSegmenter) segmenter = NULL;
  DubSegmenterParams params;
  gint64 at;

  dub_segmenter_params_init (&params, RATE);
  params.max_frames = MS (6000);
  params.is_fixed = TRUE;
  segmenter = dub_segmenter_new (&params, on_segment, &seen);
  at = push_run (segmenter, 100, '.', 1000); /* 32 s */
  g_assert_cmpint (seen.n, ==, 5);
  for (int i = 0; i < seen.n; i++) {
    g_assert_cmpint (seen.segments[i].first_frame, ==, 100 + i * MS (6000));
    g_assert_cmpint (seen.segments[i].frames, ==, MS (6000));
  }
  push_run (segmenter, at + RATE, 's', 100);
  g_assert_cmpint (seen.n, ==, 6);
  g_assert_cmpint (seen.segments[5].reason, ==, DUB_CUT_EOS);
  g_assert_cmpint (seen.segments[5].frames, ==, MS (2000));
  dub_segmenter_flush (segmenter);
  g_assert_cmpint (seen.n, ==, 7);
  g_assert_cmpint (seen.segments[6].frames, ==, W (100));
}

/* Random speech: in order, apart, within the limits, and all speech of more
 * than a blink is in one of them. */
static void
test_random_speech (void)
{
  for (int run = 0; run < 50; run++) {
    Seen seen = {0};
    gint64 max_ms = g_test_rand_int_range (1500, 8000);
    g_autoptr (DubSegmenter) segmenter = segmenter_new (max_ms, &seen);
    g_autofree gboolean *speech = g_new0 (gboolean, 20000);
    int at = 0;

    while (at < 9000) {
      gboolean is_speech = g_test_rand_bit ();
      int n = g_test_rand_int_range (1, is_speech ? 150 : 40);

      for (int i = 0; i < n; i++, at++) {
        speech[at] = is_speech;
        dub_segmenter_push (segmenter, W (at), WINDOW, is_speech,
            -g_test_rand_double_range (10, 60));
      }
    }
    push_run (segmenter, W (at), '.', 200);
    for (int i = 0; i < seen.n; i++) {
      const DubSegment *s = &seen.segments[i];

      g_assert_cmpint (s->frames, <=, MS (max_ms));
      g_assert_cmpint (s->frames, >=, MS (1000));
      if (i > 0)
        g_assert_cmpint (s->first_frame, >=, s[-1].first_frame + s[-1].frames);
      g_assert_cmpint (s->reason, !=, DUB_CUT_NONE);
    }
    for (int w = 1, i = 0; w < at; w++) {
      gint64 middle = W (w) + WINDOW / 2;

      if (!speech[w] || !speech[w - 1])
        continue;
      while (i < seen.n &&
             seen.segments[i].first_frame + seen.segments[i].frames <= middle)
        i++;
      g_assert_cmpint (i, <, seen.n);
      g_assert_cmpint (seen.segments[i].first_frame, <=, middle);
    }
  }
}

/* What the metrics say: how long the open one is, how many were widened. */
static void
test_open_and_short (void)
{
  Seen seen = {0};
  g_autoptr (DubSegmenter) segmenter = segmenter_new (5000, &seen);
  gint64 at = push_run (segmenter, 0, '.', 50);

  g_assert_cmpint (dub_segmenter_get_open_frames (segmenter), ==, 0);
  at = push_run (segmenter, at, 's', 10);
  g_assert_cmpint (
      dub_segmenter_get_open_frames (segmenter), ==, MS (200) + 10 * WINDOW);
  at = push_run (segmenter, at, '.', 60);
  g_assert_cmpint (seen.n, ==, 1);
  g_assert_cmpint (dub_segmenter_get_open_frames (segmenter), ==, 0);
  g_assert_cmpuint (dub_segmenter_get_n_short (segmenter), ==, 1);
  at = push_run (segmenter, at, 's', 60);
  push_run (segmenter, at, '.', 60);
  g_assert_cmpint (seen.n, ==, 2);
  g_assert_cmpuint (dub_segmenter_get_n_short (segmenter), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path =
        g_strdup_printf ("/media/segmenter/%s", cases[i].name);

    g_test_add_data_func (path, &cases[i], test_case);
  }
  g_test_add_func ("/media/segmenter/tells-the-room", test_tells_the_room);
  g_test_add_func ("/media/segmenter/forced-cuts-lose-nothing",
      test_forced_cuts_lose_nothing);
  g_test_add_func ("/media/segmenter/limit-is-exact", test_limit_is_exact);
  g_test_add_func (
      "/media/segmenter/memory-limit", test_memory_limit_has_its_own_reason);
  g_test_add_func (
      "/media/segmenter/hole-ends-a-segment", test_hole_ends_a_segment);
  g_test_add_func (
      "/media/segmenter/old-windows", test_old_windows_are_ignored);
  g_test_add_func ("/media/segmenter/fixed", test_fixed);
  g_test_add_func ("/media/segmenter/random-speech", test_random_speech);
  g_test_add_func ("/media/segmenter/open-and-short", test_open_and_short);
  return g_test_run ();
}
