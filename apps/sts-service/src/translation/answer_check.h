/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "translation.h"

/*
 * Is that a translation? An engine that is a general model, or is ill, answers
 * with nothing, with far too much, with its own instructions, in another
 * script, or with what it was given. Such text must not be spoken: it is an
 * error (DUB_ERROR_ENGINE), and the next engine of the list is asked. Pure;
 * any thread.
 */
G_BEGIN_DECLS

/* Blanks made one and trimmed; a pair of quotation marks that the source has
 * not taken off; what stands in <think>…</think> taken out.
 * (transfer full) */
char *dub_answer_tidy (const char *answer, const char *source_text);

/* prompt: what the engine was told (nullable). answer: tidy. */
gboolean dub_answer_check (const char *answer,
    const DubTranslationRequest *request, const char *prompt, GError **error);

G_END_DECLS
