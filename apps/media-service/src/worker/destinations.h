/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * EGRESS_DESTINATIONS: where a stream goes beside its own output, as a JSON
 * array,
 *
 *   [{"name": "twitch", "url": "rtmp://host/app/key", "language": "en"}]
 *
 * language is optional: the stream's first. The whole text is a secret, since
 * its URLs hold keys; no error message repeats one.
 *
 * Pure; any thread.
 */
G_BEGIN_DECLS

#define DUB_DESTINATIONS_MAX 16
#define DUB_DESTINATION_MAX_URL 2048
#define DUB_DESTINATIONS_MAX_BYTES 49152

typedef struct {
  char *name;     /* [A-Za-z0-9_-]{1,32}, of one destination only */
  char *url;      /* rtmp, rtmps, srt, rtsp, rtsps */
  char *language; /* (nullable) */
} DubDestination;
void dub_destination_free (DubDestination *destination);
gboolean dub_destination_equal (
    const DubDestination *a, const DubDestination *b);

/* json: (nullable), NULL and "" are none. DUB_ERROR_INVALID, _UNSUPPORTED or
 * _LIMIT names the one that is wrong. (element-type DubDestination)
 * (transfer full) */
GPtrArray *dub_destinations_parse (const char *json, GError **error);

G_END_DECLS
