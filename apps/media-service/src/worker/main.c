/* SPDX-License-Identifier: Apache-2.0 */
#include "allocator.h"
#include "sockets.h"
#include "worker.h"

#define DUB_LOG_TOPIC "media.main"
#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <dubbing_common/tls.h>
#include <dubbing_mediacodec/elements.h>
#include <glib-unix.h>
#include <gst/gst.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define WHAT_IT_IS                                                             \
  "Pulls one live stream, has its speech dubbed, and publishes it again."

static gboolean
on_signal (gpointer user_data)
{
  dub_worker_stop (user_data);
  return G_SOURCE_CONTINUE;
}

static int
exit_code_for (const DubWorkerSettings *settings, const GError *error)
{
  if (!g_error_matches (error, DUB_ERROR, error->code))
    return EX_UNAVAILABLE;
  switch (error->code) {
    case DUB_ERROR_INVALID:
    case DUB_ERROR_UNSUPPORTED:
      return EX_DATAERR;
    case DUB_ERROR_AUTH:
      return EX_NOPERM;
    case DUB_ERROR_LIMIT: /* the file cannot be written */
      return settings->pace == DUB_WORKER_FILE ? EX_CANTCREAT : EX_UNAVAILABLE;
    case DUB_ERROR_NOT_FOUND:
    case DUB_ERROR_ENGINE:
      return EX_SOFTWARE;
    default:
      return EX_UNAVAILABLE;
  }
}

/* The whole of standard input, up to the limit. (transfer full) (nullable) */
static char *
read_stdin (GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  char buffer[4096];
  gsize n;

  while ((n = fread (buffer, 1, sizeof buffer, stdin)) > 0) {
    g_string_append_len (text, buffer, (gssize) n);
    if (text->len > DUB_WORKER_SETTINGS_MAX_BYTES) {
      g_set_error (error, DUB_ERROR, DUB_ERROR_LIMIT,
          "the settings on standard input are larger than %d bytes",
          DUB_WORKER_SETTINGS_MAX_BYTES);
      return NULL;
    }
  }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static gboolean
load_settings (
    DubWorkerSettings *settings, int *argc, char ***argv, GError **error)
{
  g_auto (GStrv) environment = g_get_environ ();
  g_autofree char *json = NULL;

  if (!dub_worker_settings_load (
          settings, argc, argv, environment, NULL, error))
    return FALSE;
  if (*argc > 1) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "'%s' is no option; --help lists them", (*argv)[1]);
    return FALSE;
  }
  if (!settings->settings_stdin)
    return TRUE;
  json = read_stdin (error);
  return json &&
         dub_worker_settings_load (settings, NULL, NULL, NULL, json, error);
}

static gboolean
wants (int argc, char **argv, const char *word)
{
  for (int i = 1; i < argc; i++)
    if (strcmp (argv[i], word) == 0)
      return TRUE;
  return FALSE;
}

/* text: (transfer full) */
static int
print (char *text)
{
  fputs (text, stdout);
  g_free (text);
  return EX_OK;
}

/* GStreamer keeps what its plugins offer in the user's cache folder. Without a
 * home it would look at each of them at every start, which takes seconds. */
static void
tune_registry (const DubWorkerSettings *settings)
{
  g_autofree char *folder =
      g_build_filename (g_get_user_cache_dir (), "gstreamer-1.0", NULL);
  g_autofree char *path = NULL;

  if (!settings->runtime_dir ||
      (g_mkdir_with_parents (folder, 0700) == 0 && access (folder, W_OK) == 0))
    return;
  path = g_build_filename (settings->runtime_dir, "gstreamer.registry", NULL);
  g_setenv ("GST_REGISTRY", path, FALSE);
}

/* GIO's desktop modules (settings, proxies, network monitor) are of no use
 * here and cost start-up time and memory. What the user has set stays. */
static void
tune_gio (void)
{
  g_setenv ("GSETTINGS_BACKEND", "memory", FALSE);
  g_setenv ("GIO_USE_PROXY_RESOLVER", "dummy", FALSE);
  g_setenv ("GIO_USE_NETWORK_MONITOR", "base", FALSE);
  g_setenv ("GIO_USE_VFS", "local", FALSE);
}

static int
run (const DubWorkerSettings *settings)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DubWorker) worker = NULL;
  guint term_id, int_id;
  gboolean is_good;

  if (dub_tls_trust (settings->tls_ca_file, &error) &&
      dub_elements_check (DUB_ELEMENTS_MEDIA, &error))
    worker = dub_worker_new (settings, &error);
  if (!worker) {
    dub_error ("cannot start: %s", error->message);
    return exit_code_for (settings, error);
  }
  term_id = g_unix_signal_add (SIGTERM, on_signal, worker);
  int_id = g_unix_signal_add (SIGINT, on_signal, worker);
  is_good = dub_worker_run (worker, &error);
  g_source_remove (term_id);
  g_source_remove (int_id);
  if (is_good) {
    dub_info ("ended");
    return EX_OK;
  }
  dub_error ("ended: %s", error->message);
  return exit_code_for (settings, error);
}

static void
log_summary (const DubWorkerSettings *settings)
{
  g_autofree char *text = dub_config_summary (dub_worker_options (), settings);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (guint i = 0; lines[i]; i++)
    if (*lines[i])
      dub_debug ("%s", lines[i]);
}

int
main (int argc, char **argv)
{
  DubWorkerSettings settings = {0};
  g_autoptr (GError) error = NULL;
  int status;

  dub_allocator_tune ();
  tune_gio ();
  /* A peer that has gone is an error of a write, no more. */
  signal (SIGPIPE, SIG_IGN);
  /* So is a file that may grow no more: a disk that is full, not the end. */
  signal (SIGXFSZ, SIG_IGN);
  if (wants (argc, argv, "--help") || wants (argc, argv, "-h"))
    return print (
        dub_config_help (dub_worker_options (), "media-worker", WHAT_IT_IS));
  if (wants (argc, argv, "--print-env"))
    return print (
        dub_config_env_example (dub_worker_options (), "media-worker"));
  if (wants (argc, argv, "--version")) {
    puts ("media-worker " DUB_VERSION);
    return EX_OK;
  }
  if (!load_settings (&settings, &argc, &argv, &error)) {
    fprintf (stderr, "media-worker: %s\n", error->message);
    dub_worker_settings_clear (&settings);
    return EX_CONFIG;
  }
  dub_log_init ("media-worker", (DubLogLevel) (settings.log_level + 1),
      (DubLogFormat) settings.log_format);
  dub_log_set_field ("stream_id", settings.stream_id);
  dub_log_set_field ("run_id", settings.run_id);
  dub_log_set_field ("instance_id", settings.instance_id);
  tune_registry (&settings);
  dub_sockets_tune ();
  gst_registry_fork_set_enabled (FALSE);
  gst_init (NULL, NULL);
  log_summary (&settings);
  status = run (&settings);
  dub_worker_settings_clear (&settings);
  return status;
}
