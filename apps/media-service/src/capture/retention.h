/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * What may stay of earlier runs. A run goes whole, in an order that leaves its
 * manifest to the last, so that what is cut short can still be read: assets,
 * logs, history, the rest. What cannot be removed stays and is told.
 *
 * Calls wait for the disk. Any one thread.
 */
G_BEGIN_DECLS

typedef struct {
  const char *folder;    /* with streams/ in it */
  const char *stream_id; /* as a folder's name; max_bytes is for its runs */
  const char *run_id;    /* of that stream: is never touched */
  guint64 max_bytes;
  gint64 max_age_s; /* of any stream's runs; 0: for ever */
  gint64 now_s;     /* Unix time */
} DubRetention;

typedef struct {
  guint64 bytes;   /* of the stream's other runs, which stay */
  guint n_removed; /* runs */
  guint n_failed;
} DubRetentionResult;

/* The age of a run is that of its manifest. */
void dub_retention_apply (
    const DubRetention *limits, DubRetentionResult *ret_result);

G_END_DECLS
