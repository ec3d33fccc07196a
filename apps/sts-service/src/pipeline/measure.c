/* SPDX-License-Identifier: Apache-2.0 */
#include "measure.h"

#include "proc_figures.h"

#include "asr/asr.h"
#include "translation/translation.h"
#include "tts/tts.h"

#include <dubbing_common/clock.h>
#include <dubbing_common/error.h>
#include <dubbing_common/paths.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOAD_LIMIT_US (60 * G_USEC_PER_SEC)
#define WORK_LIMIT_NS (60 * DUB_NS_PER_S)
#define POLL_MS 20
#define PASSES 2
#define BUSY_FACTOR 1.5
#define BUSY_MARGIN 1.1
/* What a speaker says in five seconds; the words are of no weight. */
#define SENTENCE_S 5.0
static const char sentence[] = "The team has won three games in a row, "
                               "and tonight they want to win again.";

typedef struct {
  GMainLoop *loop;
  const DubCandidate *candidate;
  DubPcm *clip;
  union {
    DubAsr *asr;
    DubTranslator *translator;
    DubTts *tts;
  } engine;
  guint threads;
  gint64 give_up_us;
  double speech_s; /* that the last pass heard, said or meant */
  GError *error;
} Run;

const char *
dub_stage_to_string (DubStage stage)
{
  static const char *const names[] = {
      "none", "recognition", "translation", "synthesis"};

  return (guint) stage < G_N_ELEMENTS (names) ? names[stage] : "none";
}

/* ---- is it there? ---- */

static gboolean
is_built (const DubCandidate *candidate)
{
  switch (candidate->stage) {
    case DUB_STAGE_RECOGNITION:
      return dub_asr_provider_find (candidate->provider) != NULL;
    case DUB_STAGE_TRANSLATION:
      return dub_translator_provider_find (candidate->provider) != NULL;
    case DUB_STAGE_SYNTHESIS:
      return dub_tts_provider_find (candidate->provider) != NULL;
    default:
      return FALSE;
  }
}

static char *
models_dir (const DubPipelineSettings *settings)
{
  return settings->models_dir != NULL ? g_strdup (settings->models_dir)
                                      : dub_models_dir ();
}

/* (transfer full) (nullable) */
static char *
model_path (const DubCandidate *candidate, const DubPipelineSettings *settings)
{
  g_autofree char *folder =
      candidate->stage == DUB_STAGE_TRANSLATION
          ? g_strdup (settings->translation.apertium_modes_dir)
          : models_dir (settings);

  return candidate->model != NULL
             ? g_build_filename (folder, candidate->model, NULL)
             : NULL;
}

/* A server is there when the settings name it. */
static gboolean
is_named (const DubCandidate *candidate, const DubPipelineSettings *settings)
{
  const DubTranslatorSettings translator = {.options = &settings->translation};
  const DubTtsSettings tts = {.options = &settings->tts};

  return candidate->stage == DUB_STAGE_TRANSLATION
             ? dub_translator_provider_find (candidate->provider)
                   ->is_installed (&translator)
             : dub_tts_provider_find (candidate->provider)->is_installed (&tts);
}

gboolean
dub_candidate_is_installed (const DubCandidate *candidate,
    const DubPipelineSettings *settings, GError **error)
{
  g_autofree char *path = model_path (candidate, settings);

  if (!is_built (candidate)) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
        "%s is not in this build", candidate->provider);
    return FALSE;
  }
  if (candidate->is_remote && !is_named (candidate, settings)) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND, "%s is not set",
        candidate->bring);
    return FALSE;
  }
  if (path != NULL && !g_file_test (path, G_FILE_TEST_EXISTS)) {
    g_set_error (
        error, DUB_ERROR, DUB_ERROR_NOT_FOUND, "%s is not there", path);
    return FALSE;
  }
  return TRUE;
}

/* ---- the engine ---- */

static void
create (Run *run, const DubPipelineSettings *settings, const char *path)
{
  static const char *const own_argv[] = {"/proc/self/exe", "engine", NULL};
  const char *const *argv =
      settings->engine_argv != NULL ? settings->engine_argv : own_argv;
  const char *name = run->candidate->provider;
  DubAsrSettings asr = {
      .engine_argv = argv, .model = path, .threads = run->threads};
  DubTranslatorSettings translator = {.engine_argv = argv};
  g_autofree char *folder = models_dir (settings);
  /* Of Piper's voices the one that is measured. */
  DubTtsOptions voice = {.voice = (char *) path};
  DubTtsSettings tts = {
      .engine_argv = argv, .models_dir = folder, .threads = run->threads};

  asr.options = &settings->asr;
  translator.options = &settings->translation;
  tts.options = &voice;
  if (run->candidate->stage == DUB_STAGE_RECOGNITION)
    run->engine.asr = dub_asr_provider_find (name)->create (&asr);
  else if (run->candidate->stage == DUB_STAGE_TRANSLATION)
    run->engine.translator =
        dub_translator_provider_find (name)->create (&translator);
  else
    run->engine.tts = dub_tts_provider_find (name)->create (&tts);
}

static void
destroy (Run *run)
{
  if (run->candidate->stage == DUB_STAGE_RECOGNITION)
    run->engine.asr->provider->free (run->engine.asr);
  else if (run->candidate->stage == DUB_STAGE_TRANSLATION)
    run->engine.translator->provider->free (run->engine.translator);
  else
    run->engine.tts->provider->free (run->engine.tts);
}

static gboolean
is_ready (Run *run, GError **error)
{
  if (run->candidate->stage == DUB_STAGE_RECOGNITION)
    return run->engine.asr->provider->is_ready (run->engine.asr, error);
  if (run->candidate->stage == DUB_STAGE_TRANSLATION)
    return run->engine.translator->provider->is_ready (
        run->engine.translator, error);
  return run->engine.tts->provider->is_ready (run->engine.tts, error);
}

static gboolean
on_poll (gpointer user_data)
{
  Run *run = user_data;

  g_clear_error (&run->error);
  if (!is_ready (run, &run->error) && g_get_monotonic_time () < run->give_up_us)
    return G_SOURCE_CONTINUE;
  g_main_loop_quit (run->loop);
  return G_SOURCE_REMOVE;
}

static gboolean
load (Run *run)
{
  run->give_up_us = g_get_monotonic_time () + LOAD_LIMIT_US;
  g_timeout_add (POLL_MS, on_poll, run);
  g_main_loop_run (run->loop);
  return run->error == NULL;
}

/* ---- one pass ---- */

static void
end_pass (Run *run, double speech_s, const GError *error)
{
  run->speech_s = speech_s;
  if (error != NULL)
    run->error = g_error_copy (error);
  g_main_loop_quit (run->loop);
}

static void
on_heard (const DubHeard *heard, const GError *error, gpointer user_data)
{
  Run *run = user_data;

  end_pass (run, (double) run->clip->frames / DUB_ASR_RATE_HZ, error);
}

static void
on_translated (const char *text, const GError *error, gpointer user_data)
{
  end_pass (user_data, SENTENCE_S, error);
}

static void
on_said (
    GBytes *samples, guint rate_hz, const GError *error, gpointer user_data)
{
  double said_s =
      samples != NULL
          ? (double) (g_bytes_get_size (samples) / sizeof (float)) / rate_hz
          : 0;

  end_pass (user_data, said_s, error);
}

/* The first language, or what stands before or after the '-' of a pair. */
static char *
language_of (const DubCandidate *candidate, gboolean is_target)
{
  g_auto (GStrv) parts = g_strsplit_set (candidate->languages, " -", 3);

  if (g_str_equal (candidate->languages, "*"))
    return g_strdup ("en");
  return g_strdup (is_target && parts[1] != NULL ? parts[1] : parts[0]);
}

static void
recognise (Run *run, gint64 deadline_ns)
{
  g_autofree float *samples = g_new (float, run->clip->frames);
  g_autoptr (GBytes) bytes = NULL;
  DubAsrRequest request = {.language = "auto", .deadline_ns = deadline_ns};

  dub_pcm_s16_to_f32 (run->clip->samples, samples, run->clip->frames);
  bytes = g_bytes_new (samples, run->clip->frames * sizeof (float));
  request.samples = bytes;
  run->engine.asr->provider->recognise (
      run->engine.asr, &request, on_heard, run);
}

static void
translate (Run *run, gint64 deadline_ns)
{
  g_autofree char *source = language_of (run->candidate, FALSE);
  g_autofree char *target = language_of (run->candidate, TRUE);
  DubTranslationRequest request = {.text = sentence,
      .source = source,
      .target = target,
      .deadline_ns = deadline_ns};

  run->engine.translator->provider->translate (
      run->engine.translator, &request, on_translated, run);
}

static void
synthesise (Run *run, gint64 deadline_ns)
{
  g_autofree char *language = language_of (run->candidate, FALSE);
  DubTtsRequest request = {.text = sentence,
      .language = language,
      .voice = "default",
      .speed = 1.0,
      .deadline_ns = deadline_ns};

  run->engine.tts->provider->synthesise (
      run->engine.tts, &request, on_said, run);
}

/* Seconds of work per second of speech. On a machine that others use, too, it
 * is what the engine's own CPU time tells of it. */
static double
work_per_second (const Run *run, double took_s, double cpu_s)
{
  double alone_s = cpu_s / run->threads * BUSY_MARGIN;

  return (cpu_s > 0 && took_s > BUSY_FACTOR * alone_s ? alone_s : took_s) /
         run->speech_s;
}

/* Below 0: run->error says why not. */
static double
pass (Run *run)
{
  gint64 begin_us = g_get_monotonic_time ();
  double cpu_before_s = dub_proc_sum_of_children (dub_proc_cpu_s);
  gint64 deadline_ns = begin_us * 1000 + WORK_LIMIT_NS;

  if (run->candidate->stage == DUB_STAGE_RECOGNITION)
    recognise (run, deadline_ns);
  else if (run->candidate->stage == DUB_STAGE_TRANSLATION)
    translate (run, deadline_ns);
  else
    synthesise (run, deadline_ns);
  g_main_loop_run (run->loop);
  if (run->error != NULL || run->speech_s <= 0)
    return -1;
  return work_per_second (run,
      (double) (g_get_monotonic_time () - begin_us) / G_USEC_PER_SEC,
      dub_proc_sum_of_children (dub_proc_cpu_s) - cpu_before_s);
}

gboolean
dub_candidate_measure (const DubCandidate *candidate,
    const DubPipelineSettings *settings, DubPcm *clip, DubCost *ret_cost,
    GError **error)
{
  g_autofree char *path = model_path (candidate, settings);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Run run = {.loop = loop, .candidate = candidate, .clip = clip};
  gint64 begin_us = g_get_monotonic_time ();
  DubCost cost = {.rtf = G_MAXDOUBLE};

  run.threads = dub_pipeline_threads (settings,
      candidate->stage == DUB_STAGE_RECOGNITION, g_get_num_processors ());
  create (&run, settings, path);
  if (load (&run)) {
    cost.load_s =
        (double) (g_get_monotonic_time () - begin_us) / G_USEC_PER_SEC;
    for (guint i = 0; i < PASSES && run.error == NULL; i++) {
      double rtf = pass (&run);

      if (rtf >= 0)
        cost.rtf = MIN (cost.rtf, rtf);
    }
    cost.memory_mib = dub_proc_sum_of_children (dub_proc_resident_mib);
  }
  destroy (&run);
  if (run.error != NULL) {
    g_propagate_error (error, run.error);
    return FALSE;
  }
  *ret_cost = cost;
  return TRUE;
}
