/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "translation.h"

/*
 * Terms that an engine without a glossary must leave alone: what is not to be
 * translated, and what the glossary translates. They are taken out of the text
 * before and put back, as they are to be said, after.
 *
 *   "Ask Real Madrid" ─▶ "Ask ZQ0X" ─▶ "Pregunta a ZQ0X" ─▶ "Pregunta a Real
 *                                                             Madrid"
 *
 * WORD: a made-up word, which every engine copies as it copies a name. XML:
 * the term itself in <k>…</k>, for an engine that can be told to ignore the
 * tag; the rest is escaped then.
 *
 * A term is found as whole words and whatever its case; the longest wins. In
 * languages without spaces it is found anywhere. Pure; any thread.
 */
G_BEGIN_DECLS

typedef enum { DUB_SHIELD_WORD = 0, DUB_SHIELD_XML } DubShieldStyle;

typedef struct _DubShield DubShield;

/* NULL: there is no such term in it. (nullable) */
DubShield *dub_shield_new (
    const DubTranslationRequest *request, DubShieldStyle style);
void dub_shield_free (DubShield *self);

/* For the engine. */
const char *dub_shield_get_text (const DubShield *self);
/* NULL: the engine lost or changed one of the words.
 * (transfer full) (nullable) */
char *dub_shield_restore (const DubShield *self, const char *translated);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubShield, dub_shield_free)

G_END_DECLS
