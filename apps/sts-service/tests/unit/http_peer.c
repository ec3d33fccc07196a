/* SPDX-License-Identifier: Apache-2.0 */
#include "http_peer.h"

#include <libsoup/soup.h>
#include <string.h>
#include <sys/socket.h>

struct _HttpPeer {
  SoupServer *server;
  char *url;
  GQueue answers;      /* of HttpPeerAnswer */
  GPtrArray *requests; /* of HttpPeerRequest */
  GPtrArray *held;     /* of GIOStream */
  GHashTable *ports;   /* of the clients */
};

static void
request_free (gpointer data)
{
  HttpPeerRequest *request = data;

  g_free (request->method);
  g_free (request->path);
  g_free (request->query);
  g_free (request->body);
  g_hash_table_unref (request->headers);
  g_free (request);
}

static void
keep_header (const char *name, const char *value, gpointer user_data)
{
  g_hash_table_insert (user_data, g_ascii_strdown (name, -1), g_strdup (value));
}

static HttpPeerRequest *
request_new (SoupServerMessage *message)
{
  HttpPeerRequest *request = g_new0 (HttpPeerRequest, 1);
  SoupMessageBody *body = soup_server_message_get_request_body (message);
  GUri *uri = soup_server_message_get_uri (message);

  request->method = g_strdup (soup_server_message_get_method (message));
  request->path = g_strdup (g_uri_get_path (uri));
  request->query = g_strdup (g_uri_get_query (uri));
  request->body = g_strndup (body->data, (gsize) body->length);
  request->headers =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  soup_message_headers_foreach (
      soup_server_message_get_request_headers (message), keep_header,
      request->headers);
  return request;
}

static void
play_raw (
    HttpPeer *self, SoupServerMessage *message, const HttpPeerAnswer *answer)
{
  static const struct linger reset = {1, 0};
  GSocket *socket = soup_server_message_get_socket (message);
  g_autoptr (GIOStream) stream = soup_server_message_steal_connection (message);
  GOutputStream *out = g_io_stream_get_output_stream (stream);

  g_output_stream_write_all (
      out, answer->raw, strlen (answer->raw), NULL, NULL, NULL);
  if (answer->end == HTTP_PEER_HOLD) {
    g_ptr_array_add (self->held, g_steal_pointer (&stream));
    return;
  }
  if (answer->end == HTTP_PEER_RESET)
    setsockopt (
        g_socket_get_fd (socket), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  g_io_stream_close (stream, NULL, NULL);
}

static gboolean
on_delayed (gpointer user_data)
{
  soup_server_message_unpause (user_data);
  return G_SOURCE_REMOVE;
}

/* The client has gone before, or the server has. */
static void
on_finished (SoupServerMessage *message, gpointer user_data)
{
  g_source_destroy (user_data);
}

static void
drop_source (gpointer source, GClosure *closure)
{
  g_source_destroy (source);
  g_source_unref (source);
}

static void
delay (SoupServerMessage *message, guint ms)
{
  GSource *source = g_timeout_source_new (ms);

  soup_server_message_pause (message);
  g_source_set_callback (source, on_delayed, message, NULL);
  g_source_attach (source, NULL);
  g_signal_connect_data (
      message, "finished", G_CALLBACK (on_finished), source, drop_source, 0);
}

static void
play (SoupServerMessage *message, const HttpPeerAnswer *answer)
{
  const char *type =
      answer->content_type != NULL ? answer->content_type : "application/json";
  const char *body = answer->body != NULL ? answer->body : "";
  gsize length = answer->body_bytes > 0 ? answer->body_bytes : strlen (body);

  soup_server_message_set_status (
      message, answer->status > 0 ? answer->status : 200, NULL);
  soup_server_message_set_response (
      message, type, SOUP_MEMORY_COPY, body, length);
  if (answer->header != NULL)
    soup_message_headers_replace (
        soup_server_message_get_response_headers (message), answer->header,
        answer->value);
  if (answer->delay_ms > 0)
    delay (message, answer->delay_ms);
}

static guint
port_of (SoupServerMessage *message)
{
  GSocketAddress *address = soup_server_message_get_remote_address (message);

  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
}

static void
on_request (SoupServer *server, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer user_data)
{
  HttpPeer *self = user_data;
  g_autofree HttpPeerAnswer *answer = g_queue_pop_head (&self->answers);

  g_ptr_array_add (self->requests, request_new (message));
  g_hash_table_add (self->ports, GUINT_TO_POINTER (port_of (message)));
  if (answer == NULL)
    soup_server_message_set_status (message, 418, NULL);
  else if (answer->raw != NULL)
    play_raw (self, message, answer);
  else
    play (message, answer);
}

HttpPeer *
http_peer_new (void)
{
  HttpPeer *self = g_new0 (HttpPeer, 1);
  GSList *uris = NULL;

  self->server = soup_server_new (NULL, NULL);
  soup_server_add_handler (self->server, NULL, on_request, self, NULL);
  g_assert_true (soup_server_listen_local (
      self->server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY, NULL));
  uris = soup_server_get_uris (self->server);
  self->url = g_strdup_printf (
      "http://127.0.0.1:%d", g_uri_get_port ((GUri *) uris->data));
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
  g_queue_init (&self->answers);
  self->requests = g_ptr_array_new_with_free_func (request_free);
  self->held = g_ptr_array_new_with_free_func (g_object_unref);
  self->ports = g_hash_table_new (NULL, NULL);
  return self;
}

void
http_peer_free (HttpPeer *self)
{
  soup_server_disconnect (self->server);
  g_ptr_array_unref (self->held);
  g_object_unref (self->server);
  g_queue_clear_full (&self->answers, g_free);
  g_ptr_array_unref (self->requests);
  g_hash_table_unref (self->ports);
  g_free (self->url);
  g_free (self);
  http_peer_settle ();
}

const char *
http_peer_url (HttpPeer *self)
{
  return self->url;
}

void
http_peer_push (HttpPeer *self, HttpPeerAnswer answer)
{
  g_queue_push_tail (&self->answers, g_memdup2 (&answer, sizeof answer));
}

guint
http_peer_count (HttpPeer *self)
{
  return self->requests->len;
}

guint
http_peer_connections (HttpPeer *self)
{
  return g_hash_table_size (self->ports);
}

const HttpPeerRequest *
http_peer_get (HttpPeer *self, guint index)
{
  g_assert_cmpuint (index, <, self->requests->len);
  return g_ptr_array_index (self->requests, index);
}

static gboolean
on_too_long (gpointer user_data)
{
  g_error ("nothing came in 20 s");
  return G_SOURCE_REMOVE;
}

void
http_peer_wait (const gboolean *flag)
{
  guint guard = g_timeout_add_seconds (20, on_too_long, NULL);

  while (!*flag)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (guard);
}

void
http_peer_settle (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}
