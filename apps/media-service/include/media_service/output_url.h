/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Where a language other than the stream's first goes: its code becomes one
 * more element of the path.
 *
 *   rtmp://host/live/a/out?user=u             …/live/a/out/es?user=u
 *   srt://host:1?streamid=publish:a/out:u:p   …?streamid=publish:a/out/es:u:p
 *   srt://host:1?streamid=%23!::r=a/out,m=…   …?streamid=%23!::r=a/out/es,m=…
 *
 * SRT has no path of its own; its stream id names one in either of the two ways
 * that servers know.
 *
 * language: (nullable), NULL: the first. NULL when the URL has no place for it.
 * Any thread. (transfer full) (nullable)
 */
char *dub_output_url_of_language (const char *url, const char *language);
