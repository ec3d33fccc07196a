/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit/jobs.h"

#include "engine/engine_child.h"
#include "pipeline/pipeline.h"
#include "server/server.h"

#include <dubbing_common/error.h>
#include <dubbing_contracts/contracts.h>
#include <dubbing_socketio/client.h>
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Real engine children that go wrong in every way there is. This program is
 * its own engines; FAULT says what happens to a fragment of four seconds,
 * while one of three is done as it should be. Each fault must cost the one
 * fragment only, with the code and the flag that a worker acts on.
 */

#define GOOD_S 3
#define BAD_S 4
#define BAD_SAMPLES (BAD_S * DUB_ASR_RATE_HZ - 1000)
#define GOOD_TEXT "All of it went as it should."
#define BAD_TEXT "Something is going wrong here."
#define VOICE_HZ 16000
#define HUGE (10 * 1024 * 1024)

/* ---- the children --------------------------------------------------- */

static gpointer
load (const DubFrame *settings, JsonObject *ready, GError **error)
{
  return g_strdup ("engine");
}

static gboolean
is_fault (const char *name)
{
  return g_strcmp0 (g_getenv ("FAULT"), name) == 0;
}

/* What a library does to its process. */
static void
go_wrong (GError **error)
{
  if (is_fault ("crash"))
    raise (SIGKILL);
  if (is_fault ("exit"))
    _exit (0);
  if (is_fault ("hang"))
    pause ();
  if (is_fault ("garbage") && write (3, "garbage", 7) == 7)
    pause ();
  if (is_fault ("half") && write (3, "DUBF\x40\0\0\0\0\0", 10) == 10)
    pause ();
  if (is_fault ("refuses"))
    g_set_error_literal (
        error, DUB_ERROR, DUB_ERROR_INVALID, "not this, never");
  if (is_fault ("memory"))
    g_set_error_literal (error, DUB_ERROR, DUB_ERROR_ENGINE, "out of memory");
}

static DubFrame *
hear (gpointer state, const DubFrame *request, GError **error)
{
  gboolean is_bad =
      g_bytes_get_size (request->payload) >= BAD_SAMPLES * sizeof (float);
  gboolean is_mine = is_bad && is_fault (g_getenv ("FAULT")) &&
                     g_strcmp0 (g_getenv ("FAULT_STAGE"), "asr") == 0;
  g_autoptr (GError) fault = NULL;
  g_autofree char *text = g_strdup (is_bad ? BAD_TEXT : GOOD_TEXT);
  DubFrame *answer = NULL;

  if (is_mine)
    go_wrong (&fault);
  if (fault != NULL) {
    g_propagate_error (error, g_steal_pointer (&fault));
    return NULL;
  }
  if (is_mine && is_fault ("empty"))
    text[0] = '\0';
  if (is_mine && is_fault ("huge")) {
    g_free (text);
    text = g_strnfill (HUGE, 'a');
  }
  if (is_mine && is_fault ("long")) {
    g_free (text);
    text = g_strnfill (60000, 'a');
  }
  answer = dub_frame_new (json_object_new (), NULL);
  json_object_set_string_member (answer->header, "text", text);
  json_object_set_string_member (answer->header, "language", "es");
  json_object_set_double_member (
      answer->header, "mean_logprob", is_mine && is_fault ("nan") ? NAN : -0.2);
  return answer;
}

static DubFrame *
say (gpointer state, const DubFrame *request, GError **error)
{
  const char *text = dub_frame_get_string (request, "text", "");
  gboolean is_mine = g_str_equal (text, BAD_TEXT) &&
                     g_strcmp0 (g_getenv ("FAULT_STAGE"), "tts") == 0;
  gsize count = VOICE_HZ;
  gint64 rate_hz = VOICE_HZ;
  g_autofree float *samples = NULL;
  g_autoptr (GError) fault = NULL;
  g_autoptr (GBytes) sound = NULL;
  DubFrame *answer = NULL;

  if (is_mine)
    go_wrong (&fault);
  if (fault != NULL) {
    g_propagate_error (error, g_steal_pointer (&fault));
    return NULL;
  }
  if (is_mine && is_fault ("huge"))
    count = HUGE / sizeof (float);
  samples = g_new0 (float, count);
  for (gsize i = 0; i < count && !(is_mine && is_fault ("silence")); i++)
    samples[i] = (float) (0.3 * sin (2 * G_PI * 300 * i / VOICE_HZ));
  if (is_mine && is_fault ("nan"))
    samples[count / 2] = NAN;
  if (is_mine && is_fault ("loud"))
    samples[count / 2] = 1e30f;
  if (is_mine && is_fault ("rate"))
    rate_hz = 100;
  sound = g_bytes_new (samples, is_mine && is_fault ("empty") ? 0
                                : is_mine && is_fault ("odd")
                                    ? 4001
                                    : count * sizeof (float));
  answer = dub_frame_new (json_object_new (), sound);
  json_object_set_int_member (answer->header, "rate_hz", rate_hz);
  return answer;
}

/* Busy in earnest, as a model is. */
static DubFrame *
toil (const DubFrame *request)
{
  gint64 end_us = g_get_monotonic_time () + 1500 * 1000;

  while (g_get_monotonic_time () < end_us)
    ;
  return hear (NULL, request, NULL);
}

static DubFrame *
hear_or_toil (gpointer state, const DubFrame *request, GError **error)
{
  return is_fault ("busy") ? toil (request) : hear (state, request, error);
}

static const DubEngineKind kinds[] = {
    {"whisper", load, hear_or_toil, g_free}, {"piper", load, say, g_free}};

static int
run_engine (const char *kind)
{
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_str_equal (kind, kinds[i].kind))
      return dub_engine_child_run (&kinds[i], 3);
  return 1;
}

/* ---- a voice that has its files ------------------------------------- */

static char *voice_folder;

static void
put_file (const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (voice_folder, name, NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
make_voice (void)
{
  voice_folder = g_dir_make_tmp ("voice-XXXXXX", NULL);
  g_assert_nonnull (voice_folder);
  put_file ("model.onnx", "no model");
  put_file ("model.onnx.json", "{\"language\":{\"family\":\"en\"}}");
}

static void
remove_voice (void)
{
  static const char *const names[] = {"model.onnx", "model.onnx.json"};

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path = g_build_filename (voice_folder, names[i], NULL);
    g_unlink (path);
  }
  g_rmdir (voice_folder);
  g_free (voice_folder);
}

/* ---- the bench ------------------------------------------------------ */

/* (transfer full) */
static DubProcessor *
pipeline (void)
{
  static const char *const argv[] = {"/proc/self/exe", "engine", NULL};
  static char whisper[] = "whisper", identity[] = "identity", piper[] = "piper",
              here[] = "/nowhere";
  const DubPipelineSettings settings = {
      .asr = {.provider = whisper,
          .model = here,
          .timeout_ms = 8000,
          .max_no_speech = 0.6,
          .min_mean_logprob = -1.7},
      .translation = {.provider = identity, .timeout_ms = 8000},
      .tts = {.provider = piper, .voice = voice_folder, .timeout_ms = 8000},
      .transcript = DUB_TRANSCRIPT_OFF,
      .engine_argv = argv,
  };
  g_autoptr (GError) error = NULL;
  DubProcessor *self = dub_pipeline_new (&settings, NULL, &error);

  g_assert_no_error (error);
  return self;
}

static void
on_done (DubResult *result, gpointer user_data)
{
  *(DubResult **) user_data = result;
}

/* (transfer full) */
static DubResult *
run (DubProcessor *self, double seconds, gint64 time_ms)
{
  DubResult *result = NULL;

  self->submit (self, job_new (seconds, 0.2, time_ms), on_done, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return result;
}

static void
expect_good (DubProcessor *self)
{
  g_autoptr (DubResult) result = run (self, GOOD_S, 30000);

  g_assert_cmpstr (result->error_message, ==, NULL);
  g_assert_cmpint (result->status, ==, DUB_RESULT_SUCCESS);
  g_assert_cmpstr (result->translated_text, ==, GOOD_TEXT);
}

typedef struct {
  const char *stage, *fault;
  const char *code, *code_stage; /* NULL: it is dubbed all the same */
  gboolean is_retryable;
  gint64 time_ms; /* until the fragment's place has passed */
} Case;

static void
test_fault (gconstpointer data)
{
  const Case *c = data;
  DubProcessor *self = NULL;
  g_autoptr (DubResult) result = NULL;

  g_setenv ("FAULT", c->fault, TRUE);
  g_setenv ("FAULT_STAGE", c->stage, TRUE);
  self = pipeline ();
  expect_good (self);
  result = run (self, BAD_S, c->time_ms > 0 ? c->time_ms : 30000);
  g_assert_cmpstr (result->error_code, ==, c->code);
  g_assert_cmpstr (result->error_stage, ==, c->code_stage);
  g_assert_cmpint (result->status, ==,
      c->code != NULL ? DUB_RESULT_FAILED : DUB_RESULT_SUCCESS);
  g_assert_cmpint (result->is_retryable, ==, c->is_retryable);
  g_assert_cmpint (result->sound.data == NULL, ==, c->code != NULL);
  expect_good (self);
  self->free (self);
}

/* What a hung child has of its time is short, or the test would be long. */
static const Case cases[] = {
    {"asr", "crash", "MODEL_ERROR", "asr", TRUE},
    {"asr", "exit", "MODEL_ERROR", "asr", TRUE},
    {"asr", "garbage", "MODEL_ERROR", "asr", TRUE},
    {"asr", "memory", "MODEL_ERROR", "asr", TRUE},
    {"asr", "nan", "MODEL_ERROR", "asr", TRUE},
    {"asr", "huge", "MODEL_ERROR", "asr", TRUE},
    {"asr", "hang", "TIMEOUT", "asr", TRUE, 1200},
    {"asr", "half", "TIMEOUT", "asr", TRUE, 1200},
    {"asr", "refuses", "ASR_FAILED", "asr", FALSE},
    {"asr", "empty", "NO_SPEECH", "asr", FALSE},
    {"asr", "long", "NO_SPEECH", "asr", FALSE},
    {"tts", "crash", "MODEL_ERROR", "tts", TRUE},
    {"tts", "exit", "MODEL_ERROR", "tts", TRUE},
    {"tts", "garbage", "MODEL_ERROR", "tts", TRUE},
    {"tts", "memory", "MODEL_ERROR", "tts", TRUE},
    {"tts", "hang", "TIMEOUT", "tts", TRUE, 1200},
    {"tts", "half", "TIMEOUT", "tts", TRUE, 1200},
    {"tts", "refuses", "TTS_SYNTHESIS_FAILED", "tts", FALSE},
    {"tts", "empty", "MODEL_ERROR", "tts", TRUE},
    {"tts", "odd", "MODEL_ERROR", "tts", TRUE},
    {"tts", "nan", "MODEL_ERROR", "tts", TRUE},
    {"tts", "loud", "MODEL_ERROR", "tts", TRUE},
    {"tts", "rate", "MODEL_ERROR", "tts", TRUE},
    {"tts", "silence", "TTS_SYNTHESIS_FAILED", "tts", FALSE},
    {"tts", "huge", "DURATION_MISMATCH_EXCEEDED", "tts", FALSE},
};

/* ---- the network beside busy children ------------------------------- */

#define FRAGMENTS 3
/* A few milliseconds, really; what waits for a child waits 1500. */
#define ACK_LIMIT_MS 900

typedef struct {
  guint acked, answered, acked_before_answers;
  gint64 sent_us;
  double worst_ack_ms;
} Talk;

static void
send_text (DubSioClient *client, const char *event, const char *json)
{
  DubSioMessage *message = dub_sio_message_new (event);
  g_autoptr (GError) error = NULL;

  dub_sio_message_add_arg (message, json_from_string (json, &error));
  g_assert_no_error (error);
  g_assert_true (dub_sio_client_emit (client, message));
}

static void
send_fragments (DubSioClient *client)
{
  g_autoptr (DubJob) job = job_new (GOOD_S, 0.2, 0);
  g_autofree char *sound =
      g_base64_encode (g_bytes_get_data (job->sound.data, NULL),
          g_bytes_get_size (job->sound.data));

  for (guint i = 0; i < FRAGMENTS; i++) {
    g_autofree char *json =
        g_strdup_printf ("{\"fragment_id\":\"f%u\",\"stream_id\":\"s\","
                         "\"sequence_number\":%u,\"timestamp\":1,\"audio\":{"
                         "\"format\":\"pcm_s16le\",\"sample_rate_hz\":%u,"
                         "\"channels\":1,\"duration_ms\":%u,"
                         "\"data_base64\":\"%s\"}}",
            i, i, JOB_RATE, GOOD_S * 1000, sound);
    send_text (client, DUB_EVENT_FRAGMENT_DATA, json);
  }
}

static void
on_event (DubSioClient *client, DubSioMessage *message, gpointer user_data)
{
  const char *event = dub_sio_message_get_event (message);
  Talk *talk = user_data;
  double ms = (g_get_monotonic_time () - talk->sent_us) / 1000.0;

  g_assert_cmpstr (event, !=, DUB_EVENT_ERROR);
  if (g_str_equal (event, DUB_EVENT_STREAM_READY)) {
    talk->sent_us = g_get_monotonic_time ();
    send_fragments (client);
  } else if (g_str_equal (event, DUB_EVENT_FRAGMENT_ACK)) {
    talk->acked++;
    talk->acked_before_answers += talk->answered == 0;
    talk->worst_ack_ms = MAX (talk->worst_ack_ms, ms);
  } else if (g_str_equal (event, DUB_EVENT_FRAGMENT_PROCESSED)) {
    talk->answered++;
    g_assert_cmpfloat (ms, >, 1500);
  }
}

static void
on_connect (DubSioClient *client, gpointer user_data)
{
  send_text (client, DUB_EVENT_STREAM_INIT,
      "{\"stream_id\":\"s\",\"worker_id\":\"w\",\"timeout_ms\":30000,"
      "\"config\":{\"source_language\":\"es\",\"target_language\":\"en\"}}");
}

static void
on_close (DubSioClient *client, const GError *error, gpointer user_data)
{
  g_error ("closed: %s", error->message);
}

static void
wait_until_ready (DubProcessor *self)
{
  while (!self->is_ready (self, NULL))
    g_main_context_iteration (NULL, TRUE);
}

static void
test_ack_while_busy (void)
{
  static const DubSioClientHandlers handlers = {on_connect, on_event, on_close};
  static const DubStsServerSettings settings = {.host = "127.0.0.1",
      .service_name = "test",
      .max_message_bytes = 16 << 20,
      .max_connections = 8,
      .ping_interval_ms = 25000,
      .ping_timeout_ms = 10000,
      .session = {.source_language = "auto", .target_language = "en"}};
  g_autoptr (DubMetrics) metrics = dub_metrics_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *url = NULL;
  DubSioClientOptions options;
  Talk talk = {0};

  g_setenv ("FAULT", "busy", TRUE);
  DubProcessor *chain = pipeline ();
  wait_until_ready (chain);
  DubStsServer *server = dub_sts_server_new (&settings, chain, metrics, &error);
  g_assert_no_error (error);
  url =
      g_strdup_printf ("http://127.0.0.1:%u", dub_sts_server_get_port (server));
  dub_sio_client_options_init (&options);
  DubSioClient *client =
      dub_sio_client_new (url, &options, &handlers, &talk, &error);
  g_assert_no_error (error);
  dub_sio_client_connect (client);
  while (talk.answered < FRAGMENTS)
    g_main_context_iteration (NULL, TRUE);
  g_test_message ("worst_ack_ms=%.1f", talk.worst_ack_ms);
  g_assert_cmpuint (talk.acked_before_answers, ==, FRAGMENTS);
  g_assert_cmpfloat (talk.worst_ack_ms, <, ACK_LIMIT_MS);
  dub_sio_client_free (client);
  dub_sts_server_free (server);
  chain->free (chain);
}

int
main (int argc, char **argv)
{
  int status;

  if (argc > 2 && g_str_equal (argv[1], "engine"))
    return run_engine (argv[2]);
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf (
        "/sts/engine-faults/%s/%s", cases[i].stage, cases[i].fault);
    g_test_add_data_func (path, &cases[i], test_fault);
  }
  g_test_add_func ("/sts/engine-faults/ack-while-busy", test_ack_while_busy);
  make_voice ();
  status = g_test_run ();
  remove_voice ();
  return status;
}
