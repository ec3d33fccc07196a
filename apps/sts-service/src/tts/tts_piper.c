/* SPDX-License-Identifier: Apache-2.0 */
#include "engine_voice.h"
#include "phonemes.h"
#include "piper_engine.h"
#include "piper_voice.h"

#include "engine/command.h"

#include <dubbing_common/error.h>
#include <string.h>

/*
 * The provider "piper": the service's side of the children of that name. A
 * Piper voice is a model, and a model is a child; the first voice's starts
 * with the service, another's when a stream asks for it.
 */

#define MAX_CHILDREN 8

typedef struct {
  char *name;
  DubPiperVoice *files;
  DubEngineClient *engine;
} Child;

typedef struct {
  DubTts base;
  char **engine_argv;
  char *models_dir;
  gboolean has_own; /* TTS_VOICE is the first child's */
  guint threads;
  DubMetrics *metrics;
  DubVoices *voices;
  GPtrArray *children; /* of Child; the first decides whether we are ready */
  guint64 last_id;
  GHashTable *calls; /* our id -> Ticket */
} PiperTts;

/* Two children may give the same id. */
typedef struct {
  PiperTts *tts;
  guint64 id, child_id;
  Child *child;
  DubTtsDoneFunc done;
  gpointer user_data;
} Ticket;

static void
child_free (gpointer data)
{
  Child *child = data;

  dub_engine_client_free (child->engine);
  dub_piper_voice_free (child->files);
  g_free (child->name);
  g_free (child);
}

static char *
folder_of (const char *models_dir, const char *name)
{
  return strchr (name, '/') != NULL ? g_strdup (name)
                                    : g_build_filename (models_dir, name, NULL);
}

static gboolean
has_model (const char *models_dir, const char *name)
{
  g_autofree char *folder = folder_of (models_dir, name);
  g_autofree char *model = g_build_filename (folder, "model.onnx", NULL);

  return g_file_test (model, G_FILE_TEST_IS_REGULAR);
}

static Child *
child_start (PiperTts *self, const char *name)
{
  Child *child = g_new0 (Child, 1);
  g_autofree char *folder = folder_of (self->models_dir, name);
  g_autoptr (JsonObject) load = json_object_new ();

  child->name = g_strdup (name);
  child->files = dub_piper_voice_read (folder);
  json_object_set_string_member (load, "model", child->files->model);
  json_object_set_string_member (load, "tokens", child->files->tokens);
  json_object_set_string_member (
      load, "espeak_voice", child->files->espeak_voice);
  json_object_set_int_member (load, "threads", self->threads);
  child->engine = dub_engine_command_start (&(DubEngineCommand){
      (const char *const *) self->engine_argv, "piper", load, self->metrics});
  g_ptr_array_add (self->children, child);
  return child;
}

/* (nullable): there are enough. */
static Child *
child_of (PiperTts *self, const char *name)
{
  for (guint i = 0; i < self->children->len; i++) {
    Child *child = g_ptr_array_index (self->children, i);
    if (g_str_equal (child->name, name))
      return child;
  }
  return self->children->len < MAX_CHILDREN ? child_start (self, name) : NULL;
}

static const char *
own_voice (const DubTtsSettings *settings)
{
  const char *own = settings->options != NULL ? settings->options->voice : NULL;

  return own != NULL && *own != '\0' ? own : NULL;
}

/* What our first child speaks with. */
static const char *
first_voice (const DubTtsSettings *settings, const DubVoices *voices)
{
  if (own_voice (settings) != NULL)
    return own_voice (settings);
  for (guint i = 0; i < dub_voices_count (voices); i++)
    if (g_str_equal (dub_voices_get (voices, i)->engine, "piper"))
      return dub_voices_get (voices, i)->voice;
  return "none";
}

static DubTts *
piper_create (const DubTtsSettings *settings)
{
  PiperTts *self = g_new0 (PiperTts, 1);

  self->base.provider = &dub_tts_piper;
  self->engine_argv = g_strdupv ((char **) settings->engine_argv);
  self->models_dir = g_strdup (settings->models_dir);
  self->has_own = own_voice (settings) != NULL;
  self->threads = settings->threads;
  self->metrics = settings->metrics;
  self->voices = dub_tts_settings_voices (settings);
  self->children = g_ptr_array_new_with_free_func (child_free);
  self->calls = g_hash_table_new (g_int64_hash, g_int64_equal);
  child_start (self, first_voice (settings, self->voices));
  return &self->base;
}

static void
piper_destroy (DubTts *base)
{
  PiperTts *self = (PiperTts *) base;

  /* Their requests are answered now, and look into calls. */
  g_ptr_array_unref (self->children);
  g_hash_table_unref (self->calls);
  dub_voices_unref (self->voices);
  g_strfreev (self->engine_argv);
  g_free (self->models_dir);
  g_free (self);
}

static gboolean
piper_is_ready (DubTts *base, GError **error)
{
  Child *first = g_ptr_array_index (((PiperTts *) base)->children, 0);

  return dub_engine_client_is_ready (first->engine, error);
}

static gboolean
is_language (const char *language, const char *tag)
{
  gsize length = strcspn (tag, "-_");

  return strlen (language) == length &&
         g_ascii_strncasecmp (language, tag, length) == 0;
}

/* TTS_VOICE speaks its own language before any voice of the file. */
static const char *
find_name (
    PiperTts *self, const DubTtsRequest *request, const DubVoice **ret_voice)
{
  Child *first = g_ptr_array_index (self->children, 0);
  gboolean is_default = request->voice == NULL || *request->voice == '\0' ||
                        g_str_equal (request->voice, "default");

  *ret_voice = NULL;
  if (self->has_own && is_default && request->speaker == NULL &&
      is_language (first->files->language, request->language))
    return first->name;
  *ret_voice = dub_tts_find_voice (&self->base, self->voices, request);
  return *ret_voice != NULL ? (*ret_voice)->voice : NULL;
}

static gboolean
piper_has_voice (DubTts *base, const char *language, const char *profile)
{
  PiperTts *self = (PiperTts *) base;
  DubTtsRequest request = {.language = language, .voice = profile};
  const DubVoice *voice = NULL;
  const char *name = find_name (self, &request, &voice);

  return name != NULL && has_model (self->models_dir, name) &&
         child_of (self, name) != NULL;
}

static gboolean
piper_check_voice (DubTts *base, const DubVoice *voice, GError **error)
{
  PiperTts *self = (PiperTts *) base;
  g_autofree char *folder = folder_of (self->models_dir, voice->voice);
  g_autoptr (DubPiperVoice) files = NULL;

  if (!has_model (self->models_dir, voice->voice)) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND,
        "there is no Piper voice in '%s'", folder);
    return FALSE;
  }
  files = dub_piper_voice_read (folder);
  if (g_str_equal (voice->language, "*") ||
      is_language (files->language, voice->language))
    return TRUE;
  g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
      "this Piper voice speaks '%s'", files->language);
  return FALSE;
}

/* ---- calls --------------------------------------------------------------- */

static void
on_spoken (
    GBytes *samples, guint rate_hz, const GError *error, gpointer user_data)
{
  g_autofree Ticket *ticket = user_data;

  g_hash_table_remove (ticket->tts->calls, &ticket->id);
  ticket->done (samples, rate_hz, error, ticket->user_data);
}

static guint64
piper_synthesise (DubTts *base, const DubTtsRequest *request,
    DubTtsDoneFunc done, gpointer user_data)
{
  PiperTts *self = (PiperTts *) base;
  const DubVoice *voice = NULL;
  const char *name = find_name (self, request, &voice);
  Child *child = name != NULL ? child_of (self, name) : NULL;
  Ticket *ticket = g_new (Ticket, 1);

  /* No such voice: stream:init refused it. The first one is better than none.
   */
  if (child == NULL)
    child = g_ptr_array_index (self->children, 0);
  *ticket = (Ticket){self, ++self->last_id, 0, child, done, user_data};
  g_hash_table_insert (self->calls, &ticket->id, ticket);
  ticket->child_id = dub_engine_voice_ask (
      child->engine, json_object_new (), request, voice, on_spoken, ticket);
  return ticket->id;
}

static void
piper_cancel (DubTts *base, guint64 id)
{
  PiperTts *self = (PiperTts *) base;
  Ticket *ticket = g_hash_table_lookup (self->calls, &id);

  if (ticket == NULL)
    return;
  g_hash_table_remove (self->calls, &id);
  dub_engine_voice_cancel (ticket->child->engine, ticket->child_id);
  g_free (ticket);
}

static gboolean
piper_is_installed (const DubTtsSettings *settings)
{
  g_autoptr (DubVoices) voices = dub_tts_settings_voices (settings);

  return dub_piper_engine.handle != NULL && dub_phonemes_exist () &&
         has_model (settings->models_dir, first_voice (settings, voices));
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
    .check_voice = piper_check_voice,
};
