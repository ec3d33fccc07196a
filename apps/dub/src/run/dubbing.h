/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "chain/chain.h"

#include <json-glib/json-glib.h>

/*
 * One run of the main job from the command line: an sts-service of our own
 * (or one that is there already) and one media-worker, both as children, until
 * the worker ends or Ctrl-C is pressed. Then both are ended, the worker first,
 * and nothing stays behind; a kill of this program ends them too.
 *
 *   dub ──▶ sts-service (free port of 127.0.0.1)
 *    │            ▲ Socket.IO
 *    ├──▶ media-worker     settings and keys by standard input
 *    ◀── events ──┘        one JSON object a line, over its control socket
 *
 * The main thread; runs the default main context.
 */
G_BEGIN_DECLS

typedef struct {
  const DubChain *chain; /* of our own service; NULL: sts_url is used */
  const char *sts_url;
  gboolean is_file; /* the engines get all the time they need */
  const char *voice;
  JsonObject *worker; /* settings of the worker: "NAME": "value" */
} DubDubbingSettings;

/* What the worker tells; see worker/control.h there. Its state is the event
 * "state". fields: strings. */
typedef void (*DubDubbingEventFunc) (
    const char *name, JsonObject *fields, gpointer user_data);

/* The exit status: the worker's own, 69 when a program is missing or fails to
 * start, 75 after Ctrl-C (0 when is_file is not set: that is how a live run
 * ends). What went wrong is told on standard error. */
int dub_dubbing_run (const DubDubbingSettings *settings,
    DubDubbingEventFunc on_event, gpointer user_data);

G_END_DECLS
