/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The link against a Socket.IO server in the same program, whose behaviour
 * each test scripts: what it says to stream:init, to fragments, and when it
 * leaves. Waits are for a state, with a watchdog; the two waits that cannot
 * be avoided are the link's own first reconnect steps.
 */
#include <dubbing_common/clock.h>
#include <dubbing_common/error.h>
#include <dubbing_contracts/contracts.h>
#include <dubbing_socketio/server.h>
#include <string.h>

#include "sts/sts_link.h"
#include "wait.h"

typedef struct {
  SoupServer *soup;
  DubSioServer *sio;
  DubSioSocket *socket; /* (nullable) the client */
  char *url;
  GPtrArray *got; /* of DubSioMessage, all events of the client */
  GString *authorization;
  /* the script */
  const char *ready;      /* payload of stream:ready; NULL: silence */
  const char *init_error; /* payload of an error to stream:init */
  gboolean is_echo;       /* answers each fragment with its own sound */
  gboolean has_timings;   /* and says how long each stage took */
  gboolean has_tts_only;  /* of them */
  gboolean acks;

  DubStsLink *link;
  GPtrArray *answers; /* of DubAnswer */
  GPtrArray *states;  /* of the phases' names and more, as text */
  GString *asked_for; /* what the peer asked for by backpressure */
} Fixture;

/* --- the peer --- */

static void
say (Fixture *self, const char *event, const char *json)
{
  DubSioMessage *message = dub_sio_message_new (event);
  g_autoptr (GError) error = NULL;

  dub_sio_message_add_arg (message, json_from_string (json, &error));
  g_assert_no_error (error);
  dub_sio_socket_emit (self->socket, message);
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

static void
echo_fragment (Fixture *self, DubSioMessage *message)
{
  DubSioMessage *reply = dub_sio_message_new (DUB_EVENT_FRAGMENT_PROCESSED);
  const DubAttachments in = {get_attachment, add_attachment, message};
  const DubAttachments out = {get_attachment, add_attachment, reply};
  g_autoptr (DubFragmentData) data = dub_fragment_data_from_json (
      dub_sio_message_get_arg (message, 0), &in, NULL);
  g_autoptr (DubFragmentProcessed) processed = dub_fragment_processed_new ();

  processed->fragment_id = g_strdup (data->fragment_id);
  processed->status = DUB_PROCESSED_SUCCESS;
  processed->sequence_number = data->sequence_number;
  processed->transcript = g_strdup ("hola");
  processed->translated_text = g_strdup ("hello");
  processed->dubbed_audio = g_steal_pointer (&data->audio);
  processed->has_timings = self->has_timings;
  processed->asr_ms = self->has_tts_only ? -1 : 701;
  processed->translation_ms = self->has_tts_only ? -1 : 52;
  processed->tts_ms = 303;
  dub_sio_message_add_arg (
      reply, dub_fragment_processed_to_json (processed, &out));
  dub_sio_socket_emit (self->socket, reply);
}

static void
ack_fragment (Fixture *self, DubSioMessage *message)
{
  JsonObject *object =
      json_node_get_object (dub_sio_message_get_arg (message, 0));
  g_autofree char *json =
      g_strdup_printf ("{\"fragment_id\":\"%s\",\"status\":\"queued\"}",
          json_object_get_string_member (object, "fragment_id"));

  say (self, DUB_EVENT_FRAGMENT_ACK, json);
}

static gboolean
on_connect (
    DubSioSocket *socket, JsonNode *auth, gpointer user_data, GError **error)
{
  Fixture *self = user_data;
  const char *header = dub_sio_socket_get_header (socket, "Authorization");

  g_assert_null (auth);
  self->socket = socket;
  g_string_assign (self->authorization, header ? header : "");
  return TRUE;
}

static void
on_event (DubSioSocket *socket, DubSioMessage *message, DubSioAck *ack,
    gpointer user_data)
{
  Fixture *self = user_data;
  const char *event = dub_sio_message_get_event (message);

  g_ptr_array_add (self->got, dub_sio_message_ref (message));
  if (g_str_equal (event, DUB_EVENT_STREAM_INIT)) {
    if (self->init_error)
      say (self, DUB_EVENT_ERROR, self->init_error);
    else if (self->ready)
      say (self, DUB_EVENT_STREAM_READY, self->ready);
  } else if (g_str_equal (event, DUB_EVENT_FRAGMENT_DATA)) {
    if (self->acks)
      ack_fragment (self, message);
    if (self->is_echo)
      echo_fragment (self, message);
  }
}

static void
on_disconnect (DubSioSocket *socket, const char *reason, gpointer user_data)
{
  Fixture *self = user_data;

  if (self->socket == socket)
    self->socket = NULL;
}

static void
listen_on_any_port (Fixture *self)
{
  g_autoptr (GInetAddress) loopback =
      g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GError) error = NULL;
  GSList *uris;

  g_assert_true (soup_server_listen (self->soup, address, 0, &error));
  uris = soup_server_get_uris (self->soup);
  self->url =
      g_strdup_printf ("http://127.0.0.1:%d", g_uri_get_port (uris->data));
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
}

static void
serve (Fixture *self)
{
  static const DubSioHandlers handlers = {on_connect, on_event, on_disconnect};
  DubSioServerOptions options;

  self->soup = soup_server_new (NULL, NULL);
  dub_sio_server_options_init (&options);
  self->sio = dub_sio_server_new (&options);
  dub_sio_server_add_namespace (self->sio, "/", &handlers, self, NULL);
  dub_sio_server_attach (self->sio, self->soup, "/socket.io/");
  listen_on_any_port (self);
}

/* --- our side --- */

static void
on_state (DubStsLink *link, const DubStsLinkState *state, gpointer user_data)
{
  Fixture *self = user_data;

  g_ptr_array_add (self->states,
      g_strdup_printf ("%s %u%s %u%s%s",
          dub_sts_link_phase_to_string (state->phase), state->max_inflight,
          state->is_paused ? " paused" : "", state->delay_ms,
          state->error ? " " : "", state->error ? state->error->message : ""));
}

static void
on_answer (DubStsLink *link, DubAnswer *answer, gpointer user_data)
{
  Fixture *self = user_data;

  g_ptr_array_add (self->answers, answer);
}

static void
on_backpressure (DubStsLink *link, const char *action, gpointer user_data)
{
  Fixture *self = user_data;

  g_string_append_printf (self->asked_for, "%s ", action);
}

static void
fixture_init (Fixture *self)
{
  memset (self, 0, sizeof *self);
  self->got =
      g_ptr_array_new_with_free_func ((GDestroyNotify) dub_sio_message_unref);
  self->answers =
      g_ptr_array_new_with_free_func ((GDestroyNotify) dub_answer_unref);
  self->states = g_ptr_array_new_with_free_func (g_free);
  self->asked_for = g_string_new (NULL);
  self->authorization = g_string_new (NULL);
  self->ready = "{\"session_id\":\"x\",\"max_inflight\":2,\"capabilities\":"
                "{\"pcm_s16le_binary\":true}}";
  self->acks = TRUE;
  serve (self);
}

static void
link_up (Fixture *self, const char *api_key, guint ready_timeout_ms)
{
  static const DubStsLinkHandlers handlers = {
      on_state, on_answer, on_backpressure};
  DubStsLinkSettings settings;
  g_autoptr (GError) error = NULL;

  dub_sts_link_settings_init (&settings);
  settings.url = self->url;
  settings.stream_id = "s1";
  settings.source_language = "es";
  settings.target_language = "en";
  settings.api_key = api_key;
  settings.ready_timeout_ms = ready_timeout_ms;
  self->link = dub_sts_link_new (&settings, &handlers, self, &error);
  g_assert_no_error (error);
}

typedef gboolean (*Condition) (Fixture *self, guint n);

static void
wait_for (Fixture *self, Condition condition, guint n)
{
  WAIT_FOR (condition (self, n));
}

static gboolean
has_states (Fixture *self, guint n)
{
  return self->states->len >= n;
}

static gboolean
has_answers (Fixture *self, guint n)
{
  return self->answers->len >= n;
}

static gboolean
has_events (Fixture *self, guint n)
{
  return self->got->len >= n;
}

static gboolean
is_gone (Fixture *self, guint n)
{
  return self->socket == NULL;
}

static const char *
state (Fixture *self, guint index)
{
  g_assert_cmpuint (index, <, self->states->len);
  return g_ptr_array_index (self->states, index);
}

static const DubAnswer *
answer (Fixture *self, guint index)
{
  return g_ptr_array_index (self->answers, index);
}

static JsonObject *
event (Fixture *self, guint index, const char *name)
{
  DubSioMessage *message = g_ptr_array_index (self->got, index);

  g_assert_cmpstr (dub_sio_message_get_event (message), ==, name);
  return json_node_get_object (dub_sio_message_get_arg (message, 0));
}

static void
fixture_clear (Fixture *self)
{
  dub_sts_link_free (self->link);
  if (self->socket)
    wait_for (self, is_gone, 0);
  dub_sio_server_free (self->sio);
  soup_server_disconnect (self->soup);
  g_object_unref (self->soup);
  g_ptr_array_unref (self->got);
  g_ptr_array_unref (self->answers);
  g_ptr_array_unref (self->states);
  g_string_free (self->asked_for, TRUE);
  g_string_free (self->authorization, TRUE);
  g_free (self->url);
}

/* The id of the fragment that was sent. (transfer full) */
static char *
send_fragment (Fixture *self)
{
  gint64 deadline = g_get_monotonic_time () * 1000 + 5 * DUB_NS_PER_S;
  DubPcm *pcm =
      dub_pcm_new_silence (4800, DUB_PROGRAMME_RATE_HZ, 1, 7 * DUB_NS_PER_S);
  DubFragment *fragment =
      dub_fragment_new (0, pcm, DUB_CUT_SILENCE, deadline, 300 * DUB_NS_PER_MS);
  char *id = g_strdup (fragment->id);

  dub_sts_link_send (self->link, fragment);
  return id;
}

/* --- tests --- */

static void
test_round_trip (void)
{
  Fixture f;
  JsonObject *data, *metadata;
  g_autofree char *id = NULL;

  fixture_init (&f);
  f.is_echo = TRUE;
  link_up (&f, NULL, 10000);
  wait_for (&f, has_states, 2);
  g_assert_cmpstr (state (&f, 0), ==, "connecting 0 0");
  g_assert_cmpstr (state (&f, 1), ==, "ready 2 0");
  g_assert_cmpstr (f.authorization->str, ==, "");
  id = send_fragment (&f);
  wait_for (&f, has_answers, 1);
  g_assert_cmpint (answer (&f, 0)->status, ==, DUB_ANSWER_SUCCESS);
  g_assert_cmpstr (answer (&f, 0)->fragment_id, ==, id);
  g_assert_cmpstr (answer (&f, 0)->transcript, ==, "hola");
  g_assert_cmpstr (answer (&f, 0)->translated_text, ==, "hello");
  g_assert_cmpuint (answer (&f, 0)->pcm->frames, ==, 4800);
  wait_for (&f, has_events, 3);
  data = event (&f, 1, "fragment:data");
  g_assert_cmpint (json_object_get_int_member (data, "sequence_number"), ==, 0);
  metadata = json_object_get_object_member (data, "metadata");
  g_assert_cmpint (
      json_object_get_int_member (metadata, "pts_ns"), ==, 7 * DUB_NS_PER_S);
  g_assert_cmpint (json_object_get_int_member (metadata, "room_ms"), ==, 300);
  g_assert_cmpint (
      json_object_get_int_member (metadata, "deadline_ms"), >, 4000);
  g_assert_cmpstr (
      json_object_get_string_member (event (&f, 2, "fragment:ack"), "status"),
      ==, "received");
  fixture_clear (&f);
}

static void
test_stage_times (void)
{
  Fixture f;
  DubStageTimes none, told, partly;

  fixture_init (&f);
  f.is_echo = TRUE;
  link_up (&f, NULL, 10000);
  wait_for (&f, has_states, 2);
  g_free (send_fragment (&f));
  wait_for (&f, has_answers, 1);
  f.has_timings = TRUE;
  g_free (send_fragment (&f));
  wait_for (&f, has_answers, 2);
  none = answer (&f, 0)->times;
  g_assert_cmpint (none.stt_ms, ==, -1);
  g_assert_cmpint (none.translate_ms, ==, -1);
  g_assert_cmpint (none.tts_ms, ==, -1);
  told = answer (&f, 1)->times;
  g_assert_cmpint (told.stt_ms, ==, 701);
  g_assert_cmpint (told.translate_ms, ==, 52);
  g_assert_cmpint (told.tts_ms, ==, 303);
  f.has_tts_only = TRUE;
  g_free (send_fragment (&f));
  wait_for (&f, has_answers, 3);
  partly = answer (&f, 2)->times;
  g_assert_cmpint (partly.stt_ms, ==, -1);
  g_assert_cmpint (partly.translate_ms, ==, -1);
  g_assert_cmpint (partly.tts_ms, ==, 303);
  fixture_clear (&f);
}

static void
test_token (void)
{
  Fixture f;

  fixture_init (&f);
  link_up (&f, "sesame", 10000);
  wait_for (&f, has_states, 2);
  g_assert_cmpstr (f.authorization->str, ==, "Bearer sesame");
  fixture_clear (&f);
}

static void
test_init_is_refused (void)
{
  Fixture f;

  fixture_init (&f);
  f.init_error = "{\"code\":\"INVALID_CONFIG\",\"message\":\"no such voice\"}";
  link_up (&f, NULL, 10000);
  wait_for (&f, has_states, 2);
  g_assert_true (g_str_has_prefix (state (&f, 1), "waiting 0 0 http://"));
  g_assert_nonnull (strstr (state (&f, 1), "INVALID_CONFIG: no such voice"));
  fixture_clear (&f);
}

static void
test_no_ready (void)
{
  Fixture f;

  fixture_init (&f);
  f.ready = NULL;
  link_up (&f, NULL, 200);
  wait_for (&f, has_states, 2);
  g_assert_nonnull (strstr (state (&f, 1), "no stream:ready within 200 ms"));
  fixture_clear (&f);
}

static void
test_not_ready (void)
{
  Fixture f;
  g_autofree char *id = NULL;

  fixture_init (&f);
  link_up (&f, NULL, 10000);
  id = send_fragment (&f);
  g_assert_cmpuint (f.answers->len, ==, 1);
  g_assert_cmpstr (answer (&f, 0)->fragment_id, ==, id);
  g_assert_cmpint (answer (&f, 0)->status, ==, DUB_ANSWER_FAILED);
  g_assert_cmpstr (answer (&f, 0)->error_code, ==, "NOT_READY");
  fixture_clear (&f);
}

/* In flight falls back at once; the next connection starts at 0. */
static void
test_loss_and_return (void)
{
  Fixture f;
  g_autofree char *first = NULL, *second = NULL, *third = NULL;

  fixture_init (&f);
  link_up (&f, NULL, 10000);
  wait_for (&f, has_states, 2);
  first = send_fragment (&f);
  second = send_fragment (&f);
  wait_for (&f, has_events, 3);
  dub_sio_socket_disconnect (f.socket, FALSE);
  wait_for (&f, has_answers, 2);
  g_assert_cmpstr (answer (&f, 0)->error_code, ==, "DISCONNECTED");
  g_assert_cmpstr (answer (&f, 0)->fragment_id, ==, first);
  g_assert_cmpstr (answer (&f, 1)->fragment_id, ==, second);
  g_assert_true (g_str_has_prefix (state (&f, 2), "waiting 0 0"));
  wait_for (&f, has_states, 5);
  g_assert_cmpstr (state (&f, 4), ==, "ready 2 0");
  third = send_fragment (&f);
  wait_for (&f, has_events, 5);
  g_assert_cmpstr (third, !=, second);
  event (&f, 3, "stream:init");
  g_assert_cmpint (json_object_get_int_member (
                       event (&f, 4, "fragment:data"), "sequence_number"),
      ==, 0);
  g_assert_cmpuint (f.answers->len, ==, 2);
  fixture_clear (&f);
}

/* An answer with this payload (%s is the id) ends the fragment like this. */
static void
test_bad_answers (void)
{
  static const struct {
    const char *json;
    const char *code;
    gboolean is_retryable;
    gboolean counts; /* for the circuit breaker */
  } table[] = {
      {"{\"fragment_id\":\"%s\",\"status\":\"success\"}",
          "INVALID_AUDIO_FORMAT", FALSE, FALSE},
      {"{\"fragment_id\":\"%s\",\"status\":\"success\",\"dubbed_audio\":"
       "{\"format\":\"pcm_s16le\",\"data_base64\":\"\"}}",
          "INVALID_AUDIO_FORMAT", FALSE, FALSE},
      {"{\"fragment_id\":\"%s\",\"status\":\"success\",\"dubbed_audio\":"
       "{\"format\":\"pcm_s16le\",\"data_base64\":\"AAA*\"}}",
          "INVALID_AUDIO_FORMAT", FALSE, FALSE},
      {"{\"fragment_id\":\"%s\",\"status\":\"partial\",\"dubbed_audio\":"
       "{\"format\":\"pcm_s16le\",\"data_base64\":\"AAAAAA==\",\"channels\":2}"
       "}",
          NULL, FALSE, FALSE},
      {"{\"fragment_id\":\"%s\",\"status\":\"failed\"}", "PROCESSING_ERROR",
          TRUE, TRUE},
      {"{\"fragment_id\":\"%s\",\"status\":\"failed\",\"error\":{\"code\":"
       "\"TTS_SYNTHESIS_FAILED\",\"message\":\"x\",\"retryable\":false}}",
          "TTS_SYNTHESIS_FAILED", FALSE, TRUE},
      {"{\"fragment_id\":\"%s\",\"status\":\"failed\",\"error\":{\"code\":"
       "\"INVALID_CONFIG\",\"message\":\"x\",\"retryable\":true}}",
          "INVALID_CONFIG", TRUE, FALSE},
      {"{\"fragment_id\":\"%s\",\"status\":\"failed\",\"error\":{\"code\":"
       "\"NO_SPEECH\",\"message\":\"x\",\"retryable\":false}}",
          "NO_SPEECH", FALSE, FALSE},
      {"{\"fragment_id\":\"%s\",\"status\":\"failed\",\"error\":{\"code\":"
       "\"SMOKE\",\"message\":\"x\",\"retryable\":true}}",
          "SMOKE", TRUE, TRUE},
      {"{\"fragment_id\":\"%s\",\"status\":\"moon\"}", "MALFORMED_DATA", FALSE,
          FALSE},
  };
  Fixture f;

  fixture_init (&f);
  link_up (&f, NULL, 10000);
  wait_for (&f, has_states, 2);
  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autofree char *id = send_fragment (&f);
    g_auto (GStrv) parts = g_strsplit (table[i].json, "%s", 2);
    g_autofree char *json = g_strconcat (parts[0], id, parts[1], NULL);

    say (&f, "fragment:processed", json);
    say (&f, "fragment:processed", json); /* the second is nothing */
    wait_for (&f, has_answers, i + 1);
    g_assert_cmpstr (answer (&f, i)->error_code, ==, table[i].code);
    g_assert_cmpint (answer (&f, i)->is_retryable, ==, table[i].is_retryable);
    g_assert_cmpint (answer (&f, i)->counts_for_breaker, ==, table[i].counts);
    g_assert_cmpint ((answer (&f, i)->pcm != NULL), ==, !table[i].code);
  }
  g_assert_cmpuint (f.answers->len, ==, G_N_ELEMENTS (table));
  g_assert_cmpstr (answer (&f, 4)->error_message, ==, NULL);
  g_assert_cmpstr (answer (&f, 5)->error_message, ==, "x");
  fixture_clear (&f);
}

/* An error without an id is about the newest that was not acked. */
static void
test_error_without_id (void)
{
  Fixture f;
  g_autofree char *first = NULL, *second = NULL;

  fixture_init (&f);
  link_up (&f, NULL, 10000);
  wait_for (&f, has_states, 2);
  first = send_fragment (&f);
  wait_for (&f, has_events, 2);
  f.acks = FALSE;
  second = send_fragment (&f);
  wait_for (&f, has_events, 3);
  say (&f, "error", "{\"code\":\"BACKPRESSURE_EXCEEDED\",\"message\":\"x\"}");
  say (&f, "error", "{\"code\":\"MODEL_ERROR\",\"message\":\"about nobody\"}");
  wait_for (&f, has_answers, 1);
  g_assert_cmpstr (first, !=, second);
  g_assert_cmpstr (answer (&f, 0)->fragment_id, ==, second);
  g_assert_cmpstr (answer (&f, 0)->error_code, ==, "BACKPRESSURE_EXCEEDED");
  g_assert_cmpstr (answer (&f, 0)->error_message, ==, "x");
  g_assert_true (answer (&f, 0)->is_retryable);
  fixture_clear (&f);
}

static void
test_backpressure (void)
{
  Fixture f;
  g_autofree char *id = NULL, *json = NULL;

  fixture_init (&f);
  link_up (&f, NULL, 10000);
  wait_for (&f, has_states, 2);
  id = send_fragment (&f);
  say (&f, "backpressure",
      "{\"stream_id\":\"s1\",\"severity\":\"medium\",\"action\":\"slow_down\","
      "\"recommended_delay_ms\":null}");
  wait_for (&f, has_states, 3);
  g_assert_cmpstr (state (&f, 2), ==, "ready 2 500");
  say (&f, "backpressure", "{\"severity\":\"high\",\"action\":\"pause\"}");
  wait_for (&f, has_states, 4);
  g_assert_cmpstr (state (&f, 3), ==, "ready 2 paused 0");
  /* Never resumed by the peer; its last answer is enough. */
  json = g_strdup_printf ("{\"fragment_id\":\"%s\",\"status\":\"failed\"}", id);
  say (&f, "fragment:processed", json);
  wait_for (&f, has_states, 5);
  g_assert_cmpstr (state (&f, 4), ==, "ready 2 0");
  g_assert_cmpstr (f.asked_for->str, ==, "slow_down pause ");
  fixture_clear (&f);
}

static void
test_bad_settings (void)
{
  static const char *const urls[] = {"", "ftp://x:1", "nonsense"};
  static const DubStsLinkHandlers handlers = {.on_state = on_state};

  for (guint i = 0; i < G_N_ELEMENTS (urls); i++) {
    DubStsLinkSettings settings;
    g_autoptr (GError) error = NULL;

    dub_sts_link_settings_init (&settings);
    settings.url = urls[i];
    settings.stream_id = "s1";
    g_assert_null (dub_sts_link_new (&settings, &handlers, NULL, &error));
    g_assert_nonnull (error);
  }
}

/* Nobody listens: the reason names the URL, without its secret. */
static void
test_refused (void)
{
  Fixture f;
  g_autofree char *closed = NULL;

  fixture_init (&f);
  soup_server_disconnect (f.soup);
  closed = g_strdup (f.url + strlen ("http://"));
  g_free (f.url);
  /* pragma: allowlist nextline secret */
  f.url = g_strdup_printf ("http://user:sesame@%s", closed);
  link_up (&f, NULL, 10000);
  wait_for (&f, has_states, 2);
  g_assert_true (g_str_has_prefix (state (&f, 1), "waiting 0 0 "));
  g_assert_nonnull (strstr (state (&f, 1), closed));
  g_assert_null (strstr (state (&f, 1), "sesame"));
  fixture_clear (&f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/sts/link/round-trip", test_round_trip);
  g_test_add_func ("/media/sts/link/stage-times", test_stage_times);
  g_test_add_func ("/media/sts/link/token", test_token);
  g_test_add_func ("/media/sts/link/init-is-refused", test_init_is_refused);
  g_test_add_func ("/media/sts/link/no-ready", test_no_ready);
  g_test_add_func ("/media/sts/link/not-ready", test_not_ready);
  g_test_add_func ("/media/sts/link/loss-and-return", test_loss_and_return);
  g_test_add_func ("/media/sts/link/bad-answers", test_bad_answers);
  g_test_add_func ("/media/sts/link/error-without-id", test_error_without_id);
  g_test_add_func ("/media/sts/link/backpressure", test_backpressure);
  g_test_add_func ("/media/sts/link/bad-settings", test_bad_settings);
  g_test_add_func ("/media/sts/link/refused", test_refused);
  return g_test_run ();
}
