/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "media.api"
#include "event_hub.h"

#include "event_stream.h"

#include <dubbing_common/log.h>
#include <string.h>

/* A proxy in between closes what is silent for longer. */
#define PING_S 15

typedef struct {
  guint64 id;
  char *stream_id;
  char *text; /* as it is sent */
} Event;

typedef struct {
  DubEventHub *hub;
  DubEventStream *stream;
  char *stream_id; /* (nullable): of all streams */
} Listener;

struct _DubEventHub {
  DubOrchestrator *orchestrator;
  Event ring[DUB_EVENT_RING];
  guint64 first_id, next_id; /* first: ever */
  GPtrArray *listeners;
  guint ping_id;
};

static void
listener_free (gpointer data)
{
  Listener *self = data;

  dub_event_stream_free (self->stream);
  g_free (self->stream_id);
  g_free (self);
}

/* (transfer full) */
static char *
event_text (guint64 id, const char *event, JsonObject *data)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *json = NULL;

  json_node_set_object (node, data);
  json = json_to_string (node, FALSE);
  return g_strdup_printf (
      "id: %" G_GUINT64_FORMAT "\nevent: %s\ndata: %s\n\n", id, event, json);
}

static gboolean
wants (const Listener *listener, const char *stream_id)
{
  return listener->stream_id == NULL ||
         g_str_equal (listener->stream_id, stream_id);
}

static void
send_text (Listener *listener, const char *text)
{
  dub_event_stream_send (listener->stream, text, strlen (text));
}

/* Numbered also when nobody listens: the next one may ask for it. */
void
dub_event_hub_take (DubEventHub *self, const char *stream_id, const char *event,
    JsonObject *data)
{
  Event *place = &self->ring[self->next_id % DUB_EVENT_RING];

  g_free (place->stream_id);
  g_free (place->text);
  place->id = self->next_id++;
  place->stream_id = g_strdup (stream_id);
  place->text = event_text (place->id, event, data);
  for (guint i = 0; i < self->listeners->len; i++) {
    Listener *listener = g_ptr_array_index (self->listeners, i);

    if (wants (listener, stream_id))
      send_text (listener, place->text);
  }
}

static void
on_event (const char *stream_id, const char *event, JsonObject *data,
    gpointer user_data)
{
  dub_event_hub_take (user_data, stream_id, event, data);
}

static gboolean
on_ping (gpointer user_data)
{
  DubEventHub *self = user_data;

  for (guint i = 0; i < self->listeners->len; i++)
    send_text (g_ptr_array_index (self->listeners, i), ": ping\n\n");
  return G_SOURCE_CONTINUE;
}

DubEventHub *
dub_event_hub_new (DubOrchestrator *orchestrator)
{
  DubEventHub *self = g_new0 (DubEventHub, 1);

  self->orchestrator = orchestrator;
  /* Above those of a service before us, so that its numbers are not ours. */
  self->first_id = self->next_id = (guint64) g_get_real_time () / 1000;
  self->listeners = g_ptr_array_new_with_free_func (listener_free);
  self->ping_id = g_timeout_add_seconds (PING_S, on_ping, self);
  dub_orchestrator_watch (orchestrator, on_event, self);
  return self;
}

void
dub_event_hub_free (DubEventHub *self)
{
  if (self == NULL)
    return;
  dub_orchestrator_watch (self->orchestrator, NULL, NULL);
  g_source_remove (self->ping_id);
  g_ptr_array_unref (self->listeners);
  for (guint i = 0; i < DUB_EVENT_RING; i++) {
    g_free (self->ring[i].stream_id);
    g_free (self->ring[i].text);
  }
  g_free (self);
}

gboolean
dub_event_hub_is_full (DubEventHub *self)
{
  return self->listeners->len >= DUB_EVENT_MAX_LISTENERS;
}

guint
dub_event_hub_get_n_listeners (DubEventHub *self)
{
  return self->listeners->len;
}

static void
on_closed (DubEventStream *stream, gpointer user_data)
{
  Listener *listener = user_data;

  dub_debug ("a listener of events has gone");
  g_ptr_array_remove (listener->hub->listeners, listener);
}

/* TRUE: all that it missed is still here. */
static gboolean
is_in_ring (DubEventHub *self, guint64 last_id)
{
  return last_id < self->next_id && last_id + 1 >= self->first_id &&
         last_id + DUB_EVENT_RING >= self->next_id - 1;
}

static void
send_missed (DubEventHub *self, Listener *listener, guint64 last_id)
{
  for (guint64 id = last_id + 1; id < self->next_id; id++) {
    const Event *event = &self->ring[id % DUB_EVENT_RING];

    if (event->text != NULL && event->id == id &&
        wants (listener, event->stream_id))
      send_text (listener, event->text);
  }
}

/* What is now: with the number of the last event, as it holds all before. */
static void
send_states (DubEventHub *self, Listener *listener)
{
  g_autoptr (JsonArray) list = dub_orchestrator_list (self->orchestrator);

  for (guint i = 0; i < json_array_get_length (list); i++) {
    JsonObject *stream = json_array_get_object_element (list, i);
    g_autofree char *text = NULL;

    if (!wants (listener, json_object_get_string_member (stream, "stream_id")))
      continue;
    text = event_text (self->next_id - 1, "state", stream);
    send_text (listener, text);
  }
}

void
dub_event_hub_add (DubEventHub *self, GIOStream *connection,
    const char *stream_id, const char *last_id)
{
  static const char head[] = "HTTP/1.1 200 OK\r\n"
                             "Server: media-service\r\n"
                             "Content-Type: text/event-stream\r\n"
                             "Cache-Control: no-store\r\n"
                             "X-Content-Type-Options: nosniff\r\n"
                             "Connection: close\r\n\r\n"
                             "retry: 2000\n\n";
  Listener *listener = g_new0 (Listener, 1);
  guint64 last;

  listener->hub = self;
  listener->stream_id = g_strdup (stream_id);
  listener->stream = dub_event_stream_new (connection, on_closed, listener);
  g_ptr_array_add (self->listeners, listener);
  send_text (listener, head);
  if (last_id != NULL &&
      g_ascii_string_to_unsigned (last_id, 10, 0, G_MAXINT64, &last, NULL) &&
      is_in_ring (self, last))
    send_missed (self, listener, last);
  else
    send_states (self, listener);
}
