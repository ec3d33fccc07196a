/* SPDX-License-Identifier: Apache-2.0 */
#include "sts/reconnection.h"

static void
test_steps (void)
{
  static const struct {
    guint32 chance;
    guint wait_ms[5];
  } table[] = {
      {0, {2000, 4000, 8000, 8000, 8000}},
      {G_MAXUINT32, {1600, 3200, 6400, 6400, 6400}},
      {G_MAXUINT32 / 2, {1801, 3601, 7201, 7201, 7201}},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    DubReconnection reconnect = {0};

    for (guint k = 0; k < 5; k++)
      g_assert_cmpuint (dub_reconnection_next_ms (&reconnect, table[i].chance),
          ==, table[i].wait_ms[k]);
  }
}

static void
test_reset (void)
{
  DubReconnection reconnect = {0};

  dub_reconnection_next_ms (&reconnect, 0);
  dub_reconnection_next_ms (&reconnect, 0);
  dub_reconnection_reset (&reconnect);
  g_assert_cmpuint (dub_reconnection_next_ms (&reconnect, 0), ==, 2000);
}

/* A link that fails for days keeps its pace. */
static void
test_days (void)
{
  DubReconnection reconnect = {0};

  for (guint i = 0; i < 100000; i++)
    dub_reconnection_next_ms (&reconnect, 0);
  g_assert_cmpuint (dub_reconnection_next_ms (&reconnect, 0), ==, 8000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/sts/reconnection/steps", test_steps);
  g_test_add_func ("/media/sts/reconnection/reset", test_reset);
  g_test_add_func ("/media/sts/reconnection/days", test_days);
  return g_test_run ();
}
