/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "sts.tts"

#include "phonemes.h"
#include "piper_engine.h"
#include "tts.h"

#include "engine/command.h"
#include "engine/engine_client.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <dubbing_socketio/json.h>
#include <string.h>

/* The provider "piper": the service's side of the child of that name. */

#define MAX_CONFIG (1024 * 1024)

typedef struct {
  DubTts base;
  DubEngineClient *engine;
  char *language; /* "en", out of the voice's own configuration */
  char *espeak_voice;
  char *name; /* "joe" */
} PiperTts;

typedef struct {
  DubTtsDoneFunc done;
  gpointer user_data;
} Call;

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
take_config (PiperTts *self, JsonObject *config)
{
  JsonObject *language = member_object (config, "language");
  char *family = member_text (language, "family");
  char *voice = member_text (member_object (config, "espeak"), "voice");
  char *name = member_text (config, "dataset");

  if (family == NULL && voice != NULL)
    family = g_strndup (voice, strcspn (voice, "-"));
  g_free (self->language);
  self->language = family != NULL ? family : g_strdup ("en");
  g_free (self->espeak_voice);
  self->espeak_voice = voice != NULL ? voice : g_strdup ("en-us");
  g_free (self->name);
  self->name = name != NULL ? name : g_strdup ("default");
}

/* A voice without its configuration is taken for an English one; a missing
 * model is the child's to report. */
static void
read_config (PiperTts *self, const char *path)
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
    take_config (self, json_node_get_object (root));
    return;
  }
  dub_warning ("the voice's configuration '%s' is not read: %s", path,
      error != NULL ? error->message : "no JSON object of sane size");
  take_config (self, nothing);
}

static DubTts *
piper_create (const DubTtsSettings *settings)
{
  PiperTts *self = g_new0 (PiperTts, 1);
  const char *folder = settings->voice_folder;
  g_auto (GStrv) argv = dub_engine_command (settings->engine_argv, "piper");
  g_autoptr (JsonObject) load = json_object_new ();
  g_autofree char *model = g_build_filename (folder, "model.onnx", NULL);
  g_autofree char *config = g_build_filename (folder, "model.onnx.json", NULL);
  g_autofree char *tokens = g_build_filename (folder, "tokens.txt", NULL);
  DubEngineClientSettings engine;

  self->base.provider = &dub_tts_piper;
  read_config (self, config);
  json_object_set_string_member (load, "model", model);
  json_object_set_string_member (load, "tokens", tokens);
  json_object_set_string_member (load, "espeak_voice", self->espeak_voice);
  json_object_set_int_member (load, "threads", settings->threads);
  dub_engine_client_settings_init (&engine);
  engine.name = "piper";
  engine.argv = (const char *const *) argv;
  engine.load = load;
  engine.metrics = settings->metrics;
  self->engine = dub_engine_client_new (&engine);
  return &self->base;
}

static void
piper_destroy (DubTts *base)
{
  PiperTts *self = (PiperTts *) base;

  dub_engine_client_free (self->engine);
  g_free (self->language);
  g_free (self->espeak_voice);
  g_free (self->name);
  g_free (self);
}

static gboolean
piper_is_ready (DubTts *base, GError **error)
{
  return dub_engine_client_is_ready (((PiperTts *) base)->engine, error);
}

static gboolean
piper_has_voice (DubTts *base, const char *language, const char *voice)
{
  PiperTts *self = (PiperTts *) base;

  if (strncmp (language, self->language, strcspn (language, "-_")) != 0 ||
      strcspn (language, "-_") != strlen (self->language))
    return FALSE;
  return voice == NULL || *voice == '\0' || g_str_equal (voice, "default") ||
         g_str_equal (voice, self->name);
}

static void
on_answer (const DubFrame *answer, const GError *error, gpointer user_data)
{
  g_autofree Call *call = user_data;
  g_autoptr (GError) broken = NULL;
  gint64 rate = answer != NULL ? dub_frame_get_int (answer, "rate_hz", 0) : 0;

  if (answer != NULL &&
      (rate < 8000 || rate > 48000 || g_bytes_get_size (answer->payload) == 0 ||
          g_bytes_get_size (answer->payload) % 4 != 0))
    broken = g_error_new_literal (DUB_ERROR, DUB_ERROR_ENGINE,
        "the engine piper answered without usable sound");
  if (answer == NULL || broken != NULL)
    call->done (NULL, 0, broken != NULL ? broken : error, call->user_data);
  else
    call->done (answer->payload, (guint) rate, NULL, call->user_data);
}

static guint64
piper_synthesise (DubTts *base, const DubTtsRequest *request,
    DubTtsDoneFunc done, gpointer user_data)
{
  JsonObject *header = json_object_new ();
  Call *call = g_new (Call, 1);

  *call = (Call){done, user_data};
  json_object_set_string_member (header, "op", "synthesise");
  json_object_set_string_member (header, "text", request->text);
  json_object_set_double_member (header, "speed", request->speed);
  return dub_engine_client_request (((PiperTts *) base)->engine,
      dub_frame_new (header, NULL), request->deadline_ns, on_answer, call);
}

static void
piper_cancel (DubTts *base, guint64 id)
{
  Call *call = dub_engine_client_cancel (((PiperTts *) base)->engine, id);

  g_free (call);
}

static gboolean
piper_is_installed (const DubTtsSettings *settings)
{
  g_autofree char *model =
      g_build_filename (settings->voice_folder, "model.onnx", NULL);

  return dub_piper_engine.handle != NULL && dub_phonemes_exist () &&
         g_file_test (model, G_FILE_TEST_EXISTS);
}

const DubTtsProvider dub_tts_piper = {
    .name = "piper",
    .create = piper_create,
    .free = piper_destroy,
    .is_ready = piper_is_ready,
    .has_voice = piper_has_voice,
    .synthesise = piper_synthesise,
    .cancel = piper_cancel,
    .is_installed = piper_is_installed,
};
