/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/wait.h>

/*
 * The real program against a server of one answer. Nothing but its arguments,
 * its environment, what it sends, what it prints and how it ends.
 */
typedef struct {
  GSocketListener *listener;
  const char *answer; /* "": closes without one; NULL: never answers */
  GString *request;
  GThread *thread;
  GCancellable *cancellable;
} Server;

static gboolean
is_whole (const GString *request)
{
  const char *end = strstr (request->str, "\r\n\r\n");
  const char *length = strstr (request->str, "Content-Length: ");

  if (end == NULL || length == NULL)
    return FALSE;
  return request->len >= (gsize) (end + 4 - request->str) +
                             g_ascii_strtoull (length + 16, NULL, 10);
}

static gpointer
serve (gpointer user_data)
{
  Server *self = user_data;
  g_autoptr (GSocketConnection) connection =
      g_socket_listener_accept (self->listener, NULL, self->cancellable, NULL);
  GInputStream *in;
  char data[8192];
  gssize n = 1;

  if (connection == NULL)
    return NULL;
  in = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  while (n > 0 && !is_whole (self->request)) {
    n = g_input_stream_read (in, data, sizeof data, self->cancellable, NULL);
    if (n > 0)
      g_string_append_len (self->request, data, n);
  }
  if (self->answer == NULL) /* until the other end gives up */
    g_input_stream_read (in, data, 1, self->cancellable, NULL);
  else
    g_output_stream_write_all (
        g_io_stream_get_output_stream (G_IO_STREAM (connection)), self->answer,
        strlen (self->answer), NULL, NULL, NULL);
  return NULL;
}

static guint
server_start (Server *self, const char *answer)
{
  guint port;

  self->listener = g_socket_listener_new ();
  port = g_socket_listener_add_any_inet_port (self->listener, NULL, NULL);
  self->answer = answer;
  self->request = g_string_new (NULL);
  self->cancellable = g_cancellable_new ();
  self->thread = g_thread_new ("server", serve, self);
  return port;
}

static void
server_stop (Server *self)
{
  g_cancellable_cancel (self->cancellable);
  g_thread_join (self->thread);
  g_object_unref (self->cancellable);
  g_object_unref (self->listener);
  g_string_free (self->request, TRUE);
}

typedef struct {
  int code;
  char *out, *err;
} Result;

static void
result_clear (Result *result)
{
  g_free (result->out);
  g_free (result->err);
}

/* environment: "NAME=value", NULL-terminated; nothing else is set. */
static Result
run_hook (const char *event, const char *const *environment)
{
  const char *argv[] = {g_getenv ("MTX_HOOK"), event, NULL};
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
      G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GError) error = NULL;
  Result result = {0};

  g_subprocess_launcher_set_environ (launcher, (char **) environment);
  process = g_subprocess_launcher_spawnv (launcher, argv, &error);
  g_assert_no_error (error);
  g_subprocess_communicate_utf8 (
      process, NULL, NULL, &result.out, &result.err, &error);
  g_assert_no_error (error);
  result.code = g_subprocess_get_if_exited (process)
                    ? g_subprocess_get_exit_status (process)
                    : -1;
  return result;
}

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

typedef struct {
  const char *query; /* NULL: not set */
  const char *body;
} BodyCase;

#define HEAD                                                                   \
  "{\"path\":\"live/demo/in\",\"sourceType\":\"rtmpConn\","                    \
  "\"sourceId\":\"id-1\""

static const BodyCase bodies[] = {
    {NULL, HEAD "}"},
    {"", HEAD "}"},
    {"to=es&from=en", HEAD ",\"query\":\"to=es&from=en\"}"},
    {"a=\"b\\c\"", HEAD ",\"query\":\"a=\\\"b\\\\c\\\"\"}"},
    {"\",\"path\":\"live/x/in", HEAD ",\"query\":\"\\\",\\\"path\\\":"
                                     "\\\"live/x/in\"}"},
    {"a=\n\t\x01\x7f", HEAD ",\"query\":\"a=\\u000a\\u0009\\u0001\\u007f\"}"},
    {"\xc3\xa9\xf0\x9f\x8e\xac", HEAD ",\"query\":\"\xc3\xa9\xf0\x9f\x8e\xac"
                                      "\"}"},
    /* What is no UTF-8: alone, cut short, too long a form, a surrogate. */
    {"\xff!\xc3", HEAD ",\"query\":\"\\ufffd!\\ufffd\"}"},
    {"\xc0\xaf\xed\xa0\x80", HEAD ",\"query\":\"\\ufffd\\ufffd\\ufffd\\ufffd"
                                  "\\ufffd\"}"},
};

static void
test_body (gconstpointer data)
{
  const BodyCase *c = data;
  Server server = {0};
  guint port = server_start (&server, OK_ANSWER);
  g_autofree char *url =
      g_strdup_printf ("ORCHESTRATOR_URL=http://127.0.0.1:%u/", port);
  g_autofree char *query =
      g_strconcat ("MTX_QUERY=", c->query != NULL ? c->query : "", NULL);
  const char *environment[] = {url, "MTX_PATH=live/demo/in",
      "MTX_SOURCE_TYPE=rtmpConn", "MTX_SOURCE_ID=id-1",
      c->query != NULL ? query : NULL, NULL};
  g_autofree char *expected =
      g_strdup_printf ("POST /v1/mediamtx/events/ready HTTP/1.1\r\n"
                       "Host: 127.0.0.1:%u\r\n"
                       "Content-Type: application/json\r\n"
                       "User-Agent: MediaMTX-Hook/1.0\r\n"
                       "Content-Length: %" G_GSIZE_FORMAT "\r\n"
                       "Connection: close\r\n\r\n%s",
          port, strlen (c->body), c->body);
  Result result = run_hook ("ready", environment);

  g_assert_cmpstr (result.err, ==, "");
  g_assert_cmpstr (result.out, ==,
      "mtx-hook: ready of live/demo/in delivered, status 200\n");
  g_assert_cmpint (result.code, ==, 0);
  g_assert_cmpstr (server.request->str, ==, expected);
  server_stop (&server);
  result_clear (&result);
}

typedef struct {
  const char *name, *event;
  const char *environment[6];
  const char *says; /* in the message on stderr */
} BadCase;

#define GOOD_URL "ORCHESTRATOR_URL=http://127.0.0.1:9"
#define GOOD_SOURCE "MTX_SOURCE_TYPE=rtmpConn", "MTX_SOURCE_ID=i"
#define GOOD_PATH "MTX_PATH=live/demo/in"

static const BadCase bad[] = {
    {"no-event", NULL, {GOOD_URL, GOOD_PATH, GOOD_SOURCE}, "usage"},
    {"odd-event", "read", {GOOD_URL, GOOD_PATH, GOOD_SOURCE}, "usage"},
    {"no-path", "ready", {GOOD_URL, GOOD_SOURCE}, "MTX_PATH is not set"},
    {"empty-path", "ready", {GOOD_URL, GOOD_SOURCE, "MTX_PATH="},
        "MTX_PATH is not set"},
    {"no-type", "ready", {GOOD_URL, GOOD_PATH, "MTX_SOURCE_ID=i"},
        "MTX_SOURCE_TYPE is not set"},
    {"no-id", "ready", {GOOD_URL, GOOD_PATH, "MTX_SOURCE_TYPE=x"},
        "MTX_SOURCE_ID is not set"},
    {"no-url", "ready", {GOOD_PATH, GOOD_SOURCE},
        "ORCHESTRATOR_URL is not set"},
    {"https", "ready", {GOOD_PATH, GOOD_SOURCE, "ORCHESTRATOR_URL=https://h"},
        "must begin with http://"},
    {"no-host", "ready", {GOOD_PATH, GOOD_SOURCE, "ORCHESTRATOR_URL=http://"},
        "no valid host"},
    {"no-port", "ready", {GOOD_PATH, GOOD_SOURCE, "ORCHESTRATOR_URL=http://h:"},
        "no valid port"},
    {"odd-port", "ready",
        {GOOD_PATH, GOOD_SOURCE, "ORCHESTRATOR_URL=http://h:80x"},
        "no valid port"},
    {"header-in-url", "ready",
        {GOOD_PATH, GOOD_SOURCE, "ORCHESTRATOR_URL=http://h/\r\nX: y"},
        "does not belong"},
    {"header-in-token", "ready",
        {GOOD_URL, GOOD_PATH, GOOD_SOURCE, "ORCHESTRATOR_TOKEN=a\r\nX: y"},
        "does not belong"},
    {"refused", "not-ready",
        {GOOD_URL, GOOD_PATH, GOOD_SOURCE, "MTX_QUERY=pass=secret"},
        "http://127.0.0.1:9 cannot be reached (Connection refused), event "
        "not-ready, payload {\"path\":\"live/demo/in\",\"sourceType\":"
        "\"rtmpConn\",\"sourceId\":\"i\",\"query\":\"***\"}"},
};

static void
test_bad (gconstpointer data)
{
  const BadCase *c = data;
  Result result = run_hook (c->event, c->environment);

  g_assert_cmpint (result.code, ==, 1);
  g_assert_cmpstr (result.out, ==, "");
  g_assert_true (g_str_has_prefix (result.err, "ERROR: "));
  if (strstr (result.err, c->says) == NULL)
    g_error ("%s", result.err);
  result_clear (&result);
}

typedef struct {
  const char *name, *answer;
  int code;
  const char *says;
} AnswerCase;

static const AnswerCase answers[] = {
    {"created", "HTTP/1.1 201 Created\r\n\r\n", 0, NULL},
    {"http-1.0", "HTTP/1.0 200 OK\r\n\r\n", 0, NULL},
    {"unprocessable", "HTTP/1.1 422 No\r\n\r\n", 1, "status 422"},
    {"too-many", "HTTP/1.1 429 No\r\n\r\n", 1, "status 429"},
    {"redirect", "HTTP/1.1 302 No\r\n\r\n", 1, "status 302"},
    {"error", "HTTP/1.1 500 No\r\n\r\n", 1, "status 500"},
    {"closed", "", 1, "gave no answer"},
    {"no-http", "SSH-2.0-x\r\n", 1, "gave no answer"},
    {"silent", NULL, 1, "no answer from"},
};

static void
test_answer (gconstpointer data)
{
  const AnswerCase *c = data;
  Server server = {0};
  guint port = server_start (&server, c->answer);
  g_autofree char *url =
      g_strdup_printf ("ORCHESTRATOR_URL=http://127.0.0.1:%u", port);
  const char *environment[] = {url, GOOD_PATH, GOOD_SOURCE, NULL};
  gint64 start_us = g_get_monotonic_time ();
  Result result = run_hook ("not-ready", environment);

  g_assert_cmpint (result.code, ==, c->code);
  if (c->says != NULL)
    g_assert_nonnull (strstr (result.err, c->says));
  if (c->answer == NULL) /* not before its five seconds */
    g_assert_cmpint (g_get_monotonic_time () - start_us, >=, 4900000);
  server_stop (&server);
  result_clear (&result);
}

static void
check_token (const char *setting)
{
  Server server = {0};
  guint port = server_start (&server, OK_ANSWER);
  g_autofree char *url =
      g_strdup_printf ("ORCHESTRATOR_URL=http://localhost:%u/base/", port);
  const char *environment[] = {
      url, GOOD_PATH, "MTX_SOURCE_TYPE=x", "MTX_SOURCE_ID=", setting, NULL};
  Result result = run_hook ("not-ready", environment);

  g_assert_cmpstr (result.err, ==, "");
  g_assert_nonnull (
      strstr (server.request->str, "\r\nAuthorization: Bearer t0ken\r\n"));
  g_assert_true (g_str_has_prefix (server.request->str,
      "POST /base/v1/mediamtx/events/not-ready HTTP/1.1\r\n"));
  server_stop (&server);
  result_clear (&result);
}

static void
test_token (void)
{
  g_autofree char *path = g_strdup ("/tmp/dub-token-XXXXXX");
  g_autofree char *setting = NULL;
  int fd = g_mkstemp (path);

  g_close (fd, NULL);
  g_assert_true (g_file_set_contents (path, "t0ken\n", -1, NULL));
  setting = g_strconcat ("ORCHESTRATOR_TOKEN_FILE=", path, NULL);
  check_token ("ORCHESTRATOR_TOKEN=t0ken");
  check_token (setting);
  g_unlink (path);
}

/* It runs in images that have no C library of ours. */
static void
test_static (void)
{
  g_autofree char *text = NULL;
  gsize length;

  g_assert_true (
      g_file_get_contents (g_getenv ("MTX_HOOK"), &text, &length, NULL));
  g_assert_null (memmem (text, length, "ld-linux", 8));
  g_assert_null (memmem (text, length, "ld-musl", 7));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (bodies); i++) {
    g_autofree char *path =
        g_strdup_printf ("/media/mtx-hook/body/%" G_GSIZE_FORMAT, i);

    g_test_add_data_func (path, &bodies[i], test_body);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autofree char *path =
        g_strconcat ("/media/mtx-hook/bad/", bad[i].name, NULL);

    g_test_add_data_func (path, &bad[i], test_bad);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (answers); i++) {
    g_autofree char *path =
        g_strconcat ("/media/mtx-hook/answer/", answers[i].name, NULL);

    g_test_add_data_func (path, &answers[i], test_answer);
  }
  g_test_add_func ("/media/mtx-hook/token", test_token);
  g_test_add_func ("/media/mtx-hook/static", test_static);
  return g_test_run ();
}
