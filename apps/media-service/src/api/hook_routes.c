/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "media.api"
#include "answer.h"
#include "hook_event.h"
#include "routes.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>

/* {"detail":[{"loc":["body","path"],"msg":"...","type":"value_error"}]} */
static void
answer_unprocessable (
    SoupServerMessage *message, const char *field, const GError *error)
{
  JsonObject *object = json_object_new ();
  JsonObject *item = dub_json_object_of ("msg", error->message);
  JsonArray *details = json_array_new ();
  JsonArray *place = json_array_new ();

  json_array_add_string_element (place, "body");
  if (field != NULL)
    json_array_add_string_element (place, field);
  json_object_set_array_member (item, "loc", place);
  json_object_set_string_member (item, "type", "value_error");
  json_array_add_object_element (details, item);
  json_object_set_array_member (object, "detail", details);
  dub_answer_json (message, SOUP_STATUS_UNPROCESSABLE_ENTITY, object);
}

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
  JsonObject *object =
      dub_json_object_of ("status", !is_in          ? "skipped"
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
  dub_answer_json (message, SOUP_STATUS_OK, object);
}

static void
answer_refused (SoupServerMessage *message, const GError *error)
{
  JsonObject *object = dub_json_object_of ("detail", error->message);
  gboolean is_full = g_error_matches (error, DUB_ERROR, DUB_ERROR_OVERLOADED);

  json_object_set_string_member (
      object, "code", is_full ? "max_workers" : "stopping");
  dub_answer_json (
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
      dub_answer_json (message, SOUP_STATUS_BAD_REQUEST,
          dub_json_object_of ("detail", error->message));
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

void
dub_route_ready (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id)
{
  timed_hook (self, message, (HookKind){TRUE, FALSE});
}

void
dub_route_not_ready (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id)
{
  timed_hook (self, message, (HookKind){FALSE, FALSE});
}

void
dub_route_on_ready (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id)
{
  timed_hook (self, message, (HookKind){TRUE, TRUE});
}

void
dub_route_on_not_ready (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id)
{
  timed_hook (self, message, (HookKind){FALSE, TRUE});
}

/* All that there can be: a rate over the first event needs what was before. */
static void
show_hooks (DubApiServer *self)
{
  static const char *const events[] = {"ready", "not-ready"};
  static const char *const results[] = {
      "accepted", "skipped", "refused", "invalid"};

  for (gsize i = 0; i < G_N_ELEMENTS (events); i++)
    for (gsize j = 0; j < G_N_ELEMENTS (results); j++)
      dub_metric_show (
          self->hooks, (const char *const[]){events[i], results[j], NULL});
  dub_metric_show (self->hook_seconds, NULL);
}

void
dub_hook_routes_init (DubApiServer *self)
{
  static const char *const labels[] = {"event", "result", NULL};
  static const double bounds[] = {0.001, 0.005, 0.01, 0.05, 0.1, 0.5};

  self->hooks = dub_metrics_counter (self->metrics,
      "media_service_hook_events_total", "Events from MediaMTX", labels);
  self->hook_seconds = dub_metrics_histogram (self->metrics,
      "media_service_hook_seconds", "Time that an event took to be answered",
      NULL, bounds, G_N_ELEMENTS (bounds));
  show_hooks (self);
}
