/* SPDX-License-Identifier: Apache-2.0 */
#include "api/event_hub.h"
#include "api/event_stream.h"
#include "orchestrator_rig.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
  OrchestratorRig rig;
  DubEventHub *hub;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  orchestrator_rig_init (&f->rig, NULL);
  f->hub = dub_event_hub_new (f->rig.orchestrator);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  dub_event_hub_free (f->hub);
  orchestrator_rig_clear (&f->rig);
}

/* The other end of a new listener's connection; it does not block. */
static int
listen_to (Fixture *f, const char *stream_id, const char *last_id)
{
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (GSocketConnection) connection = NULL;
  int ends[2];

  g_assert_cmpint (
      socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), ==, 0);
  socket = g_socket_new_from_fd (ends[0], NULL);
  connection = g_socket_connection_factory_create_connection (socket);
  dub_event_hub_add (f->hub, G_IO_STREAM (connection), stream_id, last_id);
  return ends[1];
}

/* (transfer full) */
static char *
read_all (int fd)
{
  GString *text = g_string_new (NULL);
  char bytes[4096];
  gssize n;

  for (int i = 0; i < 10; i++)
    g_main_context_iteration (NULL, FALSE);
  while ((n = read (fd, bytes, sizeof bytes)) > 0) {
    g_string_append_len (text, bytes, n);
    g_main_context_iteration (NULL, FALSE);
  }
  return g_string_free (text, FALSE);
}

static void
tell (Fixture *f, const char *stream_id, const char *word)
{
  g_autoptr (JsonObject) data = json_object_new ();

  json_object_set_string_member (data, "word", word);
  dub_event_hub_take (f->hub, stream_id, "segment", data);
}

/* The number in the last "id: " line; (transfer full) */
static char *
last_id (const char *text)
{
  const char *at = g_strrstr (text, "id: ");

  g_assert_nonnull (at);
  return g_strndup (at + 4, strcspn (at + 4, "\n"));
}

static void
test_live (Fixture *f, gconstpointer data)
{
  int all = listen_to (f, NULL, NULL);
  int one = listen_to (f, "one", NULL);
  g_autofree char *head = read_all (all);
  g_autofree char *text = NULL;
  g_autofree char *text_one = NULL;

  g_assert_true (g_str_has_prefix (head, "HTTP/1.1 200 OK\r\n"));
  g_assert_nonnull (strstr (head, "Content-Type: text/event-stream\r\n"));
  tell (f, "one", "red");
  tell (f, "two", "blue");
  text = read_all (all);
  text_one = read_all (one);
  g_assert_nonnull (
      strstr (text, "event: segment\ndata: {\"word\":\"red\"}\n"));
  g_assert_nonnull (strstr (text, "blue"));
  g_assert_nonnull (strstr (text_one, "red"));
  g_assert_null (strstr (text_one, "blue"));
  close (all);
  close (one);
}

/* One that comes back gets what it missed, and nothing twice. */
static void
test_missed (Fixture *f, gconstpointer data)
{
  int before = listen_to (f, NULL, NULL);
  int after;
  g_autofree char *seen = NULL;
  g_autofree char *id = NULL;
  g_autofree char *missed = NULL;

  tell (f, "one", "red");
  seen = read_all (before);
  id = last_id (seen);
  close (before);
  tell (f, "one", "green");
  tell (f, "one", "blue");
  after = listen_to (f, NULL, id);
  missed = read_all (after);
  g_assert_null (strstr (missed, "red"));
  g_assert_nonnull (strstr (missed, "green"));
  g_assert_nonnull (strstr (missed, "blue"));
  close (after);
}

/* One that missed more than is kept, or has a number of another service, gets
 * what is now. */
static void
test_missed_too_much (Fixture *f, gconstpointer data)
{
  static const char *const strange[] = {"0", "99999999999999999", "x", "-1"};
  int before = listen_to (f, NULL, NULL);
  g_autofree char *seen = NULL;
  g_autofree char *id = NULL;
  g_autofree char *missed = NULL;
  int after;

  tell (f, "one", "red");
  seen = read_all (before);
  id = last_id (seen);
  close (before);
  g_assert_cmpint (dub_orchestrator_create (f->rig.orchestrator, "one",
                       dub_stream_settings_new (), FALSE),
      ==, DUB_ORDER_DONE);
  for (int i = 0; i < DUB_EVENT_RING + 1; i++)
    tell (f, "one", "green");
  after = listen_to (f, NULL, id);
  missed = read_all (after);
  g_assert_null (strstr (missed, "green"));
  g_assert_nonnull (strstr (missed, "event: state"));
  close (after);
  for (gsize i = 0; i < G_N_ELEMENTS (strange); i++) {
    int fd = listen_to (f, NULL, strange[i]);
    g_autofree char *text = read_all (fd);

    g_assert_nonnull (strstr (text, "event: state"));
    close (fd);
  }
  dub_orchestrator_delete (f->rig.orchestrator, "one");
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

/* One that does not read is closed; the others go on. */
static void
test_slow (Fixture *f, gconstpointer data)
{
  g_autofree char *long_word = g_strnfill (10000, 'x');
  int slow = listen_to (f, NULL, NULL);
  int good = listen_to (f, NULL, NULL);
  g_autofree char *text = NULL;

  for (int i = 0; i < 100; i++) {
    g_autofree char *read = NULL;

    tell (f, "one", long_word);
    read = read_all (good);
    g_assert_nonnull (strstr (read, long_word));
  }
  g_assert_cmpuint (dub_event_hub_get_n_listeners (f->hub), ==, 1);
  tell (f, "one", "still");
  text = read_all (good);
  g_assert_nonnull (strstr (text, "still"));
  close (slow);
  close (good);
}

static void
test_gone_and_full (Fixture *f, gconstpointer data)
{
  int fds[DUB_EVENT_MAX_LISTENERS];

  for (int i = 0; i < DUB_EVENT_MAX_LISTENERS; i++) {
    g_assert_false (dub_event_hub_is_full (f->hub));
    fds[i] = listen_to (f, NULL, NULL);
  }
  g_assert_true (dub_event_hub_is_full (f->hub));
  for (int i = 0; i < DUB_EVENT_MAX_LISTENERS; i++)
    close (fds[i]);
  for (int i = 0; i < 200; i++)
    g_main_context_iteration (NULL, FALSE);
  g_assert_cmpuint (dub_event_hub_get_n_listeners (f->hub), ==, 0);
}

#define ADD(name, func)                                                        \
  g_test_add ("/media/events/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("live", test_live);
  ADD ("missed", test_missed);
  ADD ("missed-too-much", test_missed_too_much);
  ADD ("slow", test_slow);
  ADD ("gone-and-full", test_gone_and_full);
  return g_test_run ();
}
