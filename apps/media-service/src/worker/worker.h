/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "settings.h"

/*
 * One stream, from its source to its destinations: one ingest and a branch for
 * each language that it is dubbed into.
 *
 *            ┌─▶ branch (the first language) ─▶ OUTPUT_URL ─┐
 *   ingest ──┼─▶ branch ──────────────────────▶ .../es      ├ and what
 *            └─▶ branch ──────────────────────▶ .../fr     ─┘ EGRESS_ says
 *
 * Main thread only. A worker ends by itself when its source has ended for
 * good and everything has left, or when the source, or the output of every
 * language, cannot be reached for the grace period.
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
