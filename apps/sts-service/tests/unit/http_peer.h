/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * An engine's server for tests, in the test's own process: it plays answers
 * that were pushed, one after the other, and keeps what it was asked. The
 * default main context; loopback, a free port.
 */
G_BEGIN_DECLS

typedef enum {
  HTTP_PEER_CLOSE = 0,
  HTTP_PEER_RESET, /* RST, as a server that died */
  HTTP_PEER_HOLD,  /* nothing more, and the connection stays open */
} HttpPeerEnd;

typedef struct {
  guint status; /* 0: 200 */
  const char *body;
  gsize body_bytes; /* 0: up to the NUL */
  const char *content_type;
  const char *header, *value; /* one more (nullable) */
  guint delay_ms;
  /* In place of an answer: these bytes and then an end. */
  const char *raw;
  HttpPeerEnd end;
} HttpPeerAnswer;

typedef struct {
  char *method, *path, *query;
  char *body;
  GHashTable *headers; /* names in lower case */
} HttpPeerRequest;

typedef struct _HttpPeer HttpPeer;

HttpPeer *http_peer_new (void);
void http_peer_free (HttpPeer *self);
/* "http://127.0.0.1:PORT" */
const char *http_peer_url (HttpPeer *self);
/* The strings must live as long as the peer. With none left it says 418. */
void http_peer_push (HttpPeer *self, HttpPeerAnswer answer);
guint http_peer_count (HttpPeer *self);
/* How many connections the requests came by. */
guint http_peer_connections (HttpPeer *self);
const HttpPeerRequest *http_peer_get (HttpPeer *self, guint index);

/* Runs the default main context until *flag is set; ends the test after 20 s.
 */
void http_peer_wait (const gboolean *flag);
/* What is under way in the main context ends. */
void http_peer_settle (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HttpPeer, http_peer_free)

G_END_DECLS
