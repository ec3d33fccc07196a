/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>

/*
 * The worker's end of the control protocol: a Unix socket at
 * RUNTIME_DIR/<stream>.sock (mode 0600), one JSON object a line, UTF-8.
 *
 * The worker says, to everyone who is connected:
 *
 *   {"type":"hello","protocol":1,"stream_id":"demo","run_id":"...",
 *    "version":"0.1.0","pid":123,"supervised":true}   first, each connection;
 *                 supervised: media-service has started it and may take it over
 *   {"type":"state","state":"running","reason":"..."}     now, and on change
 *   {"type":"metrics","text":"# HELP ..."}                each second
 *   {"type":"event","event":"output_lost","fields":{"text":"..."}}
 *   {"type":"destinations","list":[{"name":"twitch","language":"en",
 *    "url":"rtmp://host/...","state":"running","connections":1,
 *    "bytes":123456,"last_error":"..."}]}      if there are any, when
 *                 connected, and at most each second on change; state: waiting,
 *                 running, stopped; language, last_error only where there is
 * one
 *   {"type":"reply","id":7,"ok":true}                     to a command
 *   {"type":"reply","id":7,"ok":false,"error":{"code":"invalid",
 *    "message":"..."}}
 *   {"type":"error","error":{...}}           to a line that was no command
 *
 * and takes (id is optional and comes back as it was):
 *
 *   {"type":"set","id":7,"settings":{"DUCK_DB":"-12"}}
 *   {"type":"reconnect"}       the source is back: do not wait, try now
 *   {"type":"stop"}            end in order
 *
 * A line of more than 64 KiB, or that is no command, gets an error and the
 * connection goes on. Clients come and go; without any the worker goes on.
 *
 * Thread: the one whose default main context was current at dub_control_new ().
 */
G_BEGIN_DECLS

/* States that a worker tells. */
#define DUB_WORKER_STATE_STARTING "starting" /* no media yet */
#define DUB_WORKER_STATE_RUNNING "running"   /* media comes in */
#define DUB_WORKER_STATE_SOURCE_LOST "source_lost"
#define DUB_WORKER_STATE_STOPPING "stopping"

typedef struct _DubControl DubControl;

typedef struct {
  /* One setting by its variable's name. FALSE: error says why not. NULL: none
   * can be changed while running. */
  gboolean (*set) (
      const char *name, const char *value, gpointer user_data, GError **error);
  void (*reconnect) (gpointer user_data);
  void (*stop) (gpointer user_data);
  /* The exposition of the worker's metrics. (transfer full) (nullable) */
  char *(*get_metrics) (gpointer user_data);
} DubControlHandlers;

/* handlers is not copied and must live as long. Makes the folder (0700) when
 * it is missing. DUB_ERROR_UNAVAILABLE: another worker serves this stream. */
DubControl *dub_control_new (const char *runtime_dir, const char *stream_id,
    const char *run_id, const DubControlHandlers *handlers, gpointer user_data,
    GError **error);
/* Removes the socket. */
void dub_control_free (DubControl *control);

/* For the hello of those who connect later; FALSE until then. */
void dub_control_set_supervised (DubControl *control, gboolean is_supervised);
/* Kept, and told to those who connect later. reason: (nullable) */
void dub_control_set_state (
    DubControl *control, const char *state, const char *reason);
/* Kept, and told when it differs from the last. list: (transfer full) */
void dub_control_set_destinations (DubControl *control, JsonArray *list);
/* fields: "key", "value" pairs, NULL-terminated; (nullable) */
void dub_control_send_event (
    DubControl *control, const char *event, const char *const *fields);
/* Now, beside the one of each second: at the end of a run. */
void dub_control_send_metrics (DubControl *control);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubControl, dub_control_free)

G_END_DECLS
