/* SPDX-License-Identifier: Apache-2.0 */
#include "http_voice.h"

#include <string.h>

/* The provider "coqui": the server that comes with Coqui TTS (tts-server). It
 * speaks with the one model it was started with, at that model's own rate:
 * nothing there makes it faster. */

static const char *
missing (const DubTtsOptions *options)
{
  return options->coqui_url == NULL ? "COQUI_URL" : NULL;
}

static const char *
url (const DubTtsOptions *options)
{
  return options->coqui_url;
}

static const char *
no_key (const DubTtsOptions *options)
{
  return NULL;
}

static void
append (GString *query, const char *name, const char *value)
{
  g_autofree char *escaped = g_uri_escape_string (value, NULL, TRUE);

  g_string_append_printf (
      query, "%s%s=%s", query->len > 0 ? "&" : "", name, escaped);
}

static void
make (const DubTtsOptions *options, const char *base,
    const DubTtsRequest *request, const DubVoice *voice, DubHttpVoiceCall *call)
{
  g_autoptr (GString) query = g_string_new (NULL);
  g_autofree char *language = g_ascii_strdown (
      request->language, (gssize) strcspn (request->language, "-_"));

  append (query, "text", request->text);
  if (*voice->voice != '\0')
    append (query, "speaker_id", voice->voice);
  append (query, "language_id", language);
  call->method = "GET";
  call->url = g_strconcat (base, "/api/tts?", query->str, NULL);
}

static const DubVoiceDialect dialect = {
    .provider = &dub_tts_coqui,
    .missing = missing,
    .url = url,
    .key = no_key,
    .make = make,
    .max_speed = 1,
};

static DubTts *
coqui_create (const DubTtsSettings *settings)
{
  return dub_http_voice_new (&dialect, settings);
}

static gboolean
coqui_is_installed (const DubTtsSettings *settings)
{
  return settings->options != NULL && missing (settings->options) == NULL;
}

const DubTtsProvider dub_tts_coqui = {
    .name = "coqui",
    .create = coqui_create,
    .free = dub_http_voice_free,
    .is_ready = dub_http_voice_is_ready,
    .has_voice = dub_http_voice_has_voice,
    .synthesise = dub_http_voice_synthesise,
    .cancel = dub_http_voice_cancel,
    .is_installed = coqui_is_installed,
};
