/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Which files a caller of the API may name: those below MEDIA_ROOT, and no
 * others on this machine. Links and ".." are followed first, so that what is
 * judged is what would be opened.
 *
 * Any thread. It reads the file system, so it may take as long as that takes.
 */
G_BEGIN_DECLS

gboolean dub_media_root_is_file (const char *url);

/* The same file as file://, without any link in its path: what is kept, so
 * that a link that is changed later leads nowhere else. root: (nullable): no
 * file may be named. DUB_ERROR_INVALID, in the same words for a file that is
 * not there and for one that is elsewhere. (transfer full) (nullable) */
char *dub_media_root_resolve (
    const char *root, const char *url, GError **error);

G_END_DECLS
