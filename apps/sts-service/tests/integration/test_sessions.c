/* SPDX-License-Identifier: Apache-2.0 */
#include "service.h"

#include <dubbing_contracts/contracts.h>
#include <dubbing_socketio/client.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Fifty workers at once on one service whose engines take a second for each
 * fragment and do so many at a time. Each worker keeps three fragments in
 * flight. What must hold: every answer comes, in order; an ack never waits
 * for an engine; the engines are never idle while something waits.
 *
 * STS_SESSIONS_SECONDS makes it longer (make bench-sessions). The figures are
 * printed as "# key=value".
 */

#define SESSIONS 50
#define IN_FLIGHT 3
#define ENGINE_MS 1000
#define SLOTS 10
#define STAGES 3
#define SECONDS 12
#define RATE 48000
#define SLOT_MS 1000
#define TIMEOUT_MS 30000
/* Of a quiet machine it is a few; a busy one must pass too, and an ack that
 * waits for a model cannot. */
#define ACK_LIMIT_MS 900
#define THROUGHPUT_LIMIT 0.7

typedef struct {
  GBytes *sound;
  gint64 begun_us, end_us, measured_from_us;
  guint ready, complete, closed;
  guint answers, failed, out_of_order, refused;
  guint measured; /* answers since measured_from_us */
  guint told_load;
  GArray *ack_ms; /* of double */
  GArray *rss;    /* of Sample */
} Run;

typedef struct {
  double hours, mib;
} Sample;

typedef struct {
  Run *run;
  DubSioClient *client;
  char *name;
  guint64 sent, received;
  gint64 sent_us[IN_FLIGHT + 1];
  guint64 acked;
  gboolean is_ending;
  guint told_in_flight; /* by the last event */
} Worker;

static Run run;
static Service service;

/* ---- attachments over a message ------------------------------------- */

static GBytes *
get_attachment (gpointer carrier, JsonNode *node)
{
  return dub_sio_message_get_binary (carrier, node);
}

static JsonNode *
add_attachment (gpointer carrier, GBytes *bytes)
{
  return dub_sio_message_add_binary (carrier, bytes);
}

static void
emit (Worker *worker, const char *event, JsonNode *node)
{
  DubSioMessage *message = dub_sio_message_new (event);

  dub_sio_message_add_arg (message, node);
  dub_sio_client_emit (worker->client, message);
}

/* ---- one worker ----------------------------------------------------- */

static void
send_fragment (Worker *worker)
{
  DubSioMessage *message = dub_sio_message_new (DUB_EVENT_FRAGMENT_DATA);
  const DubAttachments attachments = {get_attachment, add_attachment, message};
  g_autoptr (DubFragmentData) data = dub_fragment_data_new ();

  data->fragment_id =
      g_strdup_printf ("%s-%" G_GUINT64_FORMAT, worker->name, worker->sent);
  data->stream_id = g_strdup (worker->name);
  data->sequence_number = worker->sent;
  data->timestamp_ms = g_get_real_time () / 1000;
  data->audio =
      dub_audio_new ("pcm_s16le", RATE, 1, SLOT_MS, worker->run->sound);
  data->audio->is_binary = TRUE;
  dub_sio_message_add_arg (
      message, dub_fragment_data_to_json (data, &attachments));
  worker->sent_us[worker->sent % (IN_FLIGHT + 1)] = g_get_monotonic_time ();
  worker->sent++;
  dub_sio_client_emit (worker->client, message);
}

static void
fill (Worker *worker)
{
  gboolean is_over = g_get_monotonic_time () >= worker->run->end_us;

  while (!is_over && worker->sent - worker->received < IN_FLIGHT)
    send_fragment (worker);
  if (is_over && worker->sent == worker->received && !worker->is_ending) {
    g_autoptr (DubStreamControl) end = dub_stream_control_new ();
    worker->is_ending = TRUE;
    emit (worker, DUB_EVENT_STREAM_END, dub_stream_control_to_json (end));
  }
}

static void
on_ack (Worker *worker, JsonNode *node)
{
  gint64 sent_us = worker->sent_us[worker->acked++ % (IN_FLIGHT + 1)];
  double ms = (g_get_monotonic_time () - sent_us) / 1000.0;

  g_array_append_val (worker->run->ack_ms, ms);
}

static void
on_processed (Worker *worker, DubSioMessage *message, JsonNode *node)
{
  const DubAttachments attachments = {get_attachment, add_attachment, message};
  g_autoptr (GError) error = NULL;
  g_autoptr (DubFragmentProcessed) answer =
      dub_fragment_processed_from_json (node, &attachments, &error);
  Run *r = worker->run;

  g_assert_no_error (error);
  r->answers++;
  r->measured += g_get_monotonic_time () >= r->measured_from_us &&
                 g_get_monotonic_time () < r->end_us;
  r->out_of_order += answer->sequence_number != worker->received;
  if (answer->status != DUB_PROCESSED_SUCCESS) {
    r->failed++;
    g_test_message ("%s: %s: %s", answer->fragment_id, answer->error->code,
        answer->error->message);
  }
  worker->received++;
  fill (worker);
}

static void
on_complete (Worker *worker, JsonNode *node)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DubStreamComplete) complete =
      dub_stream_complete_from_json (node, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (complete->total_fragments, ==, worker->sent);
  g_assert_cmpuint (complete->success_count, ==, worker->sent);
  worker->run->complete++;
}

static void
on_load (Worker *worker, JsonNode *node)
{
  g_autoptr (DubBackpressure) event = dub_backpressure_from_json (node, NULL);

  worker->run->told_load++;
  worker->told_in_flight = event->current_inflight;
}

static void
on_event (DubSioClient *client, DubSioMessage *message, gpointer user_data)
{
  Worker *worker = user_data;
  const char *event = dub_sio_message_get_event (message);
  JsonNode *node = dub_sio_message_get_arg (message, 0);

  if (g_str_equal (event, DUB_EVENT_STREAM_READY)) {
    worker->run->ready++;
    fill (worker);
  } else if (g_str_equal (event, DUB_EVENT_FRAGMENT_ACK)) {
    on_ack (worker, node);
  } else if (g_str_equal (event, DUB_EVENT_FRAGMENT_PROCESSED)) {
    on_processed (worker, message, node);
  } else if (g_str_equal (event, DUB_EVENT_STREAM_COMPLETE)) {
    on_complete (worker, node);
  } else if (g_str_equal (event, DUB_EVENT_BACKPRESSURE)) {
    on_load (worker, node);
  } else if (g_str_equal (event, DUB_EVENT_ERROR)) {
    worker->run->refused++;
  }
}

static void
on_connect (DubSioClient *client, gpointer user_data)
{
  Worker *worker = user_data;
  g_autoptr (DubStreamInit) init = dub_stream_init_new ();

  init->stream_id = g_strdup (worker->name);
  init->worker_id = g_strdup (worker->name);
  init->source_language = g_strdup ("es");
  init->target_language = g_strdup ("en");
  init->timeout_ms = TIMEOUT_MS;
  emit (worker, DUB_EVENT_STREAM_INIT, dub_stream_init_to_json (init));
}

static void
on_close (DubSioClient *client, const GError *error, gpointer user_data)
{
  g_test_message ("%s", error->message);
  ((Worker *) user_data)->run->closed++;
}

static void
worker_start (Worker *worker, guint number)
{
  static const DubSioClientHandlers handlers = {on_connect, on_event, on_close};
  g_autoptr (GError) error = NULL;
  DubSioClientOptions options;

  worker->run = &run;
  worker->name = g_strdup_printf ("load-%02u", number);
  dub_sio_client_options_init (&options);
  options.connect_timeout_ms = 30000;
  worker->client =
      dub_sio_client_new (service.url, &options, &handlers, worker, &error);
  g_assert_no_error (error);
  dub_sio_client_connect (worker->client);
}

static void
worker_stop (Worker *worker)
{
  dub_sio_client_free (worker->client);
  g_free (worker->name);
}

/* ---- figures -------------------------------------------------------- */

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

  g_array_sort (values, compare_doubles);
  return g_array_index (values, double, MIN (index, values->len - 1));
}

/* By least squares, over the second half: the first warms caches. */
static double
slope (GArray *samples)
{
  double n = 0, x = 0, y = 0, xx = 0, xy = 0;

  for (guint i = samples->len / 2; i < samples->len; i++) {
    Sample s = g_array_index (samples, Sample, i);
    n++;
    x += s.hours;
    y += s.mib;
    xx += s.hours * s.hours;
    xy += s.hours * s.mib;
  }
  return n < 3 ? 0 : (n * xy - x * y) / (n * xx - x * x);
}

static gboolean
on_sample (gpointer user_data)
{
  Sample sample = {(g_get_monotonic_time () - run.begun_us) / 3.6e9,
      service_rss_mib (&service)};

  g_array_append_val (run.rss, sample);
  return G_SOURCE_CONTINUE;
}

static GBytes *
tone (void)
{
  gsize count = RATE * SLOT_MS / 1000;
  gint16 *samples = g_new (gint16, count);

  for (gsize i = 0; i < count; i++)
    samples[i] = (gint16) (6000 * sin (2 * G_PI * 300 * i / RATE));
  return g_bytes_new_take (samples, count * 2);
}

static double
seconds_to_run (void)
{
  const char *text = g_getenv ("STS_SESSIONS_SECONDS");

  return text != NULL ? g_ascii_strtod (text, NULL) : SECONDS;
}

static void
run_init (void)
{
  run.sound = tone ();
  run.ack_ms = g_array_new (FALSE, FALSE, sizeof (double));
  run.rss = g_array_new (FALSE, FALSE, sizeof (Sample));
  run.begun_us = g_get_monotonic_time ();
  /* Until the last stage has its first fragments. */
  run.measured_from_us =
      run.begun_us + (STAGES * ENGINE_MS + 1500) * G_GINT64_CONSTANT (1000);
  run.end_us =
      run.measured_from_us + (gint64) (seconds_to_run () * G_USEC_PER_SEC);
}

static void
run_clear (void)
{
  g_bytes_unref (run.sound);
  g_array_unref (run.ack_ms);
  g_array_unref (run.rss);
}

/* Of what the engines' slots allow. */
static double
throughput_ratio (void)
{
  double measured_s =
      (run.end_us - run.measured_from_us) / (double) G_USEC_PER_SEC;

  return run.measured / (measured_s * SLOTS * 1000.0 / ENGINE_MS);
}

static void
print_figures (void)
{
  g_test_message ("sessions=%u", SESSIONS);
  g_test_message ("fragments=%u", run.answers);
  g_test_message ("ack_p50_ms=%.1f", percentile (run.ack_ms, 0.5));
  g_test_message ("ack_p99_ms=%.1f", percentile (run.ack_ms, 0.99));
  g_test_message ("throughput_ratio=%.3f", throughput_ratio ());
  g_test_message (
      "rss_mib=%.1f", g_array_index (run.rss, Sample, run.rss->len - 1).mib);
  g_test_message ("rss_slope_mb_h=%.2f", slope (run.rss));
}

static void
check_metrics (double sessions)
{
  g_assert_cmpfloat (
      service_metric (&service, "sts_sessions_active", ""), ==, sessions);
}

/* The counts are true while it runs, and gone afterwards. */
static gboolean
on_middle (gpointer user_data)
{
  double in_flight = service_metric (&service, "sts_fragments_in_flight", "");

  check_metrics (SESSIONS);
  g_assert_cmpfloat (in_flight, >, SESSIONS * (IN_FLIGHT - 1));
  g_assert_cmpfloat (in_flight, <=, SESSIONS * IN_FLIGHT);
  return G_SOURCE_REMOVE;
}

static void
wait_for_no_sessions (void)
{
  for (guint i = 0; i < 100; i++) {
    if (service_metric (&service, "sts_sessions_active", "") == 0)
      break;
    g_usleep (50 * 1000);
  }
  check_metrics (0);
  g_assert_cmpfloat (
      service_metric (&service, "sts_fragments_in_flight", "load-"), ==, 0);
}

static void
test_fifty (void)
{
  static const char *const settings[] = {"ASR_PROVIDER", "mock",
      "TRANSLATION_PROVIDER", "mock", "TTS_PROVIDER", "mock", "MOCK_LATENCY_MS",
      G_STRINGIFY (ENGINE_MS), "MOCK_SLOTS", G_STRINGIFY (SLOTS),
      "ASR_TIMEOUT_MS", "30000", "TRANSLATION_TIMEOUT_MS", "30000",
      "TTS_TIMEOUT_MS", "30000", "LOG_LEVEL", "warning",
      /* The last to end keeps the others waiting. */
      "AUTO_DISCONNECT_DELAY", "120", NULL};
  Worker workers[SESSIONS] = {{NULL}};
  guint sampler, middle;

  service_start (&service, settings);
  run_init ();
  for (guint i = 0; i < SESSIONS; i++)
    worker_start (&workers[i], i);
  sampler = g_timeout_add (500, on_sample, NULL);
  middle = g_timeout_add (STAGES * ENGINE_MS + 4000, on_middle, NULL);
  while (run.complete < SESSIONS) {
    g_main_context_iteration (NULL, TRUE);
    g_assert_cmpuint (run.closed, ==, 0);
  }
  g_source_remove (sampler);
  print_figures ();
  g_assert_null (g_main_context_find_source_by_id (NULL, middle));
  g_assert_cmpuint (run.ready, ==, SESSIONS);
  g_assert_cmpuint (run.out_of_order, ==, 0);
  g_assert_cmpuint (run.failed, ==, 0);
  g_assert_cmpuint (run.refused, ==, 0);
  g_assert_cmpuint (run.ack_ms->len, ==, run.answers);
  g_assert_cmpfloat (percentile (run.ack_ms, 0.99), <, ACK_LIMIT_MS);
  g_assert_cmpfloat (throughput_ratio (), >, THROUGHPUT_LIMIT);
  /* Told when there was load (from two on), and at the end of its end. */
  g_assert_cmpuint (run.told_load, >, 0);
  for (guint i = 0; i < SESSIONS; i++)
    g_assert_cmpuint (workers[i].told_in_flight, <, 2);
  for (guint i = 0; i < SESSIONS; i++)
    worker_stop (&workers[i]);
  wait_for_no_sessions ();
  service_stop (&service);
  run_clear ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/sessions/fifty", test_fifty);
  return g_test_run ();
}
