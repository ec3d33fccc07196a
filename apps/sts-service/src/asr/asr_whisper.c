/* SPDX-License-Identifier: Apache-2.0 */
#include "asr.h"
#include "domain.h"
#include "whisper_engine.h"

#include "engine/command.h"

#include <dubbing_common/error.h>
#include <string.h>

/* The provider "whisper": the service's side of the child of that name. */

typedef struct {
  DubAsr base;
  DubEngineClient *engine;
  gboolean is_english_only; /* "ggml-base.en.bin" */
  gboolean can_translate;   /* the turbo models were not trained for it */
} WhisperAsr;

typedef struct {
  DubAsrDoneFunc done;
  gpointer user_data;
} Call;

/* The publisher's names tell what a model was trained for, and nothing in the
 * file does. */
static void
take_model (WhisperAsr *self, const char *path)
{
  g_autofree char *name = g_path_get_basename (path);

  self->is_english_only = strstr (name, ".en") != NULL;
  self->can_translate =
      !self->is_english_only && strstr (name, "turbo") == NULL;
}

static DubAsr *
whisper_create (const DubAsrSettings *settings)
{
  WhisperAsr *self = g_new0 (WhisperAsr, 1);
  g_autoptr (JsonObject) load = json_object_new ();

  self->base.provider = &dub_asr_whisper;
  take_model (self, settings->model);
  json_object_set_string_member (load, "model", settings->model);
  json_object_set_int_member (load, "threads", settings->threads);
  json_object_set_string_member (
      load, "device", settings->device != NULL ? settings->device : "auto");
  self->engine = dub_engine_command_start (&(DubEngineCommand){
      settings->engine_argv, "whisper", load, settings->metrics});
  return &self->base;
}

static void
whisper_destroy (DubAsr *base)
{
  WhisperAsr *self = (WhisperAsr *) base;

  dub_engine_client_free (self->engine);
  g_free (self);
}

static gboolean
whisper_is_ready (DubAsr *base, GError **error)
{
  return dub_engine_client_is_ready (((WhisperAsr *) base)->engine, error);
}

static gboolean
whisper_knows (DubAsr *base, const char *language)
{
  WhisperAsr *self = (WhisperAsr *) base;

  if (self->is_english_only)
    return g_strcmp0 (dub_whisper_language (language), "en") == 0;
  return g_str_equal (language, "auto") ||
         dub_whisper_language (language) != NULL;
}

static gboolean
whisper_translates_to (DubAsr *base, const char *language)
{
  return ((WhisperAsr *) base)->can_translate &&
         g_strcmp0 (dub_whisper_language (language), "en") == 0;
}

static void
on_answer (const DubFrame *answer, const GError *error, gpointer user_data)
{
  g_autofree Call *call = user_data;
  DubHeard heard = {NULL};

  if (answer == NULL) {
    call->done (NULL, error, call->user_data);
    return;
  }
  heard.text = dub_frame_get_string (answer, "text", "");
  heard.language = dub_frame_get_string (answer, "language", "");
  heard.language_probability =
      dub_frame_get_double (answer, "language_probability", 0);
  heard.asked_probability =
      dub_frame_get_double (answer, "asked_probability", 0);
  heard.no_speech = dub_frame_get_double (answer, "no_speech", 0);
  heard.mean_logprob = dub_frame_get_double (answer, "mean_logprob", -99);
  call->done (&heard, NULL, call->user_data);
}

static guint64
whisper_recognise (DubAsr *base, const DubAsrRequest *request,
    DubAsrDoneFunc done, gpointer user_data)
{
  const char *prompt = dub_domain_prompt (request->domain, request->language);
  JsonObject *header = json_object_new ();
  Call *call = g_new (Call, 1);

  *call = (Call){done, user_data};
  json_object_set_string_member (header, "op", "recognise");
  json_object_set_string_member (header, "language", request->language);
  json_object_set_string_member (
      header, "task", request->translate ? "translate" : "transcribe");
  json_object_set_int_member (header, "gives_way", request->gives_way);
  if (prompt != NULL)
    json_object_set_string_member (header, "prompt", prompt);
  return dub_engine_client_request (((WhisperAsr *) base)->engine,
      dub_frame_new (header, request->samples), request->deadline_ns, on_answer,
      call);
}

static void
whisper_cancel (DubAsr *base, guint64 id)
{
  Call *call = dub_engine_client_cancel (((WhisperAsr *) base)->engine, id);

  g_free (call);
}

static gboolean
whisper_is_idle (DubAsr *base)
{
  return dub_engine_client_get_depth (((WhisperAsr *) base)->engine) == 0;
}

static gboolean
whisper_is_installed (const DubAsrSettings *settings)
{
  return dub_whisper_engine.handle != NULL &&
         g_file_test (settings->model, G_FILE_TEST_EXISTS);
}

const DubAsrProvider dub_asr_whisper = {
    .name = "whisper",
    .create = whisper_create,
    .free = whisper_destroy,
    .is_ready = whisper_is_ready,
    .knows = whisper_knows,
    .translates_to = whisper_translates_to,
    .recognise = whisper_recognise,
    .cancel = whisper_cancel,
    .is_idle = whisper_is_idle,
    .is_installed = whisper_is_installed,
};
