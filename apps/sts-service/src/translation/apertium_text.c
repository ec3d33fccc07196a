/* SPDX-License-Identifier: Apache-2.0 */
#include "apertium_text.h"

#include "languages.h"

#include <dubbing_common/error.h>
#include <string.h>

#define RESERVED "^$/<>{}[]\\@"
#define MAX_STEPS 32

/* ---- the stream --------------------------------------------------------- */

static gboolean
ends_a_sentence (const char *text)
{
  const char *last = g_utf8_find_prev_char (text, text + strlen (text));
  static const gunichar ends[] = {'.', '!', '?', 0x2026, 0x3002, 0};

  if (last == NULL)
    return FALSE;
  for (guint i = 0; ends[i] != 0; i++)
    if (g_utf8_get_char (last) == ends[i])
      return TRUE;
  return FALSE;
}

char *
dub_apertium_escape (const char *text)
{
  g_autofree char *trimmed = g_strstrip (g_strdup (text));
  GString *out = g_string_new (NULL);

  for (const char *c = trimmed; *c != '\0'; c++) {
    if (strchr (RESERVED, *c) != NULL)
      g_string_append_c (out, '\\');
    g_string_append_c (out, g_ascii_iscntrl (*c) ? ' ' : *c);
  }
  g_string_append (out, ends_a_sentence (trimmed) ? "[]" : ".[]");
  return g_string_free (out, FALSE);
}

/* Whether a mark stands at c: *word, @word, #word. */
static gboolean
is_mark (const char *c, const GString *before)
{
  gunichar last = 0;

  if (*c != '*' && *c != '@' && *c != '#')
    return FALSE;
  if (before->len > 0)
    last = g_utf8_get_char (
        g_utf8_find_prev_char (before->str, before->str + before->len));
  return !g_unichar_isalnum (last) &&
         g_unichar_isalpha (g_utf8_get_char (c + 1));
}

/* Takes out brackets, marks and backslashes. FALSE: a reserved sign stands
 * there bare, so this is a word that was not finished. */
static gboolean
unescape_into (const char *c, GString *out)
{
  while (*c != '\0') {
    if (*c == '\\' && c[1] != '\0') {
      g_string_append_c (out, c[1]);
      c += 2;
    } else if (*c == '[') {
      c = strchr (c, ']');
      if (c == NULL)
        return FALSE;
      c++;
    } else if (is_mark (c, out)) {
      c++;
    } else if (strchr ("^$\\", *c) != NULL) {
      return FALSE;
    } else {
      g_string_append_c (out, *c++);
    }
  }
  return TRUE;
}

static void
tidy (GString *text, gboolean has_added_stop)
{
  g_autofree char *stripped = g_strstrip (g_strdup (text->str));

  if (has_added_stop && g_str_has_suffix (stripped, "."))
    stripped[strlen (stripped) - 1] = '\0';
  g_string_assign (text, stripped);
  while (g_string_replace (text, "  ", " ", 0) > 0)
    ;
}

char *
dub_apertium_unescape (const char *answer, gsize length, const char *text)
{
  g_autofree char *copy = g_strndup (answer, length);
  g_autofree char *asked = g_strstrip (g_strdup (text));
  g_autoptr (GString) out = g_string_new (NULL);

  if (strlen (copy) != length || !g_utf8_validate (copy, -1, NULL) ||
      !unescape_into (copy, out) || !g_utf8_validate (out->str, -1, NULL))
    return NULL;
  tidy (out, !ends_a_sentence (asked));
  return g_strdup (out->str);
}

/* ---- modes -------------------------------------------------------------- */

/* Those that know -z; all else in a mode only filters. */
static gboolean
takes_null_flush (const char *program)
{
  return g_str_has_suffix (program, "-proc") ||
         g_str_has_prefix (program, "apertium-");
}

static void
take_word (GStrvBuilder *step, const char *word, gboolean is_first)
{
  g_autofree char *program = g_path_get_basename (word);

  /* $1: what lt-proc does with words that it does not know; $2: nothing. */
  if (g_str_equal (word, "$1"))
    g_strv_builder_add (step, "-g");
  else if (!g_str_equal (word, "$2"))
    g_strv_builder_add (step, word);
  if (is_first && takes_null_flush (program))
    g_strv_builder_add (step, "-z");
}

static void
end_step (GPtrArray *steps, GStrvBuilder **step)
{
  char **argv = g_strv_builder_end (*step);

  g_strv_builder_unref (*step);
  *step = g_strv_builder_new ();
  g_ptr_array_add (steps, argv);
}

static gboolean
is_pipeline (GPtrArray *steps)
{
  for (guint i = 0; i < steps->len; i++)
    if (((char **) g_ptr_array_index (steps, i))[0] == NULL)
      return FALSE;
  return steps->len > 0 && steps->len <= MAX_STEPS;
}

GPtrArray *
dub_apertium_parse_mode (const char *text, GError **error)
{
  g_auto (GStrv) words = NULL;
  g_autoptr (GStrvBuilder) step = g_strv_builder_new ();
  g_autoptr (GPtrArray) steps =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  gboolean is_first = TRUE;

  if (g_shell_parse_argv (text, NULL, &words, NULL)) {
    for (guint i = 0; words[i] != NULL; i++) {
      if (g_str_equal (words[i], "|"))
        end_step (steps, &step);
      else
        take_word (step, words[i], is_first);
      is_first = g_str_equal (words[i], "|");
    }
    end_step (steps, &step);
  }
  if (!is_pipeline (steps)) {
    g_set_error_literal (error, DUB_ERROR, DUB_ERROR_INVALID,
        "the mode file is not a row of commands with | between them");
    return NULL;
  }
  return g_steal_pointer (&steps);
}

/* 0: another language; 1: another region; 2: no region; 3: the same. */
static guint
rate_side (const char *name, const char *wanted)
{
  DubLanguageTag has, want;

  if (g_str_equal (wanted, "auto"))
    return 1;
  if (!dub_language_parse (name, &has) || !dub_language_parse (wanted, &want) ||
      strcmp (has.language, want.language) != 0)
    return 0;
  if (want.region[0] != '\0' && strcmp (has.region, want.region) == 0)
    return 3;
  /* "cat_valencia" and the like are variants too. */
  return strpbrk (name, "_") == NULL ? 2 : 1;
}

static guint
rate (const char *mode, const char *source, const char *target)
{
  g_auto (GStrv) sides = g_strsplit (mode, "-", -1);
  guint from, to;

  if (g_strv_length (sides) != 2)
    return 0;
  from = rate_side (sides[0], source);
  to = rate_side (sides[1], target);
  return from == 0 || to == 0 ? 0 : from + 4 * to;
}

const char *
dub_apertium_pick (
    const char *const *modes, const char *source, const char *target)
{
  const char *best = NULL;
  guint best_rate = 0;

  for (guint i = 0; modes[i] != NULL; i++) {
    guint its_rate = rate (modes[i], source, target);

    if (its_rate > best_rate) {
      best = modes[i];
      best_rate = its_rate;
    }
  }
  return best;
}
