/* SPDX-License-Identifier: Apache-2.0 */
#include "../control/json_text.h"
#include "answer.h"
#include "hook_event.h"
#include "media_root.h"
#include "routes.h"

#include <dubbing_common/error.h>
#include <string.h>

/* --- what an order came to --- */

typedef struct {
  guint status;
  const char *code, *detail;
} Refusal;

static const Refusal *
refusal_of (DubOrder order)
{
  static const Refusal refusals[] = {
      [DUB_ORDER_NOT_FOUND] = {404, "not_found", "there is no such stream"},
      [DUB_ORDER_EXISTS] = {409, "exists", "there is such a stream already"},
      [DUB_ORDER_MAX_WORKERS] = {429, "max_workers",
          "there are as many streams as ORCH_MAX_WORKERS allows"},
      [DUB_ORDER_MAX_STREAMS] = {429, "max_streams",
          "there are as many streams as are kept"},
      [DUB_ORDER_STOPPING] = {503, "stopping", "the service is being stopped"},
  };

  return (gsize) order < G_N_ELEMENTS (refusals) && refusals[order].status != 0
             ? &refusals[order]
             : NULL;
}

/* The stream as it is now, or why not. */
static void
answer_order (DubApiServer *self, SoupServerMessage *message,
    const char *stream_id, DubOrder order, guint status)
{
  const Refusal *refusal = refusal_of (order);
  JsonObject *stream;

  if (refusal == NULL) {
    stream = dub_orchestrator_get (self->orchestrator, stream_id);
    if (stream != NULL) {
      dub_answer_json (message, status, stream);
      return;
    }
    refusal = refusal_of (DUB_ORDER_NOT_FOUND);
  }
  if (refusal->status == 429 || refusal->status == 503)
    soup_message_headers_replace (
        soup_server_message_get_response_headers (message), "Retry-After",
        "30");
  dub_answer_problem (message, refusal->status, refusal->code, refusal->detail);
}

/* --- bodies --- */

/* NULL: it was answered. (transfer full) (nullable) */
static JsonObject *
read_body (SoupServerMessage *message)
{
  g_autoptr (GBytes) bytes = soup_message_body_flatten (
      soup_server_message_get_request_body (message));
  g_autoptr (GError) error = NULL;
  gsize length;
  const char *text = g_bytes_get_data (bytes, &length);
  JsonObject *object = dub_json_object_parse (
      text != NULL ? text : "", (gssize) length, DUB_HOOK_MAX_BYTES, &error);

  if (object == NULL)
    dub_answer_invalid (message, "", error->message);
  return object;
}

static gboolean
is_settable (const char *name, gboolean is_new)
{
  return is_new ||
         (!g_str_equal (name, dub_setting_name (DUB_SETTING_INPUT_URL)) &&
             !g_str_equal (name, dub_setting_name (DUB_SETTING_OUTPUT_URL)));
}

/* A page shows no keys, and sends back what it showed. */
static void
restore_keys (DubApiServer *self, const char *stream_id, JsonObject *body)
{
  g_autoptr (DubStreamSettings) before =
      dub_orchestrator_get_effective (self->orchestrator, stream_id);
  JsonNode *node = json_object_get_member (
      body, dub_setting_name (DUB_SETTING_DESTINATIONS));

  if (node != NULL)
    dub_stream_settings_restore_keys (node, before);
}

/* A file is kept as what it is behind all links. */
static gboolean
resolve_file (DubApiServer *self, DubStreamSettings *settings, GError **error)
{
  char **url = &settings->values[DUB_SETTING_INPUT_URL];
  char *resolved;

  if (*url == NULL || !dub_media_root_is_file (*url))
    return TRUE;
  resolved = dub_media_root_resolve (self->settings->media_root, *url, error);
  if (resolved == NULL)
    return FALSE;
  g_free (*url);
  *url = resolved;
  return TRUE;
}

/* With what STREAMS_FILE, the publisher and the service say. FALSE: it was
 * answered. */
static gboolean
check_all (DubApiServer *self, SoupServerMessage *message,
    const char *stream_id, const DubStreamSettings *layer)
{
  g_autoptr (DubStreamSettings) all =
      dub_orchestrator_foresee (self->orchestrator, stream_id, layer);
  g_autoptr (GError) error = NULL;

  if (dub_stream_settings_check (all, &error))
    return TRUE;
  dub_answer_invalid (message, "/target_languages", error->message);
  return FALSE;
}

/* What the body says over what was said before. FALSE: it was answered. */
static gboolean
lay_body (DubStreamSettings *settings, JsonObject *body, gboolean is_new,
    SoupServerMessage *message)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  json_object_iter_init (&iter, body);
  while (json_object_iter_next (&iter, &name, &node)) {
    g_autofree char *pointer = g_strdup_printf ("/%.64s", name);
    g_autoptr (GError) error = NULL;

    if (!is_settable (name, is_new)) {
      dub_answer_invalid (message, pointer, "it is set when a stream is made");
      return FALSE;
    }
    if (dub_stream_settings_set (settings, name, node, &error))
      continue;
    dub_answer_invalid (message, pointer, error->message);
    return FALSE;
  }
  return TRUE;
}

/* Takes the member out of the body. FALSE: it was answered. */
static gboolean
take_start (JsonObject *body, SoupServerMessage *message, gboolean *ret_starts)
{
  JsonNode *node = json_object_get_member (body, "start");

  *ret_starts = TRUE;
  if (node == NULL)
    return TRUE;
  if (json_node_get_value_type (node) != G_TYPE_BOOLEAN) {
    dub_answer_invalid (message, "/start", "start: true or false");
    return FALSE;
  }
  *ret_starts = json_node_get_boolean (node);
  json_object_remove_member (body, "start");
  return TRUE;
}

/* (transfer full) (nullable): it was answered */
static char *
take_id (JsonObject *body, SoupServerMessage *message)
{
  const char *text = dub_json_object_get_text (body, "stream_id");
  char *id;

  if (text == NULL || !dub_stream_id_is_valid (text)) {
    dub_answer_invalid (message, "/stream_id",
        "stream_id: 1 to 64 letters, digits, \"-\" and \"_\"");
    return NULL;
  }
  id = g_strdup (text);
  json_object_remove_member (body, "stream_id");
  return id;
}

/* --- the routes --- */

void
dub_route_list (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id)
{
  JsonObject *object = json_object_new ();

  json_object_set_array_member (
      object, "streams", dub_orchestrator_list (self->orchestrator));
  dub_answer_json (message, SOUP_STATUS_OK, object);
}

void
dub_route_create (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id)
{
  g_autoptr (JsonObject) body = read_body (message);
  g_autoptr (DubStreamSettings) settings = dub_stream_settings_new ();
  g_autofree char *id = NULL;
  g_autofree char *location = NULL;
  g_autoptr (GError) error = NULL;
  gboolean starts;
  DubOrder order;

  if (body == NULL)
    return;
  id = take_id (body, message);
  if (id == NULL || !take_start (body, message, &starts) ||
      !lay_body (settings, body, TRUE, message) ||
      !check_all (self, message, id, settings))
    return;
  if (!resolve_file (self, settings, &error)) {
    dub_answer_invalid (message, "/input_url", error->message);
    return;
  }
  order = dub_orchestrator_create (
      self->orchestrator, id, g_steal_pointer (&settings), starts);
  location = g_strconcat ("/v1/streams/", id, NULL);
  if (order == DUB_ORDER_DONE)
    soup_message_headers_replace (
        soup_server_message_get_response_headers (message), "Location",
        location);
  answer_order (self, message, id, order, SOUP_STATUS_CREATED);
}

void
dub_route_get (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id)
{
  answer_order (self, message, stream_id, DUB_ORDER_DONE, SOUP_STATUS_OK);
}

typedef struct {
  DubApiServer *server;
  SoupServerMessage *message;
  char *stream_id;
} Change;

static void
on_changed (DubOrder order, gpointer user_data)
{
  g_autofree Change *change = user_data;
  g_autofree char *id = change->stream_id;
  g_autoptr (SoupServerMessage) message = change->message;
  JsonObject *stream = dub_orchestrator_get (change->server->orchestrator, id);

  if (stream == NULL)
    answer_order (change->server, message, id, DUB_ORDER_NOT_FOUND, 0);
  else {
    json_object_set_string_member (stream, "applied",
        order == DUB_ORDER_LIVE      ? "live"
        : order == DUB_ORDER_RESTART ? "restart"
                                     : "next_start");
    dub_answer_json (message, SOUP_STATUS_OK, stream);
  }
  soup_server_message_unpause (message);
}

void
dub_route_change (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id)
{
  g_autoptr (JsonObject) body = read_body (message);
  g_autoptr (DubStreamSettings) settings =
      dub_orchestrator_get_layer (self->orchestrator, stream_id);
  Change *change;

  if (body == NULL)
    return;
  if (settings == NULL) {
    answer_order (self, message, stream_id, DUB_ORDER_NOT_FOUND, 0);
    return;
  }
  restore_keys (self, stream_id, body);
  if (!lay_body (settings, body, FALSE, message) ||
      !check_all (self, message, stream_id, settings))
    return;
  change = g_new0 (Change, 1);
  change->server = self;
  change->message = g_object_ref (message);
  change->stream_id = g_strdup (stream_id);
  soup_server_message_pause (message);
  dub_orchestrator_change (self->orchestrator, stream_id,
      g_steal_pointer (&settings), on_changed, change);
}

void
dub_route_delete (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id)
{
  DubOrder order = dub_orchestrator_delete (self->orchestrator, stream_id);

  if (order != DUB_ORDER_DONE) {
    answer_order (self, message, stream_id, order, 0);
    return;
  }
  soup_server_message_set_status (message, SOUP_STATUS_NO_CONTENT, NULL);
}

void
dub_route_start (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id)
{
  answer_order (self, message, stream_id,
      dub_orchestrator_start (self->orchestrator, stream_id),
      SOUP_STATUS_ACCEPTED);
}

void
dub_route_stop (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id)
{
  answer_order (self, message, stream_id,
      dub_orchestrator_stop (self->orchestrator, stream_id),
      SOUP_STATUS_ACCEPTED);
}

void
dub_route_restart (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id)
{
  answer_order (self, message, stream_id,
      dub_orchestrator_restart (self->orchestrator, stream_id),
      SOUP_STATUS_ACCEPTED);
}

void
dub_route_history (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id)
{
  JsonObject *history =
      dub_orchestrator_get_history (self->orchestrator, stream_id);

  if (history != NULL)
    dub_answer_json (message, SOUP_STATUS_OK, history);
  else
    answer_order (self, message, stream_id, DUB_ORDER_NOT_FOUND, 0);
}
