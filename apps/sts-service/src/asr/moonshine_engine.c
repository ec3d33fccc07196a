/* SPDX-License-Identifier: Apache-2.0 */
#include "moonshine_engine.h"

#include <dubbing_common/error.h>
#include <sherpa-onnx/c-api/c-api.h>
#include <stdio.h>
#include <string.h>

/* Shorter sound makes the network's convolutions fail. */
#define MIN_SAMPLES (DUB_MOONSHINE_RATE_HZ / 5)
#define MAX_SAMPLES (DUB_MOONSHINE_RATE_HZ / 1000 * DUB_MOONSHINE_MAX_MS)

/* What ONNX Runtime's own format begins with, four bytes from the start. */
#define ORT_MAGIC "ORTM"

typedef struct {
  const SherpaOnnxOfflineRecognizer *recogniser;
} Moonshine;

typedef struct {
  char *encoder, *decoder, *tokens;
} Files;

static void
files_clear (Files *files)
{
  g_free (files->encoder);
  g_free (files->decoder);
  g_free (files->tokens);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Files, files_clear)

/* sherpa-onnx ends the process over a file that is not what it expects. */
static gboolean
check_network (const char *path, GError **error)
{
  char head[8] = {0};
  FILE *file = fopen (path, "rb");
  gsize length = 0;

  if (file == NULL) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND,
        "no Moonshine model at '%s' (scripts/fetch moonshine-tiny-en gets it)",
        path);
    return FALSE;
  }
  length = fread (head, 1, sizeof head, file);
  fclose (file);
  if (length == sizeof head && memcmp (head + 4, ORT_MAGIC, 4) == 0)
    return TRUE;
  g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
      "'%s' is no network in the format of ONNX Runtime", path);
  return FALSE;
}

/* One token a line: base64 (of one token nothing), a space, its number. */
static gboolean
check_tokens (const char *path, GError **error)
{
  g_autofree char *text = NULL;
  gsize length = 0;

  if (g_file_get_contents (path, &text, &length, NULL) && length > 0 &&
      g_regex_match_simple (
          "\\A(?:[A-Za-z0-9+/]*=* [0-9]+\\n)+\\Z", text, 0, 0))
    return TRUE;
  g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
      "'%s' is no table of Moonshine's tokens", path);
  return FALSE;
}

static gboolean
find_files (const DubFrame *settings, Files *files, GError **error)
{
  const char *folder = dub_frame_get_string (settings, "folder", "");

  files->encoder = g_build_filename (folder, "encoder_model.ort", NULL);
  files->decoder = g_build_filename (folder, "decoder_model_merged.ort", NULL);
  files->tokens = g_build_filename (folder, "tokens.txt", NULL);
  return check_network (files->encoder, error) &&
         check_network (files->decoder, error) &&
         check_tokens (files->tokens, error);
}

static void
moonshine_unload (gpointer state)
{
  Moonshine *self = state;

  g_clear_pointer (&self->recogniser, SherpaOnnxDestroyOfflineRecognizer);
  g_free (self);
}

static gpointer
moonshine_load (const DubFrame *settings, JsonObject *ready, GError **error)
{
  g_auto (Files) files = {NULL};
  SherpaOnnxOfflineRecognizerConfig config;
  int threads = (int) CLAMP (dub_frame_get_int (settings, "threads", 1), 1, 64);
  Moonshine *self = NULL;

  if (!find_files (settings, &files, error))
    return NULL;
  memset (&config, 0, sizeof config);
  config.feat_config.sample_rate = DUB_MOONSHINE_RATE_HZ;
  config.feat_config.feature_dim = 80;
  config.model_config.moonshine.encoder = files.encoder;
  config.model_config.moonshine.merged_decoder = files.decoder;
  config.model_config.tokens = files.tokens;
  config.model_config.num_threads = threads;
  config.model_config.provider = "cpu";
  config.decoding_method = "greedy_search";
  self = g_new0 (Moonshine, 1);
  self->recogniser = SherpaOnnxCreateOfflineRecognizer (&config);
  if (self->recogniser == NULL) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "sherpa-onnx does not take the model of '%s'", files.encoder);
    moonshine_unload (self);
    return NULL;
  }
  json_object_set_int_member (ready, "threads", threads);
  return self;
}

static DubFrame *
text_to_frame (const char *text)
{
  JsonObject *header = json_object_new ();
  g_autofree char *valid = g_utf8_make_valid (text, -1);

  json_object_set_string_member (header, "text", g_strstrip (valid));
  return dub_frame_new (header, NULL);
}

static DubFrame *
recognise (Moonshine *self, const float *samples, gsize count, GError **error)
{
  const SherpaOnnxOfflineStream *stream =
      SherpaOnnxCreateOfflineStream (self->recogniser);
  const SherpaOnnxOfflineRecognizerResult *result = NULL;
  DubFrame *answer = NULL;

  SherpaOnnxAcceptWaveformOffline (
      stream, DUB_MOONSHINE_RATE_HZ, samples, (int32_t) count);
  SherpaOnnxDecodeOfflineStream (self->recogniser, stream);
  result = SherpaOnnxGetOfflineStreamResult (stream);
  if (result != NULL)
    answer = text_to_frame (result->text);
  else
    g_set_error_literal (
        error, DUB_ERROR, DUB_ERROR_ENGINE, "sherpa-onnx gave no result");
  g_clear_pointer (&result, SherpaOnnxDestroyOfflineRecognizerResult);
  SherpaOnnxDestroyOfflineStream (stream);
  return answer;
}

static DubFrame *
moonshine_handle (gpointer state, const DubFrame *request, GError **error)
{
  gsize length = 0;
  const float *samples = g_bytes_get_data (request->payload, &length);
  gsize count = length / sizeof (float);

  if (length % sizeof (float) != 0 || count > MAX_SAMPLES) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_LIMIT,
        "%" G_GSIZE_FORMAT " bytes of sound: whole samples, and at most "
        "%d s, are allowed",
        length, DUB_MOONSHINE_MAX_MS / 1000);
    return NULL;
  }
  if (count < MIN_SAMPLES)
    return text_to_frame ("");
  return recognise (state, samples, count, error);
}

const DubEngineKind dub_moonshine_engine = {
    .kind = "moonshine",
    .load = moonshine_load,
    .handle = moonshine_handle,
    .unload = moonshine_unload,
};
