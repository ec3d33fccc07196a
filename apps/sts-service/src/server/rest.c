/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "sts.rest"

#include "rest.h"

#include "problem.h"

#include <dubbing_common/log.h>
#include <dubbing_contracts/events.h>
#include <dubbing_contracts/wire_error.h>
#include <dubbing_socketio/json.h>
#include <string.h>

#define STREAM "rest"

struct _DubRest {
  DubRestSettings settings;
  SoupServer *soup;
  DubProcessor *processor;
  DubMetrics *metrics;
  DubMetric *requests_total; /* status */
  GHashTable *requests;      /* set of Request */
};

/* One POST: it has a session to itself. A job in the processor holds a
 * reference, since its result may come when the client has gone. */
typedef struct {
  grefcount ref_count;
  DubRest *rest;              /* NULL once that is gone */
  SoupServerMessage *message; /* NULL once it is answered or lost */
  DubSession *session;        /* NULL likewise */
  gulong disconnected;
  gpointer job;          /* its Ticket while it is in the processor */
  DubResult *result;     /* not owned: while the session takes it */
  DubSioMessage *answer; /* what the session said */
} Request;

typedef struct {
  Request *request;
  guint64 ticket;
} Ticket;

/* ---- a request's end ------------------------------------------------ */

static void
request_unref (Request *request)
{
  if (!g_ref_count_dec (&request->ref_count))
    return;
  g_clear_pointer (&request->session, dub_session_free);
  g_clear_pointer (&request->answer, dub_sio_message_unref);
  g_free (request);
}

/* From now on nobody waits for it. */
static void
request_close (Request *request)
{
  SoupServerMessage *message = g_steal_pointer (&request->message);

  if (message == NULL)
    return;
  g_signal_handler_disconnect (message, request->disconnected);
  g_object_unref (message);
  g_clear_pointer (&request->session, dub_session_free);
  if (request->rest != NULL)
    g_hash_table_remove (request->rest->requests, request);
}

static void
on_disconnected (SoupServerMessage *message, gpointer user_data)
{
  request_close (user_data);
}

static void
count (Request *request)
{
  g_autofree char *status =
      g_strdup_printf ("%u", soup_server_message_get_status (request->message));
  const char *const values[] = {status, NULL};

  dub_metric_add (request->rest->requests_total, values, 1);
}

static void
send_off (Request *request)
{
  g_autoptr (SoupServerMessage) message = g_object_ref (request->message);

  count (request);
  request_close (request);
  soup_server_message_unpause (message);
}

static void
add_engines (JsonObject *object, const DubResult *result)
{
  JsonObject *engines = json_object_new ();

  if (result->asr_engine != NULL)
    json_object_set_string_member (engines, "asr", result->asr_engine);
  if (result->translation_engine != NULL)
    json_object_set_string_member (
        engines, "translation", result->translation_engine);
  if (result->tts_engine != NULL)
    json_object_set_string_member (engines, "tts", result->tts_engine);
  json_object_set_object_member (object, "engines", engines);
}

/* What the session has said, if it has. */
static void
finish_if_answered (Request *request)
{
  g_autoptr (DubSioMessage) said = g_steal_pointer (&request->answer);
  g_autoptr (DubWireError) error = NULL;
  JsonNode *node = NULL;
  JsonObject *object = NULL;

  if (said == NULL || request->message == NULL)
    return;
  node = dub_sio_message_get_arg (said, 0);
  object = json_node_get_object (node);
  if (g_strcmp0 (dub_sio_message_get_event (said), DUB_EVENT_ERROR) == 0)
    error = dub_wire_error_from_json (node, NULL);
  else if (json_object_has_member (object, "error"))
    error = dub_wire_error_from_json (
        json_object_get_member (object, "error"), NULL);
  if (error != NULL) {
    dub_answer_wire_error (request->message, error);
  } else {
    if (request->result != NULL)
      add_engines (object, request->result);
    dub_answer_json (request->message, SOUP_STATUS_OK, DUB_JSON_TYPE,
        json_object_ref (object));
  }
  send_off (request);
}

/* ---- what the session asks for -------------------------------------- */

static void
on_emit (DubSioMessage *message, gpointer user_data)
{
  Request *request = user_data;
  const char *event = dub_sio_message_get_event (message);

  if (request->answer == NULL &&
      (g_strcmp0 (event, DUB_EVENT_ERROR) == 0 ||
          g_strcmp0 (event, DUB_EVENT_FRAGMENT_PROCESSED) == 0))
    request->answer = message;
  else
    dub_sio_message_unref (message);
}

static void
on_done (DubResult *result, gpointer user_data)
{
  g_autofree Ticket *ticket = user_data;
  Request *request = ticket->request;

  request->job = NULL;
  if (request->session != NULL) {
    /* The session frees it; its engines are wanted after that. */
    DubResult names = {.asr_engine = g_strdup (result->asr_engine),
        .translation_engine = g_strdup (result->translation_engine),
        .tts_engine = g_strdup (result->tts_engine)};

    request->result = &names;
    dub_session_finish (request->session, ticket->ticket, result,
        g_get_monotonic_time () * 1000);
    finish_if_answered (request);
    request->result = NULL;
    g_free (names.asr_engine);
    g_free (names.translation_engine);
    g_free (names.tts_engine);
  } else {
    dub_result_free (result);
  }
  request_unref (request);
}

static void
on_submit (DubJob *job, guint64 number, gpointer user_data)
{
  Request *request = user_data;
  Ticket *ticket = g_new (Ticket, 1);
  DubProcessor *processor = request->rest->processor;

  *ticket = (Ticket){request, number};
  g_ref_count_inc (&request->ref_count);
  request->job = ticket;
  processor->submit (processor, job, on_done, ticket);
}

static void
on_forget (guint64 number, gpointer user_data)
{
  Request *request = user_data;
  DubProcessor *processor =
      request->rest != NULL ? request->rest->processor : NULL;

  if (request->job != NULL && processor != NULL && processor->cancel != NULL)
    processor->cancel (processor, request->job);
}

static gboolean
on_check (const char *source_language, const char *target_language,
    const char *voice_profile, gpointer user_data, GError **error)
{
  DubProcessor *processor = ((Request *) user_data)->rest->processor;

  return processor->check (
      processor, source_language, target_language, voice_profile, error);
}

static void
on_close (gpointer user_data)
{
}

static gint64
on_unix_ms (gpointer user_data)
{
  return g_get_real_time () / 1000;
}

static const DubSessionOps session_ops = {.emit = on_emit,
    .submit = on_submit,
    .check = on_check,
    .close = on_close,
    .unix_ms = on_unix_ms,
    .forget = on_forget};

/* ---- in ------------------------------------------------------------- */

/* object (transfer full) */
static void
tell_session (Request *request, const char *event, JsonObject *object)
{
  g_autoptr (DubSioMessage) message = dub_sio_message_new (event);
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, object);
  dub_sio_message_add_arg (message, node);
  dub_session_receive (
      request->session, message, g_get_monotonic_time () * 1000);
}

static void
copy_member (JsonObject *from, const char *name, JsonObject *to)
{
  JsonNode *node = json_object_get_member (from, name);

  if (node != NULL)
    json_object_set_member (to, name, json_node_copy (node));
}

/* (transfer full) */
static JsonObject *
init_of (JsonObject *body)
{
  static const char *const members[] = {"source_language", "target_language",
      "voice_profile", "sample_rate_hz", "channels", "domain_hints", NULL};
  JsonObject *init = json_object_new ();
  JsonObject *config = json_object_new ();

  for (guint i = 0; members[i] != NULL; i++)
    copy_member (body, members[i], config);
  json_object_set_string_member (init, "stream_id", STREAM);
  json_object_set_string_member (init, "worker_id", STREAM);
  copy_member (body, "timeout_ms", init);
  json_object_set_object_member (init, "config", config);
  return init;
}

/* (transfer full) */
static JsonObject *
fragment_of (JsonObject *body)
{
  g_autofree char *id = g_uuid_string_random ();
  JsonObject *fragment = json_object_new ();

  json_object_set_string_member (fragment, "fragment_id", id);
  json_object_set_string_member (fragment, "stream_id", STREAM);
  json_object_set_int_member (fragment, "sequence_number", 0);
  json_object_set_int_member (fragment, "timestamp", g_get_real_time () / 1000);
  copy_member (body, "audio", fragment);
  copy_member (body, "metadata", fragment);
  return fragment;
}

static void
begin (DubRest *self, SoupServerMessage *message, JsonObject *body)
{
  Request *request = g_new0 (Request, 1);

  g_ref_count_init (&request->ref_count);
  request->rest = self;
  request->message = g_object_ref (message);
  request->session = dub_session_new (
      self->settings.session, &session_ops, request, STREAM, STREAM);
  request->disconnected = g_signal_connect (
      message, "disconnected", G_CALLBACK (on_disconnected), request);
  g_hash_table_add (self->requests, request);
  soup_server_message_pause (message);
  g_ref_count_inc (&request->ref_count);
  tell_session (request, DUB_EVENT_STREAM_INIT, init_of (body));
  if (request->answer == NULL)
    tell_session (request, DUB_EVENT_FRAGMENT_DATA, fragment_of (body));
  finish_if_answered (request);
  request_unref (request);
}

static void
on_request (SoupServer *soup, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer user_data)
{
  DubRest *self = user_data;
  SoupMessageBody *body = soup_server_message_get_request_body (message);
  g_autoptr (GBytes) bytes = soup_message_body_flatten (body);
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GError) error = NULL;

  node = dub_sio_json_parse (
      g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), &error);
  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node)) {
    dub_answer_problem (message,
        &(DubProblem){SOUP_STATUS_BAD_REQUEST, DUB_CODE_MALFORMED_DATA, NULL,
            error != NULL ? error->message : "the body is no JSON object",
            FALSE});
    return;
  }
  begin (self, message, json_node_get_object (node));
}

/* ---- before the body ------------------------------------------------ */

static gboolean
has_json (SoupMessageHeaders *headers)
{
  return g_strcmp0 (soup_message_headers_get_content_type (headers, NULL),
             DUB_JSON_TYPE) == 0;
}

/* status 0: nothing is wrong. */
static DubProblem
look_at (DubRest *self, SoupServerMessage *message, const char *path)
{
  SoupMessageHeaders *headers =
      soup_server_message_get_request_headers (message);

  if (!self->settings.is_authorised (
          soup_message_headers_get_one (headers, "Authorization"),
          self->settings.user_data))
    return (DubProblem){SOUP_STATUS_UNAUTHORIZED, DUB_CODE_AUTH_FAILED, NULL,
        "send the key as \"Authorization: Bearer ...\"", FALSE};
  if (!g_str_equal (path, DUB_REST_PATH))
    return (DubProblem){SOUP_STATUS_NOT_FOUND, DUB_CODE_MALFORMED_DATA, NULL,
        "there is only " DUB_REST_PATH, FALSE};
  if (soup_server_message_get_method (message) != SOUP_METHOD_POST)
    return (DubProblem){SOUP_STATUS_METHOD_NOT_ALLOWED, DUB_CODE_MALFORMED_DATA,
        NULL, "only POST is understood here", FALSE};
  if (!has_json (headers))
    return (DubProblem){SOUP_STATUS_UNSUPPORTED_MEDIA_TYPE,
        DUB_CODE_MALFORMED_DATA, NULL, "the body must be application/json",
        FALSE};
  if (soup_message_headers_get_encoding (headers) !=
      SOUP_ENCODING_CONTENT_LENGTH)
    return (DubProblem){SOUP_STATUS_LENGTH_REQUIRED, DUB_CODE_MALFORMED_DATA,
        NULL, "Content-Length is missing", FALSE};
  if (soup_message_headers_get_content_length (headers) >
      (goffset) self->settings.max_body_bytes)
    return (DubProblem){SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE,
        DUB_CODE_FRAGMENT_TOO_LARGE, NULL, "the body is too large", FALSE};
  if (g_hash_table_size (self->requests) >= self->settings.max_requests)
    return (DubProblem){DUB_HTTP_TOO_MANY_REQUESTS,
        DUB_CODE_BACKPRESSURE_EXCEEDED, NULL,
        "too many requests are being worked on", TRUE};
  return (DubProblem){0};
}

/* Nothing is kept of what is refused anyway. */
static void
on_early (SoupServer *soup, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer user_data)
{
  DubRest *self = user_data;
  SoupMessageBody *body = soup_server_message_get_request_body (message);
  DubProblem problem;

  if (!self->settings.is_in_time (message, self->settings.user_data)) {
    soup_message_body_set_accumulate (body, FALSE);
    return;
  }
  problem = look_at (self, message, path);
  if (problem.status == 0)
    return;
  soup_message_body_set_accumulate (body, FALSE);
  if (problem.status == SOUP_STATUS_METHOD_NOT_ALLOWED)
    soup_message_headers_replace (
        soup_server_message_get_response_headers (message), "Allow", "POST");
  dub_answer_problem (message, &problem);
}

/* ---- life ----------------------------------------------------------- */

static void
forget_rest (gpointer key, gpointer value, gpointer user_data)
{
  ((Request *) key)->rest = NULL;
}

DubRest *
dub_rest_new (const DubRestSettings *settings, SoupServer *soup,
    DubProcessor *processor, DubMetrics *metrics)
{
  static const char *const status[] = {"status", NULL};
  DubRest *self = g_new0 (DubRest, 1);

  self->settings = *settings;
  self->processor = processor;
  self->metrics = dub_metrics_ref (metrics);
  self->requests_total = dub_metrics_counter (metrics,
      "sts_rest_requests_total", "Answered requests of " DUB_REST_PATH, status);
  self->requests =
      g_hash_table_new_full (NULL, NULL, (GDestroyNotify) request_unref, NULL);
  self->soup = g_object_ref (soup);
  soup_server_add_early_handler (soup, DUB_REST_PATH, on_early, self, NULL);
  soup_server_add_handler (soup, DUB_REST_PATH, on_request, self, NULL);
  return self;
}

void
dub_rest_free (DubRest *self)
{
  if (self == NULL)
    return;
  soup_server_remove_handler (self->soup, DUB_REST_PATH);
  g_hash_table_foreach (self->requests, forget_rest, NULL);
  while (g_hash_table_size (self->requests) > 0) {
    GHashTableIter iter;
    gpointer request = NULL;
    g_hash_table_iter_init (&iter, self->requests);
    g_hash_table_iter_next (&iter, &request, NULL);
    g_ref_count_inc (&((Request *) request)->ref_count);
    g_hash_table_remove (self->requests, request);
    request_close (request);
    request_unref (request);
  }
  g_hash_table_unref (self->requests);
  g_object_unref (self->soup);
  dub_metrics_unref (self->metrics);
  g_free (self);
}
