/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "sts.tts"

#include "piper_engine.h"

#include "onnx_check.h"
#include "phonemes.h"

#include <dubbing_common/clock.h>
#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <math.h>
#include <sherpa-onnx/c-api/c-api.h>
#include <string.h>

/* What Piper's own configuration files have for almost every voice. */
#define NOISE_SCALE 0.667f
#define NOISE_SCALE_W 0.8f
#define MIN_SPEED 0.5
#define MAX_SPEED 2.0
/* Between sentences, at normal speed. */
#define PAUSE_MS 180
/* More in one go makes the network's memory grow with its square. */
#define MAX_SENTENCE 400

typedef struct {
  const SherpaOnnxOfflineTts *tts;
  GHashTable *tokens;
  guint rate_hz;
} Piper;

static void
piper_unload (gpointer state)
{
  Piper *self = state;

  g_clear_pointer (&self->tts, SherpaOnnxDestroyOfflineTts);
  g_clear_pointer (&self->tokens, g_hash_table_unref);
  g_free (self);
}

static GHashTable *
load_tokens (const char *path, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) local = NULL;
  gsize length = 0;

  if (!g_file_get_contents (path, &text, &length, &local)) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND,
        "no table of tokens beside the Piper voice: %s", local->message);
    return NULL;
  }
  return dub_onnx_read_tokens (text, length, error);
}

static const SherpaOnnxOfflineTts *
create_tts (const char *model, const char *tokens, int threads)
{
  SherpaOnnxOfflineTtsConfig config;

  memset (&config, 0, sizeof config);
  config.model.vits.model = model;
  config.model.vits.tokens = tokens;
  config.model.vits.noise_scale = NOISE_SCALE;
  config.model.vits.noise_scale_w = NOISE_SCALE_W;
  config.model.vits.length_scale = 1;
  config.model.num_threads = threads;
  config.max_num_sentences = 1;
  return SherpaOnnxCreateOfflineTts (&config);
}

static gboolean
append_silence (GByteArray *sound, guint rate_hz, double seconds)
{
  gsize bytes = (gsize) (rate_hz * seconds) * sizeof (float);
  guint old = sound->len;

  if (old + bytes > DUB_FRAME_MAX_PAYLOAD)
    return FALSE;
  g_byte_array_set_size (sound, (guint) (old + bytes));
  memset (sound->data + old, 0, bytes);
  return TRUE;
}

static gboolean
too_long (GError **error)
{
  g_set_error (error, DUB_ERROR, DUB_ERROR_LIMIT,
      "the speech is longer than %u bytes", DUB_FRAME_MAX_PAYLOAD);
  return FALSE;
}

static gboolean
say (Piper *self, const gunichar *phonemes, guint length, double speed,
    GByteArray *sound, GError **error)
{
  SherpaOnnxGenerationConfig config;
  int32_t sentence_length = (int32_t) length;
  const SherpaOnnxGeneratedAudio *audio = NULL;
  gsize bytes;

  memset (&config, 0, sizeof config);
  config.speed = (float) speed;
  config.silence_scale = 1;
  config.phoneme_codepoints = (const int32_t *) phonemes;
  config.phoneme_codepoints_lens = &sentence_length;
  config.phoneme_codepoints_num_sentences = 1;
  audio = SherpaOnnxOfflineTtsGenerateWithConfig (
      self->tts, "", &config, NULL, NULL);
  if (audio == NULL || audio->n <= 0 || audio->samples == NULL) {
    g_clear_pointer (&audio, SherpaOnnxDestroyOfflineTtsGeneratedAudio);
    g_set_error_literal (
        error, DUB_ERROR, DUB_ERROR_ENGINE, "the Piper voice gave no sound");
    return FALSE;
  }
  bytes = (gsize) audio->n * sizeof (float);
  if (sound->len + bytes > DUB_FRAME_MAX_PAYLOAD) {
    SherpaOnnxDestroyOfflineTtsGeneratedAudio (audio);
    return too_long (error);
  }
  g_byte_array_append (sound, (const guint8 *) audio->samples, (guint) bytes);
  SherpaOnnxDestroyOfflineTtsGeneratedAudio (audio);
  return TRUE;
}

/* A sentence that never ends is said in pieces, cut at a space. */
static guint
piece_length (const gunichar *phonemes, guint length)
{
  if (length <= MAX_SENTENCE)
    return length;
  for (guint i = MAX_SENTENCE; i > MAX_SENTENCE / 2; i--)
    if (phonemes[i - 1] == ' ')
      return i;
  return MAX_SENTENCE;
}

static gboolean
say_sentence (Piper *self, GArray *sentence, double speed, GByteArray *sound,
    GError **error)
{
  const gunichar *phonemes = (const gunichar *) (void *) sentence->data;
  guint left = sentence->len;

  while (left > 0) {
    guint length = piece_length (phonemes, left);
    if (!say (self, phonemes, length, speed, sound, error))
      return FALSE;
    phonemes += length;
    left -= length;
  }
  return TRUE;
}

static gboolean
say_all (Piper *self, GPtrArray *sentences, double speed, gint64 deadline_ns,
    GByteArray *sound, GError **error)
{
  for (guint i = 0; i < sentences->len; i++) {
    if (g_get_monotonic_time () * 1000 >= deadline_ns) {
      g_set_error_literal (
          error, DUB_ERROR, DUB_ERROR_TIMEOUT, "synthesis did not end in time");
      return FALSE;
    }
    if (i > 0 &&
        !append_silence (sound, self->rate_hz, PAUSE_MS / 1000.0 / speed))
      return too_long (error);
    if (!say_sentence (
            self, g_ptr_array_index (sentences, i), speed, sound, error))
      return FALSE;
  }
  return TRUE;
}

static void
silence_nan (GByteArray *sound)
{
  float *samples = (float *) (void *) sound->data;

  for (gsize i = 0; i < sound->len / sizeof (float); i++)
    if (!isfinite (samples[i]))
      samples[i] = 0;
}

static DubFrame *
sound_to_frame (Piper *self, GByteArray *sound, guint unknown)
{
  JsonObject *header = json_object_new ();
  g_autoptr (GBytes) bytes = NULL;

  silence_nan (sound);
  bytes = g_byte_array_free_to_bytes (sound);
  json_object_set_int_member (header, "rate_hz", self->rate_hz);
  json_object_set_int_member (header, "unknown", unknown);
  return dub_frame_new (header, bytes);
}

static DubFrame *
piper_handle (gpointer state, const DubFrame *request, GError **error)
{
  Piper *self = state;
  const char *text = dub_frame_get_string (request, "text", "");
  double speed = dub_frame_get_double (request, "speed", 1);
  gint64 deadline_ns = dub_frame_get_int (request, "deadline_ns", G_MAXINT64);
  g_autoptr (GPtrArray) sentences = NULL;
  g_autoptr (GByteArray) sound = g_byte_array_new ();
  guint unknown = 0;

  if (strlen (text) > DUB_PIPER_MAX_TEXT) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_LIMIT,
        "text of %" G_GSIZE_FORMAT " bytes, at most %d are allowed",
        strlen (text), DUB_PIPER_MAX_TEXT);
    return NULL;
  }
  speed = isfinite (speed) ? CLAMP (speed, MIN_SPEED, MAX_SPEED) : 1;
  sentences = dub_phonemes_from_text (text, self->tokens, &unknown);
  if (sentences->len == 0) {
    g_set_error_literal (error, DUB_ERROR, DUB_ERROR_INVALID,
        "there is nothing to say in the text");
    return NULL;
  }
  if (!say_all (self, sentences, speed, deadline_ns, sound, error))
    return NULL;
  return sound_to_frame (self, g_steal_pointer (&sound), unknown);
}

static gboolean
warm_up (Piper *self, GError **error)
{
  g_autoptr (GByteArray) sound = g_byte_array_new ();
  guint unknown = 0;
  g_autoptr (GPtrArray) sentences =
      dub_phonemes_from_text ("One, two.", self->tokens, &unknown);

  return say_all (self, sentences, 1, G_MAXINT64, sound, error);
}

static gpointer
piper_load (const DubFrame *settings, JsonObject *ready, GError **error)
{
  const char *model = dub_frame_get_string (settings, "model", "");
  const char *tokens = dub_frame_get_string (settings, "tokens", "");
  const char *voice = dub_frame_get_string (settings, "espeak_voice", "en-us");
  gint64 threads = CLAMP (dub_frame_get_int (settings, "threads", 1), 1, 64);
  guint rate_hz = 0;
  g_autoptr (GHashTable) known = NULL;
  Piper *self = NULL;

  if (!dub_onnx_check_piper (model, &rate_hz, error))
    return NULL;
  known = load_tokens (tokens, error);
  if (known == NULL || !dub_phonemes_open (voice, error))
    return NULL;
  self = g_new0 (Piper, 1);
  self->tokens = g_steal_pointer (&known);
  self->rate_hz = rate_hz;
  self->tts = create_tts (model, tokens, (int) threads);
  if (self->tts == NULL) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "sherpa-onnx does not take the voice '%s'", model);
    piper_unload (self);
    return NULL;
  }
  if (!warm_up (self, error)) {
    piper_unload (self);
    return NULL;
  }
  json_object_set_int_member (ready, "rate_hz", rate_hz);
  return self;
}

const DubEngineKind dub_piper_engine = {
    .kind = "piper",
    .load = piper_load,
    .handle = piper_handle,
    .unload = piper_unload,
};
