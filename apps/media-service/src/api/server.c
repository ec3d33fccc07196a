/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "media.api"
#include "server.h"

#include "../orchestrator/stream_settings.h"
#include "answer.h"
#include "guard.h"
#include "hook_event.h"
#include "routes.h"

#include <dubbing_common/log.h>
#include <dubbing_common/tls.h>
#include <string.h>

typedef struct {
  const char *path; /* {id} stands for a stream, a / at the end for all below */
  const char *method;
  DubApiHandler handler;
  DubAccess access;
} Route;

static const Route routes[] = {
    {"/", "GET", dub_route_root, DUB_ACCESS_OPEN},
    {"/page/", "GET", dub_route_page_file, DUB_ACCESS_OPEN},
    {"/health", "GET", dub_route_health, DUB_ACCESS_OPEN},
    {"/health/live", "GET", dub_route_health, DUB_ACCESS_OPEN},
    {"/health/ready", "GET", dub_route_health_ready, DUB_ACCESS_OPEN},
    {"/metrics", "GET", dub_route_metrics, DUB_ACCESS_METRICS},
    {"/v1/mediamtx/events/ready", "POST", dub_route_ready, DUB_ACCESS_HOOK},
    {"/v1/mediamtx/events/not-ready", "POST", dub_route_not_ready,
        DUB_ACCESS_HOOK},
    {"/hooks/mediamtx/on-ready", "POST", dub_route_on_ready, DUB_ACCESS_HOOK},
    {"/hooks/mediamtx/on-not-ready", "POST", dub_route_on_not_ready,
        DUB_ACCESS_HOOK},
    {"/openapi.json", "GET", dub_route_doc, DUB_ACCESS_OPEN},
    {"/docs", "GET", dub_route_doc, DUB_ACCESS_OPEN},
    {"/docs/docs.css", "GET", dub_route_doc, DUB_ACCESS_OPEN},
    {"/docs/docs.js", "GET", dub_route_doc, DUB_ACCESS_OPEN},
    {"/v1/config", "GET", dub_route_config, DUB_ACCESS_API},
    {"/v1/events", "GET", dub_route_events, DUB_ACCESS_API},
    {"/v1/streams/{id}/events", "GET", dub_route_events, DUB_ACCESS_API},
    {"/v1/streams", "GET", dub_route_list, DUB_ACCESS_API},
    {"/v1/streams", "POST", dub_route_create, DUB_ACCESS_API},
    {"/v1/streams/{id}", "GET", dub_route_get, DUB_ACCESS_API},
    {"/v1/streams/{id}", "PATCH", dub_route_change, DUB_ACCESS_API},
    {"/v1/streams/{id}", "DELETE", dub_route_delete, DUB_ACCESS_API},
    {"/v1/streams/{id}/start", "POST", dub_route_start, DUB_ACCESS_API},
    {"/v1/streams/{id}/stop", "POST", dub_route_stop, DUB_ACCESS_API},
    {"/v1/streams/{id}/restart", "POST", dub_route_restart, DUB_ACCESS_API},
    {"/v1/streams/{id}/history", "GET", dub_route_history, DUB_ACCESS_API},
};

/* TRUE: the path is one of the pattern; *ret_id (transfer full) is then what
 * stood at {id}, or NULL. */
static gboolean
path_fits (const char *pattern, const char *path, char **ret_id)
{
  const char *hole = strstr (pattern, "{id}");
  const char *rest = hole != NULL ? hole + strlen ("{id}") : NULL;
  gsize before = hole != NULL ? (gsize) (hole - pattern) : 0;
  gsize length = strlen (path);
  g_autofree char *id = NULL;

  if (hole == NULL)
    return g_str_equal (pattern, path) ||
           (g_str_has_suffix (pattern + 1, "/") &&
               g_str_has_prefix (path, pattern));
  if (strncmp (pattern, path, before) != 0 || !g_str_has_suffix (path, rest) ||
      length <= before + strlen (rest))
    return FALSE;
  id = g_strndup (path + before, length - before - strlen (rest));
  if (!dub_stream_id_is_valid (id))
    return FALSE;
  *ret_id = g_steal_pointer (&id);
  return TRUE;
}

static gboolean
method_fits (const Route *route, const char *method)
{
  return g_str_equal (method, route->method) ||
         (g_str_equal (method, "HEAD") && g_str_equal (route->method, "GET"));
}

typedef struct {
  const Route *route; /* NULL: no such path */
  gboolean has_method;
  char *stream_id;
  char *allowed; /* methods of the path */
} Match;

static void
find_route (const char *path, const char *method, Match *match)
{
  g_autoptr (GString) allowed = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (routes); i++) {
    g_autofree char *id = NULL;

    if (!path_fits (routes[i].path, path, &id))
      continue;
    g_string_append_printf (
        allowed, "%s%s", allowed->len > 0 ? ", " : "", routes[i].method);
    if (match->has_method)
      continue;
    match->route = &routes[i];
    match->has_method = method_fits (&routes[i], method);
    g_free (match->stream_id);
    match->stream_id = g_steal_pointer (&id);
  }
  match->allowed = g_string_free (g_steal_pointer (&allowed), FALSE);
}

static void
answer_wrong_method (SoupServerMessage *message, const char *allowed)
{
  soup_message_headers_replace (
      soup_server_message_get_response_headers (message), "Allow", allowed);
  dub_answer_problem (message, SOUP_STATUS_METHOD_NOT_ALLOWED,
      "method_not_allowed", "Method Not Allowed");
}

/* What anybody may ask, and what is refused, never counts against those who
 * have a token: a stranger must not be able to use up their share. */
static DubRouteGroup
group_of (const Match *match, guint refusal)
{
  if (refusal != 0 || match->route == NULL ||
      match->route->access == DUB_ACCESS_OPEN)
    return DUB_GROUP_OPEN;
  if (g_str_equal (match->route->method, "GET"))
    return DUB_GROUP_READ;
  return match->route->access == DUB_ACCESS_HOOK ? DUB_GROUP_HOOK
                                                 : DUB_GROUP_WRITE;
}

/* FALSE: it was answered. */
static gboolean
is_in_time (DubApiServer *self, SoupServerMessage *message, DubRouteGroup group)
{
  g_autofree char *text = NULL;
  guint wait_s;

  if (dub_rate_limit_take (
          &self->limits[group], g_get_monotonic_time (), &wait_s))
    return TRUE;
  text = g_strdup_printf ("%u", wait_s);
  soup_message_headers_replace (
      soup_server_message_get_response_headers (message), "Retry-After", text);
  dub_answer_problem (message, 429, "rate_limited",
      "too many requests a second (API_RATE_LIMIT)");
  return FALSE;
}

static void
answer (DubApiServer *self, SoupServerMessage *message, const Match *match)
{
  const char *why = NULL;
  guint refusal = dub_guard_check (self->settings, message,
      match->route != NULL ? match->route->access : DUB_ACCESS_API, &why);

  if (!is_in_time (self, message, group_of (match, refusal)))
    return;
  if (refusal != 0)
    dub_answer_problem (message, refusal,
        refusal == SOUP_STATUS_UNAUTHORIZED ? "unauthorized" : "forbidden",
        why);
  else if (match->route == NULL)
    dub_answer_problem (message, SOUP_STATUS_NOT_FOUND, "not_found",
        "there is nothing at this path");
  else if (!match->has_method)
    answer_wrong_method (message, match->allowed);
  else if (g_object_get_data (G_OBJECT (message), "too-large") != NULL)
    dub_answer_problem (message, SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE,
        "too_large", "the body is larger than 16384 bytes");
  else
    match->route->handler (self, message, match->stream_id);
}

static void
on_request (SoupServer *server, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer user_data)
{
  Match match = {NULL};

  find_route (path, soup_server_message_get_method (message), &match);
  answer (user_data, message, &match);
  g_free (match.stream_id);
  g_free (match.allowed);
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
  const DubServiceSettings *settings = self->settings;
  DubHttpListenerOptions options;
  g_autoptr (GTlsCertificate) certificate = NULL;
  g_autoptr (GError) cause = NULL;
  g_autofree char *host = NULL;

  certificate =
      dub_tls_load (settings->tls_cert_file, settings->tls_key_file, &cause);
  if (cause != NULL) {
    g_propagate_error (error, g_steal_pointer (&cause));
    return FALSE;
  }
  dub_http_listener_options_init (&options);
  dub_service_settings_get_address (settings, &host, &options.port);
  options.host = host;
  options.certificate = certificate;
  self->listener = dub_http_listener_new_full (self->server, &options, error);
  if (self->listener == NULL)
    g_prefix_error (error, "PORT, ORCH_HTTP_ADDR: ");
  return self->listener != NULL;
}

/* People and pages read more than they write; a media server that comes back
 * tells of all its streams at once. */
static void
set_limits (DubApiServer *self)
{
  static const double factors[DUB_N_GROUPS] = {
      [DUB_GROUP_OPEN] = 4,
      [DUB_GROUP_READ] = 4,
      [DUB_GROUP_WRITE] = 1,
      [DUB_GROUP_HOOK] = 10,
  };

  for (guint i = 0; i < DUB_N_GROUPS; i++) {
    double rate = factors[i] * (double) self->settings->rate_limit;

    dub_rate_limit_init (&self->limits[i], rate, 4 * rate);
  }
}

DubApiServer *
dub_api_server_new (const DubServiceSettings *settings,
    DubOrchestrator *orchestrator, DubMetrics *metrics, GError **error)
{
  g_autoptr (DubApiServer) self = g_new0 (DubApiServer, 1);

  self->settings = settings;
  self->orchestrator = orchestrator;
  self->metrics = metrics;
  set_limits (self);
  dub_hook_routes_init (self);
  self->events = dub_event_hub_new (orchestrator);
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
  dub_event_hub_free (self->events);
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
