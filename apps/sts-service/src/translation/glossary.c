/* SPDX-License-Identifier: Apache-2.0 */
#include "glossary.h"

#include <dubbing_common/error.h>
#include <string.h>

#define KEEP "keep:"
#define TERM "term:"

typedef struct {
  char *source, *target; /* "*": any */
  char *from;
  char *to; /* NULL: not to be translated */
} Term;

struct _DubGlossary {
  GPtrArray *terms; /* of Term */
};

static void
term_free (gpointer data)
{
  Term *term = data;

  g_free (term->source);
  g_free (term->target);
  g_free (term->from);
  g_free (term->to);
  g_free (term);
}

/* ---- reading ----------------------------------------------------------------
 */

typedef struct {
  DubGlossary *glossary;
  char *source, *target; /* of the section */
} Reader;

static gboolean
is_side (const char *text)
{
  DubLanguageTag tag;

  return g_str_equal (text, "*") || dub_language_parse (text, &tag);
}

/* "[en-es]": languages without regions, which the - would be taken for. */
static gboolean
read_section (Reader *reader, const char *line)
{
  g_auto (GStrv) sides = NULL;
  g_autofree char *inner = NULL;

  if (!g_str_has_suffix (line, "]"))
    return FALSE;
  inner = g_strndup (line + 1, strlen (line) - 2);
  sides = g_strsplit (inner, "-", -1);
  if (g_strv_length (sides) != 2 || !is_side (g_strstrip (sides[0])) ||
      !is_side (g_strstrip (sides[1])))
    return FALSE;
  g_free (reader->source);
  g_free (reader->target);
  reader->source = g_strdup (sides[0]);
  reader->target = g_strdup (sides[1]);
  return TRUE;
}

static gboolean
read_term (Reader *reader, const char *line)
{
  g_auto (GStrv) sides = g_strsplit (line, "=", 2);
  Term *term = NULL;

  for (guint i = 0; sides[i] != NULL; i++)
    if (*g_strstrip (sides[i]) == '\0')
      return FALSE;
  term = g_new0 (Term, 1);
  term->source = g_strdup (reader->source);
  term->target = g_strdup (reader->target);
  term->from = g_strdup (sides[0]);
  term->to = g_strdup (sides[1]);
  g_ptr_array_add (reader->glossary->terms, term);
  return TRUE;
}

static gboolean
read_line (Reader *reader, const char *line)
{
  if (*line == '\0' || *line == '#')
    return TRUE;
  return *line == '[' ? read_section (reader, line) : read_term (reader, line);
}

static gboolean
read_lines (Reader *reader, char **lines, GError **error)
{
  for (guint i = 0; lines[i] != NULL; i++) {
    char *line = g_strstrip (lines[i]);

    if (strlen (line) > 2 * DUB_GLOSSARY_MAX_TERM_BYTES ||
        reader->glossary->terms->len >= DUB_GLOSSARY_MAX_TERMS) {
      g_set_error (error, DUB_ERROR, DUB_ERROR_LIMIT,
          "line %u: terms have at most %d bytes, and there are at most %d",
          i + 1, DUB_GLOSSARY_MAX_TERM_BYTES, DUB_GLOSSARY_MAX_TERMS);
      return FALSE;
    }
    if (!read_line (reader, line)) {
      g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
          "line %u: neither [en-es], nor a term, nor term = translation",
          i + 1);
      return FALSE;
    }
  }
  return TRUE;
}

DubGlossary *
dub_glossary_parse (const char *text, GError **error)
{
  g_autoptr (DubGlossary) self = g_new0 (DubGlossary, 1);
  Reader reader = {self, g_strdup ("*"), g_strdup ("*")};
  g_auto (GStrv) lines = NULL;
  gboolean is_good = FALSE;

  self->terms = g_ptr_array_new_with_free_func (term_free);
  if (strlen (text) > DUB_GLOSSARY_MAX_BYTES)
    g_set_error (error, DUB_ERROR, DUB_ERROR_LIMIT, "more than %d bytes",
        DUB_GLOSSARY_MAX_BYTES);
  else if (!g_utf8_validate (text, -1, NULL))
    g_set_error_literal (error, DUB_ERROR, DUB_ERROR_INVALID, "not UTF-8");
  else {
    lines = g_strsplit (text, "\n", -1);
    is_good = read_lines (&reader, lines, error);
  }
  g_free (reader.source);
  g_free (reader.target);
  return is_good ? g_steal_pointer (&self) : NULL;
}

DubGlossary *
dub_glossary_load (const char *path, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) failure = NULL;
  DubGlossary *self = NULL;

  if (!g_file_get_contents (path, &text, NULL, &failure)) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND, "GLOSSARY_FILE: %s",
        failure->message);
    return NULL;
  }
  self = dub_glossary_parse (text, error);
  if (self == NULL)
    g_prefix_error (error, "GLOSSARY_FILE %s: ", path);
  return self;
}

void
dub_glossary_free (DubGlossary *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->terms);
  g_free (self);
}

/* ---- picking ----------------------------------------------------------------
 */

static gboolean
holds_for (const char *side, const char *language)
{
  return g_str_equal (side, "*") || dub_language_equal (side, language);
}

typedef struct {
  GPtrArray *keep;
  GArray *terms;
} Lists;

static void
take_term (Lists *lists, const char *from, const char *to)
{
  DubGlossaryEntry entry = {from, to};

  if (to != NULL)
    g_array_append_val (lists->terms, entry);
  else
    g_ptr_array_add (lists->keep, (char *) from);
}

gboolean
dub_glossary_is_term (const char *hint)
{
  return g_str_has_prefix (hint, KEEP) || g_str_has_prefix (hint, TERM);
}

/* "keep:Real Madrid", "term:keeper=portero" */
static void
take_hint (Lists *lists, const char *hint, GPtrArray *owned)
{
  char *copy = NULL, *to = NULL;

  if (strlen (hint) > 2 * DUB_GLOSSARY_MAX_TERM_BYTES ||
      owned->len >= DUB_GLOSSARY_MAX_TERMS)
    return;
  if (g_str_has_prefix (hint, KEEP) && hint[strlen (KEEP)] != '\0')
    take_term (lists, hint + strlen (KEEP), NULL);
  if (!g_str_has_prefix (hint, TERM))
    return;
  copy = g_strdup (hint + strlen (TERM));
  g_ptr_array_add (owned, copy);
  to = strchr (copy, '=');
  if (to == NULL)
    return;
  *to++ = '\0';
  if (*g_strstrip (copy) != '\0' && *g_strstrip (to) != '\0')
    take_term (lists, copy, to);
}

void
dub_glossary_pick (const DubGlossary *self, const char *const *stream_hints,
    const char *source, const char *target, DubGlossaryPick *ret_pick)
{
  Lists lists = {
      g_ptr_array_new (), g_array_new (TRUE, TRUE, sizeof (DubGlossaryEntry))};

  ret_pick->owned = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; stream_hints != NULL && stream_hints[i] != NULL; i++)
    take_hint (&lists, stream_hints[i], ret_pick->owned);
  for (guint i = 0; self != NULL && i < self->terms->len; i++) {
    const Term *term = g_ptr_array_index (self->terms, i);

    if (holds_for (term->source, source) && holds_for (term->target, target))
      take_term (&lists, term->from, term->to);
  }
  g_ptr_array_add (lists.keep, NULL);
  ret_pick->keep = NULL;
  ret_pick->terms = NULL;
  if (lists.keep->len > 1)
    ret_pick->keep =
        (const char **) g_ptr_array_free (g_steal_pointer (&lists.keep), FALSE);
  if (lists.terms->len > 0)
    ret_pick->terms = (DubGlossaryEntry *) (gpointer) g_array_free (
        g_steal_pointer (&lists.terms), FALSE);
  g_clear_pointer (&lists.keep, g_ptr_array_unref);
  g_clear_pointer (&lists.terms, g_array_unref);
}

void
dub_glossary_pick_clear (DubGlossaryPick *pick)
{
  g_clear_pointer (&pick->keep, g_free);
  g_clear_pointer (&pick->terms, g_free);
  g_clear_pointer (&pick->owned, g_ptr_array_unref);
}
