/* SPDX-License-Identifier: Apache-2.0 */
#include "work.h"

#include "speech.h"
#include "stretch.h"

#include "asr/further_tries.h"
#include "tts/speakable.h"

#include <dubbing_common/error.h>
#include <math.h>

/* A rate that differs less is not worth a second synthesis: it doubles the
 * stage's time, and so small a stretch is not heard. Where nobody waits, and
 * where nothing stretches, it is worth it sooner. */
#define RATE_WORTH 1.10
#define RATE_WORTH_PATIENT 1.03
/* An expected rate is a guess; below this the first try is at rate 1. */
#define RATE_SURE 1.03
#define MIN_RATE_HZ 8000
#define MAX_RATE_HZ 96000
#define MAX_SAMPLE 8.0f
/* Kept back of a job's time for fit and encode. */
#define RESERVE_MS 150

static void on_synthesised (
    GBytes *samples, guint rate_hz, const GError *error, gpointer user_data);

static void
ask_for_speech (DubWork *work, double rate)
{
  DubPipeline *self = work->pipeline;
  DubTtsRequest request = {work->spoken, work->job->target_language,
      work->job->voice_profile, rate,
      dub_work_stage_deadline_ns (work, self->tts_timeout_ms, RESERVE_MS),
      work->prepared.speaker, work->job->stream_id, work->job->sequence_number};

  work->rate = rate;
  work->tries++;
  work->tts_call = self->tts->provider->synthesise (
      self->tts, &request, on_synthesised, work);
}

/* At once as fast as it will have to be, when that can be told. */
static double
expected_rate (DubWork *work)
{
  DubPipeline *self = work->pipeline;
  DubFitSlot slot = dub_work_slot (work);
  double rate = dub_fit_rate (&slot, &self->fit_limits,
      dub_pace_expect (self->pace, work->job->target_language,
          work->job->voice_profile, work->spoken));

  return rate > RATE_SURE ? rate : 1;
}

void
dub_stage_synthesise (DubWork *work)
{
  work->stage_start_ns = dub_work_now_ns ();
  work->spoken =
      dub_speakable (work->result->translated_text, work->job->target_language);
  if (*work->spoken == '\0')
    dub_stage_finish_without_speech (work, DUB_GUARD_EMPTY);
  else
    ask_for_speech (work, expected_rate (work));
}

/* What is no number, or far beyond full scale, would be heard as a bang. */
static gboolean
is_sound (GBytes *samples, guint rate_hz)
{
  gsize bytes = 0;
  const float *data = g_bytes_get_data (samples, &bytes);

  if (bytes % sizeof (float) != 0 || rate_hz < MIN_RATE_HZ ||
      rate_hz > MAX_RATE_HZ)
    return FALSE;
  for (gsize i = 0; i < bytes / sizeof (float); i++)
    if (!(fabsf (data[i]) <= MAX_SAMPLE))
      return FALSE;
  return TRUE;
}

/* Takes the silence off. */
static gboolean
take_speech (DubWork *work, GBytes *samples, guint rate_hz)
{
  DubTts *tts = work->pipeline->tts;
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
  dub_work_note_engine (
      &work->result->tts_engine, tts->engine, tts->provider->name);
  return TRUE;
}

/* Who has just answered may not be able to speak as fast as asked. */
static double
possible_rate (const DubTts *tts, double rate)
{
  return tts->max_speed > 0 ? MIN (rate, tts->max_speed) : rate;
}

static double
rate_worth (gint64 left_ns)
{
  gboolean stretches = !g_str_equal (dub_stretch_name (), "none");

  return stretches && left_ns < DUB_TRIES_PATIENT_NS ? RATE_WORTH
                                                     : RATE_WORTH_PATIENT;
}

/* Synthesis again at a faster rate is the best way to make it fit, when the
 * first one shows that there is time for it. */
static gboolean
ask_again (DubWork *work)
{
  DubFitSlot slot = dub_work_slot (work);
  double rate = possible_rate (work->pipeline->tts,
      dub_fit_rate (&slot, &work->pipeline->fit_limits, work->natural_ms));
  gint64 took_ns = dub_work_now_ns () - work->stage_start_ns;
  gint64 left_ns = work->job->deadline_ns - dub_work_now_ns ();

  if (rate < rate_worth (left_ns) * work->rate ||
      left_ns < 2 * took_ns + RESERVE_MS * 2 * DUB_NS_PER_MS)
    return FALSE;
  ask_for_speech (work, rate);
  return TRUE;
}

static void
on_synthesised (
    GBytes *samples, guint rate_hz, const GError *error, gpointer user_data)
{
  DubWork *work = user_data;
  gboolean is_first = work->tries == 1;
  g_autoptr (GError) broken = NULL;

  work->tts_call = 0;
  if (samples != NULL && !is_sound (samples, rate_hz)) {
    samples = NULL;
    broken = g_error_new_literal (
        DUB_ERROR, DUB_ERROR_ENGINE, "the synthesiser gave what is no sound");
    error = broken;
  }
  /* A second try that failed leaves the first one to be stretched. */
  if (samples == NULL && work->speech == NULL) {
    dub_work_fail_stage (work, "tts", "TTS_SYNTHESIS_FAILED", error);
    return;
  }
  if (samples != NULL && !take_speech (work, samples, rate_hz) && is_first) {
    dub_work_fail (work, "tts", "TTS_SYNTHESIS_FAILED", FALSE,
        "the synthesiser gave silence");
    return;
  }
  if (dub_work_is_too_late (work, "tts"))
    return;
  if (is_first) {
    work->rate = possible_rate (work->pipeline->tts, work->rate);
    work->natural_ms = dub_work_speech_ms (work) * work->rate;
    dub_pace_learn (work->pipeline->pace, work->job->target_language,
        work->job->voice_profile, work->spoken, work->natural_ms);
    if (ask_again (work))
      return;
  }
  dub_stage_make (work);
}
