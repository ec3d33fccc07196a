/* SPDX-License-Identifier: Apache-2.0 */
#include "dubbing_socketio/http_listener.h"

#include <dubbing_common/error.h>
#include <string.h>

static void
on_request (SoupServer *server, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer user_data)
{
  ++*(int *) user_data;
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_server_message_set_response (
      message, "text/plain", SOUP_MEMORY_STATIC, "yes", 3);
}

typedef struct {
  int n_requests;
  guint status;
  gboolean is_done;
} Call;

static void
on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Call *call = user_data;
  SoupSession *session = SOUP_SESSION (source);
  SoupMessage *message =
      soup_session_get_async_result_message (session, result);
  g_autoptr (GBytes) bytes =
      soup_session_send_and_read_finish (session, result, NULL);

  call->status = bytes != NULL ? soup_message_get_status (message) : 0;
  call->is_done = TRUE;
}

/* Each on a connection of its own. */
static guint
ask (Call *call, const char *host, guint port)
{
  g_autoptr (SoupSession) session =
      soup_session_new_with_options ("proxy-resolver", NULL, NULL);
  g_autofree char *url = g_strdup_printf ("http://%s:%u/", host, port);
  g_autoptr (SoupMessage) message = soup_message_new ("GET", url);

  call->is_done = FALSE;
  soup_session_send_and_read_async (
      session, message, G_PRIORITY_DEFAULT, NULL, on_answer, call);
  while (!call->is_done)
    g_main_context_iteration (NULL, TRUE);
  return call->status;
}

static void
test_serves (void)
{
  Call call = {0};
  g_autoptr (GError) error = NULL;
  g_autoptr (SoupServer) server = soup_server_new (NULL, NULL);
  DubHttpListener *listener;
  guint port;

  soup_server_add_handler (server, NULL, on_request, &call.n_requests, NULL);
  listener = dub_http_listener_new (server, "localhost", 0, &error);
  g_assert_no_error (error);
  port = dub_http_listener_get_port (listener);
  g_assert_cmpuint (port, >, 0);
  for (int i = 0; i < 3; i++)
    g_assert_cmpuint (ask (&call, "127.0.0.1", port), ==, 200);
  g_assert_cmpint (call.n_requests, ==, 3);
  dub_http_listener_free (listener);
  g_assert_cmpuint (ask (&call, "127.0.0.1", port), ==, 0);
  soup_server_disconnect (server);
}

static void
on_socket_gone (gpointer user_data, GObject *socket)
{
  --*(int *) user_data;
}

static gboolean
hook_socket (GSignalInvocationHint *hint, guint n_values, const GValue *values,
    gpointer user_data)
{
  GSocketConnection *connection = g_value_get_object (&values[1]);

  ++*(int *) user_data;
  g_object_weak_ref (G_OBJECT (g_socket_connection_get_socket (connection)),
      on_socket_gone, user_data);
  return TRUE;
}

/* What the listener is there for: a socket goes with its connection. */
static void
test_keeps_nothing (void)
{
  Call call = {0};
  g_autoptr (SoupServer) server = soup_server_new (NULL, NULL);
  DubHttpListener *listener =
      dub_http_listener_new (server, "127.0.0.1", 0, NULL);
  guint signal = g_signal_lookup ("incoming", G_TYPE_SOCKET_SERVICE);
  int n_sockets = 0;
  gulong hook =
      g_signal_add_emission_hook (signal, 0, hook_socket, &n_sockets, NULL);

  soup_server_add_handler (server, NULL, on_request, &call.n_requests, NULL);
  for (int i = 0; i < 5; i++)
    ask (&call, "127.0.0.1", dub_http_listener_get_port (listener));
  g_assert_cmpint (call.n_requests, ==, 5);
  while (n_sockets > 0)
    g_main_context_iteration (NULL, TRUE);
  g_signal_remove_emission_hook (signal, hook);
  dub_http_listener_free (listener);
}

static void
test_refused (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SoupServer) server = soup_server_new (NULL, NULL);
  g_autoptr (DubHttpListener) first = NULL;

  g_assert_null (dub_http_listener_new (server, "example", 0, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_INVALID);
  g_clear_error (&error);
  first = dub_http_listener_new (server, "127.0.0.1", 0, &error);
  g_assert_no_error (error);
  g_assert_null (dub_http_listener_new (
      server, "127.0.0.1", dub_http_listener_get_port (first), &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_UNAVAILABLE);
}

/* --- those who are too many, or too slow --- */

typedef struct {
  Call call;
  SoupServer *server;
  DubHttpListener *listener;
  guint port;
} Limited;

static void
limited_start (Limited *self, guint max, guint max_per_peer, guint timeout_ms)
{
  DubHttpListenerOptions options;
  g_autoptr (GError) error = NULL;

  self->server = soup_server_new (NULL, NULL);
  soup_server_add_handler (
      self->server, NULL, on_request, &self->call.n_requests, NULL);
  dub_http_listener_options_init (&options);
  options.max_connections = max;
  options.max_per_peer = max_per_peer;
  options.header_ms = options.body_ms = timeout_ms;
  self->listener = dub_http_listener_new_full (self->server, &options, &error);
  g_assert_no_error (error);
  self->port = dub_http_listener_get_port (self->listener);
}

static void
limited_stop (Limited *self)
{
  dub_http_listener_free (self->listener);
  soup_server_disconnect (self->server);
  g_object_unref (self->server);
}

static GSocketConnection *
visit (Limited *self, const char *text)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GError) error = NULL;
  GSocketConnection *connection = g_socket_client_connect_to_host (
      client, "127.0.0.1", (guint16) self->port, NULL, &error);

  g_assert_no_error (error);
  g_assert_true (g_output_stream_write_all (
      g_io_stream_get_output_stream (G_IO_STREAM (connection)), text,
      strlen (text), NULL, NULL, NULL));
  return connection;
}

static guint
count_connections (Limited *self)
{
  DubHttpListenerStats stats;

  dub_http_listener_get_stats (self->listener, &stats);
  return stats.connections;
}

/* Until the server has closed it; gives what it said before. */
static char *
read_to_end (Limited *self, GSocketConnection *connection)
{
  GSocket *socket = g_socket_connection_get_socket (connection);
  GString *text = g_string_new (NULL);
  char part[512];

  g_socket_set_blocking (socket, FALSE);
  for (;;) {
    g_autoptr (GError) error = NULL;
    gssize n = g_socket_receive (socket, part, sizeof part, NULL, &error);

    if (n > 0)
      g_string_append_len (text, part, n);
    else if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
      return g_string_free (text, FALSE);
    g_main_context_iteration (NULL, FALSE);
    g_usleep (1000);
  }
}

/* A header, then a body, that does not come to its end. */
static void
test_slow (void)
{
  static const char *const beginnings[] = {"", "GET / HTTP/1.1\r\nHost: x\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf"};
  Limited limited = {0};
  DubHttpListenerStats stats;

  limited_start (&limited, 10, 10, 150);
  for (gsize i = 0; i < G_N_ELEMENTS (beginnings); i++) {
    gint64 start_us = g_get_monotonic_time ();
    g_autoptr (GSocketConnection) slow = visit (&limited, beginnings[i]);
    g_autofree char *answer = read_to_end (&limited, slow);

    g_assert_cmpstr (answer, ==, "");
    g_assert_cmpint (g_get_monotonic_time () - start_us, >=, 100000);
  }
  dub_http_listener_get_stats (limited.listener, &stats);
  g_assert_cmpuint (stats.timed_out, ==, G_N_ELEMENTS (beginnings));
  /* libsoup hands over half a body when its sender has gone. */
  g_assert_cmpint (limited.call.n_requests, <=, 1);
  g_assert_cmpuint (ask (&limited.call, "127.0.0.1", limited.port), ==, 200);
  while (count_connections (&limited) > 0)
    g_main_context_iteration (NULL, TRUE);
  limited_stop (&limited);
}

/* A byte now and then does not buy time. */
static void
test_drip (void)
{
  Limited limited = {0};
  g_autoptr (GSocketConnection) slow = NULL;
  gint64 start_us = g_get_monotonic_time ();
  gssize sent = 1;

  limited_start (&limited, 10, 10, 300);
  slow = visit (&limited, "GET / HTTP/1.1\r\nX: ");
  g_socket_set_blocking (g_socket_connection_get_socket (slow), FALSE);
  while (sent > 0 && g_get_monotonic_time () - start_us < 5 * G_USEC_PER_SEC) {
    g_main_context_iteration (NULL, FALSE);
    g_usleep (20000);
    sent = g_socket_send (
        g_socket_connection_get_socket (slow), "x", 1, NULL, NULL);
  }
  g_assert_cmpint (g_get_monotonic_time () - start_us, <, 2 * G_USEC_PER_SEC);
  limited_stop (&limited);
}

/* A thousand who say nothing do not keep one out who does. */
static void
check_idle (guint max, guint max_per_peer, guint n_idle)
{
  Limited limited = {0};
  g_autoptr (GPtrArray) idle = g_ptr_array_new_with_free_func (g_object_unref);
  DubHttpListenerStats stats;

  limited_start (&limited, max, max_per_peer, 60000);
  for (guint i = 0; i < n_idle; i++) {
    g_ptr_array_add (idle, visit (&limited, ""));
    while (g_main_context_iteration (NULL, FALSE))
      ;
  }
  g_assert_cmpuint (count_connections (&limited), <=, MIN (max, max_per_peer));
  for (int i = 0; i < 3; i++)
    g_assert_cmpuint (ask (&limited.call, "127.0.0.1", limited.port), ==, 200);
  dub_http_listener_get_stats (limited.listener, &stats);
  g_assert_cmpuint (stats.refused, >=, n_idle - MIN (max, max_per_peer));
  limited_stop (&limited);
}

static void
test_idle (void)
{
  check_idle (20, 20, 400);
  check_idle (1000, 10, 100);
}

/* Those who are served stay: it is the new one that is sent away. */
static void
test_full_of_served (void)
{
  static const char half[] =
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf";
  Limited limited = {0};
  g_autoptr (GSocketConnection) first = NULL;
  g_autoptr (GSocketConnection) second = NULL;
  g_autofree char *rest = g_strnfill (96, 'x');
  g_autofree char *answer = NULL;
  g_autofree char *nothing = NULL;
  gint64 start_us = g_get_monotonic_time ();

  limited_start (&limited, 1, 1, 60000);
  first = visit (&limited, half);
  /* Until its header was read; there is no other sign of it. */
  while (g_get_monotonic_time () - start_us < 200000)
    g_main_context_iteration (NULL, FALSE);
  second = visit (&limited, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  nothing = read_to_end (&limited, second);
  g_assert_cmpstr (nothing, ==, "");
  g_assert_cmpuint (count_connections (&limited), ==, 1);
  g_output_stream_write_all (
      g_io_stream_get_output_stream (G_IO_STREAM (first)), rest, 96, NULL, NULL,
      NULL);
  answer = read_to_end (&limited, first);
  g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 200"));
  limited_stop (&limited);
}

static void
test_huge_header (void)
{
  Limited limited = {0};
  g_autoptr (GSocketConnection) greedy = NULL;
  g_autofree char *line = g_strnfill (4096, 'x');
  gint64 start_us = g_get_monotonic_time ();
  gsize total = 0;

  limited_start (&limited, 10, 10, 60000);
  greedy = visit (&limited, "GET / HTTP/1.1\r\nX: ");
  g_socket_set_blocking (g_socket_connection_get_socket (greedy), FALSE);
  while (g_get_monotonic_time () - start_us < 10 * G_USEC_PER_SEC) {
    g_autoptr (GError) error = NULL;
    gssize n = g_socket_send (
        g_socket_connection_get_socket (greedy), line, 4096, NULL, &error);

    total += n > 0 ? (gsize) n : 0;
    if (n < 0 && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
      break;
    g_main_context_iteration (NULL, FALSE);
  }
  /* What the kernel's own buffers hold, and no more. */
  g_assert_cmpuint (total, <, 16 << 20);
  g_assert_cmpint (g_get_monotonic_time () - start_us, <, 10 * G_USEC_PER_SEC);
  g_assert_cmpint (limited.call.n_requests, ==, 0);
  limited_stop (&limited);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/socketio/http-listener/serves", test_serves);
  g_test_add_func ("/socketio/http-listener/keeps-nothing", test_keeps_nothing);
  g_test_add_func ("/socketio/http-listener/refused", test_refused);
  g_test_add_func ("/socketio/http-listener/slow", test_slow);
  g_test_add_func ("/socketio/http-listener/drip", test_drip);
  g_test_add_func ("/socketio/http-listener/idle", test_idle);
  g_test_add_func (
      "/socketio/http-listener/full-of-served", test_full_of_served);
  g_test_add_func ("/socketio/http-listener/huge-header", test_huge_header);
  return g_test_run ();
}
