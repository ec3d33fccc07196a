/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "settings.h"

/*
 * Where a stream is at the media server, with the user that MEDIAMTX_USER
 * names: for RTMP in the query, which is where MediaMTX looks for it, for RTSP
 * before the host. Such a URL goes to a worker's standard input and nowhere
 * else; dub_redact_url () makes one that may be shown.
 *
 * Any thread. (transfer full)
 */
G_BEGIN_DECLS

/* way: "in", "out", "out/de". */
char *dub_media_url (const DubServiceSettings *settings, const char *id,
    const char *way, DubIngestWay protocol);

/* The value of Authorization for the media server's API; NULL: no user. */
char *dub_media_api_authorization (const DubServiceSettings *settings);

G_END_DECLS
