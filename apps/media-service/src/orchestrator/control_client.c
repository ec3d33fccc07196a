/* SPDX-License-Identifier: Apache-2.0 */
#include "control_client.h"

#include "../control/json_text.h"
#include "../control/peer.h"

/* A worker opens its socket a few tens of milliseconds after its start. */
#define FIRST_RETRY_MS 20
#define MAX_RETRY_MS 1000

struct _DubControlClient {
  char *path;
  const DubControlClientFuncs *funcs;
  gpointer user_data;
  DubControlPeer *peer; /* NULL: not connected */
  gint64 last_id;       /* of a command that wants its reply */
  guint retry_id, retry_ms;
};

static void plan_retry (DubControlClient *self);

static const char *
text_or (JsonObject *object, const char *name, const char *otherwise)
{
  const char *text = dub_json_object_get_text (object, name);

  return text != NULL ? text : otherwise;
}

static void
take_event (DubControlClient *self, JsonObject *message)
{
  JsonNode *fields = json_object_get_member (message, "fields");
  g_autoptr (JsonObject) none = json_object_new ();

  self->funcs->event (self, text_or (message, "event", "unknown"),
      fields != NULL && JSON_NODE_HOLDS_OBJECT (fields)
          ? json_node_get_object (fields)
          : none,
      self->user_data);
}

static void
take_reply (DubControlClient *self, JsonObject *message)
{
  JsonNode *id = json_object_get_member (message, "id");
  JsonNode *detail = json_object_get_member (message, "error");
  const char *what = NULL;

  if (self->funcs->reply == NULL || id == NULL ||
      json_node_get_value_type (id) != G_TYPE_INT64)
    return;
  if (detail != NULL && JSON_NODE_HOLDS_OBJECT (detail))
    what = text_or (json_node_get_object (detail), "message", "refused");
  self->funcs->reply (self, json_node_get_int (id), what, self->user_data);
}

static void
take_destinations (DubControlClient *self, JsonObject *message)
{
  JsonNode *list = json_object_get_member (message, "list");

  if (self->funcs->destinations != NULL && list != NULL &&
      JSON_NODE_HOLDS_ARRAY (list))
    self->funcs->destinations (
        self, json_node_get_array (list), self->user_data);
}

/* Workers that do not say were all started by a media-service. */
static gboolean
is_supervised (JsonObject *hello)
{
  JsonNode *node = json_object_get_member (hello, "supervised");

  return node == NULL || !JSON_NODE_HOLDS_VALUE (node) ||
         json_node_get_value_type (node) != G_TYPE_BOOLEAN ||
         json_node_get_boolean (node);
}

/* What we do not know comes from a newer worker and is passed over. */
static void
on_message (DubControlPeer *peer, JsonObject *message, gpointer user_data)
{
  DubControlClient *self = user_data;
  const char *type = text_or (message, "type", "");

  if (g_str_equal (type, "hello"))
    self->funcs->hello (self, dub_control_peer_get_pid (peer),
        text_or (message, "run_id", ""), text_or (message, "version", ""),
        is_supervised (message), self->user_data);
  else if (g_str_equal (type, "state"))
    self->funcs->state (self, text_or (message, "state", ""),
        dub_json_object_get_text (message, "reason"), self->user_data);
  else if (g_str_equal (type, "metrics"))
    self->funcs->metrics (self, text_or (message, "text", ""), self->user_data);
  else if (g_str_equal (type, "event"))
    take_event (self, message);
  else if (g_str_equal (type, "reply"))
    take_reply (self, message);
  else if (g_str_equal (type, "destinations"))
    take_destinations (self, message);
}

static void
on_closed (DubControlPeer *peer, gpointer user_data)
{
  DubControlClient *self = user_data;

  g_clear_pointer (&self->peer, dub_control_peer_free);
  plan_retry (self);
}

static const DubControlPeerFuncs peer_funcs = {
    .message = on_message,
    .closed = on_closed,
};

static gboolean
try_connect (gpointer user_data)
{
  DubControlClient *self = user_data;
  int fd = dub_control_connect (self->path, NULL);

  self->retry_id = 0;
  if (fd < 0) {
    plan_retry (self);
    return G_SOURCE_REMOVE;
  }
  self->retry_ms = FIRST_RETRY_MS;
  self->peer = dub_control_peer_new (
      fd, DUB_CONTROL_MAX_REPORT_BYTES, &peer_funcs, self);
  return G_SOURCE_REMOVE;
}

static void
plan_retry (DubControlClient *self)
{
  self->retry_id = g_timeout_add (self->retry_ms, try_connect, self);
  self->retry_ms = MIN (self->retry_ms * 2, MAX_RETRY_MS);
}

DubControlClient *
dub_control_client_new (
    const char *path, const DubControlClientFuncs *funcs, gpointer user_data)
{
  DubControlClient *self = g_new0 (DubControlClient, 1);

  self->path = g_strdup (path);
  self->funcs = funcs;
  self->user_data = user_data;
  self->retry_ms = FIRST_RETRY_MS;
  try_connect (self);
  return self;
}

void
dub_control_client_free (DubControlClient *client)
{
  if (client == NULL)
    return;
  if (client->retry_id != 0)
    g_source_remove (client->retry_id);
  dub_control_peer_free (client->peer);
  g_free (client->path);
  g_free (client);
}

gboolean
dub_control_client_command (DubControlClient *client, const char *type)
{
  g_autoptr (JsonObject) message = json_object_new ();

  g_return_val_if_fail (client != NULL, FALSE);
  if (client->peer == NULL)
    return FALSE;
  json_object_set_string_member (message, "type", type);
  return dub_control_peer_send (client->peer, message);
}

gint64
dub_control_client_set (DubControlClient *client, JsonObject *settings)
{
  g_autoptr (JsonObject) message = json_object_new ();

  g_return_val_if_fail (client != NULL && settings != NULL, 0);
  if (client->peer == NULL)
    return 0;
  json_object_set_string_member (message, "type", "set");
  json_object_set_int_member (message, "id", ++client->last_id);
  json_object_set_object_member (
      message, "settings", json_object_ref (settings));
  return dub_control_peer_send (client->peer, message) ? client->last_id : 0;
}
