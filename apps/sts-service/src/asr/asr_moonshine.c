/* SPDX-License-Identifier: Apache-2.0 */
#include "asr.h"
#include "moonshine_engine.h"

#include "engine/command.h"

/*
 * The provider "moonshine": the service's side of the child of that name.
 * English only. The guards have only its text to go by, since it does not tell
 * how sure it is; so "auto" never takes it.
 */

#define FOLDER "moonshine-tiny-en"

typedef struct {
  DubAsr base;
  DubEngineClient *engine;
} MoonshineAsr;

typedef struct {
  DubAsrDoneFunc done;
  gpointer user_data;
} Call;

static DubAsr *
moonshine_create (const DubAsrSettings *settings)
{
  MoonshineAsr *self = g_new0 (MoonshineAsr, 1);
  g_autoptr (JsonObject) load = json_object_new ();
  g_autofree char *models = g_path_get_dirname (settings->model);
  g_autofree char *folder = g_build_filename (models, FOLDER, NULL);

  self->base.provider = &dub_asr_moonshine;
  json_object_set_string_member (load, "folder", folder);
  json_object_set_int_member (load, "threads", settings->threads);
  self->engine = dub_engine_command_start (&(DubEngineCommand){
      settings->engine_argv, "moonshine", load, settings->metrics});
  return &self->base;
}

static void
moonshine_destroy (DubAsr *base)
{
  MoonshineAsr *self = (MoonshineAsr *) base;

  dub_engine_client_free (self->engine);
  g_free (self);
}

static gboolean
moonshine_is_ready (DubAsr *base, GError **error)
{
  return dub_engine_client_is_ready (((MoonshineAsr *) base)->engine, error);
}

static gboolean
moonshine_knows (DubAsr *base, const char *language)
{
  return g_ascii_strncasecmp (language, "en", 2) == 0 &&
         !g_ascii_isalpha (language[2]);
}

static gboolean
moonshine_translates_to (DubAsr *base, const char *language)
{
  return FALSE;
}

static void
on_answer (const DubFrame *answer, const GError *error, gpointer user_data)
{
  g_autofree Call *call = user_data;
  DubHeard heard = {.language = "en"};

  if (answer == NULL) {
    call->done (NULL, error, call->user_data);
    return;
  }
  heard.text = dub_frame_get_string (answer, "text", "");
  call->done (&heard, NULL, call->user_data);
}

static guint64
moonshine_recognise (DubAsr *base, const DubAsrRequest *request,
    DubAsrDoneFunc done, gpointer user_data)
{
  JsonObject *header = json_object_new ();
  Call *call = g_new (Call, 1);

  *call = (Call){done, user_data};
  json_object_set_string_member (header, "op", "recognise");
  return dub_engine_client_request (((MoonshineAsr *) base)->engine,
      dub_frame_new (header, request->samples), request->deadline_ns, on_answer,
      call);
}

static void
moonshine_cancel (DubAsr *base, guint64 id)
{
  g_free (dub_engine_client_cancel (((MoonshineAsr *) base)->engine, id));
}

static gboolean
moonshine_is_idle (DubAsr *base)
{
  return dub_engine_client_get_depth (((MoonshineAsr *) base)->engine) == 0;
}

static gboolean
moonshine_is_installed (const DubAsrSettings *settings)
{
  return FALSE;
}

const DubAsrProvider dub_asr_moonshine = {
    .name = "moonshine",
    .create = moonshine_create,
    .free = moonshine_destroy,
    .is_ready = moonshine_is_ready,
    .knows = moonshine_knows,
    .translates_to = moonshine_translates_to,
    .recognise = moonshine_recognise,
    .cancel = moonshine_cancel,
    .is_idle = moonshine_is_idle,
    .is_installed = moonshine_is_installed,
};
