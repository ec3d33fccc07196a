/* SPDX-License-Identifier: Apache-2.0 */
#include <dubbing_common/clock.h>
#include <dubbing_common/error.h>
#include <string.h>

#include "link_private.h"
#include "link_sound.h"

/* Fragments that a service took and never answered; the tracker has given them
 * up long ago. */
#define MAX_SENT 64

static gint64
now_ns (void)
{
  return g_get_monotonic_time () * 1000;
}

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

/* --- answers --- */

/* The service's own word rules for a code that we do not know. */
static gboolean
counts_for_breaker (const char *code, gboolean is_retryable)
{
  const DubWireCode *known = dub_wire_code_lookup (code);

  return known ? known->counts_for_breaker : is_retryable;
}

static void
give_failed (DubStsLink *self, const char *fragment_id, const char *code,
    const char *message, gboolean is_retryable)
{
  DubAnswer *answer = dub_answer_new (fragment_id, DUB_ANSWER_FAILED);

  answer->error_code = g_strdup (code);
  answer->error_message = g_strdup (message);
  answer->is_retryable = is_retryable;
  answer->counts_for_breaker = counts_for_breaker (code, is_retryable);
  self->handlers.on_answer (self, answer, self->user_data);
}

/* No word of the service: the connection is not there. */
static void
give_lost (DubStsLink *self, const char *fragment_id, const char *code)
{
  DubAnswer *answer = dub_answer_new (fragment_id, DUB_ANSWER_FAILED);

  answer->error_code = g_strdup (code);
  answer->is_retryable = TRUE;
  self->handlers.on_answer (self, answer, self->user_data);
}

static void
sent_free (DubSentFragment *sent)
{
  g_free (sent->fragment_id);
  g_free (sent);
}

/* (nullable) */
static GList *
find_sent (DubStsLink *self, const char *fragment_id)
{
  for (GList *item = self->sent.head; item; item = item->next) {
    const DubSentFragment *sent = item->data;

    if (g_str_equal (sent->fragment_id, fragment_id))
      return item;
  }
  return NULL;
}

/* FALSE when it was not on its way: unknown, late, or answered before. */
static gboolean
take_sent (DubStsLink *self, const char *fragment_id)
{
  GList *item = find_sent (self, fragment_id);

  if (!item)
    return FALSE;
  sent_free (item->data);
  g_queue_delete_link (&self->sent, item);
  if (dub_backpressure_state_update (&self->flow, self->sent.length, now_ns ()))
    dub_sts_link_tell (self);
  return TRUE;
}

void
dub_sts_link_fail_all (DubStsLink *self, const char *code)
{
  DubSentFragment *sent;
  DubFragment *fragment;

  while ((sent = g_queue_pop_head (&self->sent))) {
    give_lost (self, sent->fragment_id, code);
    sent_free (sent);
  }
  while ((fragment = g_queue_pop_head (&self->to_encode))) {
    give_lost (self, fragment->id, code);
    dub_fragment_unref (fragment);
  }
}

void
dub_sts_link_forget_all (DubStsLink *self)
{
  g_queue_clear_full (&self->sent, (GDestroyNotify) sent_free);
  g_queue_clear_full (&self->to_encode, (GDestroyNotify) dub_fragment_unref);
}

/* --- sending --- */

static guint
find_deadline_ms (const DubFragment *fragment)
{
  gint64 left_ms;

  if (fragment->deadline_ns == DUB_TIME_NONE ||
      fragment->deadline_ns == G_MAXINT64)
    return 0;
  left_ms = (fragment->deadline_ns - now_ns ()) / DUB_NS_PER_MS;
  return (guint) CLAMP (left_ms, 1, G_MAXINT32);
}

static DubFragmentData *
make_data (DubStsLink *self, const DubFragment *fragment, const char *format,
    GBytes *sound)
{
  DubFragmentData *data = dub_fragment_data_new ();
  const DubPcm *pcm = fragment->pcm;

  data->fragment_id = g_strdup (fragment->id);
  data->stream_id = g_strdup (self->init->stream_id);
  data->sequence_number = self->next_number;
  data->timestamp_ms = g_get_real_time () / 1000;
  data->audio = dub_audio_new (format, pcm->rate_hz, pcm->channels,
      (guint) (dub_pcm_duration_ns (pcm) / DUB_NS_PER_MS), sound);
  data->audio->is_binary = self->sends_pcm;
  data->pts_ns = pcm->pts_ns;
  data->room_ms = (guint) CLAMP (
      fragment->room_ns / DUB_NS_PER_MS, 0, DUB_WIRE_MAX_FRAGMENT_MS);
  data->deadline_ms = find_deadline_ms (fragment);
  return data;
}

static void
remember_sent (DubStsLink *self, const char *fragment_id)
{
  DubSentFragment *sent = g_new0 (DubSentFragment, 1);

  sent->fragment_id = g_strdup (fragment_id);
  g_queue_push_tail (&self->sent, sent);
  if (self->sent.length > MAX_SENT)
    sent_free (g_queue_pop_head (&self->sent));
}

/* The number is taken here, when it really goes: a fragment that could not be
 * coded leaves no gap. */
static void
emit_fragment (DubStsLink *self, const DubFragment *fragment,
    const char *format, GBytes *sound)
{
  g_autoptr (DubFragmentData) data = make_data (self, fragment, format, sound);
  DubSioMessage *message = dub_sio_message_new (DUB_EVENT_FRAGMENT_DATA);
  const DubAttachments attachments = {get_attachment, add_attachment, message};

  dub_sio_message_add_arg (
      message, dub_fragment_data_to_json (data, &attachments));
  if (!dub_sio_client_emit (self->client, message)) {
    give_lost (self, fragment->id, "DISCONNECTED");
    return;
  }
  self->next_number++;
  remember_sent (self, fragment->id);
}

static void encode_next (DubStsLink *self);

typedef struct {
  DubLinkHandle *handle;
  DubFragment *fragment;
  guint connection;
} EncodeWork;

static void
on_encoded (GObject *source, GAsyncResult *result, gpointer user_data)
{
  EncodeWork *work = user_data;
  DubStsLink *self = work->handle->link;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = dub_link_sound_encode_finish (result, &error);

  /* Of a connection that was lost meanwhile: it is answered already. */
  if (self && work->connection == self->connection &&
      g_queue_peek_head (&self->to_encode) == work->fragment) {
    dub_fragment_unref (g_queue_pop_head (&self->to_encode));
    if (bytes)
      emit_fragment (self, work->fragment, "m4a", bytes);
    else
      give_failed (
          self, work->fragment->id, "INVALID_AUDIO_FORMAT", NULL, FALSE);
    encode_next (self);
  }
  dub_link_handle_unref (work->handle);
  dub_fragment_unref (work->fragment);
  g_free (work);
}

/* One at a time, so that fragments leave in their order. */
static void
encode_next (DubStsLink *self)
{
  DubFragment *fragment = g_queue_peek_head (&self->to_encode);
  EncodeWork *work;

  if (!fragment)
    return;
  work = g_new0 (EncodeWork, 1);
  work->handle = dub_link_handle_ref (self->handle);
  work->fragment = dub_fragment_ref (fragment);
  work->connection = self->connection;
  dub_link_sound_encode (fragment->pcm, on_encoded, work);
}

void
dub_sts_link_send (DubStsLink *link, DubFragment *fragment)
{
  g_autoptr (DubFragment) owned = fragment;

  if (link->phase != DUB_STS_LINK_READY) {
    give_lost (link, owned->id, "NOT_READY");
    return;
  }
  if (link->sends_pcm) {
    emit_fragment (link, owned, "pcm_s16le", owned->pcm->bytes);
    return;
  }
  g_queue_push_tail (&link->to_encode, g_steal_pointer (&owned));
  if (link->to_encode.length == 1)
    encode_next (link);
}

/* --- what comes --- */

void
dub_sts_link_on_ack (DubStsLink *self, JsonNode *node)
{
  g_autoptr (DubFragmentAck) ack = dub_fragment_ack_from_json (node, NULL);
  GList *item = ack ? find_sent (self, ack->fragment_id) : NULL;

  if (item)
    ((DubSentFragment *) item->data)->is_acked = TRUE;
}

/* Old servers count a fragment as in flight until they read this. */
static void
emit_received (DubStsLink *self, const char *fragment_id)
{
  g_autoptr (DubFragmentAck) ack =
      dub_fragment_ack_new (fragment_id, DUB_ACK_RECEIVED);
  DubSioMessage *message = dub_sio_message_new (DUB_EVENT_FRAGMENT_ACK);

  ack->timestamp_ms = g_get_real_time () / 1000;
  dub_sio_message_add_arg (message, dub_fragment_ack_to_json (ack));
  (void) dub_sio_client_emit (self->client, message);
}

/* (transfer full) */
static DubAnswer *
make_answer (const DubFragmentProcessed *processed)
{
  gboolean is_partial = processed->status == DUB_PROCESSED_PARTIAL;
  DubAnswer *answer = dub_answer_new (processed->fragment_id,
      is_partial ? DUB_ANSWER_PARTIAL : DUB_ANSWER_SUCCESS);

  answer->transcript = g_strdup (processed->transcript);
  answer->translated_text = g_strdup (processed->translated_text);
  if (processed->has_timings)
    answer->times = (DubStageTimes){
        processed->asr_ms, processed->translation_ms, processed->tts_ms};
  return answer;
}

/* Takes answer; pcm (transfer full) (nullable). */
static void
give_sound (DubStsLink *self, DubAnswer *answer, DubPcm *pcm)
{
  answer->pcm = pcm;
  if (!pcm) {
    answer->status = DUB_ANSWER_FAILED;
    answer->error_code = g_strdup (DUB_CODE_INVALID_AUDIO_FORMAT);
  }
  self->handlers.on_answer (self, answer, self->user_data);
}

typedef struct {
  DubLinkHandle *handle;
  DubAnswer *answer;
} DecodeWork;

static void
on_decoded (GObject *source, GAsyncResult *result, gpointer user_data)
{
  DecodeWork *work = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (DubPcm) pcm = dub_link_sound_decode_finish (result, &error);

  if (work->handle->link)
    give_sound (work->handle->link, g_steal_pointer (&work->answer),
        g_steal_pointer (&pcm));
  g_clear_pointer (&work->answer, dub_answer_unref);
  dub_link_handle_unref (work->handle);
  g_free (work);
}

static void
answer_with_sound (DubStsLink *self, DubFragmentProcessed *processed)
{
  DubAnswer *answer = make_answer (processed);
  DecodeWork *work;

  if (!processed->dubbed_audio) {
    give_sound (self, answer, NULL);
    return;
  }
  if (dub_link_sound_is_ready_pcm (processed->dubbed_audio)) {
    give_sound (
        self, answer, dub_link_sound_take_pcm (processed->dubbed_audio, NULL));
    return;
  }
  work = g_new0 (DecodeWork, 1);
  work->handle = dub_link_handle_ref (self->handle);
  work->answer = answer;
  dub_link_sound_decode (
      g_steal_pointer (&processed->dubbed_audio), on_decoded, work);
}

/* A result that we cannot read still ends its fragment. */
static void
on_bad_processed (DubStsLink *self, JsonNode *node)
{
  g_autofree char *fragment_id = NULL;
  guint64 number = 0;

  (void) dub_fragment_data_peek (node, &fragment_id, &number);
  if (fragment_id && take_sent (self, fragment_id))
    give_failed (self, fragment_id, DUB_CODE_MALFORMED_DATA, NULL, FALSE);
}

void
dub_sts_link_on_processed (DubStsLink *self, DubSioMessage *message)
{
  const DubAttachments attachments = {get_attachment, add_attachment, message};
  JsonNode *node = dub_sio_message_get_arg (message, 0);
  g_autoptr (DubFragmentProcessed) processed =
      dub_fragment_processed_from_json (node, &attachments, NULL);

  if (!processed) {
    on_bad_processed (self, node);
    return;
  }
  if (!take_sent (self, processed->fragment_id))
    return;
  emit_received (self, processed->fragment_id);
  if (processed->status == DUB_PROCESSED_FAILED)
    give_failed (self, processed->fragment_id,
        processed->error ? processed->error->code : DUB_CODE_PROCESSING_ERROR,
        processed->error ? processed->error->message : NULL,
        !processed->error || processed->error->is_retryable);
  else
    answer_with_sound (self, processed);
}

/* Old servers name no fragment: it is the newest that was not acked, since an
 * error comes in place of its ack. (nullable) (transfer full) */
static char *
guess_fragment (DubStsLink *self, const DubWireError *error)
{
  if (error->fragment_id)
    return g_strdup (error->fragment_id);
  for (GList *item = self->sent.tail; item; item = item->prev) {
    const DubSentFragment *sent = item->data;

    if (!sent->is_acked)
      return g_strdup (sent->fragment_id);
  }
  return NULL;
}

void
dub_sts_link_on_error (DubStsLink *self, JsonNode *node)
{
  g_autoptr (DubWireError) error = dub_wire_error_from_json (node, NULL);
  g_autofree char *fragment_id = NULL;

  if (!error)
    return;
  if (self->phase != DUB_STS_LINK_READY ||
      g_str_equal (error->code, DUB_CODE_STREAM_NOT_FOUND)) {
    dub_sts_link_lose (
        self, g_error_new (DUB_ERROR, DUB_ERROR_PROTOCOL, "%s: %s: %s",
                  self->redacted_url, error->code, error->message));
    return;
  }
  fragment_id = guess_fragment (self, error);
  if (fragment_id && take_sent (self, fragment_id))
    give_failed (
        self, fragment_id, error->code, error->message, error->is_retryable);
}

static gboolean
on_flow_timer (gpointer user_data)
{
  DubStsLink *self = user_data;

  g_clear_pointer (&self->flow_timer, g_source_unref);
  if (dub_backpressure_state_update (&self->flow, self->sent.length, now_ns ()))
    dub_sts_link_tell (self);
  return G_SOURCE_REMOVE;
}

static void
set_flow_timer (DubStsLink *self)
{
  gint64 wake = dub_backpressure_state_wake_ns (&self->flow);

  if (self->flow_timer) {
    g_source_destroy (self->flow_timer);
    g_clear_pointer (&self->flow_timer, g_source_unref);
  }
  if (wake == G_MAXINT64)
    return;
  self->flow_timer = g_timeout_source_new (0);
  g_source_set_ready_time (self->flow_timer, wake / 1000 + 1);
  g_source_set_callback (self->flow_timer, on_flow_timer, self, NULL);
  g_source_attach (self->flow_timer, g_main_context_get_thread_default ());
}

void
dub_sts_link_on_backpressure (DubStsLink *self, JsonNode *node)
{
  g_autoptr (DubBackpressure) event = dub_backpressure_from_json (node, NULL);

  if (!event)
    return;
  dub_backpressure_state_apply (&self->flow, event, now_ns ());
  (void) dub_backpressure_state_update (
      &self->flow, self->sent.length, now_ns ());
  set_flow_timer (self);
  if (self->handlers.on_backpressure)
    self->handlers.on_backpressure (
        self, dub_flow_to_string (event->action), self->user_data);
  dub_sts_link_tell (self);
}
