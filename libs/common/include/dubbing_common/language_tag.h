/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * What a setting may say a language is: a tag as "en", "spa", "pt-BR" or
 * "zh_Hant_TW". Whether an engine knows it is another matter; a name such as
 * "spanish" is none that any could.
 *
 * Any thread.
 */
G_BEGIN_DECLS

/* TRUE: two or three letters, and what may follow each after "-" or "_", of 1
 * to 8 letters and figures. text: (nullable) */
gboolean dub_language_tag_is_valid (const char *text);

/* DUB_ERROR_INVALID, which names the setting, for what is no tag; "auto" is
 * good where it is allowed. text: (nullable), which is good: it is not set. */
gboolean dub_language_tag_check (const char *setting, const char *text,
    gboolean may_be_auto, GError **error);

G_END_DECLS
