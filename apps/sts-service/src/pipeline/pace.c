/* SPDX-License-Identifier: Apache-2.0 */
#include "pace.h"

#define LEARN 0.2
#define MIN_CHARS 20

struct _DubPace {
  GHashTable *ms_per_char; /* "es default" -> double * */
};

DubPace *
dub_pace_new (void)
{
  DubPace *self = g_new0 (DubPace, 1);

  self->ms_per_char =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return self;
}

void
dub_pace_free (DubPace *self)
{
  if (self == NULL)
    return;
  g_hash_table_unref (self->ms_per_char);
  g_free (self);
}

static char *
key_of (const char *language, const char *voice)
{
  return g_strdup_printf ("%s %s", language, voice != NULL ? voice : "");
}

void
dub_pace_learn (DubPace *self, const char *language, const char *voice,
    const char *text, double ms)
{
  glong chars = g_utf8_strlen (text, -1);
  g_autofree char *key = key_of (language, voice);
  double *known = g_hash_table_lookup (self->ms_per_char, key);
  double seen = ms / MAX (chars, 1);

  if (chars < MIN_CHARS || seen <= 0)
    return;
  if (known != NULL) {
    *known += LEARN * (seen - *known);
    return;
  }
  if (g_hash_table_size (self->ms_per_char) >= DUB_PACE_MAX)
    g_hash_table_remove_all (self->ms_per_char);
  g_hash_table_insert (self->ms_per_char, g_steal_pointer (&key),
      g_memdup2 (&seen, sizeof seen));
}

double
dub_pace_expect (const DubPace *self, const char *language, const char *voice,
    const char *text)
{
  glong chars = g_utf8_strlen (text, -1);
  g_autofree char *key = key_of (language, voice);
  const double *known = g_hash_table_lookup (self->ms_per_char, key);

  return known != NULL && chars >= MIN_CHARS ? chars * *known : 0;
}
