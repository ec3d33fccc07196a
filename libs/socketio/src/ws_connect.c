/* SPDX-License-Identifier: Apache-2.0 */
#include "ws_connect.h"

#include <dubbing_common/error.h>
#include <dubbing_common/tls.h>
#include <string.h>

#define MAX_ANSWER (8 << 10)
#define ACCEPT_SALT "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

typedef struct {
  GUri *uri;
  char *request;
  char *accept; /* what the server must answer with */
  GIOStream *stream;
  guint8 answer[MAX_ANSWER + 1]; /* and a NUL */
  gsize have;
  guint status;
  GBytes *early;
} Connect;

static void
connect_free (gpointer data)
{
  Connect *connect = data;

  g_uri_unref (connect->uri);
  g_free (connect->request);
  g_free (connect->accept);
  g_clear_object (&connect->stream);
  g_clear_pointer (&connect->early, g_bytes_unref);
  g_free (connect);
}

static char *
make_key (void)
{
  guint32 random[4];

  for (guint i = 0; i < G_N_ELEMENTS (random); i++)
    random[i] = g_random_int ();
  return g_base64_encode ((const guchar *) random, sizeof random);
}

static char *
make_accept (const char *key)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA1);
  guint8 digest[20];
  gsize length = sizeof digest;

  g_checksum_update (sum, (const guchar *) key, -1);
  g_checksum_update (sum, (const guchar *) ACCEPT_SALT, -1);
  g_checksum_get_digest (sum, digest, &length);
  return g_base64_encode (digest, length);
}

static void
append_host (GUri *uri, GString *to)
{
  const char *host = g_uri_get_host (uri);
  gboolean is_v6 = strchr (host, ':') != NULL;

  g_string_append_printf (to, is_v6 ? "Host: [%s]" : "Host: %s", host);
  if (g_uri_get_port (uri) > 0)
    g_string_append_printf (to, ":%d", g_uri_get_port (uri));
  g_string_append (to, "\r\n");
}

static char *
make_request (GUri *uri, const char *key, const char *const *headers)
{
  GString *text = g_string_new ("GET ");

  g_string_append_printf (
      text, "%s?%s HTTP/1.1\r\n", g_uri_get_path (uri), g_uri_get_query (uri));
  append_host (uri, text);
  g_string_append_printf (text,
      "Connection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n",
      key);
  for (guint i = 0; headers[i] != NULL; i += 2)
    g_string_append_printf (text, "%s: %s\r\n", headers[i], headers[i + 1]);
  g_string_append (text, "\r\n");
  return g_string_free (text, FALSE);
}

/* ------------------------------------------------------------- handshake */

static gboolean
refuse (GError **error, const char *what)
{
  g_set_error (error, DUB_ERROR, DUB_ERROR_PROTOCOL, "no WebSocket: %s", what);
  return FALSE;
}

/* text: up to the empty line, its end cut off. */
static gboolean
check_answer (Connect *connect, const char *text, gsize length, GError **error)
{
  g_autoptr (SoupMessageHeaders) headers =
      soup_message_headers_new (SOUP_MESSAGE_HEADERS_RESPONSE);
  const char *accept;

  if (!soup_headers_parse_response (
          text, (int) length, headers, NULL, &connect->status, NULL))
    return refuse (error, "not an HTTP answer");
  if (connect->status != SOUP_STATUS_SWITCHING_PROTOCOLS)
    return refuse (error, "refused");
  accept = soup_message_headers_get_one (headers, "Sec-WebSocket-Accept");
  if (!soup_message_headers_header_equals (headers, "Upgrade", "websocket") ||
      g_strcmp0 (accept, connect->accept) != 0)
    return refuse (error, "another protocol");
  if (soup_message_headers_get_one (headers, "Sec-WebSocket-Extensions"))
    return refuse (error, "an extension that nobody offered");
  return TRUE;
}

static void on_answer (
    GObject *source, GAsyncResult *result, gpointer user_data);

static void
read_more (GTask *task)
{
  Connect *connect = g_task_get_task_data (task);

  g_input_stream_read_async (g_io_stream_get_input_stream (connect->stream),
      connect->answer + connect->have, MAX_ANSWER - connect->have,
      G_PRIORITY_DEFAULT, g_task_get_cancellable (task), on_answer, task);
}

static void
take_answer (GTask *task, const guint8 *end)
{
  Connect *connect = g_task_get_task_data (task);
  gsize length = (gsize) (end - connect->answer);
  g_autoptr (GError) error = NULL;

  connect->early = g_bytes_new (end + 4, connect->have - length - 4);
  if (check_answer (
          connect, (const char *) connect->answer, length + 2, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, g_steal_pointer (&error));
  g_object_unref (task);
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Connect *connect = g_task_get_task_data (task);
  GError *error = NULL;
  gssize n =
      g_input_stream_read_finish (G_INPUT_STREAM (source), result, &error);
  const guint8 *end;

  if (n > 0) {
    connect->have += (gsize) n;
    end = memmem (connect->answer, connect->have, "\r\n\r\n", 4);
    if (end != NULL) {
      take_answer (task, end);
      return;
    }
    if (connect->have < MAX_ANSWER) {
      read_more (task);
      return;
    }
  }
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_new_error (task, DUB_ERROR, DUB_ERROR_PROTOCOL,
        "no WebSocket: no answer to the handshake");
  g_object_unref (task);
}

static void
on_request_sent (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  GError *error = NULL;

  if (g_output_stream_write_all_finish (
          G_OUTPUT_STREAM (source), result, NULL, &error)) {
    read_more (task);
    return;
  }
  g_task_return_error (task, error);
  g_object_unref (task);
}

/* Which certificate, and what is wrong with it. */
static void
name_refusal (const char *host, GError *error)
{
  g_autofree char *text =
      error->domain == G_TLS_ERROR ? dub_tls_refusal (host) : NULL;

  if (text == NULL)
    return;
  g_free (error->message);
  error->message = g_steal_pointer (&text);
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Connect *connect = g_task_get_task_data (task);
  GError *error = NULL;
  GSocketConnection *connection = g_socket_client_connect_to_host_finish (
      G_SOCKET_CLIENT (source), result, &error);

  if (connection == NULL) {
    name_refusal (g_uri_get_host (connect->uri), error);
    g_task_return_error (task, error);
    g_object_unref (task);
    return;
  }
  connect->stream = G_IO_STREAM (connection);
  g_output_stream_write_all_async (
      g_io_stream_get_output_stream (connect->stream), connect->request,
      strlen (connect->request), G_PRIORITY_DEFAULT,
      g_task_get_cancellable (task), on_request_sent, task);
}

void
dub_ws_connect_async (GUri *uri, const char *const *headers,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autofree char *key = make_key ();
  Connect *connect = g_new0 (Connect, 1);
  gboolean is_secure = strcmp (g_uri_get_scheme (uri), "wss") == 0;
  int port = g_uri_get_port (uri);

  connect->uri = g_uri_ref (uri);
  connect->request = make_request (uri, key, headers);
  connect->accept = make_accept (key);
  g_task_set_task_data (task, connect, connect_free);
  g_socket_client_set_tls (client, is_secure);
  if (port <= 0)
    port = is_secure ? 443 : 80;
  g_socket_client_connect_to_host_async (client, g_uri_get_host (uri),
      (guint16) port, cancellable, on_connected, task);
}

GIOStream *
dub_ws_connect_finish (
    GAsyncResult *result, guint *ret_status, GBytes **ret_early, GError **error)
{
  Connect *connect = g_task_get_task_data (G_TASK (result));

  *ret_status = connect->status;
  if (!g_task_propagate_boolean (G_TASK (result), error))
    return NULL;
  *ret_early = g_steal_pointer (&connect->early);
  return g_steal_pointer (&connect->stream);
}
