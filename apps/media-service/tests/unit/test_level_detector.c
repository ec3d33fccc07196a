/* SPDX-License-Identifier: Apache-2.0 */
#include "segment/level_detector.h"
#include "segment/segmenter.h"

#include <dubbing_common/clock.h>
#include <math.h>

#define RATE 48000
#define INTERVAL (RATE / 10)
#define INTERVAL_NS (100 * DUB_NS_PER_MS)

typedef struct {
  gint64 first_frame, frames;
  gboolean is_speech;
  double level_db;
} Mark;

static void
on_mark (gint64 first_frame, gint64 frames, gboolean is_speech, double level_db,
    gpointer user_data)
{
  Mark mark = {first_frame, frames, is_speech, level_db};

  g_array_append_val ((GArray *) user_data, mark);
}

/* Square waves: their RMS is their height. */
static DubPcm *
square (gsize frames, int left, int right)
{
  gint16 *samples = g_new (gint16, frames * 2);

  for (gsize i = 0; i < frames; i++) {
    samples[2 * i] = (gint16) (i % 2 ? left : -left);
    samples[2 * i + 1] = (gint16) (i % 2 ? right : -right);
  }
  return dub_pcm_new (
      g_bytes_new_take (samples, frames * 2 * sizeof *samples), RATE, 2, 0);
}

static GArray *
new_marks (void)
{
  return g_array_new (FALSE, FALSE, sizeof (Mark));
}

typedef struct {
  const char *name;
  double threshold_db;
  int left, right;
  gboolean is_speech;
  double level_db;
} Case;

/* 32768 * 10^(-50/20) = 103.6; 10^(-40/20): 327.7 */
static const Case cases[] = {
    {"just-above", -50, 104, 0, TRUE, -49.97},
    {"just-below", -50, 103, 0, FALSE, -50.05},
    {"right-is-louder", -50, 0, 104, TRUE, -49.97},
    {"loudest-not-the-sum", -50, 100, 100, FALSE, -50.31},
    {"digital-silence", -50, 0, 0, FALSE, -100},
    {"digital-silence-at-the-lowest", -100, 0, 0, FALSE, -100},
    {"one-step-at-the-lowest", -100, 1, 1, TRUE, -90.31},
    {"full-scale", 0, 32767, 32767, FALSE, -0.0003},
    {"clipped", 0, 32768, 32768, TRUE, 0},
    {"other-threshold", -40, 328, 0, TRUE, -39.99},
};

static void
test_level (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (GArray) marks = new_marks ();
  g_autoptr (DubLevelDetector) detector =
      dub_level_detector_new (c->threshold_db, INTERVAL_NS, on_mark, marks);
  const Mark *mark;

  dub_level_detector_push (detector, square (INTERVAL, c->left, c->right), 7);
  g_assert_cmpuint (marks->len, ==, 1);
  mark = &g_array_index (marks, Mark, 0);
  g_assert_cmpint (mark->first_frame, ==, 7);
  g_assert_cmpint (mark->frames, ==, INTERVAL);
  g_assert_cmpint (mark->is_speech, ==, c->is_speech);
  g_assert_cmpfloat_with_epsilon (mark->level_db, c->level_db, 0.01);
}

/* Whatever the blocks, the intervals lie end to end; a jump ends one. */
static void
test_intervals (void)
{
  g_autoptr (GArray) marks = new_marks ();
  g_autoptr (DubLevelDetector) detector =
      dub_level_detector_new (-50, INTERVAL_NS, on_mark, marks);
  gint64 at = 0;

  for (guint i = 0; i < 100; i++) {
    gsize frames = 1 + i * 37 % 2000;

    dub_level_detector_push (detector, square (frames, 1000, 0), at);
    at += (gint64) frames;
  }
  g_assert_cmpint (marks->len, ==, at / INTERVAL);
  for (guint i = 0; i < marks->len; i++) {
    g_assert_cmpint (
        g_array_index (marks, Mark, i).first_frame, ==, i * INTERVAL);
    g_assert_cmpint (g_array_index (marks, Mark, i).frames, ==, INTERVAL);
  }
  g_array_set_size (marks, 0);
  dub_level_detector_push (detector, square (INTERVAL, 0, 0), at + 12345);
  g_assert_cmpuint (marks->len, ==, 2);
  g_assert_cmpint (g_array_index (marks, Mark, 0).frames, ==, at % INTERVAL);
  g_assert_cmpint (g_array_index (marks, Mark, 1).first_frame, ==, at + 12345);
}

typedef struct {
  DubSegmenter *segmenter;
  GArray *segments; /* DubSegment */
} Chain;

static void
on_chain_mark (gint64 first_frame, gint64 frames, gboolean is_speech,
    double level_db, gpointer user_data)
{
  Chain *chain = user_data;

  dub_segmenter_push (
      chain->segmenter, first_frame, frames, is_speech, level_db);
}

static void
on_segment (const DubSegment *segment, gpointer user_data)
{
  g_array_append_vals (((Chain *) user_data)->segments, segment, 1);
}

/* A pause of exactly 1.0 s cuts, one of 0.9 s does not; and no segment is
 * longer than the limit or shorter than 1 s. */
static void
test_cuts (void)
{
  static const guint tenths[] = {20, 9, 18, 10, 3, 15, 130, 12};
  DubSegmenterParams params;
  Chain chain = {.segments = g_array_new (FALSE, FALSE, sizeof (DubSegment))};
  g_autoptr (DubLevelDetector) detector =
      dub_level_detector_new (-50, INTERVAL_NS, on_chain_mark, &chain);
  gint64 at = 0;
  const DubSegment *s;

  dub_segmenter_params_init (&params, RATE);
  params.pause_frames = RATE;
  params.max_frames = 8 * RATE;
  chain.segmenter = dub_segmenter_new (&params, on_segment, &chain);
  for (guint i = 0; i < G_N_ELEMENTS (tenths); i++) {
    gsize frames = tenths[i] * INTERVAL;

    dub_level_detector_push (
        detector, square (frames, i % 2 ? 50 : 3000, 0), at);
    at += (gint64) frames;
  }
  s = (const DubSegment *) (gpointer) chain.segments->data;
  g_assert_cmpuint (chain.segments->len, ==, 4);
  /* 2 s, 0.9 s of pause, 1.8 s: one segment, with the margin behind it */
  g_assert_cmpint (s[0].first_frame, ==, 0);
  g_assert_cmpint (s[0].frames, ==, 48 * INTERVAL);
  g_assert_cmpint (s[0].reason, ==, DUB_CUT_SILENCE);
  /* 0.3 s is widened to the least */
  g_assert_cmpint (s[1].frames, ==, RATE);
  /* 13 s of it: cut by the limit */
  g_assert_cmpint (s[2].reason, ==, DUB_CUT_MAX_DURATION);
  g_assert_cmpint (s[3].first_frame, ==, s[2].first_frame + s[2].frames);
  g_assert_cmpint (s[3].reason, ==, DUB_CUT_SILENCE);
  for (guint i = 0; i < chain.segments->len; i++) {
    g_assert_cmpint (s[i].frames, >=, params.min_frames);
    g_assert_cmpint (s[i].frames, <=, params.max_frames);
  }
  dub_segmenter_free (chain.segmenter);
  g_array_unref (chain.segments);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path =
        g_strdup_printf ("/media/segment/level/%s", cases[i].name);

    g_test_add_data_func (path, &cases[i], test_level);
  }
  g_test_add_func ("/media/segment/level/intervals", test_intervals);
  g_test_add_func ("/media/segment/level/cuts", test_cuts);
  return g_test_run ();
}
