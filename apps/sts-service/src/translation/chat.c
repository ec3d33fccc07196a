/* SPDX-License-Identifier: Apache-2.0 */
#include "http_translator.h"

#include "http/http_json.h"

#include <string.h>

/*
 * The provider "openai": any server that speaks OpenAI's chat completions,
 * such as those of llama.cpp, Ollama and vLLM, with a model that translates.
 * A small general model does not: it drops a "not" and invents names, fluently.
 * answer_check.h finds only the coarsest of that.
 */

#define URL "http://127.0.0.1:8080/v1"
#define MAX_TOKENS 1024
#define MIN_TOKENS 64

static gboolean
chat_supports (const char *source, const char *target)
{
  return (g_str_equal (source, "auto") || dub_language_name (source) != NULL) &&
         dub_language_name (target) != NULL;
}

/* ---- the prompt ---------------------------------------------------------- */

static void
add_wishes (GString *out, const DubTranslationHints *hints)
{
  if (hints->domain != NULL && !g_str_equal (hints->domain, "general"))
    g_string_append_printf (
        out, "The broadcast is about: %s.\n", hints->domain);
  if (hints->formality != NULL)
    g_string_append_printf (
        out, "Address people in a way that is %s.\n", hints->formality);
  if (hints->max_chars > 0)
    g_string_append_printf (out,
        "It must be spoken in a short time: use %u characters at most, and "
        "leave out what matters least.\n",
        hints->max_chars);
}

static void
add_terms (GString *out, const DubTranslationHints *hints)
{
  for (guint i = 0; hints->keep != NULL && hints->keep[i] != NULL; i++)
    g_string_append_printf (out, "Leave as it is: %s\n", hints->keep[i]);
  for (guint i = 0; hints->glossary != NULL && hints->glossary[i].from != NULL;
       i++)
    g_string_append_printf (out, "Translate \"%s\" as \"%s\".\n",
        hints->glossary[i].from, hints->glossary[i].to);
}

static void
add_context (GString *out, const DubTranslationHints *hints)
{
  if (hints->context == NULL || hints->context[0] == NULL)
    return;
  g_string_append (
      out, "Just before, and not to be translated again, was said:\n");
  for (guint i = 0; hints->context[i] != NULL; i++)
    g_string_append_printf (out, "- %s\n", hints->context[i]);
}

static char *
make_prompt (const DubTranslationRequest *request)
{
  GString *out = g_string_new (NULL);
  const char *source = dub_language_name (request->source);

  g_string_append_printf (out,
      "You interpret a live broadcast%s%s into %s. Answer with the "
      "translation of the last message alone, as it will be spoken: nothing "
      "before it, nothing after it, no quotation marks, no remarks. Keep "
      "every fact, every negation, every name and every number.\n",
      source != NULL ? " from " : "", source != NULL ? source : "",
      dub_language_name (request->target));
  add_wishes (out, &request->hints);
  add_terms (out, &request->hints);
  add_context (out, &request->hints);
  return g_string_free (out, FALSE);
}

/* ---- the request --------------------------------------------------------- */

static void
add_message (JsonArray *messages, const char *role, const char *content)
{
  JsonObject *message = json_object_new ();

  json_object_set_string_member (message, "role", role);
  json_object_set_string_member (message, "content", content);
  json_array_add_object_element (messages, message);
}

/* A letter is a token at worst, and a text three times as long is none. */
static gint64
max_tokens (const char *text)
{
  return CLAMP (2 * g_utf8_strlen (text, -1), MIN_TOKENS, MAX_TOKENS);
}

static JsonNode *
chat_make (const DubTranslationOptions *options, DubHttpTranslation *call)
{
  JsonObject *body = json_object_new ();
  JsonArray *messages = json_array_new ();

  call->prompt = make_prompt (&call->request);
  add_message (messages, "system", call->prompt);
  add_message (messages, "user", call->request.text);
  json_object_set_string_member (body, "model",
      options->chat_model != NULL ? options->chat_model : "default");
  json_object_set_array_member (body, "messages", messages);
  json_object_set_int_member (body, "temperature", 0);
  json_object_set_int_member (
      body, "max_tokens", max_tokens (call->request.text));
  json_object_set_boolean_member (body, "stream", FALSE);
  return dub_http_json_take (body);
}

/* An answer that was cut off is none. */
static char *
chat_read (JsonNode *answer, const DubHttpTranslation *call)
{
  const char *reason =
      dub_http_json_get_string (answer, "choices.0.finish_reason");

  if (g_strcmp0 (reason, "length") == 0 ||
      g_strcmp0 (reason, "content_filter") == 0)
    return NULL;
  return g_strdup (
      dub_http_json_get_string (answer, "choices.0.message.content"));
}

/* A 429 that no waiting mends. */
static DubErrorCode
chat_sort (guint status, JsonNode *body, DubErrorCode fallback)
{
  const char *code = dub_http_json_get_string (body, "error.code");

  if (status == 429 && g_strcmp0 (code, "insufficient_quota") == 0)
    return DUB_ERROR_AUTH;
  return fallback;
}

/* ---- the provider -------------------------------------------------------- */

static DubTranslator *
chat_create (const DubTranslatorSettings *settings)
{
  const DubTranslationOptions *options = settings->options;
  const char *url = options != NULL ? options->chat_url : NULL;
  DubHttpTranslatorPlace place = {
      .url = g_strdup (url != NULL ? url : URL), .auth_scheme = "Bearer"};

  if (options != NULL)
    place.secret = g_strdup (options->chat_key);
  return dub_http_translator_new (&dub_chat_dialect, settings, place);
}

static gboolean
chat_is_installed (const DubTranslatorSettings *settings)
{
  return settings->options != NULL && settings->options->chat_url != NULL;
}

const DubTranslatorProvider dub_translator_openai = {
    .name = "openai",
    .create = chat_create,
    DUB_HTTP_TRANSLATOR_FUNCS,
    .is_installed = chat_is_installed,
};

const DubHttpDialect dub_chat_dialect = {
    .provider = &dub_translator_openai,
    .path = "/chat/completions",
    .supports = chat_supports,
    .make = chat_make,
    .read = chat_read,
    .sort = chat_sort,
};
