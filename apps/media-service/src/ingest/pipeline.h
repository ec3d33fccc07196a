/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gst/gst.h>
#include <media_service/values.h>

/*
 * Builds the GStreamer pipeline of one connection, from a URL:
 *
 *   rtmp2src ! flvdemux ─┬ video ──────────────────────────▶ picture
 *                        └ sound ! decoder ! convert ──────▶ sound
 *   rtspsrc ─┬ video ! depayloader ! parser ───────────────▶ picture
 *            └ sound ! depayloader ! parser ! decoder ! … ─▶ sound
 *   filesrc ! qtdemux, flvdemux: as RTMP, paced by its times
 *
 * Pictures are never decoded: H.264 comes as AVC, H.265 as HEVC, in 4-byte
 * lengths, one access unit a buffer, parameter sets in the caps' codec data.
 * Sound is S16LE, 48 kHz, stereo. The first track of each kind is taken. What
 * cannot be taken is posted on the bus as an error.
 *
 * Made and freed by one thread; the functions below are called by the
 * streaming threads, until the pipeline is in state NULL.
 */
G_BEGIN_DECLS

typedef struct {
  void (*on_track) (gboolean is_video, gpointer user_data);
  /* sample: with buffer and caps; times: see dub_pipeline_time_ns () */
  void (*on_picture) (
      DubVideoCodec codec, GstSample *sample, gpointer user_data);
  void (*on_sound) (GstSample *sample, gpointer user_data);
  gboolean is_fast; /* a file is not paced */
} DubPipelineFuncs;

/* What is true of a kind of source. */
typedef struct {
  const char *scheme;
  const char *element;
  gboolean is_live; /* comes at its own pace; a file is paced by its times,
                     * or comes as fast as it can be read */
  gboolean has_dts;
} DubPipelineSource;

/* DUB_ERROR_INVALID or _UNSUPPORTED, and NULL, for a URL not ours to read. */
const DubPipelineSource *dub_pipeline_find_source (
    const char *url, GError **error);

/* In state NULL; its user must keep a file's in PAUSED until ASYNC_DONE.
 * DUB_ERROR_NOT_FOUND names an element that is not installed. funcs is copied.
 * (transfer full) */
GstElement *dub_pipeline_new (const char *url, const DubPipelineFuncs *funcs,
    gpointer user_data, GError **error);

/* A time of a sample's buffer on the clock that all tracks share: where an edit
 * list moves a track (MP4), that is not what the buffer says. */
gint64 dub_pipeline_time_ns (GstSample *sample, GstClockTime time);

G_END_DECLS
