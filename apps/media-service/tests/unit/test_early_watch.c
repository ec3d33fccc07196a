/* SPDX-License-Identifier: Apache-2.0 */
#include "programme/early_watch.h"

#define MS DUB_NS_PER_MS
#define STEP_MS 40

/* From a time on, pictures come early by so much, in steps of 40 ms. */
typedef struct {
  gint64 until_ms, early_by_ms;
} Part;

typedef struct {
  const char *name;
  Part parts[6];
  gint64 dropped_from_ms, dropped_to_ms; /* the same: none is */
  gint64 epoch_at_ms;                    /* 0: none is wanted */
} Case;

static const Case cases[] = {
    {"in time", {{60000, 0}}, 0, 0, 0},
    {"late", {{60000, -9000}}, 0, 0, 0},
    {"a little", {{60000, 1000}}, 0, 0, 0},
    {"not for long", {{10000, 5000}, {60000, 900}}, 0, 0, 0},
    /* What was taken at 9.96 s is in the past 5 s later. */
    {"for good", {{60000, 5000}}, 10000, 60000, 15000},
    {"in pieces",
        {{9000, 6000}, {9040, 500}, {18000, 6000}, {18040, 0}, {27000, 6000},
            {60000, 0}},
        0, 0, 0},
    {"in time again", {{12000, 5000}, {13000, 10}, {60000, 0}}, 10000, 13000,
        0},
};

static void
check (const Case *c)
{
  DubEarlyWatch watch;
  const Part *part = c->parts;
  gint64 epoch_at_ms = 0;

  dub_early_watch_reset (&watch);
  for (gint64 ms = 0; ms < 60000; ms += STEP_MS) {
    gboolean is_dropped;

    if (dub_early_watch_wants_epoch (&watch, ms * MS) && epoch_at_ms == 0)
      epoch_at_ms = ms;
    if (ms >= part->until_ms)
      part++;
    is_dropped = dub_early_watch_note (&watch, part->early_by_ms * MS, ms * MS);
    if (is_dropped != (ms >= c->dropped_from_ms && ms < c->dropped_to_ms))
      g_error ("%s: at %" G_GINT64_FORMAT " ms", c->name, ms);
    g_assert_cmpint (dub_early_watch_is_dropping (&watch), ==, is_dropped);
  }
  g_assert_cmpint (epoch_at_ms, ==, c->epoch_at_ms);
}

static void
test_cases (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    check (&cases[i]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/early-watch/cases", test_cases);
  return g_test_run ();
}
