/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * What a stream may be called, wherever its id comes in: [A-Za-z0-9_-]+, so
 * that it is safe in a path, a file's name, a label and a log.
 *
 * Any thread.
 */
G_BEGIN_DECLS

/* As in a path live/<id>/in. */
#define DUB_STREAM_ID_MAX 64

/* TRUE: 1 to max such characters. id: (nullable) */
gboolean dub_stream_id_fits (const char *id, gsize max);
/* The same with DUB_STREAM_ID_MAX. */
gboolean dub_stream_id_is_valid (const char *id);

G_END_DECLS
