/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <media_service/values.h>

/*
 * The worker's end of the talk with sts-service: fragments go in, answers come
 * out. It owns the connection, its handshake (stream:init, stream:ready within
 * 10 s), and coming back after any loss (2, 4, then every 8 s, with jitter,
 * for as long as the link lives); each new connection starts at sequence 0.
 *
 *   programme -- send (fragment) --> link -- Socket.IO --> sts-service
 *   programme <-- on_answer ------- link <-- Socket.IO -- sts-service
 *
 * It neither queues nor retries, and has no deadlines or circuit breaker: that
 * is the tracker's. Each FAILED answer says whether it counts for the breaker;
 * a lost connection does not.
 * A fragment that cannot be sent, or whose connection is lost, is answered
 * at once as FAILED with a code ("DISCONNECTED", "NOT_READY"), so that its slot
 * keeps the original. Each fragment that was sent gets at most
 * one answer; after a loss or a refusal it is that one, and what comes later
 * is dropped. An answer whose sound is missing, empty or undecodable is FAILED
 * too ("INVALID_AUDIO_FORMAT").
 *
 * Sound is sent as PCM when the peer says that it takes it, else as M4A, coded
 * and decoded in a thread of its own; answers hold PCM at 48 kHz.
 *
 * Main context of the creating thread only; handlers run there and may send
 * fragments, but must not free the link.
 */
G_BEGIN_DECLS

typedef struct _DubStsLink DubStsLink;

typedef struct {
  const char *url;     /* http, https, ws or wss; a path is the endpoint's */
  const char *api_key; /* (nullable): goes in the Authorization header */
  const char *stream_id;
  const char *worker_id;           /* (nullable): "worker-<stream_id>" */
  const char *source_language;     /* (nullable): the service's default */
  const char *target_language;     /* (nullable): the service's default */
  const char *voice_profile;       /* (nullable): "default" */
  const char *const *domain_hints; /* (nullable) */
  guint max_inflight;              /* 1 to 10: 3 */
  guint timeout_ms;                /* STS_FRAGMENT_TIMEOUT_MS: 8000 */
  guint ready_timeout_ms;          /* 10000 */
  gboolean force_m4a; /* PCM is not sent even to a peer that takes it */
} DubStsLinkSettings;
void dub_sts_link_settings_init (DubStsLinkSettings *settings);

typedef enum {
  DUB_STS_LINK_NONE = 0,
  DUB_STS_LINK_CONNECTING,
  DUB_STS_LINK_READY,
  DUB_STS_LINK_WAITING, /* lost or refused; comes back by itself */
} DubStsLinkPhase;
const char *dub_sts_link_phase_to_string (DubStsLinkPhase phase);

typedef struct {
  DubStsLinkPhase phase;
  guint max_inflight;  /* the smaller of ours and the peer's; 0: not ready */
  gboolean is_paused;  /* the peer asked for it: send nothing */
  guint delay_ms;      /* the peer asks for this much between fragments */
  guint reconnects;    /* connections after the first that became ready */
  const GError *error; /* (nullable): why WAITING; URL without secrets */
} DubStsLinkState;

typedef struct {
  /* Something in state has changed. */
  void (*on_state) (
      DubStsLink *link, const DubStsLinkState *state, gpointer user_data);
  /* answer (transfer full) */
  void (*on_answer) (DubStsLink *link, DubAnswer *answer, gpointer user_data);
  /* (nullable) Each such event: "none", "slow_down", "pause". What it means
   * for sending comes by on_state. */
  void (*on_backpressure) (
      DubStsLink *link, const char *action, gpointer user_data);
} DubStsLinkHandlers;

/* Starts to connect from the next iteration of the main context on. NULL with
 * error only for settings that cannot work (no URL, an unknown scheme). */
DubStsLink *dub_sts_link_new (const DubStsLinkSettings *settings,
    const DubStsLinkHandlers *handlers, gpointer user_data, GError **error);
/* Says stream:end, closes, calls no handler any more. */
void dub_sts_link_free (DubStsLink *link);

/* fragment (transfer full). */
void dub_sts_link_send (DubStsLink *link, DubFragment *fragment);
void dub_sts_link_get_state (DubStsLink *link, DubStsLinkState *ret_state);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubStsLink, dub_sts_link_free)

G_END_DECLS
