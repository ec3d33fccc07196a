/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "sts.pipeline"

#include "pipeline.h"

#include "lane.h"
#include "sound.h"
#include "speech.h"
#include "stretch.h"

#include "asr/guards.h"
#include "asr/whisper_engine.h"
#include "tts/phonemes.h"
#include "tts/piper_engine.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <string.h>
#include <unistd.h>

/* Below this there is nothing to recognise. */
#define SILENT_DB (-60.0)
/* A rate that differs less is not worth a second synthesis. */
#define RATE_WORTH 1.03
/* An expected rate is a guess; below this the first try is at rate 1. */
#define RATE_SURE 1.08
#define LEARN 0.2
/* "1881" is four letters long and a second. */
#define LEARN_MIN_CHARS 20
/* Kept back of a job's time for the stages that come after. */
#define RESERVE_ASR_MS 600
#define RESERVE_TTS_MS 150
/* The transcript of the original is made beside the synthesis, when there is
 * this much time beyond what it will take. */
#define TRANSCRIPT_SLACK_MS 900
#define TRANSCRIPT_GRACE_MS 300
/* A finished dub waits this long for it. */
#define TRANSCRIPT_HOLD_MS 400

typedef struct {
  DubProcessor base;

  /* immutable */
  char **engine_argv;
  gint64 asr_timeout_ms, translation_timeout_ms, tts_timeout_ms;
  DubTranscriptMode transcript;
  DubGuardLimits guard_limits;
  DubFitLimits fit_limits;

  /* main thread only */
  DubAsr *asr;
  DubTranslator *translator;
  DubTts *tts;
  DubLane *read_lane;
  DubLane *make_lane;
  GList *works;       /* every one that is not answered */
  double ms_per_char; /* of the voice at rate 1, so far; 0: not known yet */

  DubMetric *asr_seconds;
  DubMetric *translation_seconds;
  DubMetric *tts_seconds;
  DubMetric *guarded_total;
} Pipeline;

/* One job on its way. A lane holds a reference while a thread may look at
 * source or params. */
typedef struct {
  gatomicrefcount ref_count;
  Pipeline *pipeline;
  DubJob *job;
  DubDoneFunc done;
  gpointer user_data;
  DubResult *result;
  gint64 start_ns;
  gint64 stage_start_ns;
  gboolean is_finished;

  /* what a stage is waited for; 0: none */
  guint64 asr_call, translation_call, tts_call, transcript_call;

  DubSource source; /* a thread's while in read_lane */
  GError *read_error;
  double natural_ms; /* speech at rate 1 */
  double rate;       /* asked of the synthesiser */
  guint tries;       /* how often it was asked */
  GBytes *speech;
  DubDubParams params; /* a thread's while in make_lane */
  DubDub dub;
  GError *make_error;
  gboolean is_made;
  GSource *hold; /* made, and waiting for the transcript */
} Work;

static void recognise (Work *work);
static void translate (Work *work, const char *text);
static void synthesise (Work *work);
static void make (Work *work);

static gint64
now_ns (void)
{
  return g_get_monotonic_time () * 1000;
}

static guint
ms_since (gint64 start_ns)
{
  return (guint) ((now_ns () - start_ns) / DUB_NS_PER_MS);
}

/* ---- the life of a work ------------------------------------------------ */

static Work *
work_new (Pipeline *self, DubJob *job, DubDoneFunc done, gpointer user_data)
{
  Work *work = g_new0 (Work, 1);

  g_atomic_ref_count_init (&work->ref_count);
  work->pipeline = self;
  work->job = job;
  work->done = done;
  work->user_data = user_data;
  work->result = dub_result_new ();
  work->start_ns = work->stage_start_ns = now_ns ();
  work->rate = 1;
  self->works = g_list_prepend (self->works, work);
  return work;
}

static Work *
work_ref (Work *work)
{
  g_atomic_ref_count_inc (&work->ref_count);
  return work;
}

static void
work_unref (gpointer data)
{
  Work *work = data;

  if (!g_atomic_ref_count_dec (&work->ref_count))
    return;
  dub_job_free (work->job);
  dub_result_free (work->result);
  dub_source_clear (&work->source);
  dub_dub_clear (&work->dub);
  g_clear_error (&work->read_error);
  g_clear_error (&work->make_error);
  g_clear_pointer (&work->speech, g_bytes_unref);
  g_free (work);
}

static void
cancel_calls (Work *work)
{
  Pipeline *self = work->pipeline;

  if (work->asr_call != 0)
    self->asr->provider->cancel (self->asr, work->asr_call);
  if (work->transcript_call != 0)
    self->asr->provider->cancel (self->asr, work->transcript_call);
  if (work->translation_call != 0)
    self->translator->provider->cancel (
        self->translator, work->translation_call);
  if (work->tts_call != 0)
    self->tts->provider->cancel (self->tts, work->tts_call);
  work->asr_call = work->transcript_call = 0;
  work->translation_call = work->tts_call = 0;
}

static void
log_result (Work *work)
{
  DubResult *result = work->result;

  dub_log_fragment (DUB_LOG_DEBUG, work->job->fragment_id,
      "fragment %" G_GUINT64_FORMAT " of %s: %s%s%s, %u ms (asr %u, "
      "translation %u, tts %u), speech %u -> %u ms at %.2f",
      work->job->sequence_number, work->job->stream_id,
      result->status == DUB_RESULT_FAILED ? "failed " : "dubbed",
      result->error_code != NULL ? result->error_code : "",
      result->error_message != NULL ? result->error_message : "",
      result->total_ms, result->asr_ms, result->translation_ms, result->tts_ms,
      result->original_duration_ms, result->dubbed_duration_ms,
      result->speed_ratio);
}

/* The one way out. */
static void
finish (Work *work)
{
  g_return_if_fail (!work->is_finished);

  work->is_finished = TRUE;
  if (work->hold != NULL)
    g_source_destroy (work->hold);
  g_clear_pointer (&work->hold, g_source_unref);
  cancel_calls (work);
  work->pipeline->works = g_list_remove (work->pipeline->works, work);
  work->result->total_ms = ms_since (work->start_ns);
  log_result (work);
  work->done (g_steal_pointer (&work->result), work->user_data);
  work_unref (work);
}

static void
fail (Work *work, const char *stage, const char *code, gboolean is_retryable,
    const char *message)
{
  DubResult *result = work->result;

  result->status = DUB_RESULT_FAILED;
  result->error_stage = g_strdup (stage);
  result->error_code = g_strdup (code);
  result->error_message = g_strdup (message);
  result->is_retryable = is_retryable;
  finish (work);
}

/* What went wrong in a stage, in the words of the protocol (3.8). */
static void
fail_stage (Work *work, const char *stage, const char *permanent_code,
    const GError *error)
{
  const char *code = permanent_code;
  gboolean is_retryable = dub_error_is_retryable (error);

  if (g_error_matches (error, DUB_ERROR, DUB_ERROR_TIMEOUT))
    code = "TIMEOUT";
  else if (g_error_matches (error, DUB_ERROR, DUB_ERROR_OVERLOADED))
    code = "QUEUE_FULL";
  else if (is_retryable)
    code = "MODEL_ERROR";
  fail (work, stage, code, is_retryable, error->message);
}

/* A job whose programme time has passed is dropped where it stands. */
static gboolean
is_too_late (Work *work, const char *stage)
{
  if (now_ns () < work->job->deadline_ns)
    return FALSE;
  fail (work, stage, "TIMEOUT", TRUE,
      "the programme has passed the fragment's place");
  return TRUE;
}

static gint64
stage_deadline_ns (Work *work, gint64 timeout_ms, gint64 reserve_ms)
{
  gint64 own = now_ns () + timeout_ms * DUB_NS_PER_MS;
  gint64 job = work->job->deadline_ns - reserve_ms * DUB_NS_PER_MS;

  return MIN (own, job);
}

static void
observe (DubMetric *metric, guint ms)
{
  if (metric != NULL)
    dub_metric_observe (metric, NULL, ms / 1000.0);
}

/* ---- read -------------------------------------------------------------- */

static void
do_read (gpointer data)
{
  Work *work = data;

  dub_source_read (&work->job->sound, &work->source, &work->read_error);
}

static void finish_without_speech (Work *work, DubGuardVerdict verdict);

static void
on_read (gpointer data, gboolean ran)
{
  Work *work = data;

  if (work->is_finished || is_too_late (work, "pipeline"))
    return;
  if (work->read_error != NULL) {
    fail (
        work, "asr", "INVALID_AUDIO_FORMAT", FALSE, work->read_error->message);
    return;
  }
  work->result->original_duration_ms = work->source.speech_ms;
  if (work->source.level_db < SILENT_DB || work->source.speech_ms == 0)
    finish_without_speech (work, DUB_GUARD_EMPTY);
  else
    recognise (work);
}

/* ---- recognise --------------------------------------------------------- */

static void
finish_without_speech (Work *work, DubGuardVerdict verdict)
{
  const char *reason = dub_guard_verdict_to_string (verdict);
  g_autofree char *message = g_strdup_printf ("no speech to dub: %s", reason);

  if (work->pipeline->guarded_total != NULL)
    dub_metric_add (
        work->pipeline->guarded_total, (const char *const[]){reason, NULL}, 1);
  if (g_str_equal (work->job->reply_format, "pcm_s16le")) {
    fail (work, "asr", "NO_SPEECH", FALSE, message);
    return;
  }
  work->result->transcript = g_strdup ("");
  work->result->translated_text = g_strdup ("");
  make (work);
}

/* What the recogniser may be told of the language. */
static const char *
language_of (const DubJob *job)
{
  return job->source_language != NULL ? job->source_language : "auto";
}

static gboolean
translates_itself (Pipeline *self, const DubJob *job)
{
  return !dub_language_equal (language_of (job), job->target_language) &&
         self->asr->provider->translates_to (self->asr, job->target_language);
}

static void
on_recognised (const DubHeard *heard, const GError *error, gpointer user_data)
{
  Work *work = user_data;
  Pipeline *self = work->pipeline;
  g_autofree char *text = NULL;
  DubGuardInput input = {NULL};
  DubGuardVerdict verdict;

  work->asr_call = 0;
  work->result->asr_ms = ms_since (work->stage_start_ns);
  observe (self->asr_seconds, work->result->asr_ms);
  if (heard == NULL) {
    fail_stage (work, "asr", "ASR_FAILED", error);
    return;
  }
  text = dub_guard_clean (heard->text);
  input = (DubGuardInput){
      text, heard->no_speech, heard->mean_logprob, work->source.duration_ms};
  verdict = dub_guard_check (&input, &self->guard_limits);
  dub_log_fragment (DUB_LOG_DEBUG, work->job->fragment_id,
      "heard (%s, no speech %.2f, log p %.2f, %s): %s", heard->language,
      heard->no_speech, heard->mean_logprob,
      dub_guard_verdict_to_string (verdict), text);
  if (verdict != DUB_GUARD_PASS)
    finish_without_speech (work, verdict);
  else if (!is_too_late (work, "asr"))
    translate (work, text);
}

static void
recognise (Work *work)
{
  Pipeline *self = work->pipeline;
  DubAsrRequest request;

  work->stage_start_ns = now_ns ();
  request = (DubAsrRequest){work->source.samples, language_of (work->job),
      translates_itself (self, work->job),
      stage_deadline_ns (work, self->asr_timeout_ms, RESERVE_ASR_MS)};
  work->asr_call =
      self->asr->provider->recognise (self->asr, &request, on_recognised, work);
}

/* ---- the transcript of the original, when there is time ----------------- */

static void
on_transcript (const DubHeard *heard, const GError *error, gpointer user_data)
{
  Work *work = user_data;

  work->transcript_call = 0;
  if (heard != NULL)
    work->result->transcript = dub_guard_clean (heard->text);
  if (work->is_made)
    finish (work);
}

static void
transcribe_too (Work *work)
{
  Pipeline *self = work->pipeline;
  gint64 left_ms = (work->job->deadline_ns - now_ns ()) / DUB_NS_PER_MS;
  gint64 needed_ms = work->result->asr_ms;
  DubAsrRequest request;

  if (self->transcript == DUB_TRANSCRIPT_OFF ||
      !self->asr->provider->is_idle (self->asr) ||
      left_ms < needed_ms * 3 / 2 + TRANSCRIPT_SLACK_MS)
    return;
  request = (DubAsrRequest){work->source.samples, language_of (work->job),
      FALSE,
      now_ns () + (needed_ms * 3 / 2 + TRANSCRIPT_GRACE_MS) * DUB_NS_PER_MS};
  work->transcript_call =
      self->asr->provider->recognise (self->asr, &request, on_transcript, work);
}

/* ---- translate --------------------------------------------------------- */

static void
on_translated (const char *text, const GError *error, gpointer user_data)
{
  Work *work = user_data;

  work->translation_call = 0;
  work->result->translation_ms = ms_since (work->stage_start_ns);
  observe (work->pipeline->translation_seconds, work->result->translation_ms);
  if (text == NULL) {
    fail_stage (work, "translation", "TRANSLATION_FAILED", error);
    return;
  }
  work->result->translated_text = g_strdup (text);
  if (!is_too_late (work, "translation"))
    synthesise (work);
}

static void
translate (Work *work, const char *text)
{
  Pipeline *self = work->pipeline;
  DubJob *job = work->job;
  DubTranslationRequest request;

  if (translates_itself (self, job)) {
    work->result->translated_text = g_strdup (text);
    synthesise (work);
    if (!work->is_finished)
      transcribe_too (work);
    return;
  }
  work->result->transcript = g_strdup (text);
  work->stage_start_ns = now_ns ();
  request = (DubTranslationRequest){.text = text,
      .source = language_of (job),
      .target = job->target_language,
      .hints = {.domain = job->domain},
      .deadline_ns = stage_deadline_ns (
          work, self->translation_timeout_ms, RESERVE_ASR_MS)};
  work->translation_call = self->translator->provider->translate (
      self->translator, &request, on_translated, work);
}

/* ---- synthesise -------------------------------------------------------- */

static DubFitSlot
slot_of (const Work *work)
{
  return (DubFitSlot){.slot_ms = work->source.duration_ms,
      .onset_ms = work->source.onset_ms,
      .room_ms = work->job->room_ms};
}

static void on_synthesised (
    GBytes *samples, guint rate_hz, const GError *error, gpointer user_data);

static void
ask_for_speech (Work *work, double rate)
{
  Pipeline *self = work->pipeline;
  DubTtsRequest request = {work->result->translated_text,
      work->job->target_language, work->job->voice_profile, rate,
      stage_deadline_ns (work, self->tts_timeout_ms, RESERVE_TTS_MS)};

  work->rate = rate;
  work->tries++;
  work->tts_call = self->tts->provider->synthesise (
      self->tts, &request, on_synthesised, work);
}

static glong
length_of_text (const Work *work)
{
  return g_utf8_strlen (work->result->translated_text, -1);
}

/* What is learnt from each synthesis saves the next one its second try. */
static void
learn_length (Work *work)
{
  Pipeline *self = work->pipeline;
  glong chars = length_of_text (work);
  double seen = work->natural_ms / MAX (chars, 1);

  if (chars < LEARN_MIN_CHARS)
    return;
  self->ms_per_char =
      self->ms_per_char > 0
          ? self->ms_per_char + LEARN * (seen - self->ms_per_char)
          : seen;
}

/* At once as fast as it will have to be, when that can be told. */
static double
expected_rate (Work *work)
{
  DubFitSlot slot = slot_of (work);
  double rate = dub_fit_rate (&slot, &work->pipeline->fit_limits,
      length_of_text (work) * work->pipeline->ms_per_char);

  return rate > RATE_SURE && length_of_text (work) >= LEARN_MIN_CHARS ? rate
                                                                      : 1;
}

static void
synthesise (Work *work)
{
  work->stage_start_ns = now_ns ();
  ask_for_speech (work, expected_rate (work));
}

/* Takes the silence off. */
static gboolean
take_speech (Work *work, GBytes *samples, guint rate_hz)
{
  gsize bytes = 0;
  const float *data = g_bytes_get_data (samples, &bytes);
  DubSpan span = dub_speech_trim (data, bytes / sizeof (float), rate_hz);

  if (span.end == span.start)
    return FALSE;
  g_clear_pointer (&work->speech, g_bytes_unref);
  work->speech = g_bytes_ref (samples);
  work->params.speech = data + span.start;
  work->params.count = span.end - span.start;
  work->params.rate_hz = rate_hz;
  return TRUE;
}

static double
speech_ms (const Work *work)
{
  return work->params.count * 1000.0 / work->params.rate_hz;
}

/* Synthesis again at a faster rate is the best way to make it fit, when the
 * first one shows that there is time for it. */
static gboolean
ask_again (Work *work)
{
  DubFitSlot slot = slot_of (work);
  double rate =
      dub_fit_rate (&slot, &work->pipeline->fit_limits, work->natural_ms);
  gint64 took_ns = now_ns () - work->stage_start_ns;
  gint64 left_ns = work->job->deadline_ns - now_ns ();

  if (rate < RATE_WORTH * work->rate ||
      left_ns < 2 * took_ns + RESERVE_TTS_MS * 2 * DUB_NS_PER_MS)
    return FALSE;
  ask_for_speech (work, rate);
  return TRUE;
}

static void
on_synthesised (
    GBytes *samples, guint rate_hz, const GError *error, gpointer user_data)
{
  Work *work = user_data;
  gboolean is_first = work->tries == 1;

  work->tts_call = 0;
  /* A second try that failed leaves the first one to be stretched. */
  if (samples == NULL && work->speech == NULL) {
    fail_stage (work, "tts", "TTS_SYNTHESIS_FAILED", error);
    return;
  }
  if (samples != NULL && !take_speech (work, samples, rate_hz) && is_first) {
    fail (work, "tts", "TTS_SYNTHESIS_FAILED", FALSE,
        "the synthesiser gave silence");
    return;
  }
  if (is_too_late (work, "tts"))
    return;
  if (is_first) {
    work->natural_ms = speech_ms (work) * work->rate;
    learn_length (work);
    if (ask_again (work))
      return;
  }
  make (work);
}

/* ---- fit and encode ---------------------------------------------------- */

static void
do_make (gpointer data)
{
  Work *work = data;

  dub_dub_make (&work->params, &work->dub, &work->make_error);
}

static gboolean
plan (Work *work)
{
  DubFitSlot slot = slot_of (work);
  DubDubParams *params = &work->params;
  DubResult *result = work->result;
  g_autofree char *message = NULL;

  params->plan =
      dub_fit_plan (&slot, &work->pipeline->fit_limits, speech_ms (work));
  result->duration_variance_percent = params->plan.over_percent;
  result->speed_ratio = work->natural_ms / params->plan.stretched_ms;
  if (params->plan.tier != DUB_FIT_TOO_LONG)
    return TRUE;
  message = g_strdup_printf (
      "speech of %.0f ms is %.0f %% too long for a slot of %.0f ms and a "
      "pause of %.0f",
      params->plan.stretched_ms, params->plan.over_percent, slot.slot_ms,
      slot.room_ms);
  fail (work, "tts", "DURATION_MISMATCH_EXCEEDED", FALSE, message);
  return FALSE;
}

static void
make (Work *work)
{
  DubDubParams *params = &work->params;

  params->slot = slot_of (work);
  params->target_lufs = work->source.lufs;
  params->format = work->job->reply_format;
  params->reply_rate_hz = work->job->reply_rate_hz;
  params->reply_channels = work->job->reply_channels;
  params->fill_slot = !g_str_equal (work->job->reply_format, "pcm_s16le");
  if (params->speech != NULL && !plan (work))
    return;
  dub_lane_push (
      work->pipeline->make_lane, work_ref (work), work->job->deadline_ns);
}

static gboolean
on_held_enough (gpointer user_data)
{
  finish (user_data);
  return G_SOURCE_REMOVE;
}

static void
hold (Work *work)
{
  work->hold = g_timeout_source_new (TRANSCRIPT_HOLD_MS);
  g_source_set_callback (work->hold, on_held_enough, work, NULL);
  g_source_attach (work->hold, g_main_context_get_thread_default ());
}

static void
on_made (gpointer data, gboolean ran)
{
  Work *work = data;
  DubResult *result = work->result;

  if (work->is_finished || is_too_late (work, "tts"))
    return;
  if (work->make_error != NULL) {
    fail (
        work, "pipeline", "PROCESSING_ERROR", TRUE, work->make_error->message);
    return;
  }
  if (work->params.speech != NULL) {
    result->tts_ms = ms_since (work->stage_start_ns);
    observe (work->pipeline->tts_seconds, result->tts_ms);
  }
  result->status = work->params.plan.tier == DUB_FIT_PARTIAL
                       ? DUB_RESULT_PARTIAL
                       : DUB_RESULT_SUCCESS;
  result->sound = work->dub.sound;
  work->dub.sound = (DubSound){NULL};
  result->dubbed_duration_ms = work->dub.speech_ms;
  work->is_made = TRUE;
  if (work->transcript_call == 0)
    finish (work);
  else
    hold (work);
}

/* ---- the face ---------------------------------------------------------- */

static void
pipeline_submit (
    DubProcessor *base, DubJob *job, DubDoneFunc done, gpointer user_data)
{
  Pipeline *self = (Pipeline *) base;
  Work *work = work_new (self, job, done, user_data);

  dub_lane_push (self->read_lane, work_ref (work), job->deadline_ns);
}

static gboolean
pipeline_is_ready (DubProcessor *base, GError **error)
{
  Pipeline *self = (Pipeline *) base;

  return self->asr->provider->is_ready (self->asr, error) &&
         self->translator->provider->is_ready (self->translator, error) &&
         self->tts->provider->is_ready (self->tts, error);
}

static gboolean
can_translate (Pipeline *self, const char *source, const char *target)
{
  if (dub_language_equal (source, target))
    return TRUE;
  if (self->asr->provider->translates_to (self->asr, target))
    return TRUE;
  return !g_str_equal (source, "auto") && self->translator->provider->supports (
                                              self->translator, source, target);
}

static gboolean
pipeline_check (DubProcessor *base, const char *source, const char *target,
    const char *voice, GError **error)
{
  Pipeline *self = (Pipeline *) base;

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
  Pipeline *self = (Pipeline *) base;

  while (self->works != NULL)
    fail (self->works->data, "pipeline", "MODEL_ERROR", TRUE,
        "the service is ending");
  g_clear_pointer (&self->read_lane, dub_lane_free);
  g_clear_pointer (&self->make_lane, dub_lane_free);
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
make_metrics (Pipeline *self, DubMetrics *metrics)
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

/* A name in the models' folder, or a path. */
static char *
model_path (const DubPipelineSettings *settings, const char *name)
{
  g_autofree char *folder = NULL;

  if (strchr (name, '/') != NULL)
    return g_strdup (name);
  folder = settings->models_dir != NULL ? g_strdup (settings->models_dir)
                                        : dub_pipeline_models_dir ();
  return g_build_filename (folder, name, NULL);
}

static guint
threads_of (const DubPipelineSettings *settings)
{
  if (settings->engine_threads > 0)
    return (guint) settings->engine_threads;
  return MAX (1, g_get_num_processors () - 1);
}

static gboolean
no_provider (const char *option, const char *name, GError **error)
{
  g_set_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND,
      "%s=%s: this build has no provider of that name", option, name);
  return FALSE;
}

static gboolean
start_engines (Pipeline *self, const DubPipelineSettings *settings,
    DubMetrics *metrics, GError **error)
{
  const DubAsrProvider *asr = dub_asr_provider_find (settings->asr.provider);
  const DubTranslatorProvider *translator =
      dub_translator_provider_find (settings->translation.provider);
  const DubTtsProvider *tts = dub_tts_provider_find (settings->tts.provider);
  const char *const *argv = (const char *const *) self->engine_argv;
  guint threads = threads_of (settings);
  g_autofree char *model = model_path (settings, settings->asr.model);
  g_autofree char *voice = model_path (settings, settings->tts.voice);

  if (asr == NULL)
    return no_provider ("ASR_PROVIDER", settings->asr.provider, error);
  if (translator == NULL)
    return no_provider (
        "TRANSLATION_PROVIDER", settings->translation.provider, error);
  if (tts == NULL)
    return no_provider ("TTS_PROVIDER", settings->tts.provider, error);
  self->asr = asr->create (
      &(DubAsrSettings){argv, model, threads, metrics, &settings->asr});
  self->translator = translator->create (
      &(DubTranslatorSettings){argv, metrics, &settings->translation});
  self->tts = tts->create (
      &(DubTtsSettings){argv, voice, threads, metrics, &settings->tts});
  return TRUE;
}

static void
take_settings (Pipeline *self, const DubPipelineSettings *settings)
{
  static const char *const own[] = {"/proc/self/exe", "engine", NULL};

  self->engine_argv = g_strdupv (
      (char **) (settings->engine_argv != NULL ? settings->engine_argv : own));
  self->asr_timeout_ms = settings->asr.timeout_ms;
  self->translation_timeout_ms = settings->translation.timeout_ms;
  self->tts_timeout_ms = settings->tts.timeout_ms;
  self->transcript = (DubTranscriptMode) settings->transcript;
  dub_guard_limits_init (&self->guard_limits);
  self->guard_limits.max_no_speech = settings->asr.max_no_speech;
  self->guard_limits.min_mean_logprob = settings->asr.min_mean_logprob;
  dub_fit_limits_init (&self->fit_limits);
  /* Then the rate, the pause and the cut have to do. */
  if (g_str_equal (dub_stretch_name (), "none"))
    self->fit_limits.max_stretch = 1;
}

static Pipeline *
pipeline_alloc (const DubPipelineSettings *settings, DubMetrics *metrics)
{
  static const DubLaneFuncs read = {do_read, on_read, work_unref};
  static const DubLaneFuncs made = {do_make, on_made, work_unref};
  Pipeline *self = g_new0 (Pipeline, 1);

  self->base.name = "pipeline";
  self->base.submit = pipeline_submit;
  self->base.is_ready = pipeline_is_ready;
  self->base.check = pipeline_check;
  self->base.free = pipeline_free;
  take_settings (self, settings);
  self->read_lane = dub_lane_new (&read, MAX (1, g_get_num_processors () - 1));
  self->make_lane = dub_lane_new (&made, MAX (1, g_get_num_processors () - 1));
  make_metrics (self, metrics);
  return self;
}

DubProcessor *
dub_pipeline_new (
    const DubPipelineSettings *settings, DubMetrics *metrics, GError **error)
{
  Pipeline *self = pipeline_alloc (settings, metrics);

  if (!start_engines (self, settings, metrics, error)) {
    pipeline_free (&self->base);
    return NULL;
  }
  return &self->base;
}

DubProcessor *
dub_pipeline_new_with (const DubPipelineSettings *settings, DubMetrics *metrics,
    DubAsr *asr, DubTranslator *translator, DubTts *tts)
{
  Pipeline *self = pipeline_alloc (settings, metrics);

  self->asr = asr;
  self->translator = translator;
  self->tts = tts;
  return &self->base;
}

char *
dub_pipeline_features (void)
{
  return g_strdup_printf ("recognition: %s\nsynthesis: %s\nstretching: %s\n",
      dub_whisper_engine.handle != NULL ? "whisper.cpp" : "none",
      dub_piper_engine.handle == NULL ? "none"
      : dub_phonemes_exist ()         ? "Piper (sherpa-onnx, espeak-ng: GPL-3)"
                                      : "none (Piper without phonemes)",
      g_str_equal (dub_stretch_name (), "rubberband") ? "Rubber Band (GPL-2)"
                                                      : dub_stretch_name ());
}
