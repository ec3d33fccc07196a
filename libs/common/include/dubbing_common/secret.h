/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Tokens that callers send, beside those that they must send. How long a
 * comparison takes tells the length of what came and nothing of the secret, so
 * that nobody can find one out letter by letter.
 *
 * Any thread.
 */
G_BEGIN_DECLS

/* given: (nullable). secret: (nullable); NULL and "" equal nothing: what is not
 * set cannot be guessed. */
gboolean dub_secret_equal (const char *given, const char *secret);

/* header: the value of Authorization (nullable). TRUE for "Bearer SECRET", the
 * scheme in any case. */
gboolean dub_secret_is_bearer (const char *header, const char *secret);

G_END_DECLS
