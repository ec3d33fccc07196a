/* SPDX-License-Identifier: Apache-2.0 */
#include "dubbing.h"

#include "child.h"
#include "events.h"
#include "programs/http.h"
#include "programs/programs.h"

#include <dubbing_common/error.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define READY_LIMIT_S 120
#define READY_POLL_MS 100
#define STREAM "dub"

typedef struct {
  const DubDubbingSettings *settings;
  DubDubbingEventFunc on_event;
  gpointer user_data;
  GMainLoop *loop;
  char *folder; /* of the socket and the logs */
  char *sts_url;
  char *reason;      /* that the worker gives for its end; NULL: none */
  DubChild *service; /* NULL: not ours */
  DubChild *worker;
  DubEvents *events;
  GDataInputStream *announcement;
  gint64 give_up_us;
  gboolean is_stopping; /* Ctrl-C */
  gboolean is_waiting;  /* for the service */
  int status;
} Dubbing;

static const char *
verb_of (const Dubbing *self)
{
  return self->settings->is_file ? "dub file" : "dub live";
}

static void
end_with (Dubbing *self, int status, const char *text)
{
  if (text != NULL && !self->is_stopping)
    fprintf (stderr, "%s: %s\n", verb_of (self), text);
  self->status = status;
  g_main_loop_quit (self->loop);
}

static gboolean
on_signal (gpointer user_data)
{
  Dubbing *self = user_data;

  self->is_stopping = TRUE;
  if (self->worker != NULL)
    dub_child_ask_to_end (self->worker);
  else
    g_main_loop_quit (self->loop);
  return G_SOURCE_CONTINUE;
}

/* ---- the worker ---- */

/* What it has said of it: as its state, or where it refused its settings; else
 * its last lines. (transfer full) */
static char *
why_ended (const Dubbing *self, const char *how, const char *words)
{
  if (self->reason != NULL)
    return g_strdup (self->reason);
  if (g_str_has_prefix (words, "media-worker: "))
    return g_strchomp (g_strdup (words + strlen ("media-worker: ")));
  return g_strchomp (
      g_strdup_printf ("media-worker ended (%s):\n%s", how, words));
}

static void
on_worker_ended (
    DubChild *child, int status, const char *how, gpointer user_data)
{
  Dubbing *self = user_data;
  g_autofree char *words = dub_child_last_words (child);
  g_autofree char *why = NULL;

  dub_events_drain (self->events);
  why = why_ended (self, how, words);
  end_with (self, status >= 0 ? status : EX_SOFTWARE, status != 0 ? why : NULL);
}

/* Why it ends is the last that it says. */
static void
take_state (Dubbing *self, JsonObject *message)
{
  const char *state = dub_event_text (message, "state", "");
  const char *reason = dub_event_text (message, "reason", NULL);

  if (g_str_equal (state, "stopping")) {
    g_free (self->reason);
    self->reason = g_strdup (reason);
  }
  self->on_event ("state", message, self->user_data);
}

static void
on_message (JsonObject *message, gpointer user_data)
{
  Dubbing *self = user_data;
  JsonNode *fields = json_object_get_member (message, "fields");
  const char *type = dub_event_text (message, "type", "");

  if (g_str_equal (type, "state"))
    take_state (self, message);
  if (!g_str_equal (type, "event"))
    return;
  self->on_event (dub_event_text (message, "event", ""),
      fields != NULL && JSON_NODE_HOLDS_OBJECT (fields)
          ? json_node_get_object (fields)
          : NULL,
      self->user_data);
}

/* (transfer full) */
static char *
worker_input (Dubbing *self)
{
  g_autoptr (JsonNode) root = json_node_new (JSON_NODE_OBJECT);

  json_node_set_object (root, self->settings->worker);
  json_object_set_string_member (
      self->settings->worker, "STS_SERVICE_URL", self->sts_url);
  json_object_set_string_member (
      self->settings->worker, "RUNTIME_DIR", self->folder);
  json_object_set_string_member (self->settings->worker, "STREAM_ID", STREAM);
  return json_to_string (root, FALSE);
}

static gboolean
start_worker (Dubbing *self, GError **error)
{
  g_autofree char *program = dub_program_find ("media-worker", error);
  const char *argv[] = {program, "--settings-stdin", NULL};
  g_auto (GStrv) environment = g_get_environ ();
  g_autofree char *input = worker_input (self);
  g_autofree char *log =
      g_build_filename (self->folder, "media-worker.log", NULL);
  g_autofree char *socket =
      g_build_filename (self->folder, STREAM ".sock", NULL);
  DubChildSettings settings = {
      .name = "media-worker", .argv = argv, .input = input, .log = log};

  if (program == NULL)
    return FALSE;
  environment = g_environ_setenv (environment, "LOG_FORMAT", "text", TRUE);
  settings.environment = (const char *const *) environment;
  self->worker = dub_child_new (&settings, on_worker_ended, self, error);
  if (self->worker == NULL)
    return FALSE;
  self->events = dub_events_new (socket, on_message, self);
  return TRUE;
}

static void
go_on (Dubbing *self)
{
  g_autoptr (GError) error = NULL;

  if (!start_worker (self, &error))
    end_with (self, EX_UNAVAILABLE, error->message);
}

/* ---- the service ---- */

static void
on_service_ended (
    DubChild *child, int status, const char *how, gpointer user_data)
{
  Dubbing *self = user_data;
  g_autofree char *words = dub_child_last_words (child);

  if (!self->is_stopping)
    fprintf (
        stderr, "%s: sts-service ended (%s):\n%s", verb_of (self), how, words);
  self->is_waiting = FALSE;
  end_with (self, EX_UNAVAILABLE, NULL);
}

static gboolean
on_ready_poll (gpointer user_data)
{
  Dubbing *self = user_data;
  g_autofree char *url = g_strconcat (self->sts_url, "/health/ready", NULL);
  g_autofree char *body = NULL;
  g_autofree char *why = NULL;
  g_autofree char *text = NULL;
  guint status = 0;

  if (!self->is_waiting)
    return G_SOURCE_REMOVE;
  body = dub_http_get (url, NULL, &status, NULL);
  if (body != NULL && status == 200) {
    self->is_waiting = FALSE;
    go_on (self);
    return G_SOURCE_REMOVE;
  }
  if (g_get_monotonic_time () < self->give_up_us)
    return G_SOURCE_CONTINUE;
  self->is_waiting = FALSE;
  why = body != NULL ? dub_http_reason (body) : NULL;
  text = g_strdup_printf ("sts-service is not ready after %d s: %s",
      READY_LIMIT_S, why != NULL ? why : "it does not answer");
  end_with (self, EX_UNAVAILABLE, text);
  return G_SOURCE_REMOVE;
}

static void
wait_until_ready (Dubbing *self)
{
  self->is_waiting = TRUE;
  self->give_up_us = g_get_monotonic_time () + READY_LIMIT_S * G_USEC_PER_SEC;
  g_timeout_add (READY_POLL_MS, on_ready_poll, self);
}

/* "listening on http://127.0.0.1:PORT" */
static void
on_announced (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Dubbing *self = user_data;
  g_autofree char *line = g_data_input_stream_read_line_finish_utf8 (
      G_DATA_INPUT_STREAM (source), result, NULL, NULL);
  const char *url = line != NULL ? strstr (line, "http://") : NULL;

  if (url == NULL)
    return; /* it has ended, or we do */
  self->sts_url = g_strdup (url);
  wait_until_ready (self);
}

/* (transfer full) */
static char **
service_environment (const DubDubbingSettings *settings)
{
  static const char *const patient[] = {
      "ASR_TIMEOUT_MS", "TRANSLATION_TIMEOUT_MS", "TTS_TIMEOUT_MS"};
  char **environment =
      dub_chain_add_to_environment (settings->chain, g_get_environ ());

  environment = g_environ_setenv (environment, "PORT", "0", TRUE);
  environment = g_environ_setenv (environment, "HOST", "127.0.0.1", TRUE);
  environment = g_environ_setenv (environment, "LOG_FORMAT", "text", TRUE);
  for (gsize i = 0; settings->is_file && i < G_N_ELEMENTS (patient); i++)
    environment = g_environ_setenv (environment, patient[i], "60000", TRUE);
  return environment;
}

static gboolean
start_service (Dubbing *self, GError **error)
{
  g_autofree char *program = dub_program_find ("sts-service", error);
  const char *argv[] = {program, NULL};
  g_auto (GStrv) environment = service_environment (self->settings);
  g_autofree char *log =
      g_build_filename (self->folder, "sts-service.log", NULL);
  DubChildSettings settings = {.name = "sts-service",
      .argv = argv,
      .environment = (const char *const *) environment,
      .log = log};

  if (program == NULL)
    return FALSE;
  self->service = dub_child_new (&settings, on_service_ended, self, error);
  if (self->service == NULL)
    return FALSE;
  self->announcement =
      g_data_input_stream_new (dub_child_get_output (self->service));
  g_data_input_stream_read_line_async (
      self->announcement, G_PRIORITY_DEFAULT, NULL, on_announced, self);
  return TRUE;
}

/* ---- life ---- */

static gboolean
start (Dubbing *self, GError **error)
{
  self->folder = g_dir_make_tmp ("dub-XXXXXX", error);
  if (self->folder == NULL)
    return FALSE;
  if (self->settings->chain != NULL)
    return start_service (self, error);
  self->sts_url = g_strdup (self->settings->sts_url);
  return start_worker (self, error);
}

static void
remove_folder (const char *folder)
{
  static const char *const names[] = {"media-worker.log", "sts-service.log",
      STREAM ".sock", "gstreamer.registry"};

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path = g_build_filename (folder, names[i], NULL);

    g_unlink (path);
  }
  g_rmdir (folder);
}

static void
stop (Dubbing *self)
{
  self->is_stopping = TRUE;
  self->is_waiting = FALSE;
  g_clear_pointer (&self->worker, dub_child_free);
  g_clear_pointer (&self->events, dub_events_free);
  g_clear_pointer (&self->service, dub_child_free);
  while (g_main_context_iteration (NULL, FALSE))
    continue; /* what was cancelled ends before what it points to */
  g_clear_object (&self->announcement);
  if (self->folder != NULL)
    remove_folder (self->folder);
  g_free (self->folder);
  g_free (self->sts_url);
  g_free (self->reason);
}

int
dub_dubbing_run (const DubDubbingSettings *settings,
    DubDubbingEventFunc on_event, gpointer user_data)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GError) error = NULL;
  Dubbing self = {.settings = settings,
      .on_event = on_event,
      .user_data = user_data,
      .loop = loop};
  guint interrupt = g_unix_signal_add (SIGINT, on_signal, &self);
  guint terminate = g_unix_signal_add (SIGTERM, on_signal, &self);

  if (start (&self, &error))
    g_main_loop_run (loop);
  else
    end_with (&self, EX_UNAVAILABLE, error->message);
  if (self.is_stopping)
    self.status = settings->is_file ? EX_TEMPFAIL : EX_OK;
  stop (&self);
  g_source_remove (interrupt);
  g_source_remove (terminate);
  return self.status;
}
