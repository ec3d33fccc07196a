/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "media.orchestrator"
#include "entry.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>

/* A list may be older than an event that came while it was under way. */
#define ABSENT_LISTS 2

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
  DubEntry *entry;
  DubOrder order;

  dub_orchestrator_sweep (self);
  entry = dub_orchestrator_find (self, id);
  order = dub_orchestrator_check_place (self, entry);
  if (order != DUB_ORDER_DONE) {
    set_refusal (self, order, error);
    return NULL;
  }
  return entry != NULL ? entry : dub_entry_new (self, id, DUB_ORIGIN_HOOK);
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
  if (source_id != NULL && g_strcmp0 (source_id, entry->source_id) != 0) {
    g_free (entry->source_id);
    entry->source_id = g_strdup (source_id);
    entry->has_looked = FALSE;
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

/* What the media server said was of that one. */
static void
forget_publisher (DubEntry *entry)
{
  entry->has_publisher = FALSE;
  entry->has_looked = FALSE;
}

void
dub_orchestrator_not_ready (
    DubOrchestrator *self, const char *stream_id, const char *source_id)
{
  DubEntry *entry = dub_orchestrator_find (self, stream_id);

  if (entry == NULL)
    return;
  if (source_id != NULL && entry->source_id != NULL &&
      !g_str_equal (source_id, entry->source_id)) {
    DUB_ENTRY_LOG (
        entry, DUB_LOG_INFO, "ignored a late not-ready of another source");
    return;
  }
  forget_publisher (entry);
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
  DubEntry *entry = dub_orchestrator_find (self, id);
  g_autoptr (GError) error = NULL;

  if (entry != NULL)
    note_present (entry, stream);
  if (entry != NULL && is_nothing_new (entry))
    return;
  entry = get_entry (self, id, &error);
  if (error != NULL) {
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
  forget_publisher (entry);
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
