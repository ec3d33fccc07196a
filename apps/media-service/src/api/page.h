/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../orchestrator/settings.h"

#include <libsoup/soup.h>

/*
 * The operators' page: the files of src/page, which are inside of the program.
 * They hold no secret and need no token; what the page then asks for does.
 * Nothing of it comes from another host but pictures and sound, from the media
 * server, and the browser is told so.
 *
 *   GET /            index.html, for those who would rather have HTML
 *   GET /page/...    what it is made of
 *
 * Thread: the default main context.
 */
G_BEGIN_DECLS

/* Whether someone who accepts this (nullable) would rather have HTML than
 * JSON. */
gboolean dub_page_is_wanted (const char *accept);

/* Answers a GET of "/" or of what is below "/page/". FALSE: there is no such
 * file, and nothing was answered. */
gboolean dub_page_answer (const DubServiceSettings *settings,
    SoupServerMessage *message, const char *path);

/* Where a browser that found us at asked_host (nullable) finds the media
 * server's HLS and WebRTC, without a slash at the end: as it was set, else at
 * the usual port of MEDIAMTX_HOST, which for a browser elsewhere is ours when
 * it is this machine. (transfer full) */
char *dub_page_get_hls_url (
    const DubServiceSettings *settings, const char *asked_host);
char *dub_page_get_webrtc_url (
    const DubServiceSettings *settings, const char *asked_host);
/* Where an encoder finds the media server: scheme rtmp or rtsp, and its port.
 * (transfer full) */
char *dub_page_get_media_url (const DubServiceSettings *settings,
    const char *asked_host, const char *scheme, guint port);

/* The Content-Security-Policy of a page that plays from there.
 * (transfer full) */
char *dub_page_get_policy (const char *hls_url, const char *webrtc_url);

G_END_DECLS
