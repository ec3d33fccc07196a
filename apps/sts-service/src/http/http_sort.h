/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "http_engine.h"

/*
 * What an answer or a failed connection means, as one of our codes, and what
 * of a stranger's words may be shown. Pure functions; any thread.
 */
G_BEGIN_DECLS

/* NONE below 300. */
DubErrorCode dub_http_sort_status (guint status);
/* An error of GIO, GnuTLS or libsoup. */
DubErrorCode dub_http_sort_error (const GError *error);

/* Seconds or a date, as RFC 9110 has it; -1: neither. now: Unix time. */
gint64 dub_http_retry_after_ms (const char *value, gint64 now_s);

/* What the answer says of itself in one of the usual fields ("message",
 * "error", "error.message", "detail", "detail.message"): one line, at most 120
 * bytes, and none of hidden in it (NULL-terminated). NULL: nothing usual.
 * (transfer full) */
char *dub_http_error_text (JsonNode *body, const char *const *hidden);

G_END_DECLS
