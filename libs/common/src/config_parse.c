/* SPDX-License-Identifier: Apache-2.0 */
#include "config_parse.h"
#include "dubbing_common/error.h"
#include "dubbing_common/log.h"

#include <math.h>
#include <string.h>

/* Longer values are no settings; shown in messages they would bury them. */
#define MAX_VALUE_BYTES 65536
#define MAX_SHOWN_BYTES 80

static gpointer
field_of (const DubOption *option, gpointer settings)
{
  return G_STRUCT_MEMBER_P (settings, option->offset);
}

static gboolean
is_bounded (const DubOption *option)
{
  return option->min != 0 || option->max != 0;
}

/* "a, b or c" */
static char *
join_choices (const char *const *choices)
{
  GString *out = g_string_new (NULL);

  for (gsize i = 0; choices[i] != NULL; i++) {
    if (i > 0)
      g_string_append (out, choices[i + 1] == NULL ? " or " : ", ");
    g_string_append (out, choices[i]);
  }
  return g_string_free (out, FALSE);
}

/* "5m", "10s", "100ms": as it may be written. (transfer full) */
static char *
duration_text (double ms)
{
  if (ms >= 60000 && fmod (ms, 60000) == 0)
    return g_strdup_printf ("%.0fm", ms / 60000);
  if (fmod (ms, 1000) == 0)
    return g_strdup_printf ("%.0fs", ms / 1000);
  return g_strdup_printf ("%.0fms", ms);
}

static char *
duration_range (const DubOption *option)
{
  g_autofree char *least = duration_text (option->min);
  g_autofree char *most = duration_text (option->max);

  return is_bounded (option) ? g_strdup_printf ("%s to %s", least, most) : NULL;
}

static char *
number_range (const DubOption *option)
{
  const char *unit = option->unit;

  if (!is_bounded (option))
    return unit != NULL ? g_strdup (unit) : NULL;
  return g_strdup_printf ("%.15g to %.15g%s%s", option->min, option->max,
      unit != NULL ? " " : "", unit != NULL ? unit : "");
}

char *
dub_option_range (const DubOption *option)
{
  switch (option->type) {
    case DUB_OPTION_INT:
    case DUB_OPTION_DOUBLE:
      return number_range (option);
    case DUB_OPTION_DURATION:
      return duration_range (option);
    case DUB_OPTION_BOOL:
      return g_strdup ("true or false");
    case DUB_OPTION_CHOICE:
    case DUB_OPTION_URL:
      return option->choices != NULL ? join_choices (option->choices) : NULL;
    case DUB_OPTION_STRING:
    case DUB_OPTION_SECRET:
      if (option->max <= 0)
        return NULL;
      return g_strdup_printf (
          "%.0f to %.0f characters", option->min, option->max);
    case DUB_OPTION_NONE:
      break;
  }
  return NULL;
}

/* A value as a message may show it. */
static char *
shown_value (const DubOption *option, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_autofree char *safe = option->type == DUB_OPTION_URL
                              ? dub_redact_url (valid)
                              : g_strdup (valid);

  if (option->type == DUB_OPTION_SECRET)
    return g_strdup ("(secret)");
  if (strlen (safe) > MAX_SHOWN_BYTES) {
    *g_utf8_find_prev_char (safe, safe + MAX_SHOWN_BYTES) = '\0';
    return g_strdup_printf ("\"%s...\"", safe);
  }
  return g_strdup_printf ("\"%s\"", safe);
}

static gboolean
fail (const DubOption *option, const char *where, const char *text,
    const char *what, GError **error)
{
  g_autofree char *range = dub_option_range (option);
  g_autofree char *shown = shown_value (option, text);

  g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID, "%s: %s %s%s%s%s", where,
      shown, what, range != NULL ? " (allowed: " : "",
      range != NULL ? range : "", range != NULL ? ")" : "");
  return FALSE;
}

static gboolean
parse_int (const char *text, gint64 *ret_value)
{
  return g_ascii_string_to_signed (
      text, 10, G_MININT64, G_MAXINT64, ret_value, NULL);
}

/* Decimal only: no "nan", no "0x1p3", no white space. */
static gboolean
parse_double (const char *text, double *ret_value)
{
  char *end = NULL;
  double value;

  if (text[strspn (text, "+-.0123456789eE")] != '\0')
    return FALSE;
  value = g_ascii_strtod (text, &end);
  if (end == text || *end != '\0' || !isfinite (value))
    return FALSE;
  *ret_value = value;
  return TRUE;
}

static gboolean
parse_bool (const char *text, gboolean *ret_value)
{
  static const char *const words[] = {
      "false", "true", "no", "yes", "off", "on", "0", "1"};

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++) {
    if (!g_ascii_strcasecmp (text, words[i])) {
      *ret_value = i % 2;
      return TRUE;
    }
  }
  return FALSE;
}

static double
unit_to_ms (const char *unit, gsize length)
{
  static const struct {
    const char *name;
    double ms;
  } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};

  for (gsize i = 0; i < G_N_ELEMENTS (units); i++)
    if (strlen (units[i].name) == length &&
        !strncmp (units[i].name, unit, length))
      return units[i].ms;
  return 0;
}

/* One "1.5h" of "1.5h30m": FALSE when there is none at p. */
static gboolean
parse_duration_part (const char **p, double *ms)
{
  gsize n_digits = strspn (*p, "0123456789.");
  const char *unit = *p + n_digits;
  gsize n_unit = strspn (unit, "hms");
  g_autofree char *digits = g_strndup (*p, n_digits);
  double value;

  if (!parse_double (digits, &value) || unit_to_ms (unit, n_unit) == 0)
    return FALSE;
  *ms += value * unit_to_ms (unit, n_unit);
  *p = unit + n_unit;
  return TRUE;
}

gboolean
dub_option_parse_duration (const char *text, gint64 *ret_ms)
{
  const char *p = text;
  double ms = 0;

  if (*text != '\0' && text[strspn (text, "0123456789.")] == '\0') {
    if (!parse_double (text, &ms))
      return FALSE;
    ms *= 1000;
  } else {
    do {
      if (!parse_duration_part (&p, &ms))
        return FALSE;
    } while (*p != '\0');
  }
  if (ms > 1e15)
    return FALSE;
  *ret_ms = (gint64) (ms + 0.5);
  return TRUE;
}

static gboolean
is_outside (const DubOption *option, double value)
{
  return is_bounded (option) && (value < option->min || value > option->max);
}

static gboolean
store_number (const DubOption *option, gpointer settings, const char *where,
    const char *text, GError **error)
{
  gint64 integer = 0;
  double value = 0;
  gboolean is_ok;

  if (option->type == DUB_OPTION_DOUBLE)
    is_ok = parse_double (text, &value);
  else if (option->type == DUB_OPTION_INT)
    is_ok = parse_int (text, &integer);
  else
    is_ok = dub_option_parse_duration (text, &integer);
  if (!is_ok)
    return fail (option, where, text,
        option->type == DUB_OPTION_DOUBLE ? "is not a number"
        : option->type == DUB_OPTION_INT  ? "is not a whole number"
                                          : "is not a duration like 30s",
        error);
  if (option->type != DUB_OPTION_DOUBLE)
    value = (double) integer;
  if (is_outside (option, value))
    return fail (option, where, text, "is out of range", error);
  if (option->type == DUB_OPTION_DOUBLE)
    *(double *) field_of (option, settings) = value;
  else
    *(gint64 *) field_of (option, settings) = integer;
  return TRUE;
}

static gboolean
store_choice (const DubOption *option, gpointer settings, const char *where,
    const char *text, GError **error)
{
  for (int i = 0; option->choices[i] != NULL; i++) {
    if (!g_ascii_strcasecmp (option->choices[i], text)) {
      *(int *) field_of (option, settings) = i;
      return TRUE;
    }
  }
  return fail (option, where, text, "is not one of the choices", error);
}

static gboolean
has_known_scheme (const DubOption *option, const char *text)
{
  const char *end = strstr (text, "://");

  if (end == NULL || end == text || end[3] == '\0')
    return FALSE;
  if (option->choices == NULL)
    return TRUE;
  for (gsize i = 0; option->choices[i] != NULL; i++)
    if (strlen (option->choices[i]) == (gsize) (end - text) &&
        !g_ascii_strncasecmp (option->choices[i], text, (gsize) (end - text)))
      return TRUE;
  return FALSE;
}

static gboolean
store_text (const DubOption *option, gpointer settings, const char *where,
    const char *text, GError **error)
{
  char **field = field_of (option, settings);

  if (!g_utf8_validate (text, -1, NULL))
    return fail (option, where, text, "is not valid UTF-8", error);
  if (option->type == DUB_OPTION_URL && !has_known_scheme (option, text))
    return fail (option, where, text, "is not a URL of a known scheme", error);
  if (option->type != DUB_OPTION_URL && option->max > 0 &&
      is_outside (option, (double) g_utf8_strlen (text, -1)))
    return fail (option, where, text, "has the wrong length", error);
  g_free (*field);
  *field = g_strdup (text);
  return TRUE;
}

static void
store_zero (const DubOption *option, gpointer settings)
{
  switch (option->type) {
    case DUB_OPTION_INT:
    case DUB_OPTION_DURATION:
      *(gint64 *) field_of (option, settings) = 0;
      break;
    case DUB_OPTION_DOUBLE:
      *(double *) field_of (option, settings) = 0;
      break;
    case DUB_OPTION_BOOL:
    case DUB_OPTION_CHOICE:
      *(int *) field_of (option, settings) = 0;
      break;
    case DUB_OPTION_STRING:
    case DUB_OPTION_URL:
    case DUB_OPTION_SECRET:
      g_clear_pointer ((char **) field_of (option, settings), g_free);
      break;
    case DUB_OPTION_NONE:
      break;
  }
}

void
dub_option_clear (const DubOption *option, gpointer settings)
{
  store_zero (option, settings);
}

gboolean
dub_option_store (const DubOption *option, gpointer settings, const char *where,
    const char *text, GError **error)
{
  if (text == NULL) {
    store_zero (option, settings);
    return TRUE;
  }
  if (strlen (text) > MAX_VALUE_BYTES)
    return fail (option, where, text, "is too long", error);
  switch (option->type) {
    case DUB_OPTION_INT:
    case DUB_OPTION_DOUBLE:
    case DUB_OPTION_DURATION:
      return store_number (option, settings, where, text, error);
    case DUB_OPTION_BOOL:
      return parse_bool (text, field_of (option, settings)) ||
             fail (option, where, text, "is not a yes or no", error);
    case DUB_OPTION_CHOICE:
      return store_choice (option, settings, where, text, error);
    case DUB_OPTION_STRING:
    case DUB_OPTION_URL:
    case DUB_OPTION_SECRET:
      return store_text (option, settings, where, text, error);
    case DUB_OPTION_NONE:
      break;
  }
  g_return_val_if_reached (FALSE);
}

/* In the largest unit that leaves it whole. */
static char *
show_duration (gint64 ms)
{
  if (ms % 1000 != 0)
    return g_strdup_printf ("%" G_GINT64_FORMAT "ms", ms);
  return g_strdup_printf ("%" G_GINT64_FORMAT "s", ms / 1000);
}

static char *
show_text (const DubOption *option, const char *text)
{
  if (text == NULL)
    return g_strdup ("");
  if (option->type == DUB_OPTION_SECRET)
    return g_strdup ("***");
  if (option->type == DUB_OPTION_URL)
    return dub_redact_url (text);
  for (const char *p = text; *p != '\0'; p++)
    if ((guchar) *p < 0x20)
      return g_strescape (text, NULL);
  return g_strdup (text);
}

char *
dub_option_show (const DubOption *option, gconstpointer settings)
{
  gconstpointer field = field_of (option, (gpointer) settings);

  switch (option->type) {
    case DUB_OPTION_INT:
      return g_strdup_printf ("%" G_GINT64_FORMAT, *(const gint64 *) field);
    case DUB_OPTION_DURATION:
      return show_duration (*(const gint64 *) field);
    case DUB_OPTION_DOUBLE:
      return g_strdup_printf ("%.15g", *(const double *) field);
    case DUB_OPTION_BOOL:
      return g_strdup (*(const gboolean *) field ? "true" : "false");
    case DUB_OPTION_CHOICE:
      return g_strdup (option->choices[*(const int *) field]);
    default:
      return show_text (option, *(char *const *) field);
  }
}
