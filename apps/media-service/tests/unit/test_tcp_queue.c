/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/tcp_queue.h"

#include <gio/gio.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  GSocketListener *listener;
  guint16 port;
  GSocketConnection *quiet, *busy; /* ours */
  GSocketConnection *quiet_peer, *busy_peer;
} Fixture;

static GSocketConnection *
connect_to (guint16 port)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GError) error = NULL;
  GSocketConnection *connection =
      g_socket_client_connect_to_host (client, "127.0.0.1", port, NULL, &error);

  g_assert_no_error (error);
  return connection;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->listener = g_socket_listener_new ();
  f->port = g_socket_listener_add_any_inet_port (f->listener, NULL, NULL);
  f->quiet = connect_to (f->port);
  f->quiet_peer = g_socket_listener_accept (f->listener, NULL, NULL, NULL);
  f->busy = connect_to (f->port);
  f->busy_peer = g_socket_listener_accept (f->listener, NULL, NULL, NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_object_unref (f->quiet);
  g_object_unref (f->busy);
  g_object_unref (f->quiet_peer);
  g_object_unref (f->busy_peer);
  g_object_unref (f->listener);
}

/* As much as the kernel takes, while nobody reads. */
static guint64
fill (GSocketConnection *connection)
{
  GSocket *socket = g_socket_connection_get_socket (connection);
  static const char bytes[65536];
  guint64 total = 0;
  gssize n;

  g_socket_set_blocking (socket, FALSE);
  while ((n = g_socket_send (socket, bytes, sizeof bytes, NULL, NULL)) > 0)
    total += (guint64) n;
  return total;
}

static void
test_finds_the_busy_one (Fixture *f, gconstpointer data)
{
  guint64 written = fill (f->busy);
  int fd = dub_tcp_queue_find (f->port, written - 1000);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpuint (dub_tcp_queue_unacknowledged (fd), >, 0);
  g_assert_cmpuint (dub_tcp_queue_unacknowledged (fd), <=, written);
  close (fd);
  fd = dub_tcp_queue_find (f->port, 100);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpuint (dub_tcp_queue_unacknowledged (fd), ==, 0);
  close (fd);
}

static void
test_finds_nothing (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (dub_tcp_queue_find (1, 1000), ==, -1);
  g_assert_cmpuint (dub_tcp_queue_unacknowledged (-1), ==, 0);
}

static gboolean
has_no_delay (GSocketConnection *connection)
{
  int value = 0;

  g_assert_true (
      g_socket_get_option (g_socket_connection_get_socket (connection),
          IPPROTO_TCP, TCP_NODELAY, &value, NULL));
  return value != 0;
}

static void
test_no_delay (Fixture *f, gconstpointer data)
{
  dub_tcp_queue_set_no_delay (1);
  g_assert_false (has_no_delay (f->busy));
  dub_tcp_queue_set_no_delay (f->port);
  g_assert_true (has_no_delay (f->busy));
  g_assert_true (has_no_delay (f->quiet));
  g_assert_false (has_no_delay (f->busy_peer));
}

static void
test_port (void)
{
  g_assert_cmpuint (dub_tcp_queue_port_of ("rtmp://h/app/key"), ==, 1935);
  g_assert_cmpuint (dub_tcp_queue_port_of ("rtmps://h/app/key"), ==, 443);
  g_assert_cmpuint (dub_tcp_queue_port_of ("RTSP://h/path"), ==, 554);
  g_assert_cmpuint (dub_tcp_queue_port_of ("rtsps://h/path"), ==, 322);
  g_assert_cmpuint (dub_tcp_queue_port_of ("rtsps://h:8322/path"), ==, 8322);
  g_assert_cmpuint (dub_tcp_queue_port_of ("srt://h"), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/media/publish/tcp-queue/busy", Fixture, NULL, set_up,
      test_finds_the_busy_one, tear_down);
  g_test_add ("/media/publish/tcp-queue/nothing", Fixture, NULL, set_up,
      test_finds_nothing, tear_down);
  g_test_add ("/media/publish/tcp-queue/no-delay", Fixture, NULL, set_up,
      test_no_delay, tear_down);
  g_test_add_func ("/media/publish/tcp-queue/port", test_port);
  return g_test_run ();
}
