/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * A text as a voice should read it, by the rules of the language it is in.
 * What comes in is fit for captions already (translation/text_rules.h); what
 * goes out is for the voice alone:
 *
 *   signs          what is drawn and not said (♪, *, #) left out; a dash
 *                  between words a comma, which is a pause
 *   abbreviations  "Dr. Ruiz" → "Doctor Ruiz"; in English "NBA" → "N B A"
 *   money, units   "$20" → "20 dollars", "35 km/h" → "35 kilometres per hour"
 *   scores, years  "3-2" → "3 to 2", in German "1914-1918" → "1914 bis 1918";
 *                  no dates, telephone numbers and decimals
 *   white space    one space at a time, none at the ends
 *
 * What voices read well by themselves (%, dates, 8:30, 1,000) is left alone.
 * Languages without rules get the signs and the white space.
 *
 * Pure; any thread.
 */
G_BEGIN_DECLS

/* "" when there is nothing in it that can be said. (transfer full) */
char *dub_speakable (const char *text, const char *language);

G_END_DECLS
