/* SPDX-License-Identifier: Apache-2.0 */
#include "run/events.h"

#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>

typedef struct {
  GMainLoop *loop;
  GPtrArray *types; /* char * */
} Heard;

static void
on_message (JsonObject *message, gpointer user_data)
{
  Heard *heard = user_data;

  g_ptr_array_add (
      heard->types, g_strdup (dub_event_text (message, "type", "?")));
  if (g_str_equal (dub_event_text (message, "type", ""), "end"))
    g_main_loop_quit (heard->loop);
}

static gboolean
on_watchdog (gpointer user_data)
{
  g_error ("nothing came");
  return G_SOURCE_REMOVE;
}

/* A worker that starts later than we look, and does not write whole lines. */
static gpointer
serve (gpointer data)
{
  static const char *const parts[] = {"{\"type\": \"hell", "o\"}\nnonsense\n",
      "[1]\n{\"type\": 3}\n{\"type\": \"end\"}\n"};
  g_autoptr (GSocket) server = g_socket_new (G_SOCKET_FAMILY_UNIX,
      G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, NULL);
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (data);
  g_autoptr (GSocket) client = NULL;

  g_usleep (100000);
  g_assert_true (g_socket_bind (server, address, TRUE, NULL));
  g_assert_true (g_socket_listen (server, NULL));
  client = g_socket_accept (server, NULL, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++)
    g_socket_send (client, parts[i], strlen (parts[i]), NULL, NULL);
  return NULL;
}

static void
test_lines (void)
{
  g_autofree char *folder = g_dir_make_tmp ("dub-test-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "s", NULL);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GPtrArray) types = g_ptr_array_new_with_free_func (g_free);
  Heard heard = {loop, types};
  guint watchdog = g_timeout_add_seconds (20, on_watchdog, NULL);
  DubEvents *events = dub_events_new (path, on_message, &heard);
  GThread *thread = g_thread_new ("worker", serve, path);

  g_main_loop_run (loop);
  g_thread_join (thread);
  g_assert_cmpuint (types->len, ==, 3);
  g_assert_cmpstr (types->pdata[0], ==, "hello");
  g_assert_cmpstr (types->pdata[1], ==, "?");
  g_source_remove (watchdog);
  dub_events_free (events);
  g_unlink (path);
  g_rmdir (folder);
}

static void
test_members (void)
{
  g_autoptr (JsonNode) node = json_from_string (
      "{\"a\": \"1.5\", \"b\": 2, \"c\": [], \"d\": null}", NULL);
  JsonObject *object = json_node_get_object (node);

  g_assert_cmpfloat (dub_event_number (object, "a"), ==, 1.5);
  g_assert_cmpfloat (dub_event_number (object, "b"), ==, 2);
  g_assert_cmpfloat (dub_event_number (object, "c"), ==, 0);
  g_assert_cmpfloat (dub_event_number (NULL, "a"), ==, 0);
  g_assert_cmpstr (dub_event_text (object, "a", "x"), ==, "1.5");
  g_assert_cmpstr (dub_event_text (object, "b", "x"), ==, "x");
  g_assert_cmpstr (dub_event_text (object, "d", "x"), ==, "x");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dub/events/lines", test_lines);
  g_test_add_func ("/dub/events/members", test_members);
  return g_test_run ();
}
