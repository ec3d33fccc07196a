/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>

/*
 * media-service's end of the control protocol (the messages are in
 * worker/control.h). Tries to connect until it is freed, and again when the
 * connection is lost: whether the worker lives is the process's to say.
 *
 * Thread: the default main context. The callbacks may free the client.
 */
G_BEGIN_DECLS

typedef struct _DubControlClient DubControlClient;

typedef struct {
  /* First after each connection. pid as the kernel knows it. is_supervised:
   * it was started by media-service, or is too old to say. */
  void (*hello) (DubControlClient *client, int pid, const char *run_id,
      const char *version, gboolean is_supervised, gpointer user_data);
  void (*state) (DubControlClient *client, const char *state,
      const char *reason, gpointer user_data);
  void (*metrics) (
      DubControlClient *client, const char *text, gpointer user_data);
  void (*event) (DubControlClient *client, const char *event,
      JsonObject *fields, gpointer user_data);
  /* (nullable) To set (): error is NULL when all was taken, else why not. */
  void (*reply) (DubControlClient *client, gint64 id, const char *error,
      gpointer user_data);
  /* (nullable) How the extra destinations are. */
  void (*destinations) (
      DubControlClient *client, JsonArray *list, gpointer user_data);
} DubControlClientFuncs;

/* funcs is not copied. */
DubControlClient *dub_control_client_new (
    const char *path, const DubControlClientFuncs *funcs, gpointer user_data);
void dub_control_client_free (DubControlClient *client);

/* "stop" or "reconnect". FALSE: not connected. */
gboolean dub_control_client_command (
    DubControlClient *client, const char *type);
/* {"NAME": "value"}. The id that its reply will have; 0: not connected. */
gint64 dub_control_client_set (DubControlClient *client, JsonObject *settings);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubControlClient, dub_control_client_free)

G_END_DECLS
