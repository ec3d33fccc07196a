/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "media.api"
#include "server.h"

#include "guard.h"
#include "hook_event.h"
#include "metric_aliases.h"
#include "page.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <dubbing_socketio/http_listener.h>
#include <libsoup/soup.h>
#include <string.h>

struct _DubApiServer {
  const DubServiceSettings *settings;
  DubOrchestrator *orchestrator;
  DubMetrics *metrics;
  DubMetric *hooks, *hook_seconds;
  SoupServer *server;
  DubHttpListener *listener;
  gboolean is_stopping;
};

typedef void (*Handler) (DubApiServer *self, SoupServerMessage *message);

typedef struct {
  const char *path, *method;
  Handler handler;
  DubAccess access;
} Route;

/* --- answers --- */

static void
answer_text (
    SoupServerMessage *message, guint status, const char *type, char *text)
{
  soup_server_message_set_status (message, status, NULL);
  soup_server_message_set_response (
      message, type, SOUP_MEMORY_TAKE, text, strlen (text));
}

/* Takes the object. */
static void
answer_json (SoupServerMessage *message, guint status, JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, object);
  answer_text (
      message, status, "application/json", json_to_string (node, FALSE));
}

static JsonObject *
object_of (const char *name, const char *value)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, name, value);
  return object;
}

static void
answer_detail (SoupServerMessage *message, guint status, const char *detail)
{
  answer_json (message, status, object_of ("detail", detail));
}

/* {"detail":[{"loc":["body","path"],"msg":"...","type":"value_error"}]} */
static void
answer_unprocessable (
    SoupServerMessage *message, const char *field, const GError *error)
{
  JsonObject *object = json_object_new ();
  JsonObject *item = object_of ("msg", error->message);
  JsonArray *details = json_array_new ();
  JsonArray *place = json_array_new ();

  json_array_add_string_element (place, "body");
  if (field != NULL)
    json_array_add_string_element (place, field);
  json_object_set_array_member (item, "loc", place);
  json_object_set_string_member (item, "type", "value_error");
  json_array_add_object_element (details, item);
  json_object_set_array_member (object, "detail", details);
  answer_json (message, SOUP_STATUS_UNPROCESSABLE_ENTITY, object);
}

/* --- events of MediaMTX --- */

typedef struct {
  gboolean is_ready;
  gboolean is_old_path;
} HookKind;

static void
count_hook (DubApiServer *self, HookKind kind, const char *result)
{
  const char *const values[] = {
      kind.is_ready ? "ready" : "not-ready", result, NULL};

  dub_metric_add (self->hooks, values, 1);
}

static void
log_hook (const DubHookEvent *event, HookKind kind, const char *id)
{
  const char *const fields[] = {"stream_id", event->stream_id, "event_type",
      kind.is_ready ? "ready" : "not-ready", "path", event->path, "source_type",
      event->source_type, "source_id", event->source_id, "correlation_id", id,
      NULL};

  dub_log_fields (DUB_LOG_INFO, DUB_LOG_TOPIC, fields, "event from MediaMTX");
}

static void
answer_hook (SoupServerMessage *message, const DubHookEvent *event,
    HookKind kind, const char *id)
{
  gboolean is_in = event->direction == DUB_HOOK_IN;
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *time = g_date_time_format_iso8601 (now);
  JsonObject *object = object_of ("status", !is_in          ? "skipped"
                                            : kind.is_ready ? "worker_started"
                                                            : "worker_stopped");

  json_object_set_string_member (object, "message",
      !is_in          ? "an output needs no worker"
      : kind.is_ready ? "the stream has a worker, or will in a moment"
                      : "the worker ends unless the source returns");
  json_object_set_string_member (object, "stream_id", event->stream_id);
  if (!is_in)
    json_object_set_string_member (object, "direction", "out");
  json_object_set_string_member (object, "correlation_id", id);
  json_object_set_string_member (object, "timestamp", time);
  answer_json (message, SOUP_STATUS_OK, object);
}

static void
answer_refused (SoupServerMessage *message, const GError *error)
{
  JsonObject *object = object_of ("detail", error->message);
  gboolean is_full = g_error_matches (error, DUB_ERROR, DUB_ERROR_OVERLOADED);

  json_object_set_string_member (
      object, "code", is_full ? "max_workers" : "stopping");
  answer_json (
      message, is_full ? 429 : SOUP_STATUS_SERVICE_UNAVAILABLE, object);
}

static gboolean
carry_out (DubApiServer *self, const DubHookEvent *event, HookKind kind,
    GError **error)
{
  if (event->direction != DUB_HOOK_IN)
    return TRUE;
  if (kind.is_ready)
    return dub_orchestrator_ready (self->orchestrator, event->stream_id,
        event->source_id, event->query, error);
  dub_orchestrator_not_ready (
      self->orchestrator, event->stream_id, event->source_id);
  return TRUE;
}

static void
handle_hook (DubApiServer *self, SoupServerMessage *message, HookKind kind)
{
  SoupMessageBody *body = soup_server_message_get_request_body (message);
  g_autofree char *id = g_uuid_string_random ();
  g_autoptr (GBytes) bytes = soup_message_body_flatten (body);
  g_autoptr (DubHookEvent) event = NULL;
  g_autoptr (GError) error = NULL;
  const char *field;
  gsize length;
  const char *text = g_bytes_get_data (bytes, &length);

  event = dub_hook_event_parse (
      text != NULL ? text : "", length, !kind.is_old_path, &field, &error);
  if (event == NULL) {
    dub_warning ("refused an event from MediaMTX: %s", error->message);
    count_hook (self, kind, "invalid");
    if (kind.is_old_path)
      answer_detail (message, SOUP_STATUS_BAD_REQUEST, error->message);
    else
      answer_unprocessable (message, field, error);
    return;
  }
  log_hook (event, kind, id);
  if (!carry_out (self, event, kind, &error)) {
    dub_warning ("%s: %s", event->stream_id, error->message);
    count_hook (self, kind, "refused");
    answer_refused (message, error);
    return;
  }
  count_hook (
      self, kind, event->direction == DUB_HOOK_IN ? "accepted" : "skipped");
  answer_hook (message, event, kind, id);
}

static void
timed_hook (DubApiServer *self, SoupServerMessage *message, HookKind kind)
{
  gint64 start_us = g_get_monotonic_time ();

  handle_hook (self, message, kind);
  dub_metric_observe (self->hook_seconds, NULL,
      (double) (g_get_monotonic_time () - start_us) / 1e6);
}

static void
post_ready (DubApiServer *self, SoupServerMessage *message)
{
  timed_hook (self, message, (HookKind){TRUE, FALSE});
}

static void
post_not_ready (DubApiServer *self, SoupServerMessage *message)
{
  timed_hook (self, message, (HookKind){FALSE, FALSE});
}

static void
post_on_ready (DubApiServer *self, SoupServerMessage *message)
{
  timed_hook (self, message, (HookKind){TRUE, TRUE});
}

static void
post_on_not_ready (DubApiServer *self, SoupServerMessage *message)
{
  timed_hook (self, message, (HookKind){FALSE, TRUE});
}

/* --- the rest --- */

/* People get the page, programs the JSON. */
static void
get_root (DubApiServer *self, SoupServerMessage *message)
{
  JsonObject *object;
  const char *accept = soup_message_headers_get_list (
      soup_server_message_get_request_headers (message), "Accept");

  if (dub_page_is_wanted (accept) &&
      dub_page_answer (self->settings, message, "/"))
    return;
  object = object_of ("service", "stream-orchestration");
  json_object_set_string_member (object, "version", DUB_VERSION);
  json_object_set_string_member (
      object, "status", self->is_stopping ? "stopping" : "running");
  answer_json (message, SOUP_STATUS_OK, object);
}

static void
get_health (DubApiServer *self, SoupServerMessage *message)
{
  JsonObject *object = object_of ("status", "ok");

  json_object_set_string_member (object, "service", "media-service");
  answer_json (message, SOUP_STATUS_OK, object);
}

static void
get_health_ready (DubApiServer *self, SoupServerMessage *message)
{
  answer_json (message,
      self->is_stopping ? SOUP_STATUS_SERVICE_UNAVAILABLE : SOUP_STATUS_OK,
      object_of ("status", self->is_stopping ? "stopping" : "ready"));
}

static void
get_streams (DubApiServer *self, SoupServerMessage *message)
{
  JsonObject *object = json_object_new ();

  json_object_set_array_member (
      object, "streams", dub_orchestrator_list (self->orchestrator));
  answer_json (message, SOUP_STATUS_OK, object);
}

/* (transfer full) */
static char *
metrics_of_process (DubApiServer *self)
{
  dub_metrics_set_process (self->metrics);
  return dub_metrics_to_text (self->metrics);
}

static void
get_metrics (DubApiServer *self, SoupServerMessage *message)
{
  g_autofree const char **workers =
      dub_orchestrator_get_metrics (self->orchestrator);
  g_autofree char *own = metrics_of_process (self);
  g_autoptr (GPtrArray) texts = g_ptr_array_new ();
  gsize n_aliases;
  const DubMetricAlias *aliases = dub_metric_aliases (&n_aliases);

  g_ptr_array_add (texts, own);
  for (gsize i = 0; workers[i] != NULL; i++)
    g_ptr_array_add (texts, (gpointer) workers[i]);
  g_ptr_array_add (texts, NULL);
  answer_text (message, SOUP_STATUS_OK, DUB_METRICS_CONTENT_TYPE,
      dub_metrics_merge_aliased (
          (const char *const *) texts->pdata, aliases, n_aliases));
}

static void
get_page_file (DubApiServer *self, SoupServerMessage *message)
{
  const char *path = g_uri_get_path (soup_server_message_get_uri (message));

  if (!dub_page_answer (self->settings, message, path))
    answer_detail (message, SOUP_STATUS_NOT_FOUND, "Not Found");
}

static const Route page_files = {
    "/page/", "GET", get_page_file, DUB_ACCESS_OPEN};

static const Route routes[] = {
    {"/", "GET", get_root, DUB_ACCESS_OPEN},
    {"/health", "GET", get_health, DUB_ACCESS_OPEN},
    {"/health/live", "GET", get_health, DUB_ACCESS_OPEN},
    {"/health/ready", "GET", get_health_ready, DUB_ACCESS_OPEN},
    {"/metrics", "GET", get_metrics, DUB_ACCESS_METRICS},
    {"/v1/streams", "GET", get_streams, DUB_ACCESS_API},
    {"/v1/mediamtx/events/ready", "POST", post_ready, DUB_ACCESS_HOOK},
    {"/v1/mediamtx/events/not-ready", "POST", post_not_ready, DUB_ACCESS_HOOK},
    {"/hooks/mediamtx/on-ready", "POST", post_on_ready, DUB_ACCESS_HOOK},
    {"/hooks/mediamtx/on-not-ready", "POST", post_on_not_ready,
        DUB_ACCESS_HOOK},
};

static const Route *
find_route (const char *path)
{
  if (g_str_has_prefix (path, page_files.path))
    return &page_files;
  for (gsize i = 0; i < G_N_ELEMENTS (routes); i++)
    if (g_str_equal (routes[i].path, path))
      return &routes[i];
  return NULL;
}

static gboolean
method_fits (const Route *route, const char *method)
{
  return g_str_equal (method, route->method) ||
         (g_str_equal (method, "HEAD") && g_str_equal (route->method, "GET"));
}

static void
on_request (SoupServer *server, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer user_data)
{
  DubApiServer *self = user_data;
  const Route *route = find_route (path);
  const char *why = NULL;
  guint refusal = dub_guard_check (self->settings, message,
      route != NULL ? route->access : DUB_ACCESS_API, &why);

  if (refusal != 0)
    answer_detail (message, refusal, why);
  else if (route == NULL)
    answer_detail (message, SOUP_STATUS_NOT_FOUND, "Not Found");
  else if (!method_fits (route, soup_server_message_get_method (message)))
    answer_detail (
        message, SOUP_STATUS_METHOD_NOT_ALLOWED, "Method Not Allowed");
  else if (g_object_get_data (G_OBJECT (message), "too-large") != NULL)
    answer_detail (message, SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE,
        "the body is larger than 16384 bytes");
  else
    route->handler (self, message);
}

/* A body is not kept beyond the limit, whatever length was announced. */
static void
on_chunk (SoupServerMessage *message, GBytes *chunk, gpointer user_data)
{
  gsize *total = user_data;
  SoupMessageBody *body = soup_server_message_get_request_body (message);

  *total += g_bytes_get_size (chunk);
  if (*total <= DUB_HOOK_MAX_BYTES)
    return;
  g_object_set_data (G_OBJECT (message), "too-large", message);
  soup_message_body_set_accumulate (body, FALSE);
  soup_message_body_truncate (body);
}

static void
on_started (SoupServer *server, SoupServerMessage *message, gpointer user_data)
{
  g_signal_connect_data (message, "got-chunk", G_CALLBACK (on_chunk),
      g_new0 (gsize, 1), (GClosureNotify) (void (*) (void)) g_free, 0);
}

static gboolean
listen_on (DubApiServer *self, GError **error)
{
  g_autofree char *host = NULL;
  guint port;

  dub_service_settings_get_address (self->settings, &host, &port);
  self->listener = dub_http_listener_new (self->server, host, port, error);
  if (self->listener == NULL)
    g_prefix_error (error, "PORT, ORCH_HTTP_ADDR: ");
  return self->listener != NULL;
}

DubApiServer *
dub_api_server_new (const DubServiceSettings *settings,
    DubOrchestrator *orchestrator, DubMetrics *metrics, GError **error)
{
  static const char *const labels[] = {"event", "result", NULL};
  static const double bounds[] = {0.001, 0.005, 0.01, 0.05, 0.1, 0.5};
  g_autoptr (DubApiServer) self = g_new0 (DubApiServer, 1);

  self->settings = settings;
  self->orchestrator = orchestrator;
  self->metrics = metrics;
  self->hooks = dub_metrics_counter (metrics, "media_service_hook_events_total",
      "Events from MediaMTX", labels);
  self->hook_seconds = dub_metrics_histogram (metrics,
      "media_service_hook_seconds", "Time that an event took to be answered",
      NULL, bounds, G_N_ELEMENTS (bounds));
  self->server = soup_server_new ("server-header", "media-service", NULL);
  soup_server_add_handler (self->server, NULL, on_request, self, NULL);
  g_signal_connect (
      self->server, "request-started", G_CALLBACK (on_started), NULL);
  if (!listen_on (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
dub_api_server_free (DubApiServer *self)
{
  if (self == NULL)
    return;
  dub_http_listener_free (self->listener);
  soup_server_disconnect (self->server);
  g_object_unref (self->server);
  g_free (self);
}

guint
dub_api_server_get_port (DubApiServer *self)
{
  return dub_http_listener_get_port (self->listener);
}

void
dub_api_server_set_stopping (DubApiServer *self)
{
  self->is_stopping = TRUE;
}
