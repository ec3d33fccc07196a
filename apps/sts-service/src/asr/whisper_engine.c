/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "sts.asr"

#include "whisper_engine.h"

#include "further_tries.h"
#include "guards.h"
#include "whisper_reader.h"

#include <dubbing_common/clock.h>
#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <ggml-backend.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <whisper.h>

/* whisper.cpp refuses less than 100 ms. */
#define MIN_SAMPLES (DUB_WHISPER_RATE_HZ / 5)
#define MAX_SAMPLES (DUB_WHISPER_RATE_HZ / 1000 * DUB_WHISPER_MAX_MS)
#define MODEL_MAGIC 0x67676d6c /* "ggml" */

typedef struct {
  struct whisper_context *context;
  DubWhisperReader *reader;
  int threads;
  gboolean is_on_gpu;
  GBytes *encoded; /* the sound that the encoder saw last (nullable) */
} Whisper;

typedef struct {
  GBytes *sound;
  const float *samples;
  int n_samples;
  const char *language;
  gboolean is_translation;
  const char *prompt;
  gint64 deadline_ns;
  gboolean gives_way;
} Task;

typedef struct {
  char *text;
  const char *language; /* what it sounds like */
  double language_probability;
  double asked_probability; /* that it is the language that was asked for */
  double no_speech;
  double mean_logprob;
  int tokens;
  gboolean is_looping;
  gboolean is_read_again; /* off what the encoder had made before */
} Heard;

static gint64
now_ns (void)
{
  return g_get_monotonic_time () * 1000;
}

static void
on_whisper_log (enum ggml_log_level level, const char *text, void *user_data)
{
  g_autofree char *line = g_strchomp (g_strdup (text));

  if (*line == '\0')
    return;
  /* What failed, or was aborted at its deadline, is answered as an error. */
  if (level == GGML_LOG_LEVEL_ERROR)
    dub_debug ("whisper.cpp: %s", line);
  else
    dub_trace ("whisper.cpp: %s", line);
}

/* whisper.cpp trusts its file, so at least it must be one. */
static gboolean
check_model (const char *path, GError **error)
{
  guint32 magic = 0;
  FILE *file = path[0] != '\0' ? fopen (path, "rb") : NULL;

  if (file == NULL) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND,
        "no Whisper model at '%s' (scripts/fetch gets it)", path);
    return FALSE;
  }
  if (fread (&magic, sizeof magic, 1, file) != 1)
    magic = 0;
  fclose (file);
  if (GUINT32_FROM_LE (magic) != MODEL_MAGIC) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "'%s' is no ggml model of Whisper", path);
    return FALSE;
  }
  return TRUE;
}

static bool
is_late (void *user_data)
{
  const Task *task = user_data;

  return now_ns () >= task->deadline_ns;
}

static int
threads_for (const Whisper *self, const Task *task)
{
  return task->gives_way ? 1 : self->threads;
}

/* Enough for who speaks fastest, and the end of what loops. */
static int
max_tokens (const Task *task)
{
  return 8 * task->n_samples / DUB_WHISPER_RATE_HZ + 12;
}

/* whisper_full () encodes; it can be kept from all but one token of decoding,
 * which is the reader's. */
static struct whisper_full_params
encoding_params (const Whisper *self, Task *task, int audio_ctx)
{
  struct whisper_full_params params =
      whisper_full_default_params (WHISPER_SAMPLING_GREEDY);

  params.n_threads = threads_for (self, task);
  params.language = "en"; /* the encoder knows none */
  params.audio_ctx = audio_ctx;
  params.max_tokens = 1;
  params.temperature_inc = 0; /* its retries took 7 to 18 s on a bad cut */
  params.no_context = true;
  params.no_timestamps = true;
  params.single_segment = true;
  params.print_progress = false;
  params.print_realtime = false;
  params.print_timestamps = false;
  params.print_special = false;
  params.abort_callback = is_late;
  params.abort_callback_user_data = task;
  return params;
}

/* Softmax of some logits, in place of them. */
static void
to_probabilities (float *logits, int n)
{
  float highest = -INFINITY;
  double sum = 0;

  for (int i = 0; i < n; i++)
    highest = MAX (highest, logits[i]);
  for (int i = 0; i < n; i++) {
    logits[i] = expf (logits[i] - highest);
    sum += logits[i];
  }
  for (int i = 0; i < n; i++)
    logits[i] = (float) (logits[i] / sum);
}

static void
read_languages (struct whisper_context *context, const float *logits,
    const char *asked, Heard *heard)
{
  int n = whisper_lang_max_id () + 1;
  g_autofree float *p = g_new0 (float, n);
  int asked_id = g_str_equal (asked, "auto") ? -1 : whisper_lang_id (asked);
  int best = 0;

  for (int id = 0; id < n; id++)
    p[id] = logits[whisper_token_lang (context, id)];
  to_probabilities (p, n);
  for (int id = 1; id < n; id++)
    best = p[id] > p[best] ? id : best;
  heard->language = whisper_lang_str (best);
  heard->language_probability = p[best];
  heard->asked_probability = asked_id >= 0 ? p[asked_id] : 0;
}

/*
 * What the model says right after the start token: its doubt that there was
 * speech at all, and which language it was. whisper.cpp looks for the doubt
 * behind the whole prompt, where it is always near nothing, and for the
 * language only when none is given, with a pass of the encoder of its own;
 * this asks for both with one step of the decoder on what the encoder has
 * already made.
 */
static void
read_start (const Whisper *self, const Task *task, Heard *heard)
{
  struct whisper_context *context = self->context;
  const float *logits =
      dub_whisper_reader_peek (self->reader, threads_for (self, task));
  int n = whisper_n_vocab (context);
  g_autofree float *p = NULL;

  heard->language = "en";
  if (logits == NULL)
    return;
  if (whisper_is_multilingual (context))
    read_languages (context, logits, task->language, heard);
  p = g_memdup2 (logits, (gsize) n * sizeof *p);
  to_probabilities (p, n);
  heard->no_speech = p[whisper_token_nosp (context)];
}

/* A token is bytes: the last one may end inside a character. */
static void
take_text (Heard *heard, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);

  heard->text = g_strdup (g_strstrip (valid));
  heard->is_looping = dub_guard_is_looping (heard->text);
}

/* Off what the encoder has made. */
static gboolean
read_text (Whisper *self, const Task *task, const char *prompt, Heard *heard,
    GError **error)
{
  DubWhisperReading reading = {.is_translation = task->is_translation,
      .prompt = prompt,
      .max_tokens = max_tokens (task),
      .threads = threads_for (self, task),
      .deadline_ns = task->deadline_ns};
  g_auto (DubWhisperRead) text = {NULL};

  read_start (self, task, heard);
  reading.language =
      g_str_equal (task->language, "auto") ? heard->language : task->language;
  if (!dub_whisper_reader_read (self->reader, &reading, &text, error))
    return FALSE;
  take_text (heard, text.text->str);
  heard->tokens = text.tokens;
  heard->mean_logprob = text.tokens > 0 ? text.logprob_sum / text.tokens : 0;
  return TRUE;
}

static gboolean
encode (Whisper *self, Task *task, int audio_ctx, GError **error)
{
  struct whisper_full_params params = encoding_params (self, task, audio_ctx);
  int status;

  g_clear_pointer (&self->encoded, g_bytes_unref);
  status = whisper_full (self->context, params, task->samples, task->n_samples);
  if (status != 0) {
    gboolean late = is_late (task);
    g_set_error (error, DUB_ERROR, late ? DUB_ERROR_TIMEOUT : DUB_ERROR_ENGINE,
        late ? "recognition did not end in time (%d)"
             : "whisper.cpp failed with %d",
        status);
    return FALSE;
  }
  if (task->sound != NULL)
    self->encoded = g_bytes_ref (task->sound);
  return TRUE;
}

static gboolean
listen (Whisper *self, Task *task, int audio_ctx, Heard *heard, GError **error)
{
  *heard = (Heard){NULL};
  return encode (self, task, audio_ctx, error) &&
         read_text (self, task, task->prompt, heard, error);
}

/* Is the encoder's work on this sound still there, for who wants the other
 * text of it? */
static gboolean
is_encoded (const Whisper *self, const Task *task)
{
  return task->gives_way && self->encoded != NULL &&
         !g_str_equal (task->language, "auto") &&
         g_bytes_equal (self->encoded, task->sound);
}

static gboolean
read_again (Whisper *self, const Task *task, Heard *heard, GError **error)
{
  heard->is_read_again = TRUE;
  return read_text (self, task, NULL, heard, error);
}

static guint
duration_ms (const Task *task)
{
  return (guint) ((gint64) task->n_samples * 1000 / DUB_WHISPER_RATE_HZ);
}

static DubGuardVerdict
judge (const Task *task, const Heard *heard)
{
  g_autofree char *text = dub_guard_clean (heard->text);
  DubGuardInput input = {.text = text,
      .no_speech = heard->no_speech,
      .mean_logprob = heard->mean_logprob,
      .duration_ms = duration_ms (task),
      .prompt = task->prompt};
  DubGuardLimits limits;

  dub_guard_limits_init (&limits);
  return dub_guard_check (&input, &limits);
}

/* One that does not end in time, or is no better, leaves the first. */
static gboolean
try_again (Whisper *self, Task *task, int audio_ctx, Heard *heard)
{
  Heard again = {NULL};
  gboolean is_better = listen (self, task, audio_ctx, &again, NULL) &&
                       judge (task, &again) == DUB_GUARD_PASS;

  if (is_better) {
    Heard first = *heard;

    *heard = again;
    again = first;
  }
  g_free (again.text);
  return is_better;
}

static gboolean
recognise (Whisper *self, Task *task, Heard *heard, GError **error)
{
  DubTries tries;
  DubGuardVerdict verdict;

  if (is_encoded (self, task))
    return read_again (self, task, heard, error);
  dub_tries_start (&tries, duration_ms (task), now_ns (), task->deadline_ns);
  if (!listen (self, task, tries.audio_ctx, heard, error))
    return FALSE;
  verdict = judge (task, heard);
  while (dub_tries_next (&tries, verdict, now_ns ())) {
    dub_debug ("%s (%.2f), once more with a context of %d",
        dub_guard_verdict_to_string (verdict), heard->mean_logprob,
        tries.audio_ctx);
    if (try_again (self, task, tries.audio_ctx, heard))
      break;
  }
  return TRUE;
}

static gboolean
read_task (const DubFrame *request, Task *task, GError **error)
{
  gsize length = 0;
  const char *tag = dub_frame_get_string (request, "language", "auto");

  task->sound = request->payload;
  task->samples = g_bytes_get_data (request->payload, &length);
  task->n_samples = (int) (length / sizeof (float));
  task->deadline_ns = dub_frame_get_int (request, "deadline_ns", G_MAXINT64);
  task->is_translation = g_str_equal (
      dub_frame_get_string (request, "task", "transcribe"), "translate");
  task->gives_way = dub_frame_get_int (request, "gives_way", 0) != 0;
  task->prompt = dub_frame_get_string (request, "prompt", NULL);
  task->language =
      g_str_equal (tag, "auto") ? "auto" : dub_whisper_language (tag);
  if (task->language == NULL) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
        "Whisper knows no language '%s'", tag);
    return FALSE;
  }
  if (length % sizeof (float) != 0 || task->n_samples > MAX_SAMPLES) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_LIMIT,
        "%" G_GSIZE_FORMAT " bytes of sound: whole samples, and at most "
        "%d s, are allowed",
        length, DUB_WHISPER_MAX_MS / 1000);
    return FALSE;
  }
  return TRUE;
}

static DubFrame *
heard_to_frame (const Heard *heard)
{
  JsonObject *header = json_object_new ();

  json_object_set_string_member (header, "text", heard->text);
  json_object_set_string_member (
      header, "language", heard->language != NULL ? heard->language : "");
  json_object_set_double_member (
      header, "language_probability", heard->language_probability);
  json_object_set_double_member (
      header, "asked_probability", heard->asked_probability);
  json_object_set_double_member (header, "no_speech", heard->no_speech);
  json_object_set_double_member (header, "mean_logprob",
      isfinite (heard->mean_logprob) ? heard->mean_logprob : -99.0);
  json_object_set_int_member (header, "tokens", heard->tokens);
  json_object_set_boolean_member (header, "is_looping", heard->is_looping);
  json_object_set_boolean_member (
      header, "is_read_again", heard->is_read_again);
  return dub_frame_new (header, NULL);
}

static DubFrame *
whisper_handle (gpointer state, const DubFrame *request, GError **error)
{
  Task task = {NULL};
  Heard heard = {NULL};
  DubFrame *answer = NULL;

  if (!read_task (request, &task, error))
    return NULL;
  if (task.n_samples < MIN_SAMPLES) {
    heard.text = g_strdup ("");
    heard.no_speech = 1;
  } else if (!recognise (state, &task, &heard, error)) {
    g_free (heard.text);
    return NULL;
  }
  answer = heard_to_frame (&heard);
  g_free (heard.text);
  return answer;
}

/* The first run builds what the others use. */
static gboolean
warm_up (Whisper *self, GError **error)
{
  g_autofree float *silence = g_new0 (float, DUB_WHISPER_RATE_HZ);
  Task task = {.samples = silence,
      .n_samples = DUB_WHISPER_RATE_HZ,
      .language = "en",
      .deadline_ns = G_MAXINT64};
  Heard heard = {NULL};
  gboolean ok = listen (self, &task, DUB_TRIES_CTX_STEP, &heard, error);

  g_free (heard.text);
  return ok;
}

static void
whisper_unload (gpointer state)
{
  Whisper *self = state;

  g_clear_pointer (&self->encoded, g_bytes_unref);
  g_clear_pointer (&self->reader, dub_whisper_reader_free);
  g_clear_pointer (&self->context, whisper_free);
  g_free (self);
}

static gboolean
has_gpu (void)
{
  return ggml_backend_dev_by_type (GGML_BACKEND_DEVICE_TYPE_GPU) != NULL;
}

/* A GPU that is not there, or does not take the model, costs speed only. */
static gboolean
open_model (Whisper *self, const char *model, const char *device)
{
  struct whisper_context_params params = whisper_context_default_params ();
  gboolean is_wanted = g_str_equal (device, "cuda");

  params.use_gpu = !g_str_equal (device, "cpu") && has_gpu ();
  params.flash_attn = true;
  if (is_wanted && !params.use_gpu)
    dub_warning ("DEVICE=cuda: whisper.cpp finds no GPU that it was built "
                 "for; it runs on the CPU");
  self->context = whisper_init_from_file_with_params (model, params);
  if (self->context == NULL && params.use_gpu) {
    dub_warning (
        "the GPU does not take the model '%s'; it runs on the CPU", model);
    params.use_gpu = false;
    self->context = whisper_init_from_file_with_params (model, params);
  }
  self->is_on_gpu = params.use_gpu;
  return self->context != NULL;
}

static gpointer
whisper_load (const DubFrame *settings, JsonObject *ready, GError **error)
{
  const char *model = dub_frame_get_string (settings, "model", "");
  Whisper *self = NULL;

  whisper_log_set (on_whisper_log, NULL);
  if (!check_model (model, error))
    return NULL;
  self = g_new0 (Whisper, 1);
  self->threads =
      (int) CLAMP (dub_frame_get_int (settings, "threads", 1), 1, 64);
  if (!open_model (
          self, model, dub_frame_get_string (settings, "device", "auto"))) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "whisper.cpp does not take the model '%s'", model);
    whisper_unload (self);
    return NULL;
  }
  self->reader = dub_whisper_reader_new (self->context);
  if (!warm_up (self, error)) {
    whisper_unload (self);
    return NULL;
  }
  json_object_set_boolean_member (
      ready, "is_multilingual", whisper_is_multilingual (self->context));
  json_object_set_int_member (ready, "threads", self->threads);
  json_object_set_string_member (
      ready, "device", self->is_on_gpu ? "gpu" : "cpu");
  return self;
}

const char *
dub_whisper_language (const char *tag)
{
  g_autofree char *base = g_ascii_strdown (tag, -1);

  base[strcspn (base, "-_")] = '\0';
  for (int id = 0; id <= whisper_lang_max_id (); id++)
    if (g_str_equal (base, whisper_lang_str (id)))
      return whisper_lang_str (id);
  return NULL;
}

const DubEngineKind dub_whisper_engine = {
    .kind = "whisper",
    .load = whisper_load,
    .handle = whisper_handle,
    .unload = whisper_unload,
};
