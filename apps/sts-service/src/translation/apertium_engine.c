/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "sts.apertium"

#include "apertium_engine.h"

#include "apertium_text.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#define READ_BYTES 4096
#define MAX_ANSWER (64 * 1024)

typedef struct {
  int in, out; /* of the row of programs */
} Pipeline;

static void
close_fd (int *fd)
{
  if (*fd >= 0)
    close (*fd);
  *fd = -1;
}

static void
pipeline_free (gpointer state)
{
  Pipeline *self = state;

  /* At the end of their input they end one after the other. */
  close_fd (&self->in);
  close_fd (&self->out);
  g_free (self);
}

/* Between fork and exec. */
static void
in_program (gpointer user_data)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  signal (SIGPIPE, SIG_DFL);
}

/* Starts one program that reads *io and leaves the end of its own output
 * there. */
static gboolean
start_program (char **argv, int *io, GError **error)
{
  int pipe_fds[2];
  gboolean is_started;

  if (pipe2 (pipe_fds, O_CLOEXEC) != 0) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_UNAVAILABLE, "no pipe: %s",
        g_strerror (errno));
    return FALSE;
  }
  /* Not reaped: GLib would put a process between that ends at once, and with
   * its parent the program would be told to end. */
  is_started =
      g_spawn_async_with_pipes_and_fds (NULL, (const char *const *) argv, NULL,
          G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, in_program, NULL,
          *io, pipe_fds[1], -1, NULL, NULL, 0, NULL, NULL, NULL, NULL, error);
  close (*io);
  close (pipe_fds[1]);
  *io = pipe_fds[0];
  return is_started;
}

static Pipeline *
start_programs (GPtrArray *steps, GError **error)
{
  Pipeline *self = g_new0 (Pipeline, 1);
  int pipe_fds[2] = {-1, -1};

  if (pipe2 (pipe_fds, O_CLOEXEC) != 0)
    g_error ("no pipe: %s", g_strerror (errno));
  self->in = pipe_fds[1];
  self->out = pipe_fds[0];
  for (guint i = 0; i < steps->len; i++) {
    if (!start_program (g_ptr_array_index (steps, i), &self->out, error)) {
      pipeline_free (self);
      return NULL;
    }
  }
  return self;
}

static gboolean
write_all (int fd, const char *data, gsize length)
{
  while (length > 0) {
    ssize_t n = write (fd, data, length);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return FALSE;
    data += n;
    length -= (gsize) n;
  }
  return TRUE;
}

/* Up to the NUL, which is not part of it. NULL: the row has ended, or says
 * more than it may. */
static GString *
read_answer (int fd)
{
  g_autoptr (GString) answer = g_string_new (NULL);
  char buffer[READ_BYTES];

  while (answer->len <= MAX_ANSWER) {
    ssize_t n = read (fd, buffer, sizeof buffer);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return NULL;
    if (buffer[n - 1] == '\0') {
      g_string_append_len (answer, buffer, n - 1);
      return g_steal_pointer (&answer);
    }
    g_string_append_len (answer, buffer, n);
  }
  return NULL;
}

/* What comes unasked belongs to an answer before: nothing can be told apart
 * any more. */
static gboolean
is_out_of_step (const Pipeline *self)
{
  struct pollfd out = {.fd = self->out, .events = POLLIN};

  return poll (&out, 1, 0) != 0;
}

static char *
ask (Pipeline *self, const char *text, GError **error)
{
  g_autofree char *request = dub_apertium_escape (text);
  g_autoptr (GString) answer = NULL;
  char *translated = NULL;

  if (!is_out_of_step (self) &&
      write_all (self->in, request, strlen (request) + 1))
    answer = read_answer (self->out);
  if (answer == NULL) {
    dub_error ("Apertium's programs have ended or say what was not asked");
    _exit (EX_SOFTWARE);
  }
  translated = dub_apertium_unescape (answer->str, answer->len, text);
  if (translated == NULL)
    g_set_error_literal (error, DUB_ERROR, DUB_ERROR_ENGINE,
        "Apertium answered what is not its stream format");
  return translated;
}

static gpointer
apertium_load (const DubFrame *settings, JsonObject *ready, GError **error)
{
  const char *path = dub_frame_get_string (settings, "mode", "");
  g_autofree char *text = NULL;
  g_autofree char *warm = NULL;
  g_autoptr (GPtrArray) steps = NULL;
  Pipeline *self = NULL;

  if (!g_file_get_contents (path, &text, NULL, error))
    return NULL;
  steps = dub_apertium_parse_mode (text, error);
  if (steps == NULL)
    return NULL;
  self = start_programs (steps, error);
  if (self == NULL)
    return NULL;
  warm = ask (self, "1.", error);
  if (warm == NULL) {
    pipeline_free (self);
    return NULL;
  }
  return self;
}

static DubFrame *
apertium_handle (gpointer state, const DubFrame *request, GError **error)
{
  const char *text = dub_frame_get_string (request, "text", "");
  g_autofree char *translated = NULL;
  JsonObject *header = NULL;

  if (strlen (text) > DUB_APERTIUM_MAX_TEXT) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_LIMIT,
        "a text of more than %d bytes", DUB_APERTIUM_MAX_TEXT);
    return NULL;
  }
  translated = ask (state, text, error);
  if (translated == NULL)
    return NULL;
  header = json_object_new ();
  json_object_set_string_member (header, "text", translated);
  return dub_frame_new (header, NULL);
}

const DubEngineKind dub_apertium_engine = {
    "apertium", apertium_load, apertium_handle, pipeline_free};
