/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * What speakable.c knows of each language, as tables. A language is added by
 * a row in each and one in dub_spoken_language ().
 */
G_BEGIN_DECLS

/* Case counts: "MD" and "md" are not the same. */
typedef struct {
  const char *written; /* NULL: the end */
  const char *spoken;
} DubSpokenWord;

typedef struct {
  const char *written; /* NULL: the end */
  const char *one;
  const char *many;
  gboolean is_before; /* stands before its number: "$" */
} DubSpokenUnit;

typedef struct {
  const char *language;       /* "en" */
  const DubSpokenWord *words; /* (nullable) */
  const DubSpokenUnit *units; /* (nullable) */
  const char *score;          /* between the two of "3-2" (nullable) */
  const char *range;          /* between two years (nullable) */
} DubSpokenLanguage;

/* Never NULL: for a language that is not known one without rules. */
const DubSpokenLanguage *dub_spoken_language (const char *tag);

G_END_DECLS
