/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "sts.server"

#include "server.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <dubbing_common/rate_limit.h>
#include <dubbing_common/secret.h>
#include <dubbing_contracts/wire_error.h>
#include <dubbing_socketio/http_listener.h>
#include <string.h>

#include "connection.h"
#include "gpu.h"
#include "metric_aliases.h"
#include "problem.h"
#include "rest.h"

/* One-off requests at a time. */
#define MAX_REST_REQUESTS 8
/* Beside those of sessions: polls, health, metrics. */
#define MORE_CONNECTIONS 128
/* Who has not said who he is by then makes room for others. */
#define JOIN_TIMEOUT_MS 10000
/* At once, in seconds of what may come on average. */
#define BURST_S 4
/* A session by polling takes two requests for an event. */
#define POLLS_PER_REQUEST 10

struct _DubStsServer {
  const DubStsServerSettings *settings;
  DubProcessor *processor;
  DubMetrics *metrics;
  DubStreamMetrics *stream_metrics;
  DubSimulations *simulations;
  SoupServer *soup;
  DubHttpListener *listener;
  DubSioServer *sio;
  DubRest *rest;
  DubPeerLimits *requests, *polls;
  DubMetric *limited_total; /* what */
};

/* --- too much of one peer --- */

/* (transfer full) */
static char *
address_of (DubStsServer *self, SoupServerMessage *message)
{
  const char *forwarded = soup_message_headers_get_list (
      soup_server_message_get_request_headers (message), "X-Forwarded-For");

  return dub_proxies_client (self->settings->proxies,
      soup_server_message_get_remote_host (message), forwarded);
}

/* FALSE: it was answered. */
static gboolean
take (DubStsServer *self, DubPeerLimits *limits, const char *what,
    SoupServerMessage *message)
{
  g_autofree char *peer = address_of (self, message);
  DubProblem problem = {DUB_HTTP_TOO_MANY_REQUESTS, DUB_CODE_RATE_LIMIT, NULL,
      "too many requests a second (STS_RATE_LIMIT)", TRUE, 1};

  if (dub_peer_limits_take (
          limits, peer, g_get_monotonic_time (), &problem.retry_after_s))
    return TRUE;
  dub_metric_add (self->limited_total, (const char *const[]){what, NULL}, 1);
  dub_answer_problem (message, &problem);
  return FALSE;
}

static gboolean
is_in_time (SoupServerMessage *message, gpointer user_data)
{
  DubStsServer *self = user_data;

  return take (self, self->requests, "request", message);
}

static gboolean
may_ask (SoupServerMessage *message, gboolean is_known, gpointer user_data)
{
  DubStsServer *self = user_data;

  return is_known ? take (self, self->polls, "poll", message)
                  : take (self, self->requests, "handshake", message);
}

/* --- authorisation --- */

/* header: (nullable) */
static gboolean
is_authorised (DubStsServer *self, const char *header)
{
  const char *key = self->settings->api_key;

  return !key || !*key || dub_secret_is_bearer (header, key);
}

/* A key of its own, where there is one; that of all else opens it too. */
static gboolean
may_read_metrics (DubStsServer *self, const char *header)
{
  const char *token = self->settings->metrics_token;

  if (!token || !*token)
    return is_authorised (self, header);
  return dub_secret_is_bearer (header, token) ||
         dub_secret_is_bearer (header, self->settings->api_key);
}

/* --- Socket.IO --- */

static gboolean
on_connect (
    DubSioSocket *socket, JsonNode *auth, gpointer user_data, GError **error)
{
  DubStsServer *self = user_data;

  if (!is_authorised (
          self, dub_sio_socket_get_header (socket, "Authorization"))) {
    dub_warning ("a client without the right key was refused");
    g_set_error (error, DUB_ERROR, DUB_ERROR_AUTH,
        DUB_CODE_AUTH_FAILED ": send the key as \"Authorization: Bearer ...\"");
    return FALSE;
  }
  dub_sio_socket_set_data (socket,
      dub_connection_new (socket, &self->settings->session, self->processor,
          self->stream_metrics, self->simulations),
      (GDestroyNotify) dub_connection_unref);
  return TRUE;
}

/* Clients of today ask for no acknowledgement. One that does gets an empty
 * one, at once. */
static void
on_event (DubSioSocket *socket, DubSioMessage *message, DubSioAck *ack,
    gpointer user_data)
{
  DubConnection *connection = dub_sio_socket_get_data (socket);

  if (ack)
    dub_sio_ack_send (ack, dub_sio_message_new (NULL));
  if (connection)
    dub_connection_receive (connection, message);
}

static void
on_disconnect (DubSioSocket *socket, const char *reason, gpointer user_data)
{
  DubConnection *connection = dub_sio_socket_get_data (socket);

  if (connection)
    dub_connection_lost (connection, reason);
}

/* --- HTTP --- */

static gboolean
is_read (SoupServerMessage *message)
{
  const char *method = soup_server_message_get_method (message);

  if (method == SOUP_METHOD_GET || method == SOUP_METHOD_HEAD)
    return TRUE;
  soup_message_headers_replace (
      soup_server_message_get_response_headers (message), "Allow", "GET, HEAD");
  soup_server_message_set_status (
      message, SOUP_STATUS_METHOD_NOT_ALLOWED, NULL);
  return FALSE;
}

static void
answer (SoupServerMessage *message, guint status, const char *type, char *text)
{
  soup_server_message_set_status (message, status, NULL);
  soup_server_message_set_response (
      message, type, SOUP_MEMORY_TAKE, text, strlen (text));
}

/* (transfer full) */
static char *
health_to_text (DubStsServer *self, const char *status, const char *reason)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "status", status);
  json_object_set_string_member (
      object, "service", self->settings->service_name);
  json_object_set_string_member (object, "version", DUB_VERSION);
  json_object_set_int_member (
      object, "sessions", dub_sio_server_get_n_sessions (self->sio));
  if (reason)
    json_object_set_string_member (object, "reason", reason);
  json_node_take_object (node, object);
  return json_to_string (node, FALSE);
}

/* Alive: it answers. Whether it can serve is /health/ready. */
static void
on_health (SoupServer *soup, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer user_data)
{
  DubStsServer *self = user_data;
  gboolean is_ready_path = g_str_equal (path, "/health/ready");
  g_autoptr (GError) error = NULL;

  if (!is_read (message))
    return;
  if (!is_ready_path && !g_str_equal (path, "/health") &&
      !g_str_equal (path, "/health/live")) {
    soup_server_message_set_status (message, SOUP_STATUS_NOT_FOUND, NULL);
    return;
  }
  if (is_ready_path && !self->processor->is_ready (self->processor, &error)) {
    answer (message, SOUP_STATUS_SERVICE_UNAVAILABLE, "application/json",
        health_to_text (
            self, "unavailable", error ? error->message : "not ready"));
    return;
  }
  answer (message, SOUP_STATUS_OK, "application/json",
      health_to_text (self, "healthy", NULL));
}

static void
set_gpu (DubMetrics *metrics)
{
  DubGpuUse use;

  dub_gpu_get_use ("/sys/class/drm", &use);
  dub_metric_set (dub_metrics_gauge (metrics, "sts_gpu_utilization_percent",
                      "Of the busiest GPU; 0 where none is known", NULL),
      NULL, use.busy_percent);
  dub_metric_set (dub_metrics_gauge (metrics, "sts_gpu_memory_used_bytes",
                      "Of all GPUs; 0 where none is known", NULL),
      NULL, use.memory_in_use);
}

/* (transfer full) */
static char *
metrics_to_text (DubMetrics *metrics)
{
  gsize n;
  const DubMetricAlias *aliases = dub_sts_metric_aliases (&n);
  g_autofree char *own = NULL;

  dub_metrics_set_process (metrics);
  set_gpu (metrics);
  own = dub_metrics_to_text (metrics);
  return dub_metrics_merge_aliased (
      (const char *const[]){own, NULL}, aliases, n);
}

static void
on_metrics (SoupServer *soup, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer user_data)
{
  DubStsServer *self = user_data;
  SoupMessageHeaders *headers =
      soup_server_message_get_request_headers (message);

  if (!is_read (message))
    return;
  if (!may_read_metrics (
          self, soup_message_headers_get_one (headers, "Authorization"))) {
    soup_message_headers_replace (
        soup_server_message_get_response_headers (message), "WWW-Authenticate",
        "Bearer");
    soup_server_message_set_status (message, SOUP_STATUS_UNAUTHORIZED, NULL);
    return;
  }
  answer (message, SOUP_STATUS_OK, DUB_METRICS_CONTENT_TYPE,
      metrics_to_text (self->metrics));
}

static void
on_other (SoupServer *soup, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer user_data)
{
  answer (message, SOUP_STATUS_NOT_FOUND, "text/plain", g_strdup ("Not Found"));
}

/* These paths have no use for a body, and none may fill the memory. What is
 * answered here goes to no handler any more. */
static void
on_early (SoupServer *soup, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer user_data)
{
  soup_message_body_set_accumulate (
      soup_server_message_get_request_body (message), FALSE);
  is_in_time (message, user_data);
}

static gboolean
on_rest_auth (const char *header, gpointer user_data)
{
  return is_authorised (user_data, header);
}

/* --- life --- */

static DubRest *
make_rest (DubStsServer *self)
{
  const DubRestSettings settings = {
      .session = &self->settings->session,
      .max_body_bytes = self->settings->max_message_bytes,
      .max_requests = MAX_REST_REQUESTS,
      .is_in_time = is_in_time,
      .is_authorised = on_rest_auth,
      .user_data = self,
  };

  return dub_rest_new (&settings, self->soup, self->processor, self->metrics);
}

static DubSioServer *
make_sio (DubStsServer *self)
{
  static const DubSioHandlers handlers = {on_connect, on_event, on_disconnect};
  const DubStsServerSettings *settings = self->settings;
  DubSioServerOptions options;
  DubSioServer *sio;

  dub_sio_server_options_init (&options);
  options.ping_interval_ms = settings->ping_interval_ms;
  options.ping_timeout_ms = settings->ping_timeout_ms;
  options.max_payload = settings->max_message_bytes;
  options.max_sessions = settings->max_connections;
  options.connect_timeout_ms = JOIN_TIMEOUT_MS;
  options.may_ask = may_ask;
  options.may_ask_data = self;
  sio = dub_sio_server_new (&options);
  dub_sio_server_add_namespace (sio, "/", &handlers, self, NULL);
  dub_sio_server_attach (sio, self->soup, "/socket.io/");
  dub_sio_server_attach (sio, self->soup, "/ws/sts");
  return sio;
}

static gboolean
listen_on (DubStsServer *self, GError **error)
{
  DubHttpListenerOptions options;

  dub_http_listener_options_init (&options);
  options.host = self->settings->host;
  options.port = self->settings->port;
  options.certificate = self->settings->certificate;
  options.max_connections = self->settings->max_connections + MORE_CONNECTIONS;
  options.max_per_peer = options.max_connections;
  self->listener = dub_http_listener_new_full (self->soup, &options, error);
  if (self->listener)
    return TRUE;
  g_prefix_error (error, "HOST, PORT: ");
  return FALSE;
}

static void
make_limits (DubStsServer *self)
{
  static const char *const what[] = {"what", NULL};
  double rate = self->settings->requests_per_s;

  self->requests = dub_peer_limits_new (rate, rate * BURST_S);
  self->polls = dub_peer_limits_new (
      rate * POLLS_PER_REQUEST, rate * POLLS_PER_REQUEST * BURST_S);
  self->limited_total = dub_metrics_counter (self->metrics,
      "sts_http_limited_total",
      "Requests that were too many of one address, by what they were", what);
}

DubStsServer *
dub_sts_server_new (const DubStsServerSettings *settings,
    DubProcessor *processor, DubMetrics *metrics, GError **error)
{
  static const char *const without_body[] = {NULL, "/health", "/metrics"};
  g_autoptr (DubStsServer) self = g_new0 (DubStsServer, 1);

  self->settings = settings;
  self->processor = processor;
  self->metrics = dub_metrics_ref (metrics);
  self->stream_metrics = dub_stream_metrics_new (metrics);
  make_limits (self);
  self->simulations = dub_simulations_new ();
  self->soup = soup_server_new (NULL, NULL);
  soup_server_add_handler (self->soup, "/health", on_health, self, NULL);
  soup_server_add_handler (self->soup, "/metrics", on_metrics, self, NULL);
  soup_server_add_handler (self->soup, NULL, on_other, NULL, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (without_body); i++)
    soup_server_add_early_handler (
        self->soup, without_body[i], on_early, self, NULL);
  self->rest = make_rest (self);
  self->sio = make_sio (self);
  return listen_on (self, error) ? g_steal_pointer (&self) : NULL;
}

void
dub_sts_server_free (DubStsServer *server)
{
  if (!server)
    return;
  g_clear_pointer (&server->listener, dub_http_listener_free);
  g_clear_pointer (&server->sio, dub_sio_server_free);
  g_clear_pointer (&server->rest, dub_rest_free);
  if (server->soup)
    soup_server_disconnect (server->soup);
  g_clear_object (&server->soup);
  dub_peer_limits_free (server->requests);
  dub_peer_limits_free (server->polls);
  g_clear_pointer (&server->stream_metrics, dub_stream_metrics_free);
  g_clear_pointer (&server->simulations, dub_simulations_free);
  g_clear_pointer (&server->metrics, dub_metrics_unref);
  g_free (server);
}

guint16
dub_sts_server_get_port (DubStsServer *server)
{
  return (guint16) dub_http_listener_get_port (server->listener);
}
