/* SPDX-License-Identifier: Apache-2.0 */
#include "languages.h"

#include <string.h>

#define MAX_SCRIPTS 3

typedef struct {
  char iso1[4];
  char iso3[4];
  const char *name;
  double chars_per_s;
  GUnicodeScript scripts[MAX_SCRIPTS]; /* COMMON (0) ends them */
} Row;

#define LATIN G_UNICODE_SCRIPT_LATIN
#define CYRILLIC G_UNICODE_SCRIPT_CYRILLIC
#define ARABIC G_UNICODE_SCRIPT_ARABIC
#define DEVANAGARI G_UNICODE_SCRIPT_DEVANAGARI
#define HAN G_UNICODE_SCRIPT_HAN

/* Rates: syllables a second of read speech, times letters a syllable. */
static const Row rows[] = {
    {"af", "afr", "Afrikaans", 15, {LATIN}},
    {"ar", "ara", "Arabic", 11, {ARABIC}},
    {"az", "aze", "Azerbaijani", 14, {LATIN, CYRILLIC}},
    {"be", "bel", "Belarusian", 14, {CYRILLIC}},
    {"bg", "bul", "Bulgarian", 14, {CYRILLIC}},
    {"bn", "ben", "Bengali", 12, {G_UNICODE_SCRIPT_BENGALI}},
    {"br", "bre", "Breton", 14, {LATIN}},
    {"bs", "bos", "Bosnian", 14, {LATIN, CYRILLIC}},
    {"ca", "cat", "Catalan", 15, {LATIN}},
    {"cs", "ces", "Czech", 14, {LATIN}},
    {"cy", "cym", "Welsh", 14, {LATIN}},
    {"da", "dan", "Danish", 15, {LATIN}},
    {"de", "deu", "German", 15, {LATIN}},
    {"el", "ell", "Greek", 15, {G_UNICODE_SCRIPT_GREEK}},
    {"en", "eng", "English", 15, {LATIN}},
    {"eo", "epo", "Esperanto", 14, {LATIN}},
    {"es", "spa", "Spanish", 16, {LATIN}},
    {"et", "est", "Estonian", 14, {LATIN}},
    {"eu", "eus", "Basque", 15, {LATIN}},
    {"fa", "fas", "Persian", 12, {ARABIC}},
    {"fi", "fin", "Finnish", 15, {LATIN}},
    {"fr", "fra", "French", 15, {LATIN}},
    {"ga", "gle", "Irish", 14, {LATIN}},
    {"gl", "glg", "Galician", 15, {LATIN}},
    {"gu", "guj", "Gujarati", 12, {G_UNICODE_SCRIPT_GUJARATI}},
    {"he", "heb", "Hebrew", 11, {G_UNICODE_SCRIPT_HEBREW}},
    {"hi", "hin", "Hindi", 12, {DEVANAGARI}},
    {"hr", "hrv", "Croatian", 14, {LATIN}},
    {"hu", "hun", "Hungarian", 14, {LATIN}},
    {"hy", "hye", "Armenian", 14, {G_UNICODE_SCRIPT_ARMENIAN}},
    {"id", "ind", "Indonesian", 15, {LATIN}},
    {"is", "isl", "Icelandic", 14, {LATIN}},
    {"it", "ita", "Italian", 16, {LATIN}},
    {"ja", "jpn", "Japanese", 7.5,
        {G_UNICODE_SCRIPT_HIRAGANA, G_UNICODE_SCRIPT_KATAKANA, HAN}},
    {"ka", "kat", "Georgian", 14, {G_UNICODE_SCRIPT_GEORGIAN}},
    {"kk", "kaz", "Kazakh", 14, {CYRILLIC, LATIN}},
    {"km", "khm", "Khmer", 12, {G_UNICODE_SCRIPT_KHMER}},
    {"ko", "kor", "Korean", 7, {G_UNICODE_SCRIPT_HANGUL, HAN}},
    {"lo", "lao", "Lao", 12, {G_UNICODE_SCRIPT_LAO}},
    {"lt", "lit", "Lithuanian", 14, {LATIN}},
    {"lv", "lav", "Latvian", 14, {LATIN}},
    {"mk", "mkd", "Macedonian", 14, {CYRILLIC}},
    {"ml", "mal", "Malayalam", 12, {G_UNICODE_SCRIPT_MALAYALAM}},
    {"mr", "mar", "Marathi", 12, {DEVANAGARI}},
    {"ms", "msa", "Malay", 15, {LATIN}},
    {"mt", "mlt", "Maltese", 14, {LATIN}},
    {"my", "mya", "Burmese", 12, {G_UNICODE_SCRIPT_MYANMAR}},
    {"nb", "nob", "Norwegian", 15, {LATIN}},
    {"ne", "nep", "Nepali", 12, {DEVANAGARI}},
    {"nl", "nld", "Dutch", 15, {LATIN}},
    {"nn", "nno", "Norwegian Nynorsk", 15, {LATIN}},
    {"no", "nor", "Norwegian", 15, {LATIN}},
    {"oc", "oci", "Occitan", 15, {LATIN}},
    {"pa", "pan", "Punjabi", 12, {G_UNICODE_SCRIPT_GURMUKHI, ARABIC}},
    {"pl", "pol", "Polish", 14, {LATIN}},
    {"pt", "por", "Portuguese", 15, {LATIN}},
    {"ro", "ron", "Romanian", 15, {LATIN}},
    {"ru", "rus", "Russian", 14, {CYRILLIC}},
    {"sk", "slk", "Slovak", 14, {LATIN}},
    {"sl", "slv", "Slovenian", 14, {LATIN}},
    {"sq", "sqi", "Albanian", 14, {LATIN}},
    {"sr", "srp", "Serbian", 14, {CYRILLIC, LATIN}},
    {"sv", "swe", "Swedish", 15, {LATIN}},
    {"sw", "swa", "Swahili", 14, {LATIN}},
    {"ta", "tam", "Tamil", 12, {G_UNICODE_SCRIPT_TAMIL}},
    {"te", "tel", "Telugu", 12, {G_UNICODE_SCRIPT_TELUGU}},
    {"th", "tha", "Thai", 12, {G_UNICODE_SCRIPT_THAI}},
    {"tl", "tgl", "Tagalog", 15, {LATIN}},
    {"tr", "tur", "Turkish", 15, {LATIN}},
    {"uk", "ukr", "Ukrainian", 14, {CYRILLIC}},
    {"ur", "urd", "Urdu", 12, {ARABIC}},
    {"vi", "vie", "Vietnamese", 16, {LATIN}},
    {"yue", "yue", "Cantonese", 4.5, {HAN}},
    {"zh", "zho", "Chinese", 4.5, {HAN}},
};

static const Row *
find_row (const char *code)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (strcmp (rows[i].iso1, code) == 0 || strcmp (rows[i].iso3, code) == 0)
      return &rows[i];
  return NULL;
}

static gboolean
is_all (const char *text, gboolean (*is_kind) (gchar))
{
  for (; *text != '\0'; text++)
    if (!is_kind (*text))
      return FALSE;
  return TRUE;
}

static gboolean
is_letter (gchar c)
{
  return g_ascii_isalpha (c);
}

static gboolean
is_figure (gchar c)
{
  return g_ascii_isdigit (c);
}

static gboolean
take_language (const char *part, DubLanguageTag *tag)
{
  gsize length = strlen (part);
  g_autofree char *code = g_ascii_strdown (part, -1);
  const Row *row = NULL;

  if (length < 2 || length > 3 || !is_all (part, is_letter))
    return FALSE;
  row = find_row (code);
  g_strlcpy (
      tag->language, row != NULL ? row->iso1 : code, sizeof tag->language);
  return TRUE;
}

/* A script has four letters, a region two or three figures; all else that may
 * follow says nothing to a translator. */
static void
take_part (const char *part, DubLanguageTag *tag)
{
  gsize length = strlen (part);

  if (length == 4 && is_all (part, is_letter) && tag->script[0] == '\0') {
    g_strlcpy (tag->script, part, sizeof tag->script);
    for (guint i = 0; i < 4; i++)
      tag->script[i] = i == 0 ? g_ascii_toupper (tag->script[i])
                              : g_ascii_tolower (tag->script[i]);
    return;
  }
  if (((length == 2 && is_all (part, is_letter)) ||
          (length == 3 && is_all (part, is_figure))) &&
      tag->region[0] == '\0') {
    g_strlcpy (tag->region, part, sizeof tag->region);
    for (char *c = tag->region; *c != '\0'; c++)
      *c = g_ascii_toupper (*c);
  }
}

gboolean
dub_language_parse (const char *text, DubLanguageTag *ret_tag)
{
  g_auto (GStrv) parts = g_strsplit_set (text != NULL ? text : "", "-_", -1);
  DubLanguageTag tag = {""};

  if (parts[0] == NULL || !take_language (parts[0], &tag))
    return FALSE;
  for (guint i = 1; parts[i] != NULL; i++)
    take_part (parts[i], &tag);
  *ret_tag = tag;
  return TRUE;
}

gboolean
dub_language_equal (const char *a, const char *b)
{
  DubLanguageTag tag_a, tag_b;

  if (!dub_language_parse (a, &tag_a) || !dub_language_parse (b, &tag_b))
    return g_strcmp0 (a, b) == 0;
  return strcmp (tag_a.language, tag_b.language) == 0;
}

static const Row *
row_of (const char *tag)
{
  DubLanguageTag parsed;

  return dub_language_parse (tag, &parsed) ? find_row (parsed.language) : NULL;
}

const char *
dub_language_iso3 (const char *tag)
{
  const Row *row = row_of (tag);

  return row != NULL ? row->iso3 : NULL;
}

const char *
dub_language_name (const char *tag)
{
  const Row *row = row_of (tag);

  return row != NULL ? row->name : NULL;
}

double
dub_language_chars_per_s (const char *tag)
{
  const Row *row = row_of (tag);

  return row != NULL ? row->chars_per_s : 14;
}

static gboolean
has_script (const Row *row, GUnicodeScript script)
{
  for (guint i = 0; i < MAX_SCRIPTS && row->scripts[i] != 0; i++)
    if (row->scripts[i] == script)
      return TRUE;
  return FALSE;
}

/* Latin letters in a text of another script are names; letters of another
 * script in a Latin text are not. */
#define MAX_LATIN_TIMES 8

gboolean
dub_language_fits_script (const char *tag, const char *text)
{
  const Row *row = row_of (tag);
  guint own = 0, latin = 0, other = 0;

  for (; row != NULL && *text != '\0'; text = g_utf8_next_char (text)) {
    gunichar c = g_utf8_get_char (text);
    GUnicodeScript script = g_unichar_get_script (c);

    if (!g_unichar_isalpha (c) || script == G_UNICODE_SCRIPT_COMMON ||
        script == G_UNICODE_SCRIPT_INHERITED)
      continue;
    if (has_script (row, script))
      own++;
    else if (script == LATIN)
      latin++;
    else
      other++;
  }
  return own >= other && own * MAX_LATIN_TIMES >= latin;
}

gboolean
dub_language_is_unspaced (const char *tag)
{
  static const char *const unspaced[] = {
      "ja", "km", "lo", "my", "th", "yue", "zh", NULL};
  const Row *row = row_of (tag);

  return row != NULL && g_strv_contains (unspaced, row->iso1);
}
