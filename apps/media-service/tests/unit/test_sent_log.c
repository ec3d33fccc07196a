/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/sent_log.h"

/* A stream of 100 bytes a millisecond, a picture each 40 ms. */
static void
send (DubSentLog *log, gint64 from_ms, gint64 to_ms)
{
  for (gint64 ms = from_ms; ms <= to_ms; ms += 40)
    dub_sent_log_note (log, ms, (guint64) ms * 100);
}

static void
test_behind (void)
{
  static const struct {
    guint64 unacknowledged;
    gint64 least_ms, most_ms;
  } table[] = {
      {0, 0, 0}, {1, 0, 120}, {50000, 500, 620}, {300000, 3000, 3120},
      {10000000, 6000, 7700}, /* all that is remembered */
  };
  DubSentLog log = {0};

  send (&log, 0, 20000);
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    gint64 behind_ms = dub_sent_log_behind_ms (&log, table[i].unacknowledged);

    g_assert_cmpint (behind_ms, >=, table[i].least_ms);
    g_assert_cmpint (behind_ms, <=, table[i].most_ms);
  }
}

static void
test_empty_and_short (void)
{
  DubSentLog log = {0};

  g_assert_cmpint (dub_sent_log_behind_ms (&log, 1000), ==, 0);
  send (&log, 0, 200);
  g_assert_cmpint (dub_sent_log_behind_ms (&log, 1000000), ==, 200);
}

/* A hold sends little: the time counts, not the bytes. */
static void
test_slow_stream (void)
{
  DubSentLog log = {0};

  for (gint64 s = 0; s < 60; s++)
    dub_sent_log_note (&log, s * 1000, (guint64) s * 500);
  g_assert_cmpint (dub_sent_log_behind_ms (&log, 1500), ==, 3000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/publish/sent-log/behind", test_behind);
  g_test_add_func (
      "/media/publish/sent-log/empty-and-short", test_empty_and_short);
  g_test_add_func ("/media/publish/sent-log/slow-stream", test_slow_stream);
  return g_test_run ();
}
