/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>

/*
 * What the next media-service must know of a stream: FOLDER/<stream>.json
 * beside its control socket, mode 0600, as it may hold keys. Replaced whole,
 * and only when it differs from what stands there.
 *
 * Thread: any one at a time.
 */
G_BEGIN_DECLS

#define DUB_STATE_MAX_BYTES 65536

void dub_state_file_save (
    const char *folder, const char *stream_id, JsonObject *state);
void dub_state_file_remove (const char *folder, const char *stream_id);
/* NULL: none, or none of ours. (transfer full) (nullable) */
JsonObject *dub_state_file_load (const char *folder, const char *stream_id);
/* Names in the folder with that suffix, without it, that are valid ids.
 * (transfer full) (element-type utf8) */
GPtrArray *dub_state_file_find (const char *folder, const char *suffix);

G_END_DECLS
