/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * What is done to a text before it is translated, by the rules of its own
 * language, and after. Rules that name words are kept per language; a language
 * without a row gets only those that need none. All texts are UTF-8. Pure; any
 * thread.
 */
G_BEGIN_DECLS

/*
 * Before:
 *   "1:54 REMAINING IN THE HALF" → "1:54 remaining in the half"
 *   "TEN-YARD-LINE"              → "TEN YARD LINE"
 *   "vs."                        → "versus"
 *   "$5 million", "50%", " & "   → "5 million dollars", "50 percent", " and "
 * Abbreviations like NBA stay: a translator knows them, and not "N B A".
 * (transfer full)
 */
char *dub_text_normalise (const char *text, const char *language);

/*
 * After, as it will be shown (how a voice reads it is tts/speakable.h's):
 *   "What?!?!!", "So......" → "What?!", "So..."
 *   "今天 天气"              → "今天天气"
 *   blanks of every kind    → one space; none of no width
 * (transfer full)
 */
char *dub_text_tidy (const char *text);

/*
 * "Alice: Hello" and ">> Alice: Hello" → "Hello" with speaker "Alice". A word
 * like "Score:" is none, and neither is a label with nothing behind it.
 * speaker: (nullable), (transfer full). Returns what is left, (transfer full).
 */
char *dub_text_take_speaker (const char *text, char **ret_speaker);

G_END_DECLS
