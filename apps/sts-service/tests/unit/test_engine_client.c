/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/engine_child.h"
#include "engine/engine_client.h"

#include <dubbing_common/clock.h>
#include <dubbing_common/error.h>
#include <gio/gio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* This program is its own engine: "engine mock" does as each request says. */

#define LONG_NS (30 * DUB_NS_PER_S)

/* ---- the child --------------------------------------------------------- */

static gpointer
mock_load (const DubFrame *settings, JsonObject *ready, GError **error)
{
  const char *how = dub_frame_get_string (settings, "how", "");

  if (g_str_equal (how, "broken")) {
    g_set_error_literal (
        error, DUB_ERROR, DUB_ERROR_NOT_FOUND, "there is no model");
    return NULL;
  }
  if (g_str_equal (how, "exit"))
    _exit (3);
  if (g_str_equal (how, "hang"))
    pause ();
  json_object_set_int_member (ready, "pid", getpid ());
  json_object_set_string_member (
      ready, "threads_wait", g_getenv ("OMP_WAIT_POLICY"));
  return g_strdup ("state");
}

static DubFrame *
mock_handle (gpointer state, const DubFrame *request, GError **error)
{
  const char *op = dub_frame_get_string (request, "op", "");
  DubFrame *answer = NULL;

  if (g_str_equal (op, "die"))
    raise (SIGKILL);
  if (g_str_equal (op, "hang"))
    pause ();
  if (g_str_equal (op, "garbage") && write (3, "garbage", 7) == 7)
    pause ();
  if (g_str_equal (op, "sleep"))
    g_usleep ((gulong) dub_frame_get_int (request, "ms", 0) * 1000);
  if (g_str_equal (op, "fail")) {
    g_set_error_literal (error, DUB_ERROR, DUB_ERROR_LIMIT, "too much");
    return NULL;
  }
  answer = dub_frame_new (json_object_new (), request->payload);
  json_object_set_int_member (answer->header, "pid", getpid ());
  return answer;
}

static const DubEngineKind mock_kind = {"mock", mock_load, mock_handle, g_free};

/* ---- the tests --------------------------------------------------------- */

typedef struct {
  DubEngineClient *client;
  DubMetrics *metrics;
  guint answers; /* of all kinds */
  guint64 order; /* digits of the requests, as they came back */
  GError *error; /* the last */
  gint64 pid;    /* of the child that answered last */
  gsize bytes;
} Fixture;

static void
fixture_start (Fixture *f, const char *how, guint kill_after_ms)
{
  static const char *const argv[] = {"/proc/self/exe", "engine", "mock", NULL};
  g_autoptr (JsonObject) load = json_object_new ();
  DubEngineClientSettings settings;

  memset (f, 0, sizeof *f);
  json_object_set_string_member (load, "how", how);
  dub_engine_client_settings_init (&settings);
  settings.name = "mock";
  settings.argv = argv;
  settings.load = load;
  settings.kill_after_ms = kill_after_ms;
  settings.backoff_min_ms = 10;
  settings.max_queue = 4;
  settings.metrics = f->metrics = dub_metrics_new ();
  f->client = dub_engine_client_new (&settings);
}

static double
metric_of (Fixture *f, const char *line)
{
  g_autofree char *text = dub_metrics_to_text (f->metrics);
  const char *found = strstr (text, line);

  return found != NULL ? g_ascii_strtod (found + strlen (line), NULL) : -1;
}

static void
fixture_stop (Fixture *f)
{
  g_clear_error (&f->error);
  dub_engine_client_free (f->client);
  dub_metrics_unref (f->metrics);
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
on_answer (const DubFrame *answer, const GError *error, gpointer user_data)
{
  Fixture *f = user_data;

  f->answers++;
  g_clear_error (&f->error);
  if (error != NULL)
    f->error = g_error_copy (error);
  if (answer == NULL)
    return;
  f->pid = dub_frame_get_int (answer, "pid", 0);
  f->bytes = g_bytes_get_size (answer->payload);
  f->order = f->order * 10 + (guint64) dub_frame_get_int (answer, "id", 0);
}

static guint64
ask (Fixture *f, const char *op, gint64 in_ns)
{
  DubFrame *frame = dub_frame_new (json_object_new (), NULL);

  json_object_set_string_member (frame->header, "op", op);
  json_object_set_int_member (frame->header, "ms", 400);
  return dub_engine_client_request (
      f->client, frame, g_get_monotonic_time () * 1000 + in_ns, on_answer, f);
}

static void
wait_for_answers (Fixture *f, guint n)
{
  while (f->answers < n)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (f->answers, ==, n);
}

static void
wait_for_state (Fixture *f, DubEngineState state)
{
  while (dub_engine_client_get_state (f->client) != state)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_answers (void)
{
  Fixture f;
  g_autoptr (GError) error = NULL;
  g_autofree char *data = g_malloc0 (3000000);
  g_autoptr (GBytes) big = g_bytes_new (data, 3000000);
  DubFrame *frame = NULL;

  fixture_start (&f, "", 1000);
  g_assert_false (dub_engine_client_is_ready (f.client, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_UNAVAILABLE);
  /* Asked before it is ready, answered in the order of asking. */
  ask (&f, "echo", LONG_NS);
  ask (&f, "echo", LONG_NS);
  g_assert_cmpuint (f.answers, ==, 0);
  wait_for_answers (&f, 2);
  g_assert_cmpuint (f.order, ==, 12);
  g_assert_true (dub_engine_client_is_ready (f.client, NULL));
  g_assert_cmpint (
      dub_frame_get_int (dub_engine_client_get_hello (f.client), "pid", 0), ==,
      dub_engine_client_get_pid (f.client));
  g_assert_cmpstr (dub_frame_get_string (dub_engine_client_get_hello (f.client),
                       "threads_wait", ""),
      ==, "passive");
  /* More than a socket takes at once. */
  frame = dub_frame_new (json_object_new (), big);
  dub_engine_client_request (
      f.client, frame, g_get_monotonic_time () * 1000 + LONG_NS, on_answer, &f);
  wait_for_answers (&f, 3);
  g_assert_cmpuint (f.bytes, ==, 3000000);
  /* What the child refuses keeps its reason, and costs no child. */
  ask (&f, "fail", LONG_NS);
  wait_for_answers (&f, 4);
  g_assert_error (f.error, DUB_ERROR, DUB_ERROR_LIMIT);
  g_assert_cmpstr (f.error->message, ==, "too much");
  g_assert_cmpuint (dub_engine_client_get_restarts (f.client), ==, 0);
  fixture_stop (&f);
}

/* A child that dies costs its request; what waits goes to the next one. */
static void
test_death (gconstpointer op)
{
  Fixture f;
  gint64 first;

  fixture_start (&f, "", 1000);
  ask (&f, "echo", LONG_NS);
  wait_for_answers (&f, 1);
  first = f.pid;
  ask (&f, op, LONG_NS);
  ask (&f, "echo", LONG_NS);
  wait_for_answers (&f, 2);
  g_assert_error (f.error, DUB_ERROR, DUB_ERROR_ENGINE);
  g_assert_true (dub_error_is_retryable (f.error));
  wait_for_answers (&f, 3);
  g_assert_no_error (f.error);
  g_assert_cmpint (f.pid, !=, first);
  g_assert_cmpuint (dub_engine_client_get_restarts (f.client), ==, 1);
  g_assert_cmpfloat (
      metric_of (&f, "sts_engine_restarts_total{engine=\"mock\"}"), ==, 1);
  g_assert_cmpfloat (
      metric_of (&f, "sts_engine_ready{engine=\"mock\"}"), ==, 1);
  g_assert_cmpfloat (
      metric_of (&f, "sts_queue_seconds_count{engine=\"mock\"}"), ==, 3);
  fixture_stop (&f);
}

/* A request gets TIMEOUT at its deadline; the child that hangs on it is
 * killed after the grace, and the next request succeeds. */
static void
test_hang (void)
{
  Fixture f;
  gint64 first;

  fixture_start (&f, "", 200);
  ask (&f, "echo", LONG_NS);
  wait_for_answers (&f, 1);
  first = f.pid;
  ask (&f, "hang", 100 * DUB_NS_PER_MS);
  ask (&f, "echo", LONG_NS);
  wait_for_answers (&f, 2);
  g_assert_error (f.error, DUB_ERROR, DUB_ERROR_TIMEOUT);
  g_assert_cmpint (dub_engine_client_get_pid (f.client), ==, first);
  wait_for_answers (&f, 3);
  g_assert_no_error (f.error);
  g_assert_cmpint (f.pid, !=, first);
  g_assert_cmpint (kill ((pid_t) first, 0), ==, -1);
  fixture_stop (&f);
}

/* The same for one that was stopped from outside. */
static void
test_stopped (void)
{
  Fixture f;
  gint64 first;

  fixture_start (&f, "", 200);
  ask (&f, "echo", LONG_NS);
  wait_for_answers (&f, 1);
  first = f.pid;
  kill ((pid_t) first, SIGSTOP);
  ask (&f, "echo", 100 * DUB_NS_PER_MS);
  wait_for_answers (&f, 2);
  g_assert_error (f.error, DUB_ERROR, DUB_ERROR_TIMEOUT);
  ask (&f, "echo", LONG_NS);
  wait_for_answers (&f, 3);
  g_assert_no_error (f.error);
  g_assert_cmpint (f.pid, !=, first);
  fixture_stop (&f);
}

/* Late, but within the grace: the answer is thrown away, the child kept. */
static void
test_late_answer (void)
{
  Fixture f;
  gint64 first;

  fixture_start (&f, "", 60000);
  ask (&f, "echo", LONG_NS);
  wait_for_answers (&f, 1);
  first = f.pid;
  ask (&f, "sleep", 20 * DUB_NS_PER_MS);
  wait_for_answers (&f, 2);
  g_assert_error (f.error, DUB_ERROR, DUB_ERROR_TIMEOUT);
  ask (&f, "echo", LONG_NS);
  wait_for_answers (&f, 3);
  g_assert_no_error (f.error);
  g_assert_cmpint (f.pid, ==, first);
  fixture_stop (&f);
}

static void
test_deadline_in_the_queue (void)
{
  Fixture f;

  fixture_start (&f, "", 60000);
  wait_for_state (&f, DUB_ENGINE_READY);
  ask (&f, "sleep", LONG_NS);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  ask (&f, "echo", 10 * DUB_NS_PER_MS);
  wait_for_answers (&f, 1);
  g_assert_error (f.error, DUB_ERROR, DUB_ERROR_TIMEOUT);
  wait_for_answers (&f, 2);
  g_assert_no_error (f.error);
  g_assert_cmpuint (f.order, ==, 1);
  fixture_stop (&f);
}

static void
test_due_first_goes_first (void)
{
  Fixture f;

  fixture_start (&f, "", 60000);
  ask (&f, "echo", 3 * LONG_NS);
  ask (&f, "echo", LONG_NS);
  ask (&f, "echo", 2 * LONG_NS);
  wait_for_answers (&f, 3);
  g_assert_cmpuint (f.order, ==, 231);
  fixture_stop (&f);
}

static void
test_cancel (void)
{
  Fixture f;
  guint64 running, waiting;

  fixture_start (&f, "", 60000);
  wait_for_state (&f, DUB_ENGINE_READY);
  running = ask (&f, "sleep", LONG_NS);
  waiting = ask (&f, "echo", LONG_NS);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_true (dub_engine_client_cancel (f.client, running) == &f);
  g_assert_true (dub_engine_client_cancel (f.client, waiting) == &f);
  g_assert_null (dub_engine_client_cancel (f.client, waiting));
  g_assert_null (dub_engine_client_cancel (f.client, 99));
  ask (&f, "echo", LONG_NS);
  wait_for_answers (&f, 1);
  g_assert_cmpuint (f.order, ==, 3);
  fixture_stop (&f);
}

static void
test_full_queue (void)
{
  Fixture f;

  fixture_start (&f, "", 60000);
  for (guint i = 0; i < 5; i++)
    ask (&f, "echo", LONG_NS);
  g_assert_cmpuint (f.answers, ==, 0);
  wait_for_answers (&f, 1);
  g_assert_error (f.error, DUB_ERROR, DUB_ERROR_OVERLOADED);
  wait_for_answers (&f, 5);
  g_assert_no_error (f.error);
  g_assert_cmpuint (f.order, ==, 1234);
  fixture_stop (&f);
}

static void
test_does_not_load (gconstpointer how)
{
  Fixture f;
  g_autoptr (GError) error = NULL;

  fixture_start (&f, how, 1000);
  ask (&f, "echo", LONG_NS);
  wait_for_answers (&f, 1);
  g_assert_error (f.error, DUB_ERROR, DUB_ERROR_UNAVAILABLE);
  g_assert_false (dub_engine_client_is_ready (f.client, &error));
  g_assert_nonnull (strstr (error->message, "mock"));
  if (g_str_equal (how, "broken"))
    g_assert_nonnull (strstr (error->message, "there is no model"));
  /* Nobody waits for what is not there. */
  ask (&f, "echo", LONG_NS);
  wait_for_answers (&f, 2);
  g_assert_error (f.error, DUB_ERROR, DUB_ERROR_UNAVAILABLE);
  fixture_stop (&f);
}

static void
test_program_is_not_there (void)
{
  static const char *const argv[] = {"/nonexistent/engine", NULL};
  g_autoptr (JsonObject) load = json_object_new ();
  g_autoptr (GError) error = NULL;
  DubEngineClientSettings settings;
  g_autoptr (DubEngineClient) client = NULL;

  dub_engine_client_settings_init (&settings);
  settings.name = "absent";
  settings.argv = argv;
  settings.load = load;
  client = dub_engine_client_new (&settings);
  g_assert_false (dub_engine_client_is_ready (client, &error));
  g_assert_nonnull (strstr (error->message, "/nonexistent/engine"));
}

/* Every request is answered, and no child is left. */
static void
test_free_while_busy (void)
{
  Fixture f;
  pid_t pid;

  fixture_start (&f, "", 1000);
  wait_for_state (&f, DUB_ENGINE_READY);
  pid = (pid_t) dub_engine_client_get_pid (f.client);
  ask (&f, "hang", LONG_NS);
  ask (&f, "echo", LONG_NS);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  dub_engine_client_free (g_steal_pointer (&f.client));
  g_assert_cmpuint (f.answers, ==, 2);
  g_assert_error (f.error, DUB_ERROR, DUB_ERROR_DISCONNECTED);
  g_clear_error (&f.error);
  dub_metrics_unref (f.metrics);
  while (kill (pid, 0) == 0)
    g_usleep (1000);
}

/* ---- a service in between ---------------------------------------------- */

/* "service": starts an engine, says its pid, and waits to be killed. */
static int
be_a_service (void)
{
  Fixture f;

  fixture_start (&f, "", 1000);
  wait_for_state (&f, DUB_ENGINE_READY);
  printf ("%d\n", dub_engine_client_get_pid (f.client));
  fflush (stdout);
  pause ();
  return 0;
}

/* Gone, or dead and not yet buried by whoever has inherited it. */
static gboolean
is_dead (pid_t pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", (int) pid);
  g_autofree char *text = NULL;
  const char *state = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return TRUE;
  state = strrchr (text, ')');
  return state != NULL && state[1] == ' ' && state[2] == 'Z';
}

static void
test_dies_with_its_service (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) service = g_subprocess_new (
      G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE,
      &error, "/proc/self/exe", "service", NULL);
  char line[32] = "";
  pid_t engine;

  g_assert_no_error (error);
  g_assert_cmpint (g_input_stream_read (g_subprocess_get_stdout_pipe (service),
                       line, sizeof line - 1, NULL, NULL),
      >, 1);
  engine = (pid_t) g_ascii_strtoll (line, NULL, 10);
  g_assert_cmpint (engine, >, 1);
  g_assert_false (is_dead (engine));
  g_subprocess_force_exit (service);
  g_assert_true (g_subprocess_wait (service, NULL, NULL));
  while (!is_dead (engine))
    g_usleep (1000);
}

int
main (int argc, char **argv)
{
  if (argc == 2 && g_str_equal (argv[1], "service"))
    return be_a_service ();
  if (argc == 3 && g_str_equal (argv[1], "engine"))
    return dub_engine_child_run (&mock_kind, 3);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/engine/client/answers", test_answers);
  g_test_add_data_func ("/sts/engine/client/child-dies", "die", test_death);
  g_test_add_data_func (
      "/sts/engine/client/child-sends-garbage", "garbage", test_death);
  g_test_add_func ("/sts/engine/client/child-hangs", test_hang);
  g_test_add_func ("/sts/engine/client/child-is-stopped", test_stopped);
  g_test_add_func ("/sts/engine/client/late-answer", test_late_answer);
  g_test_add_func (
      "/sts/engine/client/deadline-in-the-queue", test_deadline_in_the_queue);
  g_test_add_func (
      "/sts/engine/client/due-first-goes-first", test_due_first_goes_first);
  g_test_add_func ("/sts/engine/client/cancel", test_cancel);
  g_test_add_func ("/sts/engine/client/full-queue", test_full_queue);
  g_test_add_data_func (
      "/sts/engine/client/model-is-missing", "broken", test_does_not_load);
  g_test_add_data_func (
      "/sts/engine/client/exits-at-load", "exit", test_does_not_load);
  g_test_add_func (
      "/sts/engine/client/program-is-not-there", test_program_is_not_there);
  g_test_add_func (
      "/sts/engine/client/dies-with-its-service", test_dies_with_its_service);
  g_test_add_func ("/sts/engine/client/free-while-busy", test_free_while_busy);
  return g_test_run ();
}
