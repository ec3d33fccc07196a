/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"
#include "page.h"
#include "routes.h"

void
dub_route_page_file (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id)
{
  const char *path = g_uri_get_path (soup_server_message_get_uri (message));

  if (!dub_page_answer (self->settings, message, path))
    dub_answer_problem (message, SOUP_STATUS_NOT_FOUND, "not_found",
        "there is nothing at this path");
}

/* Offered to whoever writes a language; others are taken as well. */
static const char *const languages[] = {"ar", "bg", "ca", "cs", "da", "de",
    "el", "en", "es", "fi", "fr", "he", "hi", "hu", "id", "it", "ja", "ko",
    "nl", "no", "pl", "pt", "pt-BR", "ro", "ru", "sv", "tr", "uk", "vi", "zh"};

/* Takes the value. */
static void
set_url (JsonObject *object, const char *name, char *url)
{
  json_object_set_string_member (object, name, url);
  g_free (url);
}

static JsonObject *
media_places (const DubServiceSettings *settings, const char *host)
{
  JsonObject *object = json_object_new ();

  set_url (object, "hls_url", dub_page_get_hls_url (settings, host));
  set_url (object, "webrtc_url", dub_page_get_webrtc_url (settings, host));
  set_url (object, "rtmp_url",
      dub_page_get_media_url (
          settings, host, "rtmp", (guint) settings->mediamtx_rtmp_port));
  set_url (object, "rtsp_url",
      dub_page_get_media_url (
          settings, host, "rtsp", (guint) settings->mediamtx_rtsp_port));
  return object;
}

void
dub_route_config (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id)
{
  const char *host = g_uri_get_host (soup_server_message_get_uri (message));
  JsonObject *object = dub_json_object_of ("version", DUB_VERSION);
  JsonArray *offered = json_array_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (languages); i++)
    json_array_add_string_element (offered, languages[i]);
  json_object_set_object_member (
      object, "mediamtx", media_places (self->settings, host));
  json_object_set_boolean_member (
      object, "needs_token", self->settings->api_token != NULL);
  json_object_set_array_member (object, "languages", offered);
  json_object_set_object_member (
      object, "defaults", dub_orchestrator_get_defaults (self->orchestrator));
  dub_answer_json (message, SOUP_STATUS_OK, object);
}
