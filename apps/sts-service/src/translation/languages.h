/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * What translators must know of languages: their tags in each engine's
 * spelling, their scripts, and how much of them is spoken in a second.
 *
 * A tag is a language with what may follow it ("pt-BR", "zh-Hant-TW",
 * "en_US", "spa"); case and the separator do not matter. Pure functions; any
 * thread.
 */
G_BEGIN_DECLS

typedef struct {
  char language[4]; /* "pt": two letters where there are two */
  char script[5];   /* "Hant", or "" */
  char region[4];   /* "BR", "419", or "" */
} DubLanguageTag;

/* FALSE: not a tag. */
gboolean dub_language_parse (const char *text, DubLanguageTag *ret_tag);

/* "pt-BR" and "pt" are one language to us. */
gboolean dub_language_equal (const char *a, const char *b);

/* "es" → "spa", "Spanish"; NULL for what we have no row for. */
const char *dub_language_iso3 (const char *tag);
const char *dub_language_name (const char *tag);

/* How many letters of it a calm speaker says in a second: what fits a slot. */
double dub_language_chars_per_s (const char *tag);

/* Whether text is written as the language is, but for names in Latin letters.
 * Unknown languages fit everything. */
gboolean dub_language_fits_script (const char *tag, const char *text);
/* Whether words are written one after the other without spaces. */
gboolean dub_language_is_unspaced (const char *tag);

G_END_DECLS
