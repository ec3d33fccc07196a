/* SPDX-License-Identifier: Apache-2.0 */
#include "work.h"

#include "stretch.h"
#include "trial.h"

#include "asr/whisper_engine.h"
#include "tts/phonemes.h"
#include "tts/piper_engine.h"

#include <dubbing_common/error.h>
#include <string.h>

static void
pipeline_submit (
    DubProcessor *base, DubJob *job, DubDoneFunc done, gpointer user_data)
{
  DubPipeline *self = (DubPipeline *) base;

  dub_stage_read (dub_work_new (self, job, done, user_data));
}

static void
pipeline_cancel (DubProcessor *base, gpointer user_data)
{
  DubPipeline *self = (DubPipeline *) base;

  for (GList *l = self->works; l != NULL; l = l->next) {
    DubWork *work = l->data;

    if (work->user_data != user_data)
      continue;
    dub_work_fail (work, "pipeline", "PROCESSING_ERROR", TRUE,
        "nobody waits for it any more");
    return;
  }
}

gboolean
dub_pipeline_engines_are_up (DubPipeline *self, GError **error)
{
  return self->asr->provider->is_ready (self->asr, error) &&
         self->translator->provider->is_ready (self->translator, error) &&
         self->tts->provider->is_ready (self->tts, error);
}

static gboolean
pipeline_is_ready (DubProcessor *base, GError **error)
{
  DubPipeline *self = (DubPipeline *) base;

  return dub_pipeline_engines_are_up (self, error) &&
         (self->trial == NULL || dub_trial_has_passed (self->trial, error));
}

static gboolean
can_translate (DubPipeline *self, const char *source, const char *target)
{
  if (dub_language_equal (source, target))
    return TRUE;
  if (self->asr->provider->translates_to (self->asr, target))
    return TRUE;
  return self->translator->provider->supports (
      self->translator, source, target);
}

static gboolean
pipeline_check (DubProcessor *base, const char *source, const char *target,
    const char *voice, GError **error)
{
  DubPipeline *self = (DubPipeline *) base;

  if (!self->asr->provider->knows (self->asr, source)) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
        "source language '%s': the recogniser %s does not know it", source,
        self->asr->provider->name);
    return FALSE;
  }
  if (!can_translate (self, source, target)) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
        "target language '%s': nothing here translates '%s' into it", target,
        source);
    return FALSE;
  }
  if (!self->tts->provider->has_voice (self->tts, target, "default")) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
        "target language '%s': the synthesiser %s has no voice for it", target,
        self->tts->provider->name);
    return FALSE;
  }
  if (!self->tts->provider->has_voice (self->tts, target, voice)) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND,
        "voice '%s': the synthesiser %s has none of that name for '%s'", voice,
        self->tts->provider->name, target);
    return FALSE;
  }
  return TRUE;
}

static void
pipeline_free (DubProcessor *base)
{
  DubPipeline *self = (DubPipeline *) base;

  while (self->works != NULL)
    dub_work_fail (self->works->data, "pipeline", "MODEL_ERROR", TRUE,
        "the service is ending");
  g_clear_pointer (&self->trial, dub_trial_free);
  g_clear_pointer (&self->read_lane, dub_lane_free);
  g_clear_pointer (&self->make_lane, dub_lane_free);
  dub_pace_free (self->pace);
  g_clear_pointer (&self->languages, dub_language_memory_free);
  g_clear_pointer (&self->preparer, dub_preparer_free);
  if (self->asr != NULL)
    self->asr->provider->free (self->asr);
  if (self->translator != NULL)
    self->translator->provider->free (self->translator);
  if (self->tts != NULL)
    self->tts->provider->free (self->tts);
  g_strfreev (self->engine_argv);
  g_free (self);
}

static void
make_metrics (DubPipeline *self, DubMetrics *metrics)
{
  static const double bounds[] = {0.1, 0.25, 0.5, 1, 2, 4, 8, 16};
  static const char *const reason[] = {"reason", NULL};

  if (metrics == NULL)
    return;
  self->asr_seconds = dub_metrics_histogram (metrics,
      "sts_asr_duration_seconds", "Time of recognition, waiting included.",
      NULL, bounds, G_N_ELEMENTS (bounds));
  self->translation_seconds =
      dub_metrics_histogram (metrics, "sts_translation_duration_seconds",
          "Time of translation.", NULL, bounds, G_N_ELEMENTS (bounds));
  self->tts_seconds = dub_metrics_histogram (metrics,
      "sts_tts_duration_seconds", "Time of synthesis and fitting.", NULL,
      bounds, G_N_ELEMENTS (bounds));
  self->guarded_total =
      dub_metrics_counter (metrics, "sts_fragments_without_speech_total",
          "Fragments that were not spoken, by what stopped them.", reason);
}

static char *
models_dir (const DubPipelineSettings *settings)
{
  return settings->models_dir != NULL ? g_strdup (settings->models_dir)
                                      : dub_pipeline_models_dir ();
}

/* A name in the models' folder, or a path. */
static char *
model_path (const char *folder, const char *name)
{
  return strchr (name, '/') != NULL ? g_strdup (name)
                                    : g_build_filename (folder, name, NULL);
}

guint
dub_pipeline_threads (
    const DubPipelineSettings *settings, gboolean is_recogniser, guint n_cores)
{
  guint least = is_recogniser && n_cores > 1 ? 2 : 1;

  if (settings->engine_threads > 0)
    return (guint) settings->engine_threads;
  return MAX (least, MAX (n_cores, 1) - 1);
}

static const char *const *
engine_argv (const DubPipelineSettings *settings)
{
  static const char *const own[] = {"/proc/self/exe", "engine", NULL};

  return settings->engine_argv != NULL ? settings->engine_argv : own;
}

DubTts *
dub_pipeline_start_tts (
    const DubPipelineSettings *settings, DubMetrics *metrics, GError **error)
{
  g_autofree char *folder = models_dir (settings);

  return dub_tts_chain_new (settings->tts.provider,
      &(DubTtsSettings){.engine_argv = engine_argv (settings),
          .models_dir = folder,
          .threads =
              dub_pipeline_threads (settings, FALSE, g_get_num_processors ()),
          .metrics = metrics,
          .options = &settings->tts,
          .mock = &settings->mock},
      error);
}

static gboolean
start_engines (DubPipeline *self, const DubPipelineSettings *settings,
    DubMetrics *metrics, GError **error)
{
  const char *const *argv = (const char *const *) self->engine_argv;
  g_autofree char *folder = models_dir (settings);
  g_autofree char *model = model_path (folder, settings->asr.model);

  self->asr = dub_asr_chain_new (settings->asr.provider,
      &(DubAsrSettings){.engine_argv = argv,
          .model = model,
          .threads =
              dub_pipeline_threads (settings, TRUE, g_get_num_processors ()),
          .metrics = metrics,
          .options = &settings->asr,
          .mock = &settings->mock,
          .device = dub_devices[settings->device]},
      error);
  if (self->asr == NULL)
    return FALSE;
  self->translator = dub_translator_chain_new (settings->translation.provider,
      &(DubTranslatorSettings){.engine_argv = argv,
          .metrics = metrics,
          .options = &settings->translation,
          .mock = &settings->mock},
      error);
  if (self->translator == NULL)
    return FALSE;
  self->tts = dub_pipeline_start_tts (settings, metrics, error);
  return self->tts != NULL;
}

static void
take_settings (DubPipeline *self, const DubPipelineSettings *settings)
{
  self->engine_argv = g_strdupv ((char **) engine_argv (settings));
  self->asr_timeout_ms = settings->asr.timeout_ms;
  self->translation_timeout_ms = settings->translation.timeout_ms;
  self->tts_timeout_ms = settings->tts.timeout_ms;
  self->transcript = (DubTranscriptMode) settings->transcript;
  self->prefers_asr_translation =
      dub_translator_prefers_asr (settings->translation.provider);
  self->wants_words = settings->asr.word_times;
  dub_guard_limits_init (&self->guard_limits);
  self->guard_limits.max_no_speech = settings->asr.max_no_speech;
  self->guard_limits.min_mean_logprob = settings->asr.min_mean_logprob;
  dub_fit_limits_init (&self->fit_limits);
  /* Then the rate, the pause and the cut have to do. */
  if (g_str_equal (dub_stretch_name (), "none"))
    self->fit_limits.max_stretch = 1;
}

static DubPipeline *
pipeline_alloc (const DubPipelineSettings *settings, DubMetrics *metrics)
{
  DubPipeline *self = g_new0 (DubPipeline, 1);

  self->base.name = "pipeline";
  self->base.submit = pipeline_submit;
  self->base.is_ready = pipeline_is_ready;
  self->base.check = pipeline_check;
  self->base.free = pipeline_free;
  self->base.cancel = pipeline_cancel;
  take_settings (self, settings);
  self->read_lane =
      dub_lane_new (&dub_stage_read_lane, MAX (1, g_get_num_processors () - 1));
  self->make_lane =
      dub_lane_new (&dub_stage_make_lane, MAX (1, g_get_num_processors () - 1));
  self->languages = dub_language_memory_new ();
  self->pace = dub_pace_new ();
  make_metrics (self, metrics);
  return self;
}

DubProcessor *
dub_pipeline_new (
    const DubPipelineSettings *settings, DubMetrics *metrics, GError **error)
{
  DubPipeline *self = pipeline_alloc (settings, metrics);

  self->preparer = dub_preparer_new (&settings->translation, error);
  if (self->preparer == NULL ||
      !start_engines (self, settings, metrics, error)) {
    pipeline_free (&self->base);
    return NULL;
  }
  self->trial = dub_trial_new (
      self, settings->source_language, settings->target_language);
  return &self->base;
}

DubProcessor *
dub_pipeline_new_with (const DubPipelineSettings *settings, DubMetrics *metrics,
    DubAsr *asr, DubTranslator *translator, DubTts *tts)
{
  DubPipeline *self = pipeline_alloc (settings, metrics);

  self->preparer = dub_preparer_new (&settings->translation, NULL);
  self->asr = asr;
  self->translator = translator;
  self->tts = tts;
  return &self->base;
}

char *
dub_pipeline_features (void)
{
  return g_strdup_printf (
      "recognition: %s\n"
      "translation: Apertium where it is installed (GPL-2, in processes of its "
      "own); deepl, libretranslate, openai by HTTP\n"
      "synthesis: %s\nstretching: %s\n",
      dub_whisper_engine.handle != NULL ? "whisper.cpp" : "none",
      !dub_phonemes_exist () ? "none of this machine's own"
      : dub_piper_engine.handle == NULL
          ? "espeak-ng (GPL-3)"
          : "Piper, Kokoro (sherpa-onnx), espeak-ng (GPL-3)",
      g_str_equal (dub_stretch_name (), "rubberband") ? "Rubber Band (GPL-2)"
                                                      : dub_stretch_name ());
}
