/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "media.orchestrator"
#include "entry.h"

#include "../control/json_text.h"
#include "media_url.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <signal.h>
#include <string.h>

/* One that was found at start has so long to say hello. */
#define ADOPT_TIMEOUT_S 5
/* The media server stands beside us and answers within milliseconds. */
#define LOOK_TIMEOUT_MS 500
/* A worker beside us leaves the grace period to us; should we be gone, it ends
 * by itself a while after we would have ended it. */
#define WORKER_GRACE_EXTRA_MS 30000
#define WORKER_GRACE_MAX_MS 300000

void
dub_entry_clear_start (DubEntry *entry)
{
  if (entry->start_id != 0)
    g_source_remove (entry->start_id);
  entry->start_id = 0;
  entry->is_looking = FALSE;
}

void
dub_entry_forget_worker (DubEntry *entry)
{
  dub_entry_end_change (entry, DUB_ORDER_RESTART);
  g_clear_pointer (&entry->client, dub_control_client_free);
  g_clear_pointer (&entry->process, dub_process_free);
  g_clear_pointer (&entry->worker_state, g_free);
  g_clear_pointer (&entry->worker_reason, g_free);
  g_clear_pointer (&entry->metrics_text, g_free);
  g_clear_pointer (&entry->running, dub_stream_settings_free);
  g_clear_pointer (&entry->destinations, json_array_unref);
  entry->has_figures = FALSE;
  entry->wants_reconnect = FALSE;
}

/* A file has an end, and its worker with it: nothing died. */
static gboolean
has_played (DubEntry *entry, const char *how)
{
  const char *url = entry->running != NULL
                        ? entry->running->values[DUB_SETTING_INPUT_URL]
                        : NULL;

  return url != NULL && g_str_has_prefix (url, "file:") &&
         g_str_equal (how, "exit 0");
}

static void
on_worker_exited (DubProcess *process, const char *how, gpointer user_data)
{
  DubEntry *entry = user_data;

  DUB_ENTRY_LOG (entry,
      dub_stream_get_state (entry->stream) == DUB_STREAM_STOPPING
          ? DUB_LOG_INFO
          : DUB_LOG_WARNING,
      "worker %d ended: %s", dub_process_get_pid (process), how);
  dub_metric_add (entry->owner->exits, dub_entry_label (entry), 1);
  if (has_played (entry, how)) {
    entry->is_operators = FALSE;
    dub_stream_stop (entry->stream, dub_now_ns ());
  }
  dub_entry_forget_worker (entry);
  dub_stream_worker_exited (entry->stream, dub_now_ns ());
  dub_entry_arm (entry);
  dub_entry_tell (entry);
}

/* --- what a worker says --- */

/* Somebody has started it by hand and means to end it so: it is neither
 * watched nor stopped, and its stream is none of ours. */
static void
leave_alone (DubEntry *entry, int pid)
{
  DUB_ENTRY_LOG (entry, DUB_LOG_WARNING,
      "worker %d was started by hand; it is left alone", pid);
  dub_entry_clear_start (entry);
  g_clear_pointer (&entry->client, dub_control_client_free);
  entry->has_publisher = FALSE;
  entry->is_leaving = entry->origin == DUB_ORIGIN_HOOK && !entry->is_held;
  dub_stream_stop (entry->stream, dub_now_ns ());
  dub_entry_arm (entry);
  dub_entry_tell (entry);
}

/* The kernel's word for who is at the other end: that is the process to
 * watch, whatever was known before. */
static void
on_hello (DubControlClient *client, int pid, const char *run_id,
    const char *version, gboolean is_supervised, gpointer user_data)
{
  DubEntry *entry = user_data;
  g_autoptr (GError) error = NULL;

  if (entry->process == NULL && !is_supervised) {
    leave_alone (entry, pid);
    return;
  }
  if (entry->process == NULL) {
    dub_entry_clear_start (entry);
    entry->process = dub_process_adopt (pid, on_worker_exited, entry, &error);
    g_free (entry->run_id);
    entry->run_id = g_strdup (run_id);
    if (entry->process == NULL)
      DUB_ENTRY_LOG (entry, DUB_LOG_WARNING, "%s", error->message);
    else
      DUB_ENTRY_LOG (
          entry, DUB_LOG_INFO, "took over worker %d, version %s", pid, version);
  }
  if (entry->wants_reconnect)
    dub_control_client_command (client, "reconnect");
  entry->wants_reconnect = FALSE;
}

static void
on_state (DubControlClient *client, const char *state, const char *reason,
    gpointer user_data)
{
  DubEntry *entry = user_data;

  g_free (entry->worker_state);
  g_free (entry->worker_reason);
  entry->worker_state = g_strdup (state);
  entry->worker_reason = g_strdup (reason);
  if (g_str_equal (state, "running")) {
    dub_stream_worker_running (entry->stream, dub_now_ns ());
    dub_entry_arm (entry);
  }
  dub_entry_tell (entry);
}

static void
tell (DubEntry *entry, const char *event, JsonObject *data)
{
  DubOrchestrator *self = entry->owner;

  json_object_set_string_member (data, "stream_id", entry->id);
  if (self->watch != NULL)
    self->watch (entry->id, event, data, self->watch_data);
}

static void
on_metrics (DubControlClient *client, const char *text, gpointer user_data)
{
  DubEntry *entry = user_data;
  g_autoptr (JsonObject) data = NULL;

  g_free (entry->metrics_text);
  entry->metrics_text = g_strdup (text);
  entry->metrics_ns = dub_now_ns ();
  if (!entry->has_figures)
    dub_figures_init (&entry->figures);
  entry->has_figures = TRUE;
  dub_figures_update (&entry->figures, text);
  data = dub_figures_to_json (&entry->figures);
  tell (entry, "figures", data);
}

/* What a segment has come to, in the words of the API. (nullable) */
static const char *
phase_of (const char *event)
{
  static const char *const names[][2] = {{"answered", "heard"},
      {"dub_started", "said"}, {"fallback", "kept"}, {"dub_dropped", "kept"}};

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (event, names[i][0]))
      return names[i][1];
  return NULL;
}

static void
copy_text (JsonObject *from, const char *name, JsonObject *to, const char *as)
{
  const char *text = dub_json_object_get_text (from, name);

  if (text != NULL)
    json_object_set_string_member (to, as, text);
  else
    json_object_set_null_member (to, as);
}

static void
copy_number (JsonObject *from, const char *name, JsonObject *to, const char *as)
{
  const char *text = dub_json_object_get_text (from, name);

  json_object_set_double_member (
      to, as, text != NULL ? g_ascii_strtod (text, NULL) : 0);
}

static void
on_event (DubControlClient *client, const char *event, JsonObject *fields,
    gpointer user_data)
{
  DubEntry *entry = user_data;
  const char *phase = phase_of (event);
  g_autoptr (JsonObject) data = NULL;

  DUB_ENTRY_LOG (entry, DUB_LOG_DEBUG, "worker tells: %s", event);
  if (phase == NULL || entry->owner->watch == NULL)
    return;
  data = json_object_new ();
  json_object_set_string_member (data, "phase", phase);
  copy_text (fields, "fragment_id", data, "fragment_id");
  copy_text (fields, "language", data, "language");
  if (json_object_get_null_member (data, "language") &&
      entry->running != NULL) {
    g_autofree char *main = dub_stream_settings_main_language (entry->running);

    json_object_set_string_member (data, "language", main);
  }
  copy_number (fields, "media_s", data, "media_s");
  copy_number (fields, "duration_s", data, "duration_s");
  copy_number (fields, "lag_ms", data, "lag_ms");
  copy_text (fields, "transcript", data, "transcript");
  copy_text (fields, "translated_text", data, "translated_text");
  copy_text (fields, "detail", data, "reason");
  tell (entry, "segment", data);
}

static void
on_reply (
    DubControlClient *client, gint64 id, const char *error, gpointer user_data)
{
  dub_entry_take_reply (user_data, id, error);
}

static void
on_destinations (DubControlClient *client, JsonArray *list, gpointer user_data)
{
  DubEntry *entry = user_data;

  g_clear_pointer (&entry->destinations, json_array_unref);
  entry->destinations = json_array_ref (list);
  dub_entry_tell (entry);
}

static const DubControlClientFuncs client_funcs = {
    .hello = on_hello,
    .state = on_state,
    .metrics = on_metrics,
    .event = on_event,
    .reply = on_reply,
    .destinations = on_destinations,
};

/* --- what a worker is told --- */

char *
dub_entry_socket_path (DubEntry *entry)
{
  g_autofree char *name = g_strconcat (entry->id, ".sock", NULL);

  return g_build_filename (entry->owner->settings->runtime_dir, name, NULL);
}

static void
set_text (JsonObject *object, const char *name, const char *value)
{
  if (value != NULL)
    json_object_set_string_member (object, name, value);
}

/* One that an operator wants waits for its source as long as a worker can. */
static gint64
worker_grace_ms (DubEntry *entry)
{
  if (entry->is_operators)
    return WORKER_GRACE_MAX_MS;
  return MIN (entry->owner->settings->grace_ms + WORKER_GRACE_EXTRA_MS,
      WORKER_GRACE_MAX_MS);
}

static void
set_stream_settings (JsonObject *object, const DubStreamSettings *settings)
{
  g_autofree char *main = dub_stream_settings_main_language (settings);
  const char *all = settings->values[DUB_SETTING_TARGET_LANGUAGES];

  for (DubSetting i = 0; i < DUB_N_SETTINGS; i++)
    set_text (object, dub_setting_variable (i), settings->values[i]);
  set_text (object, "WORKER_TARGET_LANGUAGE", main);
  /* Said only where there is something to say. */
  if (g_str_equal (main, all))
    json_object_remove_member (object, "WORKER_TARGET_LANGUAGES");
  if (g_str_equal (settings->values[DUB_SETTING_DESTINATIONS], "[]"))
    json_object_remove_member (object, "EGRESS_DESTINATIONS");
}

static DubIngestWay
ingest_way (DubEntry *entry)
{
  const DubServiceSettings *s = entry->owner->settings;

  if (s->ingest == DUB_INGEST_AUTO)
    return entry->is_h265 ? DUB_INGEST_BY_RTSP : DUB_INGEST_BY_RTMP;
  return (DubIngestWay) s->ingest;
}

/* {"NAME": "value"} in the worker's own names. (transfer full) */
static char *
worker_settings (DubEntry *entry)
{
  const DubServiceSettings *s = entry->owner->settings;
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *object = json_object_new ();
  g_autofree char *in = dub_media_url (s, entry->id, "in", ingest_way (entry));
  g_autofree char *out =
      dub_media_url (s, entry->id, "out", DUB_INGEST_BY_RTMP);
  g_autofree char *grace =
      g_strdup_printf ("%" G_GINT64_FORMAT "ms", worker_grace_ms (entry));

  set_text (object, "SUPERVISED", "true");
  set_text (object, "STREAM_ID", entry->id);
  set_text (object, "RUN_ID", entry->run_id);
  set_text (object, "INPUT_URL", in);
  set_text (object, "OUTPUT_URL", out);
  set_text (object, "RUNTIME_DIR", s->runtime_dir);
  set_text (object, "STS_SERVICE_URL", s->sts_service_url);
  set_text (object, "STS_TOKEN", s->sts_token);
  set_text (
      object, "SKIP_STS_CONNECTION", s->skip_sts_connection ? "true" : "false");
  set_text (object, "ORCH_GRACE_PERIOD", grace);
  set_stream_settings (object, entry->running);
  json_node_take_object (node, object);
  return json_to_string (node, FALSE);
}

/* What a worker has no business to know is taken out. (transfer full) */
static char **
worker_environment (void)
{
  static const char *const own[] = {"API_TOKEN", "API_TOKEN_FILE",
      "METRICS_TOKEN", "METRICS_TOKEN_FILE", "HOOK_TOKEN", "HOOK_TOKEN_FILE",
      "MEDIAMTX_PASS", "MEDIAMTX_PASS_FILE", "STS_TOKEN", "STS_TOKEN_FILE",
      "PORT", "STREAM_ID", "INPUT_URL", "OUTPUT_URL", "SETTINGS_STDIN",
      "RUN_ID", "EGRESS_DESTINATIONS", "WORKER_TARGET_LANGUAGES",
      "RTMP_OUTPUT_URL"};
  char **environment = dub_service_environment (g_get_environ ());

  for (gsize i = 0; i < G_N_ELEMENTS (own); i++)
    environment = g_environ_unsetenv (environment, own[i]);
  return environment;
}

static gboolean
spawn_worker (DubEntry *entry, GError **error)
{
  const DubServiceSettings *s = entry->owner->settings;
  const char *argv[] = {s->worker_command, "--settings-stdin", NULL};
  g_auto (GStrv) environment = worker_environment ();
  g_autofree char *path = dub_entry_socket_path (entry);
  g_autofree char *settings = NULL;

  entry->running = dub_entry_effective (entry);
  if (!dub_stream_settings_check (entry->running, error))
    return FALSE;
  settings = worker_settings (entry);
  entry->process = dub_process_spawn (argv, (const char *const *) environment,
      settings, on_worker_exited, entry, error);
  if (entry->process == NULL)
    return FALSE;
  entry->client = dub_control_client_new (path, &client_funcs, entry);
  dub_metric_add (entry->owner->starts, dub_entry_label (entry), 1);
  DUB_ENTRY_LOG (entry, DUB_LOG_INFO, "started worker %d",
      dub_process_get_pid (entry->process));
  dub_entry_tell (entry);
  return TRUE;
}

static void
report_unstarted (DubEntry *entry)
{
  dub_entry_forget_worker (entry);
  dub_stream_worker_exited (entry->stream, dub_now_ns ());
  dub_entry_arm (entry);
}

/* In a turn of the loop of its own, so that the answer to the hook goes out
 * before a process is made, and a failure comes as an event like any other. */
static gboolean
do_start (gpointer user_data)
{
  DubEntry *entry = user_data;
  g_autoptr (GError) error = NULL;

  entry->start_id = 0;
  entry->is_looking = FALSE;
  if (!spawn_worker (entry, &error)) {
    DUB_ENTRY_LOG (entry, DUB_LOG_ERROR, "%s", error->message);
    report_unstarted (entry);
  }
  return G_SOURCE_REMOVE;
}

static gboolean
do_report_unstarted (gpointer user_data)
{
  DubEntry *entry = user_data;

  entry->start_id = 0;
  report_unstarted (entry);
  return G_SOURCE_REMOVE;
}

void
dub_entry_adopt (DubEntry *entry, const char *socket_path)
{
  dub_stream_adopt (entry->stream, dub_now_ns ());
  entry->client = dub_control_client_new (socket_path, &client_funcs, entry);
  entry->start_id =
      g_timeout_add_seconds (ADOPT_TIMEOUT_S, do_report_unstarted, entry);
}

void
dub_entry_start_now (DubEntry *entry)
{
  dub_entry_clear_start (entry);
  entry->start_id =
      g_idle_add_full (G_PRIORITY_DEFAULT_IDLE, do_start, entry, NULL);
}

/* --- what a stream orders --- */

gboolean
dub_entry_has_own_source (DubEntry *entry)
{
  g_autoptr (DubStreamSettings) settings = dub_entry_effective (entry);

  return settings->values[DUB_SETTING_INPUT_URL] != NULL;
}

/* How it is pulled hangs on what the media server has of it. A worker in the
 * place of one that died does not wait for that again. */
static gboolean
wants_look (DubEntry *entry)
{
  return entry->owner->look != NULL && !entry->has_looked &&
         entry->owner->settings->ingest == DUB_INGEST_AUTO &&
         !dub_entry_has_own_source (entry);
}

static void
order_start (DubStream *stream, gpointer user_data)
{
  DubEntry *entry = user_data;

  if (entry->start_id != 0)
    return;
  if (!wants_look (entry)) {
    dub_entry_start_now (entry);
    return;
  }
  entry->start_id = g_timeout_add (LOOK_TIMEOUT_MS, do_start, entry);
  entry->is_looking = TRUE;
  entry->owner->look (entry->id, entry->owner->look_data);
}

static void
order_stop (DubStream *stream, gpointer user_data)
{
  DubEntry *entry = user_data;

  if (entry->process == NULL) {
    /* Ordered a moment ago and not started yet. */
    dub_entry_clear_start (entry);
    entry->start_id = g_idle_add (do_report_unstarted, entry);
    return;
  }
  if (entry->client == NULL ||
      !dub_control_client_command (entry->client, "stop"))
    dub_process_signal (entry->process, SIGTERM);
}

static void
order_kill (DubStream *stream, gpointer user_data)
{
  DubEntry *entry = user_data;

  if (entry->process == NULL)
    return;
  DUB_ENTRY_LOG (entry, DUB_LOG_WARNING, "worker %d does not end; killing it",
      dub_process_get_pid (entry->process));
  dub_process_signal (entry->process, SIGKILL);
}

void
dub_entry_reconnect (DubEntry *entry)
{
  entry->wants_reconnect =
      entry->client == NULL ||
      !dub_control_client_command (entry->client, "reconnect");
}

static void
order_reconnect (DubStream *stream, gpointer user_data)
{
  dub_entry_reconnect (user_data);
}

static gboolean
tell_all_stopped (gpointer user_data)
{
  DubOrchestrator *self = user_data;

  self->all_stopped (self->all_stopped_data);
  return G_SOURCE_REMOVE;
}

static void
on_changed (DubStream *stream, DubStreamState from, DubStreamState to,
    gpointer user_data)
{
  DubEntry *entry = user_data;
  DubOrchestrator *self = entry->owner;
  guint n = dub_orchestrator_count_active (self);

  /* A session is what has a run id; restarts of its worker keep it. */
  if (from == DUB_STREAM_IDLE) {
    g_free (entry->run_id);
    entry->run_id = dub_run_id_new ();
  }
  DUB_ENTRY_LOG (entry, DUB_LOG_INFO, "%s -> %s",
      dub_stream_state_to_string (from), dub_stream_state_to_string (to));
  entry->since_s = g_get_real_time () / G_USEC_PER_SEC;
  dub_metric_set (self->active, NULL, n);
  if (to == DUB_STREAM_STOPPED) {
    entry->stopped_ns = dub_now_ns ();
    dub_metrics_remove (self->metrics, "stream_id", entry->id);
    if (n == 0 && self->all_stopped != NULL)
      g_idle_add (tell_all_stopped, self);
  } else if (to != DUB_STREAM_IDLE) {
    dub_metric_set (self->state_gauge, dub_entry_label (entry), to);
  }
  dub_entry_tell (entry);
}

const DubStreamFuncs dub_entry_stream_funcs = {
    .start = order_start,
    .stop = order_stop,
    .kill = order_kill,
    .reconnect = order_reconnect,
    .changed = on_changed,
};
