/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "artifacts/settings.h"
#include "pipeline/settings.h"
#include <dubbing_common/config.h>

/*
 * The settings of sts-service: one table for both modes, so that --help, the
 * summary at start and .env.example show the same.
 */
G_BEGIN_DECLS

typedef struct {
  char *host; /* NULL: 127.0.0.1, or every address when there is a key */
  gint64 port;
  char *echo_host;                                  /* (nullable) */
  gint64 echo_port;                                 /* 0: as port */
  char *api_key;                                    /* (nullable) */
  char *metrics_token;                              /* (nullable) */
  char *tls_cert_file, *tls_key_file, *tls_ca_file; /* (nullable) */
  char *source_language;
  char *target_language;
  gint64 echo_delay_ms;
  int backpressure; /* 0 auto, 1 yes, 2 no */
  double threshold_low, threshold_medium, threshold_high; /* 0: the mode's */
  gint64 max_message_bytes;
  gint64 max_connections;
  gint64 rate_limit; /* requests a second of one address; 0: none */
  char *trusted_proxies;
  gint64 event_limit; /* events a second of one connection; 0: none */
  gint64 ping_interval_s;
  gint64 ping_timeout_s;
  gint64 auto_disconnect_s;
  int log_level;
  int log_format;
  DubPipelineSettings pipeline;
  DubArtifactsOptions artifacts;
} DubStsSettings;

extern const DubOption dub_sts_options[];

/* DUB_ERROR_INVALID, which names the setting, for what could never work. */
gboolean dub_sts_settings_check (
    const DubStsSettings *settings, GError **error);

/* Where the mode listens; a free string each. DUB_ERROR_INVALID when an
 * address that others can reach is asked for without a key. */
gboolean dub_sts_settings_find_address (const DubStsSettings *settings,
    gboolean is_echo, char **ret_host, guint16 *ret_port, GError **error);

G_END_DECLS
