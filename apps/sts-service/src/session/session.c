/* SPDX-License-Identifier: Apache-2.0 */
#include <dubbing_common/clock.h>
#include <dubbing_common/error.h>

#include "session_private.h"

/* Events at once, in seconds of what may come on average. */
#define BURST_S 4
/* How long a stream that begins above 0 is waited for. */
#define BASE_TIMEOUT_NS (500 * DUB_NS_PER_MS)

const char *
dub_session_state_to_string (DubSessionState state)
{
  static const char *const names[] = {
      "none", "active", "paused", "ending", "completed"};

  return state < G_N_ELEMENTS (names) ? names[state] : "none";
}

DubSession *
dub_session_new (const DubSessionSettings *settings, const DubSessionOps *ops,
    gpointer user_data, const char *stream_id, const char *worker_id)
{
  DubSession *self = g_new0 (DubSession, 1);

  self->settings = settings;
  self->ops = ops;
  self->user_data = user_data;
  self->provisional_stream_id = g_strdup (stream_id);
  self->provisional_worker_id = g_strdup (worker_id);
  self->drain_ns = self->close_ns = G_MAXINT64;
  dub_rate_limit_init (&self->events, settings->events_per_s,
      (double) settings->events_per_s * BURST_S);
  g_queue_init (&self->answered);
  return self;
}

static void
clear_stream (DubSession *self)
{
  dub_session_forget_fragments (self);
  g_clear_pointer (&self->init, dub_stream_init_free);
  g_clear_pointer (&self->simulation, dub_error_simulation_free);
  self->state = DUB_SESSION_NONE;
}

void
dub_session_free (DubSession *session)
{
  if (!session)
    return;
  clear_stream (session);
  g_free (session->provisional_stream_id);
  g_free (session->provisional_worker_id);
  g_free (session);
}

DubSessionState
dub_session_get_state (DubSession *session)
{
  return session->state;
}

const char *
dub_session_get_stream_id (DubSession *session)
{
  return session->init ? session->init->stream_id : NULL;
}

guint
dub_session_get_in_flight (DubSession *session)
{
  return session->open ? session->open->len : 0;
}

/* --- out --- */

void
dub_session_emit (DubSession *self, const char *event, JsonNode *node)
{
  DubSioMessage *message = dub_sio_message_new (event);

  dub_sio_message_add_arg (message, node);
  self->ops->emit (message, self->user_data);
}

void
dub_session_emit_error (DubSession *self, const char *code, const char *message,
    const char *fragment_id)
{
  g_autoptr (DubWireError) error = dub_wire_error_new (code, message);

  error->stream_id = g_strdup (dub_session_get_stream_id (self));
  error->fragment_id = g_strdup (fragment_id);
  dub_session_emit (self, DUB_EVENT_ERROR, dub_wire_error_to_json (error));
}

const char *
dub_session_bad_input_code (DubSession *self)
{
  return self->settings->is_echo ? DUB_CODE_INVALID_CONFIG
                                 : DUB_CODE_MALFORMED_DATA;
}

/* --- stream:init --- */

static const char *
check_code (const GError *error)
{
  if (g_error_matches (error, DUB_ERROR, DUB_ERROR_NOT_FOUND))
    return DUB_CODE_INVALID_VOICE_PROFILE;
  if (g_error_matches (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED))
    return DUB_CODE_UNSUPPORTED_LANGUAGE;
  return DUB_CODE_INVALID_CONFIG;
}

static void
fill_defaults (DubSession *self, DubStreamInit *init)
{
  if (!init->stream_id)
    init->stream_id = g_strdup (self->provisional_stream_id);
  if (!init->worker_id)
    init->worker_id = g_strdup (self->provisional_worker_id);
  if (!init->source_language)
    init->source_language = g_strdup (self->settings->source_language);
  if (!init->target_language)
    init->target_language = g_strdup (self->settings->target_language);
}

/* init (transfer full) */
static void
begin_stream (DubSession *self, DubStreamInit *init, gint64 now_ns)
{
  clear_stream (self);
  self->init = init;
  self->state = DUB_SESSION_ACTIVE;
  self->order =
      dub_order_new (init->timeout_ms * DUB_NS_PER_MS, BASE_TIMEOUT_NS, NULL);
  self->open = g_ptr_array_new ();
  self->statistics = (DubStatistics){.total = 0};
  self->told_load = DUB_LOAD_NONE;
  self->accepted = 0;
  self->begun_ns = now_ns;
  /* A stream that begins anew on the connection keeps it. */
  self->drain_ns = self->close_ns = G_MAXINT64;
}

static void
emit_ready (DubSession *self)
{
  g_autoptr (DubStreamReady) ready = dub_stream_ready_new ();

  ready->stream_id = g_strdup (self->init->stream_id);
  ready->session_id = g_uuid_string_random ();
  ready->max_inflight = self->init->max_inflight;
  ready->takes_pcm_binary = TRUE;
  dub_session_emit (
      self, DUB_EVENT_STREAM_READY, dub_stream_ready_to_json (ready));
}

static void
on_init (DubSession *self, JsonNode *node, gint64 now_ns)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DubStreamInit) init = dub_stream_init_from_json (node, &error);

  if (!init) {
    dub_session_emit_error (
        self, DUB_CODE_INVALID_CONFIG, error->message, NULL);
    return;
  }
  fill_defaults (self, init);
  if (!self->ops->check (init->source_language, init->target_language,
          init->voice_profile, self->user_data, &error)) {
    dub_session_emit_error (self, check_code (error), error->message, NULL);
    return;
  }
  begin_stream (self, g_steal_pointer (&init), now_ns);
  emit_ready (self);
}

/* --- stream:pause, stream:resume, stream:end --- */

/* An event without argument is as good as one with {}. */
static gboolean
check_control (DubSession *self, JsonNode *node)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DubStreamControl) control = NULL;

  if (node && !JSON_NODE_HOLDS_NULL (node)) {
    control = dub_stream_control_from_json (node, &error);
    if (!control)
      dub_session_emit_error (
          self, dub_session_bad_input_code (self), error->message, NULL);
  }
  return error == NULL;
}

static gboolean
need_stream (DubSession *self)
{
  if (self->state != DUB_SESSION_NONE)
    return TRUE;
  dub_session_emit_error (self, DUB_CODE_STREAM_NOT_FOUND,
      "there is no stream on this connection; send stream:init first", NULL);
  return FALSE;
}

static void
on_pause (DubSession *self, JsonNode *node, gint64 now_ns)
{
  if (check_control (self, node) && need_stream (self) &&
      self->state == DUB_SESSION_ACTIVE)
    self->state = DUB_SESSION_PAUSED;
}

static void
on_resume (DubSession *self, JsonNode *node, gint64 now_ns)
{
  if (check_control (self, node) && need_stream (self) &&
      self->state == DUB_SESSION_PAUSED)
    self->state = DUB_SESSION_ACTIVE;
}

void
dub_session_complete (DubSession *self, gint64 now_ns)
{
  g_autoptr (DubStreamComplete) complete = dub_stream_complete_new ();

  self->state = DUB_SESSION_COMPLETED;
  self->drain_ns = G_MAXINT64;
  self->close_ns = now_ns + self->settings->auto_disconnect_ns;
  complete->stream_id = g_strdup (self->init->stream_id);
  complete->total_duration_ms =
      (guint64) ((now_ns - self->begun_ns) / DUB_NS_PER_MS);
  dub_statistics_fill (&self->statistics, complete);
  dub_session_emit (
      self, DUB_EVENT_STREAM_COMPLETE, dub_stream_complete_to_json (complete));
}

static void
on_end (DubSession *self, JsonNode *node, gint64 now_ns)
{
  if (!check_control (self, node) || !need_stream (self))
    return;
  if (self->state == DUB_SESSION_COMPLETED) {
    dub_session_complete (self, now_ns);
    return;
  }
  if (self->state == DUB_SESSION_ENDING)
    return;
  self->state = DUB_SESSION_ENDING;
  self->drain_ns =
      now_ns +
      MIN (self->init->timeout_ms, DUB_WIRE_MAX_TIMEOUT_MS) * DUB_NS_PER_MS;
  dub_session_flush (self, now_ns, now_ns);
}

/* --- fragment:ack, echo's test events --- */

/* In flight is what was not answered; a peer's acks change nothing, but they
 * are a moment to look at the load again. */
static void
on_ack (DubSession *self, JsonNode *node, gint64 now_ns)
{
  if (self->state != DUB_SESSION_NONE)
    dub_session_tell_load (self, FALSE);
}

static void
on_error_simulation (DubSession *self, JsonNode *node, gint64 now_ns)
{
  g_autoptr (GError) error = NULL;
  DubErrorSimulation *simulation =
      dub_error_simulation_from_json (node, &error);

  if (!(simulation && simulation->stream_id) && !need_stream (self)) {
    dub_error_simulation_free (simulation);
    return;
  }
  dub_session_emit (self, DUB_EVENT_ERROR_SIMULATION_ACK,
      dub_error_simulation_ack_to_json (simulation != NULL,
          simulation ? simulation->rules->len : 0,
          error ? error->message : NULL));
  if (!simulation)
    return;
  if (simulation->stream_id && self->ops->simulate_errors) {
    self->ops->simulate_errors (simulation, self->user_data);
    return;
  }
  dub_error_simulation_free (self->simulation);
  self->simulation = simulation;
}

static void
on_simulate_disconnect (DubSession *self, JsonNode *node, gint64 now_ns)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DubSimulateDisconnect) simulate =
      dub_simulate_disconnect_from_json (node, &error);
  g_autofree char *text = NULL;

  if (!simulate) {
    dub_session_emit_error (
        self, dub_session_bad_input_code (self), error->message, NULL);
    return;
  }
  if (simulate->stream_id && self->ops->simulate_disconnect)
    self->ops->simulate_disconnect (simulate, self->user_data);
  else
    self->close_ns = now_ns + simulate->delay_ms * DUB_NS_PER_MS;
  text = g_strdup_printf (
      "will disconnect in %u ms: %s", simulate->delay_ms, simulate->reason);
  dub_session_emit (self, DUB_EVENT_SIMULATE_DISCONNECT_ACK,
      dub_simulate_disconnect_ack_to_json (
          self->ops->unix_ms (self->user_data) + simulate->delay_ms, text));
}

/* --- in --- */

typedef void (*Handler) (DubSession *self, JsonNode *node, gint64 now_ns);

static const struct {
  const char *event;
  Handler handle;
  gboolean is_echo_only;
} handlers[] = {
    {DUB_EVENT_STREAM_INIT, on_init},
    {DUB_EVENT_STREAM_PAUSE, on_pause},
    {DUB_EVENT_STREAM_RESUME, on_resume},
    {DUB_EVENT_STREAM_END, on_end},
    {DUB_EVENT_FRAGMENT_ACK, on_ack},
    {DUB_EVENT_ERROR_SIMULATION, on_error_simulation, TRUE},
    {DUB_EVENT_SIMULATE_DISCONNECT, on_simulate_disconnect, TRUE},
};

/* A client that does not heed a burst of refusals costs no more of them. */
static gboolean
is_in_time (DubSession *self, DubSioMessage *message, gint64 now_ns)
{
  guint wait_s;

  if (dub_rate_limit_take (&self->events, now_ns / 1000, &wait_s)) {
    self->too_many -= MIN (self->too_many, 1);
    return TRUE;
  }
  if (++self->too_many <= self->settings->events_per_s * BURST_S)
    dub_session_refuse (self, message, DUB_CODE_RATE_LIMIT,
        "too many events a second (STS_EVENT_LIMIT)", now_ns);
  else
    self->ops->close (self->user_data);
  return FALSE;
}

void
dub_session_receive (DubSession *session, DubSioMessage *message, gint64 now_ns)
{
  const char *event = dub_sio_message_get_event (message);
  JsonNode *node = dub_sio_message_get_n_args (message) > 0
                       ? dub_sio_message_get_arg (message, 0)
                       : NULL;

  if (!is_in_time (session, message, now_ns))
    return;
  if (g_strcmp0 (event, DUB_EVENT_FRAGMENT_DATA) == 0) {
    dub_session_on_fragment (session, message, now_ns);
    return;
  }
  for (gsize i = 0; i < G_N_ELEMENTS (handlers); i++) {
    if (g_strcmp0 (event, handlers[i].event) != 0)
      continue;
    if (session->settings->is_echo || !handlers[i].is_echo_only)
      handlers[i].handle (session, node, now_ns);
    return;
  }
}

void
dub_session_close_at (DubSession *session, gint64 close_ns)
{
  session->close_ns = close_ns;
}

gint64
dub_session_next_wake_ns (DubSession *session)
{
  gint64 wake = MIN (session->drain_ns, session->close_ns);

  return session->order ? MIN (wake, dub_order_wake_ns (session->order)) : wake;
}

void
dub_session_wake (DubSession *session, gint64 now_ns)
{
  if (session->order)
    dub_session_flush (
        session, now_ns, now_ns >= session->drain_ns ? G_MAXINT64 : now_ns);
  if (now_ns < session->close_ns)
    return;
  session->close_ns = G_MAXINT64;
  session->ops->close (session->user_data);
}
