/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include <dubbing_common/error.h>
#include <dubbing_common/language_tag.h>
#include <dubbing_common/tls.h>
#include <gio/gio.h>

#define ROW(...) DUB_OPTION_ROW_AT (DubStsSettings, __VA_ARGS__)

static const char *const switches[] = {"auto", "true", "false", NULL};

/* clang-format off */
const DubOption dub_sts_options[] = {
  { ROW ("host", "HOST", STRING, host, NULL),
    .help = "Address to listen on; unset: 127.0.0.1, or every address when "
            "STS_API_KEY is set" },
  { ROW ("port", "PORT", INT, port, "8000"), .min = 0, .max = 65535,
    .help = "TCP port; 0: any free one, printed at start" },
  { ROW ("echo-host", "ECHO_HOST", STRING, echo_host, NULL),
    .help = "HOST of the echo mode, where it differs" },
  { ROW ("echo-port", "ECHO_PORT", INT, echo_port, "0"),
    .min = 0, .max = 65535,
    .help = "PORT of the echo mode, where it differs; 0: as PORT" },
  { ROW ("api-key", "STS_API_KEY", SECRET, api_key, NULL),
    .help = "Clients must send it as \"Authorization: Bearer KEY\"" },
  { ROW ("metrics-token", "METRICS_TOKEN", SECRET, metrics_token, NULL),
    .help = "The same, for /metrics and nothing else; STS_API_KEY opens it "
            "too" },
  DUB_TLS_SERVER_OPTIONS (DubStsSettings, tls_cert_file, tls_key_file),
  DUB_TLS_TRUST_OPTION (DubStsSettings, tls_ca_file),
  { ROW ("source-language", "SOURCE_LANGUAGE", STRING, source_language,
        "auto"), .min = 2, .max = 10,
    .help = "When a stream names none; auto: found by listening" },
  { ROW ("target-language", "TARGET_LANGUAGE", STRING, target_language, "en"),
    .min = 2, .max = 10, .help = "When a stream names none" },
  { ROW ("echo-processing-delay-ms", "ECHO_PROCESSING_DELAY_MS", INT,
        echo_delay_ms, "0"), .min = 0, .max = 60000, .unit = "ms",
    .help = "How long the echo mode takes for a fragment" },
  { ROW ("backpressure-enabled", "BACKPRESSURE_ENABLED", CHOICE,
        backpressure, "auto"), .choices = switches,
    .help = "Tell clients when too much is in flight; auto: not in echo "
            "mode" },
  { ROW ("backpressure-threshold-low", "BACKPRESSURE_THRESHOLD_LOW", DOUBLE,
        threshold_low, "0"), .min = 0, .max = 10,
    .help = "Up to 1 a share of max_inflight, above it a count; 0: 0.5 in "
            "echo mode, else 2" },
  { ROW ("backpressure-threshold-medium", "BACKPRESSURE_THRESHOLD_MEDIUM",
        DOUBLE, threshold_medium, "0"), .min = 0, .max = 10,
    .help = "The same; 0: 0.7 in echo mode, else 4" },
  { ROW ("backpressure-threshold-high", "BACKPRESSURE_THRESHOLD_HIGH", DOUBLE,
        threshold_high, "0"), .min = 0, .max = 10,
    .help = "The same; 0: 0.9 in echo mode, else 7" },
  { ROW ("ws-max-buffer-size", "WS_MAX_BUFFER_SIZE", INT, max_message_bytes,
        "16842752"), .min = 65536, .max = 67108864, .unit = "bytes",
    .help = "Largest message that is taken" },
  { ROW ("ws-max-connections", "WS_MAX_CONNECTIONS", INT, max_connections,
        "256"), .min = 1, .max = 10000,
    .help = "Clients at a time; more get HTTP 503" },
  { ROW ("sts-rate-limit", "STS_RATE_LIMIT", INT, rate_limit, "100"),
    .min = 0, .max = 100000, .unit = "1/s",
    .help = "HTTP requests and Socket.IO handshakes that one address may make; "
            "four seconds' worth at once, more get 429; 0: no limit" },
  { ROW ("trusted-proxies", "TRUSTED_PROXIES", STRING, trusted_proxies, NULL),
    .help = "Addresses and networks, with commas between, of reverse proxies: "
            "who asks is then what they add to X-Forwarded-For, as "
            "127.0.0.1,10.0.0.0/8" },
  { ROW ("sts-event-limit", "STS_EVENT_LIMIT", INT, event_limit, "500"),
    .min = 0, .max = 100000, .unit = "1/s",
    .help = "Socket.IO events of one connection, likewise; more get "
            "RATE_LIMIT, and who goes on is cut" },
  { ROW ("ws-ping-interval", "WS_PING_INTERVAL", INT, ping_interval_s, "25"),
    .min = 1, .max = 300, .unit = "s", .help = "Between heartbeats" },
  { ROW ("ws-ping-timeout", "WS_PING_TIMEOUT", INT, ping_timeout_s, "10"),
    .min = 1, .max = 300, .unit = "s",
    .help = "A client that is silent for so long after one is gone" },
  { ROW ("auto-disconnect-delay", "AUTO_DISCONNECT_DELAY", INT,
        auto_disconnect_s, "5"), .min = 0, .max = 3600, .unit = "s",
    .help = "From stream:complete to the end of the connection" },
  DUB_LOG_OPTIONS (DubStsSettings, log_level, log_format),
  DUB_PIPELINE_OPTIONS (DubStsSettings, pipeline),
  DUB_ARTIFACTS_OPTIONS (DubStsSettings, artifacts),
  { NULL }
};
/* clang-format on */

gboolean
dub_sts_settings_check (const DubStsSettings *settings, GError **error)
{
  return dub_language_tag_check (
             "SOURCE_LANGUAGE", settings->source_language, TRUE, error) &&
         dub_language_tag_check (
             "TARGET_LANGUAGE", settings->target_language, FALSE, error);
}

static gboolean
is_loopback (const char *host)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (host);

  return g_str_equal (host, "localhost") ||
         (address && g_inet_address_get_is_loopback (address));
}

gboolean
dub_sts_settings_find_address (const DubStsSettings *settings, gboolean is_echo,
    char **ret_host, guint16 *ret_port, GError **error)
{
  gboolean has_key = settings->api_key && *settings->api_key;
  const char *host = settings->host;
  gint64 port = settings->port;

  if (is_echo && settings->echo_host)
    host = settings->echo_host;
  if (is_echo && settings->echo_port > 0)
    port = settings->echo_port;
  if (!host)
    host = has_key ? "0.0.0.0" : "127.0.0.1";
  if (!has_key && !is_loopback (host)) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "HOST: \"%s\" can be reached by others, which needs STS_API_KEY; "
        "without it only a loopback address is served",
        host);
    return FALSE;
  }
  *ret_host = g_strdup (host);
  *ret_port = (guint16) port;
  return TRUE;
}
