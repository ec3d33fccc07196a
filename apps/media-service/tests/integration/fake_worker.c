/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/control.h"

#include <dubbing_common/error.h>
#include <glib-unix.h>
#include <json-glib/json-glib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * Stands in for media-worker where media is not the point: takes its settings
 * as that does, opens the control socket, says that it runs, and prints what
 * it is told. A stream whose name begins with "deaf" does not end when it is
 * asked to; one that begins with "dies" ends at once; one that begins with
 * "talks" has segments all the time; one that begins with "plays" ends in order
 * after a while. Takes DUCK_DB, MIX_MODE and FALLBACK_MODE
 * while it runs, as the real one does.
 */
typedef struct {
  GMainLoop *loop;
  const char *stream_id;
  DubControl *control;
} Fake;

static void
print_line (const char *stream_id, const char *what)
{
  printf ("worker %s pid %d: %s\n", stream_id, getpid (), what);
  fflush (stdout);
}

static gboolean
on_set (const char *name, const char *value, gpointer user_data, GError **error)
{
  static const char *const live[] = {
      "DUCK_DB", "MIX_MODE", "FALLBACK_MODE", NULL};
  g_autofree char *text = g_strdup_printf ("set %s=%s", name, value);

  print_line (((Fake *) user_data)->stream_id, text);
  if (g_strv_contains (live, name))
    return TRUE;
  g_set_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
      "%s cannot be changed while the worker runs", name);
  return FALSE;
}

static gboolean
on_talk (gpointer user_data)
{
  Fake *self = user_data;
  const char *const fields[] = {"fragment_id", "f1", "media_s", "1.500",
      "duration_s", "2.000", "lag_ms", "0", "transcript", "hola",
      "translated_text", "hello", NULL};

  dub_control_send_event (self->control, "answered", fields);
  return G_SOURCE_CONTINUE;
}

static void
on_reconnect (gpointer user_data)
{
  print_line (((Fake *) user_data)->stream_id, "reconnect");
}

static void
on_stop (gpointer user_data)
{
  Fake *self = user_data;

  print_line (self->stream_id, "stop");
  if (!g_str_has_prefix (self->stream_id, "deaf"))
    g_main_loop_quit (self->loop);
}

static char *
on_metrics (gpointer user_data)
{
  return g_strdup_printf (
      "# HELP media_service_worker_fake A fake\n"
      "# TYPE media_service_worker_fake gauge\n"
      "media_service_worker_fake{stream_id=\"%s\"} 1\n"
      "# HELP media_service_worker_output_delay_ms A delay\n"
      "# TYPE media_service_worker_output_delay_ms gauge\n"
      "media_service_worker_output_delay_ms{stream_id="
      "\"%s\"} 8001.5\n",
      ((Fake *) user_data)->stream_id, ((Fake *) user_data)->stream_id);
}

static gboolean
on_term (gpointer user_data)
{
  on_stop (user_data);
  return G_SOURCE_CONTINUE;
}

/* Workers outlive the service; these must not outlive a test that failed. */
static gboolean
on_too_long (gpointer user_data)
{
  _exit (2);
}

static JsonObject *
read_settings (void)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  static char text[65536];
  gsize n = fread (text, 1, sizeof text - 1, stdin);

  text[n] = '\0';
  if (!json_parser_load_from_data (parser, text, -1, NULL))
    return NULL;
  return json_node_dup_object (json_parser_get_root (parser));
}

static gboolean
on_played (gpointer user_data)
{
  g_main_loop_quit (user_data);
  return G_SOURCE_REMOVE;
}

int
main (int argc, char **argv)
{
  static const DubControlHandlers handlers = {
      on_set, on_reconnect, on_stop, on_metrics};
  g_autoptr (JsonObject) settings = read_settings ();
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *shown = NULL;
  g_autoptr (DubControl) control = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Fake self = {loop, NULL, NULL};

  if (settings == NULL || argc != 2 ||
      strcmp (argv[1], "--settings-stdin") != 0)
    return 64;
  self.stream_id = json_object_get_string_member (settings, "STREAM_ID");
  json_node_set_object (node, settings);
  shown = json_to_string (node, FALSE);
  print_line (self.stream_id, shown);
  print_line (self.stream_id,
      g_getenv ("API_TOKEN") != NULL ? "knows the token" : "knows no token");
  if (g_str_has_prefix (self.stream_id, "dies"))
    return 3;
  control =
      dub_control_new (json_object_get_string_member (settings, "RUNTIME_DIR"),
          self.stream_id, json_object_get_string_member (settings, "RUN_ID"),
          &handlers, &self, &error);
  if (control == NULL) {
    print_line (self.stream_id, error->message);
    return 1;
  }
  self.control = control;
  dub_control_set_supervised (
      control, json_object_has_member (settings, "SUPERVISED"));
  if (g_str_has_prefix (self.stream_id, "talks"))
    g_timeout_add (200, on_talk, &self);
  g_unix_signal_add (SIGTERM, on_term, &self);
  g_timeout_add_seconds (120, on_too_long, NULL);
  dub_control_set_state (control, DUB_WORKER_STATE_RUNNING, NULL);
  dub_control_send_metrics (control);
  if (g_str_has_prefix (self.stream_id, "plays"))
    g_timeout_add (300, on_played, self.loop);
  g_main_loop_run (self.loop);
  print_line (self.stream_id, "ended");
  return 0;
}
