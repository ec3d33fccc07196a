/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest.h"

#include "connection.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <media_service/retry.h>

#define CHECK_MS 100
#define QUEUE_MAX_ITEMS 8192
#define QUEUE_MAX_BYTES (G_GUINT64_CONSTANT (64) * 1024 * 1024)

struct _DubIngest {
  DubIngestOptions options; /* url: owned */
  char *shown_url;
  DubQueue *queue;
  DubIngestStateFunc on_state;
  gpointer user_data;

  DubIngestState state;
  DubConnection *connection; /* NULL while waiting */
  gboolean has_told_no_sound;
  guint n_connections;
  guint attempt;        /* since the last packet */
  gint64 alive_ns;      /* last packet, or the start */
  GSource *check_timer; /* while a connection is there */
  GSource *retry_timer; /* while there is none */
};

void
dub_ingest_item_free (DubIngestItem *item)
{
  if (!item)
    return;
  g_clear_pointer (&item->unit, dub_access_unit_unref);
  g_clear_pointer (&item->pcm, dub_pcm_unref);
  g_free (item);
}

DubQueue *
dub_ingest_queue_new (void)
{
  return dub_queue_new ("ingest", QUEUE_MAX_ITEMS, QUEUE_MAX_BYTES,
      DUB_QUEUE_REFUSE, (GDestroyNotify) dub_ingest_item_free);
}

const char *
dub_ingest_state_to_string (DubIngestState state)
{
  static const char *const names[] = {
      "none", "connecting", "running", "waiting", "failed", "ended"};

  return (guint) state < G_N_ELEMENTS (names) ? names[state] : "none";
}

void
dub_ingest_options_init (DubIngestOptions *options)
{
  *options = (DubIngestOptions){
      .tracks_ms = 2000,
      .silence_ms = 3000,
      .grace_ms = 30000,
  };
}

static gint64
now_ns (void)
{
  return g_get_monotonic_time () * 1000;
}

static void
set_state (DubIngest *self, DubIngestState state, const GError *error)
{
  if (self->state == state && !error)
    return;
  self->state = state;
  self->on_state (state, error, self->user_data);
}

static void
push_event (DubIngest *self, DubIngestItemKind kind)
{
  DubIngestItem *item = g_new0 (DubIngestItem, 1);

  item->kind = kind;
  item->arrival_ns = now_ns ();
  dub_queue_push (self->queue, item, 1);
}

static GSource *
add_timer (guint interval_ms, GSourceFunc func, gpointer user_data)
{
  GSource *source = g_timeout_source_new (interval_ms);

  g_source_set_callback (source, func, user_data, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
  return source;
}

static void
clear_timer (GSource **timer)
{
  if (*timer)
    g_source_destroy (*timer);
  g_clear_pointer (timer, g_source_unref);
}

static void
close_connection (DubIngest *self)
{
  clear_timer (&self->check_timer);
  if (!self->connection)
    return;
  g_clear_pointer (&self->connection, dub_connection_free);
  push_event (self, DUB_INGEST_ITEM_LOST);
}

static void
fail (DubIngest *self, const GError *error)
{
  close_connection (self);
  push_event (self, DUB_INGEST_ITEM_END);
  set_state (self, DUB_INGEST_FAILED, error);
}

static void connect_now (DubIngest *self);

static gboolean
on_retry (gpointer user_data)
{
  DubIngest *self = user_data;

  clear_timer (&self->retry_timer);
  connect_now (self);
  return G_SOURCE_REMOVE;
}

/* What a connection's end means: nothing more to come, or another attempt. */
static void
lose (DubIngest *self, const GError *error)
{
  gint64 patience_ns = (gint64) self->options.grace_ms * DUB_NS_PER_MS;
  guint wait_ms = dub_retry_wait_ms (self->attempt++);

  if (!dub_error_is_retryable (error) ||
      now_ns () + (gint64) wait_ms * DUB_NS_PER_MS - self->alive_ns >
          patience_ns) {
    fail (self, error);
    return;
  }
  close_connection (self);
  self->retry_timer = add_timer (wait_ms, on_retry, self);
  set_state (self, DUB_INGEST_WAITING, error);
}

/* (transfer full) (nullable) */
static GError *
check_tracks (DubIngest *self, const DubConnectionStats *stats)
{
  if (stats->n_video == 0)
    return g_error_new (DUB_ERROR, DUB_ERROR_UNSUPPORTED,
        "%s has no video track that we take (H.264)", self->shown_url);
  if (stats->n_sound > 0)
    return NULL;
  if (!self->options.allow_no_audio)
    return g_error_new (DUB_ERROR, DUB_ERROR_UNSUPPORTED,
        "Audio track required for dubbing pipeline: %s has none"
        " (ALLOW_NO_AUDIO=true goes on with silence)",
        self->shown_url);
  if (!self->has_told_no_sound)
    push_event (self, DUB_INGEST_ITEM_NO_SOUND);
  self->has_told_no_sound = TRUE;
  return NULL;
}

static void
on_connection_end (const GError *error, gpointer user_data)
{
  DubIngest *self = user_data;
  g_autoptr (GError) kept = error ? g_error_copy (error) : NULL;
  DubConnectionStats stats;

  if (!kept) {
    dub_connection_get_stats (self->connection, &stats);
    kept = check_tracks (self, &stats);
  }
  if (kept) {
    lose (self, kept);
    return;
  }
  close_connection (self);
  push_event (self, DUB_INGEST_ITEM_END);
  set_state (self, DUB_INGEST_ENDED, NULL);
}

static void
note_packets (DubIngest *self, const DubConnectionStats *stats)
{
  self->attempt = 0;
  self->alive_ns = stats->last_packet_ns;
  set_state (self, DUB_INGEST_RUNNING, NULL);
}

static gboolean
on_check (gpointer user_data)
{
  DubIngest *self = user_data;
  DubConnectionStats stats;
  g_autoptr (GError) error = NULL;
  gint64 now = now_ns ();
  gboolean has_packets;

  dub_connection_get_stats (self->connection, &stats);
  has_packets = stats.n_video + stats.n_sound > 0;
  if (has_packets && now - stats.first_packet_ns >
                         (gint64) self->options.tracks_ms * DUB_NS_PER_MS)
    error = check_tracks (self, &stats);
  if (!error && !self->options.is_fast &&
      now - stats.last_packet_ns >
          (gint64) self->options.silence_ms * DUB_NS_PER_MS)
    error = g_error_new (DUB_ERROR, DUB_ERROR_TIMEOUT,
        "no packet from %s for %u ms", self->shown_url,
        self->options.silence_ms);
  if (has_packets && (!error || dub_error_is_retryable (error)))
    note_packets (self, &stats);
  if (error)
    lose (self, error);
  return G_SOURCE_CONTINUE;
}

/* Not at the next check: whoever waits for the stream has it at once. */
static void
on_packets (gpointer user_data)
{
  on_check (user_data);
}

static void
connect_now (DubIngest *self)
{
  static const DubConnectionFuncs funcs = {
      .on_packets = on_packets,
      .on_end = on_connection_end,
  };
  g_autoptr (GError) error = NULL;

  clear_timer (&self->retry_timer);
  self->connection = dub_connection_new (
      self->options.url, self->options.is_fast, self->queue, &error);
  if (!self->connection) {
    fail (self, error);
    return;
  }
  self->n_connections++;
  self->has_told_no_sound = FALSE;
  set_state (self, DUB_INGEST_CONNECTING, NULL);
  self->check_timer = add_timer (CHECK_MS, on_check, self);
  dub_connection_start (self->connection, &funcs, self);
}

DubIngest *
dub_ingest_new (const DubIngestOptions *options, DubQueue *queue,
    DubIngestStateFunc on_state, gpointer user_data, GError **error)
{
  DubIngest *self;

  if (!dub_connection_check_url (options->url, error))
    return NULL;
  self = g_new0 (DubIngest, 1);
  self->options = *options;
  self->options.url = g_strdup (options->url);
  self->shown_url = dub_redact_url (options->url);
  self->queue = dub_queue_ref (queue);
  self->on_state = on_state;
  self->user_data = user_data;
  return self;
}

void
dub_ingest_free (DubIngest *self)
{
  if (!self)
    return;
  clear_timer (&self->check_timer);
  clear_timer (&self->retry_timer);
  g_clear_pointer (&self->connection, dub_connection_free);
  dub_queue_unref (self->queue);
  g_free ((char *) self->options.url);
  g_free (self->shown_url);
  g_free (self);
}

void
dub_ingest_start (DubIngest *self)
{
  g_return_if_fail (self->state == DUB_INGEST_STATE_NONE);

  self->alive_ns = now_ns ();
  connect_now (self);
}

void
dub_ingest_stop (DubIngest *self)
{
  clear_timer (&self->retry_timer);
  close_connection (self);
  if (self->state != DUB_INGEST_FAILED && self->state != DUB_INGEST_ENDED)
    push_event (self, DUB_INGEST_ITEM_END);
  self->state = DUB_INGEST_ENDED;
}

void
dub_ingest_reconnect_now (DubIngest *self)
{
  if (self->state == DUB_INGEST_WAITING)
    connect_now (self);
}

guint
dub_ingest_get_n_connections (const DubIngest *self)
{
  return self->n_connections;
}
