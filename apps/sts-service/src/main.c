/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "sts.main"

#include <dubbing_common/clock.h>
#include <dubbing_common/instance.h>
#include <dubbing_common/log.h>
#include <dubbing_common/tls.h>
#include <dubbing_mediacodec/elements.h>
#include <glib-unix.h>
#include <gst/gst.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "artifacts/artifacts.h"
#include "echo/echo.h"
#include "pipeline/commands.h"
#include "pipeline/pipeline.h"
#include "server/server.h"
#include "settings.h"

static const char what_it_is[] =
    "Speech to speech for live broadcast dubbing, as a Socket.IO server.";
static const char commands_help[] =
    "\nCommands:\n"
    "  sts-service                serves: recognises, translates, speaks\n"
    "  sts-service echo           serves: gives back what it gets (for tests)\n"
    "  sts-service transcribe FILE [--language LL]\n"
    "                             prints what is said in a file\n"
    "  sts-service fragment FILE... [--from LL] [--to LL] [--output DUB.wav]\n"
    "                             dubs files in fragments, with the times\n"
    "  sts-service say TEXT... [--to LL] [--profile NAME] [--output FILE.wav]\n"
    "                             speaks a text with a voice of this machine\n"
    "  sts-service measure [--json] [--quick]\n"
    "                             prints what each engine costs here\n"
    "  sts-service --print-env    prints .env.example\n"
    "  sts-service --version\n";

typedef struct {
  DubStsSettings settings;
  DubStsServerSettings server;
  char *host;
  DubProxies *proxies;
  DubProcessor *processor;
  DubMetrics *metrics;
  gboolean is_echo;
} Program;

static DubLoadRule
find_load_rule (const DubStsSettings *settings, gboolean is_echo)
{
  DubLoadRule rule = dub_load_rule_default (is_echo);

  if (settings->threshold_low > 0)
    rule.low = settings->threshold_low;
  if (settings->threshold_medium > 0)
    rule.medium = settings->threshold_medium;
  if (settings->threshold_high > 0)
    rule.high = settings->threshold_high;
  return rule;
}

static gboolean
load_certificate (Program *self, GError **error)
{
  g_autoptr (GError) cause = NULL;

  self->server.certificate = dub_tls_load (
      self->settings.tls_cert_file, self->settings.tls_key_file, &cause);
  if (cause == NULL)
    return dub_tls_trust (self->settings.tls_ca_file, error);
  g_propagate_error (error, g_steal_pointer (&cause));
  return FALSE;
}

static gboolean
load_proxies (Program *self, GError **error)
{
  self->proxies = dub_proxies_parse (self->settings.trusted_proxies, error);
  if (self->proxies == NULL) {
    g_prefix_error (error, "TRUSTED_PROXIES: ");
    return FALSE;
  }
  self->server.proxies = self->proxies;
  return TRUE;
}

static gboolean
fill_server_settings (Program *self, GError **error)
{
  const DubStsSettings *from = &self->settings;
  DubStsServerSettings *to = &self->server;

  if (!dub_sts_settings_find_address (
          from, self->is_echo, &self->host, &to->port, error))
    return FALSE;
  to->host = self->host;
  to->service_name = self->is_echo ? "echo-sts" : "full-sts-service";
  to->api_key = from->api_key;
  to->metrics_token = from->metrics_token;
  if (!dub_sts_settings_check (from, error) ||
      !load_certificate (self, error) || !load_proxies (self, error))
    return FALSE;
  to->max_message_bytes = (gsize) from->max_message_bytes;
  to->max_connections = (guint) from->max_connections;
  to->requests_per_s = (guint) from->rate_limit;
  to->ping_interval_ms = (guint) from->ping_interval_s * 1000;
  to->ping_timeout_ms = (guint) from->ping_timeout_s * 1000;
  to->session = (DubSessionSettings){
      .is_echo = self->is_echo,
      .source_language = from->source_language,
      .target_language = from->target_language,
      .auto_disconnect_ns = from->auto_disconnect_s * DUB_NS_PER_S,
      .has_backpressure = from->backpressure == 1 ||
                          (from->backpressure == 0 && !self->is_echo),
      .load = find_load_rule (from, self->is_echo),
      .events_per_s = (guint) from->event_limit,
  };
  return TRUE;
}

static DubProcessor *
make_worker (Program *self, GError **error)
{
  if (!dub_elements_check (DUB_ELEMENTS_SPEECH, error))
    return NULL;
  if (self->is_echo)
    return dub_echo_new ((guint) self->settings.echo_delay_ms);
  self->settings.pipeline.source_language = self->settings.source_language;
  self->settings.pipeline.target_language = self->settings.target_language;
  return dub_pipeline_new (&self->settings.pipeline, self->metrics, error);
}

static DubProcessor *
make_processor (Program *self, GError **error)
{
  const DubArtifactsOptions *artifacts = &self->settings.artifacts;
  DubProcessor *worker = make_worker (self, error);

  if (worker == NULL || !artifacts->is_on)
    return worker;
  return dub_artifacts_processor_new (
      worker, dub_artifacts_new (artifacts, self->metrics));
}

static gboolean
on_signal (gpointer user_data)
{
  g_main_loop_quit (user_data);
  return G_SOURCE_CONTINUE;
}

/* The one line on stdout: who started us with port 0 reads it. */
static void
announce (Program *self, DubStsServer *server)
{
  guint16 port = dub_sts_server_get_port (server);

  printf ("listening on %s://%s:%u\n",
      self->server.certificate != NULL ? "https" : "http", self->host, port);
  fflush (stdout);
  dub_info ("%s listens on %s:%u", self->server.service_name, self->host, port);
}

static gboolean
serve (Program *self, GError **error)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (DubStsServer) server =
      dub_sts_server_new (&self->server, self->processor, self->metrics, error);
  guint terminate, interrupt;

  if (!server)
    return FALSE;
  terminate = g_unix_signal_add (SIGTERM, on_signal, loop);
  interrupt = g_unix_signal_add (SIGINT, on_signal, loop);
  announce (self, server);
  g_main_loop_run (loop);
  g_source_remove (terminate);
  g_source_remove (interrupt);
  dub_info ("stopping");
  return TRUE;
}

static int
fail (const GError *error, int status)
{
  fprintf (stderr, "sts-service: %s\n", error->message);
  return status;
}

static int
run (Program *self)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *summary = NULL;

  if (!fill_server_settings (self, &error))
    return fail (error, EX_CONFIG);
  summary = dub_config_summary (dub_sts_options, &self->settings);
  dub_debug ("settings:\n%s", summary);
  self->metrics = dub_metrics_new ();
  self->processor = make_processor (self, &error);
  /* What can be wrong with it is what the settings name. */
  if (!self->processor)
    return fail (error, EX_CONFIG);
  return serve (self, &error) ? EX_OK : fail (error, EX_UNAVAILABLE);
}

static void
program_clear (Program *self)
{
  if (self->processor)
    self->processor->free (self->processor);
  g_clear_pointer (&self->metrics, dub_metrics_unref);
  dub_proxies_free (self->proxies);
  g_free (self->host);
  g_clear_object (&self->server.certificate);
  dub_config_clear (dub_sts_options, &self->settings);
}

static int
print_text (char *text)
{
  fputs (text, stdout);
  g_free (text);
  return EX_OK;
}

static void
print_help (void)
{
  print_text (dub_config_help (dub_sts_options, "sts-service", what_it_is));
  print_text (g_strdup (commands_help));
}

static void
print_version (void)
{
  print_text (g_strdup ("sts-service " DUB_VERSION "\n"));
  print_text (dub_pipeline_features ());
}

/* TRUE when the words ask for a text instead of a server. */
static gboolean
print_asked (int argc, char **argv)
{
  for (int i = 1; i < argc; i++) {
    if (g_str_equal (argv[i], "--version"))
      print_version ();
    else if (g_str_equal (argv[i], "--help") || g_str_equal (argv[i], "-h"))
      print_help ();
    else if (g_str_equal (argv[i], "--print-env"))
      print_text (dub_config_env_example (dub_sts_options, "sts-service"));
    else
      continue;
    return TRUE;
  }
  return FALSE;
}

static int
run_server (int argc, char **argv)
{
  g_auto (GStrv) environment = g_get_environ ();
  g_autofree char *instance = dub_instance_id_new ();
  g_autoptr (GError) error = NULL;
  Program self = {0};
  int status;

  if (!dub_config_load (
          dub_sts_options, &self.settings, &argc, &argv, environment, &error))
    return fail (error, EX_CONFIG);
  self.is_echo = argc > 1 && g_str_equal (argv[1], "echo");
  if (argc > 1 + self.is_echo) {
    fprintf (stderr, "sts-service: \"%s\" is no command; see --help\n",
        argv[1 + self.is_echo]);
    dub_config_clear (dub_sts_options, &self.settings);
    return EX_USAGE;
  }
  dub_log_init ("sts-service", (DubLogLevel) (self.settings.log_level + 1),
      (DubLogFormat) self.settings.log_format);
  dub_log_set_field ("instance_id", instance);
  status = run (&self);
  program_clear (&self);
  return status;
}

/* The commands that do one thing and end. */
static const struct {
  const char *name;
  int (*run) (int argc, char **argv);
} commands[] = {
    {"engine", dub_command_engine},
    {"transcribe", dub_command_transcribe},
    {"fragment", dub_command_fragment},
    {"say", dub_command_say},
    {"measure", dub_command_measure},
};

/* Engine children inherit the environment of their service. */
static DubLogLevel
command_log_level (void)
{
  const char *text = g_getenv ("LOG_LEVEL");
  DubLogLevel level = DUB_LOG_WARNING;

  if (text != NULL)
    dub_log_level_parse (text, &level);
  return level;
}

static DubLogFormat
command_log_format (void)
{
  const char *text = g_getenv ("LOG_FORMAT");

  for (guint i = 0; text != NULL && dub_log_format_names[i] != NULL; i++)
    if (g_str_equal (text, dub_log_format_names[i]))
      return (DubLogFormat) i;
  return DUB_LOG_AUTO;
}

int
main (int argc, char **argv)
{
  for (gsize i = 0; argc > 1 && i < G_N_ELEMENTS (commands); i++) {
    if (!g_str_equal (argv[1], commands[i].name))
      continue;
    dub_log_init ("sts-service", command_log_level (), command_log_format ());
    gst_init (NULL, NULL);
    return commands[i].run (argc, argv);
  }
  if (print_asked (argc, argv))
    return EX_OK;
  gst_init (NULL, NULL);
  return run_server (argc, argv);
}
