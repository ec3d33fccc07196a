/* SPDX-License-Identifier: Apache-2.0 */
#include "aac_encoder.h"

#define DUB_LOG_TOPIC "media.publish"
#include <dubbing_common/clock.h>
#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <media_service/gst_bus.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define RATE 48000
#define CHANNELS 2
#define FRAME_SIZE (CHANNELS * sizeof (gint16))
/* More than a programme without CPU may be behind at once. */
#define MAX_WAITING (40 * RATE)
/* A time may be off by the rounding of ns to samples. */
#define TOLERANCE 2

#define PROBE_FRAMES (24 * DUB_AAC_FRAME)
#define PROBE_CLICK (8 * DUB_AAC_FRAME)
#define MAX_DELAY (8 * DUB_AAC_FRAME)
#define WAIT_US 500
#define FINISH_TIMEOUT_US (5 * G_USEC_PER_SEC)
#define PROBE_TIMEOUT (5 * GST_SECOND)

typedef struct {
  const char *factory;
  const char *before; /* what must stand before it */
} Encoder;

/* The cheapest first: 3.6 % of a core against 6.5 %. */
static const Encoder encoders[] = {
    {"voaacenc", ""},
    {"avenc_aac", "audioconvert !"},
};

/* Where the samples from one on belong, until the next. */
typedef struct {
  gint64 from;  /* of those pushed */
  gint64 shift; /* its media sample less from */
} Anchor;

struct _DubAacEncoder {
  /* immutable */
  DubAacEncoderHandlers handlers;
  gpointer user_data;
  const Encoder *encoder;
  guint delay;
  GBytes *config;
  GstElement *pipeline;
  GstAppSrc *source;

  /* the pushing thread only */
  gint64 pushed; /* frames */
  gint64 shift;  /* of the last anchor */
  gboolean is_full;

  GMutex lock;
  GQueue anchors; /* protected by lock: Anchor, of what has not come out */

  /* any thread */
  _Atomic gint64 taken; /* frames that came out, as input frames */
  _Atomic gboolean is_broken;
  _Atomic gboolean is_done; /* nothing more comes out */
};

static GstCaps *
pcm_caps (void)
{
  return gst_caps_new_simple ("audio/x-raw", "format", G_TYPE_STRING, "S16LE",
      "layout", G_TYPE_STRING, "interleaved", "rate", G_TYPE_INT, RATE,
      "channels", G_TYPE_INT, CHANNELS, "channel-mask", GST_TYPE_BITMASK,
      G_GUINT64_CONSTANT (3), NULL);
}

static const Encoder *
find_encoder (GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (encoders); i++) {
    g_autoptr (GstElementFactory) factory =
        gst_element_factory_find (encoders[i].factory);

    if (factory)
      return &encoders[i];
  }
  g_set_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND,
      "no AAC encoder: GStreamer has neither voaacenc"
      " (gstreamer1.0-plugins-bad) nor avenc_aac (gstreamer1.0-libav)");
  return NULL;
}

/* appsrc ! encoder ! [decoder ! audioconvert !] appsink */
static GstElement *
build (const Encoder *encoder, guint bit_rate, const char *rest, GError **error)
{
  g_autofree char *text = g_strdup_printf (
      "appsrc name=source format=time is-live=false block=false max-bytes=0 "
      "! %s %s name=encoder bitrate=%u "
      "! audio/mpeg,mpegversion=4,stream-format=raw ! %s appsink name=sink "
      "sync=false async=false "
      "enable-last-sample=false",
      encoder->before, encoder->factory, bit_rate, rest);
  GstElement *pipeline = gst_parse_launch (text, error);
  g_autoptr (GstElement) source = NULL;
  g_autoptr (GstCaps) caps = pcm_caps ();

  if (!pipeline)
    return NULL;
  gst_object_ref_sink (pipeline);
  source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  gst_app_src_set_caps (GST_APP_SRC (source), caps);
  return pipeline;
}

/* -- the click ----------------------------------------------------------- */

static GstBuffer *
click_buffer (void)
{
  gint16 *samples = g_new0 (gint16, PROBE_FRAMES * CHANNELS);
  GstBuffer *buffer;

  for (guint channel = 0; channel < CHANNELS; channel++)
    samples[PROBE_CLICK * CHANNELS + channel] = 30000;
  buffer = gst_buffer_new_wrapped (samples, PROBE_FRAMES * FRAME_SIZE);
  GST_BUFFER_PTS (buffer) = 0;
  return buffer;
}

typedef struct {
  gint64 frames;
  gint64 loudest_at;
  int loudest;
} Peak;

static void
find_peak (Peak *peak, GstBuffer *buffer)
{
  GstMapInfo map;
  const gint16 *samples;

  if (!gst_buffer_map (buffer, &map, GST_MAP_READ))
    return;
  samples = (const gint16 *) map.data;
  for (gsize i = 0; i < map.size / FRAME_SIZE; i++) {
    int level = abs (samples[i * CHANNELS]);

    if (level > peak->loudest) {
      peak->loudest = level;
      peak->loudest_at = peak->frames + (gint64) i;
    }
  }
  peak->frames += (gint64) (map.size / FRAME_SIZE);
  gst_buffer_unmap (buffer, &map);
}

static GBytes *
codec_data_of (GstElement *pipeline, const char *element)
{
  g_autoptr (GstElement) encoder =
      gst_bin_get_by_name (GST_BIN (pipeline), element);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (encoder, "src");
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  g_autoptr (GstBuffer) data = NULL;
  GstMapInfo map;
  GBytes *bytes;

  if (!caps)
    return NULL;
  gst_structure_get (gst_caps_get_structure (caps, 0), "codec_data",
      GST_TYPE_BUFFER, &data, NULL);
  if (!data || !gst_buffer_map (data, &map, GST_MAP_READ))
    return NULL;
  bytes = g_bytes_new (map.data, map.size);
  gst_buffer_unmap (data, &map);
  return bytes;
}

static void
run_probe (GstElement *pipeline, Peak *peak)
{
  g_autoptr (GstElement) source =
      gst_bin_get_by_name (GST_BIN (pipeline), "source");
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GstSample *sample;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  gst_app_src_push_buffer (GST_APP_SRC (source), click_buffer ());
  gst_app_src_end_of_stream (GST_APP_SRC (source));
  while ((sample = gst_app_sink_try_pull_sample (
              GST_APP_SINK (sink), PROBE_TIMEOUT))) {
    find_peak (peak, gst_sample_get_buffer (sample));
    gst_sample_unref (sample);
  }
}

/* Codes and decodes a click; finds the delay and the codec data. */
static gboolean
measure (DubAacEncoder *self, guint bit_rate, GError **error)
{
  g_autoptr (GstElement) pipeline = build (self->encoder, bit_rate,
      "avdec_aac ! audioconvert dithering=none ! audio/x-raw,format=S16LE,"
      "layout=interleaved !",
      error);
  Peak peak = {0};
  gint64 delay;

  if (!pipeline)
    return FALSE;
  run_probe (pipeline, &peak);
  self->config = codec_data_of (pipeline, "encoder");
  gst_element_set_state (pipeline, GST_STATE_NULL);
  delay = peak.loudest_at - PROBE_CLICK;
  if (!self->config || peak.loudest < 1000 || delay < 0 || delay > MAX_DELAY) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_ENGINE,
        "the AAC encoder %s does not work: a click came back with level %d "
        "after %" G_GINT64_FORMAT " samples",
        self->encoder->factory, peak.loudest, delay);
    return FALSE;
  }
  self->delay = (guint) delay;
  return TRUE;
}

/* -- coding -------------------------------------------------------------- */

static GBytes *
copy_of (GstBuffer *buffer)
{
  gsize size = gst_buffer_get_size (buffer);
  gpointer data = g_malloc (size);

  gst_buffer_extract (buffer, 0, data, size);
  return g_bytes_new_take (data, size);
}

/* The media sample at which that one of those pushed belongs. */
static gint64
position_of (DubAacEncoder *self, gint64 sample)
{
  const Anchor *next;
  gint64 shift;

  g_mutex_lock (&self->lock);
  while ((next = g_queue_peek_nth (&self->anchors, 1)) && next->from <= sample)
    g_free (g_queue_pop_head (&self->anchors));
  shift = ((const Anchor *) g_queue_peek_head (&self->anchors))->shift;
  g_mutex_unlock (&self->lock);
  return sample + shift;
}

static GstFlowReturn
on_sample (GstAppSink *sink, gpointer user_data)
{
  DubAacEncoder *self = user_data;
  GstSample *sample = gst_app_sink_pull_sample (sink);
  GstBuffer *buffer = sample ? gst_sample_get_buffer (sample) : NULL;

  if (buffer && gst_buffer_get_size (buffer) > 0) {
    g_autoptr (GBytes) frame = copy_of (buffer);
    gint64 position = position_of (self, self->taken - (gint64) self->delay);

    self->taken += DUB_AAC_FRAME;
    /* dub_frames_to_ns () takes positions only from 0 on. */
    self->handlers.on_frame (frame,
        position >= 0 ? dub_frames_to_ns (position, RATE)
                      : -dub_frames_to_ns (-position, RATE),
        self->user_data);
  }
  g_clear_pointer (&sample, gst_sample_unref);
  return GST_FLOW_OK;
}

static void
on_eos (GstAppSink *sink, gpointer user_data)
{
  DubAacEncoder *self = user_data;

  self->is_done = TRUE;
}

static GstBusSyncReply
on_bus_message (GstBus *bus, GstMessage *message, gpointer user_data)
{
  DubAacEncoder *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) told = NULL;

  dub_bus_note (message, "");
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR && !self->is_broken) {
    self->is_broken = TRUE;
    gst_message_parse_error (message, &error, NULL);
    told = g_error_new (DUB_ERROR, DUB_ERROR_ENGINE,
        "the AAC encoder %s failed: %s", self->encoder->factory,
        error->message);
    self->handlers.on_error (told, self->user_data);
  }
  gst_message_unref (message);
  return GST_BUS_DROP;
}

static gboolean
start (DubAacEncoder *self, guint bit_rate, GError **error)
{
  GstAppSinkCallbacks callbacks = {.new_sample = on_sample, .eos = on_eos};
  g_autoptr (GstElement) sink = NULL;
  g_autoptr (GstBus) bus = NULL;

  self->pipeline = build (self->encoder, bit_rate, "", error);
  if (!self->pipeline)
    return FALSE;
  self->source =
      GST_APP_SRC (gst_bin_get_by_name (GST_BIN (self->pipeline), "source"));
  sink = gst_bin_get_by_name (GST_BIN (self->pipeline), "sink");
  gst_app_sink_set_callbacks (GST_APP_SINK (sink), &callbacks, self, NULL);
  bus = gst_element_get_bus (self->pipeline);
  gst_bus_set_sync_handler (bus, on_bus_message, self, NULL);
  gst_element_set_state (self->pipeline, GST_STATE_PLAYING);
  return TRUE;
}

DubAacEncoder *
dub_aac_encoder_new (guint bit_rate, const DubAacEncoderHandlers *handlers,
    gpointer user_data, GError **error)
{
  g_autoptr (DubAacEncoder) self = g_new0 (DubAacEncoder, 1);

  self->handlers = *handlers;
  self->user_data = user_data;
  g_mutex_init (&self->lock);
  g_queue_init (&self->anchors);
  self->encoder = find_encoder (error);
  if (!self->encoder || !measure (self, bit_rate, error) ||
      !start (self, bit_rate, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
dub_aac_encoder_free (DubAacEncoder *self)
{
  if (!self)
    return;
  if (self->pipeline) {
    gst_element_set_state (self->pipeline, GST_STATE_NULL);
    gst_clear_object (&self->source);
    gst_object_unref (self->pipeline);
  }
  g_clear_pointer (&self->config, g_bytes_unref);
  g_queue_clear_full (&self->anchors, g_free);
  g_mutex_clear (&self->lock);
  g_free (self);
}

GBytes *
dub_aac_encoder_get_config (DubAacEncoder *self)
{
  return self->config;
}

guint
dub_aac_encoder_get_delay_frames (DubAacEncoder *self)
{
  return self->delay;
}

const char *
dub_aac_encoder_get_name (DubAacEncoder *self)
{
  return self->encoder->factory;
}

/* The sample count rules; the encoder itself never sees a gap. */
static void
follow_anchor (DubAacEncoder *self, const DubPcm *pcm)
{
  gint64 shift = dub_ns_to_frames (pcm->pts_ns, RATE) - self->pushed;
  Anchor *anchor;

  if (self->pushed > 0 && llabs (shift - self->shift) <= TOLERANCE)
    return;
  self->shift = shift;
  anchor = g_new (Anchor, 1);
  *anchor = (Anchor){.from = self->pushed, .shift = shift};
  g_mutex_lock (&self->lock);
  g_queue_push_tail (&self->anchors, anchor);
  g_mutex_unlock (&self->lock);
}

/* pcm (transfer full) */
static GstBuffer *
wrap (DubPcm *pcm)
{
  gsize size = pcm->frames * FRAME_SIZE;

  return gst_buffer_new_wrapped_full (GST_MEMORY_FLAG_READONLY,
      (gpointer) pcm->samples, size, 0, size, pcm,
      (GDestroyNotify) dub_pcm_unref);
}

/* Says so once in a row. */
static gboolean
has_room (DubAacEncoder *self)
{
  gboolean was_full = self->is_full;

  self->is_full = self->pushed - self->taken > MAX_WAITING;
  if (self->is_full && !was_full)
    dub_warning ("%d s of sound wait for the encoder %s: sound is dropped",
        MAX_WAITING / RATE, self->encoder->factory);
  return !self->is_full;
}

gboolean
dub_aac_encoder_push (DubAacEncoder *self, DubPcm *pcm)
{
  g_autoptr (DubPcm) owned = pcm;
  gint64 frames = (gint64) pcm->frames;
  GstBuffer *buffer;

  g_return_val_if_fail (
      pcm->rate_hz == RATE && pcm->channels == CHANNELS, FALSE);

  if (self->is_broken || !has_room (self))
    return FALSE;
  follow_anchor (self, pcm);
  buffer = wrap (g_steal_pointer (&owned));
  GST_BUFFER_PTS (buffer) =
      gst_util_uint64_scale ((guint64) self->pushed, GST_SECOND, RATE);
  GST_BUFFER_DURATION (buffer) =
      gst_util_uint64_scale ((guint64) frames, GST_SECOND, RATE);
  self->pushed += frames;
  return gst_app_src_push_buffer (self->source, buffer) == GST_FLOW_OK;
}

gint64
dub_aac_encoder_get_waiting_ns (DubAacEncoder *self)
{
  if (self->is_broken)
    return 0;
  return dub_frames_to_ns (MAX (0, self->pushed - self->taken), RATE);
}

gboolean
dub_aac_encoder_push_wait (DubAacEncoder *self, DubPcm *pcm)
{
  while (!self->is_broken && self->pushed - self->taken > RATE)
    g_usleep (WAIT_US);
  return dub_aac_encoder_push (self, pcm);
}

/* (transfer full): follows what was pushed last */
static DubPcm *
silence (const DubAacEncoder *self)
{
  gsize frames = self->delay + 2 * DUB_AAC_FRAME;

  return dub_pcm_new (
      g_bytes_new_take (g_malloc0 (frames * FRAME_SIZE), frames * FRAME_SIZE),
      RATE, CHANNELS, dub_frames_to_ns (self->shift + self->pushed, RATE));
}

gboolean
dub_aac_encoder_finish (DubAacEncoder *self)
{
  gint64 until_us = g_get_monotonic_time () + FINISH_TIMEOUT_US;

  /* An encoder keeps back its delay, and some of them the last frame. */
  dub_aac_encoder_push (self, silence (self));
  gst_app_src_end_of_stream (self->source);
  while (
      !self->is_broken && !self->is_done && g_get_monotonic_time () < until_us)
    g_usleep (WAIT_US);
  return self->is_done;
}
