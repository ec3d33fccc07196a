/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "sts.http"

#include "http_engine.h"

#include "http_exchange.h"
#include "http_json.h"
#include "http_proxy.h"
#include "http_sort.h"

#include <dubbing_common/clock.h>
#include <dubbing_common/log.h>
#include <dubbing_common/tls.h>
#include <libsoup/soup.h>

/* Less than this is not worth another try. */
#define MIN_TRY_MS 50
#define MAX_BACKOFF_MS 2000
/* However long a server wants to be left alone. */
#define MAX_PAUSE_MS 60000

/* One request of ours, over all its tries. */
typedef struct {
  DubHttpEngine *engine;
  guint64 id;
  char *method;
  GUri *uri;
  char **headers;
  char *content_type;
  GBytes *body;
  char *spoken;
  gsize max_answer_bytes;
  gint64 asked_us;
  gint64 deadline_us;
  DubHttpDoneFunc done;
  gpointer user_data;

  GError *refusal;           /* why it is not even sent */
  GSource *timer;            /* the deadline, or the next try */
  DubHttpExchange *exchange; /* while a try is under way */
  guint tries;
  GError *last_error; /* of the try before */
} Call;

struct _DubHttpEngine {
  /* immutable */
  char *name;
  char *secret;
  DubHttpSortFunc sort;
  guint max_tries, backoff_ms, max_calls;
  GMainContext *context;
  DubMetrics *metrics; /* (nullable), as all families are then */
  DubMetric *requests_total;
  DubMetric *retries_total;
  DubMetric *seconds;

  /* owner context only */
  SoupSession *session;
  GHashTable *calls; /* id → Call */
  guint64 last_id;
  gint64 pause_end_us; /* as Retry-After asked */
  gboolean has_warned; /* of a key that goes unencrypted */
};

static void call_try (Call *call);

void
dub_http_engine_settings_init (DubHttpEngineSettings *settings)
{
  *settings = (DubHttpEngineSettings){
      .max_tries = 3,
      .backoff_ms = 200,
      .max_calls = 64,
  };
}

/* ---- metrics ----------------------------------------------------------- */

static void
make_metrics (DubHttpEngine *self)
{
  static const char *const result[] = {"engine", "result", NULL};
  static const char *const engine[] = {"engine", NULL};
  static const double bounds[] = {0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8};

  if (self->metrics == NULL)
    return;
  self->requests_total =
      dub_metrics_counter (self->metrics, "sts_http_requests_total",
          "Requests to engines by HTTP, by what came of them.", result);
  self->retries_total = dub_metrics_counter (self->metrics,
      "sts_http_retries_total", "Requests that were sent again.", engine);
  self->seconds = dub_metrics_histogram (self->metrics,
      "sts_http_request_seconds", "Time of a request, retries included.",
      engine, bounds, G_N_ELEMENTS (bounds));
}

static void
count_answer (const Call *call, const GError *error)
{
  DubHttpEngine *self = call->engine;
  const char *result =
      error != NULL ? dub_error_code_to_string (error->code) : "ok";
  gint64 taken_us = g_get_monotonic_time () - call->asked_us;

  if (self->metrics == NULL)
    return;
  dub_metric_add (
      self->requests_total, (const char *const[]){self->name, result, NULL}, 1);
  dub_metric_observe (self->seconds, (const char *const[]){self->name, NULL},
      (double) taken_us / G_USEC_PER_SEC);
}

/* ---- a call ------------------------------------------------------------ */

static void
clear_timer (Call *call)
{
  if (call->timer != NULL)
    g_source_destroy (call->timer);
  g_clear_pointer (&call->timer, g_source_unref);
}

static void
call_free (gpointer data)
{
  Call *call = data;

  clear_timer (call);
  g_clear_pointer (&call->exchange, dub_http_exchange_abandon);
  g_clear_error (&call->refusal);
  g_clear_error (&call->last_error);
  g_clear_pointer (&call->uri, g_uri_unref);
  g_clear_pointer (&call->body, g_bytes_unref);
  g_strfreev (call->headers);
  g_free (call->content_type);
  g_free (call->spoken);
  g_free (call->method);
  g_free (call);
}

/* The one way out. done may call back into the engine, or free it. */
static void
call_answer (Call *call, const DubHttpAnswer *answer, const GError *error)
{
  DubHttpDoneFunc done = call->done;
  gpointer user_data = call->user_data;

  count_answer (call, error);
  g_hash_table_steal (call->engine->calls, &call->id);
  call_free (call);
  done (answer, error, user_data);
}

static void
call_fail (Call *call, DubErrorCode code, const char *what)
{
  g_autoptr (GError) error =
      g_error_new (DUB_ERROR, (gint) code, "%s: %s", call->engine->name, what);

  call_answer (call, NULL, error);
}

static void
call_arm (Call *call, gint64 at_us, GSourceFunc func)
{
  clear_timer (call);
  call->timer = g_timeout_source_new (0);
  g_source_set_callback (call->timer, func, call, NULL);
  g_source_set_ready_time (call->timer, at_us);
  g_source_attach (call->timer, call->engine->context);
}

static gboolean
on_deadline (gpointer user_data)
{
  Call *call = user_data;
  g_autofree char *what =
      g_strdup_printf ("no answer in %" G_GINT64_FORMAT " ms%s%s",
          (g_get_monotonic_time () - call->asked_us) / 1000,
          call->last_error != NULL ? ", after " : "",
          call->last_error != NULL ? call->last_error->message : "");

  call_fail (call, DUB_ERROR_TIMEOUT, what);
  return G_SOURCE_REMOVE;
}

static gboolean
on_next_try (gpointer user_data)
{
  call_try (user_data);
  return G_SOURCE_REMOVE;
}

/* ---- again, or not ------------------------------------------------------ */

static gint64
backoff_us (const Call *call)
{
  gint64 base = (gint64) call->engine->backoff_ms << (call->tries - 1);

  base = MIN (base, MAX_BACKOFF_MS);
  return (gint64) (base * 1000 * g_random_double_range (0.75, 1.25));
}

/* Remembers what Retry-After asked of the whole engine. */
static void
note_pause (DubHttpEngine *self, gint64 retry_after_ms)
{
  gint64 pause_ms = MIN (retry_after_ms, MAX_PAUSE_MS);
  gint64 end = g_get_monotonic_time () + pause_ms * 1000;

  if (pause_ms > 0)
    self->pause_end_us = MAX (self->pause_end_us, end);
}

/* error (transfer full), in our words. */
static void
try_failed (Call *call, GError *error, gint64 retry_after_ms)
{
  DubHttpEngine *self = call->engine;
  gint64 next_us =
      g_get_monotonic_time () + MAX (backoff_us (call), retry_after_ms * 1000);
  gboolean has_time = next_us + MIN_TRY_MS * 1000 < call->deadline_us;

  note_pause (self, retry_after_ms);
  if (!dub_error_is_retryable (error) || call->tries >= self->max_tries ||
      !has_time) {
    call_answer (call, NULL, error);
    g_error_free (error);
    return;
  }
  dub_debug ("%s; again", error->message);
  g_clear_error (&call->last_error);
  call->last_error = error;
  if (self->retries_total != NULL)
    dub_metric_add (
        self->retries_total, (const char *const[]){self->name, NULL}, 1);
  call_arm (call, next_us, on_next_try);
}

/* ---- what an exchange came to ------------------------------------------- */

static GError *
refusal_of (Call *call, guint status, JsonNode *body)
{
  DubHttpEngine *self = call->engine;
  const char *const hidden[] = {self->secret != NULL ? self->secret : "",
      call->spoken != NULL ? call->spoken : "", NULL};
  g_autofree char *text = dub_http_error_text (body, hidden);
  DubErrorCode code = dub_http_sort_status (status);

  if (self->sort != NULL)
    code = self->sort (status, body, code);
  if (text == NULL && status >= 300 && status < 400)
    text = g_strdup ("a redirect, which is not followed");
  return g_error_new (DUB_ERROR, (gint) code, "%s: HTTP %u%s%s", self->name,
      status, text != NULL ? ": " : "", text != NULL ? text : "");
}

static void
take_answer (Call *call, SoupMessage *message, GBytes *body)
{
  SoupMessageHeaders *headers = soup_message_get_response_headers (message);
  guint status = soup_message_get_status (message);
  g_autoptr (JsonNode) json = NULL;
  DubHttpAnswer answer = {
      status, soup_message_headers_get_content_type (headers, NULL), body};

  if (dub_http_sort_status (status) == DUB_ERROR_NONE) {
    call_answer (call, &answer, NULL);
    return;
  }
  json = dub_http_json_parse (body, NULL);
  try_failed (call, refusal_of (call, status, json),
      dub_http_retry_after_ms (
          soup_message_headers_get_one (headers, "Retry-After"),
          g_get_real_time () / G_USEC_PER_SEC));
}

static GError *
in_our_words (const Call *call, const GError *error)
{
  DubErrorCode code = error->domain == DUB_ERROR ? (DubErrorCode) error->code
                                                 : dub_http_sort_error (error);
  g_autofree char *refusal = NULL;

  if (error->domain == G_TLS_ERROR)
    refusal = dub_tls_refusal (g_uri_get_host (call->uri));
  return g_error_new (DUB_ERROR, (gint) code, "%s: %s", call->engine->name,
      refusal != NULL ? refusal : error->message);
}

static void
on_exchanged (
    SoupMessage *message, GBytes *body, const GError *error, gpointer user_data)
{
  Call *call = user_data;

  call->exchange = NULL;
  if (body != NULL)
    take_answer (call, message, body);
  else
    try_failed (call, in_our_words (call, error), -1);
}

static SoupMessage *
make_message (const Call *call)
{
  SoupMessage *message = soup_message_new_from_uri (call->method, call->uri);
  SoupMessageHeaders *headers = soup_message_get_request_headers (message);

  /* libsoup opens a new connection for each POST unless told that it may be
   * sent twice; so may a text to be translated or spoken. */
  soup_message_add_flags (
      message, SOUP_MESSAGE_NO_REDIRECT | SOUP_MESSAGE_IDEMPOTENT);
  for (guint i = 0; call->headers != NULL && call->headers[i] != NULL; i += 2)
    soup_message_headers_replace (
        headers, call->headers[i], call->headers[i + 1]);
  if (call->body != NULL)
    soup_message_set_request_body_from_bytes (
        message, call->content_type, call->body);
  return message;
}

static GError *
why_not_now (const Call *call)
{
  DubHttpEngine *self = call->engine;
  gint64 left_us = self->pause_end_us - g_get_monotonic_time ();

  if (g_hash_table_size (self->calls) > self->max_calls)
    return g_error_new (DUB_ERROR, DUB_ERROR_OVERLOADED,
        "%s: %u requests are under way", self->name, self->max_calls);
  if (left_us > 0)
    return g_error_new (DUB_ERROR, DUB_ERROR_OVERLOADED,
        "%s: wants no request for another %" G_GINT64_FORMAT " s", self->name,
        left_us / G_USEC_PER_SEC + 1);
  return NULL;
}

static void
call_try (Call *call)
{
  if (call->refusal != NULL) {
    g_autoptr (GError) refusal = g_steal_pointer (&call->refusal);
    call_answer (call, NULL, refusal);
    return;
  }
  if (g_get_monotonic_time () >= call->deadline_us) {
    on_deadline (call);
    return;
  }
  call->tries++;
  call_arm (call, call->deadline_us, on_deadline);
  call->exchange = dub_http_exchange_start (call->engine->session,
      make_message (call), call->max_answer_bytes, on_exchanged, call);
}

/* ---- the engine -------------------------------------------------------- */

static SoupSession *
session_new (void)
{
  g_auto (GStrv) environment = g_get_environ ();
  g_autoptr (GProxyResolver) proxy = dub_http_proxy_new (environment);

  return soup_session_new_with_options ("user-agent",
      "live-broadcast-dubbing/" DUB_VERSION, "timeout", 0, "idle-timeout", 60,
      "proxy-resolver", proxy, NULL);
}

DubHttpEngine *
dub_http_engine_new (const DubHttpEngineSettings *settings)
{
  DubHttpEngine *self = g_new0 (DubHttpEngine, 1);

  self->name = g_strdup (settings->name);
  self->secret = g_strdup (settings->secret);
  self->sort = settings->sort;
  self->max_tries = MAX (settings->max_tries, 1);
  self->backoff_ms = settings->backoff_ms;
  self->max_calls = settings->max_calls;
  self->context = g_main_context_ref_thread_default ();
  self->session = session_new ();
  self->calls =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, call_free);
  if (settings->metrics != NULL)
    self->metrics = dub_metrics_ref (settings->metrics);
  make_metrics (self);
  return self;
}

static Call *
any_call (DubHttpEngine *self)
{
  GHashTableIter iter;
  gpointer call = NULL;

  g_hash_table_iter_init (&iter, self->calls);
  return g_hash_table_iter_next (&iter, NULL, &call) ? call : NULL;
}

void
dub_http_engine_free (DubHttpEngine *self)
{
  Call *call;

  if (self == NULL)
    return;
  while ((call = any_call (self)) != NULL)
    call_fail (call, DUB_ERROR_DISCONNECTED, "the service is ending");
  g_hash_table_unref (self->calls);
  g_clear_object (&self->session);
  g_clear_pointer (&self->metrics, dub_metrics_unref);
  g_main_context_unref (self->context);
  g_free (self->secret);
  g_free (self->name);
  g_free (self);
}

gboolean
dub_http_url_check (const char *url, GError **error)
{
  g_autoptr (GUri) uri = g_uri_parse (url, SOUP_HTTP_URI_FLAGS, NULL);

  if (uri != NULL && g_uri_get_userinfo (uri) == NULL &&
      g_uri_get_host (uri) != NULL && *g_uri_get_host (uri) != '\0' &&
      (g_str_equal (g_uri_get_scheme (uri), "http") ||
          g_str_equal (g_uri_get_scheme (uri), "https")))
    return TRUE;
  g_set_error_literal (error, DUB_ERROR, DUB_ERROR_INVALID,
      "not an http or https URL with a host and without a password");
  return FALSE;
}

gboolean
dub_http_url_is_open (const char *url)
{
  g_autoptr (GUri) uri = g_uri_parse (url, SOUP_HTTP_URI_FLAGS, NULL);
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;
  g_autoptr (GInetAddress) address = NULL;

  if (host == NULL || !g_str_equal (g_uri_get_scheme (uri), "http") ||
      g_str_equal (host, "localhost"))
    return FALSE;
  address = g_inet_address_new_from_string (host);
  return address == NULL || !g_inet_address_get_is_loopback (address);
}

static void
warn_of_open_key (DubHttpEngine *self, const char *url)
{
  if (self->has_warned || self->secret == NULL || !dub_http_url_is_open (url))
    return;
  self->has_warned = TRUE;
  dub_warning ("%s: its key goes out unencrypted; use https", self->name);
}

static Call *
call_new (DubHttpEngine *self, const DubHttpRequest *request)
{
  Call *call = g_new0 (Call, 1);

  call->engine = self;
  call->id = ++self->last_id;
  call->method = g_strdup (request->method);
  call->headers = g_strdupv ((char **) request->headers);
  call->content_type = g_strdup (request->content_type);
  call->body = request->body != NULL ? g_bytes_ref (request->body) : NULL;
  call->spoken = g_strdup (request->spoken);
  call->max_answer_bytes = request->max_answer_bytes > 0
                               ? request->max_answer_bytes
                               : DUB_HTTP_MAX_TEXT_ANSWER;
  call->asked_us = g_get_monotonic_time ();
  call->deadline_us = request->deadline_ns / 1000;
  return call;
}

guint64
dub_http_engine_request (DubHttpEngine *self, const DubHttpRequest *request,
    DubHttpDoneFunc done, gpointer user_data)
{
  Call *call = call_new (self, request);

  call->done = done;
  call->user_data = user_data;
  g_hash_table_insert (self->calls, &call->id, call);
  if (dub_http_url_check (request->url, &call->refusal)) {
    call->uri = g_uri_parse (request->url, SOUP_HTTP_URI_FLAGS, NULL);
    call->refusal = why_not_now (call);
    warn_of_open_key (self, request->url);
  }
  /* The timer sends it: done must not be called from in here. */
  call_arm (call, 0, on_next_try);
  return call->id;
}

gpointer
dub_http_engine_cancel (DubHttpEngine *self, guint64 id)
{
  Call *call = g_hash_table_lookup (self->calls, &id);
  gpointer user_data = call != NULL ? call->user_data : NULL;

  g_hash_table_remove (self->calls, &id);
  return user_data;
}
