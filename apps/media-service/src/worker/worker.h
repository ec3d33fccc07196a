/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "settings.h"

/*
 * One stream, from its source to its destination: the only place where the
 * stages meet.
 *
 *   ingest ─▶ programme thread ─▶ publish
 *                │  ▲ │  ▲
 *       heard    ▼  │ ▼  │ answers
 *          detector ┘ STS link
 *
 * Main thread only. A worker ends by itself when its source has ended for
 * good and everything has left, or when source or destination cannot be
 * reached for the grace period.
 */
G_BEGIN_DECLS

typedef struct _DubWorker DubWorker;

/* settings outlive the worker. */
DubWorker *dub_worker_new (const DubWorkerSettings *settings, GError **error);
void dub_worker_free (DubWorker *self);

/* Runs to the end; TRUE when that was asked for or the source has ended, else
 * error says what went wrong. */
gboolean dub_worker_run (DubWorker *self, GError **error);
/* Ends in an orderly way within 5 s: EOS goes out, then run returns. A second
 * call ends at once. */
void dub_worker_stop (DubWorker *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubWorker, dub_worker_free)

G_END_DECLS
