/* SPDX-License-Identifier: Apache-2.0 */
#include "dubbing_common/metrics.h"
#include "metrics_text.h"

#include <math.h>
#include <string.h>

/* One combination of label values. */
typedef struct {
  char *labels;  /* as exposed, without braces: a="x",b="y" */
  char **values; /* (nullable) */
  double value;  /* of a histogram: the sum */
  guint64 count;
  guint64 *buckets; /* not cumulative; the last is above all bounds */
} Series;

struct _DubMetric {
  DubMetrics *registry; /* not owned: it owns us */

  /* immutable */
  char *name, *help;
  MetricType type;
  char **labels;
  guint n_labels;
  double *bounds;
  gsize n_bounds;

  /* protected by the registry's lock */
  GPtrArray *series;
  GHashTable *by_labels;
};

struct _DubMetrics {
  gatomicrefcount ref_count;
  char *common_label, *common_value; /* (nullable) */

  GMutex lock;
  /* protected by lock */
  GPtrArray *families;
  GHashTable *by_name;
  guint64 n_dropped;
};

static void
series_free (gpointer data)
{
  Series *self = data;

  g_free (self->labels);
  g_strfreev (self->values);
  g_free (self->buckets);
  g_free (self);
}

static void
metric_free (gpointer data)
{
  DubMetric *self = data;

  g_hash_table_unref (self->by_labels);
  g_ptr_array_unref (self->series);
  g_free (self->name);
  g_free (self->help);
  g_strfreev (self->labels);
  g_free (self->bounds);
  g_free (self);
}

DubMetrics *
dub_metrics_new (void)
{
  DubMetrics *self = g_new0 (DubMetrics, 1);

  g_atomic_ref_count_init (&self->ref_count);
  g_mutex_init (&self->lock);
  self->families = g_ptr_array_new_with_free_func (metric_free);
  self->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  return self;
}

DubMetrics *
dub_metrics_ref (DubMetrics *metrics)
{
  g_return_val_if_fail (metrics != NULL, NULL);
  g_atomic_ref_count_inc (&metrics->ref_count);
  return metrics;
}

void
dub_metrics_unref (DubMetrics *metrics)
{
  if (metrics == NULL || !g_atomic_ref_count_dec (&metrics->ref_count))
    return;
  g_hash_table_unref (metrics->by_name);
  g_ptr_array_unref (metrics->families);
  g_mutex_clear (&metrics->lock);
  g_free (metrics->common_label);
  g_free (metrics->common_value);
  g_free (metrics);
}

static gboolean
name_is_valid (const char *name)
{
  gsize length = metric_name_length (name);

  return length > 0 && name[length] == '\0';
}

static gboolean
labels_are_valid (const char *const *labels)
{
  for (gsize i = 0; labels != NULL && labels[i] != NULL; i++)
    if (!name_is_valid (labels[i]) || strchr (labels[i], ':') != NULL ||
        g_str_has_prefix (labels[i], "__") || g_str_equal (labels[i], "le"))
      return FALSE;
  return TRUE;
}

static gboolean
bounds_ascend (const double *bounds, gsize n_bounds)
{
  for (gsize i = 0; i < n_bounds; i++)
    if (!isfinite (bounds[i]) || (i > 0 && bounds[i] <= bounds[i - 1]))
      return FALSE;
  return TRUE;
}

static gboolean
same_labels (DubMetric *self, const char *const *labels)
{
  static const char *const none[] = {NULL};

  return g_strv_equal (
      (const char *const *) self->labels, labels != NULL ? labels : none);
}

static DubMetric *
metric_new (DubMetrics *registry, MetricType type, const char *name,
    const char *help, const char *const *labels)
{
  static const char *const none[] = {NULL};
  DubMetric *self = g_new0 (DubMetric, 1);

  self->registry = registry;
  self->type = type;
  self->name = g_strdup (name);
  self->help = g_utf8_make_valid (help != NULL ? help : name, -1);
  self->labels = g_strdupv ((char **) (labels != NULL ? labels : none));
  self->n_labels = g_strv_length (self->labels);
  self->series = g_ptr_array_new_with_free_func (series_free);
  self->by_labels = g_hash_table_new (g_str_hash, g_str_equal);
  return self;
}

static DubMetric *
get_family (DubMetrics *metrics, MetricType type, const char *name,
    const char *help, const char *const *labels)
{
  DubMetric *family;

  g_return_val_if_fail (metrics != NULL && name != NULL, NULL);
  g_return_val_if_fail (name_is_valid (name), NULL);
  g_return_val_if_fail (labels_are_valid (labels), NULL);
  g_mutex_lock (&metrics->lock);
  family = g_hash_table_lookup (metrics->by_name, name);
  if (family == NULL) {
    family = metric_new (metrics, type, name, help, labels);
    g_ptr_array_add (metrics->families, family);
    g_hash_table_insert (metrics->by_name, family->name, family);
  }
  g_mutex_unlock (&metrics->lock);
  g_return_val_if_fail (family->type == type, NULL);
  g_return_val_if_fail (same_labels (family, labels), NULL);
  return family;
}

void
dub_metrics_set_common_label (
    DubMetrics *metrics, const char *label, const char *value)
{
  g_return_if_fail (metrics != NULL && name_is_valid (label));
  g_return_if_fail (metrics->common_label == NULL);
  metrics->common_label = g_strdup (label);
  metrics->common_value = g_strdup (value);
}

DubMetric *
dub_metrics_counter (DubMetrics *metrics, const char *name, const char *help,
    const char *const *labels)
{
  g_return_val_if_fail (name && g_str_has_suffix (name, "_total"), NULL);
  return get_family (metrics, METRIC_COUNTER, name, help, labels);
}

DubMetric *
dub_metrics_gauge (DubMetrics *metrics, const char *name, const char *help,
    const char *const *labels)
{
  return get_family (metrics, METRIC_GAUGE, name, help, labels);
}

DubMetric *
dub_metrics_histogram (DubMetrics *metrics, const char *name, const char *help,
    const char *const *labels, const double *bounds, gsize n_bounds)
{
  DubMetric *family;

  g_return_val_if_fail (bounds_ascend (bounds, n_bounds), NULL);
  family = get_family (metrics, METRIC_HISTOGRAM, name, help, labels);
  if (family == NULL)
    return NULL;
  g_mutex_lock (&metrics->lock);
  if (family->bounds == NULL) {
    family->bounds = g_memdup2 (bounds, n_bounds * sizeof *bounds);
    family->n_bounds = n_bounds;
  }
  g_mutex_unlock (&metrics->lock);
  return family;
}

static void
append_escaped (GString *out, const char *text, gboolean with_quotes)
{
  for (const char *p = text; *p != '\0'; p++) {
    if (*p == '\n') {
      g_string_append (out, "\\n");
      continue;
    }
    if (*p == '\\' || (with_quotes && *p == '"'))
      g_string_append_c (out, '\\');
    g_string_append_c (out, *p);
  }
}

static void
append_label (GString *out, const char *label, const char *value)
{
  g_autofree char *valid = g_utf8_make_valid (value, -1);

  if (out->len > 0)
    g_string_append_c (out, ',');
  g_string_append (out, label);
  g_string_append (out, "=\"");
  append_escaped (out, valid, TRUE);
  g_string_append_c (out, '"');
}

/* a="x",b="y": what is exposed is also the key, being unambiguous. */
static char *
format_labels (DubMetric *self, const char *const *values)
{
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < self->n_labels; i++)
    append_label (out, self->labels[i], values[i]);
  if (self->registry->common_label != NULL)
    append_label (
        out, self->registry->common_label, self->registry->common_value);
  return g_string_free (out, FALSE);
}

static gboolean
values_fit (DubMetric *self, const char *const *values)
{
  guint n = values != NULL ? g_strv_length ((char **) values) : 0;

  return n == self->n_labels;
}

/* NULL: the family is full and the sample was counted as dropped. */
static Series *
get_series_locked (DubMetric *self, const char *const *values)
{
  g_autofree char *labels = format_labels (self, values);
  Series *series = g_hash_table_lookup (self->by_labels, labels);

  if (series != NULL)
    return series;
  if (self->series->len >= DUB_METRICS_MAX_SERIES) {
    self->registry->n_dropped++;
    return NULL;
  }
  series = g_new0 (Series, 1);
  series->labels = g_steal_pointer (&labels);
  series->values = g_strdupv ((char **) values);
  series->buckets = g_new0 (guint64, self->n_bounds + 1);
  g_ptr_array_add (self->series, series);
  g_hash_table_insert (self->by_labels, series->labels, series);
  return series;
}

void
dub_metric_add (DubMetric *metric, const char *const *values, double amount)
{
  Series *series;

  g_return_if_fail (metric != NULL && values_fit (metric, values));
  g_return_if_fail (metric->type == METRIC_GAUGE ||
                    (metric->type == METRIC_COUNTER && amount >= 0));
  g_mutex_lock (&metric->registry->lock);
  series = get_series_locked (metric, values);
  if (series != NULL)
    series->value += amount;
  g_mutex_unlock (&metric->registry->lock);
}

void
dub_metric_set (DubMetric *metric, const char *const *values, double value)
{
  Series *series;

  g_return_if_fail (metric != NULL && values_fit (metric, values));
  g_return_if_fail (metric->type == METRIC_GAUGE);
  g_mutex_lock (&metric->registry->lock);
  series = get_series_locked (metric, values);
  if (series != NULL)
    series->value = value;
  g_mutex_unlock (&metric->registry->lock);
}

static gsize
bucket_of (DubMetric *self, double value)
{
  gsize i = 0;

  while (i < self->n_bounds && value > self->bounds[i])
    i++;
  return i;
}

void
dub_metric_observe (DubMetric *metric, const char *const *values, double value)
{
  Series *series;

  g_return_if_fail (metric != NULL && values_fit (metric, values));
  g_return_if_fail (metric->type == METRIC_HISTOGRAM && !isnan (value));
  g_mutex_lock (&metric->registry->lock);
  series = get_series_locked (metric, values);
  if (series != NULL) {
    series->buckets[bucket_of (metric, value)]++;
    series->count++;
    series->value += value;
  }
  g_mutex_unlock (&metric->registry->lock);
}

void
dub_metric_show (DubMetric *metric, const char *const *values)
{
  g_return_if_fail (metric != NULL && values_fit (metric, values));
  g_mutex_lock (&metric->registry->lock);
  get_series_locked (metric, values);
  g_mutex_unlock (&metric->registry->lock);
}

double
dub_metric_get (DubMetric *metric, const char *const *values)
{
  g_autofree char *labels = NULL;
  Series *series;
  double value = 0;

  g_return_val_if_fail (metric != NULL && values_fit (metric, values), 0);
  labels = format_labels (metric, values);
  g_mutex_lock (&metric->registry->lock);
  series = g_hash_table_lookup (metric->by_labels, labels);
  if (series != NULL)
    value = metric->type == METRIC_HISTOGRAM ? (double) series->count
                                             : series->value;
  g_mutex_unlock (&metric->registry->lock);
  return value;
}

static int
index_of (char **labels, const char *label)
{
  for (int i = 0; labels[i] != NULL; i++)
    if (g_str_equal (labels[i], label))
      return i;
  return -1;
}

static void
remove_locked (DubMetric *self, const char *label, const char *value)
{
  int at = index_of (self->labels, label);

  if (at < 0)
    return;
  for (guint i = self->series->len; i-- > 0;) {
    Series *series = g_ptr_array_index (self->series, i);

    if (!g_str_equal (series->values[at], value))
      continue;
    g_hash_table_remove (self->by_labels, series->labels);
    g_ptr_array_remove_index (self->series, i);
  }
}

void
dub_metrics_remove (DubMetrics *metrics, const char *label, const char *value)
{
  g_return_if_fail (metrics != NULL && label != NULL && value != NULL);
  g_mutex_lock (&metrics->lock);
  for (guint i = 0; i < metrics->families->len; i++)
    remove_locked (g_ptr_array_index (metrics->families, i), label, value);
  g_mutex_unlock (&metrics->lock);
}

static void
append_sample (GString *out, DubMetric *self, const char *suffix,
    const char *labels, double value)
{
  g_string_append (out, self->name);
  g_string_append (out, suffix);
  if (*labels != '\0')
    g_string_append_printf (out, "{%s}", labels);
  g_string_append_c (out, ' ');
  metric_append_number (out, value);
  g_string_append_c (out, '\n');
}

/* Buckets count all that is at or below their bound. */
static void
append_histogram (GString *out, DubMetric *self, const Series *series)
{
  guint64 below = 0;

  for (gsize i = 0; i <= self->n_bounds; i++) {
    GString *labels = g_string_new (series->labels);

    below += series->buckets[i];
    if (labels->len > 0)
      g_string_append_c (labels, ',');
    g_string_append (labels, "le=\"");
    metric_append_number (
        labels, i < self->n_bounds ? self->bounds[i] : INFINITY);
    g_string_append_c (labels, '"');
    append_sample (out, self, "_bucket", labels->str, (double) below);
    g_string_free (labels, TRUE);
  }
  append_sample (out, self, "_sum", series->labels, series->value);
  append_sample (out, self, "_count", series->labels, (double) series->count);
}

static void
append_head (GString *out, const char *name, const char *help, MetricType type)
{
  g_string_append_printf (out, "# HELP %s ", name);
  append_escaped (out, help, FALSE);
  g_string_append_printf (
      out, "\n# TYPE %s %s\n", name, metric_type_names[type]);
}

static void
append_family (GString *out, DubMetric *self)
{
  if (self->series->len == 0)
    return;
  append_head (out, self->name, self->help, self->type);
  for (guint i = 0; i < self->series->len; i++) {
    const Series *series = g_ptr_array_index (self->series, i);

    if (self->type == METRIC_HISTOGRAM)
      append_histogram (out, self, series);
    else
      append_sample (out, self, "", series->labels, series->value);
  }
}

char *
dub_metrics_to_text (DubMetrics *metrics)
{
  static const char dropped[] = "dub_metrics_dropped_series_total";
  GString *out = g_string_new (NULL);

  g_return_val_if_fail (metrics != NULL, g_string_free (out, FALSE));
  g_mutex_lock (&metrics->lock);
  for (guint i = 0; i < metrics->families->len; i++)
    append_family (out, g_ptr_array_index (metrics->families, i));
  if (metrics->n_dropped > 0) {
    append_head (out, dropped,
        "Samples that were lost as their family has too many series",
        METRIC_COUNTER);
    g_string_append_printf (
        out, "%s %" G_GUINT64_FORMAT "\n", dropped, metrics->n_dropped);
  }
  g_mutex_unlock (&metrics->lock);
  return g_string_free (out, FALSE);
}
