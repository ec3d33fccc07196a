/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "eio_packet.h"

#include <libsoup/soup.h>

/*
 * One Engine.IO session of the server: the packets that wait for the client,
 * the heartbeat, and the transport that carries them.
 *
 *   polling  ── 2probe on a WebSocket ─▶ probing ── 5 ─▶ WebSocket
 *
 * While polling, packets wait in a queue for the next GET; at most one GET is
 * held open. While probing, a GET is answered at once (NOOP if there is
 * nothing), so that the client can let go of polling.
 *
 * It ends once: on_close tells, and the owner that it was made by drops it.
 * On one thread; a callback may close the session.
 */
G_BEGIN_DECLS

typedef struct _DubEioSession DubEioSession;

typedef struct {
  guint ping_interval_ms;
  guint ping_timeout_ms;
  gsize max_payload;
  gsize max_queued_bytes;
  guint max_sessions; /* 0: no limit */
  /* (nullable) As in DubSioServerOptions. */
  gboolean (*may_ask) (
      SoupServerMessage *message, gboolean is_known, gpointer user_data);
  gpointer may_ask_data;
} DubEioOptions;

typedef struct {
  void (*on_open) (DubEioSession *session, gpointer user_data);
  /* MESSAGE packets only. */
  void (*on_message) (
      DubEioSession *session, const DubEioPacket *packet, gpointer user_data);
  void (*on_close) (
      DubEioSession *session, const char *reason, gpointer user_data);
} DubEioHandlers;

typedef struct {
  const DubEioOptions *options; /* these two outlive the session */
  const DubEioHandlers *handlers;
  gpointer user_data;
  GMainContext *context;
  /* The owner's: called behind on_close, and not when the owner let go. */
  void (*on_gone) (DubEioSession *session, gpointer owner);
  gpointer owner;
} DubEioSessionConfig;

/* request: the handshake; its headers are kept. */
DubEioSession *dub_eio_session_new (
    const DubEioSessionConfig *config, SoupServerMessage *request);
DubEioSession *dub_eio_session_ref (DubEioSession *session);
void dub_eio_session_unref (DubEioSession *session);

const char *dub_eio_session_get_id (DubEioSession *session);
const char *dub_eio_session_get_header (
    DubEioSession *session, const char *name);
gsize dub_eio_session_get_queued_bytes (DubEioSession *session);
gboolean dub_eio_session_is_polling (DubEioSession *session);
gboolean dub_eio_session_is_probing (DubEioSession *session);
void dub_eio_session_set_data (DubEioSession *session, gpointer data);
gpointer dub_eio_session_get_data (DubEioSession *session);

/* The first thing it does: answers the handshake. stream: behind that of a
 * WebSocket. */
void dub_eio_session_open_polling (
    DubEioSession *session, SoupServerMessage *message);
void dub_eio_session_open_websocket (DubEioSession *session, GIOStream *stream);
/* A second transport for a polling session. */
void dub_eio_session_probe (DubEioSession *session, GIOStream *stream);
/* GET and POST. A second GET beside one that waits ends the session. */
void dub_eio_session_poll (DubEioSession *session, SoupServerMessage *message);
void dub_eio_session_post (
    DubEioSession *session, SoupServerMessage *message, GBytes *body);

/* frame (transfer full). Beyond max_queued_bytes the session is cut, soon. */
void dub_eio_session_send (DubEioSession *session, DubEioFrame *frame);
/* What is queued and a close packet still reach the client. */
void dub_eio_session_close (DubEioSession *session, const char *reason);
/* At once; a polling client hears of it when it comes again. */
void dub_eio_session_end (DubEioSession *session, const char *reason);
/* FALSE, and ended, when its heartbeat is overdue: timers may be late. */
gboolean dub_eio_session_check (DubEioSession *session);

/* Status, body and type of an answer. (body: transfer none, nullable) */
void dub_eio_answer (
    SoupServerMessage *message, guint status, const char *type, GBytes *body);
/* 400 and other errors: text as a JSON string. */
void dub_eio_answer_error (
    SoupServerMessage *message, guint status, const char *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubEioSession, dub_eio_session_unref)

G_END_DECLS
