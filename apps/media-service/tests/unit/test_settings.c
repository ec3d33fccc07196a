/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/settings.h"

#include <dubbing_common/error.h>
#include <string.h>

static gboolean
load (DubWorkerSettings *settings, const char *json, GError **error)
{
  static char *environment[] = {NULL};
  char *words[] = {(char *) "media-worker", (char *) "--settings-stdin", NULL};
  char **argv = words;
  int argc = 2;

  memset (settings, 0, sizeof *settings);
  return dub_worker_settings_load (
             settings, &argc, &argv, environment, NULL, error) &&
         dub_worker_settings_load (settings, NULL, NULL, NULL, json, error);
}

#define URLS                                                                   \
  "\"INPUT_URL\": \"rtmp://h/live/a/in\", "                                    \
  "\"OUTPUT_URL\": \"rtmp://h/live/a/out\""

static void
test_json (void)
{
  g_autoptr (GError) error = NULL;
  DubWorkerSettings settings;
  DubProgrammeParams params;

  g_assert_true (load (&settings,
      "{" URLS ", \"OUTPUT_DELAY_MS\": 6000, \"DUCK_DB\": \"-12.5\", "
      "\"MIX_MODE\": \"remove\", \"SOURCE_LOSS\": \"silence\", "
      "\"FALLBACK_MODE\": \"last-good-dub\", \"ALLOW_NO_AUDIO\": true, "
      "\"ORCH_GRACE_PERIOD\": \"1m\", \"STREAM_ID\": \"\"}",
      &error));
  g_assert_no_error (error);
  g_assert_cmpstr (settings.input_url, ==, "rtmp://h/live/a/in");
  g_assert_true (settings.allow_no_audio);
  g_assert_cmpint (settings.grace_ns, ==, 60 * DUB_NS_PER_S);
  /* An empty value is an unset one. */
  g_assert_cmpstr (settings.stream_id, ==, "stream");
  g_assert_nonnull (settings.run_id);

  dub_worker_settings_to_params (&settings, &params);
  g_assert_cmpint (params.output_delay_ns, ==, 6 * DUB_NS_PER_S);
  g_assert_cmpfloat (params.duck_db, ==, -12.5);
  g_assert_cmpint (params.mix_mode, ==, DUB_MIX_REMOVE);
  g_assert_cmpint (params.source_loss, ==, DUB_SOURCE_LOSS_SILENCE);
  g_assert_cmpint (params.fallback_mode, ==, DUB_FALLBACK_PASS_THROUGH);
  g_assert_cmpint (params.segment_mode, ==, DUB_SEGMENT_MODE_SPEECH);
  g_assert_cmpint (params.pause_ns, ==, 400 * DUB_NS_PER_MS);
  dub_worker_settings_clear (&settings);
}

typedef struct {
  const char *json;
  const char *named; /* in the message */
} RefusedCase;

static void
test_refused (void)
{
  static const RefusedCase cases[] = {
      {"{\"INPUT_URL\": \"rtmp://h/a/b\"}", "OUTPUT_URL"},
      {"{" URLS ", \"OUTPUT_DELAY_MS\": 100}", "OUTPUT_DELAY_MS"},
      {"{" URLS ", \"OUTPUT_DELAY_MS\": null}", "OUTPUT_DELAY_MS"},
      {"{" URLS ", \"OUTPUT_DELAY_MS\": [1]}", "OUTPUT_DELAY_MS"},
      {"{" URLS ", \"NO_SUCH\": \"1\"}", "NO_SUCH"},
      {"{" URLS ", \"ORCH_GRACE_PERIOD\": \"6m\"}", "ORCH_GRACE_PERIOD"},
      {"{" URLS ", \"SOURCE_LOSS\": \"cry\"}", "SOURCE_LOSS"},
      {"{" URLS ", \"FALLBACK_MODE\": \"background-only\"}", "separat"},
      {"{\"INPUT_URL\": \"gopher://h/a\"}", "INPUT_URL"},
      {"{\"STREAM_ID\": \"../a\", \"INPUT_URL\": \"rtmp://h/a/b\", "
       "\"OUTPUT_URL\": \"rtmp://h/a/c\"}",
          "STREAM_ID"},
      {"[]", "object"},
      {"{", "object"},
      {"", "object"},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    DubWorkerSettings settings;

    g_assert_false (load (&settings, cases[i].json, &error));
    g_test_message ("%s: %s", cases[i].json, error->message);
    g_assert_error (error, DUB_ERROR, DUB_ERROR_INVALID);
    g_assert_nonnull (strstr (error->message, cases[i].named));
    dub_worker_settings_clear (&settings);
  }
}

/* A message about a bad object must not quote the keys that it holds. */
static void
test_no_secret_in_errors (void)
{
  g_autoptr (GError) error = NULL;
  DubWorkerSettings settings;

  g_assert_false (load (&settings, "{\"STS_TOKEN\": \"s3cr3t\", oops", &error));
  g_assert_null (strstr (error->message, "s3cr3t"));
  dub_worker_settings_clear (&settings);
}

static void
test_too_large (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *json = g_strnfill (DUB_WORKER_SETTINGS_MAX_BYTES + 1, ' ');
  DubWorkerSettings settings = {0};

  g_assert_false (dub_worker_settings_apply_json (&settings, json, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_LIMIT);
}

static void
test_pass_through (void)
{
  g_autoptr (GError) error = NULL;
  DubWorkerSettings settings;
  DubProgrammeParams params;

  g_assert_true (load (
      &settings, "{" URLS ", \"SKIP_STS_CONNECTION\": \"true\"}", &error));
  dub_worker_settings_to_params (&settings, &params);
  g_assert_cmpint (params.segment_mode, ==, DUB_SEGMENT_MODE_NONE);
  dub_worker_settings_clear (&settings);
}

typedef struct {
  const char *json;
  gboolean is_good;
  DubSegmentMode mode;
  gint64 pause_ms, max_ms;
} SegmentCase;

/* Each limit, and the first value beyond it. */
static void
test_segments (void)
{
  static const SegmentCase cases[] = {
      {"\"VAD\": \"speech\"", TRUE, DUB_SEGMENT_MODE_SPEECH, 400, 5000},
      {"\"VAD\": \"level\"", TRUE, DUB_SEGMENT_MODE_SPEECH, 1000, 5000},
      {"\"VAD\": \"level\", \"VAD_SILENCE_DURATION_S\": 0.1", TRUE,
          DUB_SEGMENT_MODE_SPEECH, 100, 5000},
      {"\"VAD_SILENCE_DURATION_S\": 5", TRUE, DUB_SEGMENT_MODE_SPEECH, 5000,
          5000},
      {"\"VAD_SILENCE_DURATION_S\": 0.09", FALSE, 0, 0, 0},
      {"\"VAD_SILENCE_DURATION_S\": 5.1", FALSE, 0, 0, 0},
      {"\"VAD_SILENCE_THRESHOLD_DB\": -100", TRUE, DUB_SEGMENT_MODE_SPEECH, 400,
          5000},
      {"\"VAD_SILENCE_THRESHOLD_DB\": 0", TRUE, DUB_SEGMENT_MODE_SPEECH, 400,
          5000},
      {"\"VAD_SILENCE_THRESHOLD_DB\": -100.1", FALSE, 0, 0, 0},
      {"\"VAD_SILENCE_THRESHOLD_DB\": 0.1", FALSE, 0, 0, 0},
      {"\"VAD_LEVEL_INTERVAL_NS\": 49999999", FALSE, 0, 0, 0},
      {"\"VAD_LEVEL_INTERVAL_NS\": 500000001", FALSE, 0, 0, 0},
      {"\"VAD_MEMORY_LIMIT_BYTES\": 1048575", FALSE, 0, 0, 0},
      {"\"VAD_MEMORY_LIMIT_BYTES\": 104857601", FALSE, 0, 0, 0},
      {"\"VAD\": \"loud\"", FALSE, 0, 0, 0},
      {"\"SEGMENT_MODE\": \"fixed\", \"OUTPUT_DELAY_MS\": 9000", TRUE,
          DUB_SEGMENT_MODE_FIXED, 400, 6000},
      {"\"SEGMENT_MODE\": \"fixed\", \"OUTPUT_DELAY_MS\": 8999", TRUE,
          DUB_SEGMENT_MODE_NONE, 400, 6000},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *json = g_strdup_printf ("{" URLS ", %s}", cases[i].json);
    DubWorkerSettings settings;
    DubProgrammeParams params;

    g_test_message ("%s", json);
    g_assert_cmpint (load (&settings, json, NULL), ==, cases[i].is_good);
    if (cases[i].is_good) {
      dub_worker_settings_to_params (&settings, &params);
      g_assert_cmpint (params.segment_mode, ==, cases[i].mode);
      g_assert_cmpint (params.pause_ns / DUB_NS_PER_MS, ==, cases[i].pause_ms);
      g_assert_cmpint (
          params.max_segment_ns / DUB_NS_PER_MS, ==, cases[i].max_ms);
    }
    dub_worker_settings_clear (&settings);
  }
}

typedef struct {
  const char *json;      /* beside the URLs */
  const char *languages; /* NULL: refused */
} LanguageCase;

static void
test_languages (void)
{
  static const LanguageCase cases[] = {
      {"", "en"},
      {",\"WORKER_TARGET_LANGUAGE\":\"es\"", "es"},
      {",\"WORKER_TARGET_LANGUAGES\":\"de, es,pt-BR\"", "de es pt-BR"},
      {",\"WORKER_TARGET_LANGUAGES\":\"a1,a2,a3,a4,a5,a6,a7,a8\"",
          "a1 a2 a3 a4 a5 a6 a7 a8"},
      {",\"WORKER_TARGET_LANGUAGES\":\"a1,a2,a3,a4,a5,a6,a7,a8,a9\"", NULL},
      {",\"WORKER_TARGET_LANGUAGES\":\"de,,es\"", NULL},
      {",\"WORKER_TARGET_LANGUAGES\":\"de,es,de\"", NULL},
      {",\"WORKER_TARGET_LANGUAGES\":\"de,../es\"", NULL},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *json =
        g_strconcat ("{\"INPUT_URL\":\"rtmp://h/a/in\",\"OUTPUT_URL\":"
                     "\"rtmp://h/live/a/out?user=u&pass=p\"",
            cases[i].json, "}", NULL);
    g_autoptr (GError) error = NULL;
    DubWorkerSettings settings;
    gboolean is_good = load (&settings, json, &error);

    g_test_message ("%s: %s", cases[i].json, error ? error->message : "");
    g_assert_cmpint (is_good, ==, cases[i].languages != NULL);
    if (is_good) {
      g_autofree char *all = g_strjoinv (" ", settings.languages);
      g_autofree char *first =
          dub_worker_settings_get_output_url (&settings, NULL);
      g_autofree char *other =
          dub_worker_settings_get_output_url (&settings, "es");

      g_assert_cmpstr (all, ==, cases[i].languages);
      g_assert_cmpstr (first, ==, "rtmp://h/live/a/out?user=u&pass=p");
      g_assert_cmpstr (other, ==, "rtmp://h/live/a/out/es?user=u&pass=p");
    } else {
      g_assert_nonnull (strstr (error->message, "WORKER_TARGET_LANGUAGES"));
    }
    dub_worker_settings_clear (&settings);
  }
}

/* A language is added to the path, so there must be one. */
static void
test_outputs (void)
{
  static const struct {
    const char *url;
    gboolean is_good, takes_languages;
  } cases[] = {
      {"rtmp://h/a/out", TRUE, TRUE},
      {"rtmps://h/a/out", TRUE, TRUE},
      {"rtsp://h/a/out", TRUE, TRUE},
      {"rtsps://h/a/out", TRUE, TRUE},
      {"srt://h:1?streamid=publish:a/out", TRUE, TRUE},
      {"srt://h:1?streamid=key", TRUE, FALSE},
      {"http://h/a/out", FALSE, FALSE},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *start = g_strdup_printf (
        "{\"INPUT_URL\":\"rtmp://h/a/in\",\"OUTPUT_URL\":\"%s\"", cases[i].url);
    g_autofree char *one = g_strconcat (start, "}", NULL);
    g_autofree char *two =
        g_strconcat (start, ",\"WORKER_TARGET_LANGUAGES\":\"de,es\"}", NULL);
    DubWorkerSettings settings;

    g_test_message ("%s", cases[i].url);
    g_assert_cmpint (load (&settings, one, NULL), ==, cases[i].is_good);
    dub_worker_settings_clear (&settings);
    g_assert_cmpint (load (&settings, two, NULL), ==, cases[i].takes_languages);
    dub_worker_settings_clear (&settings);
  }
}

/* The file in the repository is what the table makes. */
static void
test_env_example (void)
{
  g_autofree char *made =
      dub_config_env_example (dub_worker_options (), "media-worker");
  g_autofree char *kept = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (g_getenv ("WORKER_ENV_EXAMPLE"), &kept, NULL, &error);
  g_assert_no_error (error);
  if (strcmp (made, kept) != 0)
    g_error ("apps/media-service/.env.worker.example is not what "
             "`media-worker --print-env` prints");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/worker/settings/json", test_json);
  g_test_add_func ("/media/worker/settings/refused", test_refused);
  g_test_add_func (
      "/media/worker/settings/no-secret-in-errors", test_no_secret_in_errors);
  g_test_add_func ("/media/worker/settings/too-large", test_too_large);
  g_test_add_func ("/media/worker/settings/pass-through", test_pass_through);
  g_test_add_func ("/media/worker/settings/segments", test_segments);
  g_test_add_func ("/media/worker/settings/languages", test_languages);
  g_test_add_func ("/media/worker/settings/outputs", test_outputs);
  g_test_add_func ("/media/worker/settings/env-example", test_env_example);
  return g_test_run ();
}
