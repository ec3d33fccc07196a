/* SPDX-License-Identifier: Apache-2.0 */
#include "eio_server.h"

#include <gio/gio.h>
#include <string.h>

#define BODY_KEY "dub-eio-body"
#define MAY_ASK "dub-eio-may-ask"

typedef struct {
  SoupServer *soup;
  char *path; /* without the final slash */
} Mount;

struct _DubEioServer {
  DubEioOptions options;
  const DubEioHandlers *handlers;
  gpointer user_data;
  GMainContext *context;
  GHashTable *sessions; /* id -> DubEioSession, a reference */
  GHashTable *upgrades; /* SoupServerMessages whose 101 is on its way */
  GPtrArray *mounts;
};

/* What a request asks for, as its query says. Borrowed strings. */
typedef struct {
  const char *sid; /* (nullable) */
  const char *revision;
  gboolean is_websocket;
  gboolean is_polling;
  DubEioSession *session; /* of sid; (nullable) */
} Request;

/* --------------------------------------------------------------- bodies */

static void
refuse_body (SoupServerMessage *message)
{
  SoupMessageBody *body = soup_server_message_get_request_body (message);

  soup_message_body_set_accumulate (body, FALSE);
  soup_message_body_truncate (body);
}

/* A chunked body does not say its length beforehand. */
static void
on_chunk (SoupServerMessage *message, GBytes *chunk, gpointer user_data)
{
  DubEioServer *server = user_data;
  gsize so_far =
      GPOINTER_TO_SIZE (g_object_get_data (G_OBJECT (message), BODY_KEY));
  GSocket *socket = soup_server_message_get_socket (message);

  so_far += g_bytes_get_size (chunk);
  g_object_set_data (G_OBJECT (message), BODY_KEY, GSIZE_TO_POINTER (so_far));
  if (so_far <= server->options.max_payload)
    return;
  refuse_body (message);
  if (socket != NULL)
    g_socket_shutdown (socket, TRUE, FALSE, NULL);
}

/* --------------------------------------------------------------- checks */

static void
read_request (DubEioServer *server, GHashTable *query, Request *ret_request)
{
  const char *transport = NULL;

  memset (ret_request, 0, sizeof *ret_request);
  if (query == NULL)
    return;
  transport = g_hash_table_lookup (query, "transport");
  ret_request->sid = g_hash_table_lookup (query, "sid");
  ret_request->revision = g_hash_table_lookup (query, "EIO");
  ret_request->is_websocket = g_strcmp0 (transport, "websocket") == 0;
  ret_request->is_polling = g_strcmp0 (transport, "polling") == 0;
  if (ret_request->sid != NULL)
    ret_request->session =
        g_hash_table_lookup (server->sessions, ret_request->sid);
  if (ret_request->session != NULL &&
      !dub_eio_session_check (ret_request->session))
    ret_request->session = NULL;
}

static gboolean
refuse (SoupServerMessage *message, const char *text)
{
  dub_eio_answer_error (message, SOUP_STATUS_BAD_REQUEST, text);
  return FALSE;
}

static gboolean
is_upgrade (SoupServerMessage *message)
{
  return soup_websocket_server_check_handshake (
      message, NULL, NULL, NULL, NULL);
}

static gboolean
check_new (
    DubEioServer *server, SoupServerMessage *message, const Request *request)
{
  guint limit = server->options.max_sessions;

  if (g_strcmp0 (request->revision, "4") != 0)
    return refuse (message,
        "The client is using an unsupported version of the Socket.IO or "
        "Engine.IO protocols");
  if (soup_server_message_get_method (message) != SOUP_METHOD_GET)
    return refuse (message, "Invalid handshake method");
  if (request->is_websocket && !is_upgrade (message))
    return refuse (message, "Invalid websocket upgrade");
  if (limit > 0 && g_hash_table_size (server->sessions) >= limit) {
    dub_eio_answer_error (
        message, SOUP_STATUS_SERVICE_UNAVAILABLE, "Too many sessions");
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_known (SoupServerMessage *message, const Request *request)
{
  const char *method = soup_server_message_get_method (message);
  g_autofree char *text = NULL;

  if (request->session == NULL) {
    text = g_strdup_printf ("Invalid session %.64s", request->sid);
    return refuse (
        message, g_utf8_validate (text, -1, NULL) ? text : "Invalid session");
  }
  if (!dub_eio_session_is_polling (request->session))
    return refuse (message, "Invalid transport");
  if (request->is_websocket) {
    if (!is_upgrade (message) || dub_eio_session_is_probing (request->session))
      return refuse (message, "Invalid websocket upgrade");
    return TRUE;
  }
  if (method != SOUP_METHOD_GET && method != SOUP_METHOD_POST)
    return refuse (message, "Invalid method");
  return TRUE;
}

/* Once for each request: those with a body are looked at before it comes, and
 * again when it is there. */
static gboolean
may_ask (
    DubEioServer *server, SoupServerMessage *message, const Request *request)
{
  const DubEioOptions *options = &server->options;

  if (options->may_ask == NULL ||
      g_object_get_data (G_OBJECT (message), MAY_ASK) != NULL)
    return TRUE;
  g_object_set_data (G_OBJECT (message), MAY_ASK, server);
  return options->may_ask (
      message, request->session != NULL, options->may_ask_data);
}

static gboolean
check (DubEioServer *server, SoupServerMessage *message, const Request *request)
{
  if (!may_ask (server, message, request))
    return FALSE;
  if (!request->is_websocket && !request->is_polling)
    return refuse (message, "Invalid transport");
  if (request->sid == NULL)
    return check_new (server, message, request);
  return check_known (message, request);
}

/* ------------------------------------------------------------- requests */

static void
on_gone (DubEioSession *session, gpointer owner)
{
  DubEioServer *server = owner;

  g_hash_table_remove (server->sessions, dub_eio_session_get_id (session));
}

static DubEioSession *
add_session (DubEioServer *server, SoupServerMessage *message)
{
  DubEioSessionConfig config = {&server->options, server->handlers,
      server->user_data, server->context, on_gone, server};
  DubEioSession *session = dub_eio_session_new (&config, message);

  g_hash_table_insert (
      server->sessions, g_strdup (dub_eio_session_get_id (session)), session);
  return session;
}

static void
allow_origins (SoupServerMessage *message)
{
  soup_message_headers_replace (
      soup_server_message_get_response_headers (message),
      "Access-Control-Allow-Origin", "*");
}

static void
answer_preflight (SoupServerMessage *message)
{
  SoupMessageHeaders *headers =
      soup_server_message_get_response_headers (message);
  const char *asked = soup_message_headers_get_list (
      soup_server_message_get_request_headers (message),
      "Access-Control-Request-Headers");

  soup_message_headers_replace (
      headers, "Access-Control-Allow-Methods", "GET, POST, OPTIONS");
  soup_message_headers_replace (headers, "Access-Control-Allow-Headers",
      asked != NULL ? asked : "Content-Type");
  soup_message_headers_replace (headers, "Access-Control-Max-Age", "600");
  dub_eio_answer (message, SOUP_STATUS_NO_CONTENT, NULL, NULL);
}

/* Ours is the mounted path itself, not what lies below it. */
static gboolean
is_exact (SoupServerMessage *message, const char *path)
{
  const char *asked = g_uri_get_path (soup_server_message_get_uri (message));
  gsize length = strlen (path);

  return strncmp (asked, path, length) == 0 &&
         (asked[length] == '\0' || strcmp (asked + length, "/") == 0);
}

static void
handle_polling (
    DubEioServer *server, SoupServerMessage *message, const Request *request)
{
  SoupMessageBody *body = soup_server_message_get_request_body (message);
  g_autoptr (GBytes) bytes = NULL;

  if (request->session == NULL) {
    dub_eio_session_open_polling (add_session (server, message), message);
  } else if (soup_server_message_get_method (message) == SOUP_METHOD_GET) {
    dub_eio_session_poll (request->session, message);
  } else {
    bytes = soup_message_body_flatten (body);
    dub_eio_session_post (request->session, message, bytes);
  }
}

static void begin_upgrade (DubEioServer *server, SoupServerMessage *message);

static void
on_request (SoupServer *soup, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer user_data)
{
  DubEioServer *server = user_data;
  Request request;

  allow_origins (message);
  if (soup_server_message_get_method (message) == SOUP_METHOD_OPTIONS) {
    answer_preflight (message);
    return;
  }
  read_request (server, query, &request);
  if (!check (server, message, &request))
    return;
  if (request.is_polling)
    handle_polling (server, message, &request);
  else
    begin_upgrade (server, message);
}

/* Before the body comes: nothing is kept for those who are refused anyway. */
static void
on_request_early (SoupServer *soup, SoupServerMessage *message,
    const char *path, GHashTable *query, gpointer user_data)
{
  DubEioServer *server = user_data;
  SoupMessageHeaders *headers =
      soup_server_message_get_request_headers (message);
  Request request;

  if (soup_server_message_get_method (message) != SOUP_METHOD_POST)
    return;
  read_request (server, query, &request);
  if (!check (server, message, &request)) {
    refuse_body (message);
  } else if (soup_message_headers_get_content_length (headers) >
             (goffset) server->options.max_payload) {
    refuse_body (message);
    dub_eio_answer_error (
        message, SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE, "Payload too large");
  } else {
    g_signal_connect (message, "got-chunk", G_CALLBACK (on_chunk), server);
  }
  if (soup_server_message_get_status (message) != 0)
    allow_origins (message);
}

static void
on_any_early (SoupServer *soup, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer user_data)
{
  DubEioServer *server = user_data;

  for (guint i = 0; i < server->mounts->len; i++) {
    Mount *mount = g_ptr_array_index (server->mounts, i);

    if (mount->soup == soup && is_exact (message, mount->path)) {
      on_request_early (soup, message, path, query, server);
      return;
    }
  }
  refuse_body (message);
  dub_eio_answer_error (message, SOUP_STATUS_NOT_FOUND, "Not Found");
}

/* ------------------------------------------------------------- upgrades */

static void
forget_upgrade (DubEioServer *server, SoupServerMessage *message)
{
  g_signal_handlers_disconnect_by_data (message, server);
  g_hash_table_remove (server->upgrades, message);
}

/* The 101 has left: the connection is ours. Between the request and now the
 * session may have come to its end, or to another WebSocket. */
static void
start_websocket (DubEioServer *server, SoupServerMessage *message)
{
  const char *text = g_uri_get_query (soup_server_message_get_uri (message));
  g_autoptr (GHashTable) query = text != NULL ? soup_form_decode (text) : NULL;
  g_autoptr (GIOStream) stream = soup_server_message_steal_connection (message);
  Request request;

  read_request (server, query, &request);
  if (request.sid == NULL)
    dub_eio_session_open_websocket (add_session (server, message), stream);
  else if (request.session != NULL &&
           dub_eio_session_is_polling (request.session) &&
           !dub_eio_session_is_probing (request.session))
    dub_eio_session_probe (request.session, stream);
  else
    g_io_stream_close (stream, NULL, NULL);
}

static void
on_upgraded (SoupServerMessage *message, gpointer user_data)
{
  DubEioServer *server = user_data;
  g_autoptr (SoupServerMessage) kept = g_object_ref (message);

  forget_upgrade (server, kept);
  start_websocket (server, kept);
}

static void
on_upgrade_gone (SoupServerMessage *message, gpointer user_data)
{
  forget_upgrade (user_data, message);
}

static void
begin_upgrade (DubEioServer *server, SoupServerMessage *message)
{
  soup_websocket_server_process_handshake (message, NULL, NULL, NULL, NULL);
  g_hash_table_add (server->upgrades, g_object_ref (message));
  g_signal_connect (
      message, "wrote-informational", G_CALLBACK (on_upgraded), server);
  g_signal_connect (
      message, "disconnected", G_CALLBACK (on_upgrade_gone), server);
}

/* --------------------------------------------------------------- owner */

static void
mount_free (gpointer data)
{
  Mount *mount = data;

  soup_server_remove_handler (mount->soup, mount->path);
  g_object_unref (mount->soup);
  g_free (mount->path);
  g_free (mount);
}

void
dub_eio_options_init (DubEioOptions *options)
{
  *options = (DubEioOptions){
      .ping_interval_ms = 25000,
      .ping_timeout_ms = 10000,
      .max_payload = (16 << 20) + (64 << 10),
      .max_queued_bytes = 32 << 20,
  };
}

DubEioServer *
dub_eio_server_new (const DubEioOptions *options,
    const DubEioHandlers *handlers, gpointer user_data)
{
  DubEioServer *server = g_new0 (DubEioServer, 1);

  server->options = *options;
  server->handlers = handlers;
  server->user_data = user_data;
  server->context = g_main_context_ref_thread_default ();
  server->sessions = g_hash_table_new_full (
      g_str_hash, g_str_equal, g_free, (GDestroyNotify) dub_eio_session_unref);
  server->upgrades = g_hash_table_new_full (NULL, NULL, g_object_unref, NULL);
  server->mounts = g_ptr_array_new_with_free_func (mount_free);
  return server;
}

static void
end_upgrades (DubEioServer *server)
{
  GHashTableIter iter;
  gpointer message;

  g_hash_table_iter_init (&iter, server->upgrades);
  while (g_hash_table_iter_next (&iter, &message, NULL))
    g_signal_handlers_disconnect_by_data (message, server);
  g_hash_table_unref (server->upgrades);
}

static void
end_sessions (DubEioServer *server)
{
  GHashTableIter iter;
  gpointer session;

  for (;;) {
    g_hash_table_iter_init (&iter, server->sessions);
    if (!g_hash_table_iter_next (&iter, NULL, &session))
      return;
    dub_eio_session_end (session, "server shutting down");
  }
}

void
dub_eio_server_free (DubEioServer *server)
{
  if (server == NULL)
    return;
  g_ptr_array_unref (server->mounts);
  end_upgrades (server);
  end_sessions (server);
  g_hash_table_unref (server->sessions);
  g_main_context_unref (server->context);
  g_free (server);
}

void
dub_eio_server_attach (DubEioServer *server, SoupServer *soup, const char *path)
{
  Mount *mount = g_new (Mount, 1);
  gsize length = strlen (path);

  g_return_if_fail (path[0] == '/' && length > 1);
  if (path[length - 1] == '/')
    length--;
  mount->soup = g_object_ref (soup);
  mount->path = g_strndup (path, length);
  g_ptr_array_add (server->mounts, mount);
  soup_server_add_early_handler (soup, mount->path, on_any_early, server, NULL);
  soup_server_add_handler (soup, mount->path, on_request, server, NULL);
}

guint
dub_eio_server_get_n_sessions (DubEioServer *server)
{
  return g_hash_table_size (server->sessions);
}

GMainContext *
dub_eio_server_get_context (DubEioServer *server)
{
  return server->context;
}
