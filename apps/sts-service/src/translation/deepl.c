/* SPDX-License-Identifier: Apache-2.0 */
#include "http_translator.h"

#include "http/http_json.h"

#include <string.h>

/* The provider "deepl": DeepL's API, version 2. */

#define HOST_PRO "https://api.deepl.com"
#define HOST_FREE "https://api-free.deepl.com"

static const char *const known[] = {"ar", "bg", "cs", "da", "de", "el", "en",
    "es", "et", "fi", "fr", "he", "hu", "id", "it", "ja", "ko", "lt", "lv",
    "nb", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sv", "th", "tr",
    "uk", "vi", "zh", NULL};
static const char *const formal[] = {
    "de", "es", "fr", "it", "ja", "nl", "pl", "pt", "ru", NULL};

/* ---- languages ------------------------------------------------------------
 */

/* A source has no region: "en-US" is refused. NULL: let DeepL find out. */
static char *
source_code (const char *source)
{
  DubLanguageTag tag;

  if (!dub_language_parse (source, &tag))
    return NULL;
  return g_ascii_strup (
      g_str_equal (tag.language, "no") ? "nb" : tag.language, -1);
}

static const char *
chinese_code (const DubLanguageTag *tag)
{
  static const char *const traditional[] = {"TW", "HK", "MO", NULL};

  if (g_str_equal (tag->script, "Hant") ||
      g_strv_contains (traditional, tag->region))
    return "ZH-HANT";
  return "ZH-HANS";
}

/* A target must have one where DeepL has two of them: bare "en" and "pt" are
 * refused. */
static char *
target_code (const DubTranslationOptions *options, const char *target)
{
  DubLanguageTag tag = {""};

  dub_language_parse (target, &tag);
  if (g_str_equal (tag.language, "zh"))
    return g_strdup (chinese_code (&tag));
  if (g_str_equal (tag.language, "es") && g_str_equal (tag.region, "419"))
    return g_strdup ("ES-419");
  if (g_str_equal (tag.language, "en")) {
    if (g_str_equal (tag.region, "GB") || g_str_equal (tag.region, "US"))
      return g_strdup_printf ("EN-%s", tag.region);
    return g_strdup (dub_deepl_english[options->deepl_english]);
  }
  if (g_str_equal (tag.language, "pt")) {
    if (g_str_equal (tag.region, "BR") || g_str_equal (tag.region, "PT"))
      return g_strdup_printf ("PT-%s", tag.region);
    return g_strdup (dub_deepl_portuguese[options->deepl_portuguese]);
  }
  return source_code (target);
}

static gboolean
knows (const char *text)
{
  DubLanguageTag tag;

  return dub_language_parse (text, &tag) &&
         g_strv_contains (known, tag.language);
}

static gboolean
deepl_supports (const char *source, const char *target)
{
  return (g_str_equal (source, "auto") || knows (source)) && knows (target);
}

/* ---- the request --------------------------------------------------------- */

/* "prefer_": a language that has none is translated all the same. */
static const char *
formality_code (const DubTranslationRequest *request)
{
  const char *formality = request->hints.formality;
  DubLanguageTag tag = {""};

  dub_language_parse (request->target, &tag);
  if (formality == NULL || !g_strv_contains (formal, tag.language))
    return NULL;
  return g_str_equal (formality, "formal") ? "prefer_more" : "prefer_less";
}

/* What it should know and not translate: the domain and what was just said. */
static char *
make_context (const DubTranslationHints *hints)
{
  GString *out = g_string_new (NULL);

  if (hints->domain != NULL && !g_str_equal (hints->domain, "general"))
    g_string_append_printf (out, "Live broadcast, %s. ", hints->domain);
  for (guint i = 0; hints->context != NULL && hints->context[i] != NULL; i++)
    g_string_append_printf (out, "%s ", hints->context[i]);
  g_strchomp (out->str);
  return g_string_free (out, FALSE);
}

static void
put_shield (JsonObject *body, const DubShield *shield)
{
  JsonArray *ignored = NULL;

  if (shield == NULL)
    return;
  ignored = json_array_new ();
  json_array_add_string_element (ignored, "k");
  json_object_set_string_member (body, "tag_handling", "xml");
  json_object_set_array_member (body, "ignore_tags", ignored);
}

static JsonNode *
deepl_make (const DubTranslationOptions *options, DubHttpTranslation *call)
{
  const DubTranslationRequest *request = &call->request;
  g_autofree char *source = source_code (request->source);
  g_autofree char *target = target_code (options, request->target);
  g_autofree char *context = make_context (&request->hints);
  JsonObject *body = json_object_new ();
  JsonArray *text = json_array_new ();

  call->shield = dub_shield_new (request, DUB_SHIELD_XML);
  json_array_add_string_element (text, call->shield != NULL
                                           ? dub_shield_get_text (call->shield)
                                           : request->text);
  json_object_set_array_member (body, "text", text);
  dub_http_put_string (body, "source_lang", source);
  dub_http_put_string (body, "target_lang", target);
  dub_http_put_string (body, "context", context);
  dub_http_put_string (body, "formality", formality_code (request));
  dub_http_put_string (
      body, "model_type", dub_deepl_models[options->deepl_model]);
  dub_http_put_string (body, "glossary_id", options->deepl_glossary_id);
  json_object_set_string_member (body, "split_sentences", "nonewlines");
  put_shield (body, call->shield);
  return dub_http_json_take (body);
}

static char *
deepl_read (JsonNode *answer, const DubHttpTranslation *call)
{
  const char *text = dub_http_json_get_string (answer, "translations.0.text");

  if (text == NULL || call->shield == NULL)
    return g_strdup (text);
  return dub_shield_restore (call->shield, text);
}

/* ---- the provider -------------------------------------------------------- */

static DubTranslator *
deepl_create (const DubTranslatorSettings *settings)
{
  const DubTranslationOptions *options = settings->options;
  const char *key = options != NULL ? options->deepl_key : NULL;
  const char *url = options != NULL ? options->deepl_url : NULL;
  DubHttpTranslatorPlace place = {.auth_scheme = "DeepL-Auth-Key"};

  if (url == NULL)
    url = key != NULL && g_str_has_suffix (key, ":fx") ? HOST_FREE : HOST_PRO;
  if (key == NULL)
    place.missing = "DEEPL_AUTH_KEY";
  place.url = g_strdup (url);
  place.secret = g_strdup (key);
  return dub_http_translator_new (&dub_deepl_dialect, settings, place);
}

static gboolean
deepl_is_installed (const DubTranslatorSettings *settings)
{
  return settings->options != NULL && settings->options->deepl_key != NULL;
}

const DubTranslatorProvider dub_translator_deepl = {
    .name = "deepl",
    .create = deepl_create,
    DUB_HTTP_TRANSLATOR_FUNCS,
    .is_installed = deepl_is_installed,
};

const DubHttpDialect dub_deepl_dialect = {
    .provider = &dub_translator_deepl,
    .path = "/v2/translate",
    .supports = deepl_supports,
    .make = deepl_make,
    .read = deepl_read,
};
