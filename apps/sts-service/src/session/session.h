/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_contracts/simulation.h>
#include <dubbing_socketio/message.h>
#include <sts_service/processor.h>

#include "load.h"

/*
 * One client's talk with the service: its states, what is accepted, the order
 * of the answers, the limits. Events go in, events and jobs come out.
 *
 *   receive (event) --> [ checks, ack ] --> submit (job) --> processor
 *   emit (event) <-- [ order, statistics ] <-- finish (ticket, result)
 *
 *   none -- init --> active <-- pause, resume --> paused
 *             active, paused -- end --> ending -- drained --> completed
 *
 * No clock, socket or thread inside: time is an argument (monotonic ns), and
 * wake () is to be called at next_wake_ns (). A new stream:init at any time
 * replaces the stream; work on the old one is let go.
 *
 * Owner's thread only. emit and submit are called from within the calls here;
 * they must not call back into the session.
 */
G_BEGIN_DECLS

typedef enum {
  DUB_SESSION_NONE = 0, /* no stream:init yet */
  DUB_SESSION_ACTIVE,
  DUB_SESSION_PAUSED,
  DUB_SESSION_ENDING,
  DUB_SESSION_COMPLETED,
} DubSessionState;
const char *dub_session_state_to_string (DubSessionState state);

typedef struct {
  gboolean is_echo; /* the echo mode's own checks, codes and test events */
  const char *source_language; /* when stream:init names none */
  const char *target_language;
  gint64 auto_disconnect_ns; /* after stream:complete */
  gboolean has_backpressure;
  DubLoadRule load;
  /* Events a second, on average; four times as many at once. What is more is
   * answered with RATE_LIMIT, and a client that goes on regardless is cut. 0:
   * no limit. */
  guint events_per_s;
} DubSessionSettings;

typedef struct {
  /* message (transfer full) */
  void (*emit) (DubSioMessage *message, gpointer user_data);
  /* job (transfer full); answered later by dub_session_finish (). */
  void (*submit) (DubJob *job, guint64 ticket, gpointer user_data);
  /* As DubProcessor.check. */
  gboolean (*check) (const char *source_language, const char *target_language,
      const char *voice_profile, gpointer user_data, GError **error);
  /* Leave: 41, and then the transport. */
  void (*close) (gpointer user_data);
  gint64 (*unix_ms) (gpointer user_data);
  /* The job's result is not wanted any more: the stream has gone. (nullable) */
  void (*forget) (guint64 ticket, gpointer user_data);
  /* Echo mode, about other clients' sessions: what is asked for a stream by
   * its name. Each may be NULL. simulation (transfer full) */
  void (*simulate_errors) (DubErrorSimulation *simulation, gpointer user_data);
  void (*simulate_disconnect) (
      const DubSimulateDisconnect *simulate, gpointer user_data);
  /* What has been asked for that stream. (transfer none) (nullable) */
  DubErrorSimulation *(*find_simulation) (
      const char *stream_id, gpointer user_data);
} DubSessionOps;

typedef struct _DubSession DubSession;

/* settings and ops are kept, not copied. stream_id, worker_id: for clients
 * that name none. */
DubSession *dub_session_new (const DubSessionSettings *settings,
    const DubSessionOps *ops, gpointer user_data, const char *stream_id,
    const char *worker_id);
void dub_session_free (DubSession *session);

void dub_session_receive (
    DubSession *session, DubSioMessage *message, gint64 now_ns);
/* result (transfer full) */
void dub_session_finish (
    DubSession *session, guint64 ticket, DubResult *result, gint64 now_ns);
/* G_MAXINT64: never. */
gint64 dub_session_next_wake_ns (DubSession *session);
void dub_session_wake (DubSession *session, gint64 now_ns);

/* Asks to be closed then; wake () at the new next_wake_ns (). */
void dub_session_close_at (DubSession *session, gint64 close_ns);

DubSessionState dub_session_get_state (DubSession *session);
/* Of the stream; (nullable) before stream:init. */
const char *dub_session_get_stream_id (DubSession *session);
/* Accepted and not yet answered. */
guint dub_session_get_in_flight (DubSession *session);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubSession, dub_session_free)

G_END_DECLS
