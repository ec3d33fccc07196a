/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/fallback.h"

#include <dubbing_common/clock.h>
#include <dubbing_common/error.h>
#include <string.h>

/* A list of engines that do as the test says. A request is a number; an
 * engine can do those that are not in its lacks. */

typedef struct {
  const char *name;
  gboolean is_ready;
  guint lacks; /* a request that it cannot do; 0: none */
  int error;   /* a DubErrorCode; 0: it answers */
  gboolean is_stuck;
  guint asked, cancelled;
  guint source;
} Engine;

typedef struct {
  DubFallback *list;
  DubMetrics *metrics;
  Engine engines[3];
  guint answers;
  char *by;
  int error;
} Bench;

typedef void (*Done) (const char *by, const GError *error, gpointer user_data);

static const char *
engine_name (gpointer data)
{
  return ((Engine *) data)->name;
}

static gboolean
engine_is_ready (gpointer data, GError **error)
{
  Engine *engine = data;

  if (!engine->is_ready)
    g_set_error (
        error, DUB_ERROR, DUB_ERROR_UNAVAILABLE, "%s is loading", engine->name);
  return engine->is_ready;
}

static gboolean
engine_is_able (gpointer data, gconstpointer request)
{
  return ((Engine *) data)->lacks != *(const guint *) request;
}

typedef struct {
  Engine *engine;
  DubFallbackCall *call;
} Turn;

static void
tell (DubFallbackCall *call, const GError *error)
{
  DubFallbackEnd end;

  if (error != NULL && dub_fallback_call_retry (call, error))
    return;
  end = dub_fallback_call_end (call, error == NULL);
  ((Done) end.done) (end.engine, error, end.user_data);
}

static gboolean
on_turn (gpointer data)
{
  Turn *turn = data;
  g_autoptr (GError) error = NULL;

  turn->engine->source = 0;
  if (turn->engine->error != 0)
    error = g_error_new (
        DUB_ERROR, turn->engine->error, "%s failed", turn->engine->name);
  tell (turn->call, error);
  return G_SOURCE_REMOVE;
}

static guint64
engine_begin (gpointer data, gconstpointer request, DubFallbackCall *call)
{
  Engine *engine = data;
  Turn *turn = g_new (Turn, 1);

  engine->asked++;
  *turn = (Turn){engine, call};
  if (engine->is_stuck)
    g_free (turn);
  else
    engine->source =
        g_idle_add_full (G_PRIORITY_DEFAULT, on_turn, turn, g_free);
  return 7;
}

static void
engine_cancel (gpointer data, guint64 id)
{
  Engine *engine = data;

  g_assert_cmpuint (id, ==, 7);
  engine->cancelled++;
  if (engine->source != 0)
    g_source_remove (engine->source);
  engine->source = 0;
}

static void
engine_free (gpointer data)
{
}

static const DubFallbackFuncs funcs = {"asr", engine_name, engine_is_ready,
    engine_is_able, engine_begin, engine_cancel, engine_free, tell};

/* ---- the bench ----------------------------------------------------------- */

static void
bench_init (Bench *b, guint n)
{
  static const char *const names[] = {"one", "two", "three"};

  memset (b, 0, sizeof *b);
  b->metrics = dub_metrics_new ();
  b->list = dub_fallback_new (&funcs, b, b->metrics);
  for (guint i = 0; i < n; i++) {
    b->engines[i] = (Engine){.name = names[i], .is_ready = TRUE};
    dub_fallback_add (b->list, &b->engines[i]);
  }
}

static void
bench_clear (Bench *b)
{
  dub_fallback_free (b->list);
  dub_metrics_unref (b->metrics);
  g_free (b->by);
}

static void
on_done (const char *by, const GError *error, gpointer user_data)
{
  Bench *b = user_data;

  b->answers++;
  g_free (b->by);
  b->by = g_strdup (by);
  b->error = error != NULL ? error->code : 0;
}

static guint64
ask (Bench *b, guint request, gint64 time_ms)
{
  gint64 now = g_get_monotonic_time () * 1000;

  return dub_fallback_ask (b->list, &request, sizeof request,
      now + time_ms * DUB_NS_PER_MS, G_CALLBACK (on_done), b);
}

/* Who answered. */
static const char *
run (Bench *b, guint request)
{
  guint before = b->answers;

  ask (b, request, 30000);
  g_assert_cmpuint (b->answers, ==, before);
  while (b->answers == before)
    g_main_context_iteration (NULL, TRUE);
  return b->by;
}

static double
counted (Bench *b, const char *engine, const char *outcome)
{
  static const char *const labels[] = {"stage", "engine", "outcome", NULL};
  DubMetric *metric =
      dub_metrics_counter (b->metrics, "sts_engine_requests_total", "", labels);

  return dub_metric_get (
      metric, (const char *const[]){"asr", engine, outcome, NULL});
}

/* ---- the tests ----------------------------------------------------------- */

static void
test_the_first_that_can (void)
{
  Bench b;
  g_autofree char *names = NULL;

  bench_init (&b, 3);
  names = dub_fallback_dup_names (b.list);
  g_assert_cmpstr (names, ==, "one,two,three");
  g_assert_cmpstr (run (&b, 1), ==, "one");
  b.engines[0].lacks = 1;
  g_assert_cmpstr (run (&b, 1), ==, "two");
  g_assert_cmpstr (run (&b, 2), ==, "one");
  b.engines[0].is_ready = FALSE;
  g_assert_cmpstr (run (&b, 2), ==, "two");
  g_assert_cmpfloat (counted (&b, "one", "ok"), ==, 2);
  g_assert_cmpfloat (counted (&b, "two", "ok"), ==, 2);
  bench_clear (&b);
}

static void
test_the_next_on_failure (void)
{
  static const int codes[] = {DUB_ERROR_ENGINE, DUB_ERROR_TIMEOUT,
      DUB_ERROR_AUTH, DUB_ERROR_INVALID, DUB_ERROR_OVERLOADED};

  for (guint i = 0; i < G_N_ELEMENTS (codes); i++) {
    Bench b;
    bench_init (&b, 3);
    b.engines[0].error = b.engines[1].error = codes[i];
    g_assert_cmpstr (run (&b, 1), ==, "three");
    g_assert_cmpint (b.error, ==, 0);
    g_assert_cmpfloat (counted (&b, "one", "failed"), ==, 1);
    g_assert_cmpfloat (counted (&b, "three", "ok"), ==, 1);
    b.engines[2].error = DUB_ERROR_LIMIT;
    run (&b, 1);
    g_assert_cmpint (b.error, ==, DUB_ERROR_LIMIT);
    g_assert_cmpuint (b.answers, ==, 2);
    bench_clear (&b);
  }
}

static void
test_no_time_for_another (void)
{
  Bench b;

  bench_init (&b, 2);
  b.engines[0].error = DUB_ERROR_ENGINE;
  ask (&b, 1, 20);
  while (b.answers == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (b.error, ==, DUB_ERROR_ENGINE);
  g_assert_cmpuint (b.engines[1].asked, ==, 0);
  bench_clear (&b);
}

/* After three failures in a row it is left alone, until its time is up. */
static void
test_passed_over (void)
{
  Bench b;

  bench_init (&b, 2);
  dub_fallback_set_patience (b.list, 3, 100);
  b.engines[0].error = DUB_ERROR_ENGINE;
  for (guint i = 0; i < 5; i++)
    g_assert_cmpstr (run (&b, 1), ==, "two");
  g_assert_cmpuint (b.engines[0].asked, ==, 3);
  /* Better a doubtful one than none. */
  b.engines[1].lacks = 2;
  run (&b, 2);
  g_assert_cmpuint (b.engines[0].asked, ==, 4);
  b.engines[0].error = 0;
  g_usleep (110 * 1000);
  g_assert_cmpstr (run (&b, 1), ==, "one");
  /* And it has all its patience again. */
  b.engines[0].error = DUB_ERROR_ENGINE;
  run (&b, 1);
  run (&b, 1);
  g_assert_cmpuint (b.engines[0].asked, ==, 7);
  bench_clear (&b);
}

/* As docs/decisions-sts.md S11 says, when nothing else is set. */
static void
test_three_times_by_default (void)
{
  Bench b;

  bench_init (&b, 2);
  b.engines[0].error = DUB_ERROR_ENGINE;
  for (guint i = 0; i < 6; i++)
    g_assert_cmpstr (run (&b, 1), ==, "two");
  g_assert_cmpuint (b.engines[0].asked, ==, 3);
  bench_clear (&b);
}

/* What was wrong with the request says nothing of the engine. */
static void
test_bad_requests_do_not_count (void)
{
  Bench b;

  bench_init (&b, 2);
  b.engines[0].error = DUB_ERROR_INVALID;
  for (guint i = 0; i < 5; i++)
    g_assert_cmpstr (run (&b, 1), ==, "two");
  g_assert_cmpuint (b.engines[0].asked, ==, 5);
  bench_clear (&b);
}

static void
test_nobody_can (void)
{
  Bench b;

  bench_init (&b, 1);
  b.engines[0].lacks = 1;
  g_assert_null (run (&b, 1));
  g_assert_cmpint (b.error, ==, DUB_ERROR_UNSUPPORTED);
  g_assert_cmpuint (b.engines[0].asked, ==, 0);
  bench_clear (&b);
}

static void
test_cancel (void)
{
  Bench b;
  guint64 id;

  bench_init (&b, 2);
  b.engines[0].is_stuck = TRUE;
  id = ask (&b, 1, 1000);
  dub_fallback_cancel (b.list, id);
  dub_fallback_cancel (b.list, id);
  g_assert_cmpuint (b.engines[0].cancelled, ==, 1);
  /* One that nobody could do. */
  b.engines[0].lacks = b.engines[1].lacks = 2;
  dub_fallback_cancel (b.list, ask (&b, 2, 1000));
  g_assert_cmpuint (b.answers, ==, 0);
  /* What is left when the list goes is told. */
  ask (&b, 1, 1000);
  bench_clear (&b);
  g_assert_cmpuint (b.engines[0].cancelled, ==, 2);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (b.answers, ==, 1);
  g_assert_cmpint (b.error, ==, DUB_ERROR_DISCONNECTED);
}

static void
test_ready (void)
{
  Bench b;
  g_autoptr (GError) error = NULL;

  bench_init (&b, 2);
  b.engines[0].is_ready = FALSE;
  g_assert_true (dub_fallback_is_ready (b.list, &error));
  g_assert_no_error (error);
  b.engines[1].is_ready = FALSE;
  g_assert_false (dub_fallback_is_ready (b.list, &error));
  g_assert_cmpstr (error->message, ==, "one is loading");
  bench_clear (&b);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/fallback/the-first-that-can", test_the_first_that_can);
  g_test_add_func (
      "/sts/fallback/the-next-on-failure", test_the_next_on_failure);
  g_test_add_func (
      "/sts/fallback/no-time-for-another", test_no_time_for_another);
  g_test_add_func ("/sts/fallback/passed-over", test_passed_over);
  g_test_add_func (
      "/sts/fallback/three-times-by-default", test_three_times_by_default);
  g_test_add_func ("/sts/fallback/bad-requests-do-not-count",
      test_bad_requests_do_not_count);
  g_test_add_func ("/sts/fallback/nobody-can", test_nobody_can);
  g_test_add_func ("/sts/fallback/cancel", test_cancel);
  g_test_add_func ("/sts/fallback/ready", test_ready);
  return g_test_run ();
}
