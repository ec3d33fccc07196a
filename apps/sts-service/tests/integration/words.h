/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Is what was heard what was said? For tests that judge speech by ear.
 */

static inline char **
words_of (const char *text)
{
  g_autofree char *lower = g_utf8_strdown (text, -1);

  for (char *p = lower; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && (guchar) *p < 128)
      *p = ' ';
  return g_strsplit_set (g_strstrip (lower), " ", -1);
}

/* How many of the words of said are in heard. */
static inline double
words_shared (const char *said, const char *heard)
{
  g_auto (GStrv) a = words_of (said);
  g_auto (GStrv) b = words_of (heard);
  guint all = 0, shared = 0;

  for (guint i = 0; a[i] != NULL; i++) {
    if (*a[i] == '\0')
      continue;
    all++;
    shared += g_strv_contains ((const char *const *) b, a[i]);
  }
  return all > 0 ? shared / (double) all : 0;
}
