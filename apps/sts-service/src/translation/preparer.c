/* SPDX-License-Identifier: Apache-2.0 */
#include "preparer.h"

#include "context.h"
#include "glossary.h"
#include "text_rules.h"

#include <dubbing_common/clock.h>
#include <string.h>

/* What was said a minute ago says nothing about this sentence. */
#define CONTEXT_AGE_NS (60 * DUB_NS_PER_S)
/* What a voice gains by speaking faster before a listener minds. */
#define RATE_MARGIN 1.3

struct _DubPreparer {
  DubTranslationOptions options; /* but for its strings, which may go */
  DubGlossary *glossary;         /* (nullable) */
  DubContext *context;
};

typedef struct {
  char **context;
  DubGlossaryPick pick;
} Private;

DubPreparer *
dub_preparer_new (const DubTranslationOptions *options, GError **error)
{
  g_autoptr (DubPreparer) self = g_new0 (DubPreparer, 1);

  self->options = *options;
  self->context =
      dub_context_new ((guint) options->context_sentences, CONTEXT_AGE_NS);
  if (options->glossary_file == NULL)
    return g_steal_pointer (&self);
  self->glossary = dub_glossary_load (options->glossary_file, error);
  return self->glossary != NULL ? g_steal_pointer (&self) : NULL;
}

void
dub_preparer_free (DubPreparer *self)
{
  if (self == NULL)
    return;
  dub_glossary_free (self->glossary);
  dub_context_free (self->context);
  g_free (self);
}

const char *
dub_preparer_domain (const char *const *stream_hints)
{
  for (guint i = 0; stream_hints != NULL && stream_hints[i] != NULL; i++)
    if (!dub_glossary_is_term (stream_hints[i]))
      return stream_hints[i];
  return NULL;
}

char *
dub_preparer_take_speaker (
    DubPreparer *self, const char *text, char **ret_speaker)
{
  if (self->options.removes_speakers)
    return dub_text_take_speaker (text, ret_speaker);
  *ret_speaker = NULL;
  return g_strdup (text);
}

static char *
make_text (DubPreparer *self, const DubHeardText *heard, char **ret_speaker)
{
  g_autofree char *text =
      dub_preparer_take_speaker (self, heard->text, ret_speaker);

  if (self->options.normalises)
    return dub_text_normalise (text, heard->source);
  return g_steal_pointer (&text);
}

static const char *
formality_of (const DubTranslationOptions *options)
{
  if (options->formality == DUB_FORMALITY_DEFAULT)
    return NULL;
  return dub_formalities[options->formality];
}

static guint
max_chars (const DubHeardText *heard)
{
  double seconds = heard->slot_ms / 1000.0;

  return (
      guint) (seconds * dub_language_chars_per_s (heard->target) * RATE_MARGIN);
}

void
dub_preparer_prepare (DubPreparer *self, const DubHeardText *heard,
    gint64 now_ns, DubPreparedText *ret_prepared)
{
  Private *private = g_new0 (Private, 1);

  *ret_prepared = (DubPreparedText){.private = private};
  ret_prepared->text = make_text (self, heard, &ret_prepared->speaker);
  private->context = dub_context_get (
      self->context, heard->stream_id, heard->sequence_number, now_ns);
  dub_glossary_pick (self->glossary, heard->stream_hints, heard->source,
      heard->target, &private->pick);
  ret_prepared->hints =
      (DubTranslationHints){.domain = dub_preparer_domain (heard->stream_hints),
          .context = (const char *const *) private->context,
          .glossary = private->pick.terms,
          .keep = private->pick.keep,
          .formality = formality_of (&self->options),
          .max_chars = max_chars (heard)};
  dub_context_add (self->context, heard->stream_id, heard->sequence_number,
      ret_prepared->text, now_ns);
}

void
dub_prepared_text_clear (DubPreparedText *prepared)
{
  Private *private = prepared->private;

  if (private != NULL) {
    g_strfreev (private->context);
    dub_glossary_pick_clear (&private->pick);
  }
  g_free (private);
  g_free (prepared->text);
  g_free (prepared->speaker);
  *prepared = (DubPreparedText){NULL};
}
