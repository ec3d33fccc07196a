/* SPDX-License-Identifier: Apache-2.0 */
#include "http_voice.h"

#include <dubbing_common/error.h>
#include <dubbing_common/pcm.h>
#include <dubbing_mediacodec/mediacodec.h>
#include <string.h>

#define MIN_RATE_HZ 8000
#define MAX_RATE_HZ 48000
/* Below -60 dBFS nothing was said. */
#define SILENT_PEAK 33

typedef struct {
  DubTts base;
  const DubVoiceDialect *dialect;
  const DubTtsOptions *options; /* never NULL */
  DubVoices *voices;
  DubHttpEngine *http;
  char *authorization; /* (nullable) */
  GError *refusal;     /* it cannot work like this */
  GHashTable *calls;   /* &call->id -> Call: what is not answered */
  guint64 last_id;
} HttpVoice;

/* Held by calls, and by a thread that decodes. */
typedef struct {
  gatomicrefcount ref_count;
  HttpVoice *voice; /* NULL once cancelled, or its voice is gone */
  guint64 id, http_id;
  DubHttpVoiceCall request;
  DubTtsDoneFunc done;
  gpointer user_data;
  GError *error; /* known before anything is sent */
} Call;

/* What a thread is given and gives back. */
typedef struct {
  Call *call;
  GBytes *body;
  char *content_type;
  guint rate_hz;
} Decoding;

static const DubTtsOptions no_options;

void
dub_http_voice_call_clear (DubHttpVoiceCall *call)
{
  g_clear_pointer (&call->url, g_free);
  g_clear_pointer (&call->body, g_bytes_unref);
}

static Call *
call_ref (Call *call)
{
  g_atomic_ref_count_inc (&call->ref_count);
  return call;
}

static void
call_unref (gpointer data)
{
  Call *call = data;

  if (!g_atomic_ref_count_dec (&call->ref_count))
    return;
  dub_http_voice_call_clear (&call->request);
  g_clear_error (&call->error);
  g_free (call);
}

/* ---- what came ----------------------------------------------------------- */

static gboolean
no_speech (GError **error, const char *what)
{
  g_set_error (
      error, DUB_ERROR, DUB_ERROR_ENGINE, "the answer is no speech: %s", what);
  return FALSE;
}

static gboolean
is_silent (const DubPcm *pcm)
{
  for (gsize i = 0; i < pcm->frames * pcm->channels; i++)
    if (ABS ((int) pcm->samples[i]) > SILENT_PEAK)
      return FALSE;
  return TRUE;
}

static gboolean
check_sound (const DubPcm *pcm, GError **error)
{
  g_autofree char *rate = g_strdup_printf ("a rate of %u Hz", pcm->rate_hz);

  if (pcm->rate_hz < MIN_RATE_HZ || pcm->rate_hz > MAX_RATE_HZ)
    return no_speech (error, rate);
  if (pcm->frames == 0)
    return no_speech (error, "it is empty");
  if (is_silent (pcm))
    return no_speech (error, "silence");
  return TRUE;
}

/* A server that has an error to tell, and says 200. */
static gboolean
is_text (const char *content_type)
{
  return content_type != NULL &&
         (g_str_has_prefix (content_type, "text/") ||
             g_str_equal (content_type, "application/json"));
}

/* Only what nobody says is MPEG may be raw samples. */
static const char *
label_of (const char *content_type, const DubHttpVoiceCall *call)
{
  return content_type != NULL && g_str_has_prefix (content_type, "audio/mp")
             ? "mp3"
             : call->label;
}

static GBytes *
to_float (DubPcm *pcm)
{
  g_autoptr (DubPcm) mono = dub_pcm_to_channels (pcm, 1);
  float *samples = g_new (float, mono->frames);

  dub_pcm_s16_to_f32 (mono->samples, samples, mono->frames);
  return g_bytes_new_take (samples, mono->frames * sizeof (float));
}

GBytes *
dub_http_voice_read (GBytes *body, const char *content_type,
    const DubHttpVoiceCall *call, guint *ret_rate_hz, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (DubPcm) pcm = NULL;

  if (is_text (content_type)) {
    no_speech (error, "it is text");
    return NULL;
  }
  if (g_bytes_get_size (body) == 0) {
    no_speech (error, "it is empty");
    return NULL;
  }
  pcm = dub_mediacodec_decode (body, label_of (content_type, call),
      call->label_rate_hz, 1, DUB_HTTP_VOICE_MAX_MS, &local);
  if (pcm == NULL) {
    if (g_error_matches (local, DUB_ERROR, DUB_ERROR_LIMIT))
      g_propagate_error (error, g_steal_pointer (&local));
    else
      no_speech (error, local->message);
    return NULL;
  }
  if (!check_sound (pcm, error))
    return NULL;
  *ret_rate_hz = pcm->rate_hz;
  return to_float (pcm);
}

/* ---- a call -------------------------------------------------------------- */

/* The one way out: after it the call is nobody's. */
static void
answer (Call *call, GBytes *samples, guint rate_hz, const GError *error)
{
  HttpVoice *self = call->voice;
  DubTtsDoneFunc done = call->done;
  gpointer user_data = call->user_data;
  g_autoptr (GError) named = NULL;

  call->voice = NULL;
  g_hash_table_remove (self->calls, &call->id);
  if (error != NULL) {
    named = g_error_copy (error);
    if (strstr (named->message, self->base.provider->name) == NULL)
      g_prefix_error (&named, "%s: ", self->base.provider->name);
  }
  done (samples, rate_hz, named, user_data);
}

static void
decoding_free (gpointer data)
{
  Decoding *decoding = data;

  call_unref (decoding->call);
  g_bytes_unref (decoding->body);
  g_free (decoding->content_type);
  g_free (decoding);
}

static void
do_decode (
    GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Decoding *decoding = data;
  GError *error = NULL;
  GBytes *samples = dub_http_voice_read (decoding->body, decoding->content_type,
      &decoding->call->request, &decoding->rate_hz, &error);

  if (samples != NULL)
    g_task_return_pointer (task, samples, (GDestroyNotify) g_bytes_unref);
  else
    g_task_return_error (task, error);
}

static void
on_decoded (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Decoding *decoding = g_task_get_task_data (G_TASK (result));
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) samples =
      g_task_propagate_pointer (G_TASK (result), &error);

  if (decoding->call->voice != NULL)
    answer (decoding->call, samples, decoding->rate_hz, error);
}

static void
on_http (const DubHttpAnswer *from, const GError *error, gpointer user_data)
{
  Call *call = user_data;
  Decoding *decoding = NULL;
  g_autoptr (GTask) task = NULL;

  call->http_id = 0;
  if (from == NULL) {
    answer (call, NULL, 0, error);
    return;
  }
  decoding = g_new0 (Decoding, 1);
  decoding->call = call_ref (call);
  decoding->body = g_bytes_ref (from->body);
  decoding->content_type = g_strdup (from->content_type);
  task = g_task_new (NULL, NULL, on_decoded, NULL);
  g_task_set_task_data (task, decoding, decoding_free);
  g_task_run_in_thread (task, do_decode);
}

static gboolean
on_refuse (gpointer user_data)
{
  Call *call = user_data;

  if (call->voice != NULL)
    answer (call, NULL, 0, call->error);
  return G_SOURCE_REMOVE;
}

static void
refuse_later (Call *call, GError *error)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  call->error = error;
  g_source_set_callback (source, on_refuse, call_ref (call), call_unref);
  g_source_attach (source, g_main_context_get_thread_default ());
}

static void
send (HttpVoice *self, Call *call, const DubTtsRequest *request)
{
  const char *headers[] = {
      self->dialect->key_header, self->authorization, NULL};
  DubHttpRequest http = {.method = call->request.method,
      .url = call->request.url,
      .headers = self->authorization != NULL ? headers : NULL,
      .content_type = "application/json",
      .body = call->request.body,
      .spoken = request->text,
      .max_answer_bytes = DUB_HTTP_VOICE_MAX_BYTES,
      .deadline_ns = request->deadline_ns};

  call->http_id = dub_http_engine_request (self->http, &http, on_http, call);
}

guint64
dub_http_voice_synthesise (DubTts *base, const DubTtsRequest *request,
    DubTtsDoneFunc done, gpointer user_data)
{
  HttpVoice *self = (HttpVoice *) base;
  const DubVoice *voice = dub_tts_find_voice (base, self->voices, request);
  Call *call = g_new0 (Call, 1);

  g_atomic_ref_count_init (&call->ref_count);
  call->voice = self;
  call->id = ++self->last_id;
  call->done = done;
  call->user_data = user_data;
  g_hash_table_insert (self->calls, &call->id, call);
  if (self->refusal != NULL) {
    refuse_later (call, g_error_copy (self->refusal));
  } else if (voice == NULL) {
    refuse_later (call, g_error_new (DUB_ERROR, DUB_ERROR_NOT_FOUND,
                            "there is no voice for '%s'", request->language));
  } else {
    self->dialect->make (self->options, self->dialect->url (self->options),
        request, voice, &call->request);
    send (self, call, request);
  }
  return call->id;
}

void
dub_http_voice_cancel (DubTts *base, guint64 id)
{
  HttpVoice *self = (HttpVoice *) base;
  Call *call = g_hash_table_lookup (self->calls, &id);

  if (call == NULL)
    return;
  if (call->http_id != 0)
    dub_http_engine_cancel (self->http, call->http_id);
  call->voice = NULL;
  g_hash_table_remove (self->calls, &id);
}

/* ---- the voice ----------------------------------------------------------- */

static GError *
why_not (const DubVoiceDialect *dialect, const DubTtsOptions *options)
{
  const char *missing = dialect->missing (options);
  GError *error = NULL;

  if (missing != NULL)
    return g_error_new (DUB_ERROR, DUB_ERROR_INVALID, "%s: %s is not set",
        dialect->provider->name, missing);
  if (!dub_http_url_check (dialect->url (options), &error))
    g_prefix_error (&error, "%s: ", dialect->provider->name);
  return error;
}

DubTts *
dub_http_voice_new (
    const DubVoiceDialect *dialect, const DubTtsSettings *settings)
{
  HttpVoice *self = g_new0 (HttpVoice, 1);
  DubHttpEngineSettings http;
  const char *key = NULL;

  self->base.provider = dialect->provider;
  self->base.max_speed = dialect->max_speed;
  self->dialect = dialect;
  self->options = settings->options != NULL ? settings->options : &no_options;
  self->voices = dub_tts_settings_voices (settings);
  self->refusal = why_not (dialect, self->options);
  self->calls =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, call_unref);
  key = dialect->key (self->options);
  if (key != NULL && *key != '\0')
    self->authorization = g_strconcat (dialect->key_scheme, key, NULL);
  dub_http_engine_settings_init (&http);
  http.name = dialect->provider->name;
  http.metrics = settings->metrics;
  http.secret = key;
  http.sort = dialect->sort;
  self->http = dub_http_engine_new (&http);
  return &self->base;
}

/* What waits is answered now, also what a thread decodes. */
static void
fail_all (HttpVoice *self)
{
  g_autoptr (GError) error = g_error_new_literal (
      DUB_ERROR, DUB_ERROR_DISCONNECTED, "the engine is being stopped");
  GHashTableIter iter;
  gpointer call = NULL;

  for (;;) {
    g_hash_table_iter_init (&iter, self->calls);
    if (!g_hash_table_iter_next (&iter, NULL, &call))
      return;
    answer (call, NULL, 0, error);
  }
}

void
dub_http_voice_free (DubTts *base)
{
  HttpVoice *self = (HttpVoice *) base;

  g_clear_pointer (&self->http, dub_http_engine_free);
  fail_all (self);
  g_hash_table_unref (self->calls);
  dub_voices_unref (self->voices);
  g_clear_error (&self->refusal);
  g_free (self->authorization);
  g_free (self);
}

gboolean
dub_http_voice_is_ready (DubTts *base, GError **error)
{
  HttpVoice *self = (HttpVoice *) base;

  if (self->refusal == NULL)
    return TRUE;
  g_propagate_error (error, g_error_copy (self->refusal));
  return FALSE;
}

gboolean
dub_http_voice_has_voice (
    DubTts *base, const char *language, const char *profile)
{
  HttpVoice *self = (HttpVoice *) base;
  DubTtsRequest request = {.language = language, .voice = profile};

  return dub_tts_find_voice (base, self->voices, &request) != NULL;
}
