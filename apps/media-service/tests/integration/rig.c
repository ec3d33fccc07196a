/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <libsoup/soup.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Long enough for a machine that does much else; no test waits it out. */
#define TIMEOUT_US (40 * G_USEC_PER_SEC)

void
rig_init (Rig *rig)
{
  g_autoptr (GError) error = NULL;

  rig->folder = g_dir_make_tmp ("dub-it-XXXXXX", &error);
  g_assert_no_error (error);
  rig->programs = g_ptr_array_new ();
  rig->environment = g_get_environ ();
  rig_set (rig, "LOG_FORMAT", "text");
}

static void
program_free (Program *program)
{
  if (program->is_running) {
    kill (program->pid, SIGKILL);
    program_wait (program);
  }
  g_unlink (program->log_path);
  g_free (program->log_path);
  g_free (program->name);
  g_free (program);
}

/* Files only, and one level of folders: nothing else is made here. */
static void
remove_folder (const char *path)
{
  GDir *folder = g_dir_open (path, 0, NULL);
  const char *name;

  while (folder != NULL && (name = g_dir_read_name (folder)) != NULL) {
    g_autofree char *inner = g_build_filename (path, name, NULL);

    if (g_file_test (inner, G_FILE_TEST_IS_DIR))
      remove_folder (inner);
    else
      g_unlink (inner);
  }
  g_clear_pointer (&folder, g_dir_close);
  g_rmdir (path);
}

void
rig_clear (Rig *rig)
{
  for (guint i = rig->programs->len; i-- > 0;)
    program_free (g_ptr_array_index (rig->programs, i));
  g_ptr_array_unref (rig->programs);
  g_strfreev (rig->environment);
  remove_folder (rig->folder);
  g_free (rig->folder);
}

void
rig_set (Rig *rig, const char *name, const char *value)
{
  rig->environment = g_environ_setenv (rig->environment, name, value, TRUE);
}

char *
rig_path (Rig *rig, const char *name)
{
  return g_build_filename (rig->folder, name, NULL);
}

/* In the child: a test that ends badly takes its programs with it. */
static void
become (Rig *rig, const char *log_path, const char *const *argv)
{
  int in = open ("/dev/null", O_RDONLY);
  int out = open (log_path, O_WRONLY | O_CREAT | O_APPEND, 0600);

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  if (in >= 0 && out >= 0 && dup2 (in, STDIN_FILENO) >= 0 &&
      dup2 (out, STDOUT_FILENO) >= 0 && dup2 (out, STDERR_FILENO) >= 0)
    execve (argv[0], (char **) argv, rig->environment);
  _exit (127);
}

Program *
rig_start (Rig *rig, const char *name, const char *const *argv)
{
  Program *program = g_new0 (Program, 1);
  g_autofree char *file =
      g_strdup_printf ("%u-%s.log", rig->programs->len, name);

  program->name = g_strdup (name);
  program->log_path = rig_path (rig, file);
  program->pid = fork ();
  g_assert_cmpint (program->pid, >=, 0);
  if (program->pid == 0)
    become (rig, program->log_path, argv);
  program->is_running = TRUE;
  g_ptr_array_add (rig->programs, program);
  return program;
}

void
program_wait (Program *program)
{
  if (!program->is_running)
    return;
  while (waitpid (program->pid, &program->status, 0) < 0 && errno == EINTR)
    ;
  program->is_running = FALSE;
}

void
program_kill (Program *program, int signal_number)
{
  kill (program->pid, signal_number);
  program_wait (program);
}

char *
program_log (Program *program)
{
  char *text = NULL;

  g_file_get_contents (program->log_path, &text, NULL, NULL);
  return text != NULL ? text : g_strdup ("");
}

static void
fail_with_logs (Rig *rig, const char *what)
{
  for (guint i = 0; i < rig->programs->len; i++) {
    Program *program = g_ptr_array_index (rig->programs, i);
    g_autofree char *log = program_log (program);

    g_printerr ("--- %s\n%s\n", program->name, log);
  }
  g_error ("waited in vain for: %s", what);
}

void
rig_wait (Rig *rig, const char *what, RigCheck check, gpointer user_data)
{
  gint64 end_us = g_get_monotonic_time () + TIMEOUT_US;

  while (!check (user_data)) {
    if (g_get_monotonic_time () > end_us)
      fail_with_logs (rig, what);
    g_usleep (20000);
  }
}

guint
http_call (const char *method, const char *url, const char *body,
    const char *token, char **ret_body)
{
  g_autoptr (SoupSession) session = soup_session_new_with_options (
      "timeout", 20, "proxy-resolver", NULL, NULL);
  g_autoptr (SoupMessage) message = soup_message_new (method, url);
  g_autoptr (GBytes) answer = NULL;
  g_autofree char *authorization = g_strconcat ("Bearer ", token, NULL);

  if (token != NULL)
    soup_message_headers_append (soup_message_get_request_headers (message),
        "Authorization", authorization);
  if (body != NULL) {
    g_autoptr (GBytes) bytes = g_bytes_new (body, strlen (body));

    soup_message_set_request_body_from_bytes (
        message, "application/json", bytes);
  }
  answer = soup_session_send_and_read (session, message, NULL, NULL);
  if (answer == NULL)
    return 0;
  if (ret_body != NULL)
    *ret_body = g_bytes_get_size (answer) == 0
                    ? g_strdup ("")
                    : g_strndup (g_bytes_get_data (answer, NULL),
                          g_bytes_get_size (answer));
  return soup_message_get_status (message);
}

JsonObject *
http_json (const char *url)
{
  g_autofree char *body = NULL;
  g_autoptr (JsonParser) parser = json_parser_new ();

  if (http_call ("GET", url, NULL, NULL, &body) != 200 ||
      !json_parser_load_from_data (parser, body, -1, NULL))
    return NULL;
  return json_node_dup_object (json_parser_get_root (parser));
}

guint
free_port (void)
{
  static guint given[64];
  static gsize n_given;
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  guint port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);

  /* The kernel may offer one again before it is used. */
  for (gsize i = 0; i < MIN (n_given, G_N_ELEMENTS (given)); i++)
    if (given[i] == port)
      return free_port ();
  given[n_given++ % G_N_ELEMENTS (given)] = port;
  return port;
}

char *
rig_find_mediamtx (void)
{
  const char *given = g_getenv ("MEDIAMTX");

  if (given != NULL)
    return g_strdup (given);
  given = g_getenv ("MEDIAMTX_PROGRAM");
  if (given != NULL && g_file_test (given, G_FILE_TEST_IS_EXECUTABLE))
    return g_strdup (given);
  return g_find_program_in_path ("mediamtx");
}

static gboolean
is_listening (gpointer user_data)
{
  g_autofree char *log = program_log (user_data);

  /* RTMP comes up after RTSP. */
  return strstr (log, "[RTMP] listener opened") != NULL;
}

Program *
rig_start_mediamtx (Rig *rig, const char *program, const char *settings)
{
  g_autofree char *path = rig_path (rig, "mediamtx.yml");
  g_autofree char *text = g_strconcat ("hls: no\nwebrtc: no\nsrt: no\n"
                                       "api: no\npaths:\n  all_others:\n",
      settings, NULL);
  const char *argv[] = {program, path, NULL};
  Program *mediamtx;

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  mediamtx = rig_start (rig, "mediamtx", argv);
  rig_wait (rig, "MediaMTX listens", is_listening, mediamtx);
  return mediamtx;
}
