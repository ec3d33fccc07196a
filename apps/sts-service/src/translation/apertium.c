/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "sts.translation"

#include "apertium_text.h"
#include "calls.h"
#include "shield.h"

#include "engine/command.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>

/*
 * The provider "apertium": Apertium as the machine has it, one child per
 * language pair, started when the pair is first asked for.
 */

#define MODES_DIR "/usr/share/apertium/modes"

typedef struct {
  DubTranslator base;
  DubTranslatorCalls *calls;
  char **engine_argv;
  char *modes_dir;
  char **modes;        /* "eng-spa", ... */
  GHashTable *engines; /* of modes → DubEngineClient */
  DubMetrics *metrics;
} Apertium;

static char *
modes_dir (const DubTranslatorSettings *settings)
{
  const char *dir =
      settings->options != NULL ? settings->options->apertium_modes_dir : NULL;

  return g_strdup (dir != NULL ? dir : MODES_DIR);
}

static char **
list_modes (const char *path)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name = NULL;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *mode = g_strdup (name);

    if (!g_str_has_suffix (mode, ".mode"))
      continue;
    mode[strlen (mode) - strlen (".mode")] = '\0';
    g_strv_builder_add (names, mode);
  }
  return g_strv_builder_end (names);
}

static DubTranslator *
apertium_create (const DubTranslatorSettings *settings)
{
  Apertium *self = g_new0 (Apertium, 1);

  self->base.provider = &dub_translator_apertium;
  self->calls = dub_translator_calls_new (&self->base);
  self->engine_argv = g_strdupv ((char **) settings->engine_argv);
  self->modes_dir = modes_dir (settings);
  self->modes = list_modes (self->modes_dir);
  self->engines = g_hash_table_new_full (
      g_str_hash, g_str_equal, NULL, (GDestroyNotify) dub_engine_client_free);
  if (settings->metrics != NULL)
    self->metrics = dub_metrics_ref (settings->metrics);
  return &self->base;
}

static void
apertium_destroy (DubTranslator *base)
{
  Apertium *self = (Apertium *) base;

  g_hash_table_unref (self->engines);
  dub_translator_calls_free (self->calls);
  g_clear_pointer (&self->metrics, dub_metrics_unref);
  g_strfreev (self->engine_argv);
  g_strfreev (self->modes);
  g_free (self->modes_dir);
  g_free (self);
}

static gboolean
apertium_is_installed (const DubTranslatorSettings *settings)
{
  g_autofree char *dir = modes_dir (settings);
  g_auto (GStrv) modes = list_modes (dir);
  g_autofree char *program = g_find_program_in_path ("lt-proc");

  return program != NULL && modes[0] != NULL;
}

static DubEngineClient *
engine_start (Apertium *self, const char *mode)
{
  g_autofree char *name = g_strconcat ("apertium ", mode, NULL);
  g_autofree char *file = g_strconcat (mode, ".mode", NULL);
  g_autofree char *path = g_build_filename (self->modes_dir, file, NULL);
  g_autoptr (JsonObject) load = json_object_new ();

  json_object_set_string_member (load, "mode", path);
  return dub_engine_command_start (
      &(DubEngineCommand){.argv = (const char *const *) self->engine_argv,
          .kind = "apertium",
          .name = name,
          .load = load,
          .metrics = self->metrics});
}

/* Of the pair; NULL: none is installed for it. */
static DubEngineClient *
engine_of (Apertium *self, const char *source, const char *target)
{
  const char *mode =
      dub_apertium_pick ((const char *const *) self->modes, source, target);
  DubEngineClient *engine = NULL;

  if (mode == NULL)
    return NULL;
  engine = g_hash_table_lookup (self->engines, mode);
  if (engine != NULL)
    return engine;
  engine = engine_start (self, mode);
  g_hash_table_insert (self->engines, (char *) mode, engine);
  return engine;
}

/* A pair that nobody has asked for yet is ready: it takes a moment. */
static gboolean
apertium_is_ready (DubTranslator *base, GError **error)
{
  Apertium *self = (Apertium *) base;
  GHashTableIter iter;
  gpointer engine;

  if (self->modes[0] == NULL) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND,
        "Apertium has no language pair in %s: install one, such as Debian's "
        "apertium-eng-spa",
        self->modes_dir);
    return FALSE;
  }
  g_hash_table_iter_init (&iter, self->engines);
  while (g_hash_table_iter_next (&iter, NULL, &engine))
    if (!dub_engine_client_is_ready (engine, error))
      return FALSE;
  return TRUE;
}

/* A stream that asks is a stream that comes: the pair is loaded for it; for
 * "auto" a likely one. */
static gboolean
apertium_supports (DubTranslator *base, const char *source, const char *target)
{
  return engine_of ((Apertium *) base, source, target) != NULL;
}

/* A word that it does not know, such as the shield's, passes as it is. */
static void
answer_shielded (DubTranslatorCall *call, const char *text)
{
  g_autofree char *restored = dub_shield_restore (call->data, text);
  g_autoptr (GError) error = NULL;

  if (restored == NULL)
    error = g_error_new_literal (
        DUB_ERROR, DUB_ERROR_ENGINE, "Apertium lost a term of the glossary");
  dub_translator_call_answer (call, restored, error);
}

static void
on_answer (const DubFrame *answer, const GError *error, gpointer user_data)
{
  DubTranslatorCall *call = user_data;
  const char *text =
      answer != NULL ? dub_frame_get_string (answer, "text", "") : NULL;

  if (text != NULL && call->data != NULL)
    answer_shielded (call, text);
  else
    dub_translator_call_answer (call, text, error);
}

static void
send (DubTranslatorCall *call, const DubTranslationRequest *request)
{
  DubShield *shield = dub_shield_new (request, DUB_SHIELD_WORD);
  JsonObject *header = json_object_new ();

  call->data = shield;
  call->data_free = (GDestroyNotify) dub_shield_free;
  json_object_set_string_member (header, "op", "translate");
  json_object_set_string_member (header, "text",
      shield != NULL ? dub_shield_get_text (shield) : request->text);
  call->engine_id = dub_engine_client_request (call->engine,
      dub_frame_new (header, NULL), request->deadline_ns, on_answer, call);
}

static guint64
apertium_translate (DubTranslator *base, const DubTranslationRequest *request,
    DubTranslatedFunc done, gpointer user_data)
{
  Apertium *self = (Apertium *) base;
  DubTranslatorCall *call =
      dub_translator_calls_begin (self->calls, done, user_data);

  if (!g_str_equal (request->source, "auto"))
    call->engine = engine_of (self, request->source, request->target);
  if (call->engine == NULL)
    dub_translator_call_answer_later (call, NULL,
        g_error_new (DUB_ERROR, DUB_ERROR_UNSUPPORTED,
            "Apertium has no pair %s → %s", request->source, request->target));
  else
    send (call, request);
  return call->id;
}

static void
apertium_cancel (DubTranslator *base, guint64 id)
{
  DubTranslatorCall *call =
      dub_translator_calls_get (((Apertium *) base)->calls, id);

  if (call == NULL)
    return;
  if (call->engine != NULL)
    dub_engine_client_cancel (call->engine, call->engine_id);
  dub_translator_call_drop (call);
}

const DubTranslatorProvider dub_translator_apertium = {
    .name = "apertium",
    .create = apertium_create,
    .free = apertium_destroy,
    .is_ready = apertium_is_ready,
    .supports = apertium_supports,
    .translate = apertium_translate,
    .cancel = apertium_cancel,
    .is_installed = apertium_is_installed,
};
