/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/config.h>

#include "../programme/programme.h"

/*
 * What a worker is told: one table of options, read from the command line,
 * the environment and, with --settings-stdin, one JSON object on standard
 * input, {"NAME": "value"}, which wins. Keys and URLs with keys come that way
 * and never by the arguments, which everyone on the machine can read.
 *
 * Filled once at start; immutable from then on.
 */
G_BEGIN_DECLS

/* Larger objects than this are refused. */
#define DUB_WORKER_SETTINGS_MAX_BYTES 65536

typedef enum {
  DUB_WORKER_VAD_SPEECH = 0, /* Silero */
  DUB_WORKER_VAD_LEVEL,      /* the loudness gate */
} DubWorkerVad;

/* SEGMENT_MODE=fixed: of this length, from this delay on. */
#define DUB_WORKER_FIXED_SEGMENT_MS 6000
#define DUB_WORKER_FIXED_MIN_DELAY_MS 9000

#define DUB_WORKER_MAX_LANGUAGES 8

typedef enum { DUB_WORKER_LIVE = 0, DUB_WORKER_FILE } DubWorkerPace;

typedef struct {
  gboolean settings_stdin;
  gboolean is_supervised;
  char *stream_id;
  char *run_id;
  char *input_url;
  char *output_url;
  char *egress_destinations; /* (nullable) see destinations.h */
  char *tls_ca_file;
  char *runtime_dir;
  char *tap_dir;
  int capture;       /* DubCaptureMode */
  char *instance_id; /* of this process; made up, not an option */
  char *capture_dir;
  gint64 capture_max_mb;
  gint64 capture_retention_days; /* 0: for ever */

  char *sts_service_url;
  char *sts_token;
  char *source_language;
  char *target_language;
  char *target_languages; /* (nullable) */
  char *voice_profile;
  gboolean skip_sts_connection;
  gint64 sts_max_inflight;
  gint64 sts_fragment_timeout_ms;
  gint64 breaker_failures;
  gint64 breaker_open_ms;

  gint64 output_delay_ms;
  gint64 max_dub_lag_ms;
  double duck_db;
  int mix_mode;      /* DubMixMode - 1 */
  int fallback_mode; /* index into the names of FALLBACK_MODE */
  int source_loss;   /* DubSourceLoss - 1 */
  int pace;          /* DubWorkerPace */
  gboolean allow_no_audio;
  gint64 audio_bit_rate;
  gint64 grace_ms;

  int segment_mode; /* speech, fixed, off */
  int vad;          /* DubWorkerVad */
  double vad_silence_threshold_db;
  gint64 vad_level_interval_ns;
  gint64 vad_memory_limit_bytes;
  char *vad_model;
  double vad_silence_duration_s; /* 0: the detector's own */
  double vad_min_segment_duration_s;
  double vad_max_segment_duration_s;

  int log_level; /* DubLogLevel - 1 */
  int log_format;

  /* derived */
  gint64 grace_ns;
  char **languages; /* of the dubs, 1 to 8; the first goes to output_url */
} DubWorkerSettings;

const DubOption *dub_worker_options (void);

/* settings_json: (nullable). Fills what is derived and checks what belongs
 * together. Clear it with dub_worker_settings_clear () in either case. */
gboolean dub_worker_settings_load (DubWorkerSettings *settings, int *argc,
    char ***argv, char **environment, const char *settings_json,
    GError **error);
void dub_worker_settings_clear (DubWorkerSettings *settings);

/* One object of names and strings, numbers or booleans; DUB_ERROR_INVALID
 * names what does not belong. */
gboolean dub_worker_settings_apply_json (
    DubWorkerSettings *settings, const char *json, GError **error);

/* FALSE: SEGMENT_MODE=fixed with a delay that is too short: pass-through. */
gboolean dub_worker_settings_has_room_for_fixed (const DubWorkerSettings *self);
void dub_worker_settings_to_params (
    const DubWorkerSettings *self, DubProgrammeParams *ret_params);

/* FALSE for a mode that has a name but does not work yet. */
gboolean dub_worker_settings_check_fallback (
    const DubWorkerSettings *self, GError **error);
DubFallbackMode dub_worker_settings_get_fallback (
    const DubWorkerSettings *self);

/* Where a language is published; language NULL: the first. (transfer full) */
char *dub_worker_settings_get_output_url (
    const DubWorkerSettings *self, const char *language);

/* In the cache folder, where the fetch tool puts it. (transfer full) */
char *dub_worker_settings_get_vad_model (const DubWorkerSettings *self);

G_END_DECLS
