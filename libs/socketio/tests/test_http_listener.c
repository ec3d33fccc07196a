/* SPDX-License-Identifier: Apache-2.0 */
#include "dubbing_socketio/http_listener.h"

#include <dubbing_common/error.h>

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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/socketio/http-listener/serves", test_serves);
  g_test_add_func ("/socketio/http-listener/keeps-nothing", test_keeps_nothing);
  g_test_add_func ("/socketio/http-listener/refused", test_refused);
  return g_test_run ();
}
