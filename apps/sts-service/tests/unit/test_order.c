/* SPDX-License-Identifier: Apache-2.0 */
#include "session/order.h"

#define GAP 8000
#define BASE 500

/*
 * A script is a line of steps, done one after the other:
 *   e3  3 is accepted      p3  its result is there    r3  3 is refused
 *   +500  time goes on     *   everything must go (the drain's end)
 * After each step all that may go out is taken; "out" is the numbers in the
 * order in which they went, "|" where time went on.
 */
typedef struct {
  const char *name;
  const char *script;
  const char *out;
} Case;

static const Case cases[] = {
    {"in-order", "e0 p0 e1 p1 e2 p2", "0 1 2 "},
    {"swapped", "e1 p1 e0 p0", "0 1 "},
    {"work-overtakes", "e0 e1 e2 p2 p1 p0", "0 1 2 "},
    {"gap-is-skipped-after-the-timeout", "e0 p0 e2 p2 e3 p3 +7999 +1 e4 p4",
        "0 | | 2 3 4 "},
    {"gap-that-fills-late", "e0 p0 e2 p2 +100 e1 p1", "0 | 1 2 "},
    {"late-number-goes-at-once", "e0 p0 e2 p2 +8000 e1 p1 e3 p3", "0 | 2 1 3 "},
    {"begins-above-0", "e1 p1 e2 p2 +499 +1 e3 p3", "| | 1 2 3 "},
    {"begins-above-0-but-0-comes", "e1 p1 +300 e0 +300 p0", "| | 0 1 "},
    {"slow-first-is-waited-for", "e0 e1 p1 +2000 p0", "| 0 1 "},
    {"slow-first-is-not-waited-for-ever", "e0 e1 p1 +8000 p0", "| 1 0 "},
    {"refused-leaves-no-gap", "e0 p0 r1 e2 p2", "0 2 "},
    {"refused-before-its-predecessor", "e0 e2 p2 r1 p0", "0 2 "},
    {"refused-first", "r0 e1 p1", "1 "},
    {"duplicate-number", "e0 e0 p0 p0 e1 p1", "0 0 1 "},
    {"duplicate-while-held", "e1 p1 e1 p1 e0 p0 e2 p2", "0 1 1 2 "},
    {"late-refusal-is-nothing", "e0 p0 e1 p1 r0 e2 p2", "0 1 2 "},
    {"drain", "e0 p0 e2 p2 e5 p5 *", "0 2 5 "},
    {"huge-number", "e0 p0 e9007199254740992 p9007199254740992 +8000",
        "0 | 9007199254740992 "},
};

static gpointer
item_new (guint64 number)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT, number);
}

static void
take_all (DubOrder *order, gint64 now, GString *out)
{
  char *item;

  while ((item = dub_order_pop (order, now))) {
    g_string_append_printf (out, "%s ", item);
    g_free (item);
  }
}

static void
do_step (DubOrder *order, const char *step, gint64 *now, GString *out)
{
  guint64 number = g_ascii_strtoull (step + 1, NULL, 10);

  switch (step[0]) {
    case 'e':
      dub_order_expect (order, number);
      break;
    case 'p':
      dub_order_put (order, number, item_new (number), *now);
      break;
    case 'r':
      dub_order_put (order, number, NULL, *now);
      break;
    case '+':
      *now += (gint64) number;
      g_string_append (out, "| ");
      break;
    default:
      take_all (order, G_MAXINT64, out);
      break;
  }
}

static void
test_script (gconstpointer data)
{
  const Case *self = data;
  g_autoptr (DubOrder) order = dub_order_new (GAP, BASE, g_free);
  g_autoptr (GString) out = g_string_new (NULL);
  g_auto (GStrv) steps = g_strsplit (self->script, " ", -1);
  gint64 now = 0;

  for (guint i = 0; steps[i]; i++) {
    do_step (order, steps[i], &now, out);
    take_all (order, now, out);
    /* What may go out has gone: the next time lies ahead, or is never. */
    g_assert_cmpint (dub_order_wake_ns (order), >, now);
  }
  g_assert_cmpstr (out->str, ==, self->out);
}

/* The wake time is when pop gives something, and not a moment earlier. */
static void
test_wake (void)
{
  g_autoptr (DubOrder) order = dub_order_new (GAP, BASE, g_free);
  g_autofree char *item = NULL;

  g_assert_cmpint (dub_order_wake_ns (order), ==, G_MAXINT64);
  dub_order_expect (order, 0);
  dub_order_expect (order, 1);
  dub_order_put (order, 1, item_new (1), 100);
  g_assert_cmpint (dub_order_wake_ns (order), ==, 100 + GAP);
  g_assert_cmpuint (dub_order_get_held (order), ==, 1);
  g_assert_null (dub_order_pop (order, 100 + GAP - 1));
  item = dub_order_pop (order, 100 + GAP);
  g_assert_cmpstr (item, ==, "1");
  g_assert_cmpuint (dub_order_get_held (order), ==, 0);
}

static void
test_skipped_are_counted (void)
{
  g_autoptr (DubOrder) order = dub_order_new (GAP, BASE, g_free);

  dub_order_put (order, 0, item_new (0), 0);
  g_free (dub_order_pop (order, 0));
  dub_order_put (order, 4, item_new (4), 0);
  g_free (dub_order_pop (order, GAP));
  g_assert_cmpuint (dub_order_get_skipped (order), ==, 3);
}

/* A peer that only sends refused fragments costs a known amount. */
static void
test_refused_are_bounded (void)
{
  g_autoptr (DubOrder) order = dub_order_new (GAP, BASE, g_free);

  for (guint64 i = 0; i < 1000; i++)
    dub_order_put (order, 2 * i + 2, NULL, 0);
  g_assert_cmpuint (dub_order_get_held (order), ==, 0);
  dub_order_put (order, 1, item_new (1), 0);
  g_free (dub_order_pop (order, BASE));
  g_assert_null (dub_order_pop (order, G_MAXINT64));
  g_assert_cmpuint (dub_order_get_skipped (order), <, 80);
}

/* Random orders and delays: each goes out once, and nothing stays. */
static void
test_random (void)
{
  for (guint seed = 0; seed < 200; seed++) {
    g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
    g_autoptr (DubOrder) order = dub_order_new (GAP, BASE, g_free);
    guint8 seen[64] = {0};
    gint64 now = 0;

    for (guint i = 0; i < 64; i++) {
      guint first = i / 8 * 8;
      char *item;

      if (i == first)
        for (guint k = 0; k < 8; k++)
          dub_order_expect (order, first + (k * 3 + seed) % 8);
      if (g_rand_int_range (rand, 0, 8) > 0)
        dub_order_put (order, first + (i * 3 + seed) % 8,
            item_new (first + (i * 3 + seed) % 8), now);
      now += g_rand_int_range (rand, 0, 3000);
      while ((item = dub_order_pop (order, now))) {
        guint64 number = g_ascii_strtoull (item, NULL, 10);

        g_assert_cmpuint (++seen[number], ==, 1);
        g_free (item);
      }
    }
    now += GAP;
    for (char *item; (item = dub_order_pop (order, now));)
      g_free (item);
    g_assert_cmpuint (dub_order_get_held (order), ==, 0);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path =
        g_strdup_printf ("/sts/session/order/%s", cases[i].name);

    g_test_add_data_func (path, &cases[i], test_script);
  }
  g_test_add_func ("/sts/session/order/wake", test_wake);
  g_test_add_func (
      "/sts/session/order/skipped-are-counted", test_skipped_are_counted);
  g_test_add_func (
      "/sts/session/order/refused-are-bounded", test_refused_are_bounded);
  g_test_add_func ("/sts/session/order/random", test_random);
  return g_test_run ();
}
