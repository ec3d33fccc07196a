/* SPDX-License-Identifier: Apache-2.0 */
#include "figures.h"

#include <math.h>
#include <string.h>

#define PREFIX "media_service_worker_"

typedef struct {
  const char *name;   /* in the API */
  const char *metric; /* behind the prefix; NULL: made here */
  gboolean is_counter;
} Figure;

static const Figure figures[DUB_N_FIGURES] = {
    {"output_delay_ms", "output_delay_ms"},
    {"coverage", "dub_coverage_ratio"},
    {"av_sync_ms", "av_sync_delta_ms"},
    {"sts_rtt_ms", NULL},
    {"breaker", "circuit_breaker_state"},
    {"inflight", "sts_inflight_fragments"},
    {"fragments_sent", "sts_fragments_sent_total", TRUE},
    {"fallbacks", "fallback_total", TRUE},
    {"video_frames_in", "video_frames_in_total", TRUE},
    {"video_frames_out", "video_frames_out_total", TRUE},
};

void
dub_figures_init (DubFigures *self)
{
  *self = (DubFigures){0};
  for (guint i = 0; i < DUB_N_FIGURES; i++)
    self->values[i] = NAN;
}

/* --- the exposition --- */

typedef struct {
  double values[DUB_N_FIGURES];
  double rtt_sum_s, rtt_count;
} Found;

static void
take_figure (Found *found, const char *name, gsize length, double value)
{
  for (guint i = 0; i < DUB_N_FIGURES; i++) {
    const Figure *figure = &figures[i];

    if (figure->metric == NULL || strlen (figure->metric) != length ||
        strncmp (figure->metric, name, length) != 0)
      continue;
    if (isnan (found->values[i]))
      found->values[i] = value;
    else if (figure->is_counter)
      found->values[i] += value;
  }
}

static gboolean
is_named (const char *name, gsize length, const char *wanted)
{
  return strlen (wanted) == length && strncmp (name, wanted, length) == 0;
}

/* name{labels} value */
static void
take_line (Found *found, const char *line)
{
  const char *name = line + strlen (PREFIX);
  gsize length = strcspn (name, "{ \n");
  const char *end = strchr (name, '\n');
  const char *space;
  double value;

  space =
      end != NULL ? g_strrstr_len (name, end - name, " ") : strrchr (name, ' ');
  if (space == NULL)
    return;
  value = g_ascii_strtod (space + 1, NULL);
  if (is_named (name, length, "sts_processing_latency_seconds_sum"))
    found->rtt_sum_s += value;
  else if (is_named (name, length, "sts_processing_latency_seconds_count"))
    found->rtt_count += value;
  else
    take_figure (found, name, length, value);
}

static double
new_rtt_ms (const DubFigures *self, const Found *found)
{
  double count = found->rtt_count - self->rtt_count;
  double sum_s = found->rtt_sum_s - self->rtt_sum_s;

  if (count < 0) { /* another worker, which counts from its start */
    count = found->rtt_count;
    sum_s = found->rtt_sum_s;
  }
  return count > 0 ? sum_s * 1000 / count : self->values[DUB_FIGURE_STS_RTT_MS];
}

void
dub_figures_update (DubFigures *self, const char *text)
{
  Found found = {.rtt_sum_s = 0};
  const char *line = text;

  for (guint i = 0; i < DUB_N_FIGURES; i++)
    found.values[i] = NAN;
  while (line != NULL && *line != '\0') {
    if (g_str_has_prefix (line, PREFIX))
      take_line (&found, line);
    line = strchr (line, '\n');
    line = line != NULL ? line + 1 : NULL;
  }
  found.values[DUB_FIGURE_STS_RTT_MS] = new_rtt_ms (self, &found);
  memcpy (self->values, found.values, sizeof self->values);
  self->rtt_sum_s = found.rtt_sum_s;
  self->rtt_count = found.rtt_count;
}

/* --- JSON --- */

static JsonNode *
number_node (double value, gboolean is_int)
{
  JsonNode *node;

  if (!isfinite (value))
    return json_node_new (JSON_NODE_NULL);
  node = json_node_new (JSON_NODE_VALUE);
  if (is_int)
    json_node_set_int (node, (gint64) value);
  else
    json_node_set_double (node, round (value * 1000) / 1000);
  return node;
}

JsonObject *
dub_figures_to_json (const DubFigures *self)
{
  static const char *const breakers[] = {"closed", "half-open", "open"};
  JsonObject *object = json_object_new ();
  double breaker = self->values[DUB_FIGURE_BREAKER];

  for (guint i = 0; i < DUB_N_FIGURES; i++)
    if (i != DUB_FIGURE_BREAKER)
      json_object_set_member (object, figures[i].name,
          number_node (self->values[i],
              figures[i].is_counter || i == DUB_FIGURE_INFLIGHT));
  if (breaker >= 0 && breaker < G_N_ELEMENTS (breakers))
    json_object_set_string_member (
        object, "breaker", breakers[(gsize) breaker]);
  else
    json_object_set_null_member (object, "breaker");
  return object;
}

/* --- history --- */

typedef struct {
  const char *name;
  DubFigure figure;
} SeriesName;

static const SeriesName series[] = {
    {"delay_ms", DUB_FIGURE_OUTPUT_DELAY_MS},
    {"coverage", DUB_FIGURE_COVERAGE},
    {"av_sync_ms", DUB_FIGURE_AV_SYNC_MS},
    {"sts_rtt_ms", DUB_FIGURE_STS_RTT_MS},
    {"inflight", DUB_FIGURE_INFLIGHT},
    {"breaker", DUB_FIGURE_BREAKER},
};

struct _DubHistory {
  float values[DUB_HISTORY_STEPS][G_N_ELEMENTS (series)]; /* a ring */
  guint first, n;
  gint64 last_s; /* of the newest */
};

DubHistory *
dub_history_new (void)
{
  return g_new0 (DubHistory, 1);
}

void
dub_history_free (DubHistory *self)
{
  g_free (self);
}

void
dub_history_add (DubHistory *self, gint64 unix_s, const DubFigures *now)
{
  guint at = (self->first + self->n) % DUB_HISTORY_STEPS;

  for (guint i = 0; i < G_N_ELEMENTS (series); i++)
    self->values[at][i] =
        now != NULL ? (float) now->values[series[i].figure] : NAN;
  if (self->n < DUB_HISTORY_STEPS)
    self->n++;
  else
    self->first = (self->first + 1) % DUB_HISTORY_STEPS;
  self->last_s = unix_s;
}

JsonObject *
dub_history_to_json (DubHistory *self)
{
  JsonObject *object = json_object_new ();
  JsonObject *all = json_object_new ();

  for (guint i = 0; i < G_N_ELEMENTS (series); i++) {
    JsonArray *array = json_array_new ();

    for (guint k = 0; k < self->n; k++)
      json_array_add_element (array,
          number_node (
              self->values[(self->first + k) % DUB_HISTORY_STEPS][i], FALSE));
    json_object_set_array_member (all, series[i].name, array);
  }
  json_object_set_int_member (object, "step_s", DUB_HISTORY_STEP_S);
  json_object_set_int_member (object, "from",
      self->n > 0 ? self->last_s - (gint64) (self->n - 1) * DUB_HISTORY_STEP_S
                  : self->last_s);
  json_object_set_object_member (object, "series", all);
  return object;
}
