/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/ingest.h"
#include "publish/aac_encoder.h"
#include "publish/flv.h"

#include <dubbing_common/error.h>
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <math.h>
#include <string.h>

/*
 * What the demuxer makes of a file that we know byte by byte: pictures that
 * are no pictures, since nobody decodes them, and real AAC of a tone.
 */

#define N_PICTURES 20
#define FRAME_MS 40
#define N_SOUND 30

typedef struct {
  gboolean has_sound;
  guint8 video_codec; /* 7: H.264 */
  gboolean is_fast;   /* read at once */
} Layout;

typedef struct {
  GMainLoop *loop;
  DubIngestState last;
  gboolean has_run;
  char *message;
  GPtrArray *items;
} Result;

/* -- the file ------------------------------------------------------------ */

typedef struct {
  GMutex lock;
  GPtrArray *frames; /* of GBytes */
} Sound;

static void
on_frame (GBytes *frame, gint64 pts_ns, gpointer user_data)
{
  Sound *sound = user_data;

  g_mutex_lock (&sound->lock);
  g_ptr_array_add (sound->frames, g_bytes_ref (frame));
  g_mutex_unlock (&sound->lock);
}

static void
on_encoder_error (const GError *error, gpointer user_data)
{
  g_error ("%s", error->message);
}

static guint
count_frames (Sound *sound)
{
  guint n;

  g_mutex_lock (&sound->lock);
  n = sound->frames->len;
  g_mutex_unlock (&sound->lock);
  return n;
}

/* (transfer full): the AudioSpecificConfig; the frames go into sound. */
static GBytes *
encode_tone (Sound *sound)
{
  DubAacEncoderHandlers handlers = {
      .on_frame = on_frame, .on_error = on_encoder_error};
  g_autoptr (DubAacEncoder) encoder =
      dub_aac_encoder_new (128000, &handlers, sound, NULL);

  for (guint i = 0; i < N_SOUND + 4; i++) {
    gint16 *samples = g_new (gint16, 2 * DUB_AAC_FRAME);

    for (guint k = 0; k < DUB_AAC_FRAME; k++)
      samples[2 * k] = samples[2 * k + 1] = (gint16) lrint (
          8000 * sin (2 * G_PI * 440 * (i * DUB_AAC_FRAME + k) / 48000.0));
    dub_aac_encoder_push (
        encoder, dub_pcm_new (g_bytes_new_take (samples, 4 * DUB_AAC_FRAME),
                     48000, 2, dub_frames_to_ns (i * DUB_AAC_FRAME, 48000)));
  }
  while (count_frames (sound) < N_SOUND)
    g_usleep (1000);
  return g_bytes_ref (dub_aac_encoder_get_config (encoder));
}

static void
append (GByteArray *file, DubFlvTag *tag)
{
  g_autoptr (GBytes) bytes = dub_flv_tag_write (tag, 0);

  g_byte_array_append (
      file, g_bytes_get_data (bytes, NULL), (guint) g_bytes_get_size (bytes));
  dub_flv_tag_unref (tag);
}

/* The bytes of picture i; the codec data. */
static GBytes *
picture (guint i)
{
  guint8 data[7] = {0, 0, 0, 3, i % 10 ? 0x41 : 0x65, (guint8) i, 0x80};

  return g_bytes_new (data, sizeof data);
}

static GBytes *
codec_data (void)
{
  static const guint8 avcc[] = {1, 0x42, 0xc0, 0x1e, 0xff, 0xe1, 0, 5, 0x67,
      0x42, 0xc0, 0x1e, 0xda, 1, 0, 3, 0x68, 0xce, 0x3c};

  return g_bytes_new_static (avcc, sizeof avcc);
}

static void
append_pictures (GByteArray *file, guint8 codec)
{
  g_autoptr (GBytes) config = codec_data ();
  guint start = file->len;

  append (file, dub_flv_tag_new_video_config (DUB_VIDEO_CODEC_H264, config, 0));
  for (guint i = 0; i < N_PICTURES; i++) {
    gint64 dts_ns = i * FRAME_MS * DUB_NS_PER_MS;
    g_autoptr (DubAccessUnit) unit =
        dub_access_unit_new (DUB_VIDEO_CODEC_H264, picture (i), NULL,
            dts_ns + FRAME_MS * DUB_NS_PER_MS, dts_ns, i % 10 == 0);
    guint at = file->len;

    append (file, dub_flv_tag_new_video (unit));
    file->data[at + 11] = (guint8) ((file->data[at + 11] & 0xf0) | codec);
  }
  file->data[start + 11] = (guint8) (0x10 | codec);
}

static void
append_sound (GByteArray *file)
{
  Sound sound = {.frames = g_ptr_array_new_with_free_func (
                     (GDestroyNotify) g_bytes_unref)};
  g_autoptr (GBytes) config = NULL;

  g_mutex_init (&sound.lock);
  config = encode_tone (&sound);
  append (file, dub_flv_tag_new_sound_config (config, 0));
  for (guint i = 0; i < N_SOUND; i++)
    append (file, dub_flv_tag_new_sound (g_ptr_array_index (sound.frames, i),
                      dub_frames_to_ns (i * DUB_AAC_FRAME, 48000)));
  g_ptr_array_unref (sound.frames);
  g_mutex_clear (&sound.lock);
}

/* (transfer full): its path */
static char *
write_file (const Layout *layout)
{
  static const guint8 header[] = {'F', 'L', 'V', 1, 5, 0, 0, 0, 9, 0, 0, 0, 0};
  g_autoptr (GByteArray) file = g_byte_array_new ();
  g_autofree char *folder = g_dir_make_tmp ("dub-ingest-XXXXXX", NULL);
  char *path = g_build_filename (folder, "a.flv", NULL);

  g_byte_array_append (file, header, sizeof header);
  /* Sound first: a demuxer that paces by one track must not wait for it. */
  if (layout->has_sound)
    append_sound (file);
  append_pictures (file, layout->video_codec);
  g_assert_true (g_file_set_contents (
      path, (const char *) file->data, (gssize) file->len, NULL));
  return path;
}

static void
remove_file (const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);

  g_unlink (path);
  g_rmdir (folder);
}

/* -- reading it ---------------------------------------------------------- */

static void
on_state (DubIngestState state, const GError *error, gpointer user_data)
{
  Result *result = user_data;

  result->last = state;
  result->has_run |= state == DUB_INGEST_RUNNING;
  if (error) {
    g_free (result->message);
    result->message = g_strdup (error->message);
  }
  if (state == DUB_INGEST_FAILED || state == DUB_INGEST_ENDED)
    g_main_loop_quit (result->loop);
}

static void
read_file (const Layout *layout, gboolean allow_no_audio, Result *result)
{
  g_autofree char *path = write_file (layout);
  g_autofree char *url = g_filename_to_uri (path, NULL, NULL);
  g_autoptr (DubQueue) queue = dub_ingest_queue_new ();
  g_autoptr (DubIngest) ingest = NULL;
  DubIngestOptions options;
  DubIngestItem *item;

  memset (result, 0, sizeof *result);
  result->loop = g_main_loop_new (NULL, FALSE);
  result->items =
      g_ptr_array_new_with_free_func ((GDestroyNotify) dub_ingest_item_free);
  dub_ingest_options_init (&options);
  options.url = url;
  options.allow_no_audio = allow_no_audio;
  options.tracks_ms = 200;
  options.is_fast = layout->is_fast;
  ingest = dub_ingest_new (&options, queue, on_state, result, NULL);
  dub_ingest_start (ingest);
  g_main_loop_run (result->loop);
  while ((item = dub_queue_pop (queue)))
    g_ptr_array_add (result->items, item);
  remove_file (path);
}

static void
result_clear (Result *result)
{
  g_main_loop_unref (result->loop);
  g_ptr_array_unref (result->items);
  g_free (result->message);
}

static guint
count (const Result *result, DubIngestItemKind kind)
{
  guint n = 0;

  for (guint i = 0; i < result->items->len; i++) {
    const DubIngestItem *item = g_ptr_array_index (result->items, i);

    n += item->kind == kind;
  }
  return n;
}

static void
check_picture (const DubAccessUnit *unit, guint i)
{
  g_autoptr (GBytes) expected = picture (i);
  g_autoptr (GBytes) config = codec_data ();

  g_assert_true (g_bytes_equal (unit->data, expected));
  g_assert_cmpint (unit->dts_ns, ==, i * FRAME_MS * DUB_NS_PER_MS);
  g_assert_cmpint (unit->pts_ns, ==, (i + 1) * FRAME_MS * DUB_NS_PER_MS);
  g_assert_cmpint (unit->is_key, ==, i % 10 == 0);
  g_assert_cmpint (unit->codec_data != NULL, ==, i == 0);
  if (i == 0)
    g_assert_true (g_bytes_equal (unit->codec_data, config));
}

static void
test_tracks (void)
{
  static const Layout layout = {.has_sound = TRUE, .video_codec = 7};
  Result result;
  guint n_pictures = 0;
  gsize frames = 0;

  read_file (&layout, FALSE, &result);
  g_assert_cmpint (result.last, ==, DUB_INGEST_ENDED);
  g_assert_cmpuint (count (&result, DUB_INGEST_ITEM_CONNECTED), ==, 1);
  g_assert_cmpuint (count (&result, DUB_INGEST_ITEM_LOST), ==, 1);
  g_assert_cmpuint (count (&result, DUB_INGEST_ITEM_END), ==, 1);
  for (guint i = 0; i < result.items->len; i++) {
    const DubIngestItem *item = g_ptr_array_index (result.items, i);

    if (item->kind == DUB_INGEST_ITEM_VIDEO)
      check_picture (item->unit, n_pictures++);
    if (item->kind != DUB_INGEST_ITEM_SOUND)
      continue;
    g_assert_cmpuint (item->pcm->rate_hz, ==, 48000);
    g_assert_cmpuint (item->pcm->channels, ==, 2);
    /* The packet's millisecond. */
    g_assert_cmpint (
        ABS (item->pcm->pts_ns - dub_frames_to_ns ((gint64) frames, 48000)), <=,
        DUB_NS_PER_MS);
    frames += item->pcm->frames;
  }
  g_assert_cmpuint (n_pictures, ==, N_PICTURES);
  g_assert_cmpuint (frames, ==, N_SOUND * DUB_AAC_FRAME);
  result_clear (&result);
}

static void
test_no_sound (void)
{
  static const Layout layout = {.has_sound = FALSE, .video_codec = 7};
  Result result;

  read_file (&layout, FALSE, &result);
  g_assert_cmpint (result.last, ==, DUB_INGEST_FAILED);
  g_assert_nonnull (strstr (result.message, "Audio track required"));
  result_clear (&result);

  read_file (&layout, TRUE, &result);
  g_assert_cmpint (result.last, ==, DUB_INGEST_ENDED);
  g_assert_cmpuint (count (&result, DUB_INGEST_ITEM_NO_SOUND), ==, 1);
  g_assert_cmpuint (count (&result, DUB_INGEST_ITEM_VIDEO), ==, N_PICTURES);
  result_clear (&result);
}

static void
test_other_codec (void)
{
  static const Layout layout = {.has_sound = TRUE, .video_codec = 2};
  Result result;

  read_file (&layout, FALSE, &result);
  g_assert_cmpint (result.last, ==, DUB_INGEST_FAILED);
  g_test_message ("%s", result.message);
  g_assert_nonnull (strstr (result.message, "H.264"));
  result_clear (&result);
}

/* Over before anybody looks after it, and yet it ran: whoever waits for the
 * first packet is told with the packet. */
static void
test_runs_at_once (void)
{
  static const Layout layout = {
      .has_sound = TRUE, .video_codec = 7, .is_fast = TRUE};
  Result result;

  read_file (&layout, FALSE, &result);
  g_assert_cmpint (result.last, ==, DUB_INGEST_ENDED);
  g_assert_true (result.has_run);
  result_clear (&result);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/ingest/file/tracks", test_tracks);
  g_test_add_func ("/media/ingest/file/no-sound", test_no_sound);
  g_test_add_func ("/media/ingest/file/other-codec", test_other_codec);
  g_test_add_func ("/media/ingest/file/runs-at-once", test_runs_at_once);
  return g_test_run ();
}
