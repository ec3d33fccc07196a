/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <signal.h>
#include <string.h>

/*
 * The real MediaMTX with our configuration file and the real mtx-hook; a
 * worker that only pretends. What ffmpeg publishes must start one, and when it
 * leaves must end it.
 */
typedef struct {
  Rig rig;
  guint port, rtmp_port, rtsp_port, srt_port, api_port;
  Program *service, *mediamtx, *publisher;
  const char *wanted;
} Fixture;

static guint
set_port (Fixture *f, const char *name)
{
  guint port = free_port ();
  g_autofree char *address = g_strdup_printf ("127.0.0.1:%u", port);

  rig_set (&f->rig, name, address);
  return port;
}

static void
start_mediamtx (Fixture *f, const char *program)
{
  const char *argv[] = {program, g_getenv ("MEDIAMTX_CONFIG"), NULL};
  g_autofree char *hooks = g_path_get_dirname (g_getenv ("MTX_HOOK"));
  g_autofree char *path = g_strdup_printf (
      "%s:%s", hooks, g_environ_getenv (f->rig.environment, "PATH"));

  rig_set (&f->rig, "PATH", path);
  f->rtsp_port = set_port (f, "MTX_RTSPADDRESS");
  set_port (f, "MTX_HLSADDRESS");
  set_port (f, "MTX_WEBRTCADDRESS");
  set_port (f, "MTX_WEBRTCLOCALUDPADDRESS");
  f->srt_port = set_port (f, "MTX_SRTADDRESS");
  set_port (f, "MTX_METRICSADDRESS");
  f->api_port = set_port (f, "MTX_APIADDRESS");
  f->rtmp_port = set_port (f, "MTX_RTMPADDRESS");
  f->mediamtx = rig_start (&f->rig, "mediamtx", argv);
}

static gboolean
mediamtx_answers (gpointer user_data)
{
  g_autofree char *url = g_strdup_printf (
      "http://127.0.0.1:%u/v3/paths/list", ((Fixture *) user_data)->api_port);

  return http_call ("GET", url, NULL, NULL, NULL) == 200;
}

static gboolean
service_answers (gpointer user_data)
{
  g_autofree char *url = g_strdup_printf (
      "http://127.0.0.1:%u/health", ((Fixture *) user_data)->port);

  return http_call ("GET", url, NULL, NULL, NULL) == 200;
}

static void
set_number (Fixture *f, const char *name, const char *format, guint number)
{
  g_autofree char *digits = g_strdup_printf ("%u", number);
  g_auto (GStrv) parts = g_strsplit (format, "%u", 2);
  g_autofree char *value = g_strjoin (digits, parts[0], parts[1], NULL);

  rig_set (&f->rig, name, value);
}

static void
start_service (Fixture *f)
{
  const char *argv[] = {g_getenv ("MEDIA_SERVICE"), NULL};

  set_number (f, "PORT", "%u", f->port);
  set_number (f, "MEDIAMTX_RTMP_PORT", "%u", f->rtmp_port);
  set_number (f, "MEDIAMTX_RTSP_PORT", "%u", f->rtsp_port);
  set_number (f, "MEDIAMTX_API_URL", "http://127.0.0.1:%u", f->api_port);
  f->service = rig_start (&f->rig, "media-service", argv);
  rig_wait (&f->rig, "media-service answers", service_answers, f);
}

static gboolean
set_up (Fixture *f)
{
  g_autofree char *program = rig_find_mediamtx ();
  g_autofree char *ffmpeg = g_find_program_in_path ("ffmpeg");
  g_autofree char *runtime = NULL;

  if (program == NULL || ffmpeg == NULL) {
    g_test_skip ("needs mediamtx and ffmpeg");
    return FALSE;
  }
  rig_init (&f->rig);
  runtime = rig_path (&f->rig, "run");
  rig_set (&f->rig, "RUNTIME_DIR", runtime);
  rig_set (&f->rig, "ORCH_WORKER_COMMAND", g_getenv ("FAKE_WORKER"));
  rig_set (&f->rig, "ORCH_GRACE_PERIOD", "200ms");
  f->port = free_port ();
  set_number (f, "ORCHESTRATOR_URL", "http://127.0.0.1:%u", f->port);
  start_mediamtx (f, program);
  rig_wait (&f->rig, "MediaMTX answers", mediamtx_answers, f);
  return TRUE;
}

static void
tear_down (Fixture *f)
{
  if (f->service != NULL && f->service->is_running)
    program_kill (f->service, SIGTERM);
  rig_clear (&f->rig);
}

static void
publish (Fixture *f, const char *path_and_query)
{
  g_autofree char *ffmpeg = g_find_program_in_path ("ffmpeg");
  g_autofree char *url =
      g_strdup_printf ("rtmp://127.0.0.1:%u/%s", f->rtmp_port, path_and_query);
  const char *argv[] = {ffmpeg, "-hide_banner", "-loglevel", "error",
      "-nostdin", "-re", "-f", "lavfi", "-i", "testsrc=s=128x72:r=10", "-f",
      "lavfi", "-i", "sine", "-c:v", "libx264", "-preset", "ultrafast", "-g",
      "10", "-c:a", "aac", "-t", "60", "-f", "flv", url, NULL};

  f->publisher = rig_start (&f->rig, "ffmpeg", argv);
}

/* "stream state", as /v1/streams has it. */
static gboolean
has_state (gpointer user_data)
{
  Fixture *f = user_data;
  g_autofree char *url =
      g_strdup_printf ("http://127.0.0.1:%u/v1/streams", f->port);
  g_autoptr (JsonObject) answer = http_json (url);
  JsonArray *streams;

  if (answer == NULL)
    return FALSE;
  streams = json_object_get_array_member (answer, "streams");
  for (guint i = 0; i < json_array_get_length (streams); i++) {
    JsonObject *stream = json_array_get_object_element (streams, i);
    g_autofree char *state = g_strdup_printf ("%s %s",
        json_object_get_string_member (stream, "stream_id"),
        json_object_get_string_member (stream, "state"));

    if (g_str_equal (state, f->wanted))
      return TRUE;
  }
  return FALSE;
}

static void
wait_state (Fixture *f, const char *state)
{
  f->wanted = state;
  rig_wait (&f->rig, state, has_state, f);
}

static void
test_hooks (void)
{
  Fixture f = {0};
  g_autofree char *log = NULL;
  g_autofree char *service_log = NULL;

  if (!set_up (&f))
    return;
  start_service (&f);
  publish (&f, "live/demo/in?to=es&x=\"\\q");
  wait_state (&f, "demo running");
  program_kill (f.publisher, SIGINT);
  wait_state (&f, "demo stopped");
  log = program_log (f.mediamtx);
  g_assert_null (strcasestr (log, "deprecat"));
  g_assert_null (strstr (log, "ERR"));
  g_assert_nonnull (
      strstr (log, "mtx-hook: ready of live/demo/in delivered, status 200"));
  g_assert_nonnull (strstr (
      log, "mtx-hook: not-ready of live/demo/in delivered, status 200"));
  service_log = program_log (f.service);
  g_assert_nonnull (strstr (service_log, "\"WORKER_TARGET_LANGUAGE\":\"es\""));
  tear_down (&f);
}

/* Other paths are none of ours, and outputs need no worker. */
static void
test_only_inputs (void)
{
  Fixture f = {0};
  g_autofree char *log = NULL;

  if (!set_up (&f))
    return;
  start_service (&f);
  publish (&f, "live/demo/out");
  publish (&f, "other/demo/in");
  publish (&f, "live/last/in");
  wait_state (&f, "last running");
  log = program_log (f.mediamtx);
  g_assert_null (strstr (log, "of live/demo/out"));
  g_assert_null (strstr (log, "of other/demo/in"));
  tear_down (&f);
}

/* Nobody was there when the stream came: it is accepted all the same, and the
 * service finds it when it starts. */
static void
test_finds_stream (void)
{
  Fixture f = {0};
  g_autofree char *log = NULL;
  g_autofree char *service_log = NULL;

  if (!set_up (&f))
    return;
  publish (&f, "live/early/in?to=es");
  while (log == NULL || strstr (log, "cannot be reached") == NULL) {
    g_free (log);
    log = program_log (f.mediamtx);
    g_usleep (20000);
  }
  start_service (&f);
  wait_state (&f, "early running");
  service_log = program_log (f.service);
  g_assert_nonnull (strstr (service_log, "\"WORKER_TARGET_LANGUAGE\":\"es\""));
  tear_down (&f);
}

static void
publish_h265 (Fixture *f, const char *format, const char *url)
{
  g_autofree char *ffmpeg = g_find_program_in_path ("ffmpeg");
  gboolean is_rtsp = g_str_equal (format, "rtsp");
  const char *argv[] = {ffmpeg, "-hide_banner", "-loglevel", "error",
      "-nostdin", "-re", "-f", "lavfi", "-i", "testsrc=s=128x128:r=10", "-f",
      "lavfi", "-i", "sine", "-c:v", "libx265", "-preset", "ultrafast", "-g",
      "10", "-c:a", "aac", "-t", "60", "-f", format,
      is_rtsp ? "-rtsp_transport" : "-muxdelay", is_rtsp ? "tcp" : "0", url,
      NULL};

  f->publisher = rig_start (&f->rig, "ffmpeg", argv);
}

/* MediaMTX's RTMP has no H.265: its very first worker pulls by RTSP, however
 * the stream came. */
static void
test_h265 (gconstpointer data)
{
  const char *format = data;
  Fixture f = {0};
  g_autofree char *url = NULL;
  g_autofree char *log = NULL;

  if (!set_up (&f))
    return;
  start_service (&f);
  url = g_str_equal (format, "rtsp")
            ? g_strdup_printf ("rtsp://127.0.0.1:%u/live/newer/in", f.rtsp_port)
            : g_strdup_printf (
                  "srt://127.0.0.1:%u?streamid=publish:live/newer/in",
                  f.srt_port);
  publish_h265 (&f, format, url);
  wait_state (&f, "newer running");
  log = program_log (f.service);
  g_assert_nonnull (strstr (log, "\"INPUT_URL\":\"rtsp://"));
  g_assert_null (strstr (log, "\"INPUT_URL\":\"rtmp://"));
  tear_down (&f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/mediamtx/hooks", test_hooks);
  g_test_add_func ("/media/mediamtx/only-inputs", test_only_inputs);
  g_test_add_func ("/media/mediamtx/finds-stream", test_finds_stream);
  g_test_add_data_func ("/media/mediamtx/h265-by-rtsp", "rtsp", test_h265);
  g_test_add_data_func ("/media/mediamtx/h265-by-srt", "mpegts", test_h265);
  return g_test_run ();
}
