/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * A text as a voice should read it, by the rules of the language it is in:
 *
 *   signs          curly quotes, dashes, ellipses as plain ones; what is drawn
 *                  and not said (♪, *, #) left out; "!!!" once
 *   abbreviations  "Dr. Ruiz" → "Doctor Ruiz"; in English "NBA" → "N B A"
 *   money, units   "$20" → "20 dollars", "35 km/h" → "35 kilometres per hour"
 *   scores         "21-14" → "21 to 14"
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
