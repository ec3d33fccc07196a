/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "dubbing_common/config.h"

/*
 * Text to value and back, for one option. Inside of the library only.
 */
G_BEGIN_DECLS

/* Parses text and stores it in settings; where is what messages call the
 * option ("OUTPUT_DELAY_MS" or "--output-delay-ms"). NULL text: unset. */
gboolean dub_option_store (const DubOption *option, gpointer settings,
    const char *where, const char *text, GError **error);
void dub_option_clear (const DubOption *option, gpointer settings);

/* "3000 to 30000 ms", "a, b or c", "at most 64 bytes"; NULL: anything.
 * (transfer full) (nullable) */
char *dub_option_range (const DubOption *option);
/* The value as text, secrets and keys hidden, on one line. (transfer full) */
char *dub_option_show (const DubOption *option, gconstpointer settings);

/* "1m30s" to milliseconds. */
gboolean dub_option_parse_duration (const char *text, gint64 *ret_ms);

G_END_DECLS
