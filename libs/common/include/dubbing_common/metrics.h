/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * A registry of Prometheus metrics and its text exposition, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/).
 *
 * A family is made once, with its label names; a series comes to be with the
 * first value for its label values and goes with dub_metrics_remove (). At
 * most DUB_METRICS_MAX_SERIES series a family: more are counted into
 * dub_metrics_dropped_series_total.
 *
 * Any thread.
 */
G_BEGIN_DECLS

#define DUB_METRICS_MAX_SERIES 4096
#define DUB_METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

typedef struct _DubMetrics DubMetrics;
typedef struct _DubMetric DubMetric; /* a family; owned by its registry */

DubMetrics *dub_metrics_new (void);
DubMetrics *dub_metrics_ref (DubMetrics *metrics);
void dub_metrics_unref (DubMetrics *metrics);

/* A label of every series, after its own. Before the first of them. */
void dub_metrics_set_common_label (
    DubMetrics *metrics, const char *label, const char *value);

/* labels: NULL-terminated names, or NULL for none. The same name again gives
 * the same family. A counter's name ends in _total. */
DubMetric *dub_metrics_counter (DubMetrics *metrics, const char *name,
    const char *help, const char *const *labels);
DubMetric *dub_metrics_gauge (DubMetrics *metrics, const char *name,
    const char *help, const char *const *labels);
/* bounds: upper bounds, ascending, without +Inf. */
DubMetric *dub_metrics_histogram (DubMetrics *metrics, const char *name,
    const char *help, const char *const *labels, const double *bounds,
    gsize n_bounds);

/* values: as many label values as the family has names (NULL for none). */
void dub_metric_add (
    DubMetric *metric, const char *const *values, double amount);
void dub_metric_set (
    DubMetric *metric, const char *const *values, double value);
void dub_metric_observe (
    DubMetric *metric, const char *const *values, double value);
/* Makes the series, of any kind, with 0: so that it is there, and its rate can
 * be asked for, before something happens. */
void dub_metric_show (DubMetric *metric, const char *const *values);
double dub_metric_get (DubMetric *metric, const char *const *values);

/* Removes every series whose label has that value (an ended stream). */
void dub_metrics_remove (
    DubMetrics *metrics, const char *label, const char *value);

/* Brings the usual figures of this process up to now:
 * process_cpu_seconds_total, _resident_memory_bytes, _virtual_memory_bytes,
 * _start_time_seconds, _open_fds, _max_fds. Call it before a text is made. */
void dub_metrics_set_process (DubMetrics *metrics);

/* (transfer full) */
char *dub_metrics_to_text (DubMetrics *metrics);

/*
 * One exposition out of several: families of the same name are put together
 * under one HELP and TYPE, as the format demands. Texts that do not parse are
 * left out. (transfer full)
 */
char *dub_metrics_merge (const char *const *texts);

/*
 * A second name for what a family says. It is made when a text is made, so it
 * costs nothing until somebody asks. Rows of one name make one family.
 */
typedef struct {
  const char *name;       /* of the alias */
  const char *from;       /* the family that it repeats */
  const char *help;       /* escaped; NULL: that of from */
  double scale;           /* of values, of a histogram its bounds and sum;
                           * 0 is 1 */
  const char *drop_label; /* (nullable) counters add up over it */
  const char *only_value; /* (nullable) of drop_label: other series are left
                           * out */
  const char *add_label, *add_value; /* (nullable) */
  const char *only_suffix; /* of a histogram ("_bucket", "_count"): these
                            * samples alone, as a family without a kind, or as
                            * a counter where the name ends in _total */
} DubMetricAlias;

/* The same with aliases behind it. Those of families that are not there make
 * nothing. (transfer full) */
char *dub_metrics_merge_aliased (
    const char *const *texts, const DubMetricAlias *aliases, gsize n_aliases);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubMetrics, dub_metrics_unref)

G_END_DECLS
