/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../ingest/ingest.h"
#include "../publish/publish.h"
#include "control.h"
#include "settings.h"

/*
 * One language of a stream, from what was ingested to what is published: a
 * programme thread, a speech detector, a session with the speech service, a
 * sound encoder and an output. Branches share pictures and sound, and nothing
 * else: what fails in one is not felt in another.
 *
 *   queue ─▶ programme thread ─▶ publish ─▶ output, destinations
 *                │  ▲ │  ▲
 *       heard    ▼  │ ▼  │ answers
 *          detector ┘ STS link
 *
 * Main thread only.
 */
G_BEGIN_DECLS

typedef struct {
  const DubWorkerSettings *settings; /* outlives the branch */
  guint number;                      /* of the languages, from 0 */
  DubQueue *queue;                   /* of DubIngestItem */
  DubControl *control;               /* (nullable); outlives the branch */
} DubBranchOptions;

typedef struct _DubBranch DubBranch;

typedef struct {
  /* All that came has left: end the output. */
  void (*on_drained) (gpointer user_data);
  /* The output has sent what it could, after dub_branch_finish (). */
  void (*on_ended) (gpointer user_data);
  /* Nothing that a new connection mends. */
  void (*on_error) (const GError *error, gpointer user_data);
} DubBranchHandlers;

/* handlers are copied. Blocks while the sound encoder is measured. */
DubBranch *dub_branch_new (const DubBranchOptions *options,
    const DubBranchHandlers *handlers, gpointer user_data, GError **error);
void dub_branch_free (DubBranch *self);

/* Loads the speech model and begins; what has come meanwhile waits in the
 * queue. FALSE only for a file that could not be dubbed. */
gboolean dub_branch_start (DubBranch *self, GError **error);
void dub_branch_finish (DubBranch *self, guint timeout_ms);
/* Each second. */
void dub_branch_tick (DubBranch *self);

/* For the metrics: the source's connection. */
void dub_branch_set_input (DubBranch *self, DubIngestState state);
/* One setting by its variable's name, out of now. FALSE: it cannot be changed
 * while the branch runs. */
gboolean dub_branch_set (
    DubBranch *self, const char *name, const DubWorkerSettings *now);

const char *dub_branch_get_language (DubBranch *self);
DubPublish *dub_branch_get_publish (DubBranch *self);
gboolean dub_branch_is_drained (const DubBranch *self);
gboolean dub_branch_has_ended (const DubBranch *self);
/* Since when its output is lost, and why; NULL while it is not. */
const GError *dub_branch_get_loss (DubBranch *self, gint64 *ret_since_ns);
/* The exposition of its metrics. (transfer full) */
char *dub_branch_metrics_to_text (DubBranch *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubBranch, dub_branch_free)

G_END_DECLS
