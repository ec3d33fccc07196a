/* SPDX-License-Identifier: Apache-2.0 */
#include <dubbing_common/clock.h>
#include <dubbing_common/error.h>
#include <string.h>

#include "session_private.h"
#include "simulate.h"

/* Answers that are kept for a fragment that comes twice, and what their sound
 * may take together: fifty sessions must not fill the memory. */
#define MAX_ANSWERED 10
#define MAX_ANSWERED_BYTES (2 * 1024 * 1024)
/* Room for what stands around the sound in a message. */
#define MESSAGE_OVERHEAD (64 * 1024)

/* --- attachments over a Socket.IO message --- */

static GBytes *
get_attachment (gpointer carrier, JsonNode *node)
{
  return dub_sio_message_get_binary (carrier, node);
}

static JsonNode *
add_attachment (gpointer carrier, GBytes *bytes)
{
  return dub_sio_message_add_binary (carrier, bytes);
}

/* --- open fragments --- */

static void
open_free (DubOpenFragment *open)
{
  g_free (open->fragment_id);
  g_free (open->stream_id);
  dub_fragment_processed_free (open->answer);
  g_free (open);
}

void
dub_session_forget_fragments (DubSession *self)
{
  g_clear_pointer (&self->order, dub_order_free);
  for (guint i = 0; self->open && i < self->open->len; i++) {
    DubOpenFragment *open = g_ptr_array_index (self->open, i);

    if (!open->answer && self->ops->forget)
      self->ops->forget (open->ticket, self->user_data);
    open_free (open);
  }
  g_clear_pointer (&self->open, g_ptr_array_unref);
  g_queue_clear_full (
      &self->answered, (GDestroyNotify) dub_fragment_processed_free);
  self->answered_bytes = 0;
}

static DubOpenFragment *
open_new (DubSession *self, const DubFragmentData *data)
{
  DubOpenFragment *open = g_new0 (DubOpenFragment, 1);

  open->ticket = ++self->last_ticket;
  open->number = data->sequence_number;
  open->fragment_id = g_strdup (data->fragment_id);
  open->stream_id = g_strdup (data->stream_id);
  open->dialect = data->dialect;
  open->is_binary = data->audio->is_binary;
  open->audio_ms = data->audio->duration_ms;
  g_ptr_array_add (self->open, open);
  dub_order_expect (self->order, open->number);
  self->accepted++;
  return open;
}

static DubOpenFragment *
find_open (DubSession *self, guint64 ticket, const char *fragment_id)
{
  for (guint i = 0; self->open && i < self->open->len; i++) {
    DubOpenFragment *open = g_ptr_array_index (self->open, i);

    if (fragment_id ? g_str_equal (open->fragment_id, fragment_id)
                    : open->ticket == ticket)
      return open;
  }
  return NULL;
}

/* --- out --- */

void
dub_session_tell_load (DubSession *self, gboolean is_after_fragment)
{
  g_autoptr (DubBackpressure) event = NULL;
  DubLoad level;

  if (!self->settings->has_backpressure)
    return;
  level = dub_load_rule_level (
      &self->settings->load, self->open->len, self->init->max_inflight);
  if (!dub_load_is_due (&self->told_load, level, is_after_fragment))
    return;
  event = dub_backpressure_new ();
  dub_load_rule_fill (&self->settings->load, level, event);
  event->stream_id = g_strdup (self->init->stream_id);
  event->current_inflight = self->open->len;
  event->queue_depth = dub_order_get_held (self->order);
  event->max_inflight = self->init->max_inflight;
  dub_session_emit (
      self, DUB_EVENT_BACKPRESSURE, dub_backpressure_to_json (event));
}

static void
emit_ack (DubSession *self, const char *fragment_id, guint position)
{
  g_autoptr (DubFragmentAck) ack =
      dub_fragment_ack_new (fragment_id, DUB_ACK_QUEUED);

  ack->timestamp_ms = self->ops->unix_ms (self->user_data);
  ack->queue_position = position;
  dub_session_emit (
      self, DUB_EVENT_FRAGMENT_ACK, dub_fragment_ack_to_json (ack));
}

static void
emit_processed (DubSession *self, const DubFragmentProcessed *answer)
{
  DubSioMessage *message = dub_sio_message_new (DUB_EVENT_FRAGMENT_PROCESSED);
  const DubAttachments attachments = {get_attachment, add_attachment, message};

  dub_sio_message_add_arg (
      message, dub_fragment_processed_to_json (answer, &attachments));
  self->ops->emit (message, self->user_data);
}

static gsize
sound_bytes (const DubFragmentProcessed *answer)
{
  GBytes *data = answer->dubbed_audio ? answer->dubbed_audio->data : NULL;

  return data ? g_bytes_get_size (data) : 0;
}

/* answer (transfer full). Kept for a peer that sends its fragment again. */
static void
remember_answer (DubSession *self, DubFragmentProcessed *answer)
{
  g_queue_push_tail (&self->answered, answer);
  self->answered_bytes += sound_bytes (answer);
  while (self->answered.length > MAX_ANSWERED ||
         self->answered_bytes > MAX_ANSWERED_BYTES) {
    DubFragmentProcessed *oldest = g_queue_pop_head (&self->answered);

    self->answered_bytes -= sound_bytes (oldest);
    dub_fragment_processed_free (oldest);
  }
}

static void
send_answer (DubSession *self, DubOpenFragment *open)
{
  DubFragmentProcessed *answer = g_steal_pointer (&open->answer);

  emit_processed (self, answer);
  dub_statistics_add (&self->statistics, answer->status,
      answer->processing_time_ms, open->audio_ms);
  remember_answer (self, answer);
  g_ptr_array_remove_fast (self->open, open);
  open_free (open);
}

void
dub_session_flush (DubSession *self, gint64 now_ns, gint64 release_ns)
{
  gboolean is_ending = self->state == DUB_SESSION_ENDING;
  DubOpenFragment *open;

  while ((open = dub_order_pop (self->order, release_ns)))
    send_answer (self, open);
  /* Nothing can fill a gap any more once all that was accepted is done. */
  if (is_ending && dub_order_get_held (self->order) == self->open->len)
    while ((open = dub_order_pop (self->order, G_MAXINT64)))
      send_answer (self, open);
  dub_session_tell_load (self, FALSE);
  if (is_ending && (self->open->len == 0 || now_ns >= self->drain_ns))
    dub_session_complete (self, now_ns);
}

/* --- results --- */

/* The sound as the fragment came: attachment, base64, bare base64. */
static DubAudio *
make_audio (const DubOpenFragment *open, const DubSound *sound)
{
  DubAudio *audio = dub_audio_new (sound->format, sound->sample_rate_hz,
      sound->channels, sound->duration_ms, sound->data);

  audio->is_binary = open->is_binary;
  return audio;
}

static DubFragmentProcessed *
processed_new (const DubOpenFragment *open, DubProcessedStatus status)
{
  DubFragmentProcessed *answer = dub_fragment_processed_new ();

  answer->fragment_id = g_strdup (open->fragment_id);
  answer->stream_id = g_strdup (open->stream_id);
  answer->sequence_number = open->number;
  answer->status = status;
  answer->has_timings = TRUE;
  answer->asr_ms = answer->translation_ms = answer->tts_ms = 0;
  answer->is_flat = open->dialect == DUB_DIALECT_FLAT;
  return answer;
}

/* (transfer full) */
static DubFragmentProcessed *
failed_new (const DubOpenFragment *open, const char *code, const char *message,
    const char *stage)
{
  DubFragmentProcessed *answer = processed_new (open, DUB_PROCESSED_FAILED);

  answer->error = dub_wire_error_new (
      code ? code : DUB_CODE_PROCESSING_ERROR, message ? message : "");
  answer->error->stage = g_strdup (stage);
  answer->error->fragment_id = g_strdup (open->fragment_id);
  answer->error->stream_id = g_strdup (open->stream_id);
  return answer;
}

static gboolean
is_too_large (const DubOpenFragment *open, const DubSound *sound)
{
  gsize size = sound->data ? g_bytes_get_size (sound->data) : 0;

  if (!open->is_binary)
    size = (size + 2) / 3 * 4;
  return size > DUB_WIRE_MAX_MESSAGE_OUT - MESSAGE_OVERHEAD;
}

static void
fill_figures (
    DubFragmentProcessed *answer, const DubResult *result, gboolean is_echo)
{
  answer->transcript = g_strdup (result->transcript);
  answer->translated_text = g_strdup (result->translated_text);
  answer->processing_time_ms = result->total_ms;
  answer->asr_ms = result->asr_ms;
  answer->translation_ms = result->translation_ms;
  answer->tts_ms = result->tts_ms;
  if (is_echo) {
    answer->model_name = g_strdup ("echo-mock");
    return;
  }
  answer->has_durations = result->status != DUB_RESULT_FAILED;
  answer->original_duration_ms = result->original_duration_ms;
  answer->dubbed_duration_ms = result->dubbed_duration_ms;
  answer->duration_variance_percent = result->duration_variance_percent;
  answer->speed_ratio = result->speed_ratio;
}

static DubFragmentProcessed *
result_to_processed (
    DubSession *self, const DubOpenFragment *open, const DubResult *result)
{
  DubFragmentProcessed *answer;

  if (result->status == DUB_RESULT_FAILED ||
      result->status == DUB_RESULT_NONE) {
    answer = failed_new (
        open, result->error_code, result->error_message, result->error_stage);
    answer->error->is_retryable = result->is_retryable;
  } else if (is_too_large (open, &result->sound)) {
    return failed_new (open, DUB_CODE_FRAGMENT_TOO_LARGE,
        "the answer does not fit into a message of 4 MiB", NULL);
  } else {
    answer = processed_new (open, result->status == DUB_RESULT_PARTIAL
                                      ? DUB_PROCESSED_PARTIAL
                                      : DUB_PROCESSED_SUCCESS);
    answer->dubbed_audio = make_audio (open, &result->sound);
  }
  fill_figures (answer, result, self->settings->is_echo);
  return answer;
}

/* answer (transfer full) */
static void
settle (DubSession *self, DubOpenFragment *open, DubFragmentProcessed *answer,
    gint64 now_ns)
{
  open->answer = answer;
  dub_order_put (self->order, open->number, open, now_ns);
  dub_session_flush (self, now_ns, now_ns);
}

void
dub_session_finish (
    DubSession *session, guint64 ticket, DubResult *result, gint64 now_ns)
{
  g_autoptr (DubResult) owned = result;
  DubOpenFragment *open = find_open (session, ticket, NULL);

  /* Of a stream that a new stream:init has replaced. */
  if (!open || open->answer)
    return;
  settle (session, open, result_to_processed (session, open, owned), now_ns);
}

/* --- in --- */

typedef struct {
  const char *code; /* NULL: nothing is wrong */
  char *message;
} Refusal;

static void
refuse (Refusal *refusal, const char *code, const char *message)
{
  if (refusal->code)
    return;
  refusal->code = code;
  refusal->message = g_strdup (message);
}

static void
check_state (DubSession *self, Refusal *refusal)
{
  switch (self->state) {
    case DUB_SESSION_ACTIVE:
      return;
    case DUB_SESSION_PAUSED:
      refuse (refusal,
          self->settings->is_echo ? DUB_CODE_STREAM_NOT_FOUND
                                  : DUB_CODE_STREAM_PAUSED,
          "the stream is paused");
      return;
    case DUB_SESSION_ENDING:
    case DUB_SESSION_COMPLETED:
      refuse (refusal, DUB_CODE_STREAM_NOT_FOUND, "the stream has ended");
      return;
    case DUB_SESSION_NONE:
    default:
      refuse (refusal, DUB_CODE_STREAM_NOT_FOUND,
          "there is no stream on this connection; send stream:init first");
  }
}

static void
check_size (JsonNode *node, Refusal *refusal)
{
  if (node &&
      dub_fragment_data_peek_base64_length (node) > DUB_WIRE_MAX_AUDIO_BASE64)
    refuse (refusal, DUB_CODE_FRAGMENT_TOO_LARGE,
        "audio.data_base64: is more than 10 MiB of sound");
}

static gboolean
is_empty (const DubAudio *audio)
{
  return audio->data ? g_bytes_get_size (audio->data) == 0
                     : !audio->base64 || !*audio->base64;
}

/* (transfer full) (nullable) */
static DubFragmentData *
parse (
    DubSession *self, DubSioMessage *message, JsonNode *node, Refusal *refusal)
{
  const DubAttachments attachments = {get_attachment, add_attachment, message};
  g_autoptr (GError) error = NULL;
  g_autoptr (DubFragmentData) data =
      dub_fragment_data_from_json (node, &attachments, &error);

  if (!data) {
    refuse (refusal,
        g_error_matches (error, DUB_ERROR, DUB_ERROR_LIMIT) &&
                strstr (error->message, "data_base64")
            ? DUB_CODE_FRAGMENT_TOO_LARGE
            : dub_session_bad_input_code (self),
        error->message);
    return NULL;
  }
  if (!self->settings->is_echo && is_empty (data->audio)) {
    refuse (refusal, DUB_CODE_MALFORMED_DATA, "audio.data_base64: is empty");
    return NULL;
  }
  return g_steal_pointer (&data);
}

/* Its number must leave no gap: peers never use one twice. */
static void
answer_refusal (
    DubSession *self, JsonNode *node, const Refusal *refusal, gint64 now_ns)
{
  g_autofree char *fragment_id = NULL;
  guint64 number = 0;
  gboolean has_number =
      node && dub_fragment_data_peek (node, &fragment_id, &number);

  dub_session_emit_error (self, refusal->code, refusal->message, fragment_id);
  if (!has_number || !self->order)
    return;
  dub_order_put (self->order, number, NULL, now_ns);
  dub_session_flush (self, now_ns, now_ns);
}

/* (transfer none) (nullable) */
static const DubFragmentProcessed *
find_answered (DubSession *self, const char *fragment_id)
{
  for (GList *item = self->answered.tail; item; item = item->prev) {
    const DubFragmentProcessed *answer = item->data;

    if (g_str_equal (answer->fragment_id, fragment_id))
      return answer;
  }
  return NULL;
}

/* TRUE when the fragment was here before: its answer is given again, or comes
 * when it is ready. */
static gboolean
replay (DubSession *self, const DubFragmentData *data, gint64 now_ns)
{
  const DubFragmentProcessed *answer = find_answered (self, data->fragment_id);
  const DubOpenFragment *open = find_open (self, 0, data->fragment_id);

  if (!answer && !open)
    return FALSE;
  emit_ack (self, data->fragment_id, self->open->len);
  if (answer)
    emit_processed (self, answer);
  if (!open || open->number != data->sequence_number) {
    dub_order_put (self->order, data->sequence_number, NULL, now_ns);
    dub_session_flush (self, now_ns, now_ns);
  }
  return TRUE;
}

void
dub_session_refuse (DubSession *self, DubSioMessage *message, const char *code,
    const char *why, gint64 now_ns)
{
  JsonNode *node = dub_sio_message_get_n_args (message) > 0
                       ? dub_sio_message_get_arg (message, 0)
                       : NULL;
  gboolean is_fragment = g_strcmp0 (dub_sio_message_get_event (message),
                             DUB_EVENT_FRAGMENT_DATA) == 0;
  g_autofree char *text = g_strdup (why);

  answer_refusal (
      self, is_fragment ? node : NULL, &(Refusal){code, text}, now_ns);
}

static gint64
find_deadline_ns (
    const DubStreamInit *init, const DubFragmentData *data, gint64 now_ns)
{
  guint ms = init->timeout_ms;

  if (data->deadline_ms > 0)
    ms = MIN (ms, data->deadline_ms);
  return now_ns + ms * DUB_NS_PER_MS;
}

/* sound (transfer full) */
static DubJob *
job_new (
    DubSession *self, const DubFragmentData *data, GBytes *sound, gint64 now_ns)
{
  const DubStreamInit *init = self->init;
  DubJob *job = dub_job_new ();
  gboolean is_pcm =
      data->audio->is_binary && g_str_equal (data->audio->format, "pcm_s16le");

  job->stream_id = g_strdup (init->stream_id);
  job->fragment_id = g_strdup (data->fragment_id);
  job->sequence_number = data->sequence_number;
  job->source_language = g_strdup (init->source_language);
  job->target_language = g_strdup (init->target_language);
  job->voice_profile = g_strdup (init->voice_profile);
  job->domain = g_strdup (init->domain_hints ? init->domain_hints[0] : NULL);
  job->hints = g_strdupv (init->domain_hints);
  job->sound.format = g_strdup (data->audio->format);
  job->sound.sample_rate_hz = data->audio->sample_rate_hz;
  job->sound.channels = data->audio->channels;
  job->sound.duration_ms = data->audio->duration_ms;
  job->sound.data = sound;
  job->room_ms = data->room_ms;
  job->deadline_ns = find_deadline_ns (init, data, now_ns);
  job->reply_format = g_strdup (is_pcm ? "pcm_s16le" : "m4a");
  job->reply_rate_hz = init->sample_rate_hz;
  job->reply_channels = init->channels;
  return job;
}

/* TRUE when a rule of the test says that this one fails. */
static gboolean
fail_by_rule (DubSession *self, DubOpenFragment *open, gint64 now_ns)
{
  const DubErrorRule *rule = dub_error_simulation_meet (
      self->simulation, open->number, open->fragment_id, self->accepted);
  DubFragmentProcessed *answer;

  if (!rule && self->settings->is_echo && self->ops->find_simulation)
    rule = dub_error_simulation_meet (
        self->ops->find_simulation (self->init->stream_id, self->user_data),
        open->number, open->fragment_id, self->accepted);
  if (!rule)
    return FALSE;
  answer =
      failed_new (open, rule->error_code, rule->error_message, rule->stage);
  answer->error->is_retryable = rule->is_retryable;
  settle (self, open, answer, now_ns);
  return TRUE;
}

static void
accept_fragment (DubSession *self, const DubFragmentData *data, gint64 now_ns)
{
  g_autoptr (GError) error = NULL;
  guint position = self->open->len;
  DubOpenFragment *open = open_new (self, data);
  GBytes *sound;

  emit_ack (self, data->fragment_id, position);
  dub_session_tell_load (self, self->settings->is_echo);
  if (fail_by_rule (self, open, now_ns))
    return;
  sound = dub_audio_dup_data (data->audio, &error);
  if (!sound) {
    settle (self, open,
        failed_new (open, DUB_CODE_INVALID_AUDIO_FORMAT, error->message, "asr"),
        now_ns);
    return;
  }
  self->ops->submit (
      job_new (self, data, sound, now_ns), open->ticket, self->user_data);
}

void
dub_session_on_fragment (
    DubSession *self, DubSioMessage *message, gint64 now_ns)
{
  JsonNode *node = dub_sio_message_get_n_args (message) > 0
                       ? dub_sio_message_get_arg (message, 0)
                       : NULL;
  g_autoptr (DubFragmentData) data = NULL;
  Refusal refusal = {NULL, NULL};

  /* The mode's order of checks decides which code a peer sees. */
  if (self->settings->is_echo)
    check_state (self, &refusal);
  check_size (node, &refusal);
  if (!refusal.code)
    data = parse (self, message, node, &refusal);
  check_state (self, &refusal);
  if (!refusal.code && replay (self, data, now_ns))
    return;
  if (!refusal.code && self->open->len >= DUB_WIRE_MAX_INFLIGHT)
    refuse (&refusal, DUB_CODE_BACKPRESSURE_EXCEEDED,
        "10 fragments are in flight already");
  if (refusal.code)
    answer_refusal (self, node, &refusal, now_ns);
  else
    accept_fragment (self, data, now_ns);
  g_free (refusal.message);
}
