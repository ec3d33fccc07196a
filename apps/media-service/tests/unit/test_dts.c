/* SPDX-License-Identifier: Apache-2.0 */
#include "programme/dts.h"

#define MS DUB_NS_PER_MS
#define NONE DUB_TIME_NONE
#define MAX_PICTURES 16

/* In milliseconds. */
typedef struct {
  const char *name;
  gint64 pts[MAX_PICTURES];
  gint64 dts[MAX_PICTURES];
  gint64 expected[MAX_PICTURES];
  int n;
} Case;

static const Case cases[] = {
    {"kept", {2, 5, 3, 4}, {0, 1, 2, 3}, {0, 1, 2, 3}, 4},
    {"none-without-reorder", {10, 20, 30}, {NONE, NONE, NONE}, {10, 20, 30}, 3},
    {"none-with-b-frames", {10, 40, 20, 30, 70, 50, 60},
        {NONE, NONE, NONE, NONE, NONE, NONE, NONE}, {0, 10, 20, 30, 40, 50, 60},
        7},
    {"pyramid", {20, 60, 40, 30, 50, 100, 80, 70, 90},
        {NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE},
        {0, 10, 20, 30, 40, 50, 60, 70, 80}, 9},
    {"above-pts-is-made-anew", {10, 40, 20, 30}, {20, 30, 40, 50},
        {0, 10, 20, 30}, 4},
    {"standing-still", {10, 20, 30, 40}, {10, 10, 10, 40}, {10, 20, 30, 40}, 4},
    {"one-falls-back", {10, 20, 30, 40}, {10, 20, 5, 40}, {10, 20, 30, 40}, 4},
    {"negative-is-made-anew", {10, 40, 20, 30}, {-10, 0, 10, 20},
        {0, 10, 20, 30}, 4},
};

static void
test_case (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (DubDts) dts = dub_dts_new ();
  gint64 last = NONE, pts_ns, dts_ns;

  for (int i = 0; i < c->n; i++)
    dub_dts_push (
        dts, c->pts[i] * MS, c->dts[i] == NONE ? NONE : c->dts[i] * MS);
  for (int i = 0; i < c->n; i++) {
    g_assert_true (dub_dts_peek (dts, &pts_ns, &dts_ns));
    g_assert_cmpint (pts_ns, ==, c->pts[i] * MS);
    g_assert_cmpint (dts_ns, <=, pts_ns);
    if (last != NONE)
      g_assert_cmpint (dts_ns, >=, last + MS);
    g_assert_cmpint (dts_ns, ==, c->expected[i] * MS);
    last = dts_ns;
    dub_dts_pop (dts, dts_ns);
  }
  g_assert_false (dub_dts_peek (dts, &pts_ns, &dts_ns));
}

/* Whatever comes in: rising by what the wire can tell, <= pts, >= 0. A window
 * of 200 waits. */
static void
test_always_rises_below_pts (void)
{
  g_autoptr (DubDts) dts = dub_dts_new ();
  gint64 last = NONE;

  for (int i = 0; i < 20000; i++) {
    gint64 pts = (i * 40 + g_test_rand_int_range (0, 320)) * MS;
    gint64 given = g_test_rand_bit ()
                       ? NONE
                       : (i * 40 + g_test_rand_int_range (-800, 800)) * MS;
    gint64 pts_ns, dts_ns;

    dub_dts_push (dts, pts, given);
    if (i < 200)
      continue;
    g_assert_true (dub_dts_peek (dts, &pts_ns, &dts_ns));
    g_assert_cmpint (dts_ns, >=, 0);
    g_assert_cmpint (dts_ns, <=, pts_ns);
    if (last != NONE)
      g_assert_cmpint (dts_ns, >=, last + MS);
    if (g_test_rand_int_range (0, 20) == 0) {
      dub_dts_pop (dts, NONE);
      continue;
    }
    last = dts_ns;
    dub_dts_pop (dts, dts_ns);
  }
}

static void
test_goes_on_behind_a_repeated_picture (void)
{
  g_autoptr (DubDts) dts = dub_dts_new ();
  gint64 pts_ns, dts_ns;

  dub_dts_push (dts, 100 * MS, 90 * MS);
  dub_dts_push (dts, 200 * MS, 190 * MS);
  dub_dts_note_left (dts, 95 * MS);
  g_assert_true (dub_dts_peek (dts, &pts_ns, &dts_ns));
  g_assert_cmpint (pts_ns, ==, 100 * MS);
  g_assert_cmpint (dts_ns, ==, 100 * MS); /* 90 would not rise */
  dub_dts_note_left (dts, 150 * MS);
  g_assert_true (dub_dts_peek (dts, &pts_ns, &dts_ns));
  g_assert_cmpint (dts_ns, ==, 151 * MS);
  g_assert_cmpint (pts_ns, ==, 151 * MS); /* moved: its time has passed */
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/media/dts/%s", cases[i].name);

    g_test_add_data_func (path, &cases[i], test_case);
  }
  g_test_add_func (
      "/media/dts/always-rises-below-pts", test_always_rises_below_pts);
  g_test_add_func (
      "/media/dts/repeated-picture", test_goes_on_behind_a_repeated_picture);
  return g_test_run ();
}
