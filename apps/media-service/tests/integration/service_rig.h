/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rig.h"

/*
 * The real media-service with workers that only pretend: its settings for a
 * test, its start and end, events for it, and what it says of its streams.
 */
G_BEGIN_DECLS

typedef struct {
  Rig rig;
  guint port;
  Program *service;
  const char *stream_id; /* for the checks */
  const char *wanted;
  gint64 pid;
} ServiceRig;

/* As GTest wants them; started: it answers when this returns. */
void service_set_up (ServiceRig *f, gconstpointer data);
void service_set_up_started (ServiceRig *f, gconstpointer data);
void service_tear_down (ServiceRig *f, gconstpointer data);

/* On a new port; it answers when this returns. */
void service_start (ServiceRig *f);
/* (transfer full) */
char *service_url (ServiceRig *f, const char *path);
guint service_post (
    ServiceRig *f, const char *path, const char *body, char **ret_body);
/* An event of the media server: "ready" or "not-ready". The status. */
guint service_tell (ServiceRig *f, const char *event, const char *id,
    const char *source, const char *query);
/* What /v1/streams says of a stream. (transfer full) (nullable) */
JsonObject *service_look (ServiceRig *f, const char *id);
/* 0: no worker. */
gint64 service_pid_of (ServiceRig *f, const char *id);

void service_wait_state (ServiceRig *f, const char *id, const char *state);
void service_wait_log (ServiceRig *f, const char *text);
/* Checks for rig_wait (): stream_id has a worker other than pid; pid is no
 * process any more. */
gboolean service_is_healthy (gpointer user_data);
gboolean service_has_other_worker (gpointer user_data);
gboolean service_worker_is_gone (gpointer user_data);

G_END_DECLS
