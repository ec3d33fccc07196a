/* SPDX-License-Identifier: Apache-2.0 */
#include "events.h"

#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <string.h>

#define RETRY_MS 50
#define MAX_LINE (1 << 20)
#define READ_BYTES 65536

struct _DubEvents {
  char *path;
  DubEventsFunc on_message;
  gpointer user_data;
  GSocket *socket; /* NULL: not connected */
  GSource *source;
  guint retry_id;
  GString *line;
  gboolean is_too_long; /* the rest of this line is passed over */
};

const char *
dub_event_text (JsonObject *object, const char *name, const char *fallback)
{
  JsonNode *node =
      object != NULL ? json_object_get_member (object, name) : NULL;

  return node != NULL && JSON_NODE_HOLDS_VALUE (node) &&
                 json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : fallback;
}

double
dub_event_number (JsonObject *object, const char *name)
{
  JsonNode *node =
      object != NULL ? json_object_get_member (object, name) : NULL;

  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node))
    return 0;
  if (json_node_get_value_type (node) == G_TYPE_STRING)
    return g_ascii_strtod (json_node_get_string (node), NULL);
  return json_node_get_double (node);
}

static void
take_line (DubEvents *self)
{
  g_autoptr (JsonNode) root = NULL;

  if (!self->is_too_long && g_utf8_validate (self->line->str, -1, NULL))
    root = json_from_string (self->line->str, NULL);
  if (root != NULL && JSON_NODE_HOLDS_OBJECT (root))
    self->on_message (json_node_get_object (root), self->user_data);
  g_string_truncate (self->line, 0);
  self->is_too_long = FALSE;
}

static void
take_bytes (DubEvents *self, const char *bytes, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    if (bytes[i] == '\n')
      take_line (self);
    else if (self->line->len < MAX_LINE)
      g_string_append_c (self->line, bytes[i]);
    else
      self->is_too_long = TRUE;
  }
}

static gboolean on_retry (gpointer user_data);

static void
disconnect (DubEvents *self)
{
  if (self->source != NULL)
    g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
  g_clear_object (&self->socket);
}

/* FALSE: nothing more for now. */
static gboolean
read_some (DubEvents *self)
{
  char buffer[READ_BYTES];
  gssize n;

  if (self->socket == NULL)
    return FALSE;
  n = g_socket_receive (self->socket, buffer, sizeof buffer, NULL, NULL);
  if (n > 0)
    take_bytes (self, buffer, (gsize) n);
  return n > 0;
}

static gboolean
on_readable (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  DubEvents *self = user_data;

  if (read_some (self))
    return G_SOURCE_CONTINUE;
  if (!(condition & (G_IO_HUP | G_IO_ERR)))
    return G_SOURCE_CONTINUE;
  disconnect (self);
  return G_SOURCE_REMOVE;
}

static gboolean
try_to_connect (DubEvents *self)
{
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (self->path);
  g_autoptr (GSocket) socket = g_socket_new (G_SOCKET_FAMILY_UNIX,
      G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, NULL);

  if (socket == NULL || !g_socket_connect (socket, address, NULL, NULL))
    return FALSE;
  g_socket_set_blocking (socket, FALSE);
  self->socket = g_steal_pointer (&socket);
  self->source =
      g_socket_create_source (self->socket, G_IO_IN | G_IO_HUP, NULL);
  g_source_set_callback (self->source, G_SOURCE_FUNC (on_readable), self, NULL);
  g_source_attach (self->source, NULL);
  return TRUE;
}

static gboolean
on_retry (gpointer user_data)
{
  DubEvents *self = user_data;

  if (!try_to_connect (self))
    return G_SOURCE_CONTINUE;
  self->retry_id = 0;
  return G_SOURCE_REMOVE;
}

DubEvents *
dub_events_new (const char *path, DubEventsFunc on_message, gpointer user_data)
{
  DubEvents *self = g_new0 (DubEvents, 1);

  self->path = g_strdup (path);
  self->on_message = on_message;
  self->user_data = user_data;
  self->line = g_string_new (NULL);
  self->retry_id = g_timeout_add (RETRY_MS, on_retry, self);
  return self;
}

void
dub_events_drain (DubEvents *self)
{
  while (read_some (self))
    continue;
}

void
dub_events_free (DubEvents *self)
{
  if (self == NULL)
    return;
  g_clear_handle_id (&self->retry_id, g_source_remove);
  disconnect (self);
  g_string_free (self->line, TRUE);
  g_free (self->path);
  g_free (self);
}
