/* SPDX-License-Identifier: Apache-2.0 */
#include "text_rules.h"

#include "languages.h"

#include <string.h>

/* ---- words of each language ----------------------------------------------
 */

typedef struct {
  char language[4];
  const char *and, *percent, *dollars, *euros, *pounds, *at, *versus;
} Words;

static const Words words[] = {
    {"de", "und", "Prozent", "Dollar", "Euro", "Pfund", "at", "gegen"},
    {"en", "and", "percent", "dollars", "euros", "pounds", "at", "versus"},
    {"es", "y", "por ciento", "dólares", "euros", "libras", "arroba", "contra"},
    {"fr", "et", "pour cent", "dollars", "euros", "livres", "arobase",
        "contre"},
    {"it", "e", "per cento", "dollari", "euro", "sterline", "chiocciola",
        "contro"},
    {"pt", "e", "por cento", "dólares", "euros", "libras", "arroba", "contra"},
};

static const Words *
words_of (const char *language)
{
  DubLanguageTag tag;

  if (!dub_language_parse (language, &tag))
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (strcmp (words[i].language, tag.language) == 0)
      return &words[i];
  return NULL;
}

/* ---- patterns --------------------------------------------------------------
 */

typedef enum {
  CLOCK,
  CAPITAL_HYPHEN,
  VERSUS,
  MONEY_BEFORE,
  MONEY_AFTER,
  PERCENT,
  AMPERSAND,
  AT_SIGN,
  NO_WIDTH,
  BLANKS,
  MANY_DOTS,
  MANY_MARKS,
  UNSPACED_BLANK,
  SPEAKER,
  N_PATTERNS
} Pattern;

#define FIGURES "\\d(?:[\\d.,]*\\d)?"
/* "million", "millones", "Milliarden", "mil", ... */
#define TIMES "(?:\\s+(?:mil|bil|trill|thousand|tausend)\\p{L}*)?"
#define WORDS_IN_CAPITALS "\\p{Lu}{2,}(?:\\s+\\p{Lu}{2,})*"
#define UNSPACED "[\\p{Han}\\p{Hiragana}\\p{Katakana}、。！？]"

static const char *const patterns[N_PATTERNS] = {
    [CLOCK] = "(\\d{1,2}:\\d{2})\\s+(" WORDS_IN_CAPITALS ")(?![\\p{L}\\p{N}])",
    [CAPITAL_HYPHEN] = "(?<=\\p{Lu}{2})-(?=\\p{Lu}{2})",
    [VERSUS] = "(?<![\\p{L}\\p{N}])(?:[vV]s|VS)(?:\\.|(?![\\p{L}\\p{N}]))",
    [MONEY_BEFORE] = "([$€£])\\s?(" FIGURES TIMES ")",
    [MONEY_AFTER] = "(" FIGURES TIMES ")\\s?([$€£])",
    [PERCENT] = "(\\d)\\s?%",
    [AMPERSAND] = "(?<=\\s)&(?=\\s)",
    [AT_SIGN] = "(?<=\\s)@(?=\\s)",
    [NO_WIDTH] = "[\\x{200B}\\x{2060}\\x{FEFF}]",
    [BLANKS] = "\\s+",
    [MANY_DOTS] = "\\.{4,}",
    [MANY_MARKS] = "([!?！？])\\1+|(?:(?:\\?!|!\\?)[!?]+)",
    [UNSPACED_BLANK] = "(?<=" UNSPACED ")\\s+(?=" UNSPACED ")",
    [SPEAKER] = "^\\s*(?:>>\\s*)?(\\p{Lu}\\p{Ll}+):\\s+(?=\\S)",
};

static GRegex *
pattern_get (Pattern pattern)
{
  static GRegex *made[N_PATTERNS];
  static gsize is_made;

  if (g_once_init_enter (&is_made)) {
    for (guint i = 0; i < N_PATTERNS; i++) {
      made[i] = g_regex_new (patterns[i], G_REGEX_OPTIMIZE, 0, NULL);
      g_assert (made[i] != NULL);
    }
    g_once_init_leave (&is_made, 1);
  }
  return made[pattern];
}

/* Takes text and gives the next one, so that rules stand in a row. */
static char *
apply (char *text, Pattern pattern, GRegexEvalCallback put, gconstpointer data)
{
  char *next = g_regex_replace_eval (
      pattern_get (pattern), text, -1, 0, 0, put, (gpointer) data, NULL);

  if (next == NULL)
    return text;
  g_free (text);
  return next;
}

static gboolean
put_text (const GMatchInfo *match, GString *out, gpointer data)
{
  g_string_append (out, data);
  return FALSE;
}

static char *
apply_text (char *text, Pattern pattern, const char *replacement)
{
  return apply (text, pattern, put_text, replacement);
}

/* ---- before ---------------------------------------------------------------
 */

/* "3:45 NBA" names a thing; "PM" and a row of words in capitals do not. */
static gboolean
is_shouted (const char *run)
{
  return g_str_equal (run, "AM") || g_str_equal (run, "PM") ||
         strchr (run, ' ') != NULL || g_utf8_strlen (run, -1) >= 5;
}

static gboolean
put_clock (const GMatchInfo *match, GString *out, gpointer data)
{
  g_autofree char *time = g_match_info_fetch (match, 1);
  g_autofree char *run = g_match_info_fetch (match, 2);
  g_autofree char *lower = g_utf8_strdown (run, -1);

  g_string_append_printf (out, "%s %s", time, is_shouted (run) ? lower : run);
  return FALSE;
}

static const char *
money (const Words *its, const char *sign)
{
  if (g_str_equal (sign, "$"))
    return its->dollars;
  return g_str_equal (sign, "€") ? its->euros : its->pounds;
}

static gboolean
put_money_before (const GMatchInfo *match, GString *out, gpointer data)
{
  g_autofree char *sign = g_match_info_fetch (match, 1);
  g_autofree char *amount = g_match_info_fetch (match, 2);

  g_string_append_printf (out, "%s %s", amount, money (data, sign));
  return FALSE;
}

static gboolean
put_money_after (const GMatchInfo *match, GString *out, gpointer data)
{
  g_autofree char *amount = g_match_info_fetch (match, 1);
  g_autofree char *sign = g_match_info_fetch (match, 2);

  g_string_append_printf (out, "%s %s", amount, money (data, sign));
  return FALSE;
}

static gboolean
put_percent (const GMatchInfo *match, GString *out, gpointer data)
{
  const Words *its = data;
  g_autofree char *figure = g_match_info_fetch (match, 1);

  g_string_append_printf (out, "%s %s", figure, its->percent);
  return FALSE;
}

/* Valid and composed: what models write may be neither. */
static char *
compose (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);

  return g_utf8_normalize (valid, -1, G_NORMALIZE_DEFAULT_COMPOSE);
}

char *
dub_text_normalise (const char *text, const char *language)
{
  const Words *its = words_of (language);
  char *out = compose (text);

  out = apply (out, CLOCK, put_clock, NULL);
  out = apply_text (out, CAPITAL_HYPHEN, " ");
  if (its != NULL) {
    out = apply_text (out, VERSUS, its->versus);
    out = apply (out, MONEY_BEFORE, put_money_before, its);
    out = apply (out, MONEY_AFTER, put_money_after, its);
    out = apply (out, PERCENT, put_percent, its);
    out = apply_text (out, AMPERSAND, its->and);
    out = apply_text (out, AT_SIGN, its->at);
  }
  out = apply_text (out, BLANKS, " ");
  return g_strstrip (out);
}

/* ---- after ----------------------------------------------------------------
 */

/* "!!!" → "!"; "?!?!" → "?!" */
static gboolean
put_marks (const GMatchInfo *match, GString *out, gpointer data)
{
  g_autofree char *mark = g_match_info_fetch (match, 1);
  g_autofree char *all = g_match_info_fetch (match, 0);

  if (mark != NULL && *mark != '\0')
    g_string_append (out, mark);
  else
    g_string_append_len (out, all, 2);
  return FALSE;
}

char *
dub_text_tidy (const char *text)
{
  char *out = compose (text);

  out = apply_text (out, NO_WIDTH, "");
  out = apply_text (out, MANY_DOTS, "...");
  out = apply (out, MANY_MARKS, put_marks, NULL);
  out = apply_text (out, UNSPACED_BLANK, "");
  out = apply_text (out, BLANKS, " ");
  return g_strstrip (out);
}

/* ---- speakers ---------------------------------------------------------------
 */

static gboolean
is_speaker (const char *word)
{
  static const char *const others[] = {"also", "and", "but", "date", "debug",
      "error", "example", "final", "first", "finally", "info", "link", "name",
      "next", "note", "now", "remember", "result", "score", "second", "so",
      "status", "then", "third", "time", "title", "today", "tomorrow",
      "tonight", "total", "type", "update", "url", "warning", "yesterday",
      NULL};
  g_autofree char *lower = g_utf8_strdown (word, -1);

  return !g_strv_contains (others, lower);
}

char *
dub_text_take_speaker (const char *text, char **ret_speaker)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_autoptr (GMatchInfo) match = NULL;
  g_autofree char *word = NULL;
  int end = 0;

  if (ret_speaker != NULL)
    *ret_speaker = NULL;
  if (!g_regex_match (pattern_get (SPEAKER), valid, 0, &match))
    return g_steal_pointer (&valid);
  word = g_match_info_fetch (match, 1);
  if (!is_speaker (word) || !g_match_info_fetch_pos (match, 0, NULL, &end))
    return g_steal_pointer (&valid);
  if (ret_speaker != NULL)
    *ret_speaker = g_steal_pointer (&word);
  return g_strdup (valid + end);
}
