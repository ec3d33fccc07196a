/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Looks at a file before anything is started, so that what cannot be dubbed is
 * said at once and in a person's words. Blocks, at most ten seconds.
 */
G_BEGIN_DECLS

typedef struct {
  double duration_s;
} DubProbe;

/* DUB_ERROR_NOT_FOUND: there is no such file; DUB_ERROR_UNSUPPORTED: no media,
 * no video, no sound, or not of a kind that we take. */
gboolean dub_probe_file (const char *path, DubProbe *ret_probe, GError **error);

G_END_DECLS
