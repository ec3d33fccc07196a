/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_contracts/contracts.h>
#include <dubbing_socketio/client.h>

#include "backpressure.h"
#include "reconnection.h"
#include "sts_link.h"

/*
 * What sts_link.c (the connection) and link_fragments.c (what travels over it)
 * share.
 */

/* A fragment that is on its way. */
typedef struct {
  char *fragment_id;
  gboolean is_acked; /* the service has taken it */
} DubSentFragment;

/* Outlives the link while threads work for it. */
typedef struct {
  grefcount ref_count;
  DubStsLink *link; /* NULL once it is freed */
} DubLinkHandle;

DubLinkHandle *dub_link_handle_ref (DubLinkHandle *handle);
void dub_link_handle_unref (DubLinkHandle *handle);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubLinkHandle, dub_link_handle_unref)

struct _DubStsLink {
  /* immutable */
  char *url;
  char *redacted_url;
  char *authorization; /* (nullable) */
  DubStreamInit *init;
  guint ready_timeout_ms;
  gboolean force_m4a;
  DubStsLinkHandlers handlers;
  gpointer user_data;
  DubLinkHandle *handle;

  /* the connection */
  DubSioClient *client; /* NULL while waiting */
  DubStsLinkPhase phase;
  GError *error; /* why WAITING */
  DubReconnection reconnect;
  guint times_ready;
  GSource *timer; /* reconnect, or the wait for stream:ready */
  guint peer_max_inflight;
  gboolean sends_pcm;

  /* what travels */
  guint connection; /* counts; a fragment belongs to one */
  guint64 next_number;
  GQueue sent;      /* of DubSentFragment, the newest last */
  GQueue to_encode; /* of DubFragment; the first is in the thread */
  DubBackpressureState flow;
  GSource *flow_timer;
  DubStsLinkState told; /* what on_state said last */
};

/* --- sts_link.c --- */
void dub_sts_link_tell (DubStsLink *self);
/* Leaves the connection, answers what was on its way, comes back later.
 * error (transfer full) */
void dub_sts_link_lose (DubStsLink *self, GError *error);

/* --- link_fragments.c --- */
void dub_sts_link_on_ack (DubStsLink *self, JsonNode *node);
void dub_sts_link_on_processed (DubStsLink *self, DubSioMessage *message);
void dub_sts_link_on_error (DubStsLink *self, JsonNode *node);
void dub_sts_link_on_backpressure (DubStsLink *self, JsonNode *node);
/* Answers everything that was sent or waits to be, as FAILED. */
void dub_sts_link_fail_all (DubStsLink *self, const char *code);
void dub_sts_link_forget_all (DubStsLink *self);
