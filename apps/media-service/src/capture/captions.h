/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Cues of WebVTT. Pure; any thread.
 */
G_BEGIN_DECLS

#define DUB_CAPTIONS_HEAD "WEBVTT\n\n"

/* Times in media time; text of one line. NULL where there is nothing to show.
 * (transfer full) (nullable) */
char *dub_captions_cue (gint64 start_ns, gint64 end_ns, const char *text);
/* "captions.es.vtt"; what is no language tag is "original". (transfer full) */
char *dub_captions_file (const char *language);

G_END_DECLS
