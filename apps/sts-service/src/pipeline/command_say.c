/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include "media_file.h"
#include "pipeline.h"
#include "proc_figures.h"

#include <dubbing_common/clock.h>
#include <dubbing_common/error.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define READY_S 60

typedef struct {
  DubPipelineSettings pipeline;
  char *to, *profile, *output;
  double speed;
} Settings;

static const DubOption options[] = {
    DUB_PIPELINE_OPTIONS (Settings, pipeline),
    {"to", "SAY_TO", DUB_OPTION_STRING, G_STRUCT_OFFSET (Settings, to), "en",
        .help = "Language of the text"},
    {"profile", "SAY_PROFILE", DUB_OPTION_STRING,
        G_STRUCT_OFFSET (Settings, profile), "default",
        .help = "Profile of the voices file"},
    {"output", "SAY_OUTPUT", DUB_OPTION_STRING,
        G_STRUCT_OFFSET (Settings, output), NULL,
        .help = "WAV file for all that is said"},
    {"speed", "SAY_SPEED", DUB_OPTION_DOUBLE, G_STRUCT_OFFSET (Settings, speed),
        "1", .min = 0.5, .max = 2, .help = "Times the normal rate"},
    {NULL},
};

typedef struct {
  const Settings *settings;
  DubTts *tts;
  GByteArray *sound; /* s16 */
  guint rate_hz;
  double spoken_s, took_s, cpu_s;
  gboolean is_answered;
  GError *error;
} Say;

static void
take_sound (Say *self, GBytes *samples, guint rate_hz)
{
  gsize bytes = 0;
  const float *from = g_bytes_get_data (samples, &bytes);
  gsize count = bytes / sizeof (float);
  g_autofree gint16 *to = g_new (gint16, count + 1);

  dub_pcm_f32_to_s16 (from, to, count);
  g_byte_array_append (self->sound, (const guint8 *) to, (guint) count * 2);
  self->rate_hz = rate_hz;
  self->spoken_s += count / (double) rate_hz;
}

static void
on_spoken (
    GBytes *samples, guint rate_hz, const GError *error, gpointer user_data)
{
  Say *self = user_data;

  self->is_answered = TRUE;
  if (samples != NULL)
    take_sound (self, samples, rate_hz);
  else
    self->error = g_error_copy (error);
}

static gboolean
on_tick (gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

static gboolean
wait_until_ready (Say *self, GError **error)
{
  gint64 give_up_us = g_get_monotonic_time () + READY_S * G_USEC_PER_SEC;
  guint tick = g_timeout_add (20, on_tick, NULL);
  gboolean is_ready = FALSE;

  for (;;) {
    g_clear_error (error);
    is_ready = self->tts->provider->is_ready (self->tts, error);
    if (is_ready || g_get_monotonic_time () > give_up_us)
      break;
    g_main_context_iteration (NULL, TRUE);
  }
  g_source_remove (tick);
  return is_ready;
}

/* Of the engine children: what else runs on the machine does not count. */
static double
children_cpu_s (void)
{
  return dub_proc_sum_of_children (dub_proc_cpu_s);
}

static gboolean
say (Say *self, const char *text, GError **error)
{
  gint64 start_us = g_get_monotonic_time ();
  double before_s = self->spoken_s, cpu_before_s = children_cpu_s (), took_s;
  DubTtsRequest request = {.text = text,
      .language = self->settings->to,
      .voice = self->settings->profile,
      .speed = self->settings->speed,
      .deadline_ns = start_us * 1000 +
                     self->settings->pipeline.tts.timeout_ms * DUB_NS_PER_MS};

  self->is_answered = FALSE;
  self->tts->provider->synthesise (self->tts, &request, on_spoken, self);
  while (!self->is_answered)
    g_main_context_iteration (NULL, TRUE);
  if (self->error != NULL) {
    g_propagate_error (error, g_steal_pointer (&self->error));
    return FALSE;
  }
  took_s = (g_get_monotonic_time () - start_us) / 1e6;
  self->took_s += took_s;
  self->cpu_s += children_cpu_s () - cpu_before_s;
  printf ("%6.2f s of speech in %.2f s\n", self->spoken_s - before_s, took_s);
  return TRUE;
}

static gboolean
write_sound (Say *self, GError **error)
{
  g_autoptr (DubPcm) pcm = NULL;

  if (self->settings->output == NULL || self->sound->len == 0)
    return TRUE;
  pcm = dub_pcm_new (
      g_bytes_new (self->sound->data, self->sound->len), self->rate_hz, 1, 0);
  return dub_media_file_write_wav (self->settings->output, pcm, error);
}

static gboolean
say_all (Say *self, char **texts, GError **error)
{
  const Settings *settings = self->settings;

  if (!wait_until_ready (self, error))
    return FALSE;
  if (!self->tts->provider->has_voice (
          self->tts, settings->to, settings->profile)) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND,
        "%s has no voice '%s' for '%s'", self->tts->provider->name,
        settings->profile, settings->to);
    return FALSE;
  }
  for (; *texts != NULL; texts++)
    if (!say (self, *texts, error))
      return FALSE;
  printf ("speech_s=%.2f\nreal_time_factor=%.3f\ncpu_factor=%.3f\n",
      self->spoken_s, self->took_s / MAX (self->spoken_s, 0.001),
      self->cpu_s / MAX (self->spoken_s, 0.001));
  return write_sound (self, error);
}

static int
run (const Settings *settings, char **texts, GError **error)
{
  Say self = {.settings = settings, .sound = g_byte_array_new ()};
  gboolean ok = FALSE;

  self.tts = dub_pipeline_start_tts (&settings->pipeline, NULL, error);
  if (self.tts != NULL) {
    ok = say_all (&self, texts, error);
    self.tts->provider->free (self.tts);
  }
  g_byte_array_unref (self.sound);
  return ok ? EX_OK : EX_UNAVAILABLE;
}

int
dub_command_say (int argc, char **argv)
{
  Settings settings = {.to = NULL};
  DubCommand command = {"TEXT...", "Speaks texts with a voice of this machine.",
      options, &settings, 1, G_MAXINT16};
  g_autoptr (GError) error = NULL;
  int status = EX_OK;

  if (dub_command_begin (&command, &argc, &argv, &status)) {
    status = run (&settings, argv + 2, &error);
    dub_config_clear (options, &settings);
  }
  if (error != NULL)
    fprintf (stderr, "say: %s\n", error->message);
  return status;
}
