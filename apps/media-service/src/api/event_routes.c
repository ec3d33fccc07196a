/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"
#include "event_hub.h"
#include "routes.h"

/* The connection is taken over as it is: from here on it is a listener's. */
static void
listen_on (DubApiServer *self, SoupServerMessage *message, const char *id)
{
  const char *last_id = soup_message_headers_get_one (
      soup_server_message_get_request_headers (message), "Last-Event-ID");
  g_autofree char *last = g_strdup (last_id);
  g_autofree char *stream_id = g_strdup (id);
  g_autoptr (GIOStream) connection = NULL;

  if (dub_event_hub_is_full (self->events)) {
    dub_answer_problem (message, SOUP_STATUS_SERVICE_UNAVAILABLE,
        "too_many_listeners", "32 listen already");
    return;
  }
  if (g_str_equal (soup_server_message_get_method (message), "HEAD")) {
    soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
    return;
  }
  connection = soup_server_message_steal_connection (message);
  dub_event_hub_add (self->events, connection, stream_id, last);
}

void
dub_route_events (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id)
{
  g_autoptr (JsonObject) stream = NULL;

  if (stream_id != NULL) {
    stream = dub_orchestrator_get (self->orchestrator, stream_id);
    if (stream == NULL) {
      dub_answer_problem (message, SOUP_STATUS_NOT_FOUND, "not_found",
          "there is no such stream");
      return;
    }
  }
  listen_on (self, message, stream_id);
}
