/* SPDX-License-Identifier: Apache-2.0 */
#include "speakable.h"

#include "speakable_words.h"

#include <string.h>

/* ---- signs ----------------------------------------------------------------
 */

/* Read by some voices as "asterisk" or "hash". */
static gboolean
is_drawn (gunichar c)
{
  if (c == 0xb0) /* ° */
    return FALSE;
  if (c < 128)
    return strchr ("*_#~^|<>{}[]\\`", (int) c) != NULL && c != 0;
  switch (g_unichar_type (c)) {
    case G_UNICODE_OTHER_SYMBOL:
    case G_UNICODE_MODIFIER_SYMBOL:
    case G_UNICODE_PRIVATE_USE:
    case G_UNICODE_SURROGATE:
    case G_UNICODE_UNASSIGNED:
    case G_UNICODE_FORMAT:
      return TRUE;
    default:
      return FALSE;
  }
}

static gboolean
is_blank (const char *at)
{
  return *at == '\0' || g_unichar_isspace (g_utf8_get_char (at));
}

/* A dash between words is a pause: voices pass over "-" and "--". */
static gboolean
is_dash (const GString *out, const char *at)
{
  gunichar c = g_utf8_get_char (at);
  gboolean after_blank = out->len == 0 || out->str[out->len - 1] == ' ';

  if (c >= 0x2013 && c <= 0x2015)
    return TRUE;
  if (c != '-')
    return FALSE;
  return at[1] == '-' || (after_blank && is_blank (at + 1));
}

static gboolean
is_repeated (const GString *out, gunichar c)
{
  return (c == '!' || c == '?' || c == ',') && out->len > 0 &&
         out->str[out->len - 1] == (char) c;
}

static GString *
with_plain_signs (const char *text)
{
  GString *out = g_string_new (NULL);

  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    if (is_dash (out, p))
      g_string_append (out, ", ");
    else if (g_unichar_isspace (c) || g_unichar_iscntrl (c) || is_drawn (c))
      g_string_append_c (out, ' ');
    else if (!is_repeated (out, c))
      g_string_append_unichar (out, c);
  }
  return out;
}

/* ---- words ----------------------------------------------------------------
 */

static gboolean
is_wordy_before (const char *text, const char *at)
{
  return at > text &&
         g_unichar_isalnum (g_utf8_get_char (g_utf8_prev_char (at)));
}

static gboolean
is_wordy (const char *at)
{
  return *at != '\0' && g_unichar_isalnum (g_utf8_get_char (at));
}

/* The longest that stands here as a word. One that ends in a period needs no
 * boundary behind it. */
static const DubSpokenWord *
find_word (const DubSpokenWord *words, const char *at)
{
  const DubSpokenWord *best = NULL;

  for (const DubSpokenWord *word = words; word != NULL && word->written != NULL;
       word++) {
    gsize length = strlen (word->written);

    if (!g_str_has_prefix (at, word->written) ||
        (best != NULL && strlen (best->written) >= length))
      continue;
    if (word->written[length - 1] == '.' || !is_wordy (at + length))
      best = word;
  }
  return best;
}

static GString *
with_words (const char *text, const DubSpokenWord *words)
{
  GString *out = g_string_new (NULL);
  const char *p = text;

  while (*p != '\0') {
    const DubSpokenWord *word =
        is_wordy_before (text, p) ? NULL : find_word (words, p);
    const char *next =
        word != NULL ? p + strlen (word->written) : g_utf8_next_char (p);

    if (word != NULL)
      g_string_append (out, word->spoken);
    else
      g_string_append_len (out, p, next - p);
    p = next;
  }
  return out;
}

/* ---- numbers ---------------------------------------------------------------
 */

/* Digits with the points and commas inside them. */
static gsize
number_length (const char *at)
{
  gsize length = 0;

  while (g_ascii_isdigit (at[length]) ||
         (length > 0 && (at[length] == '.' || at[length] == ',') &&
             g_ascii_isdigit (at[length + 1])))
    length++;
  return length;
}

static gboolean
is_one (const char *at, gsize length)
{
  return length == 1 && *at == '1';
}

static void
put_unit (GString *out, const DubSpokenUnit *unit, gboolean one)
{
  g_string_append_c (out, ' ');
  g_string_append (out, one ? unit->one : unit->many);
}

/* "35 km/h", "5kg": what stands behind a number. How much of it was taken. */
static gsize
take_unit (
    GString *out, const DubSpokenUnit *units, const char *at, gboolean one)
{
  gsize space = *at == ' ' ? 1 : 0;

  for (const DubSpokenUnit *unit = units; unit != NULL && unit->written != NULL;
       unit++) {
    gsize length = strlen (unit->written);

    if (unit->is_before || !g_str_has_prefix (at + space, unit->written) ||
        is_wordy (at + space + length))
      continue;
    put_unit (out, unit, one);
    return space + length;
  }
  return 0;
}

/* "million", "millones", "billion", ... */
static gboolean
begins_magnitude (const char *at)
{
  return g_str_has_prefix (at, " mill") || g_str_has_prefix (at, " bill") ||
         g_str_has_prefix (at, " trill") || g_str_has_prefix (at, " Mill");
}

/* "$20" → "20 dollars"; "$1.5 million" is left to the voice, which knows. */
static gsize
take_money (GString *out, const DubSpokenUnit *units, const char *at)
{
  for (const DubSpokenUnit *unit = units; unit != NULL && unit->written != NULL;
       unit++) {
    gsize sign = strlen (unit->written), number;
    const char *after = NULL;

    if (!unit->is_before || !g_str_has_prefix (at, unit->written))
      continue;
    number = number_length (at + sign);
    after = at + sign + number;
    if (number == 0 || is_wordy (after) || begins_magnitude (after))
      return 0;
    g_string_append_len (out, at + sign, (gssize) number);
    put_unit (out, unit, is_one (at + sign, number));
    return sign + number;
  }
  return 0;
}

/* A number with its unit. */
static gsize
take_number (GString *out, const DubSpokenLanguage *rules, const char *at)
{
  gsize length = number_length (at);

  if (length == 0)
    return 0;
  g_string_append_len (out, at, (gssize) length);
  return length +
         take_unit (out, rules->units, at + length, is_one (at, length));
}

static GString *
with_numbers (const char *text, const DubSpokenLanguage *rules)
{
  GString *out = g_string_new (NULL);
  const char *p = text;

  while (*p != '\0') {
    gsize taken = 0;

    if (!is_wordy_before (text, p)) {
      taken = take_money (out, rules->units, p);
      if (taken == 0)
        taken = take_number (out, rules, p);
    }
    if (taken == 0) {
      taken = (gsize) (g_utf8_next_char (p) - p);
      g_string_append_len (out, p, (gssize) taken);
    }
    p += taken;
  }
  return out;
}

/* ---- scores and years ------------------------------------------------------
 */

#define DASH "(?: [-–] |[-–])"
/* Not within dates, telephone numbers, times, decimals or rows of more. */
#define NOTHING_BEFORE "(?<![\\p{L}\\d.,:/–-])"
#define NOTHING_AFTER "(?![\\p{L}\\d/–-]|[.,:]\\d)"

static gboolean
put_pair (const GMatchInfo *match, GString *out, gpointer between)
{
  g_autofree char *left = g_match_info_fetch (match, 1);
  g_autofree char *right = g_match_info_fetch (match, 2);

  g_string_append_printf (out, "%s %s %s", left, (const char *) between, right);
  return FALSE;
}

/* text (transfer full), valid UTF-8. (transfer full) */
static char *
replace_pairs (char *text, const GRegex *pattern, const char *between)
{
  char *out = NULL;

  if (between != NULL)
    out = g_regex_replace_eval (
        pattern, text, -1, 0, 0, put_pair, (gpointer) between, NULL);
  if (out == NULL)
    return text;
  g_free (text);
  return out;
}

/* text (transfer full). (transfer full) */
static char *
with_pairs (char *text, const DubSpokenLanguage *rules)
{
  static GRegex *score, *years;
  static gsize is_made;

  if (g_once_init_enter (&is_made)) {
    score = g_regex_new (NOTHING_BEFORE "(\\d{1,3})" DASH
                                        "(\\d{1,3})" NOTHING_AFTER,
        G_REGEX_OPTIMIZE, 0, NULL);
    years = g_regex_new (NOTHING_BEFORE "([12]\\d{3})" DASH
                                        "([12]\\d{3})" NOTHING_AFTER,
        G_REGEX_OPTIMIZE, 0, NULL);
    g_assert (score != NULL && years != NULL);
    g_once_init_leave (&is_made, 1);
  }
  return replace_pairs (
      replace_pairs (text, score, rules->score), years, rules->range);
}

/* ---- all of it -------------------------------------------------------------
 */

/* One space at a time, none before a comma, and no two commas. */
static char *
tidy (const char *text)
{
  GString *out = g_string_new (NULL);

  for (const char *p = text; *p != '\0'; p++) {
    gboolean after_space = out->len == 0 || out->str[out->len - 1] == ' ';

    if (*p == ' ' && after_space)
      continue;
    if (*p == ',' && after_space && out->len > 0)
      g_string_truncate (out, out->len - 1);
    if (!is_repeated (out, (guchar) *p))
      g_string_append_c (out, *p);
  }
  return g_strchomp (g_string_free (out, FALSE));
}

static gboolean
can_be_said (const char *text)
{
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    if (g_unichar_isalnum (g_utf8_get_char (p)))
      return TRUE;
  return FALSE;
}

char *
dub_speakable (const char *text, const char *language)
{
  const DubSpokenLanguage *rules = dub_spoken_language (language);
  /* Before the dashes become pauses. */
  g_autofree char *pairs = with_pairs (g_utf8_make_valid (text, -1), rules);
  g_autoptr (GString) signs = with_plain_signs (pairs);
  g_autoptr (GString) words = with_words (signs->str, rules->words);
  g_autoptr (GString) numbers = with_numbers (words->str, rules);
  g_autofree char *spoken = tidy (numbers->str);

  return can_be_said (spoken) ? g_steal_pointer (&spoken) : g_strdup ("");
}
