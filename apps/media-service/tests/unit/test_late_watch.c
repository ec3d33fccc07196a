/* SPDX-License-Identifier: Apache-2.0 */
#include "programme/late_watch.h"

#define MS DUB_NS_PER_MS
#define STEP_MS 40
#define NEVER G_MAXINT64

/* Up to a time, pictures come late by so much, and by so much more for each
 * second that passes. */
typedef struct {
  gint64 until_ms, late_by_ms, more_ms_per_s;
} Part;

typedef struct {
  const char *name;
  Part parts[4];
  gint64 epoch_at_ms;
} Case;

static const Case cases[] = {
    {"in time", {{60000, 0, 0}}, NEVER},
    {"early", {{60000, -3000, 0}}, NEVER},
    {"for less than 2 s", {{1960, 900, 0}, {60000, 0, 0}}, NEVER},
    {"for good", {{60000, 900, 0}}, 2000},
    {"for good, later", {{5000, -100, 0}, {60000, 900, 0}}, 7000},
    {"twice for a short time",
        {{1960, 900, 0}, {2000, 0, 0}, {3960, 900, 0}, {60000, 0, 0}}, NEVER},
    /* It catches up: each look after 2 s finds it 2 s less late. */
    {"what was held back comes", {{8000, 9000, -1000}, {60000, 0, 0}}, NEVER},
    {"less and less in time", {{60000, 1000, 1000}}, 30000},
    {"a little slower", {{60000, 1000, 200}}, 2000},
};

static gint64
late_by_ms (const Part *part, gint64 ms)
{
  return part->late_by_ms + part->more_ms_per_s * ms / 1000;
}

static void
check (const Case *c)
{
  DubLateWatch watch;
  const Part *part = c->parts;
  gint64 epoch_at_ms = NEVER;

  dub_late_watch_reset (&watch);
  for (gint64 ms = 0; ms < 60000 && epoch_at_ms == NEVER; ms += STEP_MS) {
    gint64 late, order;

    if (ms >= part->until_ms)
      part++;
    late = late_by_ms (part, ms);
    order = ms - late;
    if (dub_late_watch_wants_epoch (&watch, order * MS, ms * MS))
      epoch_at_ms = ms;
    dub_late_watch_note (&watch, order * MS, late * MS, ms * MS);
  }
  if (epoch_at_ms != c->epoch_at_ms)
    g_error ("%s: an epoch at %" G_GINT64_FORMAT " ms", c->name, epoch_at_ms);
}

static void
test_cases (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    check (&cases[i]);
}

/* It waits for a key frame; the one that comes tells how late it is itself:
 * what was held back for a jump of 3 s is not the same as before. */
static void
test_asks_the_picture_that_comes (void)
{
  DubLateWatch watch;

  dub_late_watch_reset (&watch);
  for (gint64 ms = 0; ms <= 2000; ms += STEP_MS)
    dub_late_watch_note (&watch, (ms - 900) * MS, 900 * MS, ms * MS);
  g_assert_true (
      dub_late_watch_wants_epoch (&watch, (2040 - 900) * MS, 2040 * MS));
  g_assert_false (
      dub_late_watch_wants_epoch (&watch, (2040 - 3900) * MS, 2040 * MS));
}

static void
test_reset_forgets (void)
{
  DubLateWatch watch;

  dub_late_watch_reset (&watch);
  for (gint64 ms = 0; ms <= 2000; ms += STEP_MS)
    dub_late_watch_note (&watch, (ms - 900) * MS, 900 * MS, ms * MS);
  dub_late_watch_reset (&watch);
  g_assert_false (
      dub_late_watch_wants_epoch (&watch, (2040 - 900) * MS, 2040 * MS));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/late-watch/cases", test_cases);
  g_test_add_func ("/media/late-watch/asks-the-picture-that-comes",
      test_asks_the_picture_that_comes);
  g_test_add_func ("/media/late-watch/reset-forgets", test_reset_forgets);
  return g_test_run ();
}
