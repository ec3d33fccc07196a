/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"
#include "metric_aliases.h"
#include "page.h"
#include "routes.h"

/* People get the page, programs the JSON. */
void
dub_route_root (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id)
{
  const char *accept = soup_message_headers_get_list (
      soup_server_message_get_request_headers (message), "Accept");
  JsonObject *object;

  if (dub_page_is_wanted (accept) &&
      dub_page_answer (self->settings, message, "/"))
    return;
  object = dub_json_object_of ("service", "stream-orchestration");
  json_object_set_string_member (object, "version", DUB_VERSION);
  json_object_set_string_member (
      object, "status", self->is_stopping ? "stopping" : "running");
  dub_answer_json (message, SOUP_STATUS_OK, object);
}

void
dub_route_health (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id)
{
  JsonObject *object = dub_json_object_of ("status", "ok");

  json_object_set_string_member (object, "service", "media-service");
  dub_answer_json (message, SOUP_STATUS_OK, object);
}

void
dub_route_health_ready (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id)
{
  dub_answer_json (message,
      self->is_stopping ? SOUP_STATUS_SERVICE_UNAVAILABLE : SOUP_STATUS_OK,
      dub_json_object_of ("status", self->is_stopping ? "stopping" : "ready"));
}

/* (transfer full) */
static char *
metrics_of_process (DubApiServer *self)
{
  dub_metrics_set_process (self->metrics);
  return dub_metrics_to_text (self->metrics);
}

void
dub_route_metrics (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id)
{
  g_autofree const char **workers = NULL;
  g_autofree char *own = NULL;
  g_autoptr (GPtrArray) texts = g_ptr_array_new ();
  gsize n_aliases;
  const DubMetricAlias *aliases = dub_metric_aliases (&n_aliases);

  if (!self->settings->metrics_enabled) {
    dub_answer_problem (message, SOUP_STATUS_NOT_FOUND, "not_found",
        "METRICS_ENABLED is false");
    return;
  }
  workers = dub_orchestrator_get_metrics (self->orchestrator);
  own = metrics_of_process (self);
  g_ptr_array_add (texts, own);
  for (gsize i = 0; workers[i] != NULL; i++)
    g_ptr_array_add (texts, (gpointer) workers[i]);
  g_ptr_array_add (texts, NULL);
  dub_answer_text (message, SOUP_STATUS_OK, DUB_METRICS_CONTENT_TYPE,
      dub_metrics_merge_aliased (
          (const char *const *) texts->pdata, aliases, n_aliases));
}
