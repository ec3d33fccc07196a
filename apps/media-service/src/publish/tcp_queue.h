/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * What the kernel still holds of a TCP connection that a library made and keeps
 * to itself. Without knowing it a peer that takes nothing is only seen when
 * megabytes of socket buffer are full.
 *
 * Any thread.
 */
G_BEGIN_DECLS

/* The connection of this process to that port over which about so many bytes
 * were written: a duplicate of its descriptor, to be closed by the caller
 * together with the connection. -1 when there is none. */
int dub_tcp_queue_find (guint16 port, guint64 written);
/* What is written to any of this process's connections to that port leaves at
 * once, and waits for no acknowledgement of what was written before. */
void dub_tcp_queue_set_no_delay (guint16 port);
/* That of a server's URL; where it names none, its scheme's (rtmp, rtmps, rtsp,
 * rtsps), and 0 for another scheme. */
guint16 dub_tcp_queue_port_of (const char *url);
/* Bytes that the peer has not acknowledged; 0 when that cannot be said. */
guint64 dub_tcp_queue_unacknowledged (int fd);

G_END_DECLS
