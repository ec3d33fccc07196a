/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Text of the kind that is to be expected, by domain and language: a
 * recogniser that gets it as what was said before spells the words of the
 * field as the field does. It must be in the language that is spoken, else it
 * draws the recogniser into another one; so for a language that has no text
 * here there is none.
 *
 * Pure; any thread.
 */
G_BEGIN_DECLS

/* domain: "sports", "football", "basketball", "news", "interview"; any other,
 * NULL and "general" have no text. language: a tag, or "auto" (none). Static;
 * NULL when there is none. */
const char *dub_domain_prompt (const char *domain, const char *language);

G_END_DECLS
