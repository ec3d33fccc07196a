/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * The pure half of the way to Apertium: its stream format, its mode files and
 * the names of its language pairs.
 *
 * In the stream ^ $ / < > { } [ ] \ @ mean something and are escaped; what
 * stands in brackets passes untouched; * @ # before a word mark one that could
 * not be translated. A full stop before the end of a request is lost unless an
 * empty pair of brackets follows it. Any thread.
 */
G_BEGIN_DECLS

#define DUB_APERTIUM_MAX_TEXT 8192

/* text as a request, without the NUL that ends it. (transfer full) */
char *dub_apertium_escape (const char *text);
/* What came back for text, as plain text. NULL: not what Apertium says.
 * (transfer full) (nullable) */
char *dub_apertium_unescape (
    const char *answer, gsize length, const char *text);

/* A mode file ("lt-proc 'file' | apertium-tagger -g $2 'file' | ...") as
 * command lines that flush at each NUL. DUB_ERROR_INVALID: not a pipeline.
 * (transfer full): of char ** */
GPtrArray *dub_apertium_parse_mode (const char *text, GError **error);

/* Of names like "eng-spa", "es-pt_BR", the one for these tags: the same
 * region first, then none, then any. "auto" is any source. (nullable), of
 * modes. */
const char *dub_apertium_pick (
    const char *const *modes, const char *source, const char *target);

G_END_DECLS
