/* SPDX-License-Identifier: Apache-2.0 */
#include "http_voice.h"

#include "http/http_json.h"

/* The provider "openai": OpenAI's speech endpoint and the servers that speak
 * its language. WAV is asked for, since it says its own rate; a server that
 * sends MP3 all the same is understood. */

#define MIN_SPEED 0.25
#define MAX_SPEED 4.0

static const char *
missing (const DubTtsOptions *options)
{
  return options->speech_url == NULL ? "OPENAI_SPEECH_URL" : NULL;
}

static const char *
url (const DubTtsOptions *options)
{
  return options->speech_url;
}

static const char *
key (const DubTtsOptions *options)
{
  return options->speech_key;
}

static void
make (const DubTtsOptions *options, const char *base,
    const DubTtsRequest *request, const DubVoice *voice, DubHttpVoiceCall *call)
{
  g_autoptr (JsonNode) root = json_node_new (JSON_NODE_OBJECT);
  JsonObject *body = json_object_new ();
  const char *model =
      *voice->model != '\0' ? voice->model : options->speech_model;
  double speed = CLAMP (request->speed * voice->speed, MIN_SPEED, MAX_SPEED);

  json_node_take_object (root, body);
  json_object_set_string_member (body, "model", model);
  json_object_set_string_member (body, "voice", voice->voice);
  json_object_set_string_member (body, "input", request->text);
  json_object_set_string_member (body, "response_format", "wav");
  json_object_set_double_member (body, "speed", speed);
  call->method = "POST";
  call->url = g_strconcat (base, "/audio/speech", NULL);
  call->body = dub_http_json_to_bytes (root);
}

static const DubVoiceDialect dialect = {
    .provider = &dub_tts_openai,
    .key_header = "Authorization",
    .key_scheme = "Bearer ",
    .missing = missing,
    .url = url,
    .key = key,
    .make = make,
};

static DubTts *
openai_create (const DubTtsSettings *settings)
{
  return dub_http_voice_new (&dialect, settings);
}

static gboolean
openai_is_installed (const DubTtsSettings *settings)
{
  return settings->options != NULL && missing (settings->options) == NULL;
}

const DubTtsProvider dub_tts_openai = {
    .name = "openai",
    .create = openai_create,
    .free = dub_http_voice_free,
    .is_ready = dub_http_voice_is_ready,
    .has_voice = dub_http_voice_has_voice,
    .synthesise = dub_http_voice_synthesise,
    .cancel = dub_http_voice_cancel,
    .is_installed = openai_is_installed,
};
