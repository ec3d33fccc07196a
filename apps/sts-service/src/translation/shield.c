/* SPDX-License-Identifier: Apache-2.0 */
#include "shield.h"

#include <string.h>

/* More in one sentence is a mistake in the list. */
#define MAX_TERMS 32

struct _DubShield {
  DubShieldStyle style;
  GString *text;
  GPtrArray *said; /* of char *, one for each word of ours */
};

/* ---- finding ------------------------------------------------------------ */

/* The length in text of what equals term whatever the case; 0: another. */
static gsize
match_length (const char *text, const char *term)
{
  const char *start = text;

  for (; *term != '\0';
       text = g_utf8_next_char (text), term = g_utf8_next_char (term))
    if (*text == '\0' || g_unichar_tolower (g_utf8_get_char (text)) !=
                             g_unichar_tolower (g_utf8_get_char (term)))
      return 0;
  return (gsize) (text - start);
}

static gboolean
is_word_char (gunichar c)
{
  return g_unichar_isalnum (c);
}

/* Whether words end before from and after to. */
static gboolean
stands_alone (const char *text, const char *from, const char *to)
{
  const char *before = g_utf8_find_prev_char (text, from);

  if (before != NULL && is_word_char (g_utf8_get_char (before)) &&
      is_word_char (g_utf8_get_char (from)))
    return FALSE;
  return *to == '\0' || !is_word_char (g_utf8_get_char (to)) ||
         !is_word_char (g_utf8_get_char (g_utf8_find_prev_char (text, to)));
}

typedef struct {
  const char *text;
  gboolean is_unspaced;
  gsize length; /* of the longest so far */
  const char *said;
} Search;

static void
try_term (Search *search, const char *at, const char *term, const char *said)
{
  gsize length = *term != '\0' ? match_length (at, term) : 0;

  if (length <= search->length ||
      (!search->is_unspaced && !stands_alone (search->text, at, at + length)))
    return;
  search->length = length;
  search->said = said;
}

static void
find_at (Search *search, const char *at, const DubTranslationHints *hints)
{
  search->length = 0;
  search->said = NULL;
  for (guint i = 0; hints->keep != NULL && hints->keep[i] != NULL; i++)
    try_term (search, at, hints->keep[i], NULL);
  for (guint i = 0; hints->glossary != NULL && hints->glossary[i].from != NULL;
       i++)
    try_term (search, at, hints->glossary[i].from, hints->glossary[i].to);
}

/* ---- taking out -----------------------------------------------------------
 */

static void
append_escaped (GString *out, const char *text, gsize length)
{
  g_autofree char *escaped = g_markup_escape_text (text, (gssize) length);

  g_string_append (out, escaped);
}

/* said (transfer full) */
static void
take_out (DubShield *self, char *said)
{
  if (self->style == DUB_SHIELD_XML) {
    g_string_append (self->text, "<k>");
    append_escaped (self->text, said, strlen (said));
    g_string_append (self->text, "</k>");
  } else {
    g_string_append_printf (self->text, "ZQ%uX", self->said->len);
  }
  g_ptr_array_add (self->said, said);
}

static void
pass (DubShield *self, const char *text, gsize length)
{
  if (self->style == DUB_SHIELD_XML)
    append_escaped (self->text, text, length);
  else
    g_string_append_len (self->text, text, (gssize) length);
}

static void
take_all_out (DubShield *self, const DubTranslationRequest *request)
{
  Search search = {.text = request->text,
      .is_unspaced = dub_language_is_unspaced (request->source)};
  const char *at = request->text;

  while (*at != '\0') {
    gsize step = (gsize) (g_utf8_next_char (at) - at);

    search.length = 0;
    if (self->said->len < MAX_TERMS)
      find_at (&search, at, &request->hints);
    if (search.length == 0) {
      pass (self, at, step);
      at += step;
      continue;
    }
    take_out (self, search.said != NULL ? g_strdup (search.said)
                                        : g_strndup (at, search.length));
    at += search.length;
  }
}

DubShield *
dub_shield_new (const DubTranslationRequest *request, DubShieldStyle style)
{
  DubShield *self = NULL;

  if (request->hints.keep == NULL && request->hints.glossary == NULL)
    return NULL;
  self = g_new0 (DubShield, 1);
  self->style = style;
  self->text = g_string_new (NULL);
  self->said = g_ptr_array_new_with_free_func (g_free);
  take_all_out (self, request);
  if (self->said->len == 0)
    g_clear_pointer (&self, dub_shield_free);
  return self;
}

void
dub_shield_free (DubShield *self)
{
  if (self == NULL)
    return;
  g_string_free (self->text, TRUE);
  g_ptr_array_unref (self->said);
  g_free (self);
}

const char *
dub_shield_get_text (const DubShield *self)
{
  return self->text->str;
}

/* ---- putting back ---------------------------------------------------------
 */

static gboolean
put_back (GString *text, const char *word, const char *said)
{
  const char *at = text->str;

  for (; *at != '\0'; at++) {
    if (g_ascii_strncasecmp (at, word, strlen (word)) == 0) {
      gssize offset = at - text->str;

      g_string_erase (text, offset, (gssize) strlen (word));
      g_string_insert (text, offset, said);
      return TRUE;
    }
  }
  return FALSE;
}

static char *
restore_words (const DubShield *self, const char *translated)
{
  g_autoptr (GString) text = g_string_new (translated);

  for (guint i = 0; i < self->said->len; i++) {
    g_autofree char *word = g_strdup_printf ("ZQ%uX", i);

    if (!put_back (text, word, g_ptr_array_index (self->said, i)))
      return NULL;
  }
  return g_strdup (text->str);
}

static char *
restore_xml (const char *translated)
{
  static const char *const pairs[][2] = {{"<k>", ""}, {"</k>", ""},
      {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&apos;", "'"},
      {"&#39;", "'"}, {"&amp;", "&"}};
  g_autoptr (GString) text = g_string_new (translated);

  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    g_string_replace (text, pairs[i][0], pairs[i][1], 0);
  return g_strdup (text->str);
}

char *
dub_shield_restore (const DubShield *self, const char *translated)
{
  return self->style == DUB_SHIELD_XML ? restore_xml (translated)
                                       : restore_words (self, translated);
}
