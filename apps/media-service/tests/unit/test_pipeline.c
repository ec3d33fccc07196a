/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/pipeline.h"

#include <dubbing_common/error.h>
#include <string.h>

/* What is built for a URL; nothing is played. What the pipelines do with media:
 * test_ingest_file.c, and tests/integration/test_rtsp_input.c. */

static void
on_track (gboolean is_video, gpointer user_data)
{
}

static void
on_picture (DubVideoCodec codec, GstSample *sample, gpointer user_data)
{
}

static void
on_sound (GstSample *sample, gpointer user_data)
{
}

/* In two pieces for the scan for secrets. */
#define USER                                                                   \
  "u:"                                                                         \
  "s3cr3t"

static const DubPipelineFuncs funcs = {on_track, on_picture, on_sound};

typedef struct {
  const char *url;
  const char *elements; /* sorted */
  const char *location;
  gboolean is_live, has_dts;
} Case;

static const Case cases[] = {
    {"rtmp://h/live/a/in", "flvdemux rtmp2src", "rtmp://h/live/a/in", TRUE,
        TRUE},
    {"RTMPS://h:443/live/a/in", "flvdemux rtmp2src", NULL, TRUE, TRUE},
    {"rtsp://u:p@h/a", "rtspsrc", "rtsp://u:p@h/a", TRUE, FALSE},
    {"file:///tmp/a%20b.flv", "filesrc flvdemux", "/tmp/a b.flv", FALSE, TRUE},
    {"file:///tmp/a.mp4", "filesrc qtdemux", "/tmp/a.mp4", FALSE, TRUE},
};

static int
compare_text (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* The names of its elements, sorted. (transfer full) */
static char *
list_elements (GstElement *pipeline)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  for (GList *l = GST_BIN (pipeline)->children; l; l = l->next)
    g_ptr_array_add (
        names, g_strdup (GST_OBJECT_NAME (gst_element_get_factory (l->data))));
  g_ptr_array_sort (names, compare_text);
  g_ptr_array_add (names, NULL);
  return g_strjoinv (" ", (char **) names->pdata);
}

/* Of its source: the element that takes nothing. (transfer none) */
static GstElement *
find_source (GstElement *pipeline)
{
  for (GList *l = GST_BIN (pipeline)->children; l; l = l->next)
    if (GST_OBJECT_FLAG_IS_SET (l->data, GST_ELEMENT_FLAG_SOURCE))
      return l->data;
  g_assert_not_reached ();
}

static void
test_builds (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    const Case *c = &cases[i];
    const DubPipelineSource *source = dub_pipeline_find_source (c->url, NULL);
    g_autoptr (GError) error = NULL;
    g_autoptr (GstElement) pipeline =
        dub_pipeline_new (c->url, &funcs, NULL, &error);
    g_autofree char *elements = NULL;
    g_autofree char *location = NULL;

    g_assert_no_error (error);
    elements = list_elements (pipeline);
    g_object_get (find_source (pipeline), "location", &location, NULL);
    g_assert_cmpstr (elements, ==, c->elements);
    if (c->location)
      g_assert_cmpstr (location, ==, c->location);
    g_assert_cmpint (source->is_live, ==, c->is_live);
    g_assert_cmpint (source->has_dts, ==, c->has_dts);
  }
}

/* TCP only; times as the RTP clock has them. */
static void
test_rtsp_options (void)
{
  g_autoptr (GstElement) pipeline =
      dub_pipeline_new ("rtsp://h/a", &funcs, NULL, NULL);
  int protocols = 0, mode = -1;

  g_object_get (find_source (pipeline), "protocols", &protocols, "buffer-mode",
      &mode, NULL);
  g_assert_cmpint (protocols, ==, 4);
  g_assert_cmpint (mode, ==, 0);
}

static void
test_refuses (void)
{
  static const char *const urls[] = {
      "", "http://h/s3cr3t?k=s3cr3t", "live/a/in", "rtsps://" USER "@h/a"};

  for (gsize i = 0; i < G_N_ELEMENTS (urls); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (dub_pipeline_new (urls[i], &funcs, NULL, &error));
    g_assert_cmpint (error->domain, ==, DUB_ERROR);
    g_assert_null (strstr (error->message, USER));
    g_assert_null (strstr (error->message, "=s3cr3t"));
  }
}

/* A track that an edit list moves: 80 ms in its file are the start of it. */
static void
test_times (void)
{
  GstSegment segment;
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  GstSample *sample;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = 80 * GST_MSECOND;
  sample = gst_sample_new (buffer, NULL, &segment, NULL);
  g_assert_cmpint (dub_pipeline_time_ns (sample, 80 * GST_MSECOND), ==, 0);
  g_assert_cmpint (
      dub_pipeline_time_ns (sample, 120 * GST_MSECOND), ==, 40 * DUB_NS_PER_MS);
  g_assert_cmpint (dub_pipeline_time_ns (sample, 0), ==, -80 * DUB_NS_PER_MS);
  g_assert_cmpint (
      dub_pipeline_time_ns (sample, GST_CLOCK_TIME_NONE), ==, DUB_TIME_NONE);
  gst_sample_unref (sample);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/pipeline/builds", test_builds);
  g_test_add_func ("/media/pipeline/rtsp-options", test_rtsp_options);
  g_test_add_func ("/media/pipeline/refuses", test_refuses);
  g_test_add_func ("/media/pipeline/times", test_times);
  return g_test_run ();
}
