/* SPDX-License-Identifier: Apache-2.0 */
#include "service.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define READY_S 60
#define ANNOUNCED "listening on "

int
service_get_pid (Service *service)
{
  return (int) g_ascii_strtoll (
      g_subprocess_get_identifier (service->process), NULL, 10);
}

static char *
read_url (GSubprocess *process)
{
  g_autoptr (GDataInputStream) lines =
      g_data_input_stream_new (g_subprocess_get_stdout_pipe (process));
  g_autofree char *line = NULL;

  g_filter_input_stream_set_close_base_stream (
      G_FILTER_INPUT_STREAM (lines), FALSE);
  line = g_data_input_stream_read_line (lines, NULL, NULL, NULL);
  g_assert_nonnull (line);
  g_assert_true (g_str_has_prefix (line, ANNOUNCED));
  return g_strdup (line + strlen (ANNOUNCED));
}

static void
wait_until_ready (Service *service)
{
  guint status = 0;

  for (guint i = 0; i < READY_S * 20 && status != 200; i++) {
    g_free (service_get (service, "/health/ready", &status));
    g_usleep (50 * 1000);
  }
  g_assert_cmpuint (status, ==, 200);
}

/* A test that fails must not leave the service behind. */
static void
end_with_parent (gpointer user_data)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

void
service_start (Service *service, const char *const *settings)
{
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE);
  const char *program = g_getenv ("STS_SERVICE");
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (program);
  g_subprocess_launcher_set_child_setup (launcher, end_with_parent, NULL, NULL);
  g_subprocess_launcher_setenv (launcher, "PORT", "0", TRUE);
  for (guint i = 0; settings[i] != NULL; i += 2)
    g_subprocess_launcher_setenv (launcher, settings[i], settings[i + 1], TRUE);
  service->process =
      g_subprocess_launcher_spawn (launcher, &error, program, NULL);
  g_assert_no_error (error);
  service->url = read_url (service->process);
  service->http = soup_session_new ();
  wait_until_ready (service);
}

void
service_stop (Service *service)
{
  g_subprocess_send_signal (service->process, SIGTERM);
  g_assert_true (g_subprocess_wait_check (service->process, NULL, NULL));
  g_clear_object (&service->process);
  g_clear_object (&service->http);
  g_clear_pointer (&service->url, g_free);
}

char *
service_get (Service *service, const char *path, guint *ret_status)
{
  g_autofree char *url = g_strconcat (service->url, path, NULL);
  g_autoptr (SoupMessage) message = soup_message_new ("GET", url);
  g_autoptr (GBytes) body =
      soup_session_send_and_read (service->http, message, NULL, NULL);

  if (ret_status != NULL)
    *ret_status = soup_message_get_status (message);
  if (body == NULL)
    return g_strdup ("");
  return g_strndup (g_bytes_get_data (body, NULL), g_bytes_get_size (body));
}

double
service_metric (Service *service, const char *family, const char *labels)
{
  g_autofree char *text = service_get (service, "/metrics", NULL);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  gsize length = strlen (family);
  double sum = 0;

  for (guint i = 0; lines[i] != NULL; i++) {
    const char *value = strrchr (lines[i], ' ');

    if (strncmp (lines[i], family, length) != 0 ||
        (lines[i][length] != '{' && lines[i][length] != ' ') || value == NULL ||
        strstr (lines[i], labels) == NULL)
      continue;
    sum += g_ascii_strtod (value + 1, NULL);
  }
  return sum;
}

double
service_rss_mib (Service *service)
{
  g_autofree char *path =
      g_strdup_printf ("/proc/%d/statm", service_get_pid (service));
  g_autofree char *text = NULL;
  g_auto (GStrv) fields = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return 0;
  fields = g_strsplit (text, " ", 3);
  return g_ascii_strtod (fields[1], NULL) * sysconf (_SC_PAGESIZE) / 1048576.0;
}
