/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "dubbing_common/metrics.h"

/*
 * The words of the text exposition, used by the registry and by the merge.
 * Inside of the library only.
 */
G_BEGIN_DECLS

typedef enum {
  METRIC_UNTYPED = 0,
  METRIC_COUNTER,
  METRIC_GAUGE,
  METRIC_HISTOGRAM,
  METRIC_SUMMARY, /* only read, never made here */
} MetricType;

static const char *const metric_type_names[] = {
    "untyped", "counter", "gauge", "histogram", "summary"};

static inline gboolean
metric_name_char_is_valid (char c, gboolean is_first)
{
  return g_ascii_isalpha (c) || c == '_' || c == ':' ||
         (!is_first && g_ascii_isdigit (c));
}

/* The length of the name at p, 0 when there is none. */
static inline gsize
metric_name_length (const char *p)
{
  gsize n = 0;

  while (metric_name_char_is_valid (p[n], n == 0))
    n++;
  return n;
}

/* The shortest decimal that reads back as the same number. */
static inline void
metric_append_number (GString *out, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  if (value != value) {
    g_string_append (out, "NaN");
    return;
  }
  if (value - value != 0) {
    g_string_append (out, value > 0 ? "+Inf" : "-Inf");
    return;
  }
  for (int digits = 15; digits <= 17; digits++) {
    g_autofree char *format = g_strdup_printf ("%%.%dg", digits);

    g_ascii_formatd (text, sizeof text, format, value);
    if (g_ascii_strtod (text, NULL) == value)
      break;
  }
  g_string_append (out, text);
}

G_END_DECLS
