/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * What certificates of servers are checked against: the system's, or those of
 * a PEM file. Checking is never off.
 *
 * At start, before the first connection; it holds for the whole process.
 */
G_BEGIN_DECLS

/* path: (nullable) leaves the system's. DUB_ERROR_INVALID names the file. */
gboolean dub_tls_use_ca_file (const char *path, GError **error);

G_END_DECLS
