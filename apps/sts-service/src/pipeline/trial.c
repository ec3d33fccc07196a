/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "sts.pipeline"

#include "trial.h"

#include "resample.h"

#include <dubbing_common/clock.h>
#include <dubbing_common/error.h>
#include <dubbing_common/log.h>

/* Every voice can read them. */
#define TEXT "1, 2, 3, 4."
#define LOOK_MS 100
#define AGAIN_MS 5000
#define STEP_NS (30 * DUB_NS_PER_S)

struct _DubTrial {
  DubPipeline *pipeline;
  char *source, *target; /* wanted (nullable) */
  const char *language;  /* that there is a voice for */
  GSource *timer;
  guint64 asr_call, translation_call, tts_call;
  GBytes *heard; /* the sound that the recogniser gets */
  gint64 begun_ns;
  gboolean has_passed;
  char *reason; /* of the last failure (nullable) */
};

static gint64
now_ns (void)
{
  return g_get_monotonic_time () * 1000;
}

/* ---- how it ends ------------------------------------------------------- */

static gboolean on_look (gpointer user_data);

static void
stop_timer (DubTrial *self)
{
  if (self->timer == NULL)
    return;
  g_source_destroy (self->timer);
  g_clear_pointer (&self->timer, g_source_unref);
}

static void
look_in (DubTrial *self, guint ms)
{
  stop_timer (self);
  self->timer = g_timeout_source_new (ms);
  g_source_set_callback (self->timer, on_look, self, NULL);
  g_source_attach (self->timer, g_main_context_get_thread_default ());
}

static void
fail (DubTrial *self, const char *stage, const char *why)
{
  g_autofree char *reason =
      g_strdup_printf ("the trial fragment failed at %s: %s", stage, why);

  if (g_strcmp0 (reason, self->reason) != 0)
    dub_warning ("%s", reason);
  g_free (self->reason);
  self->reason = g_steal_pointer (&reason);
  look_in (self, AGAIN_MS);
}

static void
pass (DubTrial *self)
{
  self->has_passed = TRUE;
  g_clear_pointer (&self->reason, g_free);
  g_clear_pointer (&self->heard, g_bytes_unref);
  dub_info ("the engines answered a trial fragment in %u ms",
      (guint) ((now_ns () - self->begun_ns) / DUB_NS_PER_MS));
}

/* ---- translate --------------------------------------------------------- */

static void
on_translated (const char *text, const GError *error, gpointer user_data)
{
  DubTrial *self = user_data;

  self->translation_call = 0;
  if (text == NULL)
    fail (self, "translation", error->message);
  else
    pass (self);
}

/* A text has a language, also where a stream would leave it open. */
static const char *
language_of (const DubTrial *self, const DubHeard *heard)
{
  if (self->source == NULL || g_str_equal (self->source, "auto"))
    return heard->language;
  return self->source;
}

/* Only what the default streams would need; a pair that is not there is
 * refused when a stream asks for it. */
static void
translate (DubTrial *self, const DubHeard *heard)
{
  DubTranslator *translator = self->pipeline->translator;
  const DubTranslationRequest request = {.text = TEXT,
      .source = language_of (self, heard),
      .target = self->target != NULL ? self->target : self->language,
      .deadline_ns = now_ns () + STEP_NS};

  if (!translator->provider->supports (
          translator, request.source, request.target)) {
    pass (self);
    return;
  }
  self->translation_call = translator->provider->translate (
      translator, &request, on_translated, self);
}

/* ---- recognise --------------------------------------------------------- */

static void
on_heard (const DubHeard *heard, const GError *error, gpointer user_data)
{
  DubTrial *self = user_data;

  self->asr_call = 0;
  if (heard == NULL)
    fail (self, "recognition", error->message);
  else
    translate (self, heard);
}

static void
recognise (DubTrial *self)
{
  DubAsr *asr = self->pipeline->asr;
  const DubAsrRequest request = {.samples = self->heard,
      .language = asr->provider->knows (asr, "auto") ? "auto" : self->language,
      .deadline_ns = now_ns () + STEP_NS};

  self->asr_call = asr->provider->recognise (asr, &request, on_heard, self);
}

/* ---- synthesise -------------------------------------------------------- */

/* (transfer full) (nullable): there is no sound in it */
static GBytes *
for_the_recogniser (GBytes *samples, guint rate_hz)
{
  gsize bytes = 0;
  const float *data = g_bytes_get_data (samples, &bytes);
  g_autoptr (GArray) sound = NULL;

  if (bytes < sizeof (float) || rate_hz == 0)
    return NULL;
  sound = dub_resample (data, bytes / sizeof (float), rate_hz, DUB_ASR_RATE_HZ);
  return g_bytes_new (sound->data, sound->len * sizeof (float));
}

static void
on_spoken (
    GBytes *samples, guint rate_hz, const GError *error, gpointer user_data)
{
  DubTrial *self = user_data;

  self->tts_call = 0;
  if (samples == NULL) {
    fail (self, "synthesis", error->message);
    return;
  }
  g_clear_pointer (&self->heard, g_bytes_unref);
  self->heard = for_the_recogniser (samples, rate_hz);
  if (self->heard == NULL)
    fail (self, "synthesis", "no sound");
  else
    recognise (self);
}

static gboolean
has_voice (DubTrial *self, const char *language)
{
  DubTts *tts = self->pipeline->tts;

  return tts->provider->has_voice (tts, language, "default");
}

/* The default streams' own, or any. (nullable) */
static const char *
find_language (DubTrial *self)
{
  static const char *const languages[] = {"en", "es", "fr", "de", "it", "pt",
      "nl", "pl", "ru", "uk", "tr", "ar", "hi", "ja", "ko", "zh"};

  if (self->target != NULL && has_voice (self, self->target))
    return self->target;
  for (guint i = 0; i < G_N_ELEMENTS (languages); i++)
    if (has_voice (self, languages[i]))
      return languages[i];
  return NULL;
}

static void
synthesise (DubTrial *self)
{
  DubTts *tts = self->pipeline->tts;
  DubTtsRequest request = {.text = TEXT,
      .voice = "default",
      .speed = 1,
      .deadline_ns = now_ns () + STEP_NS};

  self->language = request.language = find_language (self);
  if (request.language == NULL) {
    fail (self, "synthesis", "there is no voice");
    return;
  }
  self->tts_call = tts->provider->synthesise (tts, &request, on_spoken, self);
}

/* ---- the face ---------------------------------------------------------- */

static gboolean
on_look (gpointer user_data)
{
  DubTrial *self = user_data;

  if (!dub_pipeline_engines_are_up (self->pipeline, NULL))
    return G_SOURCE_CONTINUE;
  stop_timer (self);
  self->begun_ns = now_ns ();
  synthesise (self);
  return G_SOURCE_REMOVE;
}

DubTrial *
dub_trial_new (DubPipeline *pipeline, const char *source, const char *target)
{
  DubTrial *self = g_new0 (DubTrial, 1);

  self->pipeline = pipeline;
  self->source = g_strdup (source);
  self->target = g_strdup (target);
  look_in (self, LOOK_MS);
  return self;
}

void
dub_trial_free (DubTrial *self)
{
  DubPipeline *pipeline = NULL;

  if (self == NULL)
    return;
  pipeline = self->pipeline;
  stop_timer (self);
  if (self->tts_call != 0)
    pipeline->tts->provider->cancel (pipeline->tts, self->tts_call);
  if (self->asr_call != 0)
    pipeline->asr->provider->cancel (pipeline->asr, self->asr_call);
  if (self->translation_call != 0)
    pipeline->translator->provider->cancel (
        pipeline->translator, self->translation_call);
  g_clear_pointer (&self->heard, g_bytes_unref);
  g_free (self->source);
  g_free (self->target);
  g_free (self->reason);
  g_free (self);
}

gboolean
dub_trial_has_passed (DubTrial *self, GError **error)
{
  if (self->has_passed)
    return TRUE;
  g_set_error_literal (error, DUB_ERROR, DUB_ERROR_UNAVAILABLE,
      self->reason != NULL ? self->reason
                           : "the engines have not answered a trial yet");
  return FALSE;
}
