/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "dubbing_common/metrics.h"
#include "metrics_text.h"

/*
 * An exposition that was read: what the merge puts together and the aliases
 * repeat. Inside of the library only; one owner.
 */
G_BEGIN_DECLS

typedef struct {
  char *series; /* name and labels, as they came */
  double value;
} ExpositionSample;

typedef struct {
  char *name;
  char *help; /* escaped, as it came; (nullable) */
  MetricType type;
  GPtrArray *samples;
  GHashTable *by_series;
} ExpositionFamily;

typedef struct {
  GPtrArray *families;
  GHashTable *by_name;
} Exposition;

/* Made when it is not there. */
ExpositionFamily *exposition_get_family (
    Exposition *self, const char *name, gsize length);
/* A series that is there: counters and histograms add up, a gauge stays. */
void exposition_add_sample (
    ExpositionFamily *family, const char *series, double value);
/* Behind what is there; an alias of a family that is not makes nothing. */
void exposition_add_aliases (
    Exposition *self, const DubMetricAlias *aliases, gsize n_aliases);

G_END_DECLS
