/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Text to what Piper's and Kokoro's voices read: IPA from espeak-ng, in
 * sentences, with the punctuation that gives them their melody. espeak-ng is
 * one per process and not reentrant: one thread only.
 *
 * In a build without espeak-ng open says so.
 */
G_BEGIN_DECLS

/* Does the build have espeak-ng? */
gboolean dub_phonemes_exist (void);

/* voice: espeak-ng's name ("en-us"). Again, to speak in another one. */
gboolean dub_phonemes_open (const char *voice, GError **error);

/*
 * The sentences of text, each a GArray of gunichar that holds only members of
 * known; what the voice does not know is left out and counted. Empty sentences
 * are left out. (transfer full): of GArray
 */
GPtrArray *dub_phonemes_from_text (
    const char *text, GHashTable *known, guint *ret_unknown);

/*
 * The pure part: appends one clause of IPA, and the sign that ended it, to
 * sentence. Marks of a change of language, "(en)", are left out. The number
 * of code points that known has not.
 */
guint dub_phonemes_append (
    GArray *sentence, const char *ipa, gunichar sign, GHashTable *known);

G_END_DECLS
