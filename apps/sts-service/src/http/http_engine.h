/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/error.h>
#include <dubbing_common/metrics.h>
#include <gio/gio.h>
#include <json-glib/json-glib.h>

/*
 * The way to an engine that is reached by HTTP (DeepL, ElevenLabs, a server of
 * one's own): one request, one answer, and nothing after its deadline.
 *
 *   request ─▶ try ─▶ answer below 300 ─▶ done
 *               ▲│
 *               │└ no connection, 408, 429, 5xx ─▶ wait, while time is left
 *               └──────────────────────────────────┘
 *
 * What went wrong is told by the status code, and where an engine uses one for
 * several things by a field of its answer (the sort function below), never by
 * words in a message. A Retry-After is obeyed for the whole engine: until then
 * requests fail at once, so that the next engine of a list has the time.
 *
 * Certificates are verified. A redirect is an error and not followed, so that
 * no key goes to a host that was not named. No text of a request, and no
 * secret, is in an error or a log.
 *
 * Everything on the thread-default main context of the creating thread;
 * nothing blocks. done is called exactly once, never from inside
 * dub_http_engine_request (), and not at all after cancel.
 */
G_BEGIN_DECLS

#define DUB_HTTP_MAX_TEXT_ANSWER (256 * 1024)

/* The code for an answer of 300 and above; fallback is what the status alone
 * says. body: the answer, if it is JSON (nullable). */
typedef DubErrorCode (*DubHttpSortFunc) (
    guint status, JsonNode *body, DubErrorCode fallback);

typedef struct {
  const char *name;     /* "deepl": in messages and metrics */
  DubMetrics *metrics;  /* (nullable) */
  const char *secret;   /* (nullable): never shown, even if an answer does */
  DubHttpSortFunc sort; /* (nullable) */
  guint max_tries;      /* 3 */
  guint backoff_ms;     /* 200 before the second, then doubled; ± 25 % */
  guint max_calls;      /* 64 at once; then DUB_ERROR_OVERLOADED */
} DubHttpEngineSettings;
void dub_http_engine_settings_init (DubHttpEngineSettings *settings);

typedef struct {
  const char *method;         /* "GET", "POST" */
  const char *url;            /* http or https */
  const char *const *headers; /* name, value, ..., NULL (nullable) */
  const char *content_type;   /* of body */
  GBytes *body;               /* (nullable) */
  const char *spoken;         /* (nullable): never shown either */
  gsize max_answer_bytes;     /* 0: DUB_HTTP_MAX_TEXT_ANSWER */
  gint64 deadline_ns;         /* CLOCK_MONOTONIC */
} DubHttpRequest;

typedef struct {
  guint status;
  const char *content_type; /* without parameters (nullable) */
  GBytes *body;
} DubHttpAnswer;

typedef struct _DubHttpEngine DubHttpEngine;

DubHttpEngine *dub_http_engine_new (const DubHttpEngineSettings *settings);
/* What is under way gets DUB_ERROR_DISCONNECTED now. */
void dub_http_engine_free (DubHttpEngine *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubHttpEngine, dub_http_engine_free)

/*
 * The answer (2xx), or NULL and why:
 *   AUTH         401, 402, 403, 456: the key or what it has paid for
 *   INVALID      400, 422 and other 4xx; NOT_FOUND 404, 410
 *   LIMIT        413, 414, or an answer larger than max_answer_bytes
 *   UNSUPPORTED  415, 501
 *   PROTOCOL     no HTTP, a certificate that is not good, a redirect
 *   OVERLOADED   425, 429, 529, or too many requests of ours
 *   TIMEOUT      the deadline; 408, 504
 *   ENGINE       500; UNAVAILABLE other 5xx, no connection
 *   DISCONNECTED the connection broke, or the engine is being freed
 */
typedef void (*DubHttpDoneFunc) (
    const DubHttpAnswer *answer, const GError *error, gpointer user_data);

/* Copies what it needs. Returns an id, never 0. */
guint64 dub_http_engine_request (DubHttpEngine *self,
    const DubHttpRequest *request, DubHttpDoneFunc done, gpointer user_data);
/* Gives back the request's user_data, or NULL for an id that was answered. */
gpointer dub_http_engine_cancel (DubHttpEngine *self, guint64 id);

/* The scheme is http or https, there is a host, and no user or password. */
gboolean dub_http_url_check (const char *url, GError **error);
/* What goes there can be read on the way: http, and not to this machine. A key
 * that does is warned of once. */
gboolean dub_http_url_is_open (const char *url);

G_END_DECLS
