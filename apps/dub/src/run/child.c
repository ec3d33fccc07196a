/* SPDX-License-Identifier: Apache-2.0 */
#include "child.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define END_TIMEOUT_US (5 * G_USEC_PER_SEC)
#define LAST_BYTES 2000

struct _DubChild {
  GSubprocess *process;
  char *name, *log;
  DubChildExitFunc on_exit;
  gpointer user_data;
  GCancellable *cancellable;
  gboolean has_ended;
};

/* Between fork and exec. */
static void
on_setup (gpointer user_data)
{
  setsid ();
  prctl (PR_SET_PDEATHSIG, SIGTERM);
}

static void
on_ended (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GSubprocess *process = G_SUBPROCESS (source);
  g_autoptr (GError) error = NULL;
  g_autofree char *how = NULL;
  DubChild *self = user_data;
  int status = -1;

  if (!g_subprocess_wait_finish (process, result, &error))
    return; /* freed */
  self->has_ended = TRUE;
  if (g_subprocess_get_if_exited (process)) {
    status = g_subprocess_get_exit_status (process);
    how = g_strdup_printf ("exit %d", status);
  } else {
    how = g_strdup_printf ("signal %d", g_subprocess_get_term_sig (process));
  }
  self->on_exit (self, status, how, self->user_data);
}

static gboolean
give_input (GSubprocess *process, const char *input, GError **error)
{
  GOutputStream *pipe = g_subprocess_get_stdin_pipe (process);

  return pipe == NULL || input == NULL ||
         (g_output_stream_write_all (
              pipe, input, strlen (input), NULL, NULL, error) &&
             g_output_stream_close (pipe, NULL, error));
}

DubChild *
dub_child_new (const DubChildSettings *settings, DubChildExitFunc on_exit,
    gpointer user_data, GError **error)
{
  GSubprocessFlags flags = G_SUBPROCESS_FLAGS_STDOUT_PIPE;
  g_autoptr (GSubprocessLauncher) launcher = NULL;
  g_autoptr (GSubprocess) process = NULL;
  DubChild *self;

  if (settings->input != NULL)
    flags |= G_SUBPROCESS_FLAGS_STDIN_PIPE;
  launcher = g_subprocess_launcher_new (flags);
  g_subprocess_launcher_set_environ (launcher, (char **) settings->environment);
  g_subprocess_launcher_set_child_setup (launcher, on_setup, NULL, NULL);
  g_subprocess_launcher_set_stderr_file_path (launcher, settings->log);
  process = g_subprocess_launcher_spawnv (launcher, settings->argv, error);
  if (process == NULL)
    return NULL;
  if (!give_input (process, settings->input, error)) {
    g_subprocess_force_exit (process);
    return NULL;
  }
  self = g_new0 (DubChild, 1);
  self->process = g_steal_pointer (&process);
  self->name = g_strdup (settings->name);
  self->log = g_strdup (settings->log);
  self->on_exit = on_exit;
  self->user_data = user_data;
  self->cancellable = g_cancellable_new ();
  g_subprocess_wait_async (self->process, self->cancellable, on_ended, self);
  return self;
}

void
dub_child_ask_to_end (DubChild *self)
{
  if (!self->has_ended)
    g_subprocess_send_signal (self->process, SIGTERM);
}

static gboolean
on_end_timeout (gpointer user_data)
{
  g_subprocess_force_exit (user_data);
  return G_SOURCE_REMOVE;
}

static void
on_waited (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_subprocess_wait_finish (G_SUBPROCESS (source), result, NULL);
  g_main_loop_quit (user_data);
}

static void
end_and_wait (DubChild *self)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  guint timeout =
      g_timeout_add (END_TIMEOUT_US / 1000, on_end_timeout, self->process);

  g_subprocess_send_signal (self->process, SIGTERM);
  g_subprocess_wait_async (self->process, NULL, on_waited, loop);
  g_main_loop_run (loop);
  if (g_main_context_find_source_by_id (NULL, timeout) != NULL)
    g_source_remove (timeout);
}

void
dub_child_free (DubChild *self)
{
  if (self == NULL)
    return;
  g_cancellable_cancel (self->cancellable);
  if (!self->has_ended)
    end_and_wait (self);
  g_object_unref (self->cancellable);
  g_object_unref (self->process);
  g_free (self->name);
  g_free (self->log);
  g_free (self);
}

gboolean
dub_child_has_ended (const DubChild *self)
{
  return self->has_ended;
}

GInputStream *
dub_child_get_output (DubChild *self)
{
  return g_subprocess_get_stdout_pipe (self->process);
}

char *
dub_child_last_words (const DubChild *self)
{
  g_autofree char *text = NULL;
  gsize length = 0;
  const char *from;

  if (!g_file_get_contents (self->log, &text, &length, NULL))
    return g_strdup ("");
  from = length > LAST_BYTES ? text + length - LAST_BYTES : text;
  if (from != text && strchr (from, '\n') != NULL)
    from = strchr (from, '\n') + 1;
  return g_strdup (from);
}
