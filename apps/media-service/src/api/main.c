/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "media.main"
#include "../orchestrator/streams_file.h"
#include "path_list.h"
#include "server.h"

#include <dubbing_common/error.h>
#include <dubbing_common/instance.h>
#include <dubbing_common/log.h>
#include <dubbing_common/tls.h>
#include <glib-unix.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define WHAT_IT_IS                                                             \
  "Keeps one media-worker for each stream that a media server has, and tells " \
  "how they are."

typedef struct {
  DubServiceSettings settings;
  GMainLoop *loop;
  DubOrchestrator *orchestrator;
  DubApiServer *server;
  DubPathList *paths;
  DubStreamsFile *streams; /* (nullable) */
  gboolean is_stopping;
} Service;

static void
on_all_stopped (gpointer user_data)
{
  g_main_loop_quit (((Service *) user_data)->loop);
}

/* The first signal ends in order, the second at once. */
static gboolean
on_signal (gpointer user_data)
{
  Service *self = user_data;

  if (self->is_stopping || self->settings.keep_workers) {
    dub_info ("ending; workers that run go on");
    g_main_loop_quit (self->loop);
    return G_SOURCE_CONTINUE;
  }
  self->is_stopping = TRUE;
  dub_info ("ending; stopping the workers first");
  g_clear_pointer (&self->paths, dub_path_list_free);
  dub_api_server_set_stopping (self->server);
  dub_orchestrator_stop_all (self->orchestrator, on_all_stopped, self);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_hangup (gpointer user_data)
{
  Service *self = user_data;

  if (self->streams != NULL)
    dub_streams_file_reload (self->streams);
  return G_SOURCE_CONTINUE;
}

static void
log_start (Service *self)
{
  g_autofree char *text =
      dub_config_summary (dub_service_options (), &self->settings);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autofree char *host = NULL;
  guint port;

  for (gsize i = 0; lines[i] != NULL; i++)
    if (*lines[i] != '\0')
      dub_info ("setting %s", lines[i]);
  dub_service_settings_get_address (&self->settings, &host, &port);
  dub_info ("media-service %s listens on %s://%s:%u", DUB_VERSION,
      self->settings.tls_cert_file != NULL ? "https" : "http", host,
      dub_api_server_get_port (self->server));
}

static int
run (Service *self)
{
  g_autoptr (DubMetrics) metrics = dub_metrics_new ();
  g_autoptr (GError) error = NULL;

  self->loop = g_main_loop_new (NULL, FALSE);
  self->orchestrator = dub_orchestrator_new (&self->settings, metrics);
  if (dub_tls_trust (self->settings.tls_ca_file, &error))
    self->server = dub_api_server_new (
        &self->settings, self->orchestrator, metrics, &error);
  if (self->server != NULL) {
    log_start (self);
    dub_orchestrator_adopt (self->orchestrator);
    if (self->settings.streams_file != NULL)
      self->streams = dub_streams_file_new (
          self->settings.streams_file, self->orchestrator);
    self->paths = dub_path_list_new (&self->settings, self->orchestrator);
    g_unix_signal_add (SIGTERM, on_signal, self);
    g_unix_signal_add (SIGINT, on_signal, self);
    g_unix_signal_add (SIGHUP, on_hangup, self);
    g_main_loop_run (self->loop);
    dub_info ("ended");
  } else {
    dub_error ("%s", error->message);
  }
  dub_streams_file_free (self->streams);
  dub_path_list_free (self->paths);
  dub_api_server_free (self->server);
  dub_orchestrator_free (self->orchestrator);
  g_main_loop_unref (self->loop);
  return error == NULL ? EX_OK : EX_UNAVAILABLE;
}

/* What is said to every stream must fit, and the file that a start would read
 * must be good as well. */
static gboolean
check_streams (const DubServiceSettings *settings, GError **error)
{
  g_autoptr (DubStreamSettings) defaults = dub_orchestrator_defaults (settings);
  g_autoptr (GHashTable) streams = NULL;

  if (!dub_stream_settings_check (defaults, error))
    return FALSE;
  if (settings->streams_file == NULL)
    return TRUE;
  streams = dub_streams_file_load (settings->streams_file, defaults, error);
  return streams != NULL;
}

static gboolean
wants (int argc, char **argv, const char *word)
{
  for (int i = 1; i < argc; i++)
    if (strcmp (argv[i], word) == 0)
      return TRUE;
  return FALSE;
}

static int
print (char *text)
{
  fputs (text, stdout);
  g_free (text);
  return EX_OK;
}

int
main (int argc, char **argv)
{
  Service self = {0};
  g_auto (GStrv) environment = g_get_environ ();
  g_autofree char *instance = dub_instance_id_new ();
  g_autoptr (GError) error = NULL;
  int code;

  if (wants (argc, argv, "--help") || wants (argc, argv, "-h"))
    return print (
        dub_config_help (dub_service_options (), "media-service", WHAT_IT_IS));
  if (wants (argc, argv, "--version"))
    return print (g_strdup ("media-service " DUB_VERSION "\n"));
  if (wants (argc, argv, "--print-env"))
    return print (
        dub_config_env_example (dub_service_options (), "media-service"));
  if (!dub_service_settings_load (
          &self.settings, &argc, &argv, environment, &error) ||
      !check_streams (&self.settings, &error)) {
    fprintf (stderr, "media-service: %s\n", error->message);
    return EX_CONFIG;
  }
  if (self.settings.check_config)
    return print (g_strdup ("the settings are good\n"));
  dub_log_init ("media-service", (DubLogLevel) (self.settings.log_level + 1),
      (DubLogFormat) self.settings.log_format);
  dub_log_set_field ("instance_id", instance);
  code = run (&self);
  dub_service_settings_clear (&self.settings);
  return code;
}
