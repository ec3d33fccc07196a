/* SPDX-License-Identifier: Apache-2.0 */
#include "sherpa_voice.h"

#include "engine_voice.h"
#include "onnx_check.h"
#include "phonemes.h"

#include <dubbing_common/error.h>
#include <math.h>
#include <string.h>

/* Between sentences, at normal speed. */
#define PAUSE_MS 180
/* More in one go makes the network's memory grow with its square. */
#define MAX_SENTENCE 400

struct _DubSherpaVoice {
  const SherpaOnnxOfflineTts *tts;
  GHashTable *tokens;
  guint rate_hz;
};

/* One answer on its way. */
typedef struct {
  double speed;
  guint speaker;
  gint64 deadline_ns;
  GByteArray *sound;
} Saying;

static GHashTable *
load_tokens (const char *path, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) local = NULL;
  gsize length = 0;

  if (!g_file_get_contents (path, &text, &length, &local)) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND,
        "no table of tokens beside the voice: %s", local->message);
    return NULL;
  }
  return dub_onnx_read_tokens (text, length, error);
}

DubSherpaVoice *
dub_sherpa_voice_new (const SherpaOnnxOfflineTtsConfig *config,
    const char *tokens_path, guint rate_hz, GError **error)
{
  g_autoptr (GHashTable) tokens = load_tokens (tokens_path, error);
  const SherpaOnnxOfflineTts *tts = NULL;
  DubSherpaVoice *self = NULL;

  if (tokens == NULL)
    return NULL;
  tts = SherpaOnnxCreateOfflineTts (config);
  if (tts == NULL) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "sherpa-onnx does not take the voice of '%s'", tokens_path);
    return NULL;
  }
  self = g_new0 (DubSherpaVoice, 1);
  self->tts = tts;
  self->tokens = g_steal_pointer (&tokens);
  self->rate_hz = rate_hz;
  return self;
}

void
dub_sherpa_voice_free (DubSherpaVoice *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->tts, SherpaOnnxDestroyOfflineTts);
  g_clear_pointer (&self->tokens, g_hash_table_unref);
  g_free (self);
}

static gboolean
too_long (GError **error)
{
  g_set_error (error, DUB_ERROR, DUB_ERROR_LIMIT,
      "the speech is longer than %u bytes", DUB_FRAME_MAX_PAYLOAD);
  return FALSE;
}

static gboolean
append (GByteArray *sound, const float *samples, gsize count, GError **error)
{
  gsize bytes = count * sizeof (float);

  if (sound->len + bytes > DUB_FRAME_MAX_PAYLOAD)
    return too_long (error);
  g_byte_array_append (sound, (const guint8 *) samples, (guint) bytes);
  return TRUE;
}

static gboolean
append_pause (DubSherpaVoice *self, Saying *saying, GError **error)
{
  gsize count = (gsize) (self->rate_hz * PAUSE_MS / 1000.0 / saying->speed);
  g_autofree float *silence = g_new0 (float, count);

  return append (saying->sound, silence, count, error);
}

static gboolean
say (DubSherpaVoice *self, Saying *saying, const gunichar *phonemes,
    guint length, GError **error)
{
  SherpaOnnxGenerationConfig config;
  int32_t sentence_length = (int32_t) length;
  const SherpaOnnxGeneratedAudio *audio = NULL;
  gboolean ok = FALSE;

  memset (&config, 0, sizeof config);
  config.speed = (float) saying->speed;
  config.sid = (int32_t) saying->speaker;
  config.silence_scale = 1;
  config.phoneme_codepoints = (const int32_t *) phonemes;
  config.phoneme_codepoints_lens = &sentence_length;
  config.phoneme_codepoints_num_sentences = 1;
  audio = SherpaOnnxOfflineTtsGenerateWithConfig (
      self->tts, "", &config, NULL, NULL);
  if (audio != NULL && audio->n > 0 && audio->samples != NULL)
    ok = append (saying->sound, audio->samples, (gsize) audio->n, error);
  else
    g_set_error_literal (
        error, DUB_ERROR, DUB_ERROR_ENGINE, "the voice gave no sound");
  g_clear_pointer (&audio, SherpaOnnxDestroyOfflineTtsGeneratedAudio);
  return ok;
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
say_sentence (
    DubSherpaVoice *self, Saying *saying, GArray *sentence, GError **error)
{
  const gunichar *phonemes = (const gunichar *) (void *) sentence->data;
  guint left = sentence->len;

  while (left > 0) {
    guint length = piece_length (phonemes, left);
    if (!say (self, saying, phonemes, length, error))
      return FALSE;
    phonemes += length;
    left -= length;
  }
  return TRUE;
}

static gboolean
say_all (
    DubSherpaVoice *self, Saying *saying, GPtrArray *sentences, GError **error)
{
  for (guint i = 0; i < sentences->len; i++) {
    if (g_get_monotonic_time () * 1000 >= saying->deadline_ns) {
      g_set_error_literal (
          error, DUB_ERROR, DUB_ERROR_TIMEOUT, "synthesis did not end in time");
      return FALSE;
    }
    if (i > 0 && !append_pause (self, saying, error))
      return FALSE;
    if (!say_sentence (self, saying, g_ptr_array_index (sentences, i), error))
      return FALSE;
  }
  return TRUE;
}

gboolean
dub_sherpa_voice_warm_up (DubSherpaVoice *self, GError **error)
{
  g_autoptr (GByteArray) sound = g_byte_array_new ();
  Saying saying = {1, 0, G_MAXINT64, sound};
  guint unknown = 0;
  g_autoptr (GPtrArray) sentences =
      dub_phonemes_from_text ("One, two.", self->tokens, &unknown);

  return say_all (self, &saying, sentences, error);
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
sound_to_frame (DubSherpaVoice *self, GByteArray *sound, guint unknown)
{
  JsonObject *header = json_object_new ();
  g_autoptr (GBytes) bytes = NULL;

  silence_nan (sound);
  bytes = g_bytes_new (sound->data, sound->len);
  json_object_set_int_member (header, "rate_hz", self->rate_hz);
  json_object_set_int_member (header, "unknown", unknown);
  return dub_frame_new (header, bytes);
}

DubFrame *
dub_sherpa_voice_answer (DubSherpaVoice *self, const DubFrame *request,
    guint speaker, GError **error)
{
  const char *text = dub_engine_voice_text (request, error);
  g_autoptr (GPtrArray) sentences = NULL;
  g_autoptr (GByteArray) sound = g_byte_array_new ();
  Saying saying = {dub_engine_voice_speed (request), speaker,
      dub_frame_get_int (request, "deadline_ns", G_MAXINT64), sound};
  guint unknown = 0;

  if (text == NULL)
    return NULL;
  sentences = dub_phonemes_from_text (text, self->tokens, &unknown);
  if (sentences->len == 0) {
    g_set_error_literal (error, DUB_ERROR, DUB_ERROR_INVALID,
        "there is nothing to say in the text");
    return NULL;
  }
  if (!say_all (self, &saying, sentences, error))
    return NULL;
  return sound_to_frame (self, sound, unknown);
}
