/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "media.orchestrator"
#include "orchestrator.h"

#include "../control/peer.h"
#include "entry.h"
#include "state_file.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* How long a stopped stream stays in the list, for people to see. */
#define FORGET_NS (300 * DUB_NS_PER_S)
/* A worker tells its figures each second; older ones are no figures. */
#define METRICS_AGE_NS (10 * DUB_NS_PER_S)
/* A list may be older than an event that came while it was under way. */
#define ABSENT_LISTS 2

gint64
dub_now_ns (void)
{
  return g_get_monotonic_time () * 1000;
}

const char *const *
dub_entry_label (DubEntry *entry)
{
  static const char *values[2];

  values[0] = entry->id;
  values[1] = NULL;
  return values;
}

gboolean
dub_state_is_active (DubStreamState state)
{
  return state == DUB_STREAM_STARTING || state == DUB_STREAM_RUNNING ||
         state == DUB_STREAM_STOPPING;
}

static gboolean
is_active (DubEntry *entry)
{
  return dub_state_is_active (dub_stream_get_state (entry->stream));
}

static guint
count_active (DubOrchestrator *self)
{
  GHashTableIter iter;
  gpointer value;
  guint n = 0;

  g_hash_table_iter_init (&iter, self->entries);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    n += is_active (value);
  return n;
}

/* --- entries --- */

DubStreamSettings *
dub_entry_effective (DubEntry *entry)
{
  DubStreamSettings *settings =
      dub_stream_settings_copy (entry->owner->defaults);

  dub_stream_settings_lay (settings, entry->query);
  dub_stream_settings_lay (settings, entry->file);
  dub_stream_settings_lay (settings, entry->api);
  return settings;
}

static void
tell_gone (DubOrchestrator *self, const char *id)
{
  g_autoptr (JsonObject) data = json_object_new ();

  json_object_set_string_member (data, "stream_id", id);
  if (self->watch != NULL)
    self->watch (id, "gone", data, self->watch_data);
}

static gboolean
is_forgotten (DubEntry *entry)
{
  return dub_stream_get_state (entry->stream) == DUB_STREAM_STOPPED &&
         !entry->is_held && entry->origin == DUB_ORIGIN_HOOK &&
         dub_now_ns () - entry->stopped_ns > FORGET_NS;
}

static gboolean
is_to_go (gpointer key, gpointer value, gpointer user_data)
{
  DubEntry *entry = value;
  DubOrchestrator *self = user_data;

  if (!is_forgotten (entry) && !(entry->is_leaving && !is_active (entry)))
    return FALSE;
  dub_state_file_remove (self->settings->runtime_dir, entry->id);
  tell_gone (self, entry->id);
  return TRUE;
}

/* Never from within an entry's own callbacks. */
static void
sweep (DubOrchestrator *self)
{
  g_hash_table_foreach_remove (self->entries, is_to_go, self);
}

static gboolean
do_sweep (gpointer user_data)
{
  DubOrchestrator *self = user_data;

  self->sweep_id = 0;
  sweep (self);
  return G_SOURCE_REMOVE;
}

void
dub_entry_tell (DubEntry *entry)
{
  DubOrchestrator *self = entry->owner;

  if (self->all_stopped == NULL) { /* what was wanted is wanted again then */
    g_autoptr (JsonObject) state = dub_entry_to_state (entry);

    dub_state_file_save (self->settings->runtime_dir, entry->id, state);
  }
  if (entry->is_leaving && !is_active (entry) && self->sweep_id == 0)
    self->sweep_id = g_idle_add (do_sweep, self);
  if (self->watch != NULL) {
    g_autoptr (JsonObject) data = dub_entry_to_json (entry);

    self->watch (entry->id, "state", data, self->watch_data);
  }
}

static gboolean
on_timer (gpointer user_data)
{
  DubEntry *entry = user_data;

  entry->timer_id = 0;
  dub_stream_tick (entry->stream, dub_now_ns ());
  dub_entry_arm (entry);
  return G_SOURCE_REMOVE;
}

void
dub_entry_arm (DubEntry *entry)
{
  gint64 at_ns = dub_stream_next_ns (entry->stream);
  gint64 wait_ms;

  if (entry->timer_id != 0)
    g_source_remove (entry->timer_id);
  entry->timer_id = 0;
  if (at_ns == DUB_TIME_NONE)
    return;
  wait_ms = (at_ns - dub_now_ns ()) / DUB_NS_PER_MS + 1;
  entry->timer_id = g_timeout_add ((guint) MAX (wait_ms, 0), on_timer, entry);
}

static void
entry_free (gpointer data)
{
  DubEntry *entry = data;

  dub_entry_clear_start (entry);
  if (entry->timer_id != 0)
    g_source_remove (entry->timer_id);
  dub_entry_forget_worker (entry);
  dub_stream_free (entry->stream);
  dub_stream_settings_free (entry->query);
  dub_stream_settings_free (entry->file);
  dub_stream_settings_free (entry->api);
  dub_history_free (entry->history);
  g_free (entry->source_id);
  g_free (entry->run_id);
  g_free (entry->id);
  g_free (entry);
}

static DubEntry *
entry_new (DubOrchestrator *self, const char *id, DubOrigin origin)
{
  DubEntry *entry = g_new0 (DubEntry, 1);
  DubStreamParams params = {
      .grace_ns = self->settings->grace_ms * DUB_NS_PER_MS,
      .stop_timeout_ns = self->settings->stop_timeout_ms * DUB_NS_PER_MS,
  };
  const DubStreamSettings *file = g_hash_table_lookup (self->file, id);

  entry->owner = self;
  entry->id = g_strdup (id);
  entry->origin = origin;
  entry->since_s = g_get_real_time () / G_USEC_PER_SEC;
  entry->file = file != NULL ? dub_stream_settings_copy (file) : NULL;
  entry->history = dub_history_new ();
  entry->stream = dub_stream_new (&params, &dub_entry_stream_funcs, entry);
  g_hash_table_insert (self->entries, entry->id, entry);
  return entry;
}

static DubEntry *
find (DubOrchestrator *self, const char *id)
{
  return g_hash_table_lookup (self->entries, id);
}

/* --- the whole --- */

static gboolean
on_history (gpointer user_data)
{
  DubOrchestrator *self = user_data;
  gint64 unix_s = g_get_real_time () / G_USEC_PER_SEC;
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->entries);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    DubEntry *entry = value;

    dub_history_add (
        entry->history, unix_s, entry->has_figures ? &entry->figures : NULL);
  }
  sweep (self);
  return G_SOURCE_CONTINUE;
}

/* What each stream is told where nobody says otherwise. */
static DubStreamSettings *
defaults_of (const DubServiceSettings *s)
{
  DubStreamSettings *self = dub_stream_settings_new ();
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  char **values = self->values;

  values[DUB_SETTING_SOURCE_LANGUAGE] = g_strdup (s->source_language);
  values[DUB_SETTING_TARGET_LANGUAGES] = g_strdup (
      s->target_languages != NULL ? s->target_languages : s->target_language);
  values[DUB_SETTING_VOICE_PROFILE] = g_strdup (s->voice_profile);
  values[DUB_SETTING_OUTPUT_DELAY_MS] =
      g_strdup_printf ("%" G_GINT64_FORMAT, s->output_delay_ms);
  values[DUB_SETTING_DUCK_DB] =
      g_strdup (g_ascii_formatd (text, sizeof text, "%.10g", s->duck_db));
  values[DUB_SETTING_MIX_MODE] = g_strdup (dub_mix_modes[s->mix_mode]);
  values[DUB_SETTING_FALLBACK_MODE] =
      g_strdup (dub_fallback_modes[s->fallback_mode]);
  values[DUB_SETTING_DESTINATIONS] = g_strdup ("[]");
  return self;
}

static void
add_metrics (DubOrchestrator *self, DubMetrics *metrics)
{
  static const char *const by_stream[] = {"stream_id", NULL};

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
}

DubOrchestrator *
dub_orchestrator_new (const DubServiceSettings *settings, DubMetrics *metrics)
{
  DubOrchestrator *self = g_new0 (DubOrchestrator, 1);

  self->settings = settings;
  self->defaults = defaults_of (settings);
  self->metrics = metrics;
  self->entries =
      g_hash_table_new_full (g_str_hash, g_str_equal, NULL, entry_free);
  self->file = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
      (GDestroyNotify) dub_stream_settings_free);
  self->history_id =
      g_timeout_add_seconds (DUB_HISTORY_STEP_S, on_history, self);
  add_metrics (self, metrics);
  return self;
}

void
dub_orchestrator_free (DubOrchestrator *self)
{
  if (self == NULL)
    return;
  g_source_remove (self->history_id);
  if (self->sweep_id != 0)
    g_source_remove (self->sweep_id);
  g_hash_table_unref (self->entries);
  g_hash_table_unref (self->file);
  dub_stream_settings_free (self->defaults);
  g_free (self);
}

void
dub_orchestrator_watch (
    DubOrchestrator *self, DubWatch watch, gpointer user_data)
{
  self->watch = watch;
  self->watch_data = user_data;
}

void
dub_orchestrator_set_look (
    DubOrchestrator *self, DubLook look, gpointer user_data)
{
  self->look = look;
  self->look_data = user_data;
}

void
dub_orchestrator_looked (DubOrchestrator *self, const char *stream_id,
    gboolean is_known, gboolean is_h265)
{
  DubEntry *entry = find (self, stream_id);

  if (entry == NULL || !entry->is_looking)
    return;
  if (is_known)
    entry->is_h265 = is_h265;
  dub_entry_start_now (entry);
}

/* --- what runs already --- */

static void
adopt_one (DubOrchestrator *self, const char *id)
{
  DubEntry *entry = find (self, id);
  g_autofree char *path = NULL;
  int fd;

  if (entry == NULL)
    entry = entry_new (self, id, DUB_ORIGIN_HOOK);
  path = dub_entry_socket_path (entry);
  fd = dub_control_connect (path, NULL);
  if (fd >= 0) {
    close (fd);
    entry->has_publisher = TRUE;
    dub_entry_adopt (entry, path);
  } else {
    g_unlink (path); /* what a worker that was killed left behind */
    entry->is_leaving = entry->origin == DUB_ORIGIN_HOOK && !entry->is_held;
  }
}

static void
remember_one (DubOrchestrator *self, const char *id)
{
  g_autoptr (JsonObject) state =
      dub_state_file_load (self->settings->runtime_dir, id);

  if (state != NULL && g_hash_table_size (self->entries) < DUB_MAX_STREAMS)
    dub_entry_from_state (entry_new (self, id, DUB_ORIGIN_HOOK), state);
  else
    dub_state_file_remove (self->settings->runtime_dir, id);
}

/* Of those that no worker runs for: an operator's is started, a publisher's
 * comes back when the publisher is seen. */
static void
settle_one (DubEntry *entry)
{
  if (is_active (entry))
    return;
  g_clear_pointer (&entry->running, dub_stream_settings_free);
  if (entry->is_operators) {
    dub_stream_ready (entry->stream, NULL, dub_now_ns ());
    dub_entry_arm (entry);
  } else if (entry->origin == DUB_ORIGIN_HOOK && !entry->is_held) {
    entry->is_leaving = TRUE;
  }
}

void
dub_orchestrator_adopt (DubOrchestrator *self)
{
  const char *folder = self->settings->runtime_dir;
  g_autoptr (GPtrArray) states = dub_state_file_find (folder, ".json");
  g_autoptr (GPtrArray) sockets = dub_state_file_find (folder, ".sock");
  GHashTableIter iter;
  gpointer value;

  for (guint i = 0; i < states->len; i++)
    remember_one (self, g_ptr_array_index (states, i));
  for (guint i = 0; i < sockets->len; i++)
    adopt_one (self, g_ptr_array_index (sockets, i));
  g_hash_table_iter_init (&iter, self->entries);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    settle_one (value);
  sweep (self);
}

/* --- publishers --- */

static DubOrder
check_place (DubOrchestrator *self, DubEntry *entry)
{
  gint64 max = self->settings->max_workers;

  if (self->all_stopped != NULL)
    return DUB_ORDER_STOPPING;
  if (entry == NULL && g_hash_table_size (self->entries) >= DUB_MAX_STREAMS)
    return DUB_ORDER_MAX_STREAMS;
  if (max == 0 || count_active (self) < max ||
      (entry != NULL && is_active (entry)))
    return DUB_ORDER_DONE;
  return DUB_ORDER_MAX_WORKERS;
}

static void
set_refusal (DubOrchestrator *self, DubOrder order, GError **error)
{
  if (order == DUB_ORDER_STOPPING)
    g_set_error_literal (error, DUB_ERROR, DUB_ERROR_UNAVAILABLE,
        "the service is being stopped");
  else
    g_set_error (error, DUB_ERROR, DUB_ERROR_OVERLOADED,
        "there are %" G_GINT64_FORMAT
        " streams already, which is ORCH_MAX_WORKERS",
        order == DUB_ORDER_MAX_WORKERS ? self->settings->max_workers
                                       : DUB_MAX_STREAMS);
}

static DubEntry *
get_entry (DubOrchestrator *self, const char *id, GError **error)
{
  DubOrder order;

  sweep (self);
  order = check_place (self, find (self, id));
  if (order != DUB_ORDER_DONE) {
    set_refusal (self, order, error);
    return NULL;
  }
  return find (self, id) != NULL ? find (self, id)
                                 : entry_new (self, id, DUB_ORIGIN_HOOK);
}

/* Of a worker whose settings are not known: it is not ended for a guess. */
static void
take_query (DubEntry *entry, const char *query)
{
  g_clear_pointer (&entry->query, dub_stream_settings_free);
  entry->query = dub_stream_settings_parse_query (query);
  if (entry->running != NULL)
    dub_entry_change (entry, NULL, NULL);
}

/* TRUE: this publisher is the one that an operator stopped the stream of. */
static gboolean
is_held_for (DubEntry *entry, const char *source_id)
{
  return entry->is_held && source_id != NULL &&
         g_strcmp0 (entry->source_id, source_id) == 0;
}

/* A publisher that is there now. FALSE: it was an old event. */
static gboolean
let_in (DubEntry *entry, const char *source_id)
{
  gboolean was_away = entry->is_operators && !entry->has_publisher;

  if (!dub_stream_ready (entry->stream, source_id, dub_now_ns ()))
    return FALSE;
  if (source_id != NULL) {
    g_free (entry->source_id);
    entry->source_id = g_strdup (source_id);
  }
  entry->is_held = FALSE;
  entry->is_leaving = FALSE;
  entry->has_publisher = TRUE;
  if (was_away && entry->process != NULL)
    dub_entry_reconnect (entry);
  return TRUE;
}

gboolean
dub_orchestrator_ready (DubOrchestrator *self, const char *stream_id,
    const char *source_id, const char *query, GError **error)
{
  DubEntry *entry = get_entry (self, stream_id, error);

  if (entry == NULL)
    return FALSE;
  if (is_held_for (entry, source_id)) {
    DUB_ENTRY_LOG (entry, DUB_LOG_INFO, "was stopped by an operator");
    return TRUE;
  }
  if (!let_in (entry, source_id)) {
    DUB_ENTRY_LOG (
        entry, DUB_LOG_INFO, "ignored a late ready of a source that left");
    return TRUE;
  }
  take_query (entry, query);
  dub_entry_arm (entry);
  dub_entry_tell (entry);
  return TRUE;
}

void
dub_orchestrator_not_ready (
    DubOrchestrator *self, const char *stream_id, const char *source_id)
{
  DubEntry *entry = find (self, stream_id);

  if (entry == NULL)
    return;
  if (source_id != NULL && entry->source_id != NULL &&
      !g_str_equal (source_id, entry->source_id)) {
    DUB_ENTRY_LOG (
        entry, DUB_LOG_INFO, "ignored a late not-ready of another source");
    return;
  }
  entry->has_publisher = FALSE;
  if (!entry->is_operators)
    dub_stream_not_ready (entry->stream, source_id, dub_now_ns ());
  dub_entry_arm (entry);
  dub_entry_tell (entry);
}

static gboolean
is_settled (DubEntry *entry)
{
  DubStreamState state = dub_stream_get_state (entry->stream);

  return (state == DUB_STREAM_STARTING || state == DUB_STREAM_RUNNING) &&
         !dub_stream_in_grace (entry->stream);
}

/* The list is older than an operator's stop, or has the same publisher. */
static gboolean
is_nothing_new (DubEntry *entry)
{
  return entry->is_held || is_settled (entry) ||
         dub_stream_get_state (entry->stream) == DUB_STREAM_STOPPING;
}

static void
note_present (DubEntry *entry, const DubPresent *stream)
{
  entry->n_absent = 0;
  entry->has_publisher = TRUE;
  if (entry->is_h265 == stream->is_h265)
    return;
  entry->is_h265 = stream->is_h265;
  if (entry->owner->settings->ingest != DUB_INGEST_AUTO ||
      !is_settled (entry) || entry->is_operators)
    return;
  DUB_ENTRY_LOG (entry, DUB_LOG_INFO, "has %s: pulled by %s from now on",
      stream->is_h265 ? "H.265" : "H.264", stream->is_h265 ? "RTSP" : "RTMP");
  dub_stream_replace (entry->stream, dub_now_ns ());
  dub_entry_arm (entry);
}

static void
take_present (DubOrchestrator *self, const DubPresent *stream)
{
  const char *id = stream->stream_id;
  DubEntry *entry = find (self, id);
  g_autoptr (GError) error = NULL;

  if (entry != NULL)
    note_present (entry, stream);
  if (entry != NULL && is_nothing_new (entry))
    return;
  entry = get_entry (self, id, &error);
  if (entry == NULL) {
    dub_warning ("%s: %s", id, error->message);
    return;
  }
  DUB_ENTRY_LOG (
      entry, DUB_LOG_INFO, "has a publisher, though no event told so");
  entry->is_h265 = stream->is_h265;
  let_in (entry, NULL);
  if (stream->query != NULL)
    take_query (entry, stream->query);
  dub_entry_arm (entry);
  dub_entry_tell (entry);
}

static void
take_absent (DubEntry *entry)
{
  if ((!is_settled (entry) && !entry->is_held) ||
      ++entry->n_absent < ABSENT_LISTS)
    return;
  entry->has_publisher = FALSE;
  entry->is_held = FALSE;
  if (entry->is_operators || !is_settled (entry))
    return;
  DUB_ENTRY_LOG (
      entry, DUB_LOG_INFO, "has no publisher, though no event told so");
  dub_stream_not_ready (entry->stream, NULL, dub_now_ns ());
  dub_entry_arm (entry);
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

  if (self->all_stopped != NULL)
    return;
  for (gsize i = 0; i < n_streams; i++)
    take_present (self, &streams[i]);
  g_hash_table_iter_init (&iter, self->entries);
  while (g_hash_table_iter_next (&iter, &key, &value))
    if (!is_present (streams, n_streams, key))
      take_absent (value);
}

/* --- operators --- */

/* Runs it for the operator where it is theirs, for its publisher else. */
static void
start_entry (DubEntry *entry)
{
  entry->is_held = FALSE;
  entry->is_leaving = FALSE;
  entry->is_operators = entry->origin != DUB_ORIGIN_HOOK;
  dub_stream_ready (entry->stream, NULL, dub_now_ns ());
  dub_entry_arm (entry);
  dub_entry_tell (entry);
}

static void
stop_entry (DubEntry *entry)
{
  entry->is_held = TRUE;
  entry->is_operators = FALSE;
  dub_stream_stop (entry->stream, dub_now_ns ());
  dub_entry_arm (entry);
  dub_entry_tell (entry);
}

DubOrder
dub_orchestrator_create (DubOrchestrator *self, const char *stream_id,
    DubStreamSettings *settings, gboolean starts)
{
  g_autoptr (DubStreamSettings) layer = settings;
  DubEntry *entry = find (self, stream_id);
  DubOrder order = check_place (self, entry);

  if (entry != NULL && !entry->is_leaving &&
      (is_active (entry) || entry->origin != DUB_ORIGIN_HOOK))
    return DUB_ORDER_EXISTS;
  if (order != DUB_ORDER_DONE && (starts || order != DUB_ORDER_MAX_WORKERS))
    return order;
  if (entry == NULL)
    entry = entry_new (self, stream_id, DUB_ORIGIN_API);
  entry->origin = DUB_ORIGIN_API;
  entry->is_held = FALSE;
  entry->is_leaving = FALSE;
  dub_stream_settings_free (entry->api);
  entry->api = g_steal_pointer (&layer);
  if (starts)
    start_entry (entry);
  else
    dub_entry_tell (entry);
  return DUB_ORDER_DONE;
}

DubOrder
dub_orchestrator_start (DubOrchestrator *self, const char *stream_id)
{
  DubEntry *entry = find (self, stream_id);
  DubOrder order = check_place (self, entry);

  if (entry == NULL)
    return DUB_ORDER_NOT_FOUND;
  if (order == DUB_ORDER_DONE)
    start_entry (entry);
  return order;
}

DubOrder
dub_orchestrator_stop (DubOrchestrator *self, const char *stream_id)
{
  DubEntry *entry = find (self, stream_id);

  if (entry == NULL)
    return DUB_ORDER_NOT_FOUND;
  stop_entry (entry);
  return DUB_ORDER_DONE;
}

DubOrder
dub_orchestrator_restart (DubOrchestrator *self, const char *stream_id)
{
  DubEntry *entry = find (self, stream_id);
  DubStreamState state;

  if (entry == NULL)
    return DUB_ORDER_NOT_FOUND;
  if (self->all_stopped != NULL)
    return DUB_ORDER_STOPPING;
  state = dub_stream_get_state (entry->stream);
  if (state != DUB_STREAM_STARTING && state != DUB_STREAM_RUNNING)
    return dub_orchestrator_start (self, stream_id);
  dub_stream_replace (entry->stream, dub_now_ns ());
  dub_entry_arm (entry);
  dub_entry_tell (entry);
  return DUB_ORDER_DONE;
}

/* One whose publisher is still there stays in the list, so that it is known
 * not to be started for it. */
DubOrder
dub_orchestrator_delete (DubOrchestrator *self, const char *stream_id)
{
  DubEntry *entry = find (self, stream_id);

  if (entry == NULL || entry->is_leaving)
    return DUB_ORDER_NOT_FOUND;
  g_clear_pointer (&entry->api, dub_stream_settings_free);
  if (entry->origin == DUB_ORIGIN_API) {
    entry->origin = DUB_ORIGIN_HOOK;
    entry->is_leaving = !entry->has_publisher;
  }
  stop_entry (entry);
  return DUB_ORDER_DONE;
}

DubStreamSettings *
dub_orchestrator_get_layer (DubOrchestrator *self, const char *stream_id)
{
  DubEntry *entry = find (self, stream_id);

  if (entry == NULL)
    return NULL;
  return entry->api != NULL ? dub_stream_settings_copy (entry->api)
                            : dub_stream_settings_new ();
}

DubStreamSettings *
dub_orchestrator_get_effective (DubOrchestrator *self, const char *stream_id)
{
  DubEntry *entry;

  if (stream_id == NULL)
    return dub_stream_settings_copy (self->defaults);
  entry = find (self, stream_id);
  return entry != NULL ? dub_entry_effective (entry) : NULL;
}

void
dub_orchestrator_change (DubOrchestrator *self, const char *stream_id,
    DubStreamSettings *settings, DubChanged done, gpointer user_data)
{
  g_autoptr (DubStreamSettings) layer = settings;
  DubEntry *entry = find (self, stream_id);

  if (entry == NULL) {
    done (DUB_ORDER_NOT_FOUND, user_data);
    return;
  }
  dub_stream_settings_free (entry->api);
  entry->api = g_steal_pointer (&layer);
  dub_entry_change (entry, done, user_data);
  dub_entry_tell (entry);
}

/* --- STREAMS_FILE --- */

static gboolean
is_own_source (const DubStreamSettings *settings)
{
  return settings != NULL && settings->values[DUB_SETTING_INPUT_URL] != NULL;
}

static void
take_file_layer (DubEntry *entry, const DubStreamSettings *layer)
{
  g_clear_pointer (&entry->file, dub_stream_settings_free);
  entry->file = layer != NULL ? dub_stream_settings_copy (layer) : NULL;
  if (entry->origin == DUB_ORIGIN_FILE && !is_own_source (layer)) {
    entry->origin = DUB_ORIGIN_HOOK;
    entry->is_leaving = !entry->has_publisher;
    stop_entry (entry);
    return;
  }
  if (entry->running != NULL)
    dub_entry_change (entry, NULL, NULL);
}

static void
start_from_file (DubOrchestrator *self, const char *id)
{
  DubEntry *entry = find (self, id);
  DubOrder order;

  if (entry != NULL &&
      (is_active (entry) || entry->origin == DUB_ORIGIN_API || entry->is_held))
    return;
  order = check_place (self, entry);
  if (order != DUB_ORDER_DONE) {
    dub_warning ("%s of STREAMS_FILE is not started: there are too many", id);
    return;
  }
  if (entry == NULL)
    entry = entry_new (self, id, DUB_ORIGIN_FILE);
  entry->origin = DUB_ORIGIN_FILE;
  start_entry (entry);
}

void
dub_orchestrator_set_file (DubOrchestrator *self, GHashTable *streams)
{
  GHashTableIter iter;
  gpointer key, value;

  g_hash_table_unref (self->file);
  self->file = streams;
  g_hash_table_iter_init (&iter, self->entries);
  while (g_hash_table_iter_next (&iter, &key, &value))
    take_file_layer (value, g_hash_table_lookup (streams, key));
  g_hash_table_iter_init (&iter, streams);
  while (g_hash_table_iter_next (&iter, &key, &value))
    if (is_own_source (value))
      start_from_file (self, key);
}

/* --- the end, and what is asked --- */

static gboolean
tell_all_stopped (gpointer user_data)
{
  DubOrchestrator *self = user_data;

  self->all_stopped (self->all_stopped_data);
  return G_SOURCE_REMOVE;
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
    dub_stream_stop (((DubEntry *) value)->stream, dub_now_ns ());
    dub_entry_arm (value);
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
    DubEntry *entry = value;

    if (is_active (entry))
      dub_metric_set (self->degraded, dub_entry_label (entry),
          dub_stream_is_degraded (entry->stream, dub_now_ns ()));
    if (entry->metrics_text != NULL &&
        dub_now_ns () - entry->metrics_ns < METRICS_AGE_NS)
      g_ptr_array_add (texts, entry->metrics_text);
  }
  g_ptr_array_add (texts, NULL);
  return (const char **) g_ptr_array_free (texts, FALSE);
}

JsonArray *
dub_orchestrator_list (DubOrchestrator *self)
{
  JsonArray *list = json_array_new ();
  g_autoptr (GList) ids = g_hash_table_get_keys (self->entries);

  ids = g_list_sort (ids, (GCompareFunc) strcmp);
  for (GList *l = ids; l != NULL; l = l->next)
    json_array_add_object_element (
        list, dub_entry_to_json (find (self, l->data)));
  return list;
}

JsonObject *
dub_orchestrator_get (DubOrchestrator *self, const char *stream_id)
{
  DubEntry *entry = find (self, stream_id);

  return entry != NULL ? dub_entry_to_json (entry) : NULL;
}

JsonObject *
dub_orchestrator_get_defaults (DubOrchestrator *self)
{
  return dub_stream_settings_to_json (self->defaults, FALSE);
}

JsonObject *
dub_orchestrator_get_history (DubOrchestrator *self, const char *stream_id)
{
  DubEntry *entry = find (self, stream_id);

  return entry != NULL ? dub_history_to_json (entry->history) : NULL;
}
