/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/ingest.h"
#include "programme/dts.h"
#include "rig.h"

#include <dubbing_common/error.h>
#include <gst/gst.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * RTSP from the real MediaMTX, published by ffmpeg, against the same clip read
 * as a file: every picture that came must have the bytes of its slices and its
 * place in time, and the beeps of its sound must be where they are in the file.
 */

#define SECONDS 9
#define FRAME_NS (40 * DUB_NS_PER_MS)
#define EBU_R37_EARLY_MS 40
#define EBU_R37_LATE_MS 60
#define PASSWORD "s3cr3t-w0rd"

typedef struct {
  Rig rig;
  char *mediamtx_program, *ffmpeg_program, *clip;
  guint rtsp_port, rtmp_port;
  Program *mediamtx;
} Fixture;

typedef struct {
  gint64 pts_ns, dts_ns;
  gboolean is_key, has_codec_data;
  DubVideoCodec codec;
  char *slices; /* a hash of them */
} Picture;

/* What one ingest gave. */
typedef struct {
  DubQueue *queue;
  DubIngest *ingest;
  DubIngestState state;
  GPtrArray *errors; /* char * */
  int error_code;
  GArray *pictures; /* Picture */
  GArray *onsets;   /* gint64: where each beep begins */
  gint64 quiet_ns;  /* since when; DUB_TIME_NONE: it sounds */
  guint64 n_sound;
} Capture;

/* -- the programs -------------------------------------------------------- */

static void
start_mediamtx (Fixture *f)
{
  g_autofree char *settings =
      g_strdup_printf ("rtmpAddress: 127.0.0.1:%u\nrtspAddress: 127.0.0.1:%u\n"
                       "rtspTransports: [tcp]\n"
                       "authInternalUsers:\n"
                       "- user: any\n  permissions:\n  - action: publish\n"
                       "  - action: read\n    path: \"~^(open|live/back)$\"\n"
                       "- user: reader\n  pass: " PASSWORD "\n  permissions:\n"
                       "  - action: read\n    path: locked\n",
          f->rtmp_port, f->rtsp_port);

  f->mediamtx = rig_start_mediamtx (&f->rig, f->mediamtx_program, settings);
}

static gboolean
set_up (Fixture *f)
{
  memset (f, 0, sizeof *f);
  f->mediamtx_program = rig_find_mediamtx ();
  f->ffmpeg_program = g_find_program_in_path ("ffmpeg");
  if (f->mediamtx_program == NULL || f->ffmpeg_program == NULL) {
    g_test_skip ("ffmpeg or MediaMTX is not there");
    return FALSE;
  }
  rig_init (&f->rig);
  f->rtmp_port = free_port ();
  f->rtsp_port = free_port ();
  start_mediamtx (f);
  return TRUE;
}

static void
tear_down (Fixture *f)
{
  g_free (f->mediamtx_program);
  g_free (f->ffmpeg_program);
  g_free (f->clip);
  if (f->rig.folder != NULL)
    rig_clear (&f->rig);
}

/* A clip with B-frames, a beep at each second. */
static void
make_clip (Fixture *f, const char *video_codec, const char *sound_codec)
{
  const char *extra = g_str_equal (video_codec, "libx265")
                          ? "bframes=2:keyint=25:log-level=none"
                          : "bframes=2:keyint=25:b-adapt=0";
  const char *extra_name =
      g_str_equal (video_codec, "libx265") ? "-x265-params" : "-x264-params";
  Program *ffmpeg;

  f->clip = rig_path (&f->rig, "clip.mp4");
  {
    const char *argv[] = {f->ffmpeg_program, "-v", "error", "-f", "lavfi", "-i",
        "testsrc2=s=320x180:r=25", "-f", "lavfi", "-i",
        "aevalsrc=0.5*sin(2*PI*1000*t)*lt(mod(t\\,1)\\,0.1):s=48000", "-t",
        G_STRINGIFY (SECONDS), "-c:v", video_codec, "-preset", "veryfast",
        extra_name, extra, "-c:a", sound_codec, "-strict", "-2", "-ac", "2",
        "-b:a", "128k", "-y", f->clip, NULL};

    ffmpeg = rig_start (&f->rig, "clip", argv);
  }
  program_wait (ffmpeg);
  g_assert_cmpint (ffmpeg->status, ==, 0);
}

static void
publish (Fixture *f, const char *format, const char *url)
{
  const char *rtsp[] = {f->ffmpeg_program, "-v", "error", "-nostdin", "-re",
      "-i", f->clip, "-c", "copy", "-f", "rtsp", "-rtsp_transport", "tcp", url,
      NULL};
  const char *flv[] = {f->ffmpeg_program, "-v", "error", "-nostdin", "-re",
      "-i", f->clip, "-c", "copy", "-f", "flv", url, NULL};

  rig_start (&f->rig, "publisher", g_str_equal (format, "flv") ? flv : rtsp);
}

static char *
rtsp_url (const Fixture *f, const char *path)
{
  return g_strdup_printf ("rtsp://127.0.0.1:%u/%s", f->rtsp_port, path);
}

/* -- what comes in ------------------------------------------------------- */

static gboolean
is_slice (DubVideoCodec codec, guint8 header)
{
  guint type =
      codec == DUB_VIDEO_CODEC_H265 ? (header >> 1) & 0x3f : (header & 0x1f);

  return codec == DUB_VIDEO_CODEC_H265 ? type < 32 : type >= 1 && type <= 5;
}

static char *
hash_slices (const DubAccessUnit *unit)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (unit->data, &size);
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA1);
  guint n = 0;

  for (gsize at = 0; at + 4 < size;) {
    guint32 length = (guint32) data[at] << 24 | (guint32) data[at + 1] << 16 |
                     (guint32) data[at + 2] << 8 | data[at + 3];

    at += 4;
    g_assert_cmpuint (length, <=, size - at);
    if (is_slice (unit->codec, data[at])) {
      g_checksum_update (sum, data + at, length);
      n++;
    }
    at += length;
  }
  g_assert_cmpuint (n, >, 0);
  return g_strdup (g_checksum_get_string (sum));
}

static void
note_sound (Capture *c, const DubPcm *pcm)
{
  const gint64 quiet_ns = 300 * DUB_NS_PER_MS;

  c->n_sound++;
  for (gsize i = 0; i < pcm->frames; i++) {
    gint64 at = pcm->pts_ns + dub_frames_to_ns ((gint64) i, pcm->rate_hz);
    gboolean is_loud = abs (pcm->samples[i * pcm->channels]) > 2000;

    if (is_loud && c->quiet_ns != DUB_TIME_NONE && at - c->quiet_ns > quiet_ns)
      g_array_append_val (c->onsets, at);
    if (is_loud || c->quiet_ns == DUB_TIME_NONE)
      c->quiet_ns = at;
  }
}

static void
take_items (Capture *c)
{
  DubIngestItem *item;

  while ((item = dub_queue_pop (c->queue))) {
    if (item->unit) {
      Picture picture = {item->unit->pts_ns, item->unit->dts_ns,
          item->unit->is_key, item->unit->codec_data != NULL, item->unit->codec,
          hash_slices (item->unit)};

      g_array_append_val (c->pictures, picture);
    }
    if (item->pcm)
      note_sound (c, item->pcm);
    dub_ingest_item_free (item);
  }
}

static void
on_state (DubIngestState state, const GError *error, gpointer user_data)
{
  Capture *c = user_data;

  c->state = state;
  if (error == NULL)
    return;
  c->error_code = error->code;
  g_ptr_array_add (c->errors, g_strdup (error->message));
}

static void
picture_clear (gpointer data)
{
  g_free (((Picture *) data)->slices);
}

static void
capture_start (Capture *c, const char *url, guint grace_ms)
{
  DubIngestOptions options;
  g_autoptr (GError) error = NULL;

  memset (c, 0, sizeof *c);
  c->queue = dub_ingest_queue_new ();
  c->errors = g_ptr_array_new_with_free_func (g_free);
  c->pictures = g_array_new (FALSE, FALSE, sizeof (Picture));
  g_array_set_clear_func (c->pictures, picture_clear);
  c->onsets = g_array_new (FALSE, FALSE, sizeof (gint64));
  c->quiet_ns = DUB_TIME_NONE;
  dub_ingest_options_init (&options);
  options.url = url;
  options.grace_ms = grace_ms;
  c->ingest = dub_ingest_new (&options, c->queue, on_state, c, &error);
  g_assert_no_error (error);
  dub_ingest_start (c->ingest);
}

static void
capture_clear (Capture *c)
{
  dub_ingest_free (c->ingest);
  dub_queue_unref (c->queue);
  g_ptr_array_unref (c->errors);
  g_array_unref (c->pictures);
  g_array_unref (c->onsets);
}

static gboolean
has_ended (const Capture *c)
{
  return c->state == DUB_INGEST_FAILED || c->state == DUB_INGEST_ENDED;
}

/* The watchdog of the test is Meson's. */
static void
run_until_ended (Capture *a, Capture *b)
{
  while (!has_ended (a) || (b != NULL && !has_ended (b))) {
    g_main_context_iteration (NULL, FALSE);
    /* As media-service does when a publisher comes. */
    if (a->pictures->len == 0)
      dub_ingest_reconnect_now (a->ingest);
    take_items (a);
    if (b != NULL)
      take_items (b);
    g_usleep (5000);
  }
  take_items (a);
  if (b != NULL)
    take_items (b);
}

/* -- judging ------------------------------------------------------------- */

static const Picture *
find_picture (const Capture *reference, const Picture *wanted)
{
  for (guint i = 0; i < reference->pictures->len; i++) {
    const Picture *p = &g_array_index (reference->pictures, Picture, i);

    if (strcmp (p->slices, wanted->slices) == 0)
      return p;
  }
  return NULL;
}

/* Every picture is one of the clip's, and all are moved by the same time.
 * Returns that time. */
static gint64
check_pictures (const Capture *got, const Capture *reference)
{
  gint64 offset_ns = DUB_TIME_NONE;

  g_assert_cmpuint (got->pictures->len, >=, 3 * 25);
  g_assert_true (g_array_index (got->pictures, Picture, 0).is_key);
  g_assert_true (g_array_index (got->pictures, Picture, 0).has_codec_data);
  for (guint i = 0; i < got->pictures->len; i++) {
    const Picture *p = &g_array_index (got->pictures, Picture, i);
    const Picture *q = find_picture (reference, p);

    g_assert_nonnull (q);
    g_assert_cmpint (p->codec, ==, q->codec);
    g_assert_cmpint (p->is_key, ==, q->is_key);
    g_assert_cmpint (p->dts_ns, ==, DUB_TIME_NONE);
    if (offset_ns == DUB_TIME_NONE)
      offset_ns = p->pts_ns - q->pts_ns;
    g_assert_cmpint (
        ABS (p->pts_ns - q->pts_ns - offset_ns), <=, DUB_NS_PER_MS);
  }
  return offset_ns;
}

/* How much later each beep is than in the clip. */
static void
check_sound (const Capture *got, const Capture *reference, gint64 offset_ns,
    double early_ms, double late_ms)
{
  double sum = 0, earliest = 0, latest = 0;
  guint n = 0;

  for (guint i = 0; i < got->onsets->len; i++) {
    gint64 at = g_array_index (got->onsets, gint64, i) - offset_ns;
    gint64 nearest = G_MAXINT64;

    for (guint k = 0; k < reference->onsets->len; k++) {
      gint64 d = at - g_array_index (reference->onsets, gint64, k);

      nearest = ABS (d) < ABS (nearest) ? d : nearest;
    }
    g_test_message ("beep %u: %.2f ms", i, (double) nearest / 1e6);
    sum += (double) nearest / 1e6;
    earliest = MIN (earliest, (double) nearest / 1e6);
    latest = MAX (latest, (double) nearest / 1e6);
    n++;
  }
  g_assert_cmpuint (n, >=, 3);
  g_test_message ("sound against picture: mean %.2f ms, from %.2f to %.2f ms",
      sum / n, earliest, latest);
  g_assert_cmpfloat (-earliest, <=, early_ms);
  g_assert_cmpfloat (latest, <=, late_ms);
}

/* As the programme does it: dts from the pts, rising and never above. */
static void
check_dts (const Capture *got)
{
  g_autoptr (DubDts) dts = dub_dts_new ();
  gint64 last_ns = -1;
  guint n_reordered = 0;

  for (guint i = 0; i < got->pictures->len; i++) {
    const Picture *p = &g_array_index (got->pictures, Picture, i);

    dub_dts_push (dts, p->pts_ns + DUB_NS_PER_S, p->dts_ns);
    n_reordered += i > 0 && p->pts_ns < p[-1].pts_ns;
  }
  g_assert_cmpuint (n_reordered, >, 10);
  for (guint i = 0; i < got->pictures->len; i++) {
    gint64 pts_ns, dts_ns;

    g_assert_true (dub_dts_peek (dts, &pts_ns, &dts_ns));
    g_assert_cmpint (dts_ns, >, last_ns);
    g_assert_cmpint (dts_ns, <=, pts_ns);
    g_assert_cmpint (pts_ns, ==,
        g_array_index (got->pictures, Picture, i).pts_ns + DUB_NS_PER_S);
    dub_dts_pop (dts, dts_ns);
    last_ns = dts_ns;
  }
}

typedef struct {
  const char *name, *video, *sound, *format;
  DubVideoCodec codec;
  double early_ms, late_ms;
} Case;

/* What ffmpeg publishes by RTSP carries several AAC or MP3 frames a packet,
 * each packet held until the next frame comes; nothing tells of that, so only
 * EBU R37 can be asked there. */
static const Case cases[] = {
    {"h264-from-rtmp", "libx264", "aac", "flv", DUB_VIDEO_CODEC_H264, 10, 10},
    {"h264-opus", "libx264", "libopus", "rtsp", DUB_VIDEO_CODEC_H264, 10, 10},
    {"h264-mp3", "libx264", "libmp3lame", "rtsp", DUB_VIDEO_CODEC_H264,
        EBU_R37_EARLY_MS, EBU_R37_LATE_MS},
    {"h265-aac", "libx265", "aac", "rtsp", DUB_VIDEO_CODEC_H265,
        EBU_R37_EARLY_MS, EBU_R37_LATE_MS},
};

static void
test_clip (gconstpointer data)
{
  const Case *c = data;
  Fixture f;
  Capture got, reference;
  g_autofree char *url = NULL;
  g_autofree char *to = NULL;
  g_autofree char *file = NULL;
  gint64 offset_ns;

  if (!set_up (&f))
    return;
  make_clip (&f, c->video, c->sound);
  url = rtsp_url (&f, "open");
  to = g_str_equal (c->format, "flv")
           ? g_strdup_printf ("rtmp://127.0.0.1:%u/open", f.rtmp_port)
           : g_strdup (url);
  file = g_filename_to_uri (f.clip, NULL, NULL);
  capture_start (&got, url, 6000);
  capture_start (&reference, file, 1000);
  publish (&f, c->format, to);
  run_until_ended (&got, &reference);
  for (guint i = 0; i < got.errors->len; i++)
    g_test_message ("%s", (char *) g_ptr_array_index (got.errors, i));
  offset_ns = check_pictures (&got, &reference);
  check_dts (&got);
  check_sound (&got, &reference, offset_ns, c->early_ms, c->late_ms);
  capture_clear (&got);
  capture_clear (&reference);
  tear_down (&f);
}

/* H.265 in by RTSP and out by Enhanced RTMP, as media-worker does it; MediaMTX
 * gives it to RTSP readers again. */
static void
test_h265_through_worker (void)
{
  Fixture f;
  Capture got, reference;
  g_autofree char *in = NULL;
  g_autofree char *out = NULL;
  g_autofree char *back = NULL;
  g_autofree char *file = NULL;
  const char *argv[] = {g_getenv ("MEDIA_WORKER"), NULL};
  Program *worker;
  g_autofree char *log = NULL;

  if (!set_up (&f))
    return;
  make_clip (&f, "libx265", "aac");
  in = rtsp_url (&f, "open");
  back = rtsp_url (&f, "live/back");
  out = g_strdup_printf ("rtmp://127.0.0.1:%u/live/back", f.rtmp_port);
  file = g_filename_to_uri (f.clip, NULL, NULL);
  rig_set (&f.rig, "INPUT_URL", in);
  rig_set (&f.rig, "OUTPUT_URL", out);
  rig_set (&f.rig, "OUTPUT_DELAY_MS", "3000");
  rig_set (&f.rig, "ORCH_GRACE_PERIOD", "4s");
  rig_set (&f.rig, "SKIP_STS_CONNECTION", "true");
  publish (&f, "rtsp", in);
  worker = rig_start (&f.rig, "worker", argv);
  capture_start (&got, back, 15000);
  capture_start (&reference, file, 1000);
  run_until_ended (&got, &reference);
  program_wait (worker);
  log = program_log (worker);
  g_test_message ("%s", log);
  check_sound (&got, &reference, check_pictures (&got, &reference),
      EBU_R37_EARLY_MS, EBU_R37_LATE_MS);
  capture_clear (&got);
  capture_clear (&reference);
  tear_down (&f);
}

/* Until pictures have come, or the ingest has failed. */
static void
run_until_pictures (Capture *c)
{
  while (c->pictures->len == 0 && !has_ended (c)) {
    g_main_context_iteration (NULL, FALSE);
    dub_ingest_reconnect_now (c->ingest);
    take_items (c);
    g_usleep (5000);
  }
}

static void
check_errors (const Capture *c, const char *wanted, int code)
{
  g_assert_cmpuint (c->errors->len, >, 0);
  g_assert_cmpint (c->error_code, ==, code);
  for (guint i = 0; i < c->errors->len; i++) {
    const char *message = g_ptr_array_index (c->errors, i);

    g_test_message ("%s", message);
    g_assert_null (strstr (message, PASSWORD));
    g_assert_null (strstr (message, "wr0ng-w0rd"));
  }
  g_assert_nonnull (
      strstr (g_ptr_array_index (c->errors, c->errors->len - 1), wanted));
}

/* In the URL, as people write it; and never in a message. */
static void
test_password (void)
{
  Fixture f;
  Capture c;
  g_autofree char *to = NULL;
  g_autofree char *good = NULL;
  g_autofree char *bad = NULL;

  if (!set_up (&f))
    return;
  make_clip (&f, "libx264", "aac");
  to = g_strdup_printf ("rtmp://127.0.0.1:%u/locked", f.rtmp_port);
  good = g_strdup_printf (
      "rtsp://reader:" PASSWORD "@127.0.0.1:%u/locked", f.rtsp_port);
  bad = g_strdup_printf (
      /* pragma: allowlist nextline secret */
      "rtsp://reader:wr0ng-w0rd@127.0.0.1:%u/locked", f.rtsp_port);
  publish (&f, "flv", to);
  capture_start (&c, good, 6000);
  run_until_pictures (&c);
  g_assert_cmpuint (c.pictures->len, >, 0);
  capture_clear (&c);
  capture_start (&c, bad, 0);
  run_until_pictures (&c);
  check_errors (&c, "cannot read rtsp://***@127.0.0.1", DUB_ERROR_AUTH);
  capture_clear (&c);
  tear_down (&f);
}

static void
test_refused (void)
{
  g_autofree char *url = g_strdup_printf (
      "rtsp://reader:" PASSWORD "@127.0.0.1:%u/a", free_port ());
  Capture c;

  capture_start (&c, url, 0);
  run_until_pictures (&c);
  check_errors (&c, "Failed to connect", DUB_ERROR_UNAVAILABLE);
  capture_clear (&c);
}

static void
test_no_such_path (void)
{
  Fixture f;
  Capture c;
  g_autofree char *url = NULL;

  if (!set_up (&f))
    return;
  url = rtsp_url (&f, "open");
  capture_start (&c, url, 0);
  run_until_pictures (&c);
  check_errors (&c, "404", DUB_ERROR_UNAVAILABLE);
  capture_clear (&c);
  tear_down (&f);
}

/* Within 2 s of the first packet. */
static void
test_no_sound (void)
{
  Fixture f;
  Capture c;
  g_autofree char *url = NULL;
  const char *argv[] = {NULL, "-v", "error", "-nostdin", "-re", "-f", "lavfi",
      "-i", "testsrc2=s=320x180:r=25", "-t", "20", "-c:v", "libx264", "-g",
      "25", "-preset", "ultrafast", "-f", "rtsp", "-rtsp_transport", "tcp",
      NULL, NULL};

  if (!set_up (&f))
    return;
  url = rtsp_url (&f, "open");
  argv[0] = f.ffmpeg_program;
  argv[G_N_ELEMENTS (argv) - 2] = url;
  rig_start (&f.rig, "publisher", argv);
  capture_start (&c, url, 10000);
  run_until_ended (&c, NULL);
  check_errors (&c, "Audio track required", DUB_ERROR_UNSUPPORTED);
  capture_clear (&c);
  tear_down (&f);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path =
        g_strdup_printf ("/media/rtsp-input/%s", cases[i].name);

    g_test_add_data_func (path, &cases[i], test_clip);
  }
  g_test_add_func (
      "/media/rtsp-input/h265-through-worker", test_h265_through_worker);
  g_test_add_func ("/media/rtsp-input/password", test_password);
  g_test_add_func ("/media/rtsp-input/refused", test_refused);
  g_test_add_func ("/media/rtsp-input/no-such-path", test_no_such_path);
  g_test_add_func ("/media/rtsp-input/no-sound", test_no_sound);
  return g_test_run ();
}
