/* SPDX-License-Identifier: Apache-2.0 */
#include "poll_link.h"

#include <dubbing_common/error.h>
#include <dubbing_socketio/json.h>
#include <string.h>

/* Longer than any server holds a poll (25 s) before it pings. */
#define TIMEOUT_S 60
/* Of one POST: a known server takes no more than 1 MB. */
#define BODY_BYTES 500000
#define READ_BYTES 65536
#define MAX_SID 256

struct _DubPollLink {
  grefcount ref_count; /* the owner, each request */
  gboolean is_over;    /* closed, or let go: nothing is called any more */
  gboolean is_closing; /* only what is queued still leaves */
  char *url;           /* with the session's id once it is known */
  char **headers;
  gsize max_body;
  const DubPollHandlers *handlers;
  gpointer user_data;

  SoupSession *session;
  GCancellable *cancellable;
  gboolean has_session;
  GQueue frames; /* of DubEioFrame */
  gsize queued_bytes;
  gboolean is_posting;
};

typedef struct {
  DubPollLink *link;
  SoupMessage *message;
  GInputStream *stream;
  GByteArray *body;
  gboolean is_post;
} Request;

static void poll_again (DubPollLink *link);
static void post_queued (DubPollLink *link);

static DubPollLink *
link_ref (DubPollLink *link)
{
  g_ref_count_inc (&link->ref_count);
  return link;
}

static void
link_unref (DubPollLink *link)
{
  if (!g_ref_count_dec (&link->ref_count))
    return;
  g_queue_clear_full (&link->frames, (GDestroyNotify) dub_eio_frame_free);
  g_clear_object (&link->session);
  g_clear_object (&link->cancellable);
  g_strfreev (link->headers);
  g_free (link->url);
  g_free (link);
}

static void
request_free (Request *request)
{
  g_clear_object (&request->message);
  g_clear_object (&request->stream);
  g_byte_array_unref (request->body);
  link_unref (request->link);
  g_free (request);
}

/* error (transfer full) */
static void
end (DubPollLink *link, guint status, GError *error)
{
  g_autoptr (GError) owned = error;

  if (link->is_over)
    return;
  link->is_over = TRUE;
  g_cancellable_cancel (link->cancellable);
  link->handlers->on_closed (link, status, owned, link->user_data);
}

static void
end_with (DubPollLink *link, guint status, const char *why)
{
  end (link, status, g_error_new_literal (DUB_ERROR, DUB_ERROR_PROTOCOL, why));
}

/* --- what comes ---------------------------------------------------------- */

/* The first packet names the session; the rest of the talk bears its name. */
static gboolean
take_session (DubPollLink *link, const DubEioPacket *packet)
{
  gsize length;
  const char *text = g_bytes_get_data (packet->data, &length);
  g_autoptr (JsonNode) node = dub_sio_json_parse (text, length, NULL);
  const char *sid = NULL;
  g_autofree char *escaped = NULL;
  char *url;

  if (packet->type == DUB_EIO_OPEN && node && JSON_NODE_HOLDS_OBJECT (node))
    sid = json_object_get_string_member_with_default (
        json_node_get_object (node), "sid", NULL);
  if (!sid || !*sid || strlen (sid) > MAX_SID)
    return FALSE;
  escaped = g_uri_escape_string (sid, NULL, FALSE);
  url = g_strconcat (link->url, "&sid=", escaped, NULL);
  g_free (link->url);
  link->url = url;
  link->has_session = TRUE;
  return TRUE;
}

static void
take_packets (DubPollLink *link, GByteArray *body)
{
  g_autoptr (GBytes) bytes = g_bytes_new (body->data, body->len);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) packets = dub_eio_payload_decode (bytes, &error);

  if (!packets) {
    end (link, 0, g_steal_pointer (&error));
    return;
  }
  for (guint i = 0; i < packets->len && !link->is_over; i++) {
    const DubEioPacket *packet = g_ptr_array_index (packets, i);

    if (!link->has_session && !take_session (link, packet)) {
      end_with (link, 0, "no valid Engine.IO handshake");
      return;
    }
    link->handlers->on_packet (link, packet, link->user_data);
  }
  if (!link->is_over)
    poll_again (link);
}

/* --- requests ------------------------------------------------------------ */

static void
on_answered (Request *request)
{
  DubPollLink *link = request->link;

  if (!request->is_post) {
    if (!link->is_over)
      take_packets (link, request->body);
  } else {
    link->is_posting = FALSE;
    if (!link->is_over || link->is_closing)
      post_queued (link);
  }
  request_free (request);
}

static void
fail (Request *request, guint status, GError *error)
{
  if (request->is_post)
    request->link->is_posting = FALSE;
  end (request->link, status, error);
  request_free (request);
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Request *request = user_data;
  DubPollLink *link = request->link;
  GError *error = NULL;
  g_autoptr (GBytes) bytes = g_input_stream_read_bytes_finish (
      G_INPUT_STREAM (source), result, &error);
  gsize size;
  const guint8 *data;

  if (!bytes) {
    fail (request, 0, error);
    return;
  }
  data = g_bytes_get_data (bytes, &size);
  if (size == 0) {
    on_answered (request);
    return;
  }
  if (size > link->max_body - request->body->len) {
    fail (request, 0,
        g_error_new_literal (
            DUB_ERROR, DUB_ERROR_LIMIT, "an answer is too large"));
    return;
  }
  g_byte_array_append (request->body, data, (guint) size);
  g_input_stream_read_bytes_async (request->stream, READ_BYTES,
      G_PRIORITY_DEFAULT, link->cancellable, on_read, request);
}

static void
on_sent (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Request *request = user_data;
  GError *error = NULL;
  guint status;

  request->stream =
      soup_session_send_finish (SOUP_SESSION (source), result, &error);
  if (!request->stream) {
    fail (request, 0, error);
    return;
  }
  status = soup_message_get_status (request->message);
  if (status != SOUP_STATUS_OK) {
    fail (request, status,
        g_error_new (DUB_ERROR, DUB_ERROR_PROTOCOL, "HTTP %u", status));
    return;
  }
  g_input_stream_read_bytes_async (request->stream, READ_BYTES,
      G_PRIORITY_DEFAULT, request->link->cancellable, on_read, request);
}

/* body: (nullable) makes it a POST */
static void
start_request (DubPollLink *link, GBytes *body)
{
  Request *request = g_new0 (Request, 1);
  SoupMessageHeaders *headers;

  request->link = link_ref (link);
  request->message = soup_message_new (body ? "POST" : "GET", link->url);
  request->body = g_byte_array_new ();
  request->is_post = body != NULL;
  headers = soup_message_get_request_headers (request->message);
  for (guint i = 0; link->headers[i]; i += 2)
    soup_message_headers_append (
        headers, link->headers[i], link->headers[i + 1]);
  soup_message_set_flags (request->message, SOUP_MESSAGE_NO_REDIRECT);
  if (body)
    soup_message_set_request_body_from_bytes (
        request->message, "text/plain;charset=UTF-8", body);
  soup_session_send_async (link->session, request->message, G_PRIORITY_DEFAULT,
      link->is_closing ? NULL : link->cancellable, on_sent, request);
}

static void
poll_again (DubPollLink *link)
{
  start_request (link, NULL);
}

static void
post_queued (DubPollLink *link)
{
  g_autoptr (GBytes) body = NULL;

  if (link->is_posting || !link->has_session ||
      g_queue_is_empty (&link->frames))
    return;
  body = dub_eio_payload_encode (&link->frames, BODY_BYTES);
  link->queued_bytes = 0;
  for (GList *item = link->frames.head; item; item = item->next)
    link->queued_bytes += dub_eio_frame_get_size (item->data);
  link->is_posting = TRUE;
  start_request (link, body);
}

/* --- life ---------------------------------------------------------------- */

static char *
make_url (GUri *uri)
{
  gboolean is_secure = g_str_equal (g_uri_get_scheme (uri), "wss");
  g_autoptr (GUri) http =
      g_uri_build (SOUP_HTTP_URI_FLAGS, is_secure ? "https" : "http", NULL,
          g_uri_get_host (uri), g_uri_get_port (uri), g_uri_get_path (uri),
          "EIO=4&transport=polling", NULL);

  return g_uri_to_string (http);
}

DubPollLink *
dub_poll_link_new (const DubPollConfig *config)
{
  DubPollLink *link = g_new0 (DubPollLink, 1);

  g_ref_count_init (&link->ref_count);
  link->url = make_url (config->uri);
  link->headers = g_strdupv ((char **) config->headers);
  link->max_body = config->max_body;
  link->handlers = config->handlers;
  link->user_data = config->user_data;
  link->session = soup_session_new ();
  soup_session_set_timeout (link->session, TIMEOUT_S);
  link->cancellable = g_cancellable_new ();
  g_queue_init (&link->frames);
  poll_again (link);
  return link;
}

void
dub_poll_link_free (DubPollLink *link)
{
  if (!link)
    return;
  link->is_over = TRUE;
  g_cancellable_cancel (link->cancellable);
  link_unref (link);
}

void
dub_poll_link_close (DubPollLink *link)
{
  link->is_over = link->is_closing = TRUE;
  g_queue_push_tail (&link->frames, dub_eio_frame_new_text ("1"));
  post_queued (link);
  link_unref (link);
}

void
dub_poll_link_send (DubPollLink *link, const DubEioFrame *frame)
{
  if (link->is_over)
    return;
  g_queue_push_tail (
      &link->frames, dub_eio_frame_new (frame->is_binary, frame->bytes));
  link->queued_bytes += dub_eio_frame_get_size (frame);
  post_queued (link);
}

gsize
dub_poll_link_get_queued_bytes (DubPollLink *link)
{
  return link->queued_bytes;
}
