/* SPDX-License-Identifier: Apache-2.0 */
#include "dubbing_common/metrics.h"

#include <math.h>
#include <string.h>

#define V(...) ((const char *const[]){__VA_ARGS__, NULL})

static void
assert_text (DubMetrics *metrics, const char *expected)
{
  g_autofree char *text = dub_metrics_to_text (metrics);

  g_assert_cmpstr (text, ==, expected);
}

static void
test_counter_and_gauge (void)
{
  g_autoptr (DubMetrics) metrics = dub_metrics_new ();
  DubMetric *hits =
      dub_metrics_counter (metrics, "hits_total", "Hits", V ("path", "code"));
  DubMetric *level = dub_metrics_gauge (metrics, "level", "Level", NULL);

  dub_metrics_gauge (metrics, "never_used", "Has no series", NULL);
  assert_text (metrics, "");
  dub_metric_add (hits, V ("/a", "200"), 1);
  dub_metric_add (hits, V ("/a", "200"), 0.5);
  dub_metric_add (hits, V ("/b", "200"), 3e9);
  dub_metric_set (level, NULL, 0.1);
  dub_metric_add (level, NULL, -2);
  g_assert_cmpfloat (dub_metric_get (hits, V ("/a", "200")), ==, 1.5);
  g_assert_cmpfloat (dub_metric_get (hits, V ("/a", "404")), ==, 0);
  assert_text (metrics, "# HELP hits_total Hits\n"
                        "# TYPE hits_total counter\n"
                        "hits_total{path=\"/a\",code=\"200\"} 1.5\n"
                        "hits_total{path=\"/b\",code=\"200\"} 3000000000\n"
                        "# HELP level Level\n"
                        "# TYPE level gauge\n"
                        "level -1.9\n");
}

/* A series that is shown is there before anything happens, and stays what it
 * is when it is shown again. */
static void
test_show (void)
{
  g_autoptr (DubMetrics) metrics = dub_metrics_new ();
  static const double bounds[] = {1};
  DubMetric *hits = dub_metrics_counter (metrics, "hits_total", "Hits", NULL);
  DubMetric *times = dub_metrics_histogram (metrics, "t", "T", NULL, bounds, 1);

  dub_metric_show (hits, NULL);
  dub_metric_show (times, NULL);
  assert_text (metrics, "# HELP hits_total Hits\n"
                        "# TYPE hits_total counter\n"
                        "hits_total 0\n"
                        "# HELP t T\n"
                        "# TYPE t histogram\n"
                        "t_bucket{le=\"1\"} 0\n"
                        "t_bucket{le=\"+Inf\"} 0\n"
                        "t_sum 0\n"
                        "t_count 0\n");
  dub_metric_add (hits, NULL, 2);
  dub_metric_show (hits, NULL);
  g_assert_cmpfloat (dub_metric_get (hits, NULL), ==, 2);
}

/* Of every series, also of one that has no other, and of buckets. */
static void
test_common_label (void)
{
  g_autoptr (DubMetrics) metrics = dub_metrics_new ();
  static const double bounds[] = {1};
  DubMetric *hits, *level, *times;

  dub_metrics_set_common_label (metrics, "language", "e\"s");
  hits = dub_metrics_counter (metrics, "hits_total", "Hits", V ("path"));
  level = dub_metrics_gauge (metrics, "level", "Level", NULL);
  times = dub_metrics_histogram (metrics, "t", "T", NULL, bounds, 1);
  dub_metric_add (hits, V ("/a"), 1);
  dub_metric_add (hits, V ("/a"), 1);
  dub_metric_set (level, NULL, 3);
  dub_metric_observe (times, NULL, 2);
  assert_text (metrics, "# HELP hits_total Hits\n"
                        "# TYPE hits_total counter\n"
                        "hits_total{path=\"/a\",language=\"e\\\"s\"} 2\n"
                        "# HELP level Level\n"
                        "# TYPE level gauge\n"
                        "level{language=\"e\\\"s\"} 3\n"
                        "# HELP t T\n"
                        "# TYPE t histogram\n"
                        "t_bucket{language=\"e\\\"s\",le=\"1\"} 0\n"
                        "t_bucket{language=\"e\\\"s\",le=\"+Inf\"} 1\n"
                        "t_sum{language=\"e\\\"s\"} 2\n"
                        "t_count{language=\"e\\\"s\"} 1\n");
  dub_metrics_remove (metrics, "path", "/a");
  g_assert_cmpfloat (dub_metric_get (hits, V ("/a")), ==, 0);
}

static void
test_same_family (void)
{
  g_autoptr (DubMetrics) metrics = dub_metrics_new ();
  DubMetric *a = dub_metrics_counter (metrics, "x_total", "X", V ("l"));

  g_assert_true (
      a == dub_metrics_counter (metrics, "x_total", "other", V ("l")));
}

static void
test_escapes (void)
{
  g_autoptr (DubMetrics) metrics = dub_metrics_new ();
  DubMetric *m =
      dub_metrics_gauge (metrics, "m", "back\\slash \"quote\"\nline", V ("l"));

  dub_metric_set (m, V ("a\"b\\c\nd\xff"), 1);
  assert_text (metrics, "# HELP m back\\\\slash \"quote\"\\nline\n"
                        "# TYPE m gauge\n"
                        "m{l=\"a\\\"b\\\\c\\nd\xef\xbf\xbd\"} 1\n");
}

static void
test_numbers (void)
{
  static const struct {
    double value;
    const char *text;
  } cases[] = {{NAN, "NaN"}, {INFINITY, "+Inf"}, {-INFINITY, "-Inf"},
      {0.1, "0.1"}, {1.0 / 3, "0.3333333333333333"}, {1e300, "1e+300"},
      {123456789012345, "123456789012345"},
      {9007199254740991, "9007199254740991"}, {-0.25, "-0.25"}};

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (DubMetrics) metrics = dub_metrics_new ();
    g_autofree char *expected =
        g_strdup_printf ("# HELP m m\n# TYPE m gauge\nm %s\n", cases[i].text);

    dub_metric_set (
        dub_metrics_gauge (metrics, "m", "m", NULL), NULL, cases[i].value);
    assert_text (metrics, expected);
  }
}

static void
test_histogram (void)
{
  static const double bounds[] = {0.5, 1, 2.5};
  static const double seen[] = {0.5, 0.1, 0.6, 2.5, 100};
  g_autoptr (DubMetrics) metrics = dub_metrics_new ();
  DubMetric *h =
      dub_metrics_histogram (metrics, "h", "H", V ("stage"), bounds, 3);

  for (gsize i = 0; i < G_N_ELEMENTS (seen); i++)
    dub_metric_observe (h, V ("asr"), seen[i]);
  g_assert_cmpfloat (dub_metric_get (h, V ("asr")), ==, 5);
  assert_text (metrics, "# HELP h H\n"
                        "# TYPE h histogram\n"
                        "h_bucket{stage=\"asr\",le=\"0.5\"} 2\n"
                        "h_bucket{stage=\"asr\",le=\"1\"} 3\n"
                        "h_bucket{stage=\"asr\",le=\"2.5\"} 4\n"
                        "h_bucket{stage=\"asr\",le=\"+Inf\"} 5\n"
                        "h_sum{stage=\"asr\"} 103.7\n"
                        "h_count{stage=\"asr\"} 5\n");
}

static void
test_remove (void)
{
  g_autoptr (DubMetrics) metrics = dub_metrics_new ();
  DubMetric *a = dub_metrics_gauge (metrics, "a", "a", V ("stream_id", "x"));
  DubMetric *b = dub_metrics_gauge (metrics, "b", "b", V ("x"));

  dub_metric_set (a, V ("one", "1"), 1);
  dub_metric_set (a, V ("two", "1"), 2);
  dub_metric_set (a, V ("one", "2"), 3);
  dub_metric_set (b, V ("one"), 4);
  dub_metrics_remove (metrics, "stream_id", "one");
  assert_text (metrics,
      "# HELP a a\n# TYPE a gauge\na{stream_id=\"two\",x=\"1\"} 2\n"
      "# HELP b b\n# TYPE b gauge\nb{x=\"one\"} 4\n");
  dub_metric_add (a, V ("one", "1"), 7); /* begins anew */
  g_assert_cmpfloat (dub_metric_get (a, V ("one", "1")), ==, 7);
}

static void
test_limit (void)
{
  g_autoptr (DubMetrics) metrics = dub_metrics_new ();
  DubMetric *a = dub_metrics_counter (metrics, "a_total", "a", V ("l"));
  g_autofree char *text = NULL;

  for (int i = 0; i < DUB_METRICS_MAX_SERIES + 3; i++) {
    g_autofree char *value = g_strdup_printf ("%d", i);

    dub_metric_add (a, V (value), 1);
  }
  text = dub_metrics_to_text (metrics);
  g_assert_null (strstr (text, "\"4096\""));
  g_assert_true (
      g_str_has_suffix (text, "dub_metrics_dropped_series_total 3\n"));
}

typedef struct {
  const char *name;
  const char *texts[4];
  const char *merged;
} MergeCase;

static const MergeCase merges[] = {
    {"none", {NULL}, ""},
    {"by-family",
        {"# HELP a A\n# TYPE a gauge\na{s=\"1\"} 1\n"
         "# HELP b B\n# TYPE b gauge\nb{s=\"1\"} 2\n",
            "# HELP b B\n# TYPE b gauge\nb{s=\"2\"} 4\n"
            "# HELP a other\n# TYPE a gauge\na{s=\"2\"} 3\n"},
        "# HELP a A\n# TYPE a gauge\na{s=\"1\"} 1\na{s=\"2\"} 3\n"
        "# HELP b B\n# TYPE b gauge\nb{s=\"1\"} 2\nb{s=\"2\"} 4\n"},
    {"histogram-stays-together",
        {"# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 2\nh_count 1\n",
            "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count "
            "2\n"},
        "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 3\nh_sum 5\nh_count 3\n"},
    {"same-series",
        {"# TYPE c_total counter\nc_total 1\n# TYPE g gauge\ng 1\n",
            "# TYPE c_total counter\nc_total 2\n# TYPE g gauge\ng 2\n"},
        "# TYPE c_total counter\nc_total 3\n# TYPE g gauge\ng 1\n"},
    {"type-differs",
        {"# TYPE a gauge\na 1\n", "# TYPE a counter\na{x=\"1\"} 2\n"},
        "# TYPE a gauge\na 1\n"},
    {"untyped-and-comments", {"# made by hand\n\nx_sum 1 1700000000\n"},
        "# TYPE x_sum untyped\nx_sum 1\n"},
    {"empty-labels-and-escapes", {"a{} 1\na{l=\"}\\\"\\n,\"} NaN\n"},
        "# TYPE a untyped\na{} 1\na{l=\"}\\\"\\n,\"} NaN\n"},
    {"broken-is-left-out-whole", {"a 1\n", "b 2\nc{x=\"1} 2\n", "d 3\n"},
        "# TYPE a untyped\na 1\n# TYPE d untyped\nd 3\n"},
    {"type-after-samples",
        {"a 1\n# TYPE a gauge\n", "h_sum 1\n# TYPE h histogram\n"}, ""},
    {"broken-forms", {"a\n", "a x\n", "1a 2\n", "# TYPE a nonsense\na 1\n"},
        ""},
};

static void
test_merge (gconstpointer data)
{
  const MergeCase *c = data;
  const char *texts[G_N_ELEMENTS (c->texts) + 1] = {NULL};
  g_autofree char *merged = NULL;

  memcpy (texts, c->texts, sizeof c->texts);
  merged = dub_metrics_merge (texts);
  g_assert_cmpstr (merged, ==, c->merged);
}

static void
test_merge_own (void)
{
  static const double bounds[] = {1};
  g_autoptr (DubMetrics) metrics = dub_metrics_new ();
  g_autofree char *text = NULL;
  g_autofree char *merged = NULL;

  dub_metric_set (
      dub_metrics_gauge (metrics, "g", "a\\\n", V ("l")), V ("x\"\\\n,{}"), 2);
  dub_metric_observe (
      dub_metrics_histogram (metrics, "h", "H", NULL, bounds, 1), NULL, 3);
  text = dub_metrics_to_text (metrics);
  merged = dub_metrics_merge (V (text));
  g_assert_cmpstr (merged, ==, text);
}

typedef struct {
  const char *name;
  DubMetricAlias aliases[2];
  const char *text;
  const char *added; /* behind the text as it was */
} AliasCase;

#define GAUGE "# HELP a_ms A.\n# TYPE a_ms gauge\na_ms{s=\"x\"} 250\n"
#define REASONS                                                                \
  "# TYPE f_total counter\nf_total{s=\"x\",r=\"late\"} 2\n"                    \
  "f_total{s=\"x\",r=\"a,}\\\"b\"} 3\nf_total{s=\"y\",r=\"late\"} 1\n"
#define BUCKETS                                                                \
  "# TYPE h histogram\nh_bucket{le=\"0.5\"} 1\nh_bucket{le=\"+Inf\"} 2\n"      \
  "h_sum 3.5\nh_count 2\n"

static const AliasCase alias_cases[] = {
    {"none", {{"b", "missing"}}, GAUGE, ""},
    {"rename", {{"b_ms", "a_ms"}}, GAUGE,
        "# HELP b_ms A.\n# TYPE b_ms gauge\nb_ms{s=\"x\"} 250\n"},
    {"scale", {{"a_seconds", "a_ms", "In s.", .scale = 1e-3}}, GAUGE,
        "# HELP a_seconds In s.\n# TYPE a_seconds gauge\n"
        "a_seconds{s=\"x\"} 0.25\n"},
    {"sum-over-label", {{"g_total", "f_total", .drop_label = "r"}}, REASONS,
        "# TYPE g_total counter\ng_total{s=\"x\"} 5\ng_total{s=\"y\"} 1\n"},
    {"one-of-a-label",
        {{"g_total", "f_total", .drop_label = "r", .only_value = "late"}},
        REASONS,
        "# TYPE g_total counter\ng_total{s=\"x\"} 2\ng_total{s=\"y\"} 1\n"},
    {"two-rows-one-family",
        {{"g_total", "f_total", .drop_label = "r", .only_value = "late",
             .add_label = "k", .add_value = "l"},
            {"g_total", "f_total", .drop_label = "r", .add_label = "k",
                .add_value = "all"}},
        REASONS,
        "# TYPE g_total counter\ng_total{s=\"x\",k=\"l\"} 2\n"
        "g_total{s=\"y\",k=\"l\"} 1\ng_total{s=\"x\",k=\"all\"} 5\n"
        "g_total{s=\"y\",k=\"all\"} 1\n"},
    {"histogram", {{"h_ms", "h", .scale = 1000}}, BUCKETS,
        "# TYPE h_ms histogram\nh_ms_bucket{le=\"500\"} 1\n"
        "h_ms_bucket{le=\"+Inf\"} 2\nh_ms_sum 3500\nh_ms_count 2\n"},
    {"count-of-histogram", {{"n_total", "h", .only_suffix = "_count"}}, BUCKETS,
        "# TYPE n_total counter\nn_total 2\n"},
    {"buckets-alone",
        {{"d_ms_bucket", "h", .scale = 1000, .only_suffix = "_bucket"}},
        BUCKETS,
        "# TYPE d_ms_bucket untyped\nd_ms_bucket{le=\"500\"} 1\n"
        "d_ms_bucket{le=\"+Inf\"} 2\n"},
    {"alias-of-alias",
        {{"b", "a_ms"}, {"c", "b", .add_label = "k", .add_value = "v"}}, GAUGE,
        "# HELP b A.\n# TYPE b gauge\nb{s=\"x\"} 250\n"
        "# HELP c A.\n# TYPE c gauge\nc{s=\"x\",k=\"v\"} 250\n"},
    {"other-type", {{"f_total", "a_ms"}}, GAUGE REASONS, ""},
};

static void
test_alias (gconstpointer data)
{
  const AliasCase *c = data;
  gsize n = c->aliases[1].name != NULL ? 2 : 1;
  g_autofree char *expected = g_strconcat (c->text, c->added, NULL);
  g_autofree char *out = dub_metrics_merge_aliased (V (c->text), c->aliases, n);

  g_assert_cmpstr (out, ==, expected);
}

static gpointer
count_up (gpointer data)
{
  for (int i = 0; i < 10000; i++)
    dub_metric_add (data, V ("x"), 1);
  return NULL;
}

static void
test_threads (void)
{
  g_autoptr (DubMetrics) metrics = dub_metrics_new ();
  DubMetric *a = dub_metrics_counter (metrics, "a_total", "a", V ("l"));
  GThread *threads[4];

  for (int i = 0; i < 4; i++)
    threads[i] = g_thread_new ("counter", count_up, a);
  for (int i = 0; i < 4; i++)
    g_thread_join (threads[i]);
  g_assert_cmpfloat (dub_metric_get (a, V ("x")), ==, 40000);
}

/* Spent CPU is never counted twice, and the start does not move. */
static void
test_process (void)
{
  g_autoptr (DubMetrics) metrics = dub_metrics_new ();
  g_autofree char *text = NULL;
  DubMetric *cpu, *start, *files;
  double before, started;

  dub_metrics_set_process (metrics);
  cpu = dub_metrics_counter (metrics, "process_cpu_seconds_total", "", NULL);
  start = dub_metrics_gauge (metrics, "process_start_time_seconds", "", NULL);
  files = dub_metrics_gauge (metrics, "process_open_fds", "", NULL);
  before = dub_metric_get (cpu, NULL);
  started = dub_metric_get (start, NULL);
  dub_metrics_set_process (metrics);
  g_assert_cmpfloat (dub_metric_get (cpu, NULL), >=, before);
  g_assert_cmpfloat (dub_metric_get (cpu, NULL), <, before + 5);
  g_assert_cmpfloat (dub_metric_get (start, NULL), ==, started);
  g_assert_cmpfloat (ABS ((double) g_get_real_time () / 1e6 - started), <, 300);
  g_assert_cmpfloat (dub_metric_get (files, NULL), >=, 3);
  text = dub_metrics_to_text (metrics);
  g_assert_nonnull (strstr (text, "\nprocess_resident_memory_bytes "));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/common/metrics/values", test_counter_and_gauge);
  g_test_add_func ("/common/metrics/show", test_show);
  g_test_add_func ("/common/metrics/common-label", test_common_label);
  g_test_add_func ("/common/metrics/same-family", test_same_family);
  g_test_add_func ("/common/metrics/escapes", test_escapes);
  g_test_add_func ("/common/metrics/numbers", test_numbers);
  g_test_add_func ("/common/metrics/histogram", test_histogram);
  g_test_add_func ("/common/metrics/remove", test_remove);
  g_test_add_func ("/common/metrics/limit", test_limit);
  g_test_add_func ("/common/metrics/merge-own", test_merge_own);
  g_test_add_func ("/common/metrics/threads", test_threads);
  g_test_add_func ("/common/metrics/process", test_process);
  for (gsize i = 0; i < G_N_ELEMENTS (merges); i++) {
    g_autofree char *path =
        g_strconcat ("/common/metrics/merge/", merges[i].name, NULL);

    g_test_add_data_func (path, &merges[i], test_merge);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (alias_cases); i++) {
    g_autofree char *path =
        g_strconcat ("/common/metrics/alias/", alias_cases[i].name, NULL);

    g_test_add_data_func (path, &alias_cases[i], test_alias);
  }
  return g_test_run ();
}
