/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "media.control"
#include "control.h"
#include "../control/json_text.h"
#include "../control/peer.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <errno.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* media-service, one status tool, one that someone forgot. */
#define MAX_CLIENTS 8

struct _DubControl {
  char *path, *stream_id, *run_id;
  const DubControlHandlers *handlers;
  gpointer user_data;
  int fd;
  GSource *accept_source, *metrics_source;
  GPtrArray *clients; /* DubControlPeer */
  char *state, *reason;
  gboolean is_supervised;
  JsonArray *destinations;
};

static JsonObject *
message_new (const char *type)
{
  JsonObject *message = json_object_new ();

  json_object_set_string_member (message, "type", type);
  return message;
}

static void
send_all (DubControl *self, JsonObject *message)
{
  for (guint i = 0; i < self->clients->len; i++)
    dub_control_peer_send (g_ptr_array_index (self->clients, i), message);
}

static JsonObject *
hello_new (DubControl *self)
{
  JsonObject *message = message_new ("hello");

  json_object_set_int_member (message, "protocol", 1);
  json_object_set_string_member (message, "stream_id", self->stream_id);
  json_object_set_string_member (message, "run_id", self->run_id);
  json_object_set_string_member (message, "version", DUB_VERSION);
  json_object_set_int_member (message, "pid", getpid ());
  json_object_set_boolean_member (message, "supervised", self->is_supervised);
  return message;
}

static JsonObject *
state_new (DubControl *self)
{
  JsonObject *message = message_new ("state");

  json_object_set_string_member (message, "state", self->state);
  if (self->reason != NULL)
    json_object_set_string_member (message, "reason", self->reason);
  return message;
}

static JsonObject *
destinations_new (DubControl *self)
{
  JsonObject *message = message_new ("destinations");

  json_object_set_array_member (
      message, "list", json_array_ref (self->destinations));
  return message;
}

/* (nullable): the worker has no metrics, or more than a line may hold. */
static JsonObject *
metrics_new (DubControl *self)
{
  g_autofree char *text = NULL;
  JsonObject *message;

  if (self->handlers->get_metrics != NULL)
    text = self->handlers->get_metrics (self->user_data);
  /* Escapes make it longer, but not by half. */
  if (text == NULL || strlen (text) > DUB_CONTROL_MAX_REPORT_BYTES / 2)
    return NULL;
  message = message_new ("metrics");
  json_object_set_string_member (message, "text", text);
  return message;
}

static void
add_error (JsonObject *message, const GError *error)
{
  JsonObject *detail = json_object_new ();
  const char *code = error->domain == DUB_ERROR
                         ? dub_error_code_to_string ((DubErrorCode) error->code)
                         : "invalid";

  json_object_set_string_member (detail, "code", code);
  json_object_set_string_member (detail, "message", error->message);
  json_object_set_object_member (message, "error", detail);
}

static gboolean
do_settings (DubControl *self, JsonObject *settings, GError **error)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  json_object_iter_init_ordered (&iter, settings);
  while (json_object_iter_next_ordered (&iter, &name, &node)) {
    if (json_node_get_value_type (node) != G_TYPE_STRING) {
      g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
          "%s: the value of a setting is a string", name);
      return FALSE;
    }
    if (!self->handlers->set (
            name, json_node_get_string (node), self->user_data, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
do_set (DubControl *self, JsonObject *message, GError **error)
{
  JsonNode *node = json_object_get_member (message, "settings");

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node)) {
    g_set_error_literal (error, DUB_ERROR, DUB_ERROR_INVALID,
        "set: its member settings must be an object");
    return FALSE;
  }
  if (self->handlers->set == NULL) {
    g_set_error_literal (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
        "set: no setting of this worker can be changed while it runs");
    return FALSE;
  }
  return do_settings (self, json_node_get_object (node), error);
}

static gboolean
do_command (DubControl *self, JsonObject *message, GError **error)
{
  const char *type = dub_json_object_get_text (message, "type");

  if (g_strcmp0 (type, "set") == 0)
    return do_set (self, message, error);
  if (g_strcmp0 (type, "reconnect") == 0) {
    if (self->handlers->reconnect != NULL)
      self->handlers->reconnect (self->user_data);
    return TRUE;
  }
  if (g_strcmp0 (type, "stop") == 0) {
    if (self->handlers->stop != NULL)
      self->handlers->stop (self->user_data);
    return TRUE;
  }
  g_set_error_literal (error, DUB_ERROR, DUB_ERROR_INVALID,
      "type must be set, reconnect or stop");
  return FALSE;
}

static void
on_message (DubControlPeer *peer, JsonObject *message, gpointer user_data)
{
  DubControl *self = user_data;
  g_autoptr (JsonObject) reply = message_new ("reply");
  g_autoptr (GError) error = NULL;
  JsonNode *id = json_object_get_member (message, "id");
  gboolean is_ok;

  if (id != NULL && JSON_NODE_HOLDS_VALUE (id))
    json_object_set_member (reply, "id", json_node_copy (id));
  is_ok = do_command (self, message, &error);
  json_object_set_boolean_member (reply, "ok", is_ok);
  if (!is_ok)
    add_error (reply, error);
  dub_control_peer_send (peer, reply);
}

static void
on_garbage (DubControlPeer *peer, const GError *error, gpointer user_data)
{
  g_autoptr (JsonObject) message = message_new ("error");

  add_error (message, error);
  dub_control_peer_send (peer, message);
}

static void
on_closed (DubControlPeer *peer, gpointer user_data)
{
  DubControl *self = user_data;

  g_ptr_array_remove (self->clients, peer);
}

static const DubControlPeerFuncs peer_funcs = {
    .message = on_message,
    .garbage = on_garbage,
    .closed = on_closed,
};

static void
greet (DubControl *self, DubControlPeer *peer)
{
  g_autoptr (JsonObject) hello = hello_new (self);
  g_autoptr (JsonObject) state = state_new (self);
  g_autoptr (JsonObject) destinations = destinations_new (self);

  dub_control_peer_send (peer, hello);
  dub_control_peer_send (peer, state);
  if (json_array_get_length (self->destinations) > 0)
    dub_control_peer_send (peer, destinations);
}

static gboolean
on_connection (int fd, GIOCondition condition, gpointer user_data)
{
  DubControl *self = user_data;
  int client = accept4 (fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  DubControlPeer *peer;

  if (client < 0)
    return G_SOURCE_CONTINUE;
  if (self->clients->len >= MAX_CLIENTS) {
    close (client);
    return G_SOURCE_CONTINUE;
  }
  peer = dub_control_peer_new (
      client, DUB_CONTROL_MAX_COMMAND_BYTES, &peer_funcs, self);
  g_ptr_array_add (self->clients, peer);
  greet (self, peer);
  return G_SOURCE_CONTINUE;
}

void
dub_control_send_metrics (DubControl *control)
{
  g_autoptr (JsonObject) message = NULL;

  g_return_if_fail (control != NULL);
  if (control->clients->len == 0)
    return;
  message = metrics_new (control);
  if (message != NULL)
    send_all (control, message);
}

static gboolean
on_second (gpointer user_data)
{
  dub_control_send_metrics (user_data);
  return G_SOURCE_CONTINUE;
}

static GSource *
attach (GSource *source, GSourceFunc func, DubControl *self)
{
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();

  g_source_set_callback (source, func, self, NULL);
  g_source_attach (source, context);
  return source;
}

DubControl *
dub_control_new (const char *runtime_dir, const char *stream_id,
    const char *run_id, const DubControlHandlers *handlers, gpointer user_data,
    GError **error)
{
  g_autofree char *name = NULL;
  g_autofree char *path = NULL;
  DubControl *self;
  int fd;

  g_return_val_if_fail (runtime_dir != NULL && stream_id != NULL, NULL);
  g_return_val_if_fail (run_id != NULL && handlers != NULL, NULL);
  name = g_strconcat (stream_id, ".sock", NULL);
  path = g_build_filename (runtime_dir, name, NULL);
  if (g_mkdir_with_parents (runtime_dir, 0700) != 0) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "RUNTIME_DIR: %s cannot be made: %s", runtime_dir, g_strerror (errno));
    return NULL;
  }
  fd = dub_control_listen (path, error);
  if (fd < 0)
    return NULL;
  self = g_new0 (DubControl, 1);
  self->fd = fd;
  self->path = g_steal_pointer (&path);
  self->stream_id = g_strdup (stream_id);
  self->run_id = g_strdup (run_id);
  self->handlers = handlers;
  self->user_data = user_data;
  self->state = g_strdup (DUB_WORKER_STATE_STARTING);
  self->destinations = json_array_new ();
  self->clients =
      g_ptr_array_new_with_free_func ((GDestroyNotify) dub_control_peer_free);
  self->accept_source = attach (
      g_unix_fd_source_new (fd, G_IO_IN), G_SOURCE_FUNC (on_connection), self);
  self->metrics_source = attach (g_timeout_source_new (1000), on_second, self);
  return self;
}

void
dub_control_free (DubControl *control)
{
  if (control == NULL)
    return;
  g_source_destroy (control->accept_source);
  g_source_unref (control->accept_source);
  g_source_destroy (control->metrics_source);
  g_source_unref (control->metrics_source);
  close (control->fd);
  g_unlink (control->path);
  g_ptr_array_unref (control->clients);
  g_free (control->path);
  g_free (control->stream_id);
  g_free (control->run_id);
  g_free (control->state);
  g_free (control->reason);
  json_array_unref (control->destinations);
  g_free (control);
}

void
dub_control_set_supervised (DubControl *control, gboolean is_supervised)
{
  g_return_if_fail (control != NULL);
  control->is_supervised = is_supervised;
}

void
dub_control_set_state (
    DubControl *control, const char *state, const char *reason)
{
  g_autoptr (JsonObject) message = NULL;

  g_return_if_fail (control != NULL && state != NULL);
  if (g_str_equal (control->state, state) &&
      g_strcmp0 (control->reason, reason) == 0)
    return;
  g_free (control->state);
  g_free (control->reason);
  control->state = g_strdup (state);
  control->reason = g_strdup (reason);
  message = state_new (control);
  send_all (control, message);
}

void
dub_control_set_destinations (DubControl *control, JsonArray *list)
{
  g_autoptr (JsonNode) before = NULL;
  g_autoptr (JsonNode) now = NULL;
  g_autoptr (JsonObject) message = NULL;
  gboolean is_same;

  g_return_if_fail (control != NULL && list != NULL);
  before = json_node_init_array (json_node_alloc (), control->destinations);
  now = json_node_init_array (json_node_alloc (), list);
  is_same = json_node_equal (before, now);
  json_array_unref (control->destinations);
  control->destinations = list;
  if (is_same)
    return;
  message = destinations_new (control);
  send_all (control, message);
}

void
dub_control_send_event (
    DubControl *control, const char *event, const char *const *fields)
{
  g_autoptr (JsonObject) message = message_new ("event");
  JsonObject *object = json_object_new ();

  g_return_if_fail (control != NULL && event != NULL);
  json_object_set_string_member (message, "event", event);
  for (gsize i = 0; fields != NULL && fields[i] != NULL; i += 2)
    if (fields[i + 1] != NULL)
      json_object_set_string_member (object, fields[i], fields[i + 1]);
  json_object_set_object_member (message, "fields", object);
  send_all (control, message);
}
