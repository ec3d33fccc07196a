/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include "control/json_text.h"
#include "destinations.h"

#include <dubbing_common/error.h>
#include <dubbing_common/instance.h>
#include <dubbing_common/paths.h>
#include <dubbing_common/stream_id.h>
#include <dubbing_common/tls.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <media_service/output_url.h>
#include <string.h>

#define SEGMENT_MODE_FIXED 1 /* in segment_modes */
#define AT(field) G_STRUCT_OFFSET (DubWorkerSettings, field)

/* Nothing waits for a file: the delay only lets segments have any length, a dub
 * may start as late as it must, and the service gives up before we do. */
#define FILE_DELAY_NS (65 * DUB_NS_PER_S)
#define FILE_LAG_NS (600 * DUB_NS_PER_S)
#define FILE_GRACE_NS (2 * DUB_NS_PER_S)

static const char *const output_schemes[] = {
    "rtmp", "rtmps", "rtsp", "rtsps", "srt", "file", NULL};
static const char *const input_schemes[] = {
    "rtmp", "rtmps", "rtsp", "file", NULL};
static const char *const sts_schemes[] = {"http", "https", "ws", "wss", NULL};
static const char *const mix_modes[] = {"lower", "remove", NULL};
static const char *const fallback_modes[] = {"pass-through", "ducked-original",
    "silence", "last-good-dub", "background-only", NULL};
static const char *const paces[] = {"live", "file", NULL};
static const char *const loss_modes[] = {"hold", "silence", "close", NULL};
static const char *const segment_modes[] = {"speech", "fixed", "off", NULL};
static const char *const capture_modes[] = {
    "off", "metadata", "media", "debug", NULL};
static const char *const vads[] = {"speech", "level", NULL};

static const DubOption options[] = {
    {"settings-stdin", "SETTINGS_STDIN", DUB_OPTION_BOOL, AT (settings_stdin),
        "false",
        .help = "Read one JSON object {\"NAME\": \"value\"} from standard "
                "input; it wins over everything else"},
    {"supervised", "SUPERVISED", DUB_OPTION_BOOL, AT (is_supervised), "false",
        .help = "For media-service, which takes over again what it has started "
                "so; what was started by hand it leaves alone"},
    {"stream-id", "STREAM_ID", DUB_OPTION_STRING, AT (stream_id), "stream", 1,
        128, .help = "Name of the stream in logs, metrics and the STS session"},
    {"run-id", "RUN_ID", DUB_OPTION_STRING, AT (run_id), NULL, 1, 64,
        .help = "Name of this run in logs; made up when unset"},
    {"input-url", "INPUT_URL", DUB_OPTION_URL, AT (input_url), NULL,
        .choices = input_schemes, .help = "Where the stream is pulled from"},
    {"output-url", "OUTPUT_URL", DUB_OPTION_URL, AT (output_url), NULL,
        .choices = output_schemes,
        .help = "Where the result is published; with PACE=file, an MP4 file"},
    {"egress-destinations", "EGRESS_DESTINATIONS", DUB_OPTION_SECRET,
        AT (egress_destinations), NULL,
        .help = "Where it is published beside that: a JSON array of at most 16 "
                "{\"name\", \"url\", \"language\"}; language is optional"},
    DUB_TLS_TRUST_OPTION (DubWorkerSettings, tls_ca_file),
    {"runtime-dir", "RUNTIME_DIR", DUB_OPTION_STRING, AT (runtime_dir), NULL,
        .help = "Folder of the control socket <stream>.sock; no socket when "
                "unset"},
    {"tap-dir", "TAP_DIR", DUB_OPTION_STRING, AT (tap_dir), NULL,
        .help = "For tests: writes video_in.csv, video_out.csv and "
                "sound_out.csv there (time, size, hash of each unit)"},

    {"capture", "CAPTURE", DUB_OPTION_CHOICE, AT (capture), "off",
        .choices = capture_modes,
        .help = "What is kept of each segment: texts and times, its sound as "
                "well, or (debug) that as bare samples too"},
    {"capture-dir", "CAPTURE_DIR", DUB_OPTION_STRING, AT (capture_dir), NULL,
        .help = "Folder for it; wanted unless CAPTURE is off"},
    {"capture-max-mb", "CAPTURE_MAX_MB", DUB_OPTION_INT, AT (capture_max_mb),
        "1024", 1, 1048576, .unit = "MB",
        .help = "For each stream; beyond it the oldest goes"},
    {"capture-retention-days", "CAPTURE_RETENTION_DAYS", DUB_OPTION_INT,
        AT (capture_retention_days), "7", 0, 3650, .unit = "days",
        .help = "Runs of any stream in CAPTURE_DIR go when they are older; 0 "
                "keeps them"},

    {"sts-service-url", "STS_SERVICE_URL", DUB_OPTION_URL, AT (sts_service_url),
        "http://localhost:3000", .choices = sts_schemes,
        .help = "The speech-to-speech service"},
    {"sts-token", "STS_TOKEN", DUB_OPTION_SECRET, AT (sts_token), NULL,
        .help = "Sent to it as Authorization: Bearer"},
    {"source-language", "WORKER_SOURCE_LANGUAGE", DUB_OPTION_STRING,
        AT (source_language), "auto", 2, 16,
        .help = "Spoken language, or auto"},
    {"target-language", "WORKER_TARGET_LANGUAGE", DUB_OPTION_STRING,
        AT (target_language), "en", 2, 16, .help = "Language of the dub"},
    {"target-languages", "WORKER_TARGET_LANGUAGES", DUB_OPTION_STRING,
        AT (target_languages), NULL, 1, 135,
        .help = "Several: a list as en,es,fr, up to 8, in place of that. The "
                "first goes to OUTPUT_URL, the others to OUTPUT_URL/es and so "
                "on"},
    {"voice-profile", "WORKER_VOICE_PROFILE", DUB_OPTION_STRING,
        AT (voice_profile), "default", 1, 128, .help = "Voice of the dub"},
    {"skip-sts-connection", "SKIP_STS_CONNECTION", DUB_OPTION_BOOL,
        AT (skip_sts_connection), "false",
        .help = "Pass the programme through without dubbing"},
    {"sts-max-inflight", "STS_MAX_INFLIGHT", DUB_OPTION_INT,
        AT (sts_max_inflight), "3", 1, 16,
        .help = "Fragments at the service at once, at most"},
    {"sts-fragment-timeout-ms", "STS_FRAGMENT_TIMEOUT_MS", DUB_OPTION_INT,
        AT (sts_fragment_timeout_ms), "8000", 500, 120000, .unit = "ms",
        .help = "An answer later than this is not waited for"},
    {"circuit-breaker-threshold", "CIRCUIT_BREAKER_THRESHOLD", DUB_OPTION_INT,
        AT (breaker_failures), "5", 1, 100,
        .help = "Failures of the service in a row after which it is left "
                "alone"},
    {"circuit-breaker-timeout", "CIRCUIT_BREAKER_TIMEOUT", DUB_OPTION_DURATION,
        AT (breaker_open_ms), "30s", 1000, 3600000,
        .help = "How long, until one fragment tries it again"},

    {"output-delay-ms", "OUTPUT_DELAY_MS", DUB_OPTION_INT, AT (output_delay_ms),
        "8000", 3000, 30000, .unit = "ms",
        .help = "How much later the programme leaves than it came"},
    {"max-dub-lag-ms", "MAX_DUB_LAG_MS", DUB_OPTION_INT, AT (max_dub_lag_ms),
        "1500", 0, 10000, .unit = "ms",
        .help = "How late a dubbed segment may start"},
    {"duck-db", "DUCK_DB", DUB_OPTION_DOUBLE, AT (duck_db), "-18", -60, 0,
        .unit = "dB", .help = "Level of the original under the dub"},
    {"mix-mode", "MIX_MODE", DUB_OPTION_CHOICE, AT (mix_mode), "lower",
        .choices = mix_modes, .help = "What the dub does to the original"},
    {"fallback-mode", "FALLBACK_MODE", DUB_OPTION_CHOICE, AT (fallback_mode),
        "pass-through", .choices = fallback_modes,
        .help = "What sounds where the dub is missing; background-only is "
                "refused until speech can be separated from it"},
    {"pace", "PACE", DUB_OPTION_CHOICE, AT (pace), "live", .choices = paces,
        .help =
            "live: everything leaves at its time; file: a file into a file, "
            "as fast as it can be dubbed, and nothing is too late"},
    {"source-loss", "SOURCE_LOSS", DUB_OPTION_CHOICE, AT (source_loss), "hold",
        .choices = loss_modes,
        .help = "What goes out when the buffer has run empty"},
    {"allow-no-audio", "ALLOW_NO_AUDIO", DUB_OPTION_BOOL, AT (allow_no_audio),
        "false", .help = "Silence in place of a missing sound track"},
    {"audio-bit-rate", "AUDIO_BIT_RATE", DUB_OPTION_INT, AT (audio_bit_rate),
        "160000", 64000, 320000, .unit = "bit/s",
        .help = "Bit rate of the AAC sound that leaves"},
    {"grace-period", "ORCH_GRACE_PERIOD", DUB_OPTION_DURATION, AT (grace_ms),
        "30s", 0, 300000,
        .help = "How long a lost source or output is waited for"},

    {"segment-mode", "SEGMENT_MODE", DUB_OPTION_CHOICE, AT (segment_mode),
        "speech", .choices = segment_modes,
        .help = "How speech is cut into segments; fixed: 6 s each, for a "
                "delay of 9 s or more"},
    {"vad", "VAD", DUB_OPTION_CHOICE, AT (vad), "speech", .choices = vads,
        .help = "What finds speech: a detector of speech, or of loudness"},
    {"vad-silence-threshold-db", "VAD_SILENCE_THRESHOLD_DB", DUB_OPTION_DOUBLE,
        AT (vad_silence_threshold_db), "-50", -100, 0, .unit = "dB",
        .help = "VAD=level: what is below it is silence"},
    {"vad-level-interval-ns", "VAD_LEVEL_INTERVAL_NS", DUB_OPTION_INT,
        AT (vad_level_interval_ns), "100000000", 50000000, 500000000,
        .unit = "ns", .help = "VAD=level: how often it is measured"},
    {"vad-memory-limit-bytes", "VAD_MEMORY_LIMIT_BYTES", DUB_OPTION_INT,
        AT (vad_memory_limit_bytes), "10485760", 1048576, 104857600,
        .unit = "bytes", .help = "Largest segment"},
    {"vad-model", "VAD_MODEL", DUB_OPTION_STRING, AT (vad_model), NULL,
        .help = "silero_vad.onnx; looked for in the cache folder when unset"},
    {"vad-silence-duration-s", "VAD_SILENCE_DURATION_S", DUB_OPTION_DOUBLE,
        AT (vad_silence_duration_s), NULL, 0.1, 5, .unit = "s",
        .help = "A pause of this length ends a segment. Unset: 0.4, with "
                "VAD=level 1.0"},
    {"vad-min-segment-duration-s", "VAD_MIN_SEGMENT_DURATION_S",
        DUB_OPTION_DOUBLE, AT (vad_min_segment_duration_s), "1.0", 0.5, 5,
        .unit = "s", .help = "Shortest segment"},
    {"vad-max-segment-duration-s", "VAD_MAX_SEGMENT_DURATION_S",
        DUB_OPTION_DOUBLE, AT (vad_max_segment_duration_s), "5", 1, 60,
        .unit = "s", .help = "Longest segment"},

    DUB_LOG_OPTIONS (DubWorkerSettings, log_level, log_format),
    {NULL},
};

const DubOption *
dub_worker_options (void)
{
  return options;
}

/* (transfer full) (nullable) */
static char *
value_to_text (JsonNode *node)
{
  GValue value = G_VALUE_INIT;
  GValue text = G_VALUE_INIT;
  char *result = NULL;

  if (!JSON_NODE_HOLDS_VALUE (node))
    return NULL;
  json_node_get_value (node, &value);
  if (G_VALUE_HOLDS_BOOLEAN (&value))
    result = g_strdup (g_value_get_boolean (&value) ? "true" : "false");
  else if (G_VALUE_HOLDS_DOUBLE (&value)) {
    char buffer[G_ASCII_DTOSTR_BUF_SIZE];

    result = g_strdup (
        g_ascii_dtostr (buffer, sizeof buffer, g_value_get_double (&value)));
  } else {
    g_value_init (&text, G_TYPE_STRING);
    if (g_value_transform (&value, &text))
      result = g_value_dup_string (&text);
    g_value_unset (&text);
  }
  g_value_unset (&value);
  return result;
}

gboolean
dub_worker_settings_apply_json (
    DubWorkerSettings *settings, const char *json, GError **error)
{
  g_autoptr (JsonObject) object = NULL;
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  object =
      dub_json_object_parse (json, -1, DUB_WORKER_SETTINGS_MAX_BYTES, error);
  if (!object) {
    g_prefix_error (error, "settings on standard input: ");
    return FALSE;
  }
  json_object_iter_init (&iter, object);
  while (json_object_iter_next (&iter, &name, &node)) {
    g_autofree char *value = value_to_text (node);

    if (!value) {
      g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
          "the setting %s must be a string, a number or a boolean", name);
      return FALSE;
    }
    if (*value && !dub_config_set (options, settings, name, value, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
require (const char *value, const char *name, GError **error)
{
  if (value && *value)
    return TRUE;
  g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID, "%s is not set", name);
  return FALSE;
}

gboolean
dub_worker_settings_check_fallback (
    const DubWorkerSettings *self, GError **error)
{
  DubFallbackMode mode;

  if (dub_fallback_mode_parse (fallback_modes[self->fallback_mode], &mode))
    return TRUE;
  g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
      "FALLBACK_MODE=%s: this build cannot separate speech from its "
      "background; use pass-through, ducked-original or silence",
      fallback_modes[self->fallback_mode]);
  return FALSE;
}

/* A file is made from a file, whole; a live stream goes to a server. */
static gboolean
check_pace (const DubWorkerSettings *self, GError **error)
{
  gboolean is_file = self->pace == DUB_WORKER_FILE;

  if (g_str_has_prefix (self->output_url, "file:") == is_file &&
      (!is_file || (g_str_has_prefix (self->input_url, "file:") &&
                       !self->allow_no_audio)))
    return TRUE;
  g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID, "PACE=%s: %s",
      paces[self->pace],
      is_file ? "INPUT_URL and OUTPUT_URL must be files, and ALLOW_NO_AUDIO "
                "does not go with it"
              : "OUTPUT_URL must be a server's, not a file");
  return FALSE;
}

static gboolean
check_destinations (const DubWorkerSettings *self, GError **error)
{
  g_autoptr (GPtrArray) list =
      dub_destinations_parse (self->egress_destinations, error);

  if (list && list->len > 0 && self->pace == DUB_WORKER_FILE) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "EGRESS_DESTINATIONS does not go with PACE=file");
    return FALSE;
  }
  return list != NULL;
}

/* It becomes a part of a path, and a label. */
static gboolean
is_language (const char *text)
{
  gsize length = strlen (text);

  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalnum (text[i]) && text[i] != '-')
      return FALSE;
  return length >= 2 && length <= 16;
}

static gboolean
check_languages (const DubWorkerSettings *self, GError **error)
{
  guint n = g_strv_length (self->languages);
  g_autofree char *url = dub_output_url_of_language (self->output_url, "en");
  const char *wrong = NULL;

  if (n == 0 || n > DUB_WORKER_MAX_LANGUAGES)
    wrong = "1 to 8 languages are wanted, as in en,es,fr";
  for (guint i = 0; !wrong && i < n; i++) {
    if (!is_language (self->languages[i]))
      wrong = "a language is a code such as en or pt-BR";
    for (guint k = 0; !wrong && k < i; k++)
      if (g_str_equal (self->languages[i], self->languages[k]))
        wrong = "it names a language twice";
  }
  if (!wrong && n > 1 && self->pace == DUB_WORKER_FILE)
    wrong = "several languages need a live output";
  if (!wrong && n > 1 && !url)
    wrong = "several languages by SRT need an OUTPUT_URL with a path, as in "
            "srt://host:port?streamid=publish:path";
  if (wrong)
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "WORKER_TARGET_LANGUAGES: %s", wrong);
  return !wrong;
}

static gboolean
derive_languages (DubWorkerSettings *self, GError **error)
{
  const char *const one[] = {self->target_language, NULL};

  g_strfreev (self->languages);
  if (!self->target_languages) {
    self->languages = g_strdupv ((char **) one);
    return TRUE;
  }
  self->languages = g_strsplit (self->target_languages, ",", -1);
  for (guint i = 0; self->languages[i]; i++)
    g_strstrip (self->languages[i]);
  return check_languages (self, error);
}

char *
dub_worker_settings_get_output_url (
    const DubWorkerSettings *self, const char *language)
{
  return dub_output_url_of_language (self->output_url, language);
}

/* It is the name of our socket and of a folder. */
static gboolean
check_stream_id (const DubWorkerSettings *self, GError **error)
{
  if (dub_stream_id_is_valid (self->stream_id))
    return TRUE;
  g_set_error_literal (error, DUB_ERROR, DUB_ERROR_INVALID,
      "STREAM_ID: allowed are letters, figures, _ and -");
  return FALSE;
}

static gboolean
derive (DubWorkerSettings *self, GError **error)
{
  self->grace_ns = self->grace_ms * DUB_NS_PER_MS;
  if (!self->run_id)
    self->run_id = dub_run_id_new ();
  if (!self->instance_id)
    self->instance_id = dub_instance_id_new ();
  return check_stream_id (self, error) &&
         dub_worker_settings_check_fallback (self, error) &&
         require (self->input_url, "INPUT_URL", error) &&
         require (self->output_url, "OUTPUT_URL", error) &&
         (self->capture == 0 ||
             require (self->capture_dir, "CAPTURE_DIR", error)) &&
         check_pace (self, error) && derive_languages (self, error) &&
         check_destinations (self, error);
}

gboolean
dub_worker_settings_load (DubWorkerSettings *settings, int *argc, char ***argv,
    char **environment, const char *settings_json, GError **error)
{
  if (!settings_json &&
      !dub_config_load (options, settings, argc, argv, environment, error))
    return FALSE;
  if (settings_json &&
      !dub_worker_settings_apply_json (settings, settings_json, error))
    return FALSE;
  if (settings->settings_stdin && !settings_json)
    return TRUE;
  return derive (settings, error);
}

void
dub_worker_settings_clear (DubWorkerSettings *settings)
{
  dub_config_clear (options, settings);
  g_clear_pointer (&settings->languages, g_strfreev);
  g_clear_pointer (&settings->instance_id, g_free);
}

DubFallbackMode
dub_worker_settings_get_fallback (const DubWorkerSettings *self)
{
  DubFallbackMode mode = DUB_FALLBACK_PASS_THROUGH;

  dub_fallback_mode_parse (fallback_modes[self->fallback_mode], &mode);
  return mode;
}

static gint64
seconds_to_ns (double seconds)
{
  return (gint64) llround (seconds * 1e9);
}

static gint64
pause_ns (const DubWorkerSettings *self)
{
  if (self->vad_silence_duration_s > 0)
    return seconds_to_ns (self->vad_silence_duration_s);
  return self->vad == DUB_WORKER_VAD_LEVEL ? DUB_NS_PER_S : 400 * DUB_NS_PER_MS;
}

gboolean
dub_worker_settings_has_room_for_fixed (const DubWorkerSettings *self)
{
  return self->segment_mode != SEGMENT_MODE_FIXED ||
         self->output_delay_ms >= DUB_WORKER_FIXED_MIN_DELAY_MS;
}

void
dub_worker_settings_to_params (
    const DubWorkerSettings *self, DubProgrammeParams *ret_params)
{
  DubProgrammeParams *p = ret_params;
  static const DubSegmentMode modes[] = {
      DUB_SEGMENT_MODE_SPEECH, DUB_SEGMENT_MODE_FIXED, DUB_SEGMENT_MODE_NONE};

  dub_programme_params_init (p);
  p->output_delay_ns = self->output_delay_ms * DUB_NS_PER_MS;
  p->max_dub_lag_ns = self->max_dub_lag_ms * DUB_NS_PER_MS;
  p->mix_mode = (DubMixMode) (self->mix_mode + 1);
  p->duck_db = self->duck_db;
  p->fallback_mode = dub_worker_settings_get_fallback (self);
  p->source_loss = (DubSourceLoss) (self->source_loss + 1);
  p->segment_mode = self->skip_sts_connection ? DUB_SEGMENT_MODE_NONE
                                              : modes[self->segment_mode];
  p->pause_ns = pause_ns (self);
  p->min_segment_ns = seconds_to_ns (self->vad_min_segment_duration_s);
  p->max_segment_ns = seconds_to_ns (self->vad_max_segment_duration_s);
  p->segment_bytes = self->vad_memory_limit_bytes;
  if (p->segment_mode == DUB_SEGMENT_MODE_FIXED)
    p->max_segment_ns = DUB_WORKER_FIXED_SEGMENT_MS * DUB_NS_PER_MS;
  if (!dub_worker_settings_has_room_for_fixed (self))
    p->segment_mode = DUB_SEGMENT_MODE_NONE;
  p->max_inflight = (guint) self->sts_max_inflight;
  p->fragment_timeout_ns = self->sts_fragment_timeout_ms * DUB_NS_PER_MS;
  p->breaker_failures = (guint) self->breaker_failures;
  p->breaker_open_ns = self->breaker_open_ms * DUB_NS_PER_MS;
  if (self->pace != DUB_WORKER_FILE)
    return;
  p->is_file = TRUE;
  p->output_delay_ns = FILE_DELAY_NS;
  p->max_dub_lag_ns = FILE_LAG_NS;
  p->fragment_timeout_ns += FILE_GRACE_NS;
}

char *
dub_worker_settings_get_vad_model (const DubWorkerSettings *self)
{
  g_autofree char *folder = dub_models_dir ();

  if (self->vad_model)
    return g_strdup (self->vad_model);
  return g_build_filename (folder, "silero_vad.onnx", NULL);
}
