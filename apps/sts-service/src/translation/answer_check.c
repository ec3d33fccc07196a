/* SPDX-License-Identifier: Apache-2.0 */
#include "answer_check.h"

#include <dubbing_common/error.h>
#include <string.h>

/* Beyond this many times the length that is expected, and some more. */
#define MAX_TIMES 3
#define MAX_MORE 60
/* So much of the prompt in the answer is no chance. */
#define PROMPT_PIECE 32
/* Fewer words may be the same in both languages: "Real Madrid, 3 - 2". */
#define MIN_COPY_WORDS 4

static void
drop_thoughts (GString *text)
{
  char *start = strstr (text->str, "<think>");
  char *end = strstr (text->str, "</think>");

  /* Some servers keep the opening tag to themselves. */
  if (start == NULL || (end != NULL && start > end))
    start = text->str;
  if (end != NULL)
    g_string_erase (text, start - text->str, end + strlen ("</think>") - start);
}

static char *
collapse_blanks (const char *text)
{
  GString *out = g_string_new (NULL);

  for (; *text != '\0'; text = g_utf8_next_char (text)) {
    gunichar c = g_utf8_get_char (text);

    if (!g_unichar_isspace (c))
      g_string_append_unichar (out, c);
    else if (out->len > 0 && out->str[out->len - 1] != ' ')
      g_string_append_c (out, ' ');
  }
  g_strchomp (out->str);
  return g_string_free (out, FALSE);
}

/* The text between the marks, or NULL. */
static char *
without_quotes (const char *text)
{
  static const char *const pairs[][2] = {{"\"", "\""}, {"“", "”"}, {"«", "»"},
      {"„", "“"}, {"「", "」"}, {"'", "'"}};

  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++) {
    gsize open = strlen (pairs[i][0]), close = strlen (pairs[i][1]);
    gsize length = strlen (text);

    if (length > open + close && g_str_has_prefix (text, pairs[i][0]) &&
        g_str_has_suffix (text, pairs[i][1]))
      return g_strstrip (g_strndup (text + open, length - open - close));
  }
  return NULL;
}

char *
dub_answer_tidy (const char *answer, const char *source_text)
{
  g_autoptr (GString) text = g_string_new (answer);
  g_autofree char *source = g_strstrip (g_strdup (source_text));
  g_autofree char *source_inside = without_quotes (source);
  g_autofree char *collapsed = NULL;
  char *inside = NULL;

  drop_thoughts (text);
  collapsed = collapse_blanks (text->str);
  if (source_inside == NULL)
    inside = without_quotes (collapsed);
  return inside != NULL ? inside : g_steal_pointer (&collapsed);
}

static gboolean
is_too_long (const char *answer, const DubTranslationRequest *request)
{
  double expected = g_utf8_strlen (request->text, -1) *
                    dub_language_chars_per_s (request->target) /
                    dub_language_chars_per_s (request->source);

  return g_utf8_strlen (answer, -1) > MAX_TIMES * expected + MAX_MORE;
}

/* Whether any piece of the prompt stands in the answer. */
static gboolean
repeats (const char *answer, const char *prompt)
{
  const char *at = prompt;

  while (g_utf8_strlen (at, PROMPT_PIECE * 6) >= PROMPT_PIECE) {
    const char *end = g_utf8_offset_to_pointer (at, PROMPT_PIECE);
    g_autofree char *piece = g_strndup (at, (gsize) (end - at));

    if (strstr (answer, piece) != NULL)
      return TRUE;
    at = g_utf8_offset_to_pointer (at, PROMPT_PIECE / 2);
  }
  return FALSE;
}

static guint
count_words (const char *text)
{
  guint words = 0;
  gboolean is_in_word = FALSE;

  for (; *text != '\0'; text = g_utf8_next_char (text)) {
    gboolean is_letter = g_unichar_isalpha (g_utf8_get_char (text));

    words += is_letter && !is_in_word;
    is_in_word = is_letter;
  }
  return words;
}

static gboolean
is_copy (const char *answer, const DubTranslationRequest *request)
{
  g_autofree char *a = g_utf8_casefold (answer, -1);
  g_autofree char *b = g_utf8_casefold (request->text, -1);

  return !dub_language_equal (request->source, request->target) &&
         count_words (answer) >= MIN_COPY_WORDS &&
         g_str_equal (g_strstrip (a), g_strstrip (b));
}

gboolean
dub_answer_check (const char *answer, const DubTranslationRequest *request,
    const char *prompt, GError **error)
{
  const char *what = NULL;

  if (*answer == '\0')
    what = "nothing";
  else if (is_too_long (answer, request))
    what = "far more than it was asked";
  else if (!dub_language_fits_script (request->target, answer))
    what = "text in another script";
  else if (prompt != NULL && repeats (answer, prompt))
    what = "its own instructions";
  else if (is_copy (answer, request))
    what = "what it was given";
  if (what != NULL)
    g_set_error (error, DUB_ERROR, DUB_ERROR_ENGINE,
        "no translation: it answered %s", what);
  return what == NULL;
}
