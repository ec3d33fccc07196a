/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"
#include "metric_aliases.h"
#include "page.h"
#include "routes.h"

#include <string.h>

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
  dub_answer_text (message, SOUP_STATUS_OK, DUB_METRICS_CONTENT_TYPE,
      dub_metrics_merge_aliased (
          (const char *const *) texts->pdata, aliases, n_aliases));
}

/* What is offered, not what is allowed: any language may be named. */
static JsonArray *
languages_new (void)
{
  static const char *const codes[] = {"ar", "cs", "da", "de", "el", "en", "es",
      "fi", "fr", "hi", "hu", "it", "ja", "ko", "nl", "no", "pl", "pt", "pt-BR",
      "ro", "ru", "sv", "tr", "uk", "vi", "zh"};
  JsonArray *array = json_array_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (codes); i++)
    json_array_add_string_element (array, codes[i]);
  return array;
}

static void
set_url (JsonObject *object, const char *name, const char *scheme,
    const char *host, gint64 port)
{
  gboolean is_v6 = strchr (host, ':') != NULL;
  g_autofree char *url = g_strdup_printf ("%s://%s%s%s:%" G_GINT64_FORMAT,
      scheme, is_v6 ? "[" : "", host, is_v6 ? "]" : "", port);

  json_object_set_string_member (object, name, url);
}

void
dub_route_config (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id)
{
  const DubServiceSettings *s = self->settings;
  g_autoptr (DubStreamSettings) defaults =
      dub_orchestrator_get_effective (self->orchestrator, NULL);
  JsonObject *object = dub_json_object_of ("version", DUB_VERSION);
  JsonObject *server = json_object_new ();
  const char *host = g_uri_get_host (soup_server_message_get_uri (message));
  g_autofree char *hls = dub_page_get_hls_url (s, host);
  g_autofree char *webrtc = dub_page_get_webrtc_url (s, host);

  json_object_set_string_member (server, "hls_url", hls);
  json_object_set_string_member (server, "webrtc_url", webrtc);
  set_url (server, "rtmp_url", "rtmp", s->mediamtx_host, s->mediamtx_rtmp_port);
  set_url (server, "rtsp_url", "rtsp", s->mediamtx_host, s->mediamtx_rtsp_port);
  json_object_set_object_member (object, "mediamtx", server);
  json_object_set_boolean_member (object, "needs_token", s->api_token != NULL);
  json_object_set_array_member (object, "languages", languages_new ());
  json_object_set_object_member (
      object, "defaults", dub_stream_settings_to_json (defaults, FALSE));
  dub_answer_json (message, SOUP_STATUS_OK, object);
}
