/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "media.orchestrator"
#include "orchestrator.h"

#include "../control/peer.h"
#include "control_client.h"
#include "media_url.h"
#include "process.h"
#include "stream.h"
#include "stream_options.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* How long a stopped stream stays in the list, for people to see. */
#define FORGET_NS (300 * DUB_NS_PER_S)
/* A worker tells its figures each second; older ones are no figures. */
#define METRICS_AGE_NS (10 * DUB_NS_PER_S)
/* One that was found at start has so long to say hello. */
#define ADOPT_TIMEOUT_S 5
/* A list may be older than an event that came while it was under way. */
#define ABSENT_LISTS 2
/* A worker beside us leaves the grace period to us; should we be gone, it ends
 * by itself a while after we would have ended it. */
#define WORKER_GRACE_EXTRA_MS 30000
#define WORKER_GRACE_MAX_MS 300000

typedef struct {
  DubOrchestrator *owner;
  char *id;
  DubStream *stream;
  DubStreamOptions *options; /* of the last ready; NULL: not known */
  char *run_id;
  guint start_id, timer_id; /* sources */
  gint64 stopped_ns;
  guint n_absent; /* lists in a row that did not name it */

  /* of the worker that runs */
  DubProcess *process;
  DubControlClient *client;
  gboolean wants_reconnect; /* told as soon as there is a connection */
  char *worker_state, *worker_reason;
  char *metrics_text;
  gint64 metrics_ns; /* when it came */
} Entry;

struct _DubOrchestrator {
  const DubServiceSettings *settings;
  DubMetrics *metrics;
  GHashTable *entries; /* id -> Entry */
  DubMetric *state_gauge, *degraded, *starts, *exits, *active;
  GDestroyNotify all_stopped;
  gpointer all_stopped_data;
};

static gint64
now_ns (void)
{
  return g_get_monotonic_time () * 1000;
}

static const char *const *
label (Entry *entry)
{
  static const char *values[2];

  values[0] = entry->id;
  values[1] = NULL;
  return values;
}

#define LOG(entry, level, ...)                                                 \
  dub_log_fields (level, DUB_LOG_TOPIC,                                        \
      (const char *const[]){                                                   \
          "stream_id", (entry)->id, "run_id", (entry)->run_id, NULL},          \
      __VA_ARGS__)

static void arm (Entry *entry);

static void
clear_start (Entry *entry)
{
  if (entry->start_id != 0)
    g_source_remove (entry->start_id);
  entry->start_id = 0;
}

/* --- the worker of an entry --- */

static void
forget_worker (Entry *entry)
{
  g_clear_pointer (&entry->client, dub_control_client_free);
  g_clear_pointer (&entry->process, dub_process_free);
  g_clear_pointer (&entry->worker_state, g_free);
  g_clear_pointer (&entry->worker_reason, g_free);
  g_clear_pointer (&entry->metrics_text, g_free);
  entry->wants_reconnect = FALSE;
}

static void
on_worker_exited (DubProcess *process, const char *how, gpointer user_data)
{
  Entry *entry = user_data;

  LOG (entry,
      dub_stream_get_state (entry->stream) == DUB_STREAM_STOPPING
          ? DUB_LOG_INFO
          : DUB_LOG_WARNING,
      "worker %d ended: %s", dub_process_get_pid (process), how);
  dub_metric_add (entry->owner->exits, label (entry), 1);
  forget_worker (entry);
  dub_stream_worker_exited (entry->stream, now_ns ());
  arm (entry);
}

/* The kernel's word for who is at the other end: that is the process to
 * watch, whatever was known before. */
static void
on_hello (DubControlClient *client, int pid, const char *run_id,
    const char *version, gpointer user_data)
{
  Entry *entry = user_data;
  g_autoptr (GError) error = NULL;

  if (entry->process == NULL) {
    clear_start (entry);
    entry->process = dub_process_adopt (pid, on_worker_exited, entry, &error);
    g_free (entry->run_id);
    entry->run_id = g_strdup (run_id);
    if (entry->process == NULL)
      LOG (entry, DUB_LOG_WARNING, "%s", error->message);
    else
      LOG (
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
  Entry *entry = user_data;

  g_free (entry->worker_state);
  g_free (entry->worker_reason);
  entry->worker_state = g_strdup (state);
  entry->worker_reason = g_strdup (reason);
  if (g_str_equal (state, "running")) {
    dub_stream_worker_running (entry->stream, now_ns ());
    arm (entry);
  }
}

static void
on_metrics (DubControlClient *client, const char *text, gpointer user_data)
{
  Entry *entry = user_data;

  g_free (entry->metrics_text);
  entry->metrics_text = g_strdup (text);
  entry->metrics_ns = now_ns ();
}

static void
on_event (DubControlClient *client, const char *event, JsonObject *fields,
    gpointer user_data)
{
  LOG ((Entry *) user_data, DUB_LOG_DEBUG, "worker tells: %s", event);
}

static const DubControlClientFuncs client_funcs = {
    .hello = on_hello,
    .state = on_state,
    .metrics = on_metrics,
    .event = on_event,
};

static char *
socket_path (DubOrchestrator *self, const char *id)
{
  g_autofree char *name = g_strconcat (id, ".sock", NULL);

  return g_build_filename (self->settings->runtime_dir, name, NULL);
}

static void
set_text (JsonObject *object, const char *name, const char *value)
{
  if (value != NULL)
    json_object_set_string_member (object, name, value);
}

static void
set_int (JsonObject *object, const char *name, gint64 value, const char *unit)
{
  g_autofree char *text =
      g_strdup_printf ("%" G_GINT64_FORMAT "%s", value, unit);

  json_object_set_string_member (object, name, text);
}

static const char *
or_else (const char *wanted, const char *otherwise)
{
  return wanted != NULL ? wanted : otherwise;
}

/* {"NAME": "value"} in the worker's own names. (transfer full) */
static char *
worker_settings (Entry *entry)
{
  const DubServiceSettings *s = entry->owner->settings;
  const DubStreamOptions *o = entry->options;
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *object = json_object_new ();
  g_autofree char *in =
      dub_media_url (s, entry->id, "in", (DubIngestWay) s->ingest);
  g_autofree char *out =
      dub_media_url (s, entry->id, "out", DUB_INGEST_BY_RTMP);

  set_text (object, "STREAM_ID", entry->id);
  set_text (object, "RUN_ID", entry->run_id);
  set_text (object, "INPUT_URL", in);
  set_text (object, "OUTPUT_URL", out);
  set_text (object, "RUNTIME_DIR", s->runtime_dir);
  set_text (object, "STS_SERVICE_URL", s->sts_service_url);
  set_text (object, "STS_TOKEN", s->sts_token);
  set_text (
      object, "SKIP_STS_CONNECTION", s->skip_sts_connection ? "true" : "false");
  set_text (object, "WORKER_SOURCE_LANGUAGE",
      or_else (o->source_language, s->source_language));
  set_text (object, "WORKER_TARGET_LANGUAGE",
      or_else (o->target_language, s->target_language));
  set_text (object, "WORKER_VOICE_PROFILE",
      or_else (o->voice_profile, s->voice_profile));
  set_int (object, "OUTPUT_DELAY_MS", s->output_delay_ms, "");
  set_int (object, "ORCH_GRACE_PERIOD",
      MIN (s->grace_ms + WORKER_GRACE_EXTRA_MS, WORKER_GRACE_MAX_MS), "ms");
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
      "RUN_ID"};
  char **environment = g_get_environ ();

  for (gsize i = 0; i < G_N_ELEMENTS (own); i++)
    environment = g_environ_unsetenv (environment, own[i]);
  return environment;
}

static gboolean
spawn_worker (Entry *entry, GError **error)
{
  const DubServiceSettings *s = entry->owner->settings;
  const char *argv[] = {s->worker_command, "--settings-stdin", NULL};
  g_auto (GStrv) environment = worker_environment ();
  g_autofree char *path = socket_path (entry->owner, entry->id);
  g_autofree char *settings = NULL;

  if (entry->options == NULL) /* found by its path, without its query */
    entry->options = dub_stream_options_parse (NULL);
  settings = worker_settings (entry);
  entry->process = dub_process_spawn (argv, (const char *const *) environment,
      settings, on_worker_exited, entry, error);
  if (entry->process == NULL)
    return FALSE;
  entry->client = dub_control_client_new (path, &client_funcs, entry);
  dub_metric_add (entry->owner->starts, label (entry), 1);
  LOG (entry, DUB_LOG_INFO, "started worker %d",
      dub_process_get_pid (entry->process));
  return TRUE;
}

/* In a turn of the loop of its own, so that the answer to the hook goes out
 * before a process is made, and a failure comes as an event like any other. */
static gboolean
do_start (gpointer user_data)
{
  Entry *entry = user_data;
  g_autoptr (GError) error = NULL;

  entry->start_id = 0;
  if (!spawn_worker (entry, &error)) {
    LOG (entry, DUB_LOG_ERROR, "%s", error->message);
    forget_worker (entry);
    dub_stream_worker_exited (entry->stream, now_ns ());
    arm (entry);
  }
  return G_SOURCE_REMOVE;
}

/* --- what a stream orders --- */

static void
order_start (DubStream *stream, gpointer user_data)
{
  Entry *entry = user_data;

  if (entry->start_id == 0)
    entry->start_id =
        g_idle_add_full (G_PRIORITY_DEFAULT_IDLE, do_start, entry, NULL);
}

static gboolean
do_report_unstarted (gpointer user_data)
{
  Entry *entry = user_data;

  entry->start_id = 0;
  forget_worker (entry);
  dub_stream_worker_exited (entry->stream, now_ns ());
  arm (entry);
  return G_SOURCE_REMOVE;
}

static void
order_stop (DubStream *stream, gpointer user_data)
{
  Entry *entry = user_data;

  if (entry->process == NULL) {
    /* Ordered a moment ago and not started yet. */
    clear_start (entry);
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
  Entry *entry = user_data;

  if (entry->process == NULL)
    return;
  LOG (entry, DUB_LOG_WARNING, "worker %d does not end; killing it",
      dub_process_get_pid (entry->process));
  dub_process_signal (entry->process, SIGKILL);
}

static void
order_reconnect (DubStream *stream, gpointer user_data)
{
  Entry *entry = user_data;

  entry->wants_reconnect =
      entry->client == NULL ||
      !dub_control_client_command (entry->client, "reconnect");
}

static gboolean
is_active (DubStreamState state)
{
  return state == DUB_STREAM_STARTING || state == DUB_STREAM_RUNNING ||
         state == DUB_STREAM_STOPPING;
}

static guint
count_active (DubOrchestrator *self)
{
  GHashTableIter iter;
  gpointer value;
  guint n = 0;

  g_hash_table_iter_init (&iter, self->entries);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    n += is_active (dub_stream_get_state (((Entry *) value)->stream));
  return n;
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
  Entry *entry = user_data;
  DubOrchestrator *self = entry->owner;
  guint n = count_active (self);

  /* A session is what has a run id; restarts of its worker keep it. */
  if (from == DUB_STREAM_IDLE) {
    g_free (entry->run_id);
    entry->run_id = g_uuid_string_random ();
  }
  LOG (entry, DUB_LOG_INFO, "%s -> %s", dub_stream_state_to_string (from),
      dub_stream_state_to_string (to));
  dub_metric_set (self->active, NULL, n);
  if (to == DUB_STREAM_STOPPED) {
    entry->stopped_ns = now_ns ();
    dub_metrics_remove (self->metrics, "stream_id", entry->id);
    if (n == 0 && self->all_stopped != NULL)
      g_idle_add (tell_all_stopped, self);
  } else if (to != DUB_STREAM_IDLE) {
    dub_metric_set (self->state_gauge, label (entry), to);
  }
}

static const DubStreamFuncs stream_funcs = {
    .start = order_start,
    .stop = order_stop,
    .kill = order_kill,
    .reconnect = order_reconnect,
    .changed = on_changed,
};

/* --- entries --- */

static gboolean
on_timer (gpointer user_data)
{
  Entry *entry = user_data;

  entry->timer_id = 0;
  dub_stream_tick (entry->stream, now_ns ());
  arm (entry);
  return G_SOURCE_REMOVE;
}

/* After each call into the stream. */
static void
arm (Entry *entry)
{
  gint64 at_ns = dub_stream_next_ns (entry->stream);
  gint64 wait_ms;

  if (entry->timer_id != 0)
    g_source_remove (entry->timer_id);
  entry->timer_id = 0;
  if (at_ns == DUB_TIME_NONE)
    return;
  wait_ms = (at_ns - now_ns ()) / DUB_NS_PER_MS + 1;
  entry->timer_id = g_timeout_add ((guint) MAX (wait_ms, 0), on_timer, entry);
}

static void
entry_free (gpointer data)
{
  Entry *entry = data;

  clear_start (entry);
  if (entry->timer_id != 0)
    g_source_remove (entry->timer_id);
  forget_worker (entry);
  dub_stream_free (entry->stream);
  dub_stream_options_free (entry->options);
  g_free (entry->run_id);
  g_free (entry->id);
  g_free (entry);
}

static Entry *
entry_new (DubOrchestrator *self, const char *id)
{
  Entry *entry = g_new0 (Entry, 1);
  DubStreamParams params = {
      .grace_ns = self->settings->grace_ms * DUB_NS_PER_MS,
      .stop_timeout_ns = self->settings->stop_timeout_ms * DUB_NS_PER_MS,
  };

  entry->owner = self;
  entry->id = g_strdup (id);
  entry->stream = dub_stream_new (&params, &stream_funcs, entry);
  g_hash_table_insert (self->entries, entry->id, entry);
  return entry;
}

static gboolean
is_forgotten (gpointer key, gpointer value, gpointer user_data)
{
  Entry *entry = value;

  return dub_stream_get_state (entry->stream) == DUB_STREAM_STOPPED &&
         now_ns () - entry->stopped_ns > FORGET_NS;
}

DubOrchestrator *
dub_orchestrator_new (const DubServiceSettings *settings, DubMetrics *metrics)
{
  static const char *const by_stream[] = {"stream_id", NULL};
  DubOrchestrator *self = g_new0 (DubOrchestrator, 1);

  self->settings = settings;
  self->metrics = metrics;
  self->entries =
      g_hash_table_new_full (g_str_hash, g_str_equal, NULL, entry_free);
  self->active = dub_metrics_gauge (metrics, "media_worker_streams",
      "Streams that have a worker or wait for one", NULL);
  self->state_gauge = dub_metrics_gauge (metrics, "media_service_stream_state",
      "State of a stream: 2 starting, 3 running, 4 stopping", by_stream);
  self->degraded = dub_metrics_gauge (metrics, "media_service_stream_degraded",
      "1: its worker has died so often that it is tried each minute only",
      by_stream);
  self->starts =
      dub_metrics_counter (metrics, "media_service_worker_starts_total",
          "Workers that were started", by_stream);
  self->exits = dub_metrics_counter (metrics,
      "media_service_worker_exits_total", "Workers that ended", by_stream);
  dub_metric_set (self->active, NULL, 0);
  return self;
}

void
dub_orchestrator_free (DubOrchestrator *self)
{
  if (self == NULL)
    return;
  g_hash_table_unref (self->entries);
  g_free (self);
}

static void
adopt_one (DubOrchestrator *self, const char *id, const char *path)
{
  Entry *entry = entry_new (self, id);

  dub_stream_adopt (entry->stream, now_ns ());
  entry->client = dub_control_client_new (path, &client_funcs, entry);
  entry->start_id =
      g_timeout_add_seconds (ADOPT_TIMEOUT_S, do_report_unstarted, entry);
}

void
dub_orchestrator_adopt (DubOrchestrator *self)
{
  g_autoptr (GDir) folder = NULL;
  const char *name;

  folder = g_dir_open (self->settings->runtime_dir, 0, NULL);
  while (folder != NULL && (name = g_dir_read_name (folder)) != NULL) {
    g_autofree char *id = NULL;
    g_autofree char *path = NULL;
    int fd;

    if (!g_str_has_suffix (name, ".sock"))
      continue;
    id = g_strndup (name, strlen (name) - strlen (".sock"));
    path = socket_path (self, id);
    if (!dub_stream_id_is_valid (id) ||
        g_hash_table_contains (self->entries, id))
      continue;
    fd = dub_control_connect (path, NULL);
    if (fd >= 0) {
      close (fd);
      adopt_one (self, id, path);
    } else {
      g_unlink (path); /* what a worker that was killed left behind */
    }
  }
}

static gboolean
has_place (DubOrchestrator *self, Entry *entry, GError **error)
{
  gint64 max = self->settings->max_workers;

  if (max == 0 || count_active (self) < max ||
      (entry != NULL && is_active (dub_stream_get_state (entry->stream))))
    return TRUE;
  g_set_error (error, DUB_ERROR, DUB_ERROR_OVERLOADED,
      "there are %" G_GINT64_FORMAT
      " streams already, which is ORCH_MAX_WORKERS",
      max);
  return FALSE;
}

/* TRUE: they differ from those that the worker was started with. Of a worker
 * that we found they are not known, and it is not ended for a guess. */
static gboolean
take_options (Entry *entry, const char *query)
{
  DubStreamOptions *options = dub_stream_options_parse (query);
  gboolean differ = entry->options != NULL &&
                    !dub_stream_options_equal (entry->options, options);

  dub_stream_options_free (entry->options);
  entry->options = options;
  return differ;
}

static Entry *
get_entry (DubOrchestrator *self, const char *id, GError **error)
{
  Entry *entry = g_hash_table_lookup (self->entries, id);

  if (self->all_stopped != NULL) {
    g_set_error_literal (
        error, DUB_ERROR, DUB_ERROR_OVERLOADED, "the service is being stopped");
    return NULL;
  }
  if (!has_place (self, entry, error))
    return NULL;
  g_hash_table_foreach_remove (self->entries, is_forgotten, NULL);
  entry = g_hash_table_lookup (self->entries, id);
  return entry != NULL ? entry : entry_new (self, id);
}

gboolean
dub_orchestrator_ready (DubOrchestrator *self, const char *stream_id,
    const char *source_id, const char *query, GError **error)
{
  Entry *entry = get_entry (self, stream_id, error);
  gboolean was_active;

  if (entry == NULL)
    return FALSE;
  was_active = is_active (dub_stream_get_state (entry->stream));
  if (!dub_stream_ready (entry->stream, source_id, now_ns ())) {
    LOG (entry, DUB_LOG_INFO, "ignored a late ready of a source that left");
    return TRUE;
  }
  if (take_options (entry, query) && was_active)
    dub_stream_replace (entry->stream, now_ns ());
  arm (entry);
  return TRUE;
}

void
dub_orchestrator_not_ready (
    DubOrchestrator *self, const char *stream_id, const char *source_id)
{
  Entry *entry = g_hash_table_lookup (self->entries, stream_id);

  if (entry == NULL)
    return;
  if (!dub_stream_not_ready (entry->stream, source_id, now_ns ()))
    LOG (entry, DUB_LOG_INFO, "ignored a late not-ready of another source");
  arm (entry);
}

static gboolean
is_settled (Entry *entry)
{
  DubStreamState state = dub_stream_get_state (entry->stream);

  return (state == DUB_STREAM_STARTING || state == DUB_STREAM_RUNNING) &&
         !dub_stream_in_grace (entry->stream);
}

static void
take_present (DubOrchestrator *self, const DubPresent *stream)
{
  const char *id = stream->stream_id;
  Entry *entry = g_hash_table_lookup (self->entries, id);
  g_autoptr (GError) error = NULL;
  gboolean was_active;

  if (entry != NULL)
    entry->n_absent = 0;
  if (entry != NULL &&
      (is_settled (entry) ||
          dub_stream_get_state (entry->stream) == DUB_STREAM_STOPPING))
    return;
  entry = get_entry (self, id, &error);
  if (entry == NULL) {
    dub_warning ("%s: %s", id, error->message);
    return;
  }
  LOG (entry, DUB_LOG_INFO, "has a publisher, though no event told so");
  was_active = is_active (dub_stream_get_state (entry->stream));
  dub_stream_ready (entry->stream, NULL, now_ns ());
  if (stream->query != NULL && take_options (entry, stream->query) &&
      was_active)
    dub_stream_replace (entry->stream, now_ns ());
  arm (entry);
}

static void
take_absent (Entry *entry)
{
  if (!is_settled (entry) || ++entry->n_absent < ABSENT_LISTS)
    return;
  LOG (entry, DUB_LOG_INFO, "has no publisher, though no event told so");
  dub_stream_not_ready (entry->stream, NULL, now_ns ());
  arm (entry);
}

static gboolean
is_present (const DubPresent *streams, gsize n_streams, const char *id)
{
  for (gsize i = 0; i < n_streams; i++)
    if (g_str_equal (streams[i].stream_id, id))
      return TRUE;
  return FALSE;
}

void
dub_orchestrator_reconcile (
    DubOrchestrator *self, const DubPresent *streams, gsize n_streams)
{
  GHashTableIter iter;
  gpointer key, value;

  for (gsize i = 0; i < n_streams; i++)
    take_present (self, &streams[i]);
  g_hash_table_iter_init (&iter, self->entries);
  while (g_hash_table_iter_next (&iter, &key, &value))
    if (!is_present (streams, n_streams, key))
      take_absent (value);
}

void
dub_orchestrator_stop_all (
    DubOrchestrator *self, GDestroyNotify done, gpointer user_data)
{
  GHashTableIter iter;
  gpointer value;

  self->all_stopped = done;
  self->all_stopped_data = user_data;
  if (count_active (self) == 0)
    g_idle_add (tell_all_stopped, self);
  g_hash_table_iter_init (&iter, self->entries);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    dub_stream_stop (((Entry *) value)->stream, now_ns ());
    arm (value);
  }
}

const char **
dub_orchestrator_get_metrics (DubOrchestrator *self)
{
  GPtrArray *texts = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->entries);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    Entry *entry = value;

    if (is_active (dub_stream_get_state (entry->stream)))
      dub_metric_set (self->degraded, label (entry),
          dub_stream_is_degraded (entry->stream, now_ns ()));
    if (entry->metrics_text != NULL &&
        now_ns () - entry->metrics_ns < METRICS_AGE_NS)
      g_ptr_array_add (texts, entry->metrics_text);
  }
  g_ptr_array_add (texts, NULL);
  return (const char **) g_ptr_array_free (texts, FALSE);
}

static JsonObject *
entry_to_json (Entry *entry)
{
  const DubServiceSettings *s = entry->owner->settings;
  JsonObject *object = json_object_new ();

  set_text (object, "stream_id", entry->id);
  set_text (object, "state",
      dub_stream_state_to_string (dub_stream_get_state (entry->stream)));
  json_object_set_boolean_member (
      object, "degraded", dub_stream_is_degraded (entry->stream, now_ns ()));
  json_object_set_boolean_member (
      object, "in_grace", dub_stream_in_grace (entry->stream));
  json_object_set_int_member (
      object, "restarts", dub_stream_get_restarts (entry->stream));
  set_text (object, "run_id", entry->run_id);
  if (entry->process != NULL)
    json_object_set_int_member (
        object, "worker_pid", dub_process_get_pid (entry->process));
  set_text (object, "worker_state", entry->worker_state);
  set_text (object, "worker_reason", entry->worker_reason);
  if (entry->options == NULL)
    return object;
  set_text (object, "source_language",
      or_else (entry->options->source_language, s->source_language));
  set_text (object, "target_language",
      or_else (entry->options->target_language, s->target_language));
  return object;
}

JsonArray *
dub_orchestrator_list (DubOrchestrator *self)
{
  JsonArray *list = json_array_new ();
  g_autoptr (GList) ids = g_hash_table_get_keys (self->entries);

  ids = g_list_sort (ids, (GCompareFunc) strcmp);
  for (GList *l = ids; l != NULL; l = l->next)
    json_array_add_object_element (
        list, entry_to_json (g_hash_table_lookup (self->entries, l->data)));
  return list;
}
