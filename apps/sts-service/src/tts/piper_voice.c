/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "sts.tts"

#include "piper_voice.h"

#include <dubbing_common/log.h>
#include <dubbing_socketio/json.h>
#include <string.h>

#define MAX_CONFIG (1024 * 1024)

static char *
member_text (JsonObject *object, const char *name)
{
  JsonNode *node =
      object != NULL ? json_object_get_member (object, name) : NULL;

  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node) ||
      json_node_get_value_type (node) != G_TYPE_STRING)
    return NULL;
  return json_node_dup_string (node);
}

static JsonObject *
member_object (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node)
             ? json_node_get_object (node)
             : NULL;
}

static void
take_config (DubPiperVoice *voice, JsonObject *config)
{
  char *family = member_text (member_object (config, "language"), "family");
  char *espeak = member_text (member_object (config, "espeak"), "voice");

  if (family == NULL && espeak != NULL)
    family = g_strndup (espeak, strcspn (espeak, "-"));
  voice->language = family != NULL ? family : g_strdup ("en");
  voice->espeak_voice = espeak != NULL ? espeak : g_strdup ("en-us");
}

static void
read_config (DubPiperVoice *voice, const char *path)
{
  g_autoptr (JsonNode) root = NULL;
  g_autoptr (JsonObject) nothing = json_object_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  gsize length = 0;

  if (g_file_get_contents (path, &text, &length, &error) &&
      length <= MAX_CONFIG && g_utf8_validate (text, (gssize) length, NULL))
    root = dub_sio_json_parse (text, length, &error);
  if (root != NULL && JSON_NODE_HOLDS_OBJECT (root)) {
    take_config (voice, json_node_get_object (root));
    return;
  }
  dub_warning ("the voice's configuration '%s' is not read: %s", path,
      error != NULL ? error->message : "no JSON object of sane size");
  take_config (voice, nothing);
}

DubPiperVoice *
dub_piper_voice_read (const char *folder)
{
  DubPiperVoice *voice = g_new0 (DubPiperVoice, 1);
  g_autofree char *config = g_build_filename (folder, "model.onnx.json", NULL);

  voice->model = g_build_filename (folder, "model.onnx", NULL);
  voice->tokens = g_build_filename (folder, "tokens.txt", NULL);
  read_config (voice, config);
  return voice;
}

void
dub_piper_voice_free (DubPiperVoice *voice)
{
  if (voice == NULL)
    return;
  g_free (voice->model);
  g_free (voice->tokens);
  g_free (voice->language);
  g_free (voice->espeak_voice);
  g_free (voice);
}
