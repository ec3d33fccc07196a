/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>

/*
 * One end of a control connection: a connected Unix socket, JSON objects both
 * ways. Neither end ever waits for the other: what cannot be written at once
 * is kept, and a peer that leaves more than DUB_CONTROL_MAX_PENDING bytes
 * unread is closed.
 *
 * Thread: that of the main context that was the default when it was made. The
 * callbacks run there and may free the peer.
 */
G_BEGIN_DECLS

/* A worker takes lines of this length, media-service the longer ones, as the
 * metrics of a worker come as one. */
#define DUB_CONTROL_MAX_COMMAND_BYTES (64 * 1024)
#define DUB_CONTROL_MAX_REPORT_BYTES (1024 * 1024)
#define DUB_CONTROL_MAX_PENDING (4 * 1024 * 1024)

typedef struct _DubControlPeer DubControlPeer;

typedef struct {
  void (*message) (
      DubControlPeer *peer, JsonObject *message, gpointer user_data);
  /* A line that was no message; the connection goes on. (nullable) */
  void (*garbage) (
      DubControlPeer *peer, const GError *error, gpointer user_data);
  /* Once, last: the other end is gone. */
  void (*closed) (DubControlPeer *peer, gpointer user_data);
} DubControlPeerFuncs;

/* fd: a connected stream socket (transfer full). funcs is not copied. */
DubControlPeer *dub_control_peer_new (int fd, gsize max_line_bytes,
    const DubControlPeerFuncs *funcs, gpointer user_data);
/* Closes the socket; no callback comes any more. */
void dub_control_peer_free (DubControlPeer *peer);

/* FALSE: the peer is gone, or reads too little. */
gboolean dub_control_peer_send (DubControlPeer *peer, JsonObject *message);

/* The process at the other end as the kernel knows it, 0 when unknown. */
int dub_control_peer_get_pid (DubControlPeer *peer);

/* A listening or connected Unix socket, close-on-exec and non-blocking; -1 and
 * error on failure. The listener's file has mode 0600 from its first moment. */
int dub_control_listen (const char *path, GError **error);
int dub_control_connect (const char *path, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubControlPeer, dub_control_peer_free)

G_END_DECLS
