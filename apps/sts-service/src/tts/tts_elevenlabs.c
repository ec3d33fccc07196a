/* SPDX-License-Identifier: Apache-2.0 */
#include "http_voice.h"

#include "http/http_json.h"

#include <string.h>

/* The provider "elevenlabs". It is asked for plain samples, which saves one
 * lossy coding; the two higher rates need a dearer plan. */

#define URL "https://api.elevenlabs.io"
#define RATE_HZ 24000
#define MIN_SPEED 0.7
#define MAX_SPEED 1.2
/* What it takes for the one of the two that is not said. */
#define STABILITY 0.5
#define SIMILARITY 0.75

static const char *
missing (const DubTtsOptions *options)
{
  return options->elevenlabs_key == NULL ? "ELEVENLABS_API_KEY" : NULL;
}

static const char *
url (const DubTtsOptions *options)
{
  return options->elevenlabs_url != NULL ? options->elevenlabs_url : URL;
}

static const char *
key (const DubTtsOptions *options)
{
  return options->elevenlabs_key;
}

static JsonObject *
voice_settings (const DubTtsRequest *request, const DubVoice *voice)
{
  JsonObject *settings = json_object_new ();
  double speed = CLAMP (request->speed * voice->speed, MIN_SPEED, MAX_SPEED);

  json_object_set_double_member (settings, "speed", speed);
  if (voice->stability < 0 && voice->similarity < 0)
    return settings;
  json_object_set_double_member (settings, "stability",
      voice->stability >= 0 ? voice->stability : STABILITY);
  json_object_set_double_member (settings, "similarity_boost",
      voice->similarity >= 0 ? voice->similarity : SIMILARITY);
  return settings;
}

/* Only these models take the language, and others refuse it. */
static gboolean
takes_language (const char *model)
{
  return strstr (model, "flash_v2_5") != NULL ||
         strstr (model, "turbo_v2_5") != NULL;
}

static void
make (const DubTtsOptions *options, const char *base,
    const DubTtsRequest *request, const DubVoice *voice, DubHttpVoiceCall *call)
{
  g_autoptr (JsonNode) root = json_node_new (JSON_NODE_OBJECT);
  JsonObject *body = json_object_new ();
  g_autofree char *id = g_uri_escape_string (voice->voice, NULL, FALSE);
  g_autofree char *language = g_ascii_strdown (
      request->language, (gssize) strcspn (request->language, "-_"));
  const char *model =
      *voice->model != '\0' ? voice->model : options->elevenlabs_model;

  json_node_take_object (root, body);
  json_object_set_string_member (body, "text", request->text);
  json_object_set_string_member (body, "model_id", model);
  if (takes_language (model))
    json_object_set_string_member (body, "language_code", language);
  json_object_set_object_member (
      body, "voice_settings", voice_settings (request, voice));
  call->method = "POST";
  call->url = g_strdup_printf (
      "%s/v1/text-to-speech/%s?output_format=pcm_%d", base, id, RATE_HZ);
  call->body = dub_http_json_to_bytes (root);
  call->label = "pcm_s16le";
  call->label_rate_hz = RATE_HZ;
}

/* 401 is said of a bad key, of a used-up quota and of much else. */
static DubErrorCode
sort (guint status, JsonNode *body, DubErrorCode fallback)
{
  const char *why = dub_http_json_get_string (body, "detail.status");

  if (why == NULL)
    return fallback;
  if (g_str_equal (why, "voice_not_found"))
    return DUB_ERROR_NOT_FOUND;
  if (g_str_equal (why, "max_character_limit_exceeded"))
    return DUB_ERROR_LIMIT;
  if (g_str_equal (why, "system_busy") ||
      g_str_equal (why, "too_many_concurrent_requests"))
    return DUB_ERROR_OVERLOADED;
  return fallback;
}

static const DubVoiceDialect dialect = {
    .provider = &dub_tts_elevenlabs,
    .key_header = "xi-api-key",
    .key_scheme = "",
    .missing = missing,
    .url = url,
    .key = key,
    .make = make,
    .sort = sort,
    .max_speed = MAX_SPEED,
};

static DubTts *
elevenlabs_create (const DubTtsSettings *settings)
{
  return dub_http_voice_new (&dialect, settings);
}

static gboolean
elevenlabs_is_installed (const DubTtsSettings *settings)
{
  return settings->options != NULL && missing (settings->options) == NULL;
}

const DubTtsProvider dub_tts_elevenlabs = {
    .name = "elevenlabs",
    .create = elevenlabs_create,
    .free = dub_http_voice_free,
    .is_ready = dub_http_voice_is_ready,
    .has_voice = dub_http_voice_has_voice,
    .synthesise = dub_http_voice_synthesise,
    .cancel = dub_http_voice_cancel,
    .is_installed = elevenlabs_is_installed,
};
