/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>

/*
 * Every event by name: decode, then encode again. Shared by the test of the
 * samples and by the fuzz target.
 */

/* (transfer full) (nullable); error only when the event is refused. FALSE in
 * ret_is_known for a name that is none of ours. */
JsonNode *dub_codec_round_trip (const char *event, JsonNode *payload,
    gboolean *ret_is_known, GError **error);
/* Name number index; NULL behind the last. */
const char *dub_codec_event (guint index);
