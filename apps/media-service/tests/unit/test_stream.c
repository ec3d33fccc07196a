/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/stream.h"

#include <stdlib.h>
#include <string.h>

/* Scripts of events against what is ordered and which states are passed. */
typedef struct {
  DubStream *stream;
  GString *told;
  gint64 now_ns;
} Rig;

static void
tell (Rig *rig, const char *what)
{
  if (rig->told->len > 0)
    g_string_append_c (rig->told, ' ');
  g_string_append (rig->told, what);
}

static void
on_start (DubStream *stream, gpointer user_data)
{
  tell (user_data, "START");
}

static void
on_stop (DubStream *stream, gpointer user_data)
{
  tell (user_data, "STOP");
}

static void
on_kill (DubStream *stream, gpointer user_data)
{
  tell (user_data, "KILL");
}

static void
on_reconnect (DubStream *stream, gpointer user_data)
{
  tell (user_data, "RECONNECT");
}

static void
on_changed (DubStream *stream, DubStreamState from, DubStreamState to,
    gpointer user_data)
{
  tell (user_data, dub_stream_state_to_string (to));
}

static const DubStreamFuncs funcs = {
    on_start, on_stop, on_kill, on_reconnect, on_changed};

/* Ticks at each moment that the stream asks for. */
static void
advance (Rig *rig, gint64 ms)
{
  gint64 end_ns = rig->now_ns + ms * DUB_NS_PER_MS;
  gint64 at_ns;

  while ((at_ns = dub_stream_next_ns (rig->stream)) != DUB_TIME_NONE &&
         at_ns <= end_ns) {
    rig->now_ns = MAX (at_ns, rig->now_ns);
    dub_stream_tick (rig->stream, rig->now_ns);
  }
  rig->now_ns = end_ns;
}

static void
do_event (Rig *rig, const char *word)
{
  g_auto (GStrv) parts = g_strsplit (word, ":", 2);
  const char *what = parts[0];
  const char *source = parts[1];

  if (*what == '+')
    advance (rig, (int) g_ascii_strtoll (what + 1, NULL, 10));
  else if (g_str_equal (what, "ready"))
    dub_stream_ready (rig->stream, source, rig->now_ns);
  else if (g_str_equal (what, "gone"))
    dub_stream_not_ready (rig->stream, source, rig->now_ns);
  else if (g_str_equal (what, "runs"))
    dub_stream_worker_running (rig->stream, rig->now_ns);
  else if (g_str_equal (what, "exit"))
    dub_stream_worker_exited (rig->stream, rig->now_ns);
  else if (g_str_equal (what, "stop"))
    dub_stream_stop (rig->stream, rig->now_ns);
  else if (g_str_equal (what, "replace"))
    dub_stream_replace (rig->stream, rig->now_ns);
  else if (g_str_equal (what, "adopt"))
    dub_stream_adopt (rig->stream, rig->now_ns);
  else
    g_error ("no event %s", what);
}

static void
rig_init (Rig *rig, gint64 grace_ms)
{
  DubStreamParams params = {.grace_ns = grace_ms * DUB_NS_PER_MS,
      .stop_timeout_ns = 10 * DUB_NS_PER_S};

  rig->stream = dub_stream_new (&params, &funcs, rig);
  rig->told = g_string_new (NULL);
  rig->now_ns = 1000 * DUB_NS_PER_S;
}

static void
rig_clear (Rig *rig)
{
  dub_stream_free (rig->stream);
  g_string_free (rig->told, TRUE);
}

static void
run (Rig *rig, const char *script)
{
  g_auto (GStrv) words = g_strsplit (script, " ", -1);

  for (gsize i = 0; words[i] != NULL; i++)
    do_event (rig, words[i]);
}

typedef struct {
  const char *name, *script, *told;
} Case;

static const Case cases[] = {
    {"whole-life", "ready:a runs +60000 gone:a +29999 +1 exit",
        "starting START running stopping STOP stopped"},
    {"grace-not-over", "ready:a runs gone:a +29999", "starting START running"},
    {"returns-in-grace", "ready:a runs gone:a +10000 ready:b +60000",
        "starting START running RECONNECT"},
    {"same-source-returns", "ready:a runs gone:a +10000 ready:a +60000",
        "starting START running RECONNECT"},
    {"twice-ready", "ready:a ready:a runs ready:a", "starting START running"},
    {"other-source-without-not-ready", "ready:a runs ready:b",
        "starting START running RECONNECT"},
    {"twice-not-ready", "ready:a runs gone:a +20000 gone:a +10000",
        "starting START running stopping STOP"},
    {"late-not-ready", "ready:a runs ready:b gone:a +60000",
        "starting START running RECONNECT"},
    {"late-ready", "ready:a runs gone:a +1000 ready:a +29000 exit",
        "starting START running stopping STOP stopped"},
    {"not-ready-when-idle", "gone:a gone +60000", ""},
    {"late-ready-when-idle", "gone:a +1000 ready:a", ""},
    {"ids-unknown", "ready runs gone +10000 ready +60000",
        "starting START running RECONNECT"},
    {"not-ready-while-starting", "ready:a +1000 gone:a +30000 exit",
        "starting START stopping STOP stopped"},
    {"second-session", "ready:a runs gone:a +30000 exit +5000 ready:b runs",
        "starting START running stopping STOP stopped idle starting START "
        "running"},
    {"ready-while-stopping", "ready:a runs gone:a +30000 ready:b exit runs",
        "starting START running stopping STOP stopped idle starting START "
        "running"},
    {"ready-and-not-while-stopping",
        "ready:a runs gone:a +30000 ready:b gone:b exit",
        "starting START running stopping STOP stopped"},
    {"does-not-end", "ready:a runs stop +9999 +1 +60000 exit",
        "starting START running stopping STOP KILL stopped"},
    {"dies", "ready:a runs exit +0", "starting START running starting START"},
    {"dies-at-start", "ready:a exit +0", "starting START START"},
    {"dies-in-grace", "ready:a runs gone:a exit +60000",
        "starting START running stopped"},
    {"dies-in-grace-and-returns", "ready:a runs gone:a exit ready:b",
        "starting START running stopped idle starting START"},
    {"not-ready-while-waiting", "ready:a exit exit +500 gone:a +30000",
        "starting START START START stopping STOP"},
    {"stopped-while-waiting", "ready:a exit exit +500 stop +60000",
        "starting START START stopped"},
    {"new-source-starts-at-once", "ready:a exit exit exit ready:b",
        "starting START START START"},
    {"operator", "ready:a runs stop exit +60000",
        "starting START running stopping STOP stopped"},
    {"new-settings", "ready:a runs replace exit runs",
        "starting START running stopping STOP stopped idle starting START "
        "running"},
    {"new-settings-while-waiting", "ready:a exit exit replace",
        "starting START START stopped idle starting START"},
    {"adopted", "adopt runs gone +30000 exit",
        "starting running stopping STOP stopped"},
    {"adopted-dies", "adopt runs exit +0", "starting running starting START"},
    {"runs-too-late", "ready:a stop runs exit",
        "starting START stopping STOP stopped"},
};

static void
test_script (gconstpointer data)
{
  const Case *c = data;
  Rig rig;

  rig_init (&rig, 30000);
  run (&rig, c->script);
  g_assert_cmpstr (rig.told->str, ==, c->told);
  rig_clear (&rig);
}

static void
test_no_grace (void)
{
  Rig rig;

  rig_init (&rig, 0);
  run (&rig, "ready:a runs gone:a");
  g_assert_cmpstr (rig.told->str, ==, "starting START running stopping STOP");
  rig_clear (&rig);
}

/* How long it takes from a worker's death to the next start, in ms. */
static gint64
measure_restart (Rig *rig)
{
  gint64 died_ns = rig->now_ns;

  g_string_truncate (rig->told, 0);
  run (rig, "exit");
  while (strstr (rig->told->str, "START") == NULL)
    advance (rig, 1);
  return (rig->now_ns - died_ns) / DUB_NS_PER_MS;
}

static void
test_backoff (void)
{
  static const gint64 waits_ms[] = {0, 1000, 2000, 4000, 8000, 16000};
  Rig rig;

  rig_init (&rig, 30000);
  run (&rig, "ready:a runs");
  for (gsize i = 0; i < G_N_ELEMENTS (waits_ms); i++) {
    g_assert_false (dub_stream_is_degraded (rig.stream, rig.now_ns));
    g_assert_cmpint (measure_restart (&rig), ==, waits_ms[i]);
    run (&rig, "runs");
  }
  /* Six in ten minutes: it is said so, and tried each minute only. */
  g_assert_true (dub_stream_is_degraded (rig.stream, rig.now_ns));
  g_assert_cmpint (measure_restart (&rig), ==, 60000);
  g_assert_cmpint (measure_restart (&rig), ==, 60000);
  g_assert_cmpuint (dub_stream_get_restarts (rig.stream), ==, 8);
  /* A new publisher starts it afresh. */
  run (&rig, "exit ready:b");
  g_assert_false (dub_stream_is_degraded (rig.stream, rig.now_ns));
  g_assert_cmpint (measure_restart (&rig), ==, 0);
  rig_clear (&rig);
}

/* Deaths that lie far apart are no reason to wait. */
static void
test_backoff_forgets (void)
{
  Rig rig;

  rig_init (&rig, 30000);
  run (&rig, "ready:a runs");
  for (int i = 0; i < 20; i++) {
    g_assert_cmpint (measure_restart (&rig), ==, 0);
    run (&rig, "runs +600001");
    g_assert_false (dub_stream_is_degraded (rig.stream, rig.now_ns));
  }
  rig_clear (&rig);
}

/* Whatever comes in whatever order: never two workers at once, no forbidden
 * move (that would be a critical, which ends the test), and all ends. */
static void
test_random (void)
{
  static const char *const words[] = {"ready:a", "ready:b", "ready", "gone:a",
      "gone:b", "gone", "runs", "stop", "replace", "+0", "+700", "+5000",
      "+31000"};
  Rig rig;
  int n_workers = 0;

  rig_init (&rig, 30000);
  for (int i = 0; i < 20000; i++) {
    g_string_truncate (rig.told, 0);
    if (n_workers > 0 && g_test_rand_int_range (0, 4) == 0) {
      n_workers--;
      run (&rig, "exit");
    } else {
      run (&rig, words[g_test_rand_int_range (0, G_N_ELEMENTS (words))]);
    }
    for (char *p = rig.told->str; (p = strstr (p, "START")) != NULL; p++)
      n_workers++;
    g_assert_cmpint (n_workers, <=, 1);
  }
  run (&rig, "stop");
  if (n_workers > 0)
    run (&rig, "exit");
  advance (&rig, 1000000);
  g_assert_true (dub_stream_next_ns (rig.stream) == DUB_TIME_NONE);
  rig_clear (&rig);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strconcat ("/media/stream/", cases[i].name, NULL);

    g_test_add_data_func (path, &cases[i], test_script);
  }
  g_test_add_func ("/media/stream/no-grace", test_no_grace);
  g_test_add_func ("/media/stream/backoff", test_backoff);
  g_test_add_func ("/media/stream/backoff-forgets", test_backoff_forgets);
  g_test_add_func ("/media/stream/random", test_random);
  return g_test_run ();
}
