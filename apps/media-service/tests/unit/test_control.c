/* SPDX-License-Identifier: Apache-2.0 */
#include "control/json_text.h"
#include "control/peer.h"
#include "worker/control.h"

#include <dubbing_common/error.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* A worker's end and one client, in one thread. */
typedef struct {
  char *folder, *path;
  DubControl *control;
  DubControlPeer *client;
  GPtrArray *lines; /* what the client got, as text */
  GString *calls;   /* what the worker was told */
  gboolean is_closed;
} Fixture;

static gboolean
on_set (const char *name, const char *value, gpointer user_data, GError **error)
{
  Fixture *f = user_data;

  if (g_str_equal (name, "BAD")) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID, "BAD: not \"%s\"", value);
    return FALSE;
  }
  g_string_append_printf (f->calls, "%s=%s ", name, value);
  return TRUE;
}

static void
on_reconnect (gpointer user_data)
{
  g_string_append (((Fixture *) user_data)->calls, "reconnect ");
}

static void
on_stop (gpointer user_data)
{
  g_string_append (((Fixture *) user_data)->calls, "stop ");
}

static char *
on_metrics (gpointer user_data)
{
  return g_strdup ("a{l=\"x\"} 1\n");
}

static const DubControlHandlers handlers = {
    on_set, on_reconnect, on_stop, on_metrics};

static void
on_message (DubControlPeer *peer, JsonObject *message, gpointer user_data)
{
  g_ptr_array_add (
      ((Fixture *) user_data)->lines, dub_json_object_to_line (message));
}

static void
on_closed (DubControlPeer *peer, gpointer user_data)
{
  ((Fixture *) user_data)->is_closed = TRUE;
}

static const DubControlPeerFuncs client_funcs = {
    .message = on_message, .closed = on_closed};

static void
connect_client (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  int fd = dub_control_connect (f->path, &error);

  g_assert_no_error (error);
  f->client =
      dub_control_peer_new (fd, DUB_CONTROL_MAX_REPORT_BYTES, &client_funcs, f);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->folder = g_dir_make_tmp ("dub-control-XXXXXX", &error);
  g_assert_no_error (error);
  f->path = g_build_filename (f->folder, "demo.sock", NULL);
  f->lines = g_ptr_array_new_with_free_func (g_free);
  f->calls = g_string_new (NULL);
  f->control =
      dub_control_new (f->folder, "demo", "run-1", &handlers, f, &error);
  g_assert_no_error (error);
  connect_client (f);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  dub_control_peer_free (f->client);
  dub_control_free (f->control);
  g_assert_false (g_file_test (f->path, G_FILE_TEST_EXISTS));
  g_rmdir (f->folder);
  g_ptr_array_unref (f->lines);
  g_string_free (f->calls, TRUE);
  g_free (f->path);
  g_free (f->folder);
}

static void
run_until_lines (Fixture *f, guint n)
{
  while (f->lines->len < n && !f->is_closed)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (f->lines->len, >=, n);
}

static const char *
line (Fixture *f, guint i)
{
  return g_ptr_array_index (f->lines, i);
}

static void
send_text (Fixture *f, const char *text)
{
  g_autoptr (JsonObject) message =
      dub_json_object_parse (text, -1, 65536, NULL);

  g_assert_true (dub_control_peer_send (f->client, message));
}

static void
test_hello (Fixture *f, gconstpointer data)
{
  g_autofree char *hello = g_strdup_printf (
      "{\"type\":\"hello\",\"protocol\":1,\"stream_id\":\"demo\","
      "\"run_id\":\"run-1\",\"version\":\"" DUB_VERSION "\",\"pid\":%d,"
      "\"supervised\":true}",
      getpid ());

  dub_control_set_supervised (f->control, TRUE);
  run_until_lines (f, 2);
  g_assert_cmpstr (line (f, 0), ==, hello);
  g_assert_cmpstr (
      line (f, 1), ==, "{\"type\":\"state\",\"state\":\"starting\"}");
  g_assert_cmpint (dub_control_peer_get_pid (f->client), ==, getpid ());
}

static void
test_mode (Fixture *f, gconstpointer data)
{
  struct stat info;

  g_assert_cmpint (stat (f->path, &info), ==, 0);
  g_assert_cmpint (info.st_mode & 0777, ==, 0600);
}

static void
test_reports (Fixture *f, gconstpointer data)
{
  static const char *const fields[] = {"url", "rtmp://h/x", "none", NULL, NULL};

  run_until_lines (f, 2);
  dub_control_set_state (f->control, DUB_WORKER_STATE_RUNNING, NULL);
  dub_control_set_state (f->control, DUB_WORKER_STATE_RUNNING, NULL);
  dub_control_send_event (f->control, "source_lost", fields);
  dub_control_send_metrics (f->control);
  run_until_lines (f, 5);
  g_assert_cmpstr (
      line (f, 2), ==, "{\"type\":\"state\",\"state\":\"running\"}");
  g_assert_cmpstr (line (f, 3), ==,
      "{\"type\":\"event\",\"event\":\"source_lost\","
      "\"fields\":{\"url\":\"rtmp://h/x\"}}");
  g_assert_cmpstr (line (f, 4), ==,
      "{\"type\":\"metrics\",\"text\":\"a{l=\\\"x\\\"} 1\\n\"}");
}

/* (transfer full) */
static JsonArray *
one_destination (gint64 bytes)
{
  JsonArray *list = json_array_new ();
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "name", "a");
  json_object_set_int_member (object, "bytes", bytes);
  json_array_add_object_element (list, object);
  return list;
}

/* Told on change only, and to those who come later. */
static void
test_destinations (Fixture *f, gconstpointer data)
{
  static const char expected[] =
      "{\"type\":\"destinations\",\"list\":[{\"name\":\"a\",\"bytes\":2}]}";

  run_until_lines (f, 2);
  dub_control_set_destinations (f->control, json_array_new ());
  dub_control_set_destinations (f->control, one_destination (1));
  dub_control_set_destinations (f->control, one_destination (1));
  dub_control_set_destinations (f->control, one_destination (2));
  dub_control_send_event (f->control, "last", NULL);
  run_until_lines (f, 5);
  g_assert_cmpstr (line (f, 3), ==, expected);
  dub_control_peer_free (f->client);
  g_ptr_array_set_size (f->lines, 0);
  connect_client (f);
  run_until_lines (f, 3);
  g_assert_cmpstr (line (f, 2), ==, expected);
}

typedef struct {
  const char *command, *reply, *calls;
} Command;

static const Command commands[] = {
    {"{\"type\":\"stop\"}", "{\"type\":\"reply\",\"ok\":true}", "stop "},
    {"{\"type\":\"reconnect\",\"id\":7}",
        "{\"type\":\"reply\",\"id\":7,\"ok\":true}", "reconnect "},
    {"{\"type\":\"set\",\"id\":\"a\",\"settings\":{\"A\":\"1\",\"B\":\"2\"}}",
        "{\"type\":\"reply\",\"id\":\"a\",\"ok\":true}", "A=1 B=2 "},
    {"{\"type\":\"set\",\"settings\":{\"BAD\":\"x\"}}",
        "{\"type\":\"reply\",\"ok\":false,\"error\":{\"code\":\"invalid\","
        "\"message\":\"BAD: not \\\"x\\\"\"}}",
        ""},
    {"{\"type\":\"set\",\"settings\":{\"A\":1}}",
        "{\"type\":\"reply\",\"ok\":false,\"error\":{\"code\":\"invalid\","
        "\"message\":\"A: the value of a setting is a string\"}}",
        ""},
    {"{\"type\":\"set\"}",
        "{\"type\":\"reply\",\"ok\":false,\"error\":{\"code\":\"invalid\","
        "\"message\":\"set: its member settings must be an object\"}}",
        ""},
    {"{\"id\":{},\"type\":[]}",
        "{\"type\":\"reply\",\"ok\":false,\"error\":{\"code\":\"invalid\","
        "\"message\":\"type must be set, reconnect or stop\"}}",
        ""},
};

static void
test_commands (Fixture *f, gconstpointer data)
{
  run_until_lines (f, 2);
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++) {
    g_ptr_array_set_size (f->lines, 0);
    g_string_truncate (f->calls, 0);
    send_text (f, commands[i].command);
    run_until_lines (f, 1);
    g_assert_cmpstr (line (f, 0), ==, commands[i].reply);
    g_assert_cmpstr (f->calls->str, ==, commands[i].calls);
  }
}

/* A raw client, for what our own end would never send. */
static void
test_garbage (Fixture *f, gconstpointer data)
{
  g_autofree char *long_line = g_strnfill (70000, 'x');
  int fd = dub_control_connect (f->path, NULL);
  char answer[4096] = "";
  gsize n = 0;

  run_until_lines (f, 2);
  g_assert_cmpint (send (fd, long_line, 70000, MSG_NOSIGNAL), ==, 70000);
  g_assert_cmpint (
      send (fd, "\nnonsense\n{\"type\":\"stop\"}\n", 27, MSG_NOSIGNAL), >, 0);
  while (strstr (answer, "\"reply\"") == NULL) {
    gssize got;

    g_main_context_iteration (NULL, FALSE);
    got = recv (fd, answer + n, sizeof answer - 1 - n, MSG_DONTWAIT);
    n += got > 0 ? (gsize) got : 0;
  }
  g_assert_nonnull (strstr (answer,
      "{\"type\":\"error\",\"error\":{\"code\":\"limit\",\"message\":\"the "
      "line is longer than 65536 bytes\"}}\n"
      "{\"type\":\"error\",\"error\":{\"code\":\"invalid\""));
  g_assert_cmpstr (f->calls->str, ==, "stop ");
  close (fd);
}

/* More than a socket holds waits its turn, and comes whole and in order. */
static void
test_late_reader (Fixture *f, gconstpointer data)
{
  g_autofree char *filler = g_strnfill (100000, 'x');

  run_until_lines (f, 2);
  for (int i = 0; i < 20; i++) {
    g_autofree char *number = g_strdup_printf ("%d", i);
    const char *const fields[] = {"n", number, "filler", filler, NULL};

    dub_control_send_event (f->control, "e", fields);
  }
  run_until_lines (f, 22);
  for (guint i = 0; i < 20; i++) {
    g_autofree char *number = g_strdup_printf ("\"n\":\"%u\"", i);

    g_assert_nonnull (strstr (line (f, i + 2), number));
    g_assert_cmpuint (strlen (line (f, i + 2)), >, 100000);
  }
}

/* A client that does not read is closed, and costs nobody else anything. */
static void
test_slow_client (Fixture *f, gconstpointer data)
{
  g_autofree char *filler = g_strnfill (100000, 'x');
  const char *const fields[] = {"filler", filler, NULL};
  int fd = dub_control_connect (f->path, NULL);
  char byte;

  run_until_lines (f, 2);
  for (int i = 0; i < 100; i++) {
    dub_control_send_event (f->control, "e", fields);
    run_until_lines (f, (guint) i + 3);
  }
  while (recv (fd, &byte, 1, MSG_DONTWAIT) == 1)
    ;
  g_assert_cmpint (recv (fd, &byte, 1, MSG_DONTWAIT), ==, 0);
  close (fd);
}

static void
test_second_worker (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (
      dub_control_new (f->folder, "demo", "run-2", &handlers, f, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_UNAVAILABLE);
  run_until_lines (f, 2); /* the first one is still there */
}

/* The socket file of a worker that was killed does not stop the next. */
static void
test_stale_socket (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (f->folder, "old.sock", NULL);
  int fd = dub_control_listen (path, NULL);
  DubControl *control;

  close (fd);
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
  control = dub_control_new (f->folder, "old", "r", &handlers, f, &error);
  g_assert_no_error (error);
  dub_control_free (control);
}

static void
test_long_path (void)
{
  g_autofree char *name = g_strnfill (120, 'x');
  g_autofree char *path = g_build_filename ("/tmp", name, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (dub_control_listen (path, &error), ==, -1);
  g_assert_error (error, DUB_ERROR, DUB_ERROR_LIMIT);
}

#define ADD(name, func)                                                        \
  g_test_add ("/media/control/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("hello", test_hello);
  ADD ("mode", test_mode);
  ADD ("reports", test_reports);
  ADD ("destinations", test_destinations);
  ADD ("commands", test_commands);
  ADD ("garbage", test_garbage);
  ADD ("late-reader", test_late_reader);
  ADD ("slow-client", test_slow_client);
  ADD ("second-worker", test_second_worker);
  ADD ("stale-socket", test_stale_socket);
  g_test_add_func ("/media/control/long-path", test_long_path);
  return g_test_run ();
}
