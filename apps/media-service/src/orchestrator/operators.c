/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "media.orchestrator"
#include "entry.h"

#include <dubbing_common/log.h>

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
  DubEntry *entry = dub_orchestrator_find (self, stream_id);
  DubOrder order = dub_orchestrator_check_place (self, entry);

  if (entry != NULL && !entry->is_leaving &&
      (dub_entry_is_active (entry) || entry->origin != DUB_ORIGIN_HOOK))
    return DUB_ORDER_EXISTS;
  if (order != DUB_ORDER_DONE && (starts || order != DUB_ORDER_MAX_WORKERS))
    return order;
  if (entry == NULL)
    entry = dub_entry_new (self, stream_id, DUB_ORIGIN_API);
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
  DubEntry *entry = dub_orchestrator_find (self, stream_id);
  DubOrder order = dub_orchestrator_check_place (self, entry);

  if (entry == NULL)
    return DUB_ORDER_NOT_FOUND;
  if (order == DUB_ORDER_DONE)
    start_entry (entry);
  return order;
}

DubOrder
dub_orchestrator_stop (DubOrchestrator *self, const char *stream_id)
{
  DubEntry *entry = dub_orchestrator_find (self, stream_id);

  if (entry == NULL)
    return DUB_ORDER_NOT_FOUND;
  stop_entry (entry);
  return DUB_ORDER_DONE;
}

DubOrder
dub_orchestrator_restart (DubOrchestrator *self, const char *stream_id)
{
  DubEntry *entry = dub_orchestrator_find (self, stream_id);
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
  DubEntry *entry = dub_orchestrator_find (self, stream_id);

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
  DubEntry *entry = dub_orchestrator_find (self, stream_id);

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
  entry = dub_orchestrator_find (self, stream_id);
  return entry != NULL ? dub_entry_effective (entry) : NULL;
}

DubStreamSettings *
dub_orchestrator_foresee (DubOrchestrator *self, const char *stream_id,
    const DubStreamSettings *layer)
{
  DubStreamSettings *all = dub_stream_settings_copy (self->defaults);
  DubEntry *entry = dub_orchestrator_find (self, stream_id);

  if (entry != NULL)
    dub_stream_settings_lay (all, entry->query);
  dub_stream_settings_lay (all, g_hash_table_lookup (self->file, stream_id));
  dub_stream_settings_lay (all, layer);
  return all;
}

void
dub_orchestrator_change (DubOrchestrator *self, const char *stream_id,
    DubStreamSettings *settings, DubChanged done, gpointer user_data)
{
  g_autoptr (DubStreamSettings) layer = settings;
  DubEntry *entry = dub_orchestrator_find (self, stream_id);

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
  DubEntry *entry = dub_orchestrator_find (self, id);
  DubOrder order;

  if (entry != NULL && (dub_entry_is_active (entry) ||
                           entry->origin == DUB_ORIGIN_API || entry->is_held))
    return;
  order = dub_orchestrator_check_place (self, entry);
  if (order != DUB_ORDER_DONE) {
    dub_warning ("%s of STREAMS_FILE is not started: there are too many", id);
    return;
  }
  if (entry == NULL)
    entry = dub_entry_new (self, id, DUB_ORIGIN_FILE);
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
