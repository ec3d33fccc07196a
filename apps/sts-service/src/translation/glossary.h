/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "translation.h"

/*
 * The words a service has its own mind about: GLOSSARY_FILE.
 *
 *   # What stands before the first pair holds for every pair.
 *   Real Madrid            not to be translated
 *   [en-es]
 *   goal keeper = portero  always so
 *   [*-de]
 *   match = Spiel
 *
 * Terms for one stream come with it, as "keep:Real Madrid" and
 * "term:keeper=portero" behind the domain in its domain_hints, and go before
 * those of the file.
 *
 * Immutable once made. Any thread.
 */
G_BEGIN_DECLS

#define DUB_GLOSSARY_MAX_BYTES (256 * 1024)
#define DUB_GLOSSARY_MAX_TERMS 2000
#define DUB_GLOSSARY_MAX_TERM_BYTES 200

typedef struct _DubGlossary DubGlossary;

/* DUB_ERROR_INVALID or DUB_ERROR_LIMIT, with the line. (transfer full)
 * (nullable) */
DubGlossary *dub_glossary_parse (const char *text, GError **error);
/* The same of a file. */
DubGlossary *dub_glossary_load (const char *path, GError **error);
void dub_glossary_free (DubGlossary *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubGlossary, dub_glossary_free)

/* What holds for one request; points into the glossary and the stream's
 * hints, which must outlive it. */
typedef struct {
  const char **keep;       /* NULL: none */
  DubGlossaryEntry *terms; /* NULL: none */
  GPtrArray *owned;
} DubGlossaryPick;

/* Whether a hint is a term and not a domain. */
gboolean dub_glossary_is_term (const char *hint);
/* self: (nullable). stream_hints: domain_hints (nullable). */
void dub_glossary_pick (const DubGlossary *self,
    const char *const *stream_hints, const char *source, const char *target,
    DubGlossaryPick *ret_pick);
void dub_glossary_pick_clear (DubGlossaryPick *pick);

G_END_DECLS
