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
double dub_metric_get (DubMetric *metric, const char *const *values);

/* Removes every series whose label has that value (an ended stream). */
void dub_metrics_remove (
    DubMetrics *metrics, const char *label, const char *value);

/* (transfer full) */
char *dub_metrics_to_text (DubMetrics *metrics);

/*
 * One exposition out of several: families of the same name are put together
 * under one HELP and TYPE, as the format demands. Texts that do not parse are
 * left out. (transfer full)
 */
char *dub_metrics_merge (const char *const *texts);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubMetrics, dub_metrics_unref)

G_END_DECLS
