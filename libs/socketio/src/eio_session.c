/* SPDX-License-Identifier: Apache-2.0 */
#include "eio_session.h"

#include "ws_link.h"
#include <dubbing_socketio/json.h>

#include <dubbing_common/error.h>
#include <string.h>

#define TEXT_TYPE "text/plain; charset=UTF-8"
#define PROBE_TIMEOUT_MS 10000
#define LITTLE_US (20 * G_TIME_SPAN_MILLISECOND)
#define TIMER_ERROR_US (2 * G_TIME_SPAN_MILLISECOND)

struct _DubEioSession {
  grefcount ref_count;
  DubEioSessionConfig config;
  char *id;
  SoupMessageHeaders *headers;
  gpointer data;

  GQueue frames; /* of DubEioFrame: waiting for a GET */
  gsize queued_bytes;
  SoupServerMessage *poll; /* the GET that waits */
  DubWsLink *ws;           /* NULL while polling */
  DubWsLink *probe;        /* a WebSocket that has not taken over yet */
  gboolean is_upgrading;   /* the probe was answered */
  GSource *probe_timer;

  GSource *timer;
  gint64 deadline_us;
  gboolean awaits_pong;

  gboolean is_closing; /* the close packet waits for its GET */
  gboolean is_closed;
  gboolean is_cut; /* too slow; the timer ends it */
  char *reason;    /* of both; else NULL */
};

static void finish (DubEioSession *session, const char *reason);

/* ------------------------------------------------------------ answers */

void
dub_eio_answer (
    SoupServerMessage *message, guint status, const char *type, GBytes *body)
{
  SoupMessageBody *response = soup_server_message_get_response_body (message);

  soup_server_message_set_status (message, status, NULL);
  if (body == NULL)
    return;
  soup_message_headers_replace (
      soup_server_message_get_response_headers (message), "Content-Type", type);
  soup_message_body_append_bytes (response, body);
}

void
dub_eio_answer_error (
    SoupServerMessage *message, guint status, const char *text)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_VALUE);
  GString *json = g_string_new (NULL);
  g_autoptr (GBytes) body = NULL;

  json_node_set_string (node, text);
  dub_sio_json_write (node, json);
  body = g_string_free_to_bytes (json);
  dub_eio_answer (message, status, "application/json", body);
}

static void
answer_text (SoupServerMessage *message, const char *text)
{
  g_autoptr (GBytes) body = g_bytes_new (text, strlen (text));

  dub_eio_answer (message, SOUP_STATUS_OK, TEXT_TYPE, body);
}

/* ---------------------------------------------------------- heartbeat */

static gboolean on_timer (gpointer user_data);

static void
clear_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static GSource *
start_timer (DubEioSession *session, guint delay_ms, GSourceFunc func)
{
  GSource *timer = g_timeout_source_new (delay_ms);

  g_source_set_callback (timer, func, session, NULL);
  g_source_attach (timer, session->config.context);
  return timer;
}

static void
set_timer_from (DubEioSession *session, gint64 from_us, guint delay_ms)
{
  clear_source (&session->timer);
  session->deadline_us = from_us + (gint64) delay_ms * G_TIME_SPAN_MILLISECOND;
  session->timer = start_timer (session, delay_ms, on_timer);
}

static void
set_timer (DubEioSession *session, guint delay_ms)
{
  set_timer_from (session, g_get_monotonic_time (), delay_ms);
}

static void
expect_ping_time (DubEioSession *session)
{
  session->awaits_pong = FALSE;
  set_timer (session, session->config.options->ping_interval_ms);
}

/* A ping that left a little late does not give the client more time; one that
 * left much later, since we were busy, does. */
static void
send_ping (DubEioSession *session)
{
  gint64 now_us = g_get_monotonic_time ();
  gint64 due_us = session->deadline_us;

  session->awaits_pong = TRUE;
  set_timer_from (session, now_us - due_us < LITTLE_US ? due_us : now_us,
      session->config.options->ping_timeout_ms);
  dub_eio_session_send (session, dub_eio_frame_new_text ("2"));
}

static gboolean
on_timer (gpointer user_data)
{
  g_autoptr (DubEioSession) session = dub_eio_session_ref (user_data);

  if (session->reason != NULL) {
    finish (session, session->reason);
  } else if (session->awaits_pong) {
    finish (session, "ping timeout");
  } else {
    send_ping (session);
  }
  return G_SOURCE_REMOVE;
}

gboolean
dub_eio_session_check (DubEioSession *session)
{
  gint64 end_us = session->deadline_us;

  if (session->is_closed)
    return FALSE;
  if (!session->awaits_pong && session->reason == NULL)
    end_us += (gint64) session->config.options->ping_timeout_ms *
              G_TIME_SPAN_MILLISECOND;
  /* The client's own timer may round down. */
  if (g_get_monotonic_time () + TIMER_ERROR_US < end_us)
    return TRUE;
  finish (session, session->reason != NULL ? session->reason : "ping timeout");
  return FALSE;
}

/* ------------------------------------------------------ life and death */

static char *
make_id (void)
{
  g_autofree char *uuid = g_uuid_string_random ();
  GString *id = g_string_sized_new (32);

  for (const char *c = uuid; *c != '\0'; c++)
    if (*c != '-')
      g_string_append_c (id, *c);
  return g_string_free (id, FALSE);
}

DubEioSession *
dub_eio_session_new (
    const DubEioSessionConfig *config, SoupServerMessage *request)
{
  DubEioSession *session = g_new0 (DubEioSession, 1);

  g_ref_count_init (&session->ref_count);
  session->config = *config;
  session->id = make_id ();
  session->headers = soup_message_headers_ref (
      soup_server_message_get_request_headers (request));
  g_queue_init (&session->frames);
  return session;
}

DubEioSession *
dub_eio_session_ref (DubEioSession *session)
{
  g_ref_count_inc (&session->ref_count);
  return session;
}

void
dub_eio_session_unref (DubEioSession *session)
{
  if (session == NULL || !g_ref_count_dec (&session->ref_count))
    return;
  g_assert (session->poll == NULL);
  g_assert (session->timer == NULL && session->probe_timer == NULL);
  g_assert (session->ws == NULL && session->probe == NULL);
  soup_message_headers_unref (session->headers);
  g_queue_clear_full (&session->frames, (GDestroyNotify) dub_eio_frame_free);
  g_free (session->reason);
  g_free (session->id);
  g_free (session);
}

const char *
dub_eio_session_get_id (DubEioSession *session)
{
  return session->id;
}

const char *
dub_eio_session_get_header (DubEioSession *session, const char *name)
{
  return soup_message_headers_get_one (session->headers, name);
}

gsize
dub_eio_session_get_queued_bytes (DubEioSession *session)
{
  if (session->ws != NULL)
    return dub_ws_link_get_queued_bytes (session->ws);
  return session->queued_bytes;
}

gboolean
dub_eio_session_is_polling (DubEioSession *session)
{
  return session->ws == NULL && !session->is_closed;
}

gboolean
dub_eio_session_is_probing (DubEioSession *session)
{
  return session->probe != NULL;
}

void
dub_eio_session_set_data (DubEioSession *session, gpointer data)
{
  session->data = data;
}

gpointer
dub_eio_session_get_data (DubEioSession *session)
{
  return session->data;
}

/* The GET that waits, no longer watched. (transfer full) (nullable) */
static SoupServerMessage *
take_poll (DubEioSession *session)
{
  if (session->poll == NULL)
    return NULL;
  g_signal_handlers_disconnect_by_data (session->poll, session);
  return g_steal_pointer (&session->poll);
}

static void
release_poll (DubEioSession *session, const char *packet)
{
  g_autoptr (SoupServerMessage) poll = take_poll (session);

  if (poll == NULL)
    return;
  answer_text (poll, packet);
  soup_server_message_unpause (poll);
}

static void
finish_with (DubEioSession *session, const char *packet, const char *reason)
{
  if (session->is_closed)
    return;
  dub_eio_session_ref (session);
  session->is_closed = TRUE;
  clear_source (&session->timer);
  clear_source (&session->probe_timer);
  release_poll (session, packet);
  if (session->is_cut)
    g_clear_pointer (&session->ws, dub_ws_link_free);
  if (session->ws != NULL)
    dub_ws_link_close (g_steal_pointer (&session->ws), DUB_WS_CLOSE_NORMAL);
  if (session->probe != NULL)
    dub_ws_link_close (g_steal_pointer (&session->probe), DUB_WS_CLOSE_NORMAL);
  session->config.handlers->on_close (
      session, reason, session->config.user_data);
  session->config.on_gone (session, session->config.owner);
  dub_eio_session_unref (session);
}

static void
finish (DubEioSession *session, const char *reason)
{
  finish_with (session, "1", reason);
}

void
dub_eio_session_end (DubEioSession *session, const char *reason)
{
  finish (session, reason);
}

/* -------------------------------------------------------------- sending */

static void
answer_frames (DubEioSession *session, SoupServerMessage *message)
{
  g_autoptr (GBytes) body = dub_eio_payload_encode (
      &session->frames, session->config.options->max_payload);

  session->queued_bytes = 0;
  for (GList *l = session->frames.head; l != NULL; l = l->next)
    session->queued_bytes += dub_eio_frame_get_size (l->data);
  dub_eio_answer (message, SOUP_STATUS_OK, TEXT_TYPE, body);
}

static void
flush_to_poll (DubEioSession *session)
{
  g_autoptr (SoupServerMessage) poll = take_poll (session);

  answer_frames (session, poll);
  soup_server_message_unpause (poll);
}

static void
flush_to_ws (DubEioSession *session)
{
  DubEioFrame *frame;

  while ((frame = g_queue_pop_head (&session->frames)) != NULL) {
    dub_ws_link_send (session->ws, frame);
    dub_eio_frame_free (frame);
  }
  session->queued_bytes = 0;
}

/* Not from here: the caller may stand in the middle of its own work. */
static void
cut_soon (DubEioSession *session)
{
  if (session->is_cut)
    return;
  session->is_cut = TRUE;
  g_free (session->reason);
  session->reason = g_strdup ("transport error");
  set_timer (session, 0);
}

void
dub_eio_session_send (DubEioSession *session, DubEioFrame *frame)
{
  g_autoptr (DubEioFrame) owned = frame;

  if (session->is_closed || session->is_closing || session->is_cut)
    return;
  if (session->ws != NULL) {
    dub_ws_link_send (session->ws, owned);
  } else {
    session->queued_bytes += dub_eio_frame_get_size (owned);
    g_queue_push_tail (&session->frames, g_steal_pointer (&owned));
    if (session->poll != NULL)
      flush_to_poll (session);
  }
  if (dub_eio_session_get_queued_bytes (session) >
      session->config.options->max_queued_bytes)
    cut_soon (session);
}

void
dub_eio_session_close (DubEioSession *session, const char *reason)
{
  if (session->is_closed || session->is_closing)
    return;
  if (session->ws != NULL || session->poll != NULL ||
      g_queue_is_empty (&session->frames)) {
    finish (session, reason);
    return;
  }
  /* The client has yet to come for what waits, but not for ever. */
  g_queue_push_tail (&session->frames, dub_eio_frame_new_text ("1"));
  session->is_closing = TRUE;
  session->reason = g_strdup (reason);
  set_timer (session, session->config.options->ping_timeout_ms);
}

/* ------------------------------------------------------------ receiving */

static void
on_packet (DubEioSession *session, const DubEioPacket *packet)
{
  switch (packet->type) {
    case DUB_EIO_MESSAGE:
      if (!session->is_closing)
        session->config.handlers->on_message (
            session, packet, session->config.user_data);
      break;
    case DUB_EIO_PONG:
      if (!session->is_closing && !session->is_cut)
        expect_ping_time (session);
      break;
    case DUB_EIO_CLOSE:
      finish_with (session, "6", "transport close");
      break;
    case DUB_EIO_UPGRADE:
    case DUB_EIO_NOOP:
      break;
    case DUB_EIO_OPEN:
    case DUB_EIO_PING: /* in this revision only the server pings */
    default:
      finish (session, "parse error");
      break;
  }
}

static void
on_ws_frame (
    DubWsLink *link, gboolean is_binary, GBytes *bytes, gpointer user_data)
{
  g_autoptr (DubEioSession) session = dub_eio_session_ref (user_data);
  g_autoptr (DubEioPacket) packet =
      dub_eio_packet_decode (is_binary, bytes, NULL);

  if (packet == NULL)
    finish (session, "parse error");
  else
    on_packet (session, packet);
}

static void
on_ws_closed (DubWsLink *link, gpointer user_data)
{
  DubEioSession *session = user_data;

  finish (session, "transport close");
}

static const DubWsHandlers ws_handlers = {on_ws_frame, on_ws_closed};

static DubWsLink *
make_link (
    DubEioSession *session, GIOStream *stream, const DubWsHandlers *handlers)
{
  DubWsConfig config = {
      FALSE, session->config.options->max_payload, handlers, session};

  return dub_ws_link_new (stream, &config, NULL);
}

static char *
make_open_packet (DubEioSession *session, const char *upgrades)
{
  const DubEioOptions *options = session->config.options;

  return g_strdup_printf ("0{\"sid\":\"%s\",\"upgrades\":[%s],"
                          "\"pingInterval\":%u,\"pingTimeout\":%u,"
                          "\"maxPayload\":%" G_GSIZE_FORMAT "}",
      session->id, upgrades, options->ping_interval_ms,
      options->ping_timeout_ms, options->max_payload);
}

void
dub_eio_session_open_polling (
    DubEioSession *session, SoupServerMessage *message)
{
  g_autofree char *open = make_open_packet (session, "\"websocket\"");

  answer_text (message, open);
  expect_ping_time (session);
  session->config.handlers->on_open (session, session->config.user_data);
}

void
dub_eio_session_open_websocket (DubEioSession *session, GIOStream *stream)
{
  g_autofree char *open = make_open_packet (session, "");

  session->ws = make_link (session, stream, &ws_handlers);
  expect_ping_time (session);
  dub_eio_session_send (session, dub_eio_frame_new_text (open));
  session->config.handlers->on_open (session, session->config.user_data);
}

/* -------------------------------------------------------------- polling */

static void
on_poll_gone (SoupServerMessage *message, gpointer user_data)
{
  SoupServerMessage *poll = take_poll (user_data);

  g_object_unref (poll);
}

static void
hold_poll (DubEioSession *session, SoupServerMessage *message)
{
  session->poll = g_object_ref (message);
  g_signal_connect (
      message, "disconnected", G_CALLBACK (on_poll_gone), session);
  /* Without a status soup calls it an error. */
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_server_message_pause (message);
}

void
dub_eio_session_poll (DubEioSession *session, SoupServerMessage *message)
{
  g_autoptr (DubEioSession) kept G_GNUC_UNUSED = dub_eio_session_ref (session);

  if (session->poll != NULL) {
    dub_eio_answer_error (
        message, SOUP_STATUS_BAD_REQUEST, "A poll request is already pending");
    finish (session, "transport error");
    return;
  }
  if (!g_queue_is_empty (&session->frames)) {
    answer_frames (session, message);
    if (session->is_closing && g_queue_is_empty (&session->frames))
      finish (session, session->reason);
  } else if (session->is_upgrading) {
    answer_text (message, "6");
  } else {
    hold_poll (session, message);
  }
}

void
dub_eio_session_post (
    DubEioSession *session, SoupServerMessage *message, GBytes *body)
{
  g_autoptr (DubEioSession) kept G_GNUC_UNUSED = dub_eio_session_ref (session);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) packets = dub_eio_payload_decode (body, &error);

  if (packets == NULL) {
    dub_eio_answer_error (message, SOUP_STATUS_BAD_REQUEST, error->message);
    finish (session, "parse error");
    return;
  }
  answer_text (message, "ok");
  for (guint i = 0; i < packets->len && !session->is_closed; i++)
    on_packet (session, g_ptr_array_index (packets, i));
}

/* -------------------------------------------------------------- upgrade */

static void
drop_probe (DubEioSession *session)
{
  session->is_upgrading = FALSE;
  clear_source (&session->probe_timer);
  dub_ws_link_close (g_steal_pointer (&session->probe), DUB_WS_CLOSE_PROTOCOL);
}

static void
take_over (DubEioSession *session)
{
  DubWsLink *link = g_steal_pointer (&session->probe);

  session->is_upgrading = FALSE;
  clear_source (&session->probe_timer);
  release_poll (session, "6");
  session->ws = link;
  flush_to_ws (session);
  if (session->is_closing)
    finish (session, session->reason);
}

static void
on_probe_packet (DubEioSession *session, const DubEioPacket *packet)
{
  g_autoptr (DubEioFrame) pong = NULL;
  gsize length;
  const char *data = g_bytes_get_data (packet->data, &length);

  if (packet->type == DUB_EIO_PING && length == 5 &&
      memcmp (data, "probe", 5) == 0) {
    pong = dub_eio_frame_new_text ("3probe");
    dub_ws_link_send (session->probe, pong);
    session->is_upgrading = TRUE;
    release_poll (session, "6");
  } else if (packet->type == DUB_EIO_UPGRADE && session->is_upgrading) {
    take_over (session);
  } else {
    drop_probe (session);
  }
}

static void
on_probe_frame (
    DubWsLink *link, gboolean is_binary, GBytes *bytes, gpointer user_data)
{
  g_autoptr (DubEioSession) session = dub_eio_session_ref (user_data);
  g_autoptr (DubEioPacket) packet = NULL;

  if (session->ws == link) {
    on_ws_frame (link, is_binary, bytes, session);
    return;
  }
  packet = dub_eio_packet_decode (is_binary, bytes, NULL);
  if (packet == NULL)
    drop_probe (session);
  else
    on_probe_packet (session, packet);
}

static void
on_probe_closed (DubWsLink *link, gpointer user_data)
{
  DubEioSession *session = user_data;

  if (session->ws == link)
    on_ws_closed (link, session);
  else
    drop_probe (session);
}

/* While a probe is open each GET is answered at once: not for ever. */
static gboolean
on_probe_timeout (gpointer user_data)
{
  drop_probe (user_data);
  return G_SOURCE_REMOVE;
}

static const DubWsHandlers probe_handlers = {on_probe_frame, on_probe_closed};

void
dub_eio_session_probe (DubEioSession *session, GIOStream *stream)
{
  g_assert (session->probe == NULL);
  session->probe = make_link (session, stream, &probe_handlers);
  session->probe_timer =
      start_timer (session, PROBE_TIMEOUT_MS, on_probe_timeout);
}
