/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "media.orchestrator"
#include "entry.h"

#include <dubbing_common/log.h>
#include <string.h>

/* A worker answers from its main loop, within a turn of it. */
#define REPLY_TIMEOUT_MS 1000

void
dub_entry_end_change (DubEntry *entry, DubOrder order)
{
  DubPendingChange change = entry->change;

  entry->change = (DubPendingChange){0};
  if (change.timer_id != 0)
    g_source_remove (change.timer_id);
  if (change.done != NULL)
    change.done (order, change.user_data);
}

static void
replace (DubEntry *entry)
{
  dub_stream_replace (entry->stream, dub_now_ns ());
  dub_entry_arm (entry);
  dub_entry_end_change (entry, DUB_ORDER_RESTART);
}

void
dub_entry_take_reply (DubEntry *entry, gint64 id, const char *error)
{
  if (entry->change.id == 0 || entry->change.id != id)
    return;
  if (error != NULL) {
    DUB_ENTRY_LOG (entry, DUB_LOG_INFO,
        "another worker is started for a setting: %s", error);
    replace (entry);
    return;
  }
  g_clear_pointer (&entry->running, dub_stream_settings_free);
  entry->running = dub_entry_effective (entry);
  dub_entry_end_change (entry, DUB_ORDER_LIVE);
  dub_entry_tell (entry);
}

static gboolean
on_no_reply (gpointer user_data)
{
  DubEntry *entry = user_data;

  entry->change.timer_id = 0;
  DUB_ENTRY_LOG (entry, DUB_LOG_WARNING,
      "the worker does not answer; another is started for a setting");
  replace (entry);
  return G_SOURCE_REMOVE;
}

/* These move the worker's ends or its clock: none takes them while it runs. */
static gboolean
needs_restart (DubSetting setting)
{
  return setting == DUB_SETTING_INPUT_URL ||
         setting == DUB_SETTING_OUTPUT_URL ||
         setting == DUB_SETTING_OUTPUT_DELAY_MS;
}

/* One language and one before: the name that every worker knows. */
static const char *
variable_of (DubSetting setting, const char *before, const char *after)
{
  if (setting == DUB_SETTING_TARGET_LANGUAGES && before != NULL &&
      strchr (before, ',') == NULL && strchr (after, ',') == NULL)
    return "WORKER_TARGET_LANGUAGE";
  return dub_setting_variable (setting);
}

/* The differences as the worker calls them; NULL: not without another worker.
 * (transfer full) (nullable) */
static JsonObject *
differences (const DubStreamSettings *before, const DubStreamSettings *after)
{
  g_autoptr (JsonObject) object = json_object_new ();

  for (DubSetting i = 0; i < DUB_N_SETTINGS; i++) {
    const char *value = after->values[i];

    if (g_strcmp0 (before->values[i], value) == 0)
      continue;
    if (needs_restart (i) || value == NULL)
      return NULL;
    json_object_set_string_member (
        object, variable_of (i, before->values[i], value), value);
  }
  return g_steal_pointer (&object);
}

static gboolean
has_worker (DubEntry *entry)
{
  DubStreamState state = dub_stream_get_state (entry->stream);

  return entry->process != NULL &&
         (state == DUB_STREAM_STARTING || state == DUB_STREAM_RUNNING);
}

void
dub_entry_change (DubEntry *entry, DubChanged done, gpointer user_data)
{
  g_autoptr (DubStreamSettings) after = dub_entry_effective (entry);
  g_autoptr (JsonObject) set = NULL;

  dub_entry_end_change (entry, DUB_ORDER_RESTART); /* one before this */
  entry->change.done = done;
  entry->change.user_data = user_data;
  if (!has_worker (entry)) {
    dub_entry_end_change (entry, DUB_ORDER_NEXT);
    return;
  }
  if (entry->running != NULL)
    set = differences (entry->running, after);
  if (set != NULL && json_object_get_size (set) == 0) {
    dub_entry_end_change (entry, DUB_ORDER_LIVE);
    return;
  }
  if (set != NULL && entry->client != NULL)
    entry->change.id = dub_control_client_set (entry->client, set);
  if (entry->change.id == 0) {
    replace (entry);
    return;
  }
  entry->change.timer_id = g_timeout_add (REPLY_TIMEOUT_MS, on_no_reply, entry);
}
