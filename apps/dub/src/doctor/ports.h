/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Who listens on a TCP port of this machine, as the kernel's tables tell. */
G_BEGIN_DECLS

/* The inode of the socket that listens on port, in the text of
 * /proc/net/tcp or tcp6; 0 for none. Pure. */
guint64 dub_ports_find_listener (const char *table, guint16 port);

/* TRUE when somebody listens there; ret_who is "mediamtx (pid 4711)", or
 * "another user's program". (transfer full) */
gboolean dub_ports_is_taken (guint16 port, char **ret_who);

G_END_DECLS
