/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "sts.asr"

#include "commands.h"

#include "media_file.h"
#include "settings.h"
#include "speech.h"

#include "asr/asr.h"
#include "asr/guards.h"
#include "asr/word_times.h"

#include <dubbing_common/clock.h>
#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* A stretch for one pass. In longer ones Whisper leaves out what follows a
 * pause: of a German minute it heard 86 words of 108 by 25 s, and 111 by 12. */
#define STRETCH_SAMPLES (12 * DUB_ASR_RATE_HZ)
/* Nobody waits for it, and the machine may be busy. */
#define DEADLINE_NS (600 * DUB_NS_PER_S)

typedef struct {
  DubPipelineSettings settings;
  char *language;
  char *task;
  gboolean words;
} Settings;

typedef struct {
  GMainLoop *loop;
  DubAsr *asr;
  const Settings *settings;
  float *samples;
  gsize count;
  GBytes *bytes;    /* of the stretch; a request borrows them */
  gsize at, length; /* the stretch that is being recognised */
  int status;
} Transcription;

static const DubOption options[] = {
    DUB_PIPELINE_OPTIONS (Settings, settings),
    {"language", "TRANSCRIBE_LANGUAGE", DUB_OPTION_STRING,
        G_STRUCT_OFFSET (Settings, language), "auto",
        .help = "Language spoken in the file, or auto"},
    {"task", "TRANSCRIBE_TASK", DUB_OPTION_STRING,
        G_STRUCT_OFFSET (Settings, task), "transcribe",
        .help = "transcribe, or translate (into English)"},
    {"words", "TRANSCRIBE_WORDS", DUB_OPTION_BOOL,
        G_STRUCT_OFFSET (Settings, words), "false",
        .help = "A line for each word: from, to in seconds, and the word"},
    {NULL},
};

static void next_stretch (Transcription *self);

static void
print_words (const Transcription *self, const char *text)
{
  g_autoptr (JsonArray) words = dub_word_times_estimate (
      text, self->samples + self->at, self->length, DUB_ASR_RATE_HZ);
  double from_s = (double) self->at / DUB_ASR_RATE_HZ;

  for (guint i = 0; words != NULL && i < json_array_get_length (words); i++) {
    JsonObject *word = json_array_get_object_element (words, i);
    gint64 start_ms = json_object_get_int_member (word, "start_time_ms");
    gint64 end_ms = json_object_get_int_member (word, "end_time_ms");

    printf ("%.2f\t%.2f\t%s\n", from_s + (double) start_ms / 1000,
        from_s + (double) end_ms / 1000,
        json_object_get_string_member (word, "word"));
  }
}

static void
on_heard (const DubHeard *heard, const GError *error, gpointer user_data)
{
  Transcription *self = user_data;
  g_autofree char *text = NULL;

  if (heard == NULL) {
    dub_error ("transcribe: %s", error->message);
    self->status = EX_SOFTWARE;
    g_main_loop_quit (self->loop);
    return;
  }
  text = dub_guard_clean (heard->text);
  if (self->settings->words)
    print_words (self, text);
  else if (*text != '\0')
    printf ("%s\n", text);
  fflush (stdout);
  self->at += self->length;
  next_stretch (self);
}

static void
next_stretch (Transcription *self)
{
  gsize left = self->count - self->at;
  DubAsrRequest request;

  if (left == 0) {
    g_main_loop_quit (self->loop);
    return;
  }
  self->length = dub_speech_word_end (
      self->samples + self->at, left, STRETCH_SAMPLES, DUB_ASR_RATE_HZ);
  g_clear_pointer (&self->bytes, g_bytes_unref);
  self->bytes =
      g_bytes_new (self->samples + self->at, self->length * sizeof (float));
  request = (DubAsrRequest){self->bytes, self->settings->language,
      g_str_equal (self->settings->task, "translate"),
      g_get_monotonic_time () * 1000 + DEADLINE_NS};
  self->asr->provider->recognise (self->asr, &request, on_heard, self);
}

static char *
model_of (const DubPipelineSettings *settings)
{
  g_autofree char *folder = settings->models_dir != NULL
                                ? g_strdup (settings->models_dir)
                                : dub_pipeline_models_dir ();

  if (strchr (settings->asr.model, '/') != NULL)
    return g_strdup (settings->asr.model);
  return g_build_filename (folder, settings->asr.model, NULL);
}

static int
transcribe (const Settings *settings, DubPcm *pcm, GError **error)
{
  static const char *const argv[] = {"/proc/self/exe", "engine", NULL};
  g_autofree char *model = model_of (&settings->settings);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autofree float *samples = g_new (float, pcm->frames + 1);
  DubAsrSettings asr = {.engine_argv = argv,
      .model = model,
      .threads = MAX (1, g_get_num_processors ()),
      .options = &settings->settings.asr};
  Transcription self = {.loop = loop,
      .settings = settings,
      .samples = samples,
      .count = pcm->frames};

  self.asr = dub_asr_chain_new (settings->settings.asr.provider, &asr, error);
  if (self.asr == NULL)
    return EX_CONFIG;
  dub_pcm_s16_to_f32 (pcm->samples, samples, pcm->frames);
  next_stretch (&self);
  g_main_loop_run (loop);
  self.asr->provider->free (self.asr);
  g_clear_pointer (&self.bytes, g_bytes_unref);
  return self.status;
}

int
dub_command_transcribe (int argc, char **argv)
{
  Settings settings = {.language = NULL};
  DubCommand command = {"FILE", "Prints what is said in a sound or video file.",
      options, &settings, 1, 1};
  g_autoptr (GError) error = NULL;
  g_autoptr (DubPcm) pcm = NULL;
  int status = EX_OK;

  if (!dub_command_begin (&command, &argc, &argv, &status))
    return status;
  status = EX_DATAERR;
  pcm = dub_media_file_read (argv[2], DUB_ASR_RATE_HZ, &error);
  if (pcm != NULL)
    status = transcribe (&settings, pcm, &error);
  if (error != NULL)
    fprintf (stderr, "transcribe: %s\n", error->message);
  dub_config_clear (options, &settings);
  return status;
}
