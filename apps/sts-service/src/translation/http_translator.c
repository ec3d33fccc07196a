/* SPDX-License-Identifier: Apache-2.0 */
#include "http_translator.h"

#include "answer_check.h"

#include "http/http_json.h"

#include <dubbing_common/error.h>
#include <string.h>

struct _DubHttpTranslator {
  DubTranslator base;
  const DubHttpDialect *dialect;
  DubTranslatorCalls *calls;
  DubHttpEngine *http;
  const DubTranslationOptions *options; /* never NULL */
  char *url;                            /* of a translation */
  char *authorization;                  /* (nullable) */
  GError *refusal;                      /* it cannot work like this */
};

static const DubTranslationOptions no_options;

static GError *
why_not (const DubHttpDialect *dialect, const DubHttpTranslatorPlace *place)
{
  GError *error = NULL;

  if (place->missing != NULL)
    return g_error_new (DUB_ERROR, DUB_ERROR_INVALID, "%s: %s is not set",
        dialect->provider->name, place->missing);
  if (!dub_http_url_check (place->url, &error))
    g_prefix_error (&error, "%s: ", dialect->provider->name);
  return error;
}

static char *
join_url (const char *url, const char *path)
{
  g_autofree char *base = g_strdup (url);
  gsize length = strlen (base);

  while (length > 0 && base[length - 1] == '/')
    base[--length] = '\0';
  return g_strconcat (base, path, NULL);
}

DubTranslator *
dub_http_translator_new (const DubHttpDialect *dialect,
    const DubTranslatorSettings *settings, DubHttpTranslatorPlace place)
{
  DubHttpTranslator *self = g_new0 (DubHttpTranslator, 1);
  DubHttpEngineSettings http;

  self->base.provider = dialect->provider;
  self->dialect = dialect;
  self->options = settings->options != NULL ? settings->options : &no_options;
  self->calls = dub_translator_calls_new (&self->base);
  self->refusal = why_not (dialect, &place);
  self->url = join_url (place.url, dialect->path);
  if (place.secret != NULL && place.auth_scheme != NULL)
    self->authorization =
        g_strdup_printf ("%s %s", place.auth_scheme, place.secret);
  dub_http_engine_settings_init (&http);
  http.name = dialect->provider->name;
  http.metrics = settings->metrics;
  http.secret = place.secret;
  http.sort = dialect->sort;
  self->http = dub_http_engine_new (&http);
  g_free (place.url);
  g_free (place.secret);
  return &self->base;
}

void
dub_http_translator_free (DubTranslator *base)
{
  DubHttpTranslator *self = (DubHttpTranslator *) base;

  dub_http_engine_free (self->http);
  dub_translator_calls_free (self->calls);
  g_clear_error (&self->refusal);
  g_free (self->authorization);
  g_free (self->url);
  g_free (self);
}

gboolean
dub_http_translator_is_ready (DubTranslator *base, GError **error)
{
  DubHttpTranslator *self = (DubHttpTranslator *) base;

  if (self->refusal == NULL)
    return TRUE;
  g_propagate_error (error, g_error_copy (self->refusal));
  return FALSE;
}

gboolean
dub_http_translator_supports (
    DubTranslator *base, const char *source, const char *target)
{
  return ((DubHttpTranslator *) base)->dialect->supports (source, target);
}

void
dub_http_put_string (JsonObject *object, const char *name, const char *value)
{
  if (value != NULL && *value != '\0')
    json_object_set_string_member (object, name, value);
}

/* ---- one translation ----------------------------------------------------- */

static void
translation_free (gpointer data)
{
  DubHttpTranslation *call = data;

  dub_shield_free (call->shield);
  g_free (call->prompt);
  g_free (call);
}

char *
dub_http_translator_read (const DubHttpDialect *dialect, GBytes *body,
    const DubHttpTranslation *call, GError **error)
{
  g_autoptr (JsonNode) json = dub_http_json_parse (body, error);
  g_autofree char *answer = NULL;
  g_autofree char *tidy = NULL;

  if (json == NULL)
    return NULL;
  answer = dialect->read (json, call);
  if (answer == NULL) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_PROTOCOL,
        "an answer without a translation");
    return NULL;
  }
  tidy = dub_answer_tidy (answer, call->request.text);
  if (!dub_answer_check (tidy, &call->request, call->prompt, error))
    return NULL;
  return g_steal_pointer (&tidy);
}

static void
on_answer (
    const DubHttpAnswer *answer, const GError *failure, gpointer user_data)
{
  DubTranslatorCall *call = user_data;
  DubHttpTranslator *self = (DubHttpTranslator *) call->translator;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  if (answer == NULL) {
    dub_translator_call_answer (call, NULL, failure);
    return;
  }
  text = dub_http_translator_read (
      self->dialect, answer->body, call->data, &error);
  if (error != NULL)
    g_prefix_error (&error, "%s: ", self->base.provider->name);
  dub_translator_call_answer (call, text, error);
}

static void
send (DubHttpTranslator *self, DubTranslatorCall *call)
{
  DubHttpTranslation *translation = call->data;
  g_autoptr (JsonNode) json = self->dialect->make (self->options, translation);
  g_autoptr (GBytes) body = dub_http_json_to_bytes (json);
  const char *headers[] = {
      "Accept", "application/json", "Authorization", self->authorization, NULL};
  DubHttpRequest request = {.method = "POST",
      .url = self->url,
      .headers = headers,
      .content_type = "application/json",
      .body = body,
      .spoken = translation->request.text,
      .deadline_ns = translation->request.deadline_ns};

  if (self->authorization == NULL)
    headers[2] = NULL;
  call->engine_id =
      dub_http_engine_request (self->http, &request, on_answer, call);
}

guint64
dub_http_translator_translate (DubTranslator *base,
    const DubTranslationRequest *request, DubTranslatedFunc done,
    gpointer user_data)
{
  DubHttpTranslator *self = (DubHttpTranslator *) base;
  DubTranslatorCall *call =
      dub_translator_calls_begin (self->calls, done, user_data);
  DubHttpTranslation *translation = g_new0 (DubHttpTranslation, 1);

  translation->request = *request;
  call->data = translation;
  call->data_free = translation_free;
  if (self->refusal != NULL)
    dub_translator_call_answer_later (call, NULL, g_error_copy (self->refusal));
  else
    send (self, call);
  return call->id;
}

void
dub_http_translator_cancel (DubTranslator *base, guint64 id)
{
  DubHttpTranslator *self = (DubHttpTranslator *) base;
  DubTranslatorCall *call = dub_translator_calls_get (self->calls, id);

  if (call == NULL)
    return;
  dub_http_engine_cancel (self->http, call->engine_id);
  dub_translator_call_drop (call);
}
