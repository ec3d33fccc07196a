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

gboolean
dub_entry_is_active (DubEntry *entry)
{
  return dub_state_is_active (dub_stream_get_state (entry->stream));
}

guint
dub_orchestrator_count_active (DubOrchestrator *self)
{
  GHashTableIter iter;
  gpointer value;
  guint n = 0;

  g_hash_table_iter_init (&iter, self->entries);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    n += dub_entry_is_active (value);
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

  if (!is_forgotten (entry) &&
      !(entry->is_leaving && !dub_entry_is_active (entry)))
    return FALSE;
  dub_state_file_remove (self->settings->runtime_dir, entry->id);
  tell_gone (self, entry->id);
  return TRUE;
}

/* Never from within an entry's own callbacks. */
void
dub_orchestrator_sweep (DubOrchestrator *self)
{
  g_hash_table_foreach_remove (self->entries, is_to_go, self);
}

static gboolean
do_sweep (gpointer user_data)
{
  DubOrchestrator *self = user_data;

  self->sweep_id = 0;
  dub_orchestrator_sweep (self);
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
  if (entry->is_leaving && !dub_entry_is_active (entry) && self->sweep_id == 0)
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

DubEntry *
dub_entry_new (DubOrchestrator *self, const char *id, DubOrigin origin)
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

DubEntry *
dub_orchestrator_find (DubOrchestrator *self, const char *id)
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
  dub_orchestrator_sweep (self);
  return G_SOURCE_CONTINUE;
}

DubStreamSettings *
dub_orchestrator_defaults (const DubServiceSettings *s)
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
  values[DUB_SETTING_OUTPUT_URL] = g_strdup (s->output_url);
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
  self->defaults = dub_orchestrator_defaults (settings);
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
  DubEntry *entry = dub_orchestrator_find (self, stream_id);

  if (entry == NULL || !entry->is_looking)
    return;
  if (is_known) {
    entry->is_h265 = is_h265;
    entry->has_looked = TRUE;
  }
  dub_entry_start_now (entry);
}

DubOrder
dub_orchestrator_check_place (DubOrchestrator *self, DubEntry *entry)
{
  gint64 max = self->settings->max_workers;

  if (self->all_stopped != NULL)
    return DUB_ORDER_STOPPING;
  if (entry == NULL && g_hash_table_size (self->entries) >= DUB_MAX_STREAMS)
    return DUB_ORDER_MAX_STREAMS;
  if (max == 0 || dub_orchestrator_count_active (self) < max ||
      (entry != NULL && dub_entry_is_active (entry)))
    return DUB_ORDER_DONE;
  return DUB_ORDER_MAX_WORKERS;
}

/* --- what runs already --- */

static void
adopt_one (DubOrchestrator *self, const char *id)
{
  DubEntry *entry = dub_orchestrator_find (self, id);
  g_autofree char *path = NULL;
  int fd;

  if (entry == NULL)
    entry = dub_entry_new (self, id, DUB_ORIGIN_HOOK);
  path = dub_entry_socket_path (entry);
  fd = dub_control_connect (path, NULL);
  if (fd >= 0) {
    close (fd);
    entry->has_publisher = !dub_entry_has_own_source (entry);
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
    dub_entry_from_state (dub_entry_new (self, id, DUB_ORIGIN_HOOK), state);
  else
    dub_state_file_remove (self->settings->runtime_dir, id);
}

/* Of those that no worker runs for: an operator's is started, a publisher's
 * comes back when the publisher is seen. */
static void
settle_one (DubEntry *entry)
{
  if (dub_entry_is_active (entry))
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
  dub_orchestrator_sweep (self);
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
  if (dub_orchestrator_count_active (self) == 0)
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

    if (dub_entry_is_active (entry))
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
        list, dub_entry_to_json (dub_orchestrator_find (self, l->data)));
  return list;
}

JsonObject *
dub_orchestrator_get (DubOrchestrator *self, const char *stream_id)
{
  DubEntry *entry = dub_orchestrator_find (self, stream_id);

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
  DubEntry *entry = dub_orchestrator_find (self, stream_id);

  return entry != NULL ? dub_history_to_json (entry->history) : NULL;
}
