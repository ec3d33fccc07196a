/* SPDX-License-Identifier: Apache-2.0 */
#include "http_translator.h"

#include "http/http_json.h"

#include <string.h>

/*
 * The provider "libretranslate": a LibreTranslate server. It takes several
 * texts at once: with a term that must stay (shield.h) the same sentence goes
 * there twice, with and without, since its models lose a made-up word at
 * times.
 */

#define URL "http://127.0.0.1:5000"

/* It knows bare languages, and two pairs of regions. */
static char *
code_of (const char *text)
{
  static const char *const traditional[] = {"TW", "HK", "MO", NULL};
  DubLanguageTag tag;

  if (!dub_language_parse (text, &tag))
    return g_strdup ("auto");
  if (g_str_equal (tag.language, "zh"))
    return g_strdup (g_str_equal (tag.script, "Hant") ||
                             g_strv_contains (traditional, tag.region)
                         ? "zh-Hant"
                         : "zh");
  if (g_str_equal (tag.language, "pt") && g_str_equal (tag.region, "BR"))
    return g_strdup ("pt-BR");
  return g_strdup (g_str_equal (tag.language, "no") ? "nb" : tag.language);
}

/* Which of them this server has, it says when it is asked. */
static gboolean
libretranslate_supports (const char *source, const char *target)
{
  return (g_str_equal (source, "auto") || dub_language_name (source) != NULL) &&
         dub_language_name (target) != NULL;
}

static JsonNode *
libretranslate_make (
    const DubTranslationOptions *options, DubHttpTranslation *call)
{
  const DubTranslationRequest *request = &call->request;
  g_autofree char *source = code_of (request->source);
  g_autofree char *target = code_of (request->target);
  JsonObject *body = json_object_new ();
  JsonArray *texts = json_array_new ();

  call->shield = dub_shield_new (request, DUB_SHIELD_WORD);
  if (call->shield != NULL)
    json_array_add_string_element (texts, dub_shield_get_text (call->shield));
  json_array_add_string_element (texts, request->text);
  json_object_set_array_member (body, "q", texts);
  json_object_set_string_member (body, "source", source);
  json_object_set_string_member (body, "target", target);
  json_object_set_string_member (body, "format", "text");
  dub_http_put_string (body, "api_key", options->libretranslate_key);
  return dub_http_json_take (body);
}

static char *
libretranslate_read (JsonNode *answer, const DubHttpTranslation *call)
{
  const char *first = dub_http_json_get_string (answer, "translatedText.0");
  const char *second = dub_http_json_get_string (answer, "translatedText.1");
  char *restored = NULL;

  if (call->shield == NULL)
    return g_strdup (first);
  if (first != NULL)
    restored = dub_shield_restore (call->shield, first);
  return restored != NULL ? restored : g_strdup (second);
}

static DubTranslator *
libretranslate_create (const DubTranslatorSettings *settings)
{
  const DubTranslationOptions *options = settings->options;
  const char *url = options != NULL ? options->libretranslate_url : NULL;
  DubHttpTranslatorPlace place = {.url = g_strdup (url != NULL ? url : URL)};

  if (options != NULL)
    place.secret = g_strdup (options->libretranslate_key);
  return dub_http_translator_new (&dub_libretranslate_dialect, settings, place);
}

static gboolean
libretranslate_is_installed (const DubTranslatorSettings *settings)
{
  return settings->options != NULL &&
         settings->options->libretranslate_url != NULL;
}

const DubTranslatorProvider dub_translator_libretranslate = {
    .name = "libretranslate",
    .create = libretranslate_create,
    DUB_HTTP_TRANSLATOR_FUNCS,
    .is_installed = libretranslate_is_installed,
};

const DubHttpDialect dub_libretranslate_dialect = {
    .provider = &dub_translator_libretranslate,
    .path = "/translate",
    .supports = libretranslate_supports,
    .make = libretranslate_make,
    .read = libretranslate_read,
};
