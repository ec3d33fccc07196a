/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "frame.h"

/*
 * The inside of an engine child: `sts-service engine <kind>`. It holds one
 * model and does one request after the other, in one thread, reading and
 * writing with calls that block. It dies with its parent (PR_SET_PDEATHSIG,
 * and the end of the socket), is nice 5, and logs to stderr.
 *
 * First frame in:  { "op": "load", ... }           settings of the engine
 * First frame out: { "op": "ready", ... }          after its own warm-up
 *                  { "op": "error", "code", "message" }  and then it ends
 * Then, for each   { "op": ..., "id", "deadline_ns", ... } + bytes
 *                  { "op": "result", "id", ... } + bytes
 *              or  { "op": "error", "id", "code", "message" }
 *
 * deadline_ns is CLOCK_MONOTONIC, which parent and child share. code is a
 * name of dub_error_code_to_string ().
 */
G_BEGIN_DECLS

typedef struct {
  const char *kind;
  /* What the settings lack, or the state of the engine. What it says of
   * itself goes into ready. (transfer full) (nullable) */
  gpointer (*load) (
      const DubFrame *settings, JsonObject *ready, GError **error);
  /* (transfer full) (nullable) */
  DubFrame *(*handle) (gpointer state, const DubFrame *request, GError **error);
  void (*unload) (gpointer state);
} DubEngineKind;

/* Serves fd until it ends. Returns an exit status. */
int dub_engine_child_run (const DubEngineKind *kind, int fd);

G_END_DECLS
