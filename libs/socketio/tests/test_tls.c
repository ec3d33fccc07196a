/* SPDX-License-Identifier: Apache-2.0 */

/*
 * wss from our client to our listener, with an authority of the test's own:
 * the good certificate passes, each bad one is refused by an error that says
 * what is wrong. Not among the unit tests: the TLS library keeps threads.
 */
#include "certificates.h"
#include "recorder.h"

#include <dubbing_common/error.h>
#include <dubbing_common/tls.h>
#include <dubbing_socketio/http_listener.h>
#include <dubbing_socketio/server.h>

static char *folder;

typedef struct {
  SoupServer *soup;
  DubHttpListener *listener;
  DubSioServer *sio;
} Server;

static void
on_event (DubSioSocket *socket, DubSioMessage *message, DubSioAck *ack,
    gpointer user_data)
{
  DubSioMessage *answer = dub_sio_message_new ("echo");

  dub_sio_message_add_args_of (answer, message);
  dub_sio_socket_emit (socket, answer);
  if (ack != NULL)
    dub_sio_ack_unref (ack);
}

static char *
path_of (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

static void
server_start (Server *server, const char *certificate)
{
  static const DubSioHandlers handlers = {NULL, on_event, NULL};
  g_autofree char *path = path_of (certificate);
  DubHttpListenerOptions options;
  DubSioServerOptions sio_options;
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsCertificate) loaded = NULL;

  /* dub_tls_load () would refuse the one that has expired. */
  loaded = g_tls_certificate_new_from_file (path, &error);
  g_assert_no_error (error);
  server->soup = soup_server_new (NULL, NULL);
  dub_http_listener_options_init (&options);
  options.certificate = loaded;
  server->listener =
      dub_http_listener_new_full (server->soup, &options, &error);
  g_assert_no_error (error);
  dub_sio_server_options_init (&sio_options);
  server->sio = dub_sio_server_new (&sio_options);
  dub_sio_server_add_namespace (server->sio, "/", &handlers, NULL, NULL);
  dub_sio_server_attach (server->sio, server->soup, "/socket.io/");
}

static void
server_stop (Server *server)
{
  dub_http_listener_free (server->listener);
  dub_sio_server_free (server->sio);
  soup_server_disconnect (server->soup);
  g_object_unref (server->soup);
}

typedef struct {
  DubSioClient *client;
  gboolean is_connected;
  GError *closed;
  GBytes *echoed;
} Peer;

static void
on_connect (DubSioClient *client, gpointer user_data)
{
  ((Peer *) user_data)->is_connected = TRUE;
}

static void
on_echo (DubSioClient *client, DubSioMessage *message, gpointer user_data)
{
  GBytes *bytes = dub_sio_message_get_binary (
      message, dub_sio_message_get_arg (message, 0));

  g_assert_nonnull (bytes);
  ((Peer *) user_data)->echoed = g_bytes_ref (bytes);
}

static void
on_close (DubSioClient *client, const GError *error, gpointer user_data)
{
  ((Peer *) user_data)->closed = g_error_copy (error);
}

static void
peer_connect (Peer *peer, const char *host, guint port)
{
  static const DubSioClientHandlers handlers = {
      on_connect, on_echo, on_close, NULL};
  g_autofree char *url = g_strdup_printf ("wss://%s:%u", host, port);
  DubSioClientOptions options;
  g_autoptr (GError) error = NULL;

  dub_sio_client_options_init (&options);
  peer->client = dub_sio_client_new (url, &options, &handlers, peer, &error);
  g_assert_no_error (error);
  dub_sio_client_connect (peer->client);
  while (!peer->is_connected && peer->closed == NULL)
    g_main_context_iteration (NULL, TRUE);
}

static void
peer_clear (Peer *peer)
{
  dub_sio_client_free (peer->client);
  g_clear_error (&peer->closed);
  g_clear_pointer (&peer->echoed, g_bytes_unref);
}

/* A message of 3 MB there and back: more than any buffer on the way holds. */
static void
echo_much (Peer *peer)
{
  const gsize size = 3 << 20;
  guint8 *data = g_malloc (size);
  DubSioMessage *message = dub_sio_message_new ("echo");
  g_autoptr (GBytes) bytes = NULL;

  for (gsize i = 0; i < size; i++)
    data[i] = (guint8) (i * 31 >> 3);
  bytes = g_bytes_new_take (data, size);
  dub_sio_message_add_arg (
      message, dub_sio_message_add_binary (message, bytes));
  g_assert_true (dub_sio_client_emit (peer->client, message));
  while (peer->echoed == NULL && peer->closed == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_no_error (peer->closed);
  g_assert_true (g_bytes_equal (peer->echoed, bytes));
}

static void
test_good (gconstpointer host)
{
  Server server;
  Peer peer = {0};

  server_start (&server, "good.pem");
  peer_connect (&peer, host, dub_http_listener_get_port (server.listener));
  g_assert_no_error (peer.closed);
  echo_much (&peer);
  peer_clear (&peer);
  server_stop (&server);
}

typedef struct {
  const char *name, *certificate, *says;
} Bad;

static const Bad bad[] = {
    {"wrong-host", "other.pem", "localhost is for another host"},
    {"expired", "expired.pem", "localhost has expired"},
    {"self-signed", "self.pem", "localhost is of no authority"},
};

static void
test_bad (gconstpointer data)
{
  const Bad *c = data;
  Server server;
  Peer peer = {0};

  server_start (&server, c->certificate);
  peer_connect (
      &peer, "localhost", dub_http_listener_get_port (server.listener));
  g_assert_false (peer.is_connected);
  g_test_message ("%s", peer.closed->message);
  g_assert_nonnull (strstr (peer.closed->message, c->says));
  g_assert_nonnull (strstr (peer.closed->message, "wss://localhost:"));
  peer_clear (&peer);
  server_stop (&server);
}

/* A client that speaks plainly is let go, and the next one is served. */
static void
test_plain (void)
{
  Server server;
  Peer peer = {0};
  DubHttpListenerStats stats = {0};
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnection) connection = NULL;
  guint port;

  server_start (&server, "good.pem");
  port = dub_http_listener_get_port (server.listener);
  connection = g_socket_client_connect_to_host (
      client, "127.0.0.1", (guint16) port, NULL, NULL);
  g_output_stream_write_all (
      g_io_stream_get_output_stream (G_IO_STREAM (connection)),
      "GET / HTTP/1.1\r\n\r\n", 18, NULL, NULL, NULL);
  while (stats.no_tls == 0) {
    g_main_context_iteration (NULL, TRUE);
    dub_http_listener_get_stats (server.listener, &stats);
  }
  peer_connect (&peer, "localhost", port);
  g_assert_no_error (peer.closed);
  peer_clear (&peer);
  server_stop (&server);
}

static void
expect_load (const char *certificate, const char *key, const char *says)
{
  g_autofree char *certificate_path =
      certificate ? path_of (certificate) : NULL;
  g_autofree char *key_path = key ? path_of (key) : NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsCertificate) loaded =
      dub_tls_load (certificate_path, key_path, &error);

  if (says == NULL) {
    g_assert_no_error (error);
    return;
  }
  g_assert_null (loaded);
  g_assert_error (error, DUB_ERROR, DUB_ERROR_INVALID);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, says));
}

static void
test_load (void)
{
  expect_load (NULL, NULL, NULL);
  expect_load ("good.pem", NULL, NULL);
  expect_load ("good.crt", "good.key", NULL);
  expect_load ("good.crt", NULL, "no private key");
  expect_load (NULL, "good.key", "TLS_CERT_FILE is not");
  expect_load ("nothing.pem", NULL, "TLS_CERT_FILE");
  expect_load ("good.crt", "nothing.key", "TLS_KEY_FILE");
  expect_load ("expired.pem", NULL, "has expired");
}

/* Each is good for itself. */
static void
test_pair (void)
{
  expect_load ("good.crt", "other.key", "TLS_CERT_FILE, TLS_KEY_FILE: ");
  expect_load ("good.crt", "other.key", "do not belong together");
  expect_load ("other.crt", "good.key", "do not belong together");
  expect_load ("other.crt", "other.key", NULL);
  expect_load ("self.pem", NULL, NULL);
}

static void
test_trust_refused (void)
{
  g_autofree char *missing = path_of ("nothing.pem");
  g_autofree char *no_certificate = path_of ("good.key");
  g_autoptr (GError) error = NULL;

  g_assert_false (dub_tls_trust (missing, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_INVALID);
  g_clear_error (&error);
  g_assert_false (dub_tls_trust (no_certificate, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "TLS_CA_FILE"));
}

int
main (int argc, char **argv)
{
  g_autofree char *authority = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  g_test_init (&argc, &argv, NULL);
  folder = certificates_new ();
  if (folder == NULL) {
    g_print ("1..0 # SKIP no openssl to make certificates with\n");
    return 0;
  }
  authority = path_of ("ca.pem");
  dub_tls_trust (authority, &error);
  g_assert_no_error (error);
  g_test_add_data_func ("/socketio/tls/good-name", "localhost", test_good);
  g_test_add_data_func ("/socketio/tls/good-address", "127.0.0.1", test_good);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autofree char *name = g_strconcat ("/socketio/tls/", bad[i].name, NULL);

    g_test_add_data_func (name, &bad[i], test_bad);
  }
  g_test_add_func ("/socketio/tls/plain-client", test_plain);
  g_test_add_func ("/socketio/tls/load", test_load);
  g_test_add_func ("/socketio/tls/pair", test_pair);
  g_test_add_func ("/socketio/tls/trust-refused", test_trust_refused);
  status = g_test_run ();
  certificates_free (folder);
  return status;
}
