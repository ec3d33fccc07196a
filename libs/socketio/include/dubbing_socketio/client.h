/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_socketio/ack.h>

/*
 * A Socket.IO v5 client over WebSocket, and over HTTP long-polling where the
 * way there blocks WebSocket. One object is one connection: it connects once,
 * and when it is closed, for whatever reason, on_close tells why, once. When to
 * connect again is the owner's policy, with a new object.
 *
 * All calls and callbacks on the thread-default main context of the creating
 * thread. Callbacks may free the client.
 */
G_BEGIN_DECLS

typedef struct _DubSioClient DubSioClient;

typedef struct {
  const char *path;       /* "/socket.io/" */
  const char *name_space; /* "/" */
  JsonNode *auth;         /* (nullable): none is sent; old servers hang on it */
  const char *const *headers; /* "Name", "value" pairs, NULL-terminated */
  guint connect_timeout_ms;   /* whole handshake; 5000 */
  gsize max_payload;          /* bytes of one message in; 16 MiB + 64 KiB */
  gsize max_queued_bytes;     /* not yet taken by the kernel; 32 MiB */
  guint max_attachments;      /* of one message in; 16 */
  guint ping_grace_ms;        /* silence beyond interval + timeout; 5000 */
} DubSioClientOptions;
void dub_sio_client_options_init (DubSioClientOptions *options);

typedef struct {
  void (*on_connect) (DubSioClient *client, gpointer user_data);
  void (*on_event) (
      DubSioClient *client, DubSioMessage *message, gpointer user_data);
  /* error: never NULL; its message names the URL without secrets. */
  void (*on_close) (
      DubSioClient *client, const GError *error, gpointer user_data);
  /* (nullable) An event whose sender waits for an answer: ack (transfer full).
   * Without this handler such an event goes to on_event and is answered with
   * no arguments after it. */
  void (*on_request) (DubSioClient *client, DubSioMessage *message,
      DubSioAck *ack, gpointer user_data);
} DubSioClientHandlers;

/* url: http, https, ws or wss, with host and port. */
DubSioClient *dub_sio_client_new (const char *url,
    const DubSioClientOptions *options, const DubSioClientHandlers *handlers,
    gpointer user_data, GError **error);
/* Closes at once and calls nothing any more. */
void dub_sio_client_free (DubSioClient *client);
void dub_sio_client_connect (DubSioClient *client);
gboolean dub_sio_client_is_connected (DubSioClient *client);
/* message (transfer full). FALSE when not connected or the queue is full. */
gboolean dub_sio_client_emit (DubSioClient *client, DubSioMessage *message);

/* on_ack is called once when TRUE is returned, never when FALSE or after the
 * client was freed. */
gboolean dub_sio_client_emit_with_ack (DubSioClient *client,
    DubSioMessage *message, DubSioAckFunc on_ack, gpointer user_data);
/* Sends 41 and closes the transport; on_close is called before it returns. */
void dub_sio_client_disconnect (DubSioClient *client);
gsize dub_sio_client_get_queued_bytes (DubSioClient *client);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubSioClient, dub_sio_client_free)

G_END_DECLS
