/* SPDX-License-Identifier: Apache-2.0 */
#include "dubbing_common/metrics.h"
#include "metrics_exposition.h"

#include <string.h>

/*
 * Reads expositions and writes one. A text is read whole before any of it is
 * taken over, so that a broken one leaves nothing behind. Where two texts
 * hold the same series (two workers that both count something without a
 * label), Prometheus would refuse the lot: counters and histograms are added
 * up, of gauges the first stays.
 */

static void
sample_free (gpointer data)
{
  ExpositionSample *self = data;

  g_free (self->series);
  g_free (self);
}

static void
family_free (gpointer data)
{
  ExpositionFamily *self = data;

  g_hash_table_unref (self->by_series);
  g_ptr_array_unref (self->samples);
  g_free (self->name);
  g_free (self->help);
  g_free (self);
}

static Exposition *
exposition_new (void)
{
  Exposition *self = g_new0 (Exposition, 1);

  self->families = g_ptr_array_new_with_free_func (family_free);
  self->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  return self;
}

static void
exposition_free (Exposition *self)
{
  g_hash_table_unref (self->by_name);
  g_ptr_array_unref (self->families);
  g_free (self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Exposition, exposition_free)

ExpositionFamily *
exposition_get_family (Exposition *self, const char *name, gsize length)
{
  g_autofree char *key = g_strndup (name, length);
  ExpositionFamily *family = g_hash_table_lookup (self->by_name, key);

  if (family != NULL)
    return family;
  family = g_new0 (ExpositionFamily, 1);
  family->name = g_steal_pointer (&key);
  family->samples = g_ptr_array_new_with_free_func (sample_free);
  family->by_series = g_hash_table_new (g_str_hash, g_str_equal);
  g_ptr_array_add (self->families, family);
  g_hash_table_insert (self->by_name, family->name, family);
  return family;
}

static const char *const suffixes[] = {"_bucket", "_sum", "_count"};

/* "x_bucket", "x_sum" and "x_count" belong to "x" when x is a histogram. */
static ExpositionFamily *
family_of_sample (Exposition *self, const char *name, gsize length)
{
  for (gsize i = 0; i < G_N_ELEMENTS (suffixes); i++) {
    gsize n = strlen (suffixes[i]);
    g_autofree char *base = NULL;
    ExpositionFamily *family;

    if (length <= n || strncmp (name + length - n, suffixes[i], n) != 0)
      continue;
    base = g_strndup (name, length - n);
    family = g_hash_table_lookup (self->by_name, base);
    if (family != NULL && family->type >= METRIC_HISTOGRAM)
      return family;
  }
  return exposition_get_family (self, name, length);
}

static const char *
skip_blanks (const char *p)
{
  while (*p == ' ' || *p == '\t')
    p++;
  return p;
}

/* After {a="x",b="y"}; NULL: not well formed. */
static const char *
skip_labels (const char *p)
{
  if (*p != '{')
    return p;
  p++;
  while (*p != '}') {
    p += metric_name_length (p);
    if (p[0] != '=' || p[1] != '"')
      return NULL;
    for (p += 2; *p != '"'; p++) {
      if (*p == '\\' && p[1] != '\0')
        p++;
      if (*p == '\0')
        return NULL;
    }
    p++;
    if (*p == ',')
      p++;
    else if (*p != '}')
      return NULL;
  }
  return p + 1;
}

static gboolean
parse_number (const char *text, double *ret_value)
{
  char *end = NULL;

  *ret_value = g_ascii_strtod (text, &end);
  if (end == text)
    return FALSE;
  /* A timestamp may follow; ours have none, and a merged one has no use. */
  end = (char *) skip_blanks (end);
  return end[strspn (end, "-0123456789")] == '\0';
}

void
exposition_add_sample (
    ExpositionFamily *family, const char *series, double value)
{
  ExpositionSample *sample = g_hash_table_lookup (family->by_series, series);

  if (sample != NULL) {
    if (family->type == METRIC_COUNTER || family->type == METRIC_HISTOGRAM)
      sample->value += value;
    return;
  }
  sample = g_new0 (ExpositionSample, 1);
  sample->series = g_strdup (series);
  sample->value = value;
  g_ptr_array_add (family->samples, sample);
  g_hash_table_insert (family->by_series, sample->series, sample);
}

static gboolean
parse_sample (Exposition *self, const char *line)
{
  gsize length = metric_name_length (line);
  const char *end = length > 0 ? skip_labels (line + length) : NULL;
  g_autofree char *series = NULL;
  double value;

  if (end == NULL || (*end != ' ' && *end != '\t') ||
      !parse_number (skip_blanks (end), &value))
    return FALSE;
  series = g_strndup (line, end - line);
  exposition_add_sample (family_of_sample (self, line, length), series, value);
  return TRUE;
}

/* The format wants the type before the first sample; else the samples of a
 * histogram would have been taken for families of their own. */
static gboolean
has_samples (Exposition *self, const ExpositionFamily *family, MetricType type)
{
  if (family->samples->len > 0)
    return TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS (suffixes); i++) {
    g_autofree char *name = g_strconcat (family->name, suffixes[i], NULL);
    const ExpositionFamily *other = g_hash_table_lookup (self->by_name, name);

    if (type >= METRIC_HISTOGRAM && other != NULL && other->samples->len > 0)
      return TRUE;
  }
  return FALSE;
}

static gboolean
parse_type (Exposition *self, ExpositionFamily *family, const char *text)
{
  for (gsize i = 0; i < G_N_ELEMENTS (metric_type_names); i++) {
    if (!g_str_equal (text, metric_type_names[i]))
      continue;
    family->type = (MetricType) i;
    return !has_samples (self, family, family->type);
  }
  return FALSE;
}

/* "# HELP name text" and "# TYPE name type"; any other comment is skipped. */
static gboolean
parse_comment (Exposition *self, const char *line)
{
  gboolean is_help = g_str_has_prefix (line, "# HELP ");
  const char *name = line + strlen ("# HELP ");
  gsize length;
  ExpositionFamily *family;

  if (!is_help && !g_str_has_prefix (line, "# TYPE "))
    return TRUE;
  length = metric_name_length (name);
  if (length == 0 || name[length] != ' ')
    return FALSE;
  family = exposition_get_family (self, name, length);
  if (!is_help)
    return parse_type (self, family, name + length + 1);
  if (family->help == NULL)
    family->help = g_strdup (name + length + 1);
  return TRUE;
}

static Exposition *
exposition_parse (const char *text)
{
  g_autoptr (Exposition) self = exposition_new ();
  g_auto (GStrv) lines = NULL;

  if (!g_utf8_validate (text, -1, NULL))
    return NULL;
  lines = g_strsplit (text, "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++) {
    const char *line = skip_blanks (lines[i]);
    gboolean is_ok =
        *line == '\0' ||
        (*line == '#' ? parse_comment (self, line) : parse_sample (self, line));

    if (!is_ok)
      return NULL;
  }
  return g_steal_pointer (&self);
}

/* A family whose type differs from the one that came first is left out. */
static void
exposition_add (Exposition *self, const Exposition *other)
{
  for (guint i = 0; i < other->families->len; i++) {
    const ExpositionFamily *from = g_ptr_array_index (other->families, i);
    ExpositionFamily *to =
        exposition_get_family (self, from->name, strlen (from->name));

    if (to->samples->len == 0) {
      to->type = from->type;
      if (to->help == NULL)
        to->help = g_strdup (from->help);
    }
    if (to->type != from->type)
      continue;
    for (guint j = 0; j < from->samples->len; j++) {
      const ExpositionSample *sample = g_ptr_array_index (from->samples, j);

      exposition_add_sample (to, sample->series, sample->value);
    }
  }
}

static void
append_family (GString *out, const ExpositionFamily *family)
{
  if (family->samples->len == 0)
    return;
  if (family->help != NULL)
    g_string_append_printf (out, "# HELP %s %s\n", family->name, family->help);
  g_string_append_printf (
      out, "# TYPE %s %s\n", family->name, metric_type_names[family->type]);
  for (guint i = 0; i < family->samples->len; i++) {
    const ExpositionSample *sample = g_ptr_array_index (family->samples, i);

    g_string_append (out, sample->series);
    g_string_append_c (out, ' ');
    metric_append_number (out, sample->value);
    g_string_append_c (out, '\n');
  }
}

char *
dub_metrics_merge (const char *const *texts)
{
  return dub_metrics_merge_aliased (texts, NULL, 0);
}

char *
dub_metrics_merge_aliased (
    const char *const *texts, const DubMetricAlias *aliases, gsize n_aliases)
{
  g_autoptr (Exposition) all = exposition_new ();
  GString *out = g_string_new (NULL);

  for (gsize i = 0; texts != NULL && texts[i] != NULL; i++) {
    g_autoptr (Exposition) one = exposition_parse (texts[i]);

    if (one != NULL)
      exposition_add (all, one);
  }
  exposition_add_aliases (all, aliases, n_aliases);
  for (guint i = 0; i < all->families->len; i++)
    append_family (out, g_ptr_array_index (all->families, i));
  return g_string_free (out, FALSE);
}
