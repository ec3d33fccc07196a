/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/config.h>

/*
 * What media-service is told, by command line and environment. The variables
 * that it does not know itself (VAD_..., DUCK_DB and so on) reach its workers
 * through their environment; what it knows it hands to each worker, with the
 * stream's own values, as JSON on standard input.
 *
 * Filled once at start; immutable from then on.
 */
G_BEGIN_DECLS

/* How a worker pulls its stream. */
typedef enum {
  DUB_INGEST_AUTO = 0, /* RTSP for what is known to be H.265 */
  DUB_INGEST_BY_RTMP,
  DUB_INGEST_BY_RTSP,
} DubIngestWay;

typedef struct {
  gint64 port;
  char *http_addr; /* (nullable) */
  char *api_token; /* (nullable), as are these: */
  char *metrics_token, *hook_token;
  char *tls_cert_file, *tls_key_file, *tls_ca_file;
  gint64 rate_limit; /* 0: none */

  char *mediamtx_host;
  gint64 mediamtx_rtmp_port;
  gint64 mediamtx_rtsp_port;
  int ingest;                /* DubIngestWay */
  char *mediamtx_api_url;    /* (nullable): do not ask */
  char *mediamtx_hls_url;    /* (nullable): see dub_page_get_hls_url () */
  char *mediamtx_webrtc_url; /* (nullable) */
  char *mediamtx_user;       /* (nullable), with mediamtx_password */
  char *mediamtx_password;
  gint64 reconcile_ms;

  char *streams_file; /* (nullable) */
  char *media_root;   /* (nullable): no files through the API */
  gboolean metrics_enabled, check_config;

  gint64 grace_ms;
  gint64 max_workers;
  char *worker_command; /* (nullable): media-worker, beside us or in PATH */
  gboolean keep_workers;
  gint64 stop_timeout_ms;
  char *runtime_dir; /* set after load */

  char *sts_service_url;
  char *sts_token; /* (nullable) */
  gboolean skip_sts_connection;
  char *source_language, *target_language, *voice_profile;
  char *target_languages; /* (nullable): "en,es", in place of the one */
  char *output_url;       /* (nullable); holds a key */
  gint64 output_delay_ms;
  double duck_db;
  int mix_mode, fallback_mode; /* into dub_mix_modes, dub_fallback_modes */

  int log_level;  /* DubLogLevel - 1 */
  int log_format; /* DubLogFormat */
} DubServiceSettings;

const DubOption *dub_service_options (void);

/* Loads and derives: folder, worker's program, MediaMTX's API. Refuses an
 * address that others can reach without a token. */
gboolean dub_service_settings_load (DubServiceSettings *settings, int *argc,
    char ***argv, char **environment, GError **error);
void dub_service_settings_clear (DubServiceSettings *settings);

/* The environment with the names of earlier programs under ours, where ours
 * are not set; docs/deployment.md lists them. (transfer full) in and out */
char **dub_service_environment (char **environment);

/* Where to listen: host without brackets, and port. (transfer full) */
void dub_service_settings_get_address (
    const DubServiceSettings *settings, char **ret_host, guint *ret_port);

G_END_DECLS
