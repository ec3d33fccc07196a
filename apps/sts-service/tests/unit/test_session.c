/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session driven by scripts. A step is a line:
 *
 *   init [JSON members]    stream:init with ids and config, and more members
 *   data ID NUMBER [..]    fragment:data, [..] replaces the audio object
 *   done ID, fail ID CODE  the processor answers
 *   ack ID                 the client's fragment:ack
 *   raw EVENT JSON         anything
 *   pause, resume, end     without argument
 *   +MS                    time goes on, in one step, with wake ()
 *
 * What comes out is a line for each event: its name and what matters of it.
 */
#include "session/session.h"

#include <dubbing_common/clock.h>
#include <dubbing_common/error.h>
#include <dubbing_contracts/contracts.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  guint64 ticket;
  DubJob *job;
} Job;

typedef struct {
  DubSessionSettings settings;
  DubSession *session;
  GPtrArray *jobs; /* of Job */
  GString *out;
  gint64 now_ns;
} Fixture;

static void
job_clear (gpointer data)
{
  Job *job = data;

  dub_job_free (job->job);
  g_free (job);
}

static const char *
text (JsonObject *object, const char *name)
{
  return json_object_has_member (object, name)
             ? json_object_get_string_member (object, name)
             : "-";
}

static gint64
number (JsonObject *object, const char *name)
{
  return json_object_has_member (object, name)
             ? json_object_get_int_member (object, name)
             : -1;
}

static void
print_processed (GString *out, JsonObject *object)
{
  JsonObject *error = json_object_has_member (object, "error")
                          ? json_object_get_object_member (object, "error")
                          : NULL;

  g_string_append_printf (out, "processed %s %d %s%s%s\n",
      text (object, "fragment_id"), (int) number (object, "sequence_number"),
      text (object, "status"), error ? " " : "",
      error ? text (error, "code") : "");
}

static void
print_event (GString *out, const char *event, JsonObject *object)
{
  if (g_str_equal (event, "fragment:processed"))
    print_processed (out, object);
  else if (g_str_equal (event, "fragment:ack"))
    g_string_append_printf (out, "ack %s %d\n", text (object, "fragment_id"),
        (int) number (object, "queue_position"));
  else if (g_str_equal (event, "error"))
    g_string_append_printf (out, "error %s %s\n", text (object, "code"),
        text (object, "fragment_id"));
  else if (g_str_equal (event, "backpressure"))
    g_string_append_printf (out, "load %s %s %d\n", text (object, "severity"),
        text (object, "action"), (int) number (object, "recommended_delay_ms"));
  else if (g_str_equal (event, "stream:complete"))
    g_string_append_printf (out, "complete %d %d\n",
        (int) number (object, "total_fragments"),
        (int) number (object, "failed_count"));
  else if (g_str_equal (event, "stream:ready"))
    g_string_append_printf (out, "ready %s %d\n", text (object, "stream_id"),
        (int) number (object, "max_inflight"));
  else
    g_string_append_printf (out, "%s %s\n", event, text (object, "status"));
}

static void
on_emit (DubSioMessage *message, gpointer user_data)
{
  Fixture *self = user_data;

  print_event (self->out, dub_sio_message_get_event (message),
      json_node_get_object (dub_sio_message_get_arg (message, 0)));
  dub_sio_message_unref (message);
}

static void
on_submit (DubJob *job, guint64 ticket, gpointer user_data)
{
  Fixture *self = user_data;
  Job *entry = g_new0 (Job, 1);

  entry->ticket = ticket;
  entry->job = job;
  g_ptr_array_add (self->jobs, entry);
}

static gboolean
on_check (const char *source, const char *target, const char *voice,
    gpointer user_data, GError **error)
{
  if (g_str_equal (voice, "nobody")) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND, "voice \"nobody\"");
    return FALSE;
  }
  if (g_str_equal (target, "xx")) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED, "target \"xx\"");
    return FALSE;
  }
  return TRUE;
}

static void
on_close (gpointer user_data)
{
  Fixture *self = user_data;

  g_string_append (self->out, "close\n");
}

static gint64
on_unix_ms (gpointer user_data)
{
  return 1767225600000;
}

static void
on_forget (guint64 ticket, gpointer user_data)
{
  Fixture *self = user_data;

  g_string_append (self->out, "forget\n");
}

static const DubSessionOps ops = {.emit = on_emit,
    .submit = on_submit,
    .check = on_check,
    .close = on_close,
    .unix_ms = on_unix_ms,
    .forget = on_forget};

static void
fixture_init (Fixture *self, gboolean is_echo, gboolean has_backpressure)
{
  self->settings = (DubSessionSettings){
      .is_echo = is_echo,
      .source_language = "auto",
      .target_language = "en",
      .auto_disconnect_ns = 5 * DUB_NS_PER_S,
      .has_backpressure = has_backpressure,
      .load = dub_load_rule_default (is_echo),
  };
  self->session = dub_session_new (
      &self->settings, &ops, self, "stream-made-up", "worker-made-up");
  self->jobs = g_ptr_array_new_with_free_func (job_clear);
  self->out = g_string_new (NULL);
  self->now_ns = 1000 * DUB_NS_PER_S;
}

static void
fixture_clear (Fixture *self)
{
  dub_session_free (self->session);
  g_ptr_array_unref (self->jobs);
  g_string_free (self->out, TRUE);
}

static void
receive (Fixture *self, const char *event, const char *json)
{
  g_autoptr (DubSioMessage) message = dub_sio_message_new (event);

  if (json) {
    g_autoptr (GError) error = NULL;
    JsonNode *node = json_from_string (json, &error);

    g_assert_no_error (error);
    dub_sio_message_add_arg (
        message, node ? node : json_node_new (JSON_NODE_NULL));
  }
  dub_session_receive (self->session, message, self->now_ns);
}

static Job *
find_job (Fixture *self, const char *id)
{
  for (guint i = 0; i < self->jobs->len; i++) {
    Job *entry = g_ptr_array_index (self->jobs, i);

    if (g_str_equal (entry->job->fragment_id, id))
      return entry;
  }
  g_error ("no job %s", id);
}

static void
finish (Fixture *self, const char *id, const char *code)
{
  Job *entry = find_job (self, id);
  DubResult *result = dub_result_new ();

  result->status = code ? DUB_RESULT_FAILED : DUB_RESULT_SUCCESS;
  result->error_code = g_strdup (code);
  if (!code) {
    result->sound.format = g_strdup (entry->job->sound.format);
    result->sound.sample_rate_hz = 48000;
    result->sound.channels = 1;
    result->sound.data = g_bytes_ref (entry->job->sound.data);
  }
  dub_session_finish (self->session, entry->ticket, result, self->now_ns);
  g_ptr_array_remove (self->jobs, entry);
}

#define AUDIO                                                                  \
  "{\"format\":\"m4a\",\"sample_rate_hz\":48000,\"channels\":1,"               \
  "\"duration_ms\":100,\"data_base64\":\"AAEC\"}"

static void
step_data (Fixture *self, const char *step)
{
  char id[32] = "";
  int sequence = 0, used = 0;
  g_autofree char *json = NULL;

  /* NOLINTNEXTLINE(cert-err34-c): the steps are ours */
  g_assert_cmpint (
      sscanf (step, "data %31s %d%n", id, &sequence, &used), ==, 2);
  json = g_strdup_printf (
      "{\"fragment_id\":\"%s\",\"stream_id\":\"s1\",\"sequence_number\":%d,"
      "\"timestamp\":0,\"audio\":%s}",
      id, sequence, step[used] ? step + used : AUDIO);
  receive (self, "fragment:data", json);
}

static void
step_raw (Fixture *self, const char *step)
{
  const char *json = strchr (step, ' ');
  g_autofree char *event =
      g_strndup (step, json ? (gsize) (json - step) : strlen (step));

  receive (self, event, json);
}

static void
step_finish (Fixture *self, const char *step)
{
  g_auto (GStrv) words = g_strsplit (step, " ", 3);

  finish (self, words[1], words[2]);
}

static void
step_init (Fixture *self, const char *step)
{
  g_autofree char *json =
      g_strdup_printf ("{\"stream_id\":\"s1\",\"worker_id\":\"w1\"%s%s%s}",
          strstr (step, "\"config\"") ? "" : ",\"config\":{}",
          step[4] ? "," : "", step[4] ? step + 5 : "");

  receive (self, "stream:init", json);
}

static void
do_step (Fixture *self, const char *step)
{
  if (step[0] == '+') {
    self->now_ns += g_ascii_strtoll (step + 1, NULL, 10) * DUB_NS_PER_MS;
    dub_session_wake (self->session, self->now_ns);
  } else if (g_str_has_prefix (step, "init"))
    step_init (self, step);
  else if (g_str_has_prefix (step, "data "))
    step_data (self, step);
  else if (g_str_has_prefix (step, "done ") || g_str_has_prefix (step, "fail "))
    step_finish (self, step);
  else if (g_str_has_prefix (step, "ack "))
    receive (self, "fragment:ack", "{\"fragment_id\":\"x\"}");
  else if (g_str_has_prefix (step, "raw "))
    step_raw (self, step + 4);
  else {
    g_autofree char *event = g_strconcat ("stream:", step, NULL);

    receive (self, event, "{}");
  }
}

typedef struct {
  const char *name;
  gboolean is_echo;
  gboolean has_backpressure;
  const char *script;
  const char *out;
} Case;

#define FULL FALSE, FALSE
#define ECHO_MODE TRUE, FALSE
#define LOADED TRUE, TRUE

static const Case cases[] = {
    {"one-fragment", FULL, "init\ndata f0 0\ndone f0\nend\n+4999\n+1",
        "ready s1 3\nack f0 0\nprocessed f0 0 success\ncomplete 1 0\nclose\n"},
    {"results-in-order", FULL,
        "init\ndata f0 0\ndata f1 1\ndata f2 2\ndone f2\ndone f1\ndone f0",
        "ready s1 3\nack f0 0\nack f1 1\nack f2 2\n"
        "processed f0 0 success\nprocessed f1 1 success\n"
        "processed f2 2 success\n"},
    {"failed-takes-its-place", FULL,
        "init\ndata f0 0\ndata f1 1\nfail f1 TIMEOUT\nfail f0 MODEL_ERROR",
        "ready s1 3\nack f0 0\nack f1 1\nprocessed f0 0 failed MODEL_ERROR\n"
        "processed f1 1 failed TIMEOUT\n"},
    {"gap-is-skipped", FULL,
        "init \"timeout_ms\":2000\ndata f0 0\ndone f0\ndata f2 2\ndone f2\n"
        "+1999\nraw x\n+1",
        "ready s1 3\nack f0 0\nprocessed f0 0 success\nack f2 0\n"
        "processed f2 2 success\n"},
    {"init-flat", FULL, "raw stream:init {\"source_language\":\"en\"}",
        "ready stream-made-up 3\n"},
    {"init-bad", FULL,
        "init \"max_inflight\":11\nraw stream:init []\n"
        "raw stream:init null\nraw stream:init",
        "error INVALID_CONFIG -\nerror INVALID_CONFIG -\n"
        "error INVALID_CONFIG -\nerror INVALID_CONFIG -\n"},
    {"init-unknown-voice", FULL,
        "init \"config\":{\"voice_profile\":\"nobody\"}",
        "error INVALID_VOICE_PROFILE -\n"},
    {"init-unknown-language", FULL,
        "init \"config\":{\"target_language\":\"xx\"}",
        "error UNSUPPORTED_LANGUAGE -\n"},
    {"init-again-restarts-at-0", FULL,
        "init\ndata f0 0\ninit \"max_inflight\":5\ndone f0\ndata g0 0\ndone g0",
        "ready s1 3\nack f0 0\nforget\nready s1 5\nack g0 0\nprocessed g0 0 "
        "success\n"},
    {"init-after-end-keeps-the-connection", FULL,
        "init\nend\ninit\n+5000\ndata f0 0\ndone f0",
        "ready s1 3\ncomplete 0 0\nready s1 3\nack f0 0\n"
        "processed f0 0 success\n"},
    {"before-init", FULL, "data f0 0\npause\nresume\nend\nack f0",
        "error STREAM_NOT_FOUND f0\nerror STREAM_NOT_FOUND -\n"
        "error STREAM_NOT_FOUND -\nerror STREAM_NOT_FOUND -\n"},
    {"paused-full", FULL, "init\npause\ndata f0 0\nresume\ndata f1 1\ndone f1",
        "ready s1 3\nerror STREAM_PAUSED f0\nack f1 0\n"
        "processed f1 1 success\n"},
    {"paused-echo", ECHO_MODE, "init\npause\npause\ndata f0 0\nresume\nresume",
        "ready s1 3\nerror STREAM_NOT_FOUND f0\n"},
    {"pause-keeps-accepted-work", FULL, "init\ndata f0 0\npause\ndone f0\nend",
        "ready s1 3\nack f0 0\nprocessed f0 0 success\ncomplete 1 0\n"},
    {"malformed-full", FULL,
        "init\nraw fragment:data {\"sequence_number\":0}\nraw fragment:data\n"
        "raw fragment:data []\ndata f1 1\ndone f1",
        "ready s1 3\nerror MALFORMED_DATA -\nerror MALFORMED_DATA -\n"
        "error MALFORMED_DATA -\nack f1 0\nprocessed f1 1 success\n"},
    {"malformed-echo", ECHO_MODE,
        "init\nraw fragment:data {\"fragment_id\":\"f0\"}",
        "ready s1 3\nerror INVALID_CONFIG f0\n"},
    {"full-checks-the-schema-first", FULL, "raw fragment:data {}",
        "error MALFORMED_DATA -\n"},
    {"echo-checks-the-state-first", ECHO_MODE, "raw fragment:data {}",
        "error STREAM_NOT_FOUND -\n"},
    {"empty-sound-full", FULL,
        "init\ndata f0 0{\"sample_rate_hz\":48000,\"channels\":1,"
        "\"duration_ms\":1,\"data_base64\":\"\"}",
        "ready s1 3\nerror MALFORMED_DATA f0\n"},
    {"empty-sound-echo", ECHO_MODE,
        "init\ndata f0 0{\"sample_rate_hz\":48000,\"channels\":1,"
        "\"duration_ms\":1,\"data_base64\":\"\"}\ndone f0",
        "ready s1 3\nack f0 0\nprocessed f0 0 success\n"},
    {"bad-base64-fails-in-its-place", FULL,
        "init\ndata f0 0{\"sample_rate_hz\":48000,\"channels\":1,"
        "\"duration_ms\":1,\"data_base64\":\"A*\"}\ndata f1 1\ndone f1",
        "ready s1 3\nack f0 0\nprocessed f0 0 failed INVALID_AUDIO_FORMAT\n"
        "ack f1 0\nprocessed f1 1 success\n"},
    {"flat-fragment", FULL,
        "init\nraw fragment:data {\"fragment_id\":\"f0\",\"stream_id\":\"x\","
        "\"sequence_number\":0,\"audio\":\"AAEC\",\"sample_rate\":16000,"
        "\"channels\":1,\"duration_ms\":10}\ndone f0",
        "ready s1 3\nack f0 0\nprocessed f0 0 success\n"},
    {"same-id-again-gets-the-answer-again", FULL,
        "init\ndata f0 0\ndone f0\ndata f0 0\ndata f1 1\ndone f1",
        "ready s1 3\nack f0 0\nprocessed f0 0 success\nack f0 0\n"
        "processed f0 0 success\nack f1 0\nprocessed f1 1 success\n"},
    {"same-id-with-a-new-number-leaves-no-gap", FULL,
        "init\ndata f0 0\ndone f0\ndata f0 1\ndata f2 2\ndone f2",
        "ready s1 3\nack f0 0\nprocessed f0 0 success\nack f0 0\n"
        "processed f0 0 success\nack f2 0\nprocessed f2 2 success\n"},
    {"same-id-in-flight-is-worked-on-once", FULL,
        "init\ndata f0 0\ndata f0 0\ndata f0 1\ndone f0\ndata f2 2\ndone f2",
        "ready s1 3\nack f0 0\nack f0 1\nack f0 1\nprocessed f0 0 success\n"
        "ack f2 0\nprocessed f2 2 success\n"},
    /* f0's answer is the last of ten, and then one too old. */
    {"answers-of-ten-are-kept", FULL,
        "init\ndata f0 0\ndone f0\ndata f1 1\ndone f1\ndata f2 2\ndone f2\n"
        "data f3 3\ndone f3\ndata f4 4\ndone f4\ndata f5 5\ndone f5\n"
        "data f6 6\ndone f6\ndata f7 7\ndone f7\ndata f8 8\ndone f8\n"
        "data f9 9\ndone f9\ndata f0 0\ndata f10 10\ndone f10\ndata f0 0",
        "ready s1 3\nack f0 0\nprocessed f0 0 success\nack f1 0\n"
        "processed f1 1 success\nack f2 0\nprocessed f2 2 success\n"
        "ack f3 0\nprocessed f3 3 success\nack f4 0\n"
        "processed f4 4 success\nack f5 0\nprocessed f5 5 success\n"
        "ack f6 0\nprocessed f6 6 success\nack f7 0\n"
        "processed f7 7 success\nack f8 0\nprocessed f8 8 success\n"
        "ack f9 0\nprocessed f9 9 success\nack f0 0\n"
        "processed f0 0 success\nack f10 0\nprocessed f10 10 success\n"
        "ack f0 0\n"},
    {"eleventh-is-refused", FULL,
        "init\ndata a 0\ndata b 1\ndata c 2\ndata d 3\ndata e 4\ndata f 5\n"
        "data g 6\ndata h 7\ndata i 8\ndata j 9\ndata k 10\ndone a\ndata l 11",
        "ready s1 3\nack a 0\nack b 1\nack c 2\nack d 3\nack e 4\nack f 5\n"
        "ack g 6\nack h 7\nack i 8\nack j 9\nerror BACKPRESSURE_EXCEEDED k\n"
        "processed a 0 success\nack l 9\n"},
    {"end-waits-for-work", FULL,
        "init\ndata f0 0\ndata f1 1\nend\n+100\nend\ndata f2 2\ndone f1\ndone "
        "f0",
        "ready s1 3\nack f0 0\nack f1 1\nerror STREAM_NOT_FOUND f2\n"
        "processed f0 0 success\nprocessed f1 1 success\ncomplete 2 0\n"},
    {"end-does-not-wait-for-a-gap", FULL,
        "init\ndata f0 0\ndata f5 5\nend\ndone f5\ndone f0",
        "ready s1 3\nack f0 0\nack f5 1\nprocessed f0 0 success\n"
        "processed f5 5 success\ncomplete 2 0\n"},
    {"end-waits-as-long-as-a-fragment-may-take", FULL,
        "init \"timeout_ms\":3000\ndata f0 0\ndata f1 1\ndone f1\nend\n+2999\n"
        "+1\ndone f0",
        "ready s1 3\nack f0 0\nack f1 1\nprocessed f1 1 success\n"
        "complete 1 0\nprocessed f0 0 success\n"},
    {"end-lets-go-what-waits-for-another", FULL,
        "init \"timeout_ms\":3000\ndata f0 0\ndata f1 1\nend\n+1000\n"
        "done f1\n+2000",
        "ready s1 3\nack f0 0\nack f1 1\nprocessed f1 1 success\n"
        "complete 1 0\n"},
    {"end-twice", FULL, "init\nend\nend",
        "ready s1 3\ncomplete 0 0\ncomplete 0 0\n"},
    {"end-without-argument", FULL, "init\nraw stream:end\n+5000",
        "ready s1 3\ncomplete 0 0\nclose\n"},
    {"control-is-a-list", FULL, "init\nraw stream:pause []\nraw stream:end 5",
        "ready s1 3\nerror MALFORMED_DATA -\nerror MALFORMED_DATA -\n"},
    {"unknown-event", FULL,
        "init\nraw moon:rise {}\nraw config:error_simulation {}",
        "ready s1 3\n"},
    {"backpressure-echo", LOADED,
        "init\ndata f0 0\ndata f1 1\ndata f2 2\ndone f0\ndone f1\ndone f2",
        "ready s1 3\nack f0 0\nack f1 1\nload low none -1\nack f2 2\n"
        "load high pause 1000\nprocessed f0 0 success\nload low none -1\n"
        "processed f1 1 success\nload low none -1\nprocessed f2 2 success\n"},
    {"backpressure-full", FALSE, TRUE,
        "init \"max_inflight\":10\ndata a 0\ndata b 1\ndata c 2\ndata d 3\n"
        "done a\ndone b\ndone c\ndone d",
        "ready s1 10\nack a 0\nack b 1\nload low none -1\nack c 2\nack d 3\n"
        "load medium slow_down 500\nprocessed a 0 success\nload low none -1\n"
        "processed b 1 success\nprocessed c 2 success\nload low none -1\n"
        "processed d 3 success\n"},
    {"simulated-error", ECHO_MODE,
        "init\nraw config:error_simulation {\"enabled\":true,\"rules\":["
        "{\"trigger\":\"nth_fragment\",\"value\":2,\"error_code\":\"GPU_OOM\"}]"
        "}\n"
        "data f0 0\ndata f1 1\ndone f0",
        "ready s1 3\nconfig:error_simulation:ack accepted\nack f0 0\nack f1 1\n"
        "processed f0 0 success\nprocessed f1 1 failed GPU_OOM\n"},
    {"simulation-refused", ECHO_MODE,
        "raw config:error_simulation {}\ninit\n"
        "raw config:error_simulation {\"rules\":[5]}",
        "error STREAM_NOT_FOUND -\nready s1 3\n"
        "config:error_simulation:ack rejected\n"},
    {"simulated-disconnect", ECHO_MODE,
        "raw simulate:disconnect {\"delay_ms\":200}\n+199\nraw x\n+1\n+1",
        "simulate:disconnect:ack scheduled\nclose\n"},
    {"simulated-disconnect-is-bad", ECHO_MODE,
        "raw simulate:disconnect {\"delay_ms\":-1}",
        "error INVALID_CONFIG -\n"},
};

static void
test_script (gconstpointer data)
{
  const Case *self = data;
  g_auto (GStrv) steps = g_strsplit (self->script, "\n", -1);
  Fixture fixture;

  fixture_init (&fixture, self->is_echo, self->has_backpressure);
  for (guint i = 0; steps[i]; i++) {
    do_step (&fixture, steps[i]);
    g_assert_cmpint (
        dub_session_next_wake_ns (fixture.session), >, fixture.now_ns);
  }
  g_assert_cmpstr (fixture.out->str, ==, self->out);
  fixture_clear (&fixture);
}

/* What the processor is told. */
static void
test_job (void)
{
  Fixture fixture;
  const DubJob *job;

  fixture_init (&fixture, FALSE, FALSE);
  do_step (&fixture,
      "init \"timeout_ms\":4000,\"config\":{\"source_language\":\"es\","
      "\"sample_rate_hz\":44100,\"channels\":2,\"domain_hints\":[\"sports\"]}");
  receive (&fixture, "fragment:data",
      "{\"fragment_id\":\"f0\",\"stream_id\":\"s1\",\"sequence_number\":7,"
      "\"timestamp\":0,\"audio\":" AUDIO
      ",\"metadata\":{\"room_ms\":300,\"deadline_ms\":2500}}");
  receive (&fixture, "fragment:data",
      "{\"fragment_id\":\"f1\",\"stream_id\":\"s1\",\"sequence_number\":8,"
      "\"timestamp\":0,\"audio\":" AUDIO
      ",\"metadata\":{\"deadline_ms\":999999}}");
  job = find_job (&fixture, "f0")->job;
  g_assert_cmpstr (job->stream_id, ==, "s1");
  g_assert_cmpuint (job->sequence_number, ==, 7);
  g_assert_cmpstr (job->source_language, ==, "es");
  g_assert_cmpstr (job->target_language, ==, "en");
  g_assert_cmpstr (job->voice_profile, ==, "default");
  g_assert_cmpstr (job->domain, ==, "sports");
  g_assert_cmpuint (g_bytes_get_size (job->sound.data), ==, 3);
  g_assert_cmpuint (job->room_ms, ==, 300);
  g_assert_cmpint (job->deadline_ns, ==, fixture.now_ns + 2500 * DUB_NS_PER_MS);
  g_assert_cmpstr (job->reply_format, ==, "m4a");
  g_assert_cmpuint (job->reply_rate_hz, ==, 44100);
  g_assert_cmpuint (job->reply_channels, ==, 2);
  job = find_job (&fixture, "f1")->job;
  g_assert_cmpint (job->deadline_ns, ==, fixture.now_ns + 4000 * DUB_NS_PER_MS);
  fixture_clear (&fixture);
}

static DubSioMessage *last_message;

static void
keep_message (DubSioMessage *message, gpointer user_data)
{
  if (last_message)
    dub_sio_message_unref (last_message);
  last_message = message;
}

static const DubSessionOps keep_ops = {
    keep_message, on_submit, on_check, on_close, on_unix_ms};

static DubSioMessage *
binary_fragment (GBytes *sound)
{
  DubSioMessage *message = dub_sio_message_new ("fragment:data");
  JsonNode *node = json_from_string (
      "{\"fragment_id\":\"f0\",\"stream_id\":\"s1\",\"sequence_number\":0,"
      "\"timestamp\":0,\"audio\":{\"format\":\"pcm_s16le\","
      "\"sample_rate_hz\":48000,\"channels\":1,\"duration_ms\":1}}",
      NULL);

  json_object_set_member (
      json_object_get_object_member (json_node_get_object (node), "audio"),
      "data_base64", dub_sio_message_add_binary (message, sound));
  dub_sio_message_add_arg (message, node);
  return message;
}

/* PCM that came as an attachment is answered by an attachment. */
static void
test_binary (void)
{
  g_autoptr (GBytes) sound = g_bytes_new_static ("\0\1\2\3", 4);
  g_autoptr (DubSioMessage) message = binary_fragment (sound);
  JsonObject *audio;
  Fixture fixture;

  fixture_init (&fixture, TRUE, FALSE);
  dub_session_free (fixture.session);
  fixture.session = dub_session_new (
      &fixture.settings, &keep_ops, &fixture, "stream-x", "worker-x");
  do_step (&fixture, "init");
  dub_session_receive (fixture.session, message, fixture.now_ns);
  g_assert_cmpstr (
      find_job (&fixture, "f0")->job->reply_format, ==, "pcm_s16le");
  finish (&fixture, "f0", NULL);
  g_assert_cmpstr (
      dub_sio_message_get_event (last_message), ==, "fragment:processed");
  audio = json_object_get_object_member (
      json_node_get_object (dub_sio_message_get_arg (last_message, 0)),
      "dubbed_audio");
  g_assert_true (
      g_bytes_equal (dub_sio_message_get_binary (last_message,
                         json_object_get_member (audio, "data_base64")),
          sound));
  g_clear_pointer (&last_message, dub_sio_message_unref);
  fixture_clear (&fixture);
}

/* Our messages stay below what common clients take. */
static void
test_large_answer (void)
{
  const gsize size = 4 * 1024 * 1024;
  g_autoptr (GBytes) sound = g_bytes_new_take (g_malloc0 (size), size);
  g_autoptr (DubSioMessage) message = binary_fragment (sound);
  Fixture fixture;

  fixture_init (&fixture, TRUE, FALSE);
  do_step (&fixture, "init");
  dub_session_receive (fixture.session, message, fixture.now_ns);
  finish (&fixture, "f0", NULL);
  g_assert_cmpstr (fixture.out->str, ==,
      "ready s1 3\nack f0 0\nprocessed f0 0 failed FRAGMENT_TOO_LARGE\n");
  fixture_clear (&fixture);
}

static void
finish_with_bytes (Fixture *self, const char *id, gsize size)
{
  Job *entry = find_job (self, id);
  DubResult *result = dub_result_new ();

  result->status = DUB_RESULT_SUCCESS;
  result->sound.format = g_strdup ("m4a");
  result->sound.sample_rate_hz = 48000;
  result->sound.channels = 1;
  result->sound.data = g_bytes_new_take (g_malloc0 (size), size);
  dub_session_finish (self->session, entry->ticket, result, self->now_ns);
  g_ptr_array_remove (self->jobs, entry);
}

/* Fifty sessions must not fill the memory with answers: 2 MiB of sound each. */
static void
test_large_answers_are_let_go (void)
{
  const gsize size = 1100 * 1024;
  Fixture fixture;

  fixture_init (&fixture, FALSE, FALSE);
  do_step (&fixture, "init");
  do_step (&fixture, "data f0 0");
  finish_with_bytes (&fixture, "f0", size);
  do_step (&fixture, "data f1 1");
  finish_with_bytes (&fixture, "f1", size);
  g_string_truncate (fixture.out, 0);
  do_step (&fixture, "data f1 1");
  do_step (&fixture, "data f0 0");
  g_assert_cmpstr (
      fixture.out->str, ==, "ack f1 0\nprocessed f1 1 success\nack f0 0\n");
  fixture_clear (&fixture);
}

/* What is more than a burst is refused, fragments with their number passed; who
 * goes on is cut; and a second later there is room again. */
static void
test_event_limit (void)
{
  Fixture fixture;

  fixture_init (&fixture, FALSE, FALSE);
  fixture.settings.events_per_s = 1;
  dub_session_free (fixture.session);
  fixture.session = dub_session_new (
      &fixture.settings, &ops, &fixture, "stream-x", "worker-x");
  do_step (&fixture, "init");
  do_step (&fixture, "data f0 0");
  do_step (&fixture, "data f1 1");
  do_step (&fixture, "ack f0");
  do_step (&fixture, "data f2 2");
  do_step (&fixture, "pause");
  do_step (&fixture, "+1000");
  do_step (&fixture, "data f3 3");
  do_step (&fixture, "done f3");
  do_step (&fixture, "done f1");
  do_step (&fixture, "done f0");
  g_assert_cmpstr (fixture.out->str, ==,
      "ready s1 3\nack f0 0\nack f1 1\nerror RATE_LIMIT f2\n"
      "error RATE_LIMIT -\nack f3 2\nprocessed f0 0 success\n"
      "processed f1 1 success\nprocessed f3 3 success\n");
  g_string_truncate (fixture.out, 0);
  for (int i = 0; i < 4; i++)
    do_step (&fixture, "resume");
  g_assert_cmpstr (fixture.out->str, ==,
      "error RATE_LIMIT -\nerror RATE_LIMIT -\nerror RATE_LIMIT -\nclose\n");
  fixture_clear (&fixture);
}

/* Every sample of stream:init that both services share. */
static void
test_samples (void)
{
  g_autofree char *path =
      g_build_filename (DUB_CONTRACTS_DATA, "stream_init.json", NULL);
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonArray *samples;

  g_assert_true (json_parser_load_from_file (parser, path, NULL));
  samples = json_object_get_array_member (
      json_node_get_object (json_parser_get_root (parser)), "cases");
  for (guint i = 0; i < json_array_get_length (samples); i++) {
    JsonObject *sample = json_array_get_object_element (samples, i);
    g_autofree char *json =
        json_to_string (json_object_get_member (sample, "payload"), FALSE);
    Fixture fixture;

    fixture_init (&fixture, FALSE, FALSE);
    receive (&fixture, "stream:init", json);
    g_assert_true (g_str_has_prefix (fixture.out->str,
        json_object_has_member (sample, "emits") ? "ready "
                                                 : "error INVALID_CONFIG"));
    fixture_clear (&fixture);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/sts/session/%s", cases[i].name);

    g_test_add_data_func (path, &cases[i], test_script);
  }
  g_test_add_func ("/sts/session/job", test_job);
  g_test_add_func ("/sts/session/binary", test_binary);
  g_test_add_func ("/sts/session/large-answer", test_large_answer);
  g_test_add_func (
      "/sts/session/large-answers-are-let-go", test_large_answers_are_let_go);
  g_test_add_func ("/sts/session/event-limit", test_event_limit);
  g_test_add_func ("/sts/session/samples", test_samples);
  return g_test_run ();
}
