/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "sts.pipeline"

#include "commands.h"

#include "media_file.h"
#include "pipeline.h"
#include "speech.h"

#include <dubbing_common/clock.h>
#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <dubbing_common/pcm.h>
#include <json-glib/json-glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define RATE_HZ 48000

typedef struct {
  DubPipelineSettings pipeline;
  char *from, *to, *output;
  double seconds;
  gint64 deadline_ms;
  gboolean is_json;
} Settings;

static const DubOption options[] = {
    DUB_PIPELINE_OPTIONS (Settings, pipeline),
    {"from", "FRAGMENT_FROM", DUB_OPTION_STRING,
        G_STRUCT_OFFSET (Settings, from), "auto", .help = "Language spoken"},
    {"to", "FRAGMENT_TO", DUB_OPTION_STRING, G_STRUCT_OFFSET (Settings, to),
        "en", .help = "Language wanted"},
    {"output", "FRAGMENT_OUTPUT", DUB_OPTION_STRING,
        G_STRUCT_OFFSET (Settings, output), NULL,
        .help = "WAV file for the dub, each fragment in its place"},
    {"seconds", "FRAGMENT_SECONDS", DUB_OPTION_DOUBLE,
        G_STRUCT_OFFSET (Settings, seconds), "5", .min = 1, .max = 25,
        .unit = "s", .help = "Longest fragment"},
    {"deadline-ms", "FRAGMENT_DEADLINE_MS", DUB_OPTION_INT,
        G_STRUCT_OFFSET (Settings, deadline_ms), "8000", .min = 100,
        .max = 600000, .unit = "ms", .help = "Time that each fragment has"},
    {"json", "FRAGMENT_JSON", DUB_OPTION_BOOL,
        G_STRUCT_OFFSET (Settings, is_json), "false",
        .help = "One JSON object a line for each fragment"},
    {NULL},
};

/* Figures of all files, for the percentiles. */
typedef struct {
  GArray *total, *asr, *tts; /* of double, seconds */
  guint fragments, dubbed, fitting, without_speech;
  double worst_loudness;
} Figures;

typedef struct {
  const Settings *settings;
  GMainLoop *loop;
  DubProcessor *pipeline;
  Figures *figures;
  DubPcm *pcm;
  gint16 *dub; /* as long as the input and a little */
  gsize at, length;
  guint64 sequence;
  gboolean is_done; /* with the file */
  int status;
} Run;

static void next_fragment (Run *run);

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

static double
percentile (GArray *values, double share)
{
  guint index = (guint) (share * values->len);

  if (values->len == 0)
    return 0;
  g_array_sort (values, compare_doubles);
  return g_array_index (values, double, MIN (index, values->len - 1));
}

static void
add_seconds (GArray *values, guint ms)
{
  double seconds = ms / 1000.0;

  g_array_append_val (values, seconds);
}

static void
take_figures (Run *run, const DubResult *result)
{
  Figures *figures = run->figures;

  figures->fragments++;
  if (g_strcmp0 (result->error_code, "NO_SPEECH") == 0) {
    figures->without_speech++;
    return;
  }
  add_seconds (figures->total, result->total_ms);
  add_seconds (figures->asr, result->asr_ms);
  add_seconds (figures->tts, result->tts_ms);
  figures->dubbed += result->status != DUB_RESULT_FAILED;
  figures->fitting += result->duration_variance_percent <= 10;
}

static void
place (Run *run, const DubResult *result)
{
  gsize bytes = 0;
  const gint16 *samples = g_bytes_get_data (result->sound.data, &bytes);
  gsize count = MIN (bytes / 2, run->pcm->frames - run->at);

  memcpy (run->dub + run->at, samples, count * 2);
}

static void
add_text (JsonObject *object, const char *name, const char *text)
{
  if (text != NULL)
    json_object_set_string_member (object, name, text);
}

static void
print_json (const Run *run, const DubResult *result)
{
  static const char *const status[] = {"none", "success", "partial", "failed"};
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *line = NULL;

  json_object_set_int_member (
      object, "start_ms", (gint64) (run->at * 1000 / RATE_HZ));
  json_object_set_int_member (
      object, "slot_ms", (gint64) (run->length * 1000 / RATE_HZ));
  json_object_set_int_member (object, "total_ms", result->total_ms);
  json_object_set_int_member (object, "asr_ms", result->asr_ms);
  json_object_set_int_member (object, "translation_ms", result->translation_ms);
  json_object_set_int_member (object, "tts_ms", result->tts_ms);
  json_object_set_int_member (
      object, "speech_ms", result->original_duration_ms);
  json_object_set_int_member (object, "dub_ms", result->dubbed_duration_ms);
  json_object_set_double_member (
      object, "over_percent", result->duration_variance_percent);
  json_object_set_double_member (object, "speed", result->speed_ratio);
  add_text (object, "status", status[result->status]);
  add_text (object, "heard", result->transcript);
  add_text (object, "said", result->translated_text);
  add_text (object, "asr_engine", result->asr_engine);
  add_text (object, "translation_engine", result->translation_engine);
  add_text (object, "tts_engine", result->tts_engine);
  add_text (object, "error", result->error_code);
  json_node_set_object (node, object);
  line = json_to_string (node, FALSE);
  puts (line);
}

static void
print_text (const Run *run, const DubResult *result)
{
  printf ("%6.2f s  %u ms (asr %u, tts %u)  speech %u -> %u ms at %.2f%s%s\n",
      run->at / (double) RATE_HZ, result->total_ms, result->asr_ms,
      result->tts_ms, result->original_duration_ms, result->dubbed_duration_ms,
      result->speed_ratio, result->error_code != NULL ? "  " : "",
      result->error_code != NULL ? result->error_code : "");
  if (result->transcript != NULL)
    printf ("          heard: %s\n", result->transcript);
  if (result->translated_text != NULL)
    printf ("          said:  %s\n", result->translated_text);
  if (result->error_message != NULL)
    printf ("          %s\n", result->error_message);
}

static void
on_done (DubResult *taken, gpointer user_data)
{
  Run *run = user_data;
  g_autoptr (DubResult) result = taken;

  if (run->settings->is_json)
    print_json (run, result);
  else
    print_text (run, result);
  fflush (stdout);
  take_figures (run, result);
  if (result->sound.data != NULL)
    place (run, result);
  run->at += run->length;
  next_fragment (run);
}

static DubJob *
job_of (Run *run)
{
  DubJob *job = dub_job_new ();
  gint64 now = g_get_monotonic_time () * 1000;

  job->stream_id = g_strdup ("file");
  job->fragment_id = g_strdup_printf ("file-%" G_GUINT64_FORMAT, run->sequence);
  job->sequence_number = run->sequence++;
  job->source_language = g_strdup (run->settings->from);
  job->target_language = g_strdup (run->settings->to);
  job->voice_profile = g_strdup ("default");
  job->sound.format = g_strdup ("pcm_s16le");
  job->sound.sample_rate_hz = RATE_HZ;
  job->sound.channels = 1;
  job->sound.duration_ms = (guint) (run->length * 1000 / RATE_HZ);
  job->sound.data = g_bytes_new (run->pcm->samples + run->at, run->length * 2);
  job->deadline_ns = now + run->settings->deadline_ms * DUB_NS_PER_MS;
  job->reply_format = g_strdup ("pcm_s16le");
  job->reply_rate_hz = RATE_HZ;
  job->reply_channels = 1;
  return job;
}

static void
next_fragment (Run *run)
{
  gsize left = run->pcm->frames - run->at;
  g_autofree float *samples = NULL;
  gsize limit = (gsize) (run->settings->seconds * RATE_HZ), looked_at;

  run->is_done = left < RATE_HZ / 2;
  if (run->is_done)
    return;
  /* Cut at a quiet place, as the segmenter would. */
  looked_at = MIN (left, limit + 1);
  samples = g_new (float, looked_at);
  dub_pcm_s16_to_f32 (run->pcm->samples + run->at, samples, looked_at);
  run->length = dub_speech_word_end (samples, looked_at, limit, RATE_HZ);
  run->pipeline->submit (run->pipeline, job_of (run), on_done, run);
}

typedef struct {
  Run *run;
  gint64 give_up_us;
} Wait;

static gboolean
on_wait (gpointer user_data)
{
  Wait *wait = user_data;
  g_autoptr (GError) error = NULL;

  if (wait->run->pipeline->is_ready (wait->run->pipeline, &error)) {
    g_main_loop_quit (wait->run->loop);
    return G_SOURCE_REMOVE;
  }
  if (g_get_monotonic_time () < wait->give_up_us)
    return G_SOURCE_CONTINUE;
  fprintf (stderr, "fragment: %s\n", error->message);
  wait->run->status = EX_UNAVAILABLE;
  g_main_loop_quit (wait->run->loop);
  return G_SOURCE_REMOVE;
}

static void
wait_until_ready (Run *run)
{
  Wait wait = {run, g_get_monotonic_time () + 60 * G_USEC_PER_SEC};

  g_timeout_add (50, on_wait, &wait);
  g_main_loop_run (run->loop);
}

static void
run_file (Run *run, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autofree gint16 *dub = NULL;

  run->pcm = dub_media_file_read (path, RATE_HZ, &error);
  if (run->pcm == NULL) {
    fprintf (stderr, "fragment: %s\n", error->message);
    run->status = EX_NOINPUT;
    return;
  }
  if (!run->settings->is_json)
    printf ("%s\n", path);
  dub = run->dub = g_new0 (gint16, run->pcm->frames + 1);
  run->at = 0;
  next_fragment (run);
  while (!run->is_done)
    g_main_context_iteration (NULL, TRUE);
  if (run->settings->output != NULL) {
    g_autoptr (DubPcm) out =
        dub_pcm_new (g_bytes_new (dub, run->pcm->frames * 2), RATE_HZ, 1, 0);
    if (!dub_media_file_write_wav (run->settings->output, out, &error))
      fprintf (stderr, "fragment: %s\n", error->message);
  }
  g_clear_pointer (&run->pcm, dub_pcm_unref);
}

static void
print_figures (Figures *figures)
{
  guint spoken = figures->fragments - figures->without_speech;

  printf ("fragments=%u\nspoken=%u\ndubbed=%u\n", figures->fragments, spoken,
      figures->dubbed);
  printf ("fit_within_10=%.3f\n",
      spoken > 0 ? figures->fitting / (double) spoken : 1);
  printf ("fragment_p50_s=%.3f\nfragment_p95_s=%.3f\n",
      percentile (figures->total, 0.5), percentile (figures->total, 0.95));
  printf ("asr_p50_s=%.3f\nasr_p95_s=%.3f\n", percentile (figures->asr, 0.5),
      percentile (figures->asr, 0.95));
  printf ("tts_p50_s=%.3f\ntts_p95_s=%.3f\n", percentile (figures->tts, 0.5),
      percentile (figures->tts, 0.95));
}

static void
figures_init (Figures *figures)
{
  *figures = (Figures){
      .total = g_array_new (FALSE, FALSE, sizeof (double)),
      .asr = g_array_new (FALSE, FALSE, sizeof (double)),
      .tts = g_array_new (FALSE, FALSE, sizeof (double)),
  };
}

static void
figures_clear (Figures *figures)
{
  g_array_unref (figures->total);
  g_array_unref (figures->asr);
  g_array_unref (figures->tts);
}

int
dub_command_fragment (int argc, char **argv)
{
  Settings settings = {.from = NULL};
  DubCommand command = {"FILE...",
      "Dubs files in fragments as a live stream's, and prints the times.",
      options, &settings, 1, G_MAXINT16};
  g_autoptr (GError) error = NULL;
  Figures figures;
  Run run = {.settings = &settings, .figures = &figures};

  if (!dub_command_begin (&command, &argc, &argv, &run.status))
    return run.status;
  run.pipeline = dub_pipeline_new (&settings.pipeline, NULL, &error);
  if (run.pipeline == NULL) {
    fprintf (stderr, "fragment: %s\n", error->message);
    dub_config_clear (options, &settings);
    return EX_CONFIG;
  }
  figures_init (&figures);
  run.loop = g_main_loop_new (NULL, FALSE);
  wait_until_ready (&run);
  for (int i = 2; i < argc && run.status == 0; i++)
    run_file (&run, argv[i]);
  if (run.status == 0 && !settings.is_json)
    print_figures (&figures);
  run.pipeline->free (run.pipeline);
  g_main_loop_unref (run.loop);
  figures_clear (&figures);
  dub_config_clear (options, &settings);
  return run.status;
}
