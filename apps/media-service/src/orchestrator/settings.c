/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include "stream_settings.h"

#include <dubbing_common/error.h>
#include <dubbing_common/language_tag.h>
#include <dubbing_common/tls.h>
#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define AT(field) G_STRUCT_OFFSET (DubServiceSettings, field)
#define DEFAULT_RTMP_PORT 1935

static const char *const sts_schemes[] = {"http", "https", "ws", "wss", NULL};
static const char *const ingests[] = {"auto", "rtmp", "rtsp", NULL};
static const char *const http_schemes[] = {"http", "https", NULL};

static const DubOption options[] = {
    {"port", "PORT", DUB_OPTION_INT, AT (port), "8080", 0, 65535,
        .help = "Port of the HTTP server; 0: a free one, told in the log"},
    {"http-addr", "ORCH_HTTP_ADDR", DUB_OPTION_STRING, AT (http_addr), NULL, 1,
        255,
        .help = "Address to listen on, as HOST or HOST:PORT. Unset: "
                "127.0.0.1, or all addresses when API_TOKEN is set"},
    {"api-token", "API_TOKEN", DUB_OPTION_SECRET, AT (api_token), NULL, 8, 512,
        .help = "Callers must send it as Authorization: Bearer"},
    {"metrics-token", "METRICS_TOKEN", DUB_OPTION_SECRET, AT (metrics_token),
        NULL, 8, 512,
        .help = "The same, for /metrics and nothing else; API_TOKEN opens it "
                "too"},
    {"hook-token", "HOOK_TOKEN", DUB_OPTION_SECRET, AT (hook_token), NULL, 8,
        512,
        .help = "The same, for events of the media server and nothing else: "
                "ORCHESTRATOR_TOKEN of mtx-hook; API_TOKEN opens them too"},
    DUB_TLS_SERVER_OPTIONS (DubServiceSettings, tls_cert_file, tls_key_file),
    DUB_TLS_TRUST_OPTION (DubServiceSettings, tls_ca_file),

    {"rate-limit", "API_RATE_LIMIT", DUB_OPTION_INT, AT (rate_limit), "50", 0,
        10000, .unit = "/s",
        .help = "Changes that the API takes a second, with four seconds' worth "
                "at once; 4 times as many questions, 10 times as many events "
                "of the media server; 0: no limit"},

    {"mediamtx-host", "MEDIAMTX_HOST", DUB_OPTION_STRING, AT (mediamtx_host),
        "127.0.0.1", 1, 255, .help = "Host of the media server"},
    {"mediamtx-rtmp-port", "MEDIAMTX_RTMP_PORT", DUB_OPTION_INT,
        AT (mediamtx_rtmp_port), "1935", 1, 65535, .help = "Its RTMP port"},
    {"mediamtx-rtsp-port", "MEDIAMTX_RTSP_PORT", DUB_OPTION_INT,
        AT (mediamtx_rtsp_port), "8554", 1, 65535, .help = "Its RTSP port"},
    {"ingest", "INGEST", DUB_OPTION_CHOICE, AT (ingest), "auto",
        .choices = ingests,
        .help = "How streams are pulled from it: its RTMP has H.264 only, its "
                "RTSP H.265 as well. auto: RTSP where its control API says "
                "H.265, else RTMP"},
    {"mediamtx-api-url", "MEDIAMTX_API_URL", DUB_OPTION_URL,
        AT (mediamtx_api_url), NULL, .choices = http_schemes,
        .help = "Its control API, asked for the streams that are there. "
                "Unset: port 9997 of MEDIAMTX_HOST when the RTMP port is "
                "the usual one, else nobody is asked"},
    {"mediamtx-hls-url", "MEDIAMTX_HLS_URL", DUB_OPTION_URL,
        AT (mediamtx_hls_url), NULL, .choices = http_schemes,
        .help = "Where browsers get its HLS. Unset: port 8888 of "
                "MEDIAMTX_HOST; when that is this machine, of the host "
                "that the browser found us at"},
    {"mediamtx-webrtc-url", "MEDIAMTX_WEBRTC_URL", DUB_OPTION_URL,
        AT (mediamtx_webrtc_url), NULL, .choices = http_schemes,
        .help = "Where browsers get its WebRTC. Unset: port 8889, likewise"},
    {"mediamtx-user", "MEDIAMTX_USER", DUB_OPTION_STRING, AT (mediamtx_user),
        NULL, 1, 128,
        .help = "User that reads and publishes there, and asks its API"},
    {"mediamtx-pass", "MEDIAMTX_PASS", DUB_OPTION_SECRET,
        AT (mediamtx_password), NULL, 1, 512, .help = "Its password"},
    {"reconcile-period", "ORCH_RECONCILE_PERIOD", DUB_OPTION_DURATION,
        AT (reconcile_ms), "10s", .max = 600000,
        .help = "How often it is asked; 0: never"},

    {"streams-file", "STREAMS_FILE", DUB_OPTION_STRING, AT (streams_file), NULL,
        1, 4096,
        .help = "YAML file with the settings of streams by their names; read "
                "again when it changes, and on SIGHUP"},
    {"media-root", "MEDIA_ROOT", DUB_OPTION_STRING, AT (media_root), NULL, 1,
        4096,
        .help = "Folder of the files that a stream made through the API may "
                "play (input_url file:///...). Unset: none"},
    {"metrics-enabled", "METRICS_ENABLED", DUB_OPTION_BOOL,
        AT (metrics_enabled), "true", .help = "Answer /metrics"},
    {"check-config", "CHECK_CONFIG", DUB_OPTION_BOOL, AT (check_config),
        "false",
        .help = "Only say whether the settings and STREAMS_FILE are good: exit "
                "status 0, or 78"},

    {"grace-period", "ORCH_GRACE_PERIOD", DUB_OPTION_DURATION, AT (grace_ms),
        "30s", .max = 300000,
        .help = "How long a publisher that has gone is waited for"},
    {"max-workers", "ORCH_MAX_WORKERS", DUB_OPTION_INT, AT (max_workers), "0",
        .max = 1000, .help = "Streams at once, at most; 0: no limit"},
    {"worker-command", "ORCH_WORKER_COMMAND", DUB_OPTION_STRING,
        AT (worker_command), NULL, 1, 4096,
        .help = "Program of a worker. Unset: media-worker beside this "
                "program, else in PATH"},
    {"keep-workers", "KEEP_WORKERS", DUB_OPTION_BOOL, AT (keep_workers),
        "false",
        .help = "Leave the workers running when this program is stopped; "
                "the next one finds them"},
    {"stop-timeout", "ORCH_STOP_TIMEOUT", DUB_OPTION_DURATION,
        AT (stop_timeout_ms), "10s", .min = 100, .max = 120000,
        .help = "How long a worker has to end before it is killed"},
    {"runtime-dir", "RUNTIME_DIR", DUB_OPTION_STRING, AT (runtime_dir), NULL, 1,
        90,
        .help = "Folder of the workers' control sockets. Unset: "
                "live-broadcast-dubbing in XDG_RUNTIME_DIR, else one of "
                "this user in /tmp"},

    {"sts-service-url", "STS_SERVICE_URL", DUB_OPTION_URL, AT (sts_service_url),
        "http://localhost:3000", .choices = sts_schemes,
        .help = "The speech-to-speech service"},
    {"sts-token", "STS_TOKEN", DUB_OPTION_SECRET, AT (sts_token), NULL,
        .help = "Sent to it as Authorization: Bearer"},
    {"skip-sts-connection", "SKIP_STS_CONNECTION", DUB_OPTION_BOOL,
        AT (skip_sts_connection), "false",
        .help = "Pass the programme through without dubbing"},
    {"source-language", "WORKER_SOURCE_LANGUAGE", DUB_OPTION_STRING,
        AT (source_language), "auto", 2, 16,
        .help = "Spoken language, or auto"},
    {"target-language", "WORKER_TARGET_LANGUAGE", DUB_OPTION_STRING,
        AT (target_language), "en", 2, 16, .help = "Language of the dub"},
    {"target-languages", "WORKER_TARGET_LANGUAGES", DUB_OPTION_STRING,
        AT (target_languages), NULL, 1, 135,
        .help = "Several: a list as en,es,fr, up to 8, in place of that. The "
                "first goes to live/ID/out, the others to live/ID/out/es and "
                "so on"},
    {"rtmp-output-url", "RTMP_OUTPUT_URL", DUB_OPTION_URL, AT (output_url),
        NULL, .choices = dub_output_schemes,
        .help = "Where the dub goes in place of the media server's "
                "live/ID/out, of a stream that is not told otherwise: for a "
                "machine with one stream"},
    {"voice-profile", "WORKER_VOICE_PROFILE", DUB_OPTION_STRING,
        AT (voice_profile), "default", 1, 128, .help = "Voice of the dub"},
    {"output-delay-ms", "OUTPUT_DELAY_MS", DUB_OPTION_INT, AT (output_delay_ms),
        "8000", 3000, 30000, .unit = "ms",
        .help = "How much later the programme leaves than it came"},
    {"duck-db", "DUCK_DB", DUB_OPTION_DOUBLE, AT (duck_db), "-18", -60, 0,
        .unit = "dB", .help = "Level of the original under the dub"},
    {"mix-mode", "MIX_MODE", DUB_OPTION_CHOICE, AT (mix_mode), "lower",
        .choices = dub_mix_modes, .help = "What the dub does to the original"},
    {"fallback-mode", "FALLBACK_MODE", DUB_OPTION_CHOICE, AT (fallback_mode),
        "pass-through", .choices = dub_fallback_modes,
        .help = "What sounds where the dub is missing"},

    DUB_LOG_OPTIONS (DubServiceSettings, log_level, log_format),
    {NULL},
};

const DubOption *
dub_service_options (void)
{
  return options;
}

static char *
default_runtime_dir (void)
{
  const char *base = g_getenv ("XDG_RUNTIME_DIR");

  if (base != NULL && *base != '\0')
    return g_build_filename (base, "live-broadcast-dubbing", NULL);
  return g_strdup_printf ("/tmp/live-broadcast-dubbing-%d", (int) geteuid ());
}

/* Whoever can write there could speak for a worker, so it must be ours alone:
 * in /tmp somebody else may have made it before us. */
static gboolean
make_private_folder (const char *path, GError **error)
{
  GStatBuf info;

  if (g_mkdir_with_parents (path, 0700) != 0 || g_lstat (path, &info) != 0) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "RUNTIME_DIR: %s cannot be made: %s", path, g_strerror (errno));
    return FALSE;
  }
  if (!S_ISDIR (info.st_mode) || info.st_uid != geteuid () ||
      (info.st_mode & 0022) != 0) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "RUNTIME_DIR: %s must be a folder of this user that nobody else can "
        "write to",
        path);
    return FALSE;
  }
  return TRUE;
}

/* Beside us where we are installed, in the next folder where we are built. */
static char *
default_worker_command (void)
{
  static const char *const places[] = {
      "media-worker", "worker/media-worker", "../worker/media-worker"};
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = g_path_get_dirname (self != NULL ? self : ".");

  for (gsize i = 0; i < G_N_ELEMENTS (places); i++) {
    g_autofree char *path = g_build_filename (folder, places[i], NULL);

    if (g_file_test (path, G_FILE_TEST_IS_EXECUTABLE))
      return g_steal_pointer (&path);
  }
  return g_strdup ("media-worker");
}

static char *
default_api_url (const DubServiceSettings *self)
{
  gboolean needs_brackets = strchr (self->mediamtx_host, ':') != NULL;

  /* Another port means that more than one server may run here, and the list
   * of the wrong one would end our streams. */
  if (self->mediamtx_rtmp_port != DEFAULT_RTMP_PORT)
    return NULL;
  return g_strdup_printf ("http://%s%s%s:9997", needs_brackets ? "[" : "",
      self->mediamtx_host, needs_brackets ? "]" : "");
}

void
dub_service_settings_get_address (
    const DubServiceSettings *settings, char **ret_host, guint *ret_port)
{
  const char *text = settings->http_addr;
  g_autoptr (GNetworkAddress) address = NULL;

  *ret_port = (guint) settings->port;
  if (text == NULL) {
    *ret_host =
        g_strdup (settings->api_token != NULL ? "0.0.0.0" : "127.0.0.1");
    return;
  }
  address = G_NETWORK_ADDRESS (
      g_network_address_parse (text, (guint16) settings->port, NULL));
  if (address == NULL) {
    *ret_host = g_strdup (text);
    return;
  }
  *ret_host = g_strdup (g_network_address_get_hostname (address));
  *ret_port = g_network_address_get_port (address);
}

static gboolean
check_address (const DubServiceSettings *self, GError **error)
{
  g_autofree char *host = NULL;
  g_autoptr (GInetAddress) address = NULL;
  guint port;

  dub_service_settings_get_address (self, &host, &port);
  if (g_str_equal (host, "localhost"))
    return TRUE;
  address = g_inet_address_new_from_string (host);
  if (address == NULL) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "ORCH_HTTP_ADDR: \"%s\" is not an address (allowed: an IP address or "
        "localhost, and a port)",
        host);
    return FALSE;
  }
  if (g_inet_address_get_is_loopback (address) || self->api_token != NULL)
    return TRUE;
  g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
      "ORCH_HTTP_ADDR: \"%s\" can be reached by others, so API_TOKEN must be "
      "set (allowed without: 127.0.0.1, ::1 or localhost)",
      host);
  return FALSE;
}

/* One without the other is a setting that was forgotten. */
static gboolean
check_user (const DubServiceSettings *self, GError **error)
{
  if ((self->mediamtx_user != NULL) == (self->mediamtx_password != NULL))
    return TRUE;
  g_set_error_literal (error, DUB_ERROR, DUB_ERROR_INVALID,
      "MEDIAMTX_USER and MEDIAMTX_PASS go together: one of them is not set");
  return FALSE;
}

/* The list as a stream's settings have it. */
static gboolean
derive_languages (DubServiceSettings *self, GError **error)
{
  g_autoptr (DubStreamSettings) checked = dub_stream_settings_new ();
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_ARRAY);
  JsonArray *array = json_array_new ();
  g_auto (GStrv) words = NULL;

  json_node_take_array (node, array);
  if (self->target_languages == NULL)
    return TRUE;
  words = g_strsplit (self->target_languages, ",", -1);
  for (gsize i = 0; words[i] != NULL; i++)
    json_array_add_string_element (array, g_strstrip (words[i]));
  if (!dub_stream_settings_set (checked,
          dub_setting_name (DUB_SETTING_TARGET_LANGUAGES), node, NULL)) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "WORKER_TARGET_LANGUAGES: \"%s\" is no list of 1 to 8 different "
        "languages such as en,es or pt-BR",
        self->target_languages);
    return FALSE;
  }
  g_free (self->target_languages);
  self->target_languages =
      g_steal_pointer (&checked->values[DUB_SETTING_TARGET_LANGUAGES]);
  return TRUE;
}

/* --- older names --- */

typedef struct {
  const char *name, *old;
} Alias;

/* The name of ours wins; of several old ones the first. */
static const Alias aliases[] = {
    {"WORKER_SOURCE_LANGUAGE", "WORKER_SOURCE_LANG"},
    {"WORKER_SOURCE_LANGUAGE", "SOURCE_LANGUAGE"},
    {"WORKER_TARGET_LANGUAGE", "WORKER_TARGET_LANG"},
    {"WORKER_TARGET_LANGUAGE", "TARGET_LANGUAGE"},
    {"WORKER_VOICE_PROFILE", "WORKER_TTS_VOICE"},
    {"ORCH_MAX_WORKERS", "MAX_CONCURRENT_STREAMS"},
    {"CAPTURE_DIR", "WORKER_SEGMENT_DIR"},
    {"CAPTURE_DIR", "SEGMENT_DIR"},
    {"MEDIAMTX_HOST", "ORCH_MEDIAMTX_HOST"},
    {"MEDIAMTX_RTSP_PORT", "ORCH_MEDIAMTX_RTSP_PORT"},
    {"STS_SERVICE_URL", "WORKER_STS_SERVICE_URL"},
    {"STS_TOKEN", "WORKER_STS_API_KEY"},
    {"STS_TOKEN", "STS_API_KEY"},
};

static gboolean
is_set (char **environment, const char *name)
{
  const char *value = g_environ_getenv (environment, name);

  return value != NULL && *value != '\0';
}

/* MEDIAMTX_RTMP_URL=rtmp://host:port says two of our settings at once. */
static char **
take_server_url (char **environment, const char *name, const char *port_name)
{
  const char *text = g_environ_getenv (environment, name);
  g_autoptr (GUri) uri =
      text != NULL ? g_uri_parse (text, G_URI_FLAGS_NON_DNS, NULL) : NULL;
  g_autofree char *port = NULL;

  if (uri == NULL || g_uri_get_host (uri) == NULL)
    return environment;
  if (!is_set (environment, "MEDIAMTX_HOST"))
    environment = g_environ_setenv (
        environment, "MEDIAMTX_HOST", g_uri_get_host (uri), TRUE);
  port = g_strdup_printf ("%d", g_uri_get_port (uri));
  if (g_uri_get_port (uri) > 0 && !is_set (environment, port_name))
    environment = g_environ_setenv (environment, port_name, port, TRUE);
  return environment;
}

char **
dub_service_environment (char **environment)
{
  for (gsize i = 0; i < G_N_ELEMENTS (aliases); i++) {
    g_autofree char *value =
        g_strdup (g_environ_getenv (environment, aliases[i].old));

    if (value != NULL && *value != '\0' &&
        !is_set (environment, aliases[i].name))
      environment =
          g_environ_setenv (environment, aliases[i].name, value, TRUE);
  }
  environment =
      take_server_url (environment, "MEDIAMTX_RTMP_URL", "MEDIAMTX_RTMP_PORT");
  return take_server_url (
      environment, "MEDIAMTX_RTSP_URL", "MEDIAMTX_RTSP_PORT");
}

/* --- what could never work --- */

static gboolean
check_languages (const DubServiceSettings *self, GError **error)
{
  g_auto (GStrv) words = g_strsplit (
      self->target_languages != NULL ? self->target_languages : "", ",", -1);

  for (gsize i = 0; words[i] != NULL; i++)
    if (!dub_language_tag_check (
            "WORKER_TARGET_LANGUAGES", words[i], FALSE, error))
      return FALSE;
  return dub_language_tag_check (
             "WORKER_TARGET_LANGUAGE", self->target_language, FALSE, error) &&
         dub_language_tag_check (
             "WORKER_SOURCE_LANGUAGE", self->source_language, TRUE, error);
}

static gboolean
check_worker_command (const DubServiceSettings *self, GError **error)
{
  g_autofree char *found = NULL;

  if (self->worker_command == NULL)
    return TRUE;
  found = g_find_program_in_path (self->worker_command);
  if (found != NULL)
    return TRUE;
  g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
      "ORCH_WORKER_COMMAND: %s is no program that can be run",
      self->worker_command);
  return FALSE;
}

/* Both are the workers', which have them from our environment; what else is
 * wrong with them a worker tells. */
static gboolean
check_capture (char **environment, GError **error)
{
  const char *mode = g_environ_getenv (environment, "CAPTURE");
  const char *folder = g_environ_getenv (environment, "CAPTURE_DIR");

  if (!is_set (environment, "CAPTURE") || g_str_equal (mode, "off"))
    return TRUE;
  if (!is_set (environment, "CAPTURE_DIR")) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "CAPTURE_DIR: CAPTURE=%s needs a folder", mode);
    return FALSE;
  }
  if (g_mkdir_with_parents (folder, 0700) == 0 &&
      g_access (folder, W_OK | X_OK) == 0)
    return TRUE;
  g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
      "CAPTURE_DIR: %s is no folder that can be written: %s", folder,
      g_strerror (errno));
  return FALSE;
}

static gboolean
derive (DubServiceSettings *self, GError **error)
{
  if (!check_address (self, error) || !check_user (self, error) ||
      !derive_languages (self, error) || !check_languages (self, error) ||
      !check_worker_command (self, error))
    return FALSE;
  if (self->runtime_dir == NULL)
    self->runtime_dir = default_runtime_dir ();
  if (self->worker_command == NULL)
    self->worker_command = default_worker_command ();
  if (self->mediamtx_api_url == NULL)
    self->mediamtx_api_url = default_api_url (self);
  return make_private_folder (self->runtime_dir, error);
}

gboolean
dub_service_settings_load (DubServiceSettings *settings, int *argc,
    char ***argv, char **environment, GError **error)
{
  g_auto (GStrv) all = dub_service_environment (g_strdupv (environment));

  if (!dub_config_load (options, settings, argc, argv, all, error))
    return FALSE;
  if (argv != NULL && *argc > 1) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "\"%s\" is no option; see --help", (*argv)[1]);
    dub_config_clear (options, settings);
    return FALSE;
  }
  if (check_capture (all, error) && derive (settings, error))
    return TRUE;
  dub_config_clear (options, settings);
  return FALSE;
}

void
dub_service_settings_clear (DubServiceSettings *settings)
{
  dub_config_clear (options, settings);
}
