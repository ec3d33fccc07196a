/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics_exposition.h"

#include <math.h>
#include <string.h>

/* One name="value" of a list of labels, which parsed before. */
typedef struct {
  const char *name, *value; /* the value escaped, as it came */
  gsize name_length, value_length;
} Label;

/* *p: behind the brace, or behind the label before. FALSE: there is no more. */
static gboolean
next_label (const char **p, Label *ret_label)
{
  const char *at = *p;

  if (*at == ',')
    at++;
  if (*at == '\0' || *at == '}')
    return FALSE;
  ret_label->name = at;
  ret_label->name_length = strcspn (at, "=");
  at += ret_label->name_length + strlen ("=\"");
  ret_label->value = at;
  while (*at != '"')
    at += *at == '\\' ? 2 : 1;
  ret_label->value_length = (gsize) (at - ret_label->value);
  *p = at + 1;
  return TRUE;
}

static gboolean
is_text (const char *text, const char *start, gsize length)
{
  return strlen (text) == length && strncmp (text, start, length) == 0;
}

static void
append_label (
    GString *out, const char *name, gsize length, const char *value, gsize n)
{
  if (out->str[out->len - 1] != '{')
    g_string_append_c (out, ',');
  g_string_append_len (out, name, (gssize) length);
  g_string_append (out, "=\"");
  g_string_append_len (out, value, (gssize) n);
  g_string_append_c (out, '"');
}

static double
scale_of (const DubMetricAlias *alias)
{
  return alias->scale == 0 ? 1 : alias->scale;
}

/* The bound of a bucket, in the unit of the alias. */
static void
append_bound (GString *out, const DubMetricAlias *alias, const Label *label)
{
  double bound = g_ascii_strtod (label->value, NULL);
  GString *text = g_string_new (NULL);

  metric_append_number (text, isinf (bound) ? bound : bound * scale_of (alias));
  append_label (out, "le", 2, text->str, text->len);
  g_string_free (text, TRUE);
}

/* With its braces. FALSE: a series that the alias leaves out. */
static gboolean
append_labels (GString *out, const DubMetricAlias *alias, const char *labels)
{
  gboolean is_wanted = alias->only_value == NULL;
  Label label;

  g_string_append_c (out, '{');
  while (next_label (&labels, &label)) {
    if (alias->drop_label != NULL &&
        is_text (alias->drop_label, label.name, label.name_length))
      is_wanted = is_wanted ||
                  is_text (alias->only_value, label.value, label.value_length);
    else if (is_text ("le", label.name, label.name_length))
      append_bound (out, alias, &label);
    else
      append_label (
          out, label.name, label.name_length, label.value, label.value_length);
  }
  if (alias->add_label != NULL)
    append_label (out, alias->add_label, strlen (alias->add_label),
        alias->add_value, strlen (alias->add_value));
  if (out->str[out->len - 1] == '{')
    g_string_truncate (out, out->len - 1);
  else
    g_string_append_c (out, '}');
  return is_wanted;
}

static void
add_alias_sample (ExpositionFamily *to, const DubMetricAlias *alias,
    const ExpositionFamily *from, const ExpositionSample *sample)
{
  gsize length = metric_name_length (sample->series);
  const char *labels = sample->series + length;
  g_autofree char *suffix = g_strndup (
      sample->series + strlen (from->name), length - strlen (from->name));
  g_autoptr (GString) series = g_string_new (alias->name);
  gboolean is_of_unit =
      from->type < METRIC_HISTOGRAM || g_str_equal (suffix, "_sum");

  if (alias->only_suffix != NULL && !g_str_equal (alias->only_suffix, suffix))
    return;
  if (alias->only_suffix == NULL)
    g_string_append (series, suffix);
  if (append_labels (series, alias, *labels == '{' ? labels + 1 : labels))
    exposition_add_sample (to, series->str,
        is_of_unit ? sample->value * scale_of (alias) : sample->value);
}

static MetricType
type_of (const DubMetricAlias *alias, const ExpositionFamily *from)
{
  if (alias->only_suffix == NULL)
    return from->type;
  /* What a histogram counts only rises; a bucket's name is that of no counter.
   */
  return g_str_has_suffix (alias->name, "_total") ? METRIC_COUNTER
                                                  : METRIC_UNTYPED;
}

static void
add_alias (Exposition *self, const DubMetricAlias *alias)
{
  const ExpositionFamily *from =
      g_hash_table_lookup (self->by_name, alias->from);
  ExpositionFamily *to;

  if (from == NULL || from->samples->len == 0)
    return;
  to = exposition_get_family (self, alias->name, strlen (alias->name));
  if (to->samples->len == 0) {
    to->type = type_of (alias, from);
    g_free (to->help);
    to->help = g_strdup (alias->help != NULL ? alias->help : from->help);
  }
  if (to->type != type_of (alias, from))
    return;
  for (guint i = 0; i < from->samples->len; i++)
    add_alias_sample (to, alias, from, g_ptr_array_index (from->samples, i));
}

void
exposition_add_aliases (
    Exposition *self, const DubMetricAlias *aliases, gsize n_aliases)
{
  for (gsize i = 0; i < n_aliases; i++)
    add_alias (self, &aliases[i]);
}
