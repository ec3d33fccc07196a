/* SPDX-License-Identifier: Apache-2.0 */
#include "sts_link.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>

#include "link_private.h"

const char *
dub_sts_link_phase_to_string (DubStsLinkPhase phase)
{
  static const char *const names[] = {"none", "connecting", "ready", "waiting"};

  return phase < G_N_ELEMENTS (names) ? names[phase] : "none";
}

void
dub_sts_link_settings_init (DubStsLinkSettings *settings)
{
  *settings = (DubStsLinkSettings){
      .max_inflight = 3,
      .timeout_ms = 8000,
      .ready_timeout_ms = 10000,
  };
}

DubLinkHandle *
dub_link_handle_ref (DubLinkHandle *handle)
{
  g_ref_count_inc (&handle->ref_count);
  return handle;
}

void
dub_link_handle_unref (DubLinkHandle *handle)
{
  if (handle && g_ref_count_dec (&handle->ref_count))
    g_free (handle);
}

/* --- state --- */

void
dub_sts_link_get_state (DubStsLink *link, DubStsLinkState *ret_state)
{
  gboolean is_ready = link->phase == DUB_STS_LINK_READY;

  *ret_state = (DubStsLinkState){
      .phase = link->phase,
      .max_inflight =
          is_ready ? MIN (link->init->max_inflight, link->peer_max_inflight)
                   : 0,
      .is_paused = is_ready && link->flow.action == DUB_FLOW_PAUSE,
      .delay_ms = is_ready ? link->flow.delay_ms : 0,
      .reconnects = link->times_ready > 0 ? link->times_ready - 1 : 0,
      .error = link->phase == DUB_STS_LINK_WAITING ? link->error : NULL,
  };
}

void
dub_sts_link_tell (DubStsLink *self)
{
  DubStsLinkState state;
  const DubStsLinkState *told = &self->told;

  dub_sts_link_get_state (self, &state);
  if (state.phase == told->phase && state.max_inflight == told->max_inflight &&
      state.is_paused == told->is_paused && state.delay_ms == told->delay_ms)
    return;
  self->told = state;
  self->told.error = NULL;
  self->handlers.on_state (self, &state, self->user_data);
}

/* --- timer --- */

static void
clear_source (GSource **source)
{
  if (!*source)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
set_timer (DubStsLink *self, guint ms, GSourceFunc on_time)
{
  clear_source (&self->timer);
  self->timer = g_timeout_source_new (ms);
  g_source_set_callback (self->timer, on_time, self, NULL);
  g_source_attach (self->timer, g_main_context_get_thread_default ());
}

/* --- connection --- */

static gboolean connect_now (gpointer user_data);

void
dub_sts_link_lose (DubStsLink *self, GError *error)
{
  g_clear_pointer (&self->client, dub_sio_client_free);
  clear_source (&self->flow_timer);
  self->flow = (DubBackpressureState){.action = DUB_FLOW_NONE};
  self->connection++;
  self->phase = DUB_STS_LINK_WAITING;
  g_clear_error (&self->error);
  self->error = error;
  set_timer (self, dub_reconnection_next_ms (&self->reconnect, g_random_int ()),
      connect_now);
  dub_sts_link_tell (self);
  dub_sts_link_fail_all (self, "DISCONNECTED");
}

static gboolean
on_ready_timeout (gpointer user_data)
{
  DubStsLink *self = user_data;

  dub_sts_link_lose (self, g_error_new (DUB_ERROR, DUB_ERROR_TIMEOUT,
                               "%s: no stream:ready within %u ms",
                               self->redacted_url, self->ready_timeout_ms));
  return G_SOURCE_REMOVE;
}

static void
on_connect (DubSioClient *client, gpointer user_data)
{
  DubStsLink *self = user_data;
  DubSioMessage *message = dub_sio_message_new (DUB_EVENT_STREAM_INIT);

  dub_sio_message_add_arg (message, dub_stream_init_to_json (self->init));
  (void) dub_sio_client_emit (client, message);
}

static void
on_ready (DubStsLink *self, JsonNode *node)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DubStreamReady) ready = dub_stream_ready_from_json (node, &error);

  if (self->phase == DUB_STS_LINK_READY)
    return;
  if (!ready) {
    g_prefix_error (&error, "%s: stream:ready: ", self->redacted_url);
    dub_sts_link_lose (self, g_steal_pointer (&error));
    return;
  }
  clear_source (&self->timer);
  dub_reconnection_reset (&self->reconnect);
  self->peer_max_inflight = ready->max_inflight;
  self->sends_pcm = ready->takes_pcm_binary && !self->force_m4a;
  self->next_number = 0;
  self->times_ready++;
  self->phase = DUB_STS_LINK_READY;
  dub_sts_link_tell (self);
}

static void
on_event (DubSioClient *client, DubSioMessage *message, gpointer user_data)
{
  DubStsLink *self = user_data;
  const char *event = dub_sio_message_get_event (message);
  JsonNode *node = dub_sio_message_get_n_args (message) > 0
                       ? dub_sio_message_get_arg (message, 0)
                       : NULL;

  if (!node)
    return;
  if (g_str_equal (event, DUB_EVENT_STREAM_READY))
    on_ready (self, node);
  else if (g_str_equal (event, DUB_EVENT_ERROR))
    dub_sts_link_on_error (self, node);
  else if (self->phase != DUB_STS_LINK_READY)
    return;
  else if (g_str_equal (event, DUB_EVENT_FRAGMENT_PROCESSED))
    dub_sts_link_on_processed (self, message);
  else if (g_str_equal (event, DUB_EVENT_FRAGMENT_ACK))
    dub_sts_link_on_ack (self, node);
  else if (g_str_equal (event, DUB_EVENT_BACKPRESSURE) ||
           g_str_equal (event, DUB_EVENT_BACKPRESSURE_STATE))
    dub_sts_link_on_backpressure (self, node);
}

static void
on_close (DubSioClient *client, const GError *error, gpointer user_data)
{
  dub_sts_link_lose (user_data, g_error_copy (error));
}

/* A URL without a path means the usual one. (transfer full) */
static char *
find_path (const char *url)
{
  g_autoptr (GUri) uri = g_uri_parse (url, G_URI_FLAGS_NONE, NULL);
  const char *path = uri ? g_uri_get_path (uri) : "";

  return g_strdup (path[0] && path[1] ? path : "/socket.io/");
}

static DubSioClient *
make_client (DubStsLink *self, GError **error)
{
  static const DubSioClientHandlers handlers = {
      on_connect, on_event, on_close, NULL};
  const char *const names[] = {"X-Stream-ID", self->init->stream_id,
      "X-Worker-ID", self->init->worker_id,
      self->authorization ? "Authorization" : NULL, self->authorization, NULL};
  g_autofree char *path = find_path (self->url);
  DubSioClientOptions options;

  dub_sio_client_options_init (&options);
  options.headers = names;
  options.path = path;
  return dub_sio_client_new (self->url, &options, &handlers, self, error);
}

static gboolean
connect_now (gpointer user_data)
{
  DubStsLink *self = user_data;
  GError *error = NULL;

  clear_source (&self->timer);
  self->phase = DUB_STS_LINK_CONNECTING;
  dub_sts_link_tell (self);
  if (!self->client)
    self->client = make_client (self, &error);
  if (!self->client) {
    dub_sts_link_lose (self, error);
    return G_SOURCE_REMOVE;
  }
  set_timer (self, self->ready_timeout_ms, on_ready_timeout);
  dub_sio_client_connect (self->client);
  return G_SOURCE_REMOVE;
}

/* --- life --- */

static DubStreamInit *
make_init (const DubStsLinkSettings *settings)
{
  DubStreamInit *init = dub_stream_init_new ();

  init->stream_id = g_strdup (settings->stream_id);
  init->worker_id = settings->worker_id
                        ? g_strdup (settings->worker_id)
                        : g_strdup_printf ("worker-%s", settings->stream_id);
  init->source_language = g_strdup (settings->source_language);
  init->target_language = g_strdup (settings->target_language);
  if (settings->voice_profile && *settings->voice_profile) {
    g_free (init->voice_profile);
    init->voice_profile = g_strdup (settings->voice_profile);
  }
  init->domain_hints = g_strdupv ((char **) settings->domain_hints);
  init->max_inflight = CLAMP (settings->max_inflight, 1, DUB_WIRE_MAX_INFLIGHT);
  init->timeout_ms = CLAMP (
      settings->timeout_ms, DUB_WIRE_MIN_TIMEOUT_MS, DUB_WIRE_MAX_TIMEOUT_MS);
  return init;
}

static DubLinkHandle *
handle_new (DubStsLink *link)
{
  DubLinkHandle *handle = g_new0 (DubLinkHandle, 1);

  g_ref_count_init (&handle->ref_count);
  handle->link = link;
  return handle;
}

DubStsLink *
dub_sts_link_new (const DubStsLinkSettings *settings,
    const DubStsLinkHandlers *handlers, gpointer user_data, GError **error)
{
  g_autoptr (DubStsLink) self = NULL;

  g_return_val_if_fail (settings->url && settings->stream_id, NULL);
  self = g_new0 (DubStsLink, 1);
  self->handle = handle_new (self);
  self->url = g_strdup (settings->url);
  self->redacted_url = dub_redact_url (settings->url);
  if (settings->api_key && *settings->api_key)
    self->authorization = g_strdup_printf ("Bearer %s", settings->api_key);
  self->init = make_init (settings);
  self->ready_timeout_ms = settings->ready_timeout_ms;
  self->force_m4a = settings->force_m4a;
  self->handlers = *handlers;
  self->user_data = user_data;
  g_queue_init (&self->sent);
  g_queue_init (&self->to_encode);
  self->client = make_client (self, error);
  if (!self->client)
    return NULL;
  set_timer (self, 0, connect_now);
  return g_steal_pointer (&self);
}

static void
say_goodbye (DubStsLink *self)
{
  g_autoptr (DubStreamControl) control = dub_stream_control_new ();
  DubSioMessage *message = dub_sio_message_new (DUB_EVENT_STREAM_END);

  control->stream_id = g_strdup (self->init->stream_id);
  control->reason = g_strdup ("source_ended");
  dub_sio_message_add_arg (message, dub_stream_control_to_json (control));
  (void) dub_sio_client_emit (self->client, message);
}

/* The client calls back when it disconnects; by then nobody must listen. */
static void
leave (DubStsLink *self)
{
  if (self->phase == DUB_STS_LINK_READY)
    say_goodbye (self);
  g_clear_pointer (&self->client, dub_sio_client_free);
}

void
dub_sts_link_free (DubStsLink *link)
{
  if (!link)
    return;
  link->handle->link = NULL;
  leave (link);
  dub_link_handle_unref (link->handle);
  clear_source (&link->timer);
  clear_source (&link->flow_timer);
  dub_sts_link_forget_all (link);
  g_clear_error (&link->error);
  dub_stream_init_free (link->init);
  g_free (link->authorization);
  g_free (link->redacted_url);
  g_free (link->url);
  g_free (link);
}
