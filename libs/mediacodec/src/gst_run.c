/* SPDX-License-Identifier: Apache-2.0 */
#include "gst_run.h"

#include <dubbing_common/error.h>
#include <gst/app/app.h>

/* How long an error may stand on the bus before it is seen. */
#define LOOK_EVERY_MS 20

const char *
dub_gst_first_of (const char *const *names)
{
  for (guint i = 0; names[i] != NULL; i++) {
    GstElementFactory *factory = gst_element_factory_find (names[i]);

    if (factory != NULL) {
      gst_object_unref (factory);
      return names[i];
    }
  }
  return NULL;
}

static GstElement *
build (const DubGstRun *run, GError **error)
{
  g_autoptr (GError) cause = NULL;
  GstElement *pipeline = gst_parse_launch_full (
      run->description, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &cause);

  if (pipeline == NULL)
    g_set_error (error, DUB_ERROR, DUB_ERROR_UNAVAILABLE,
        "cannot build a GStreamer pipeline: %s", cause->message);
  return pipeline;
}

static void
feed (GstElement *pipeline, const DubGstRun *run)
{
  g_autoptr (GstElement) in = gst_bin_get_by_name (GST_BIN (pipeline), "in");
  guint n = run->units != NULL ? run->units->len : 1;

  g_object_set (in, "caps", run->caps, "format",
      run->caps != NULL ? GST_FORMAT_TIME : GST_FORMAT_BYTES, "max-bytes",
      (guint64) 0, NULL);
  for (guint i = 0; i < n; i++) {
    GstBuffer *buffer = gst_buffer_new_wrapped_bytes (
        run->units != NULL ? g_ptr_array_index (run->units, i) : run->bytes);

    if (run->caps != NULL && i == 0)
      GST_BUFFER_PTS (buffer) = 0;
    gst_app_src_push_buffer (GST_APP_SRC (in), buffer);
  }
  gst_app_src_end_of_stream (GST_APP_SRC (in));
}

/* TRUE: there is one. */
static gboolean
take_bus_error (GstElement *pipeline, GError **error)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message =
      gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_autoptr (GError) cause = NULL;
  DubErrorCode code = DUB_ERROR_INVALID;

  if (message == NULL)
    return FALSE;
  gst_message_parse_error (message, &cause, NULL);
  if (g_error_matches (cause, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN))
    code = DUB_ERROR_UNAVAILABLE;
  g_set_error (error, DUB_ERROR, (gint) code, "sound: %.200s", cause->message);
  return TRUE;
}

static gboolean
take_all (GstElement *pipeline, const DubGstRun *run, GError **error)
{
  g_autoptr (GstElement) out = gst_bin_get_by_name (GST_BIN (pipeline), "out");
  gint64 end_us = g_get_monotonic_time () +
                  (gint64) run->timeout_ms * G_TIME_SPAN_MILLISECOND;

  while (g_get_monotonic_time () < end_us) {
    g_autoptr (GstSample) sample = gst_app_sink_try_pull_sample (
        GST_APP_SINK (out), LOOK_EVERY_MS * GST_MSECOND);

    if (sample != NULL) {
      if (!run->take (sample, run->user_data, error))
        return FALSE;
      continue;
    }
    if (take_bus_error (pipeline, error))
      return FALSE;
    if (gst_app_sink_is_eos (GST_APP_SINK (out)))
      return TRUE;
  }
  g_set_error (error, DUB_ERROR, DUB_ERROR_TIMEOUT, "sound: not done in %u ms",
      run->timeout_ms);
  return FALSE;
}

gboolean
dub_gst_run (const DubGstRun *run, GError **error)
{
  g_autoptr (GstElement) pipeline = build (run, error);
  gboolean ok;

  if (pipeline == NULL)
    return FALSE;
  feed (pipeline, run);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  ok = take_all (pipeline, run, error);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return ok;
}
