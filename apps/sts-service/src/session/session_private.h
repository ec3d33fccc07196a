/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/rate_limit.h>
#include <dubbing_contracts/contracts.h>

#include "order.h"
#include "session.h"
#include "statistics.h"

/*
 * What session.c (states) and session_fragments.c (fragments) share.
 */

/* A fragment from its acceptance until its answer has gone out. */
typedef struct {
  guint64 ticket;
  guint64 number;
  char *fragment_id;
  char *stream_id; /* as the fragment said */
  DubDialect dialect;
  gboolean is_binary;
  guint audio_ms;
  DubFragmentProcessed *answer; /* NULL while the work goes on */
} DubOpenFragment;

struct _DubSession {
  /* immutable */
  const DubSessionSettings *settings;
  const DubSessionOps *ops;
  gpointer user_data;
  char *provisional_stream_id;
  char *provisional_worker_id;

  /* the stream; replaced by each stream:init */
  DubSessionState state;
  DubStreamInit *init;
  DubOrder *order;
  GPtrArray *open; /* of DubOpenFragment */
  GQueue answered; /* of DubFragmentProcessed, the newest last */
  gsize answered_bytes;
  DubStatistics statistics;
  DubLoad told_load;
  DubErrorSimulation *simulation; /* (nullable) */
  guint64 accepted;
  gint64 begun_ns;
  gint64 drain_ns; /* G_MAXINT64: not ending */

  /* the connection */
  guint64 last_ticket;
  gint64 close_ns; /* G_MAXINT64: not asked for */
  DubRateLimit events;
  guint too_many; /* more than were let through since */
};

/* node (transfer full) */
void dub_session_emit (DubSession *self, const char *event, JsonNode *node);
/* fragment_id: (nullable) */
void dub_session_emit_error (DubSession *self, const char *code,
    const char *message, const char *fragment_id);
/* Refused input: the mode's own code for it. */
const char *dub_session_bad_input_code (DubSession *self);

void dub_session_on_fragment (
    DubSession *self, DubSioMessage *message, gint64 now_ns);
/* The event is not done, for that reason. A fragment's number is passed. */
void dub_session_refuse (DubSession *self, DubSioMessage *message,
    const char *code, const char *why, gint64 now_ns);
/* Sends what may go out at now_ns, and ends the stream when it is drained. */
void dub_session_flush (DubSession *self, gint64 now_ns, gint64 release_ns);
void dub_session_tell_load (DubSession *self, gboolean is_after_fragment);
void dub_session_forget_fragments (DubSession *self);
void dub_session_complete (DubSession *self, gint64 now_ns);
