/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/metrics.h>
#include <gio/gio.h>

/*
 * Several engines that can do the same work, in the order in which they are
 * tried. Each stage puts its own vtable over it (asr/asr_chain.c, ...).
 *
 *   ask → the first that can do it and is well → done
 *            └ failed → the next, while there is time for it
 *
 * An engine that failed several times in a row is passed over for a while, so
 * that a dead one does not cost each fragment its time; when none else can do
 * it, it is asked all the same. A request that is wrong in itself
 * (DUB_ERROR_INVALID, LIMIT, UNSUPPORTED) goes on to the next too, but says
 * nothing of the engine.
 *
 * Main thread only. Which engine answered is in the metric
 * sts_engine_requests_total {stage, engine, outcome}.
 */
G_BEGIN_DECLS

typedef struct _DubFallback DubFallback;
typedef struct _DubFallbackCall DubFallbackCall;

typedef struct {
  const char *stage; /* "asr": the label of the metric */
  const char *(*name) (gpointer engine);
  gboolean (*is_ready) (gpointer engine, GError **error);
  /* Can it do this: the language, the voice. */
  gboolean (*is_able) (gpointer engine, gconstpointer request);
  /* Ends, later, with dub_fallback_call_end () or _retry (). Its id. */
  guint64 (*begin) (
      gpointer engine, gconstpointer request, DubFallbackCall *call);
  void (*cancel) (gpointer engine, guint64 id);
  void (*free) (gpointer engine);
  /* None can do it: as if one had been asked and failed. */
  void (*fail) (DubFallbackCall *call, const GError *error);
} DubFallbackFuncs;

/* owner: for the funcs, in DubFallbackEnd. metrics: (nullable). */
DubFallback *dub_fallback_new (
    const DubFallbackFuncs *funcs, gpointer owner, DubMetrics *metrics);
/* Who waits gets DUB_ERROR_DISCONNECTED now. */
void dub_fallback_free (DubFallback *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubFallback, dub_fallback_free)

/* engine (transfer full) */
void dub_fallback_add (DubFallback *self, gpointer engine);
guint dub_fallback_get_n (DubFallback *self);
gpointer dub_fallback_get (DubFallback *self, guint index);
/* For how many failures in a row it is passed over, and how long; 3, 30 s. */
void dub_fallback_set_patience (
    DubFallback *self, guint failures, guint skip_ms);

/* One of them is; else why the first is not. */
gboolean dub_fallback_is_ready (DubFallback *self, GError **error);
/* The one that would be asked first. (nullable): none is able. */
gpointer dub_fallback_choose (DubFallback *self, gconstpointer request);
/* "whisper,mock" (transfer full) */
char *dub_fallback_dup_names (DubFallback *self);

/* request: size bytes are copied; what they point at must stay until the call
 * has ended or is cancelled. done, user_data: for the stage, see below. */
guint64 dub_fallback_ask (DubFallback *self, gconstpointer request, gsize size,
    gint64 deadline_ns, GCallback done, gpointer user_data);
void dub_fallback_cancel (DubFallback *self, guint64 id);

typedef struct {
  gpointer owner; /* of the list */
  GCallback done;
  gpointer user_data;
  const char *engine; /* who answered; lives as long as the list */
  gpointer member;    /* the same, as it was added (nullable) */
} DubFallbackEnd;

/* An engine has failed. TRUE: another was asked and the call goes on; FALSE:
 * end it. */
gboolean dub_fallback_call_retry (DubFallbackCall *call, const GError *error);
/* The call is over and freed; whom to tell. */
DubFallbackEnd dub_fallback_call_end (DubFallbackCall *call, gboolean is_ok);

G_END_DECLS
