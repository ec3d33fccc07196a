/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* base ("/proc/self/exe", "engine"), then kind: the command line of a child.
 * (transfer full) */
char **dub_engine_command (const char *const *base, const char *kind);

G_END_DECLS
