/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "translation.h"

/*
 * What is done around a translator, whichever answers: the text is made ready
 * before (speaker labels, text_rules.h), the translator is told what may help
 * it (context.h, glossary.h, formality, how much fits).
 *
 *   heard ─▶ prepare ─▶ text, hints ─▶ translator ─▶ dub_text_tidy ()
 *
 * Main thread only.
 */
G_BEGIN_DECLS

typedef struct _DubPreparer DubPreparer;

/* Reads GLOSSARY_FILE. DUB_ERROR_NOT_FOUND, DUB_ERROR_INVALID or
 * DUB_ERROR_LIMIT when it is named and is not good. (transfer full)
 * (nullable) */
DubPreparer *dub_preparer_new (
    const DubTranslationOptions *options, GError **error);
void dub_preparer_free (DubPreparer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubPreparer, dub_preparer_free)

typedef struct {
  const char *stream_id;
  guint64 sequence_number;
  const char *text;
  const char *source, *target;
  const char *const *stream_hints; /* domain_hints (nullable) */
  guint slot_ms;                   /* to be said in; 0: not known */
} DubHeardText;

typedef struct {
  char *text;
  char *speaker; /* (nullable) */
  /* Points into what is private below, and into stream_hints. */
  DubTranslationHints hints;
  gpointer private;
} DubPreparedText;

/* text without a label of who speaks. ret_speaker (nullable), (transfer full)
 * each. */
char *dub_preparer_take_speaker (
    DubPreparer *self, const char *text, char **ret_speaker);

/* What was heard is context for the sentences after it. */
void dub_preparer_prepare (DubPreparer *self, const DubHeardText *heard,
    gint64 now_ns, DubPreparedText *ret_prepared);
void dub_prepared_text_clear (DubPreparedText *prepared);

/* The first of a stream's hints that is no term; NULL: none. */
const char *dub_preparer_domain (const char *const *stream_hints);

G_END_DECLS
