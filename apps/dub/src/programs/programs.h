/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Where the other programs are: beside this one (as installed), in the build
 * folder that this one lies in, or on PATH, in that order. Any thread.
 */
G_BEGIN_DECLS

/* DUB_ERROR_NOT_FOUND says what brings it. (transfer full) (nullable) */
char *dub_program_find (const char *name, GError **error);

/* The media server: $MEDIAMTX, build/tools of this checkout, PATH. */
char *dub_program_find_mediamtx (GError **error);

/* What it prints, at most 256 KiB, without the last line end. It is ended after
 * 600 s, and with this program. (transfer full) (nullable) */
char *dub_program_ask (const char *const *argv, GError **error);

G_END_DECLS
