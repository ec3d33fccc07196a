/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/sockets.h"

#include <gio/gio.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

static gboolean
has_no_delay (GSocketListener *listener, guint16 port)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketConnection) connection =
      g_socket_client_connect_to_host (client, "127.0.0.1", port, NULL, &error);
  g_autoptr (GSocketConnection) peer =
      g_socket_listener_accept (listener, NULL, NULL, NULL);
  int value = 0;

  g_assert_no_error (error);
  g_assert_nonnull (peer);
  g_assert_true (
      g_socket_get_option (g_socket_connection_get_socket (connection),
          IPPROTO_TCP, TCP_NODELAY, &value, &error));
  return value != 0;
}

/* Of a client that was made by whoever. */
static void
test_no_delay (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);

  g_assert_false (has_no_delay (listener, port));
  dub_sockets_tune ();
  g_assert_true (has_no_delay (listener, port));
  g_assert_true (has_no_delay (listener, port));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/sockets/no-delay", test_no_delay);
  return g_test_run ();
}
