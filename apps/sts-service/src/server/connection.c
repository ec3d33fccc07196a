/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "sts.session"

#include "connection.h"

#include <dubbing_common/clock.h>
#include <dubbing_common/log.h>
#include <dubbing_common/stream_id.h>
#include <dubbing_contracts/events.h>

struct _DubConnection {
  grefcount ref_count;
  DubSioSocket *socket; /* NULL once it is lost */
  DubSession *session;  /* NULL once it is lost */
  DubProcessor *processor;
  DubStreamMetrics *metrics;
  DubSimulations *simulations;
  GList *tickets; /* of jobs in the processor */
  GSource *timer; /* (nullable) */
  gint64 timer_ns;
  char *stream_id; /* (nullable) whose series are in the metrics */
  guint in_flight; /* as the metrics know it */
  guint depth;     /* calls into the session that are going on */
  gboolean must_close;
};

typedef struct {
  DubConnection *connection;
  guint64 ticket;
  char *fragment_id;
  char *stream_id;
  gboolean is_forgotten; /* the session does not know it any more */
} Ticket;

static gint64
now_ns (void)
{
  return g_get_monotonic_time () * 1000;
}

/* --- what the session asks for --- */

/* Refusals are events of their own; failed fragments are seen in on_done. */
static void
note_error (DubConnection *self, DubSioMessage *message)
{
  JsonObject *object =
      json_node_get_object (dub_sio_message_get_arg (message, 0));
  const char *fragment_id =
      json_object_get_string_member_with_default (object, "fragment_id", NULL);
  const char *code = json_object_get_string_member (object, "code");

  dub_stream_metrics_note_error (
      self->metrics, self->stream_id, "session", code);
  dub_log_fields (DUB_LOG_WARNING, DUB_LOG_TOPIC,
      (const char *const[]){
          "stream_id", self->stream_id, "fragment_id", fragment_id, NULL},
      "refused: %s: %s", code,
      json_object_get_string_member (object, "message"));
}

static void
on_emit (DubSioMessage *message, gpointer user_data)
{
  DubConnection *self = user_data;

  if (g_strcmp0 (dub_sio_message_get_event (message), DUB_EVENT_ERROR) == 0)
    note_error (self, message);
  if (self->socket)
    dub_sio_socket_emit (self->socket, message);
  else
    dub_sio_message_unref (message);
}

static void update (DubConnection *self);

static void
note_result (DubConnection *self, const Ticket *ticket, const DubResult *result)
{
  static const char *const names[] = {"none", "success", "partial", "failed"};

  dub_stream_metrics_note_result (self->metrics, ticket->stream_id,
      names[result->status], result->total_ms / 1000.0);
  dub_stream_metrics_note_wait (self->metrics, ticket->stream_id,
      ((double) result->total_ms - result->asr_ms - result->translation_ms -
          result->tts_ms) /
          1000.0);
  if (result->status == DUB_RESULT_FAILED)
    dub_stream_metrics_note_error (self->metrics, ticket->stream_id,
        result->error_stage, result->error_code);
  dub_log_fields (DUB_LOG_DEBUG, DUB_LOG_TOPIC,
      (const char *const[]){"stream_id", ticket->stream_id, "fragment_id",
          ticket->fragment_id, NULL},
      "%s%s%s, %u ms", names[result->status], result->error_code ? " " : "",
      result->error_code ? result->error_code : "", result->total_ms);
}

static void
on_done (DubResult *result, gpointer user_data)
{
  Ticket *ticket = user_data;
  DubConnection *self = ticket->connection;

  self->tickets = g_list_remove (self->tickets, ticket);
  if (self->session && !ticket->is_forgotten) {
    note_result (self, ticket, result);
    self->depth++;
    dub_session_finish (self->session, ticket->ticket, result, now_ns ());
    self->depth--;
    update (self);
  } else {
    dub_result_free (result);
  }
  dub_connection_unref (self);
  g_free (ticket->fragment_id);
  g_free (ticket->stream_id);
  g_free (ticket);
}

static void
on_submit (DubJob *job, guint64 number, gpointer user_data)
{
  DubConnection *self = user_data;
  Ticket *ticket = g_new0 (Ticket, 1);

  ticket->connection = dub_connection_ref (self);
  ticket->ticket = number;
  ticket->fragment_id = g_strdup (job->fragment_id);
  ticket->stream_id = g_strdup (job->stream_id);
  self->tickets = g_list_prepend (self->tickets, ticket);
  self->processor->submit (self->processor, job, on_done, ticket);
}

/* Engines have better to do than what nobody waits for. */
static void
on_forget (guint64 number, gpointer user_data)
{
  DubConnection *self = user_data;
  Ticket *ticket = NULL;

  for (GList *l = self->tickets; l != NULL; l = l->next)
    if (((Ticket *) l->data)->ticket == number)
      ticket = l->data;
  if (ticket == NULL)
    return;
  ticket->is_forgotten = TRUE;
  if (self->processor->cancel != NULL)
    self->processor->cancel (self->processor, ticket);
}

static gboolean
on_check (const char *source_language, const char *target_language,
    const char *voice_profile, gpointer user_data, GError **error)
{
  DubConnection *self = user_data;

  return self->processor->check (
      self->processor, source_language, target_language, voice_profile, error);
}

static void
on_close (gpointer user_data)
{
  DubConnection *self = user_data;

  self->must_close = TRUE;
}

static gint64
on_unix_ms (gpointer user_data)
{
  return g_get_real_time () / 1000;
}

static void
on_simulate_errors (DubErrorSimulation *simulation, gpointer user_data)
{
  DubConnection *self = user_data;

  dub_simulations_set (self->simulations, simulation);
}

static void
on_simulate_disconnect (
    const DubSimulateDisconnect *simulate, gpointer user_data)
{
  DubConnection *self = user_data;

  dub_simulations_disconnect (self->simulations, simulate);
}

static DubErrorSimulation *
on_find_simulation (const char *stream_id, gpointer user_data)
{
  DubConnection *self = user_data;

  return dub_simulations_find (self->simulations, stream_id);
}

static const DubSessionOps session_ops = {
    .emit = on_emit,
    .submit = on_submit,
    .check = on_check,
    .close = on_close,
    .unix_ms = on_unix_ms,
    .forget = on_forget,
    .simulate_errors = on_simulate_errors,
    .simulate_disconnect = on_simulate_disconnect,
    .find_simulation = on_find_simulation,
};

/* --- after each call into the session --- */

static void
clear_timer (DubConnection *self)
{
  if (!self->timer)
    return;
  g_source_destroy (self->timer);
  g_clear_pointer (&self->timer, g_source_unref);
}

static gboolean
on_timer (gpointer user_data)
{
  g_autoptr (DubConnection) self = dub_connection_ref (user_data);

  clear_timer (self);
  self->depth++;
  dub_session_wake (self->session, now_ns ());
  self->depth--;
  update (self);
  return G_SOURCE_REMOVE;
}

static void
set_timer (DubConnection *self)
{
  gint64 wake = dub_session_next_wake_ns (self->session);

  if (self->timer && wake == self->timer_ns)
    return;
  clear_timer (self);
  if (wake == G_MAXINT64)
    return;
  self->timer_ns = wake;
  self->timer = g_timeout_source_new (0);
  /* Rounded up: a timer that is early would only be set again. */
  g_source_set_ready_time (self->timer, wake / 1000 + 1);
  g_source_set_callback (self->timer, on_timer, self, NULL);
  g_source_attach (self->timer, g_main_context_get_thread_default ());
}

static void
set_in_flight (DubConnection *self, guint in_flight)
{
  if (in_flight == self->in_flight)
    return;
  dub_stream_metrics_add_in_flight (
      self->metrics, self->stream_id, (int) in_flight - (int) self->in_flight);
  self->in_flight = in_flight;
}

/* The series of the stream that the session now has. */
static void
follow_stream (DubConnection *self)
{
  const char *stream_id =
      self->session ? dub_session_get_stream_id (self->session) : NULL;

  if (g_strcmp0 (stream_id, self->stream_id) == 0)
    return;
  if (self->stream_id) {
    set_in_flight (self, 0);
    dub_stream_metrics_leave (self->metrics, self->stream_id);
  }
  if (stream_id)
    dub_stream_metrics_join (self->metrics, stream_id);
  g_free (self->stream_id);
  self->stream_id = g_strdup (stream_id);
}

static void
drop_session (DubConnection *self)
{
  /* A job that ends late may be the last to let go, when the server and what
   * it lent are gone. */
  if (!self->session)
    return;
  clear_timer (self);
  dub_simulations_remove (self->simulations, self);
  g_clear_pointer (&self->session, dub_session_free);
  follow_stream (self);
  dub_stream_metrics_closed (self->metrics);
}

/* The socket may have been lost while the session was speaking; then the
 * session goes here, and not under its own feet. */
static void
update (DubConnection *self)
{
  if (self->depth > 0 || !self->session)
    return;
  if (!self->socket) {
    drop_session (self);
    return;
  }
  follow_stream (self);
  if (self->stream_id)
    set_in_flight (self, dub_session_get_in_flight (self->session));
  set_timer (self);
  if (self->must_close) {
    self->must_close = FALSE;
    dub_sio_socket_disconnect (self->socket, TRUE);
  }
}

/* --- life --- */

/* A header by name when it is a good one, or a name made of the socket's id.
 * (transfer full) */
static char *
find_name (DubSioSocket *socket, const char *header, const char *prefix)
{
  const char *value = dub_sio_socket_get_header (socket, header);

  if (dub_stream_id_is_valid (value))
    return g_strdup (value);
  return g_strdup_printf ("%s-%.8s", prefix, dub_sio_socket_get_id (socket));
}

DubConnection *
dub_connection_new (DubSioSocket *socket, const DubSessionSettings *settings,
    DubProcessor *processor, DubStreamMetrics *metrics,
    DubSimulations *simulations)
{
  DubConnection *self = g_new0 (DubConnection, 1);
  g_autofree char *stream_id = find_name (socket, "X-Stream-ID", "stream");
  g_autofree char *worker_id = find_name (socket, "X-Worker-ID", "worker");

  g_ref_count_init (&self->ref_count);
  self->socket = socket;
  self->processor = processor;
  self->metrics = metrics;
  self->session =
      dub_session_new (settings, &session_ops, self, stream_id, worker_id);
  self->simulations = simulations;
  dub_stream_metrics_opened (metrics);
  dub_simulations_add (simulations, self);
  return self;
}

DubConnection *
dub_connection_ref (DubConnection *connection)
{
  g_ref_count_inc (&connection->ref_count);
  return connection;
}

void
dub_connection_unref (DubConnection *connection)
{
  if (!connection || !g_ref_count_dec (&connection->ref_count))
    return;
  drop_session (connection);
  g_free (connection->stream_id);
  g_free (connection);
}

void
dub_connection_receive (DubConnection *connection, DubSioMessage *message)
{
  g_autoptr (DubConnection) self = dub_connection_ref (connection);

  if (!self->session)
    return;
  self->depth++;
  dub_session_receive (self->session, message, now_ns ());
  self->depth--;
  update (self);
}

const char *
dub_connection_get_stream_id (DubConnection *connection)
{
  return connection->session ? dub_session_get_stream_id (connection->session)
                             : NULL;
}

void
dub_connection_close_in (DubConnection *connection, guint delay_ms)
{
  if (!connection->session)
    return;
  dub_session_close_at (
      connection->session, now_ns () + delay_ms * DUB_NS_PER_MS);
  update (connection);
}

void
dub_connection_lost (DubConnection *connection, const char *reason)
{
  dub_log_fields (DUB_LOG_INFO, DUB_LOG_TOPIC,
      (const char *const[]){"stream_id", connection->stream_id, NULL},
      "client gone: %s", reason);
  connection->socket = NULL;
  update (connection);
}
