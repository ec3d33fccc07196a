/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * A library's message about a URL, without the URL's key: the URL itself
 * becomes what dub_redact_url () makes of it, and its last path element, which
 * is the key where it is not one of our own paths, becomes "***", as does its
 * password and each value of its query.
 *
 * Any thread. (transfer full)
 */
char *dub_hide_key (const char *text, const char *url);
/* The same; where the server's certificate was refused, what is wrong with it
 * follows. */
char *dub_safe_text (const char *text, const char *url);
